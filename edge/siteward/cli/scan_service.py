"""`scan` on a wire in service: core sends every call, when control has had its share; nothing else opens the port."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from siteward.cli.core_wire import FOREIGN_FACTOR, HOME_FACTOR, CoreWire, home_of, line_of
from siteward.cli.errors import CommandFailed
from siteward.cli.paint import Screen
from siteward.cli.paths import Paths
from siteward.cli.scan_page import WHOLE, minutes, show_scan, teller
from siteward.cli.scan_wish import Wish, service_plan
from siteward.cli.talk import with_core
from siteward.cli.wires import Plant, expected, find_line
from siteward.client.client import Client
from siteward.model.site import Line
from siteward_drivers.scan import Book, Scan
from siteward_drivers.scan_plan import ScanPlan
from siteward_drivers.scan_site import site_tables
from siteward_drivers.scan_words import findings

Confirm = Callable[[str], bool]


def scan_in_service(paths: Paths, plant: Plant, screen: Screen, wish: Wish, name: str, confirm: Confirm) -> int:
    """Scan a wire of the running core; 1 when something is wrong. Raises CommandFailed."""

    async def verb(client: Client, screen: Screen) -> int:
        line = await line_of(client, name)
        return await _scan(CoreWire(client, name, home_of(line)), line, plant, screen, wish, confirm)

    return with_core(paths, screen, verb)


async def _scan(wire: CoreWire, line: Line, plant: Plant, screen: Screen, wish: Wish, confirm: Confirm) -> int:
    foreign = wish.wide or bool(wish.bauds or wish.parities)
    if foreign and not line.is_serial:
        raise CommandFailed(
            f"{line.port} has the settings of its gateway, which core cannot change",
            "leave --wide, --baud and --parity out",
            "NOT_TUNABLE",
        )
    plan = service_plan(wish, wire.home, behind_gateway=not line.is_serial)
    factor = FOREIGN_FACTOR if foreign else HOME_FACTOR
    if not await asyncio.to_thread(confirm, _question(plan, line, factor, foreign)):
        raise CommandFailed("not confirmed, nothing was sent", "say yes, or --yes in a script", "NOT_CONFIRMED")
    book = Book()
    complete = True
    with screen.progress(f"scan {line.id} in service", WHOLE) as step:
        try:
            await wire.scan(Scan(plan, book, plant.profiles.by_id.values()), teller(step, book, factor))
        except asyncio.CancelledError:
            # Ctrl-C: what was found until then is told all the same.
            complete = False
    plan = replace(plan, left_alone=frozenset(wire.left_alone))
    own = find_line(plant.site, line.id)
    told = findings(book, plan, expected(plant.site, own) if complete else None)
    tables = site_tables(book, line.port, line.id, plant.profiles, serial=line.is_serial)
    return show_scan(screen, line.port, book, told, complete, tables)


def _question(plan: ScanPlan, line: Line, factor: float, foreign: bool) -> str:
    noise = (
        " Frames at other settings are noise to its devices: now and then an answer is lost and asked for again."
        if foreign
        else ""
    )
    return (
        f"Core goes on controlling {line.id} and reads for the scan in between, for "
        f"{minutes(plan.silent_s() * factor)} if nobody answers.{noise} Go on?"
    )

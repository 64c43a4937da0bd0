"""`scan`: who is on a wire, at which settings; what is wrong with it; and tables for site.toml, ready to paste."""

import asyncio
from collections.abc import Callable

from siteward.cli.errors import CommandFailed
from siteward.cli.paint import Screen
from siteward.cli.paths import Paths
from siteward.cli.scan_page import WHOLE, minutes, show_scan, teller
from siteward.cli.scan_service import scan_in_service
from siteward.cli.scan_wish import Wish, make_plan
from siteward.cli.wires import Care, Plant, care, cores_line, expected, find_line, instead_of_core, live_core
from siteward.model.errors import ConfigError
from siteward_drivers.errors import LinkDown
from siteward_drivers.links import open_link
from siteward_drivers.scan import Book, Scan
from siteward_drivers.scan_plan import ScanPlan
from siteward_drivers.scan_run import ScanRunner
from siteward_drivers.scan_site import site_tables
from siteward_drivers.scan_words import findings

_GATEWAY = "rtu+tcp://"

Confirm = Callable[[str], bool]
"""Asks a person; True means go on."""


def scan(paths: Paths, plant: Plant, screen: Screen, wish: Wish, confirm: Confirm) -> int:
    """Scan a wire; 1 when nothing was found or something is wrong. Raises CommandFailed when it must not be scanned."""
    line = find_line(plant.site, wish.target)
    port = line.port if line is not None else wish.target
    _judge_port(port)
    owned = cores_line(asyncio.run(live_core(paths)), port)
    if owned is not None:
        return scan_in_service(paths, plant, screen, wish, owned.id, confirm)
    heed = Care() if wish.chargers else care(plant.site, line)
    _refuse_listeners(heed, port)
    plan = make_plan(wish, port, heed, wish.wide)
    if not confirm(_question(plan, port, plant, wish)):
        raise CommandFailed("not confirmed, nothing was sent", "say yes, or --yes in a script", "NOT_CONFIRMED")
    book = Book()
    with instead_of_core(paths):
        complete = _run(screen, port, plan, book, plant)
        if complete and not book.proven() and not wish.wide and not wish.bauds and "://" not in port:
            wider = make_plan(wish, port, heed, wide=True)
            if confirm(f"nothing found; try everything else too? It takes {minutes(wider.silent_s())}."):
                plan = wider
                complete = _run(screen, port, plan, book, plant)
    told = findings(book, plan, expected(plant.site, line) if complete else None)
    name = line.id if line is not None else _name(port)
    tables = site_tables(book, port, name, plant.profiles, serial="://" not in port)
    return show_scan(screen, port, book, told, complete, tables)


def _judge_port(port: str) -> None:
    if "://" in port and not port.startswith(_GATEWAY):
        raise CommandFailed(
            f"{port} is no wire to scan",
            f"name a serial port, a line of the site file, or {_GATEWAY}host:port; a Modbus TCP device is asked with "
            "`siteward probe`",
            "BAD_PORT",
        )


def _refuse_listeners(heed: Care, port: str) -> None:
    if heed.fed_by_all:
        names = ", ".join(charger.id for charger in heed.fed_by_all)
        raise CommandFailed(
            f"any frame on {port} feeds the watchdog of {names}, which nobody controls now",
            "switch these chargers off or disconnect them; with --chargers the wire is scanned all the same",
            "FEEDS_WATCHDOG",
        )


def _question(plan: ScanPlan, port: str, plant: Plant, wish: Wish) -> str:
    unknown = plant.site is None or wish.chargers
    care_text = (
        " A charger in service that is asked may hold its last current instead of falling back: there must be none."
        if unknown
        else ""
    )
    return f"This reads on {port} for {minutes(plan.silent_s())}; nobody else may use the wire.{care_text} Go on?"


def _run(screen: Screen, port: str, plan: ScanPlan, book: Book, plant: Plant) -> bool:
    """Perform a plan; False when a person broke it off. Raises CommandFailed when the port cannot be had."""
    with screen.progress(f"scan {port}", WHOLE) as step:
        runner = ScanRunner(lambda setting: open_link(setting.line(port)), teller(step, book))
        try:
            asyncio.run(runner.run(Scan(plan, book, plant.profiles.by_id.values())))
        except KeyboardInterrupt:
            return False
        except (LinkDown, ConfigError) as error:
            raise CommandFailed(str(error), _PORT_ADVICE, "PORT") from error
    return True


def _name(port: str) -> str:
    stem = port.removeprefix(_GATEWAY).rpartition("/")[2]
    return "".join(c if c.isalnum() else "-" for c in stem).strip("-") or "line"


_PORT_ADVICE = (
    "is the adapter plugged in (see /dev/serial/by-path), does another program have it open, may your user open it "
    "(group dialout)?"
)

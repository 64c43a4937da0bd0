"""`probe`: one live reading of a device, by core's eyes while it runs, else from the wire; captures too."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siteward.cli.core_wire import CoreWire, home_of
from siteward.cli.errors import CommandFailed
from siteward.cli.paint import Grid, Part, Screen
from siteward.cli.paths import Paths
from siteward.cli.probe_live import SILENT, from_core, show_rows
from siteward.cli.probe_meter import data_meter, show_meter
from siteward.cli.talk import with_core
from siteward.cli.wires import Plant, care, cores_line, instead_of_core, live_core, refuse_cores_line
from siteward.client.client import Client
from siteward.model.errors import ConfigError, DeviceError
from siteward.model.ports import Clock
from siteward.model.site import Line, Site
from siteward_drivers.capture import record, write_capture
from siteward_drivers.errors import LinkDown
from siteward_drivers.links import speed
from siteward_drivers.modbus import Answer, Request
from siteward_drivers.probe import Item, Look, Prober, look_at
from siteward_drivers.profile import Profile
from siteward_drivers.scan_words import ECHO_EN

Confirm = Callable[[str], bool]
"""Asks a person; True means go on."""

_TRIES = 3


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for: a device of the site file, its raw registers, or a file for a capture."""

    device: str
    raw: bool = False
    capture: Path | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """A device of the site file: one address on a wire, one of its channels, or all of them."""

    name: str
    line: Line
    unit: int
    profile: Profile
    channel: int
    channels: int
    is_charger: bool


def probe(paths: Paths, plant: Plant, screen: Screen, wish: Wish, clock: Clock, confirm: Confirm) -> int:
    """Show or record a device; 1 when it does not answer or is another one. Raises CommandFailed, ConfigError."""
    live = asyncio.run(live_core(paths))
    if live is not None and not wish.raw and wish.capture is None:
        shown = from_core(live, wish.device)
        if shown:
            show_rows(screen, wish.device, shown)
            return 0 if all(row[1] != SILENT for row in shown) else 1
    meter = data_meter(plant.site, wish.device)
    if plant.site is not None and meter is not None:
        refuse_cores_line(live, meter.line.port)
        if wish.raw or wish.capture is not None:
            raise CommandFailed(
                f"{wish.device} has data, no registers", "leave --raw and --capture out", "NO_REGISTERS"
            )
        with instead_of_core(paths):
            return asyncio.run(show_meter(screen, plant.site, plant.profiles, meter, clock))
    target = _target(plant, wish.device)
    owned = cores_line(live, target.line.port)
    if owned is not None and wish.capture is None:
        return with_core(paths, screen, lambda client, screen: _by_core(client, screen, target, owned.id))
    refuse_cores_line(live, target.line.port)
    _take_care(plant, target.line, target.unit if target.is_charger else None, confirm)
    with instead_of_core(paths):
        return asyncio.run(_direct(screen, target, wish, clock))


def _target(plant: Plant, name: str) -> Target:
    if plant.site is None:
        raise CommandFailed("no site file says where devices are", "name it with --site site.toml", "NO_SITE")
    lines = {line.id: line for line in plant.site.lines}
    for meter in plant.site.meters:
        if meter.id == name:
            return Target(name, lines[meter.line], meter.unit, plant.profiles[meter.profile], 1, 1, is_charger=False)
    for charger in plant.site.chargers:
        profile, line = plant.profiles[charger.profile], lines[charger.line]
        count = len(charger.connectors)
        for connector in charger.connectors:
            if name in (connector.id, charger.id):
                return Target(name, line, charger.unit, profile, connector.channel, count, is_charger=True)
    known = ", ".join(_names(plant.site))
    raise CommandFailed(f"the site file names no {name!r}", f"it names {known}", "NO_DEVICE")


def _names(site: Site) -> list[str]:
    return [*(m.id for m in site.meters), *(c.id for c in site.chargers), *(c.id for c in site.connectors)]


def _take_care(plant: Plant, line: Line, charger: int | None, confirm: Confirm) -> None:
    """A read may hold a charger at its last current while nobody controls it (R2): that is a person's decision."""
    heed = care(plant.site, line)
    fed = [c for c in heed.fed_by_own if c.unit == charger]
    names = ", ".join(dict.fromkeys(charger.id for charger in (*fed, *heed.fed_by_all)))
    if names and not confirm(
        f"Nobody controls {names} now, and this read feeds its watchdog: it may hold its last current. Go on?"
    ):
        raise CommandFailed(
            f"a read would feed the watchdog of {names}, which nobody controls now",
            "start core and probe through it, or answer --yes when no car is connected",
            "FEEDS_WATCHDOG",
        )


async def _by_core(client: Client, screen: Screen, target: Target, line: str) -> int:
    """Have core read on its own wire: in between, so that control notices nothing."""
    wire = CoreWire(client, line, home_of(target.line))

    async def ask(request: Request) -> Answer:
        for _ in range(_TRIES):
            answer = await wire.ask(request)
            if answer is not None:
                return answer
        raise CommandFailed(f"{target.name} does not answer", _advice(target), "NO_ANSWER")

    look = await look_at(target.profile, target.unit, target.channel, speed(target.line), ask)
    return _show(screen, target, look, raw=True)


async def _direct(screen: Screen, target: Target, wish: Wish, clock: Clock) -> int:
    try:
        async with Prober(target.line, target.unit, target.profile, clock) as prober:
            if await prober.hears_itself():
                raise CommandFailed(f"{target.line.port}: {ECHO_EN}", "", "ECHO")
            if wish.capture is not None:
                return await _capture(screen, prober, target, wish.capture, clock)
            return _show(screen, target, await prober.look(target.channel), wish.raw)
    except (LinkDown, DeviceError) as error:
        raise CommandFailed(f"{target.name}: {error}", _advice(target), "NO_ANSWER") from error


def _advice(target: Target) -> str:
    return (
        f"unit {target.unit} at {target.line.baud} baud, parity {target.line.parity}: is that what the device is set "
        f"to, has it power? `siteward scan {target.line.id}` looks for it"
    )


async def _capture(screen: Screen, prober: Prober, target: Target, file: Path, clock: Clock) -> int:
    from siteward import __version__

    day = clock.wall().date().isoformat()
    with screen.progress(f"record {target.name}", 100) as step:
        capture = await record(
            prober, target.channels, f"siteward {__version__}", day, lambda done, most: step(100 * done // most)
        )
    try:
        write_capture(capture, file)
    except OSError as error:
        raise ConfigError(f"{file}: cannot be written: {error.strerror}") from error
    words = sum(len(block.words) for block in capture.blocks)
    refused = sum(block.exception is not None for block in capture.blocks)
    silent = sum(not block.words and block.exception is None for block in capture.blocks)
    result = {
        "file": str(file),
        "blocks": len(capture.blocks),
        "registers": words,
        "refused": refused,
        "silent": silent,
    }
    if screen.as_json:
        screen.data(result)
    else:
        screen.show(
            [
                f"{file}: {words} registers in {len(capture.blocks)} blocks of {target.profile.id}, {refused} refused, "
                f"{silent} silent; serial numbers are taken out"
            ]
        )
    return 0


def _show(screen: Screen, target: Target, look: Look, raw: bool) -> int:
    if screen.as_json:
        screen.data(_report(target, look, raw))
    else:
        screen.show(_page(target, look, raw))
    return 1 if look.strange else 0


def _page(target: Target, look: Look, raw: bool) -> list[Part]:
    head = f"{target.name}: {target.profile.id} on {target.line.id} unit {target.unit}, read from the wire just now"
    columns = ("quantity", "value", "unit", *(("table", "address", "registers") if raw else ()))
    rows = [(str(i.quantity), _value(i), i.unit, *(_registers(target, i) if raw else ())) for i in look.items]
    parts: list[Part] = [head, Grid("", columns, rows, frozenset({"value", "address"}))]
    if look.strange:
        parts.append(_stranger(target, look))
    return parts


def _stranger(target: Target, look: Look) -> str:
    names = ", ".join(look.strange)
    return (
        f"WRONG: {names} is not what a {target.profile.id} says: another device, or the ports of two wires have "
        f"changed places; `siteward scan {target.line.id}` tells"
    )


def _value(item: Item) -> str:
    if item.value is None:
        return item.why
    return f"{item.value:.6g}" if isinstance(item.value, float) else str(item.value)


def _registers(target: Target, item: Item) -> tuple[str, str, str]:
    point = target.profile.point(item.quantity, target.channel)
    return str(point.table), str(point.address), " ".join(f"{word:04x}" for word in item.words)


def _report(target: Target, look: Look, raw: bool) -> dict[str, Any]:
    report: dict[str, Any] = {
        "device": target.name,
        "profile": target.profile.id,
        "line": target.line.id,
        "unit": target.unit,
        "from": "wire",
        "strange": look.strange,
        "values": {i.quantity: {"value": i.value, "unit": i.unit, "why": i.why} for i in look.items},
    }
    if raw:
        report["blocks"] = [
            {"table": s.table, "first": s.first, "count": s.count, "words": s.words, "exception": s.exception}
            for s in look.spans
        ]
    return report

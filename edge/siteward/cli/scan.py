"""`scan`: who is on a wire, at which settings; what is wrong with it; and tables for site.toml, ready to paste."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from siteward.cli.errors import CommandFailed
from siteward.cli.paint import Grid, Part, Screen
from siteward.cli.paths import Paths
from siteward.cli.wires import Care, Plant, care, expected, find_line, instead_of_core, live_core, refuse_cores_line
from siteward.model.errors import ConfigError
from siteward.model.site import Parity
from siteward_drivers.errors import LinkDown
from siteward_drivers.links import open_link
from siteward_drivers.protocol_probes import PROTOCOL_PROBES
from siteward_drivers.scan import Book, Found, Scan
from siteward_drivers.scan_plan import (
    ALL_UNITS,
    LIKELY_UNITS,
    Attempt,
    ScanPlan,
    Setting,
    likely_settings,
    settings,
    wide_settings,
)
from siteward_drivers.scan_run import ScanRunner
from siteward_drivers.scan_site import site_tables
from siteward_drivers.scan_words import Finding, findings

_GATEWAY = "rtu+tcp://"
_WHOLE = 1000

Confirm = Callable[[str], bool]
"""Asks a person; True means go on."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for on the command line; empty choices mean the usual ones."""

    target: str
    wide: bool = False
    units: tuple[int, ...] = ()
    bauds: tuple[int, ...] = ()
    parities: tuple[Parity, ...] = ()
    answer_s: float = 0.1
    chargers: bool = False


def scan(paths: Paths, plant: Plant, screen: Screen, wish: Wish, confirm: Confirm) -> int:
    """Scan a wire; 1 when nothing was found or something is wrong. Raises CommandFailed when it must not be scanned."""
    line = find_line(plant.site, wish.target)
    port = line.port if line is not None else wish.target
    _judge_port(port)
    refuse_cores_line(asyncio.run(live_core(paths)), port)
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
            if confirm(f"nothing found; try everything else too? It takes {_minutes(wider.silent_s())}."):
                plan = wider
                complete = _run(screen, port, plan, book, plant)
    told = findings(book, plan, expected(plant.site, line) if complete else None)
    name = line.id if line is not None else _name(port)
    tables = site_tables(book, port, name, plant.profiles, serial="://" not in port)
    if screen.as_json:
        screen.data(_report(port, book, told, complete, tables))
    else:
        screen.show(_page(port, book, told, complete))
        screen.text(f"\n{tables}" if tables else "")
    return 0 if complete and book.proven() and not any(finding.wrong for finding in told) else 1


def make_plan(wish: Wish, port: str, heed: Care, wide: bool) -> ScanPlan:
    """The plan for a wish: the likely settings, all of them, or those named; a gateway has only its own."""
    chosen = wide_settings() if wide else likely_settings()
    if wish.bauds or wish.parities:
        every = wide_settings()
        bauds = wish.bauds or tuple(dict.fromkeys(setting.baud for setting in every))
        chosen = settings(bauds, wish.parities or tuple(dict.fromkeys(setting.parity for setting in every)))
    if "://" in port:
        chosen = (Setting(),)
    return ScanPlan(
        chosen,
        wish.units or (ALL_UNITS if wide else LIKELY_UNITS),
        wish.units or ALL_UNITS,
        wish.answer_s,
        heed.units,
        () if "://" in port else PROTOCOL_PROBES,
        only=bool(wish.bauds or wish.parities),
    )


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
    return f"This reads on {port} for {_minutes(plan.silent_s())}; nobody else may use the wire.{care_text} Go on?"


def _minutes(seconds: float) -> str:
    return f"about {seconds:.0f} s" if seconds < 100 else f"about {seconds / 60:.0f} min"


def _run(screen: Screen, port: str, plan: ScanPlan, book: Book, plant: Plant) -> bool:
    """Perform a plan; False when a person broke it off. Raises CommandFailed when the port cannot be had."""
    with screen.progress(f"scan {port}", _WHOLE) as step:
        began_s: float | None = None

        def told(attempt: Attempt) -> None:
            nonlocal began_s
            now_s = asyncio.get_running_loop().time()
            began_s = now_s if began_s is None else began_s
            spent_s = now_s - began_s
            left = f"{attempt.setting}, {attempt.what}, {len(book.found)} found, {_minutes(attempt.left_s)} left"
            step(round(_WHOLE * spent_s / max(spent_s + attempt.left_s, 0.1)), left)

        runner = ScanRunner(lambda setting: open_link(setting.line(port)), told)
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


def _page(port: str, book: Book, told: tuple[Finding, ...], complete: bool) -> list[Part]:
    rows = [_row(book, found) for setting in book.proven() for found in book.at(setting)]
    rows += [(str(s), stranger.address, f"{stranger.protocol}: {stranger.text}", "") for s, stranger in book.strangers]
    proven = ", ".join(str(setting) for setting in book.proven()) or "no setting"
    parts: list[Part] = [f"{port}: {len(rows)} devices at {proven}, {book.calls} calls"]
    if not complete:
        parts.append("BROKEN OFF: this is what was found until then")
    if rows:
        parts.append(Grid("", ("setting", "unit", "answers like", "remark"), rows, frozenset({"unit"})))
    for finding in told:
        mark = "WRONG" if finding.wrong else "note"
        parts += [f"{mark}: {finding.text.en}", f"      {finding.text.zh}"]
    return parts


def _row(book: Book, found: Found) -> tuple[str, str, str, str]:
    clashes = (found.setting, found.unit) in book.clashing
    likely = found.likeness.profiles if found.likeness is not None else ("two at once" if clashes else "not asked",)
    remarks = ["slow"] if found.late else []
    remarks += ["number taken twice?"] if clashes else []
    return str(found.setting), str(found.unit), " or ".join(likely) or "unknown", ", ".join(remarks)


def _report(port: str, book: Book, told: tuple[Finding, ...], complete: bool, tables: str) -> dict[str, Any]:
    return {
        "port": port,
        "complete": complete,
        "calls": book.calls,
        "devices": [_device(book, found) for setting in book.proven() for found in book.at(setting)],
        "strangers": [
            {"protocol": s.protocol, "address": s.address, "text": s.text, **_setting(setting)}
            for setting, s in book.strangers
        ],
        "findings": [
            {"code": f.code, "wrong": f.wrong, "units": f.units, "text": f.text.en, "text_zh": f.text.zh} for f in told
        ],
        "site_toml": tables,
    }


def _device(book: Book, found: Found) -> dict[str, Any]:
    likeness = found.likeness
    return {
        "unit": found.unit,
        **_setting(found.setting),
        "profiles": likeness.profiles if likeness is not None else (),
        "certain": likeness.certain if likeness is not None else False,
        "slow": found.late,
        "duplicate": (found.setting, found.unit) in book.clashing,
    }


def _setting(setting: Setting) -> dict[str, Any]:
    return {"baud": setting.baud, "parity": str(setting.parity), "stop_bits": setting.stop_bits}


def parse_units(text: str) -> tuple[int, ...]:
    """Units of a text such as `1-32,100`. Raises CommandFailed."""
    units: list[int] = []
    try:
        for part in text.split(","):
            first, dash, last = part.partition("-")
            units += range(int(first), int(last if dash else first) + 1)
    except ValueError as error:
        raise CommandFailed(f"{text!r} names no units", "write them as 1-32,100", "BAD_UNITS") from error
    if not units or not set(units) <= set(ALL_UNITS):
        raise CommandFailed(f"{text!r} names no units", "units are 1 to 247", "BAD_UNITS")
    return tuple(dict.fromkeys(units))


_PORT_ADVICE = (
    "is the adapter plugged in (see /dev/serial/by-path), does another program have it open, may your user open it "
    "(group dialout)?"
)

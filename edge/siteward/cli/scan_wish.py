"""What a person asked a scan for, and the plan that follows from it."""

from dataclasses import dataclass, replace

from siteward.cli.errors import CommandFailed
from siteward.cli.wires import Care
from siteward.model.site import Parity
from siteward_drivers.protocol_probes import PROTOCOL_PROBES
from siteward_drivers.scan_plan import (
    ALL_UNITS,
    LIKELY_UNITS,
    ScanPlan,
    Setting,
    likely_settings,
    settings,
    wide_settings,
)


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


def service_plan(wish: Wish, home: Setting, behind_gateway: bool) -> ScanPlan:
    """The plan for a wire in service: its own setting, unless others were asked for; none of them by other protocols
    but where they were asked for too, since their calls keep the wire for longest.
    """
    asked = make_plan(wish, "rtu+tcp://" if behind_gateway else "", Care(), wish.wide)
    foreign = not behind_gateway and (wish.wide or bool(wish.bauds or wish.parities))
    chosen = asked.settings if foreign else (home,)
    return replace(
        asked,
        settings=tuple(dict.fromkeys((home, *chosen))) if wish.wide else chosen,
        sound=wish.units or LIKELY_UNITS,
        protocols=asked.protocols if foreign else (),
        only=asked.only or not foreign,
    )


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

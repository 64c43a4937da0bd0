"""One turn of one metered feeder, laid out by hand."""

from __future__ import annotations

from dataclasses import replace

from siteward.control.base import judge_base
from siteward.control.memory import NEVER, NodeWatch, Watch
from siteward.control.work import Work
from siteward.model.ids import MeterId
from siteward.model.readings import MeterReading
from siteward.model.site import Feeder
from siteward.model.units import PerPhase
from tests.siteward.control.bench import AT, lay_site, watch
from tests.siteward.control.sites import Box, feeder, site

METER = MeterId("m-grid")
ZERO: PerPhase = (0.0, 0.0, 0.0)
REFRESH_S = 0.2
GRID = feeder("grid", 63.0, worst=40.0, metered=True)
LISTS = ("base_cut", "base_raise", "base_last", "over_meter", "frozen", "grace")


def three(amps: float) -> PerPhase:
    """The same on each phase."""
    return (amps, amps, amps)


def row(ago_s: float, base: float | PerPhase, known: float = 0.0, load: float | None = None, cut: float | None = None):  # type: ignore[no-untyped-def]
    """A reading as remembered: other load, what the chargers drew, what the meter showed, other load for cuts."""
    bases = base if isinstance(base, tuple) else three(base)
    loads = three(bases[0] + known if load is None else load)
    return (AT - ago_s, bases, three(known), loads, bases if cut is None else three(cut))


def node(*rows: object, age_s: float = 0.5, **more: object) -> NodeWatch:
    """A feeder whose meter was asked so long ago."""
    window = tuple(rows) or (row(age_s, 10.0),)
    known: dict[str, object] = {"meter_at": AT - age_s, "load_a": window[-1][3], "window": window, "known": (0,)}  # type: ignore[index]
    return NodeWatch(**(known | {"known_from": NEVER} | more))  # type: ignore[arg-type]


def reading(load: float | PerPhase, ago_s: float = 0.1, **more: object) -> MeterReading:
    """An answer of the meter; volts and frequency differ each time."""
    loads = load if isinstance(load, tuple) else three(load)
    return MeterReading(METER, AT - ago_s, loads, **({"voltage_v": three(230.0), "frequency_hz": 50.0} | more))  # type: ignore[arg-type]


def judged(
    n: NodeWatch | None = None,
    answer: MeterReading | None = None,
    seen: Watch | None = None,
    grid: Feeder = GRID,
    box: Box | None = None,
    range_a: float | None = None,
) -> Work:
    """One turn of a grid with one box."""
    built = site([grid], [box or Box()])
    if range_a is not None:
        meter = built.meters[0]
        built = replace(built, meters=(replace(meter, facts=replace(meter.facts, range_a=range_a)),))
    work = lay_site(built, [seen or watch(0.0, measured_a=ZERO)])
    for name in LISTS:
        setattr(work, name, [])
    work.nodes = [n or NodeWatch()]
    work.snapshot = replace(work.snapshot, meters={} if answer is None else {METER: answer})
    judge_base(work)
    assert {len(getattr(work, name)) for name in LISTS[:4]} == {3}
    assert {len(getattr(work, name)) for name in LISTS[4:]} == {1}
    return work

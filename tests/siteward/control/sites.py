"""Small sites for the tests of the load turn."""

from __future__ import annotations

from dataclasses import dataclass

from siteward.model.facts import (
    BootFacts,
    ChargerFacts,
    FailsafeFacts,
    LimitFacts,
    MeterFacts,
    OnExpiry,
    Readback,
    ResetBy,
)
from siteward.model.ids import ChargerId, ConnectorId, FeederId, LineId, MeterId, SiteId
from siteward.model.site import Charger, Connector, Feeder, Line, Meter, Priority, Site
from siteward.model.units import PerPhase, Phase

METER = MeterFacts("sim_meter", refresh_s=0.2, window_s=0.5, range_a=None, bills_energy=True)


@dataclass(frozen=True)
class Box:
    """What a test says of a charger; the rest is usual."""

    feeder: str = "grid"
    wiring: str = "123"
    line: str = "bus"
    max_a: float = 32.0
    hw_a: float = 32.0
    fs_a: float = 6.0
    tw_s: float | None = 15.0
    reset_by: ResetBy = ResetBy.ANY_REQUEST
    boot_a: float | None = 6.0
    hold_s: float | None = 15.0
    watchdog_at_start: bool = True
    step_a: float = 0.1
    readback: Readback = Readback.ECHO
    measures: bool = True
    priority: Priority = Priority.NORMAL
    persists: bool = True
    phase_switching: bool = False
    switches_phases: bool = True


def facts(box: Box) -> ChargerFacts:
    """Profile facts of a box."""
    failsafe = None
    if box.tw_s is not None:
        failsafe = FailsafeFacts(box.tw_s, 0.0, box.reset_by, OnExpiry.FAILSAFE, True, box.persists)
    return ChargerFacts(
        profile="sim_box",
        rated_a=box.hw_a,
        limit=LimitFacts(6.0, box.hw_a, box.step_a, box.readback, 0.2, 5.0),
        failsafe=failsafe,
        boot=BootFacts(box.boot_a, box.hold_s, box.watchdog_at_start),
        measures_current=box.measures,
        measure_lag_s=0.2,
        pwm_s=1.0,
        bills_energy=False,
        common_mode=False,
        switches_phases=box.switches_phases,
    )


def feeder(
    name: str,
    rating: float | PerPhase,
    parent: str | None = None,
    worst: float | PerPhase = 0.0,
    metered: bool = False,
    generation: bool = False,
) -> Feeder:
    """A node; chargers_only where it has no other load."""
    ratings, worsts = _three(rating), _three(worst)
    return Feeder(
        FeederId(name),
        name,
        None if parent is None else FeederId(parent),
        ratings,
        MeterId(f"m-{name}") if metered else None,
        worsts,
        chargers_only=max(worsts) == 0.0,
        generation=generation,
    )


def _three(amps: float | PerPhase | list[float]) -> PerPhase:
    """One number stands for three phases; golden files write a list."""
    if isinstance(amps, list | tuple):
        return (amps[0], amps[1], amps[2])
    return (amps, amps, amps)


def site(feeders: list[Feeder], boxes: list[Box]) -> Site:
    """A site of these feeders, with boxes c00, c01, ... in order."""
    chargers = []
    for i, box in enumerate(boxes):
        name = f"c{i:02d}"
        connector = Connector(
            ConnectorId(name),
            ChargerId(name),
            FeederId(box.feeder),
            "type2",
            1,
            tuple(Phase(f"L{p}") for p in box.wiring),
            box.max_a,
            box.hw_a,
            box.fs_a,
            box.priority,
            None,
            facts(box),
            box.phase_switching,
        )
        chargers.append(Charger(ChargerId(name), LineId(box.line), i + 1, "sim_box", (connector,)))
    lines = tuple(Line(LineId(name), f"/dev/{name}") for name in sorted({b.line for b in boxes}))
    meters = tuple(
        Meter(f.meter, LineId("meters"), i + 1, "sim_meter", METER) for i, f in enumerate(feeders) if f.meter
    )
    return Site(SiteId("test"), "test", "UTC", 230.0, lines, meters, tuple(feeders), tuple(chargers))

"""Many devices behind sockets are polled in bursts, few are spread out, and nobody is late (goal 8, R3b, B24)."""

import asyncio
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import cast

import pytest

from siteward.model.facts import MeterFacts
from siteward.model.ids import FeederId, LineId, MeterId, SiteId
from siteward.model.ports import Lines
from siteward.model.readings import MeterReading
from siteward.model.site import Feeder, Line, Meter, Site
from siteward.runtime.poller import BILLING_METER_PERIOD_S, LIMIT_METER_PERIOD_S, Poller
from siteward.runtime.ticks import TICK_S
from siteward_drivers.sim.virtual import VirtualClock, run_virtual

FACTS = MeterFacts("any", 1.0, 1.0, None, False)


@dataclass
class Polled:
    """A meter that answers at once and notes when it was asked."""

    id: MeterId
    clock: VirtualClock
    at: list[float] = field(default_factory=list)

    async def read(self) -> MeterReading:
        self.at.append(self.clock.now())
        await asyncio.sleep(0.004)
        return MeterReading(self.id, self.at[-1])


@dataclass
class Wires:
    """Lines as the poller sees them."""

    meters: Sequence[Polled]
    chargers: Sequence[object] = ()


def site_of(count: int, port: str, guards: bool = True) -> Site:
    lines = tuple(Line(LineId(f"l{n}"), f"{port}{n}") for n in range(count))
    meters = tuple(Meter(MeterId(f"m{n}"), line.id, 1, "any", FACTS) for n, line in enumerate(lines))
    feeders = tuple(Feeder(FeederId(m.id), "", None, (63, 63, 63), m.id, (0, 0, 0)) for m in meters if guards)
    return Site(SiteId("s"), "s", "UTC", 230, lines, meters, feeders, ())


def polls(count: int, port: str, guards: bool = True, seconds: float = 10.0, jump_s: float = 0.0) -> list[list[float]]:
    """When each of so many meters, of fuses or not, was polled; the wall clock is set half-way."""

    async def main(clock: VirtualClock) -> list[list[float]]:
        wires = Wires([Polled(MeterId(f"m{n}"), clock) for n in range(count)])
        poller = Poller(site_of(count, port, guards), cast("Lines", wires), clock, lambda over: None)
        tasks = [asyncio.ensure_future(task) for task in poller.tasks()]
        await clock.sleep(seconds / 2)
        clock.jump_wall(jump_s)
        await clock.sleep(seconds / 2)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        return [meter.at for meter in wires.meters]

    return run_virtual(main)


@pytest.mark.parametrize(
    ("count", "port", "instants"),
    [(100, "tcp://10.0.0.9:", 11), (99, "tcp://10.0.0.9:", 50), (100, "/dev/ttyS", 50)],
    ids=["many sockets", "fewer sockets", "serial"],
)
def test_only_many_devices_behind_sockets_share_their_instants(count: int, port: str, instants: int) -> None:
    """Goal 8: caches are warm for the second poll of a burst; a serial wire gains nothing from a queue."""
    times = polls(count, port)
    steady = {round((at % LIMIT_METER_PERIOD_S) / TICK_S) for each in times for at in each[2:]}
    assert instants - 1 <= len(steady) <= instants


@pytest.mark.parametrize("count", [60, 130])
def test_nobody_is_polled_late_or_twice(count: int) -> None:
    """R3b: a burst takes its devices along early, once, and from then on at their period."""
    for each in polls(count, "tcp://10.0.0.9:"):
        assert 9 <= len(each) <= 12
        steps = [later - earlier for earlier, later in pairwise(each)]
        assert max(steps) <= LIMIT_METER_PERIOD_S + 1e-6
        assert min(steps[1:]) >= LIMIT_METER_PERIOD_S - 0.1 - 1e-6


@pytest.mark.parametrize("jump_s", [0.0, 1234.5])
def test_every_meter_that_bills_is_read_near_every_whole_minute(jump_s: float) -> None:
    """B24: there prices change; a clock that was set moves the reads along, and none of them comes late."""
    start_s = 1000.0
    for each in polls(40, "/dev/ttyS", guards=False, seconds=620.0, jump_s=jump_s):
        gaps = [later - earlier for earlier, later in pairwise(each)]
        assert max(gaps) <= BILLING_METER_PERIOD_S + 0.5 + TICK_S
        assert statistics.mean(gaps) >= BILLING_METER_PERIOD_S - 0.1
        walls = [at - start_s + (jump_s if at >= start_s + 310.0 else 0.0) for at in each]
        for minute in (*range(60, 310, 60), *(int((310 + jump_s) // 60 + n) * 60 for n in range(1, 5))):
            assert min(abs(wall - minute) for wall in walls) <= 1.7, minute


def test_meters_that_bill_are_not_all_read_at_once() -> None:
    """Goal 8: a wire of forty has more than three seconds for them."""
    times = polls(40, "/dev/ttyS", guards=False, seconds=60.0)
    assert len({round(each[-1] / TICK_S) for each in times}) == 40

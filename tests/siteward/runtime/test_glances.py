"""Looks between polls: only where a fuse is within reach, and only what is above it and new is told (goal 7)."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from siteward.control.load import FeederBook
from siteward.model.errors import DeviceUnreachable
from siteward.model.ids import FeederId, MeterId
from siteward.model.readings import ChargerReading, MeterReading
from siteward.runtime.glances import Glances
from siteward.runtime.reach import Reach
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.fixtures.sites import two_connector_site

METER = MeterId("grid-meter")
GRID = FeederId("grid")


class Shown:
    """A meter that shows what the test says; a None is a lost answer."""

    def __init__(self, clock: VirtualClock, amps: Iterator[float | None]) -> None:
        self.id = METER
        self.looks = 0
        self._clock, self._amps = clock, amps

    async def glance(self) -> MeterReading:
        self.looks += 1
        amps = next(self._amps)
        if amps is None:
            raise DeviceUnreachable("lost")
        return MeterReading(METER, self._clock.now(), (amps, 1.0, 1.0))


def told(amps: list[float | None], refresh_s: float = 0.5, seconds: float = 10.0) -> tuple[list[float], int]:
    """What control is told of such glances after a poll that showed 60 A (the rating is 63 A) and how many came."""

    async def main(clock: VirtualClock) -> tuple[list[float], int]:
        heard: list[float] = []
        meter = Shown(clock, iter([*amps, *[10.0] * 10_000]))

        def take(reading: MeterReading) -> None:
            assert reading.voltage_v == (230.0, 230.0, 230.0), "what a glance does not show stays as polled"
            assert reading.current_a is not None
            heard.append(reading.current_a[0])

        glances = Glances(meter, (63.0, 63.0, 63.0), refresh_s, clock, take)
        task = asyncio.create_task(glances.run())
        glances.polled(MeterReading(METER, clock.now(), (60.0, 1.0, 1.0), (230.0, 230.0, 230.0)))
        await asyncio.sleep(1.0)
        assert meter.looks == 0, "nobody asked for glances yet"
        glances.want(True)
        await asyncio.sleep(seconds)
        looks = meter.looks
        glances.want(False)
        await asyncio.sleep(1.0)
        assert meter.looks <= looks + 1
        task.cancel()
        return heard, looks

    return run_virtual(main)


@pytest.mark.parametrize(
    ("amps", "heard"),
    [
        ([61.0, 62.9, 20.0], []),
        ([64.0, 64.0, 64.0], [64.0]),
        ([64.0, 64.3, 66.0], [64.0, 66.0]),
        ([64.0, 50.0, 64.0], [64.0, 64.0]),
        ([64.0, 63.8, 63.6], [64.0]),
        ([None, 64.0], [64.0]),
    ],
)
def test_only_what_is_above_the_rating_and_higher_than_known_is_told(amps, heard):
    """Goal 7, R10, I3: control counts readings and compares whole ones, so that glances must not look like polls."""
    assert told(amps)[0] == heard


def test_a_slow_meter_is_not_looked_at_for_nothing():
    """Goal 14: a glance ages the values by a tenth of the meter's own refresh at most, and comes no more often."""
    assert told([], refresh_s=2.0)[1] == pytest.approx(10.0 / 0.2, abs=1)
    assert told([], refresh_s=0.5)[1] == pytest.approx(10.0 / 0.05, abs=1)


def test_after_a_lost_glance_the_wire_is_left_alone_for_a_second():
    """R16: a meter that does not answer must not eat the wire by its glances."""
    assert told([None] * 10_000)[1] == 10


@pytest.mark.parametrize(
    ("reserved", "measured", "within"),
    [(50.0, 10.0, True), (43.0, 10.0, False), (50.0, 0.3, False), (50.0, None, False)],
)
def test_a_fuse_is_within_reach_where_somebody_draws_and_the_worst_would_not_fit(reserved, measured, within):
    """Goal 14, R18: 63 A with at most 20 A of other load; what fits with all of that needs no second look."""
    site = two_connector_site()
    book = FeederBook((reserved,) * 3, (5.0,) * 3, (30.0,) * 3, 0.2)
    names = [connector.id for connector in site.connectors]
    amps = None if measured is None else (measured,) * 3
    readings = {names[1]: ChargerReading(names[1], 1.0, measured_a=amps)}
    found = Reach(site).within({GRID: book}, readings)
    assert found == ({METER} if within else frozenset())
    charging = {names[1]: replace(readings[names[1]], charging=True, measured_a=None)}
    assert bool(Reach(site).within({GRID: book}, charging)) is (reserved > 43.0), "no meter of its own: it may draw"
    assert Reach(site).within({}, readings) == frozenset()

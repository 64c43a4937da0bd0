"""Turn.md step 9, faults 24 and 27: a whole station opens the switch above a charger that no stop reaches."""

from dataclasses import replace
from pathlib import Path

import pytest

from siteward.model.alarms import AlarmCode
from siteward.model.ids import ConnectorId, FeederId
from siteward.model.points import PointName
from siteward.model.requests import CommandName
from siteward.model.site import Site
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.faults import Ignores
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.fixtures.station import VirtualStation
from tests.siteward_drivers.inout import io_site

GRID = FeederId("grid")


def site() -> Site:
    """Two chargers below a shunt release on the eighth relay, beside a gate and a lock."""
    built = io_site()
    feeders = tuple(replace(f, trip=PointName("ways.relay_8")) if f.id == GRID else f for f in built.feeders)
    return replace(built, feeders=feeders)


def alarms(station: VirtualStation) -> set[AlarmCode]:
    """What stands."""
    live = station.station.live
    assert live is not None
    return {alarm.code for alarm in live.alarms}


async def stop(station: VirtualStation, name: ConnectorId) -> None:
    """Stop the session of a connector."""
    live = station.station.live
    assert live is not None
    session = next(c.session for c in live.connectors if c.id == name)
    assert session is not None
    await station.ask(CommandName.STOP_CHARGE, name, sessionId=session.id)


@pytest.mark.station
@pytest.mark.parametrize("frames", [False, True], ids=["ports", "frames"])
def test_two_chargers_that_ignore_their_stop_are_switched_off_above(tmp_path: Path, frames: bool) -> None:
    """The relay closes for a second, the current ends, the fuse holds; nothing is switched on again by itself."""

    async def story(clock: VirtualClock) -> None:
        station = VirtualStation(clock, tmp_path, site=site(), frames=frames)
        await station.start(drivers=False)
        await station.run_for(10.0)
        bad = [c.id for c in station.site.connectors]
        for name in bad:
            station.sim.world.plug(name, Car(f"car at {name}", capacity_wh=60_000.0, soc=0.2))
            await station.ask(CommandName.START_CHARGE, name)
        await station.run_for(60.0)
        assert max(station.sim.truth().feeder(GRID).current_a) > 10.0
        for name in bad:
            station.sim.charger(name).faults.ignores = Ignores.EFFECT
            await stop(station, name)
        await station.run_for(60.0)
        truth = station.sim.truth()
        assert max(truth.feeder(GRID).current_a) == 0.0
        assert AlarmCode.FEEDER_TRIPPED in alarms(station)
        assert not truth.trips
        await station.run_for(120.0)
        assert max(station.sim.truth().feeder(GRID).current_a) == 0.0
        await station.stop()

    run_virtual(story)


@pytest.mark.station
def test_nothing_is_switched_off_for_a_charger_that_obeys_its_stop(tmp_path: Path) -> None:
    """A trip is the last means: the usual stop leaves its relay alone."""

    async def story(clock: VirtualClock) -> None:
        station = VirtualStation(clock, tmp_path, site=site(), frames=True)
        await station.start(drivers=False)
        await station.run_for(10.0)
        name = station.site.connectors[0].id
        station.sim.world.plug(name, Car("car", capacity_wh=60_000.0, soc=0.2))
        await station.ask(CommandName.START_CHARGE, name)
        await station.run_for(60.0)
        await stop(station, name)
        await station.run_for(60.0)
        assert AlarmCode.FEEDER_TRIPPED not in alarms(station)
        assert not station.sim.world.nodes[GRID].dead
        assert not station.sim.boards["ways"].is_on("relay_8")
        await station.stop()

    run_virtual(story)

"""S-30, S-67: a station in virtual time against the simulator's truth: its quarters and its report are the world's."""

from datetime import datetime
from pathlib import Path

import pytest

from siteward.model.events import EventType
from siteward.model.ids import ConnectorId
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.fixtures.station import VirtualStation

CARS = {"A01-1": 0.3, "A02-1": 0.5, "B01-1": 0.2, "C01-1": 0.4}


@pytest.mark.station
def test_quarters_of_a_feeder_are_the_energy_that_flowed(tmp_path: Path) -> None:
    """S-30: sessions and feeder, counted apart, agree with what the cars really got."""

    async def story(clock: VirtualClock) -> None:
        station = VirtualStation(clock, tmp_path)
        truth: list[tuple[datetime, float]] = []
        station.watchers.append(lambda done: truth.append((done.snapshot.wall, station.sim.truth().delivered_wh)))
        await station.start()
        for connector, soc in CARS.items():
            car = Car(name=connector, capacity_wh=60_000.0, soc=soc, max_a=16.0, phases=3)
            station.sim.world.plug(ConnectorId(connector), car)
        await station.run_for(4 * 900.0)
        grid = [dict(f.data) for f in station.journal.facts if f.type is EventType.ENERGY_RECONCILED]
        grid = [data for data in grid if data["feeder"] == station.site.feeders[0].id]
        grid = [data for data in grid if data["feeder_wh"] is not None]
        assert len(grid) >= 2, "the first one began before any meter had answered"
        for data in grid:
            begin, end = (datetime.fromisoformat(str(data[key])) for key in ("begin", "end"))
            flowed = next(wh for at, wh in truth if at >= end) - next(wh for at, wh in truth if at >= begin)
            assert flowed > 2000.0
            assert abs(int(str(data["sessions_wh"])) - flowed) <= 0.01 * flowed + 30.0, (data, flowed)
            assert int(str(data["feeder_wh"])) >= flowed - 0.01 * flowed - 30.0
            assert data["driftPercent"] == 0.0, data
        await station.stop()

    run_virtual(story)

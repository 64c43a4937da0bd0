"""The whole station in seeded virtual hours: true fuses judge, and the bound of R1 and R13 on every turn."""

from pathlib import Path

import pytest

from siteward_drivers.sim.scenario import ArrivalPlan, BaseLoadPlan, Scenario
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.fixtures.bounds import BoundWatch
from tests.fixtures.station import VirtualStation

CROWD = Scenario(
    base_load=BaseLoadPlan(share=(0.1, 1.0), step_s=20.0),
    arrivals=ArrivalPlan(first_s=(2.0, 60.0), free_s=(20.0, 200.0), stay_s=(200.0, 2000.0)),
    fuses_blow=False,
)
"""Everybody comes at once and other load uses all that it may (R18)."""


@pytest.mark.parametrize(("seed", "hours", "frames"), [(11, 0.5, False), (12, 0.5, False), (13, 0.15, True)])
def test_r1_r13_no_raise_ever_leaves_the_bound_and_no_fuse_trips(tmp_path: Path, seed, hours, frames):
    async def story(clock: VirtualClock) -> None:
        station = VirtualStation(clock, tmp_path, scenario=CROWD, seed=seed, frames=frames)
        watch = BoundWatch(station.site)
        station.watchers.append(watch)
        await station.start()
        await station.run_for(hours * 3600)
        truth = station.sim.truth()
        await station.stop()
        assert watch.broken == []
        assert watch.raises > 20, "the crowd must make the station raise, else this proves nothing"
        assert truth.trips == ()
        assert truth.longest_over_s <= 10.0
        assert truth.delivered_wh > 10_000 * hours

    run_virtual(story)

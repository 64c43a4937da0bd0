"""S-06, S-32, S-69: every charger profile at once under the real controller, with and without frames."""

from pathlib import Path

import pytest

from siteward.model.events import EventType
from siteward.model.site import Site
from siteward.runtime.turn import TurnDone
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.scenario import ArrivalPlan, BaseLoadPlan, Scenario
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.fixtures.fleet import fleet
from tests.fixtures.station import PROFILES, VirtualStation

CROWD = Scenario(
    base_load=BaseLoadPlan(share=(0.1, 1.0), step_s=20.0),
    arrivals=ArrivalPlan(first_s=(2.0, 60.0), free_s=(60.0, 200.0), stay_s=(300.0, 900.0)),
    fuses_blow=False,
)


def everything() -> Site:
    """One of each, on a fuse that makes them share."""
    return fleet(PROFILES.names("charger"), 12.0)


@pytest.mark.parametrize("frames", [True, False])
def test_every_charger_profile_charges_and_none_breaks_the_fuse(tmp_path: Path, frames: bool) -> None:
    """I4, R8: each watchdog is verified, each car gets energy, and the fuse never stands over its rating for long."""
    verified: set[str] = set()

    def watch(done: TurnDone) -> None:
        verified.update(connector for connector, grant in done.decision.grants.items() if grant.verified)

    async def story(clock: VirtualClock) -> None:
        station = VirtualStation(clock, tmp_path, site=everything(), scenario=CROWD, seed=5, frames=frames)
        station.watchers.append(watch)
        await station.start()
        await station.run_for(600)
        truth = station.sim.truth()
        await station.stop()
        guarded = {c.id for c in station.site.connectors if c.facts.failsafe is not None}
        assert guarded - verified == set()
        idle = [c.connector for c in truth.connectors if c.energy_wh < 200]
        assert idle == []
        assert truth.trips == ()
        assert truth.longest_over_s <= 10.0

    run_virtual(story)


@pytest.mark.parametrize("frames", [True, False])
def test_no_charger_is_accused_of_a_pause_that_it_cannot_show_without_a_car(tmp_path: Path, frames: bool) -> None:
    """Fault 21, R5: nothing is read back wrong before the first car, nor after the last one, of any profile."""

    async def story(clock: VirtualClock) -> None:
        station = VirtualStation(clock, tmp_path, site=everything(), seed=5, frames=frames)
        await station.start()
        await station.run_for(60)
        names = [c.id for c in station.site.connectors]
        for name in names:
            station.sim.world.plug(name, Car(name=name, max_a=16.0, phases=3))
        await station.run_for(240)
        drew = {c.connector for c in station.sim.truth().connectors if c.energy_wh > 0.0}
        for name in names:
            station.sim.world.unplug(name)
        await station.run_for(60)
        await station.stop()
        assert drew == set(names)
        raised = [f.data for f in station.journal.facts if f.type is EventType.ALARM_RAISED]
        assert [d for d in raised if d["code"] in ("CHARGER_DISOBEYS", "FOREIGN_WRITE")] == []

    run_virtual(story)

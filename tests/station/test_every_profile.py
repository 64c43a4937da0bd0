"""S-06, S-32, S-69: every charger profile at once under the real controller, with and without frames."""

from pathlib import Path

import pytest

from siteward.model.events import EventType
from siteward.model.ids import ChargerId, ConnectorId, FeederId, LineId, MeterId, SiteId
from siteward.model.site import Charger, Connector, Feeder, Line, Meter, Priority, Site
from siteward.model.units import Phase
from siteward.runtime.turn import TurnDone
from siteward_drivers.profile_schema import Transport
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.scenario import ArrivalPlan, BaseLoadPlan, Scenario
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.fixtures.station import PROFILES, VirtualStation

CROWD = Scenario(
    base_load=BaseLoadPlan(share=(0.1, 1.0), step_s=20.0),
    arrivals=ArrivalPlan(first_s=(2.0, 60.0), free_s=(60.0, 200.0), stay_s=(300.0, 900.0)),
    fuses_blow=False,
)
GRID, METER = FeederId("grid"), MeterId("grid-meter")
FAILSAFE_A = 8.0


def fleet() -> Site:
    """One charger of each profile, each on a wire of its own, behind one fuse."""
    lines = [Line(LineId("meter"), "/dev/meter", 9600)]
    chargers = []
    for name in PROFILES.names("charger"):
        wire = PROFILES[name].file.wire
        serial = wire.serial if wire.transports[0] is Transport.RTU else None
        port = f"tcp://{name.replace('_', '-')}:502" if serial is None else f"/dev/{name}"
        lines.append(Line(LineId(name), port, serial.baud if serial is not None else 9600))
        chargers.append(Charger(ChargerId(name), LineId(name), wire.unit, name, (outlet(name),)))
    meter = PROFILES.meter("eastron_sdm630")
    assert meter is not None
    limit_a = 12.0 * len(chargers)
    grid = Feeder(GRID, "Grid", None, (limit_a, limit_a, limit_a), METER, (20.0, 20.0, 20.0))
    meters = (Meter(METER, LineId("meter"), 1, "eastron_sdm630", meter),)
    return Site(SiteId("fleet"), "Fleet", "UTC", 230.0, tuple(lines), meters, (grid,), tuple(chargers))


def outlet(profile: str) -> Connector:
    """An outlet of 16 A, whatever its charger could do."""
    facts = PROFILES.charger(profile)
    assert facts is not None
    return Connector(
        id=ConnectorId(f"{profile}-1"),
        charger=ChargerId(profile),
        feeder=GRID,
        type="type2",
        channel=1,
        wiring=(Phase.L1, Phase.L2, Phase.L3),
        max_a=16.0,
        hardware_max_a=16.0,
        failsafe_a=FAILSAFE_A,
        priority=Priority.NORMAL,
        meter=None,
        facts=facts,
    )


@pytest.mark.parametrize("frames", [True, False])
def test_every_charger_profile_charges_and_none_breaks_the_fuse(tmp_path: Path, frames: bool) -> None:
    """I4, R8: each watchdog is verified, each car gets energy, and the fuse never stands over its rating for long."""
    verified: set[str] = set()

    def watch(done: TurnDone) -> None:
        verified.update(connector for connector, grant in done.decision.grants.items() if grant.verified)

    async def story(clock: VirtualClock) -> None:
        station = VirtualStation(clock, tmp_path, site=fleet(), scenario=CROWD, seed=5, frames=frames)
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
        station = VirtualStation(clock, tmp_path, site=fleet(), seed=5, frames=frames)
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

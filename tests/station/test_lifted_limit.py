"""Somebody, or a restart too short to be seen, lifts the limit of a charger: judged by what it then allows (R5, R8)."""

from pathlib import Path

import pytest

from siteward.model.alarms import AlarmCode
from siteward.model.ids import ConnectorId
from siteward.model.live import ConnectorView
from siteward_drivers.quantities import Quantity
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.fixtures.fleet import fleet
from tests.fixtures.station import PROFILES, VirtualStation

LIFTABLE = [p for p in PROFILES.names("charger") if PROFILES[p].charger.limit.no_limit_code is not None]
SEEN_S, REWRITTEN_S = 7.0, 20.0


def _view(station: VirtualStation, name: ConnectorId) -> ConnectorView:
    live = station.station.live
    assert live is not None
    return next(c for c in live.connectors if c.id == name)


def _lift(station: VirtualStation, profile: str, name: ConnectorId) -> None:
    """As an app or a restart would: the code for "no limit" in the register, nothing paused."""
    point = station.sim.points[name]
    code = PROFILES[profile].charger.limit.no_limit_code
    assert code is not None
    for condition in PROFILES[profile].charger.verbs.paused_when:
        point.held[condition.quantity] = 1 - condition.raw
    point.held[Quantity.CURRENT_LIMIT] = code
    point.refresh()
    station.sim.settle()


@pytest.mark.parametrize("frames", [True, False])
@pytest.mark.parametrize("profile", LIFTABLE)
def test_a_limit_that_was_lifted_is_booked_as_all_and_written_again(tmp_path: Path, profile: str, frames: bool) -> None:
    """R5, R8, law 5: the register then shows no current at all, which is not the last one."""

    async def story(clock: VirtualClock) -> None:
        station = VirtualStation(clock, tmp_path, site=fleet([profile], 48.0), frames=frames)
        name = station.site.connectors[0].id
        point = station.sim.points[name]
        await station.start()
        for plugged in (False, True):
            if plugged:
                station.sim.world.plug(name, Car("car", 80_000.0, soc=0.1, max_a=16.0))
                await station.run_for(10)
            await station.run_for(50)
            _lift(station, profile, name)
            assert point.allowed_a() == 16.0
            for _ in range(round(SEEN_S)):
                await station.run_for(1)
                if point.allowed_a() <= _view(station, name).grant.reserved_a + 0.06:
                    break
            assert point.allowed_a() <= _view(station, name).grant.reserved_a + 0.06
            await station.run_for(REWRITTEN_S)
            grant = _view(station, name).grant
            assert grant.confirmed_a is not None, "it reads a number again"
            assert point.allowed_a() <= grant.reserved_a + 0.06
            assert point.allowed_a() == 0.0 or plugged
            live = station.station.live
            assert live is not None
            assert (AlarmCode.FOREIGN_WRITE, name) in {(a.code, a.subject) for a in live.alarms}
            await station.run_for(70)
        assert max(station.sim.truth().connector(name).draw_a) >= 5.9
        await station.stop()

    run_virtual(story)

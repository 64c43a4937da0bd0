"""Things are taken away from the station, on byte-exact frames in virtual time (I3, I4, R2, R7, fault 28)."""

from pathlib import Path

import pytest

from siteward.model.alarms import AlarmCode
from siteward.model.ids import ConnectorId, LineId
from siteward.model.live import ConnectorView, LiveView
from siteward.model.requests import CommandName
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.faults import Shows
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.fixtures.station import VirtualStation

ROW_A = ("A01-1", "A02-1", "A03-1", "A04-1")
ROW_C = ("C01-1", "C01-2", "C01-3", "C01-4")


def a_car() -> Car:
    """A three-phase car that stays hungry for the whole test."""
    return Car(name="car", capacity_wh=80_000.0, soc=0.2, max_a=16.0, phases=3, react_s=2.0)


async def _busy(clock: VirtualClock, folder: Path) -> VirtualStation:
    """Every outlet charges a three-phase car and the station has settled."""
    station = VirtualStation(clock, folder, frames=True)
    for connector in station.site.connectors:
        station.sim.world.plug(connector.id, a_car())
    station.sim.base_step("grid", 20.0)
    await station.start()
    await station.run_for(180)
    assert all(_drawn(station, name) >= 5.9 for name in ROW_A)
    return station


def _live(station: VirtualStation) -> LiveView:
    live = station.station.live
    assert live is not None
    return live


def _view(station: VirtualStation, name: str) -> ConnectorView:
    return next(c for c in _live(station).connectors if c.id == name)


def _drawn(station: VirtualStation, name: str) -> float:
    return max(station.sim.truth().connector(name).draw_a)


def _alarms(station: VirtualStation) -> set[tuple[str, str]]:
    return {(a.code, a.subject) for a in _live(station).alarms}


def test_i3_b01_a_lost_grid_meter_is_the_worst_base_load_and_comes_back(tmp_path):
    async def story(clock: VirtualClock) -> None:
        station = await _busy(clock, tmp_path)
        before = _view(station, "C01-1").grant.limit_a
        station.sim.meter("grid-meter").faults.silent = True
        await station.run_for(15)
        grid = next(f for f in _live(station).feeders if f.id == "grid")
        assert (AlarmCode.METER_LOST, "grid-meter") in _alarms(station)
        assert min(grid.base_a) >= 30.0, "the configured worst case, never the last value"
        truth = station.sim.truth()
        assert max(truth.feeder("grid").current_a) + 10.0 <= 200.0, "room for the worst base load is kept"
        station.sim.meter("grid-meter").faults.clear()
        await station.run_for(90)
        assert (AlarmCode.METER_LOST, "grid-meter") not in _alarms(station)
        assert _view(station, "C01-1").grant.limit_a >= before - 2.0
        assert station.sim.truth().trips == ()
        await station.stop()

    run_virtual(story)


def test_r2_r3b_a_lost_charger_is_booked_at_what_it_may_do_and_returns(tmp_path):
    async def story(clock: VirtualClock) -> None:
        station = await _busy(clock, tmp_path)
        station.sim.device("A01").faults.silent = True
        await station.run_for(10)
        assert (AlarmCode.CHARGER_UNREACHABLE, "A01-1") in _alarms(station)
        view = _view(station, "A01-1")
        assert not view.online
        assert view.grant.reserved_a >= _drawn(station, "A01-1")
        assert view.session is not None, "a silent charger ends no session"
        await station.run_for(40)
        assert _drawn(station, "A01-1") <= 6.0, "its own watchdog has ended by now"
        station.sim.restore_device("A01")
        await station.run_for(60)
        assert _view(station, "A01-1").online
        assert _drawn(station, "A01-1") >= 5.9
        truth = station.sim.truth()
        assert truth.trips == ()
        assert truth.longest_over_s <= 22.0
        await station.stop()

    run_virtual(story)


def test_r7_a_lost_line_falls_back_and_does_not_stop_the_others(tmp_path):
    async def story(clock: VirtualClock) -> None:
        station = await _busy(clock, tmp_path)
        assert station.links is not None
        station.links[LineId("rs485-2")].plug(False)
        await station.run_for(40)
        lost = next(a for a in _live(station).alarms if a.code == AlarmCode.LINE_LOST)
        assert lost.subject == "rs485-2"
        assert {"B01-1", "B02-1", "B03-1", "B04-1", "row-b-meter"} <= set(lost.followers)
        assert not {code for code, subject in _alarms(station) if subject in lost.followers}, "S-54: told in one alarm"
        for name in ("B01-1", "B02-1", "B03-1", "B04-1"):
            assert _drawn(station, name) <= 6.0
        assert all(_drawn(station, name) >= 5.9 for name in (*ROW_A, *ROW_C))
        station.links[LineId("rs485-2")].plug(True)
        await station.run_for(120)
        assert all(_drawn(station, name) >= 5.9 for name in ("B01-1", "B02-1", "B03-1", "B04-1"))
        assert AlarmCode.LINE_LOST not in {code for code, _ in _alarms(station)}
        assert station.sim.truth().trips == ()
        await station.stop()

    run_virtual(story)


def test_i4_a_dead_controller_leaves_every_charger_at_its_failsafe_and_a_new_one_takes_over(tmp_path):
    async def story(clock: VirtualClock) -> None:
        station = await _busy(clock, tmp_path)
        sessions = {c.id: c.session.id for c in _live(station).connectors if c.session is not None}
        await station.kill()
        killed_at = clock.now()
        station.sim.base_step("grid", 30.0)
        await clock.sleep(15.0 + 1.0 + 2.0 + 1.0)
        for connector in station.site.connectors:
            assert _drawn(station, connector.id) <= connector.failsafe_a, "reached by its own watchdog time"
        successor = VirtualStation(
            clock, tmp_path, frames=True, journal=station.journal, sim=station.sim, site=station.site
        )
        await successor.start(drivers=False)
        await successor.run_for(3.0)
        assert successor.turns > 0
        assert clock.now() - killed_at < 23.0
        await successor.run_for(120)
        after = {c.id: c.session.id for c in _live(successor).connectors if c.session is not None}
        assert after == sessions, "no session is lost or doubled over a kill (I5, B23)"
        assert all(_drawn(successor, name) >= 5.9 for name in ROW_A)
        assert successor.sim.truth().trips == ()
        await successor.stop()

    run_virtual(story)


@pytest.mark.parametrize("shows", [Shows.FROZEN, Shows.NAN, Shows.ONES, Shows.ZERO])
def test_i3_a_lying_meter_never_lifts_what_flows_above_the_fuse(tmp_path, shows):
    async def story(clock: VirtualClock) -> None:
        station = await _busy(clock, tmp_path)
        station.sim.meter("grid-meter").faults.shows = shows
        await station.run_for(5)
        station.sim.base_step("grid", 30.0)
        await station.run_for(60)
        truth = station.sim.truth()
        assert truth.trips == ()
        assert max(truth.feeder("grid").current_a) <= 200.0
        await station.stop()

    run_virtual(story)


def test_r14_r18_a_store_that_fails_stops_new_sessions_and_no_running_one(tmp_path):
    async def story(clock: VirtualClock) -> None:
        station = await _busy(clock, tmp_path)
        station.sim.world.unplug(ConnectorId("A01-1"))
        await station.run_for(10)
        station.journal.broken = True
        station.sim.world.plug(ConnectorId("A01-1"), a_car())
        await station.run_for(60)
        assert (AlarmCode.STORE_FAILED, "station") in _alarms(station)
        assert _drawn(station, "A01-1") == 0.0, "a session that is not on disk gets no current"
        assert all(_drawn(station, name) >= 5.9 for name in ROW_A[1:])
        station.journal.broken = False
        await station.run_for(60)
        await station.ask(CommandName.START_CHARGE, "A01-1")
        await station.run_for(60)
        assert _drawn(station, "A01-1") >= 5.9
        await station.stop()

    run_virtual(story)

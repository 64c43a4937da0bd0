"""Chargers that go wrong on byte-exact frames in virtual time, judged by what truly flows (faults 20, 21, 25..27)."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from siteward.model.alarms import AlarmCode
from siteward.model.facts import OnExpiry
from siteward.model.live import ConnectorView
from siteward.model.requests import CommandName
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.faults import Ignores
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.fixtures.station import VirtualStation, demo_site

BAD, OTHERS = "A01", ("A02-1", "A03-1", "A04-1")
BAD_ONE = f"{BAD}-1"
OFF_LINE_S = 60.0


def _told(folder: Path, story: Callable[[VirtualStation], Awaitable[None]]) -> None:
    """Row A charges, settled, then the story; no fuse trips in any of them and the others go on."""

    async def whole(clock: VirtualClock) -> None:
        demo = demo_site()
        row_a = tuple(c for c in demo.chargers if c.id.startswith("A"))
        site = replace(demo, chargers=row_a, locks=(), start_delay_s=20.0)
        station = VirtualStation(clock, folder, frames=True, site=site)
        for name in (BAD_ONE, *OTHERS):
            outlet = next(c.id for c in station.site.connectors if c.id == name)
            station.sim.world.plug(outlet, Car(name=name, capacity_wh=80_000.0, soc=0.2, max_a=16.0, react_s=2.0))
        await station.start()
        await station.run_for(90)
        assert all(_drawn(station, name) >= 5.9 for name in (BAD_ONE, *OTHERS))
        await story(station)
        assert station.sim.truth().trips == ()
        assert all(_drawn(station, name) >= 5.9 for name in OTHERS)
        await station.stop()

    run_virtual(whole)


def _drawn(station: VirtualStation, name: str) -> float:
    return max(station.sim.truth().connector(name).draw_a)


def _view(station: VirtualStation) -> ConnectorView:
    live = station.station.live
    assert live is not None
    return next(c for c in live.connectors if c.id == BAD_ONE)


def _alarms(station: VirtualStation) -> set[AlarmCode]:
    live = station.station.live
    assert live is not None
    return {a.code for a in live.alarms if a.subject in (BAD, BAD_ONE)}


def test_a_charger_that_restarts_is_booked_at_once_and_taken_back(tmp_path):
    """Fault 20: what it may draw until it is read again is booked; limit and watchdog are written again."""

    async def story(station: VirtualStation) -> None:
        station.sim.charger(BAD).restart()
        for _ in range(40):
            await station.run_for(1)
            assert _view(station).grant.reserved_a + 0.1 >= _drawn(station, BAD_ONE)
        await station.run_for(90)
        assert _view(station).grant.verified
        assert _drawn(station, BAD_ONE) >= 5.9

    _told(tmp_path, story)


def test_a_charger_that_ignores_its_stop_is_told_by_the_highest_alarm(tmp_path):
    """Faults 21 and 27: current while it is off is booked as it flows, and cried out within 35 s of the stop."""

    async def story(station: VirtualStation) -> None:
        device = station.sim.charger(BAD)
        device.faults.ignores = Ignores.EFFECT
        device.refresh()
        session = _view(station).session
        assert session is not None
        await station.ask(CommandName.STOP_CHARGE, BAD_ONE, sessionId=session.id)
        await station.run_for(35)
        assert _drawn(station, BAD_ONE) >= 5.9
        assert _view(station).grant.reserved_a + 0.1 >= _drawn(station, BAD_ONE)
        assert _alarms(station) >= {AlarmCode.CHARGER_DISOBEYS, AlarmCode.CHARGER_STILL_DRAWS}

    _told(tmp_path, story)


def test_a_latched_error_is_told_with_what_to_do_and_is_over_after_a_restart(tmp_path):
    """Fault 25: no write of ours undoes it, so a person is called; nothing flows meanwhile."""

    async def story(station: VirtualStation) -> None:
        device = station.sim.charger(BAD)
        for point in device.points.values():
            point.habits = replace(point.habits, on_expiry=OnExpiry.ERROR_LATCHED)
        device.faults.silent = True
        await station.run_for(OFF_LINE_S)
        device.faults.silent = False
        await station.run_for(30)
        assert _drawn(station, BAD_ONE) == 0.0
        assert AlarmCode.CHARGER_FAULT in _alarms(station)
        device.restart()
        await station.run_for(60)
        assert AlarmCode.CHARGER_FAULT not in _alarms(station)
        await station.ask(CommandName.START_CHARGE, BAD_ONE)
        await station.run_for(90)
        assert _drawn(station, BAD_ONE) >= 5.9

    _told(tmp_path, story)


def test_a_register_map_that_nobody_knows_is_written_no_more(tmp_path):
    """Fault 26: a new firmware with an unknown map is no device of this profile: told, booked, not written."""

    async def story(station: VirtualStation) -> None:
        device = station.sim.charger(BAD)
        written: list[int] = []
        device.new_firmware(layout=0x0900)
        await station.run_for(45)
        honest = device.write

        def watched(address: int, words: list[int], function: int) -> None:
            written.append(address)
            honest(address, words, function)

        device.write = watched  # type: ignore[assignment, method-assign]
        assert AlarmCode.WRONG_DEVICE in _alarms(station)
        await station.run_for(60)
        assert written == []
        view = _view(station)
        assert view.grant.reserved_a + 0.1 >= _drawn(station, BAD_ONE)
        assert not view.grant.reachable

    _told(tmp_path, story)

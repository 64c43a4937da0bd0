"""The journal cannot be opened, or its disk hangs: fuses are kept all the same, sessions come back (ruling 12, R14)."""

from pathlib import Path

import pytest

from siteward.model.alarms import STATION, Alarm, AlarmCode
from siteward.model.errors import StoreError
from siteward.model.requests import CommandName
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.fixtures.station import VirtualStation


async def _busy(clock: VirtualClock, folder: Path) -> VirtualStation:
    station = VirtualStation(clock, folder)
    for connector in station.site.connectors:
        station.sim.world.plug(connector.id, Car("car", 80_000.0, soc=0.2, max_a=16.0, react_s=2.0))
    await station.start()
    await station.run_for(200)
    return station


def _sessions(station: VirtualStation) -> dict[str, str]:
    live = station.station.live
    assert live is not None
    return {c.id: c.session.id for c in live.connectors if c.session is not None}


@pytest.mark.parametrize("how", ["missing", "hangs"])
def test_f_r14_without_a_journal_the_fuses_are_kept_and_nothing_new_begins(tmp_path, how):
    async def story(clock: VirtualClock) -> None:
        station = await _busy(clock, tmp_path)
        before = _sessions(station)
        assert len(before) == 12
        await station.kill()
        setattr(station.journal, how, True)
        successor = VirtualStation(clock, tmp_path, journal=station.journal, sim=station.sim)
        began = clock.now()
        await successor.start(drivers=False)
        await successor.run_for(5.0)
        assert successor.turns > 0, "ruling 12: back in control within 5 s of the start"
        station.sim.base_step("grid", 30.0)
        await successor.run_for(15.0)
        live = successor.station.live
        assert live is not None
        assert (AlarmCode.STORE_FAILED, "station") in {(a.code, a.subject) for a in live.alarms}
        assert live.health.store_ok is False
        assert _sessions(successor) == {}
        with pytest.raises(StoreError):
            await successor.ask(CommandName.START_CHARGE, "A01-1")
        truth = successor.sim.truth()
        assert all(max(c.draw_a) == 0.0 for c in truth.connectors), "who is unknown gets no current"
        assert truth.trips == ()
        assert truth.longest_over_s <= 10.0
        setattr(station.journal, how, False)
        for _ in range(60):
            await successor.run_for(0.5)
            if successor.ended:
                break
        assert successor.ended, "a fresh start then recovers the sessions"
        assert clock.now() - began < 60.0
        third = VirtualStation(clock, tmp_path, journal=station.journal, sim=station.sim)
        await third.start(drivers=False)
        await third.run_for(60.0)
        assert _sessions(third) == before
        assert sum(max(c.draw_a) for c in third.sim.truth().connectors) > 60.0
        await third.stop()

    run_virtual(story)


def test_damaged_records_are_an_alarm_and_cost_no_session(tmp_path: Path) -> None:
    """Fault 55: what is wrong with the records is told, in the journal too, while every car goes on charging."""

    async def story(clock: VirtualClock) -> None:
        station = await _busy(clock, tmp_path)
        before = _sessions(station)
        station.journal.alarms = frozenset({Alarm(AlarmCode.STORE_DAMAGED, STATION)})
        await station.run_for(3.0)
        live = station.station.live
        assert live is not None
        assert AlarmCode.STORE_DAMAGED in {a.code for a in live.alarms}
        assert live.health.store_ok
        assert _sessions(station) == before
        facts = [fact for batch in station.journal.batches for fact in batch.facts]
        raised = [f.data["severity"] for f in facts if f.data.get("code") == AlarmCode.STORE_DAMAGED]
        assert raised == ["high"]
        await station.stop()

    run_virtual(story)

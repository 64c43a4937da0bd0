"""The process stands still for a while, then goes on: nothing old is done, nobody is raised on old values (R7, R17)."""

import asyncio

import pytest

from siteward.model.alarms import AlarmCode
from siteward.model.wire import FrameKind, FrameStage, WireEvent
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.virtual import VirtualClock, VirtualLoop, run_virtual
from tests.fixtures.station import VirtualStation


@pytest.mark.parametrize(("seconds", "frames"), [(4.0, True), (8.0, False), (8.0, True), (25.0, True)])
def test_r7_r17_after_a_stall_nothing_old_is_sent_and_no_raise_comes_before_a_full_poll_round(
    tmp_path, seconds, frames
):
    async def story(clock: VirtualClock) -> None:
        station = VirtualStation(clock, tmp_path, frames=frames)
        for connector in station.site.connectors:
            station.sim.world.plug(connector.id, Car("car", 80_000.0, soc=0.2, max_a=16.0, react_s=2.0))
        await station.start()
        await station.run_for(150.3)
        events: list[WireEvent] = []
        raised_at: list[float] = []
        alarms: set[tuple[str, str]] = set()
        booked_low: list[str] = []

        def look(done):
            events.extend(done.snapshot.wire)
            raised_at.extend(done.snapshot.at for _ in done.decision.raises)
            alarms.update((a.alarm.code, a.alarm.subject) for a in done.decision.alarms)
            station.sim.settle()
            for name, point in station.sim.points.items():
                if point.allowed_a() > done.decision.grants[name].reserved_a + 0.06:
                    booked_low.append(f"{done.snapshot.at} {name}")

        station.watchers.append(look)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        began = clock.now()
        loop.stall(seconds)
        woke = clock.now()
        station.sim.base_step("grid", 30.0)
        await station.run_for(20.0)
        first_reads = {
            c.id: min(
                (e.at for e in events if e.connector == c.id and e.kind is FrameKind.READ and _answered(e, woke)),
                default=woke + 5.0,
            )
            for c in station.site.connectors
        }
        assert raised_at == [] or min(raised_at) >= min(max(first_reads.values()), woke + 5.0)
        sent = [e for e in events if e.stage is FrameStage.SENT and began < e.at < woke]
        assert sent == [], "nobody speaks while the process stands still"
        assert (AlarmCode.TURN_GAP, "station") in alarms
        assert booked_low == []
        if seconds > 6.0:
            told = {e.connector for e in events if e.kind is FrameKind.LIMIT and e.stage is FrameStage.SENT}
            assert told >= {c.id for c in station.site.connectors}, "each lease that ended had its farewell"
        await station.run_for(120.0)
        truth = station.sim.truth()
        assert truth.trips == ()
        assert sum(max(c.draw_a) for c in truth.connectors) > 80.0
        await station.stop()

    run_virtual(story)


def _answered(event: WireEvent, since: float) -> bool:
    return event.stage is FrameStage.ANSWERED and (event.sent_at or 0.0) >= since

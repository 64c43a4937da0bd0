"""The uplink between a real broker and the real local API: nothing lost, nothing twice."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from siteward.client.canonical import event_hash
from siteward.model.events import EventType
from siteward_sync.codec import open_envelope
from siteward_sync.outputs.options import OutputKind, OutputOptions
from siteward_sync.receiver import Platform, Records
from siteward_sync.topics import EVENTS, HEARTBEAT, SITE, STATUS, topic
from tests.fixtures.broker import Broker, broker
from tests.fixtures.core import FakeCore
from tests.fixtures.receivers import Hook, listening
from tests.siteward_sync.rig import core_at, platform, raw_link, synced, until

__all__ = ["broker"]
pytestmark = pytest.mark.station


def fill(core: FakeCore, count: int) -> None:
    """Append events."""
    for number in range(count):
        core.add_event(EventType.CONNECTOR_STATUS, {"status": "Available", "number": number, "name": "充电枪"})


def seqs(served: Platform, core: FakeCore) -> list[int]:
    """What the platform has."""
    return [event["seq"] for event in served.records.events(core.site().id, limit=100_000)]


def complete(served: Platform, core: FakeCore) -> bool:
    """Whether the platform has exactly what the journal has."""
    return seqs(served, core) == list(range(1, len(core.texts) + 1))


async def test_a_station_announces_itself_and_its_events_arrive_once(broker: Broker, tmp_path: Path) -> None:
    """up/status, up/site, up/heartbeat, up/events with cumulative acks (contract section 4)."""
    async with core_at(tmp_path) as core, platform(broker, tmp_path) as served:
        fill(core, 2600)
        station = core.site().id
        async with synced(core, broker):
            await until(lambda: core.acked_seq == len(core.texts))
            await until(lambda: served.records.latest(station, HEARTBEAT))
            await until(lambda: served.records.latest(station, SITE))
            status = served.records.latest(station, STATUS)
            assert status is not None
            assert status["online"] is True
            assert status["journalId"] == core.journal
            site = served.records.latest(station, SITE)
            assert site is not None
            assert [c["id"] for charger in site["chargers"] for c in charger["connectors"]] == [
                c.id for c in core.site().connectors
            ]
            beat = served.records.latest(station, HEARTBEAT)
            assert beat is not None
            first = beat["connectors"][0]
            assert first["status"] == "Occupied"
            assert isinstance(first["power_w"], int)
            assert isinstance(first["energy_wh"], int)
            assert first["limit_cause"] == "fuse"
            assert first["sessionId"]
            fill(core, 1)
            await until(lambda: core.acked_seq == len(core.texts))
        assert complete(served, core)
        assert served.records.refused() == []
        events = served.records.events(station, limit=10)
        assert events[4]["prevHash"] == events[3]["hash"] == event_hash(events[3], core.journal)
        await until(lambda: (served.records.latest(station, STATUS) or {}).get("reason") == "stopped")


async def test_what_changed_while_the_uplink_was_cut_is_told_by_event_and_by_state(
    broker: Broker, tmp_path: Path
) -> None:
    """S-57: events are pushed, the state is repeated: after an outage both sides agree without anybody asking."""
    async with core_at(tmp_path) as core, platform(broker, tmp_path) as served, synced(core, broker):
        station, name = core.site().id, core.site().connectors[5].id

        def state() -> dict[str, Any]:
            beat = served.records.latest(station, HEARTBEAT) or {"connectors": []}
            return next((c for c in beat["connectors"] if c["id"] == name), {})

        await until(lambda: state().get("status") == "Available")
        await broker.kill()
        session = core.start(name, "local", "O-9")
        await asyncio.sleep(0.3)
        await broker.start()
        await until(lambda: state().get("sessionId") == session.id, 15)
        assert (state()["status"], state()["orderId"]) == ("Occupied", "O-9")
        await until(lambda: core.acked_seq == len(core.texts), 15)
        assert complete(served, core)


async def test_an_output_that_hangs_holds_up_no_bill(broker: Broker, tmp_path: Path) -> None:
    """S-13: alarms that nobody takes, and the orders that the platform settles by, go their own ways."""
    hook = Hook(hang=True)
    async with core_at(tmp_path) as core, platform(broker, tmp_path) as served, listening(hook):
        url = f"http://127.0.0.1:{hook.port}/alarms"
        output = OutputOptions("hook", OutputKind.WEBHOOK, url, group_s=0.0)
        async with synced(core, broker, outputs=(output,)):
            await until(lambda: core.acked_seq == len(core.texts))
            alarm = {"code": "LINE_LOST", "subject": "rs485-1", "severity": "highest", "textEn": "x", "textZh": "x"}
            core.add_event(EventType.ALARM_RAISED, alarm)
            await asyncio.sleep(0.3)
            core.finish(core.site().connectors[0].id)
            await until(lambda: core.acked_seq == len(core.texts))
            assert complete(served, core)
            types = [event["type"] for event in served.records.events(core.site().id, limit=100)]
            assert types[-2:] == ["alarm.raised", "session.finished"]
            assert hook.posts == []


async def test_a_broker_that_loses_everything_loses_nothing(broker: Broker, tmp_path: Path) -> None:
    """Faults 35, 36, 37: kill -9 without persistence, several times while events flow; nothing lost, nothing twice."""
    async with core_at(tmp_path) as core, platform(broker, tmp_path) as served, synced(core, broker):
        for _ in range(3):
            fill(core, 1500)
            await until(lambda: len(seqs(served, core)) > 2)
            await broker.kill()
            fill(core, 100)
            await asyncio.sleep(0.1)
            await broker.start()
        await until(lambda: core.acked_seq == len(core.texts), 15)
        assert complete(served, core)


async def test_a_platform_that_dies_between_store_and_ack_gets_it_again(broker: Broker, tmp_path: Path) -> None:
    """Fault 39: stored, never acknowledged: sent again, stored once, acknowledged then."""
    async with core_at(tmp_path) as core:
        fill(core, 50)
        async with synced(core, broker):
            async with raw_link(broker, "siteward-platform", "siteward/v1/+/up/#") as (_, got):
                records = Records(tmp_path / "platform.db")
                stored = False
                while not stored:
                    message = await asyncio.wait_for(got.get(), 5)
                    records.store([(message.topic, message.payload)])
                    stored = message.topic.endswith(EVENTS)
                records.close()
            assert core.acked_seq == 0
            async with platform(broker, tmp_path) as served:
                await until(lambda: core.acked_seq == len(core.texts))
                assert complete(served, core)
                assert served.records.refused() == []


async def test_a_killed_receiver_process_loses_nothing(broker: Broker, tmp_path: Path) -> None:
    """The reference platform as a process, kill -9 in the middle, started again on the same file."""
    db = tmp_path / "platform.db"
    words = [sys.executable, "-m", "siteward_sync.receiver", "--broker", f"127.0.0.1:{broker.port}", "--db", str(db)]
    async with core_at(tmp_path) as core, synced(core, broker):
        fill(core, 3000)
        for last in (False, True):
            process = await asyncio.create_subprocess_exec(*words, env={"PYTHONPATH": ":".join(sys.path)})
            if last:
                await until(lambda: core.acked_seq == len(core.texts), 15)
                process.terminate()
                assert await process.wait() == 0
            else:
                await until(lambda: core.acked_seq > 0, 15)
                process.kill()
                await process.wait()
                fill(core, 500)
        records = Records(db)
        assert [e["seq"] for e in records.events(core.site().id, limit=10_000)] == list(range(1, len(core.texts) + 1))
        records.close()


async def test_a_platform_that_lost_its_records_gets_them_again(broker: Broker, tmp_path: Path) -> None:
    """Contract section 4: REPORT_NOW with fromSeq; what was acknowledged once is kept by the station (S-25)."""
    async with core_at(tmp_path) as core, synced(core, broker):
        fill(core, 1700)
        async with platform(broker, tmp_path) as first:
            await until(lambda: core.acked_seq == len(core.texts))
            assert complete(first, core)
        (tmp_path / "platform.db").rename(tmp_path / "lost.db")
        async with platform(broker, tmp_path) as second:
            station = core.site().id
            fill(core, 10)
            await until(lambda: core.acked_seq == len(core.texts))
            ((journal, begin, end),) = second.records.gaps(station)
            assert (journal, begin) == (core.journal, 1)
            assert end >= 1700
            await second.send(station, "REPORT_NOW", params={"fromSeq": begin})
            await until(lambda: not second.records.gaps(station))
            await until(lambda: complete(second, core))


async def test_without_an_ack_events_are_sent_again(broker: Broker, tmp_path: Path) -> None:
    """A platform that hears but never acknowledges gets the same events again after resend_s, from the start."""
    async with (
        core_at(tmp_path) as core,
        synced(core, broker, resend_s=0.4),
        raw_link(broker, "deaf", topic(core.site().id, EVENTS)) as (link, got),
    ):
        firsts: list[int] = []
        while len(firsts) < 3:
            message = await asyncio.wait_for(got.get(), 5)
            link.ack(message)
            firsts.append(open_envelope(message.payload).value["events"][0]["seq"])
        assert firsts == [1, 1, 1]


async def test_heartbeats_stop_when_the_station_stands_still(broker: Broker, tmp_path: Path) -> None:
    """A core that answers but does not turn is told to nobody as alive (view older than 5 s)."""
    async with (
        core_at(tmp_path) as core,
        synced(core, broker, heartbeat_s=0.2),
        raw_link(broker, "watch", topic(core.site().id, HEARTBEAT)) as (_, got),
    ):
        await asyncio.wait_for(got.get(), 5)
        core.turns.clear()
        await asyncio.sleep(0.3)
        core.clock.shift_s = 6.0
        await asyncio.sleep(0.3)
        while not got.empty():
            got.get_nowait()
        await asyncio.sleep(0.8)
        assert got.empty()
        core.turns.set()
        await asyncio.wait_for(got.get(), 5)


async def test_a_cut_uplink_leaves_its_will(broker: Broker, tmp_path: Path) -> None:
    """kill -9 of the uplink: the broker itself says offline, retained."""
    code = (
        "import asyncio,sys,pathlib\n"
        "from siteward_sync.service import SyncOptions, run_sync\n"
        "from siteward_sync.receiver.clock import PlatformClock\n"
        "o = SyncOptions('S-1', pathlib.Path('/nowhere.sock'), '127.0.0.1', int(sys.argv[1]), will_delay_s=0)\n"
        "asyncio.run(run_sync(o, PlatformClock(), asyncio.Event()))\n"
    )
    async with raw_link(broker, "watch", topic("S-1", STATUS)) as (_, got):
        env = {"PYTHONPATH": ":".join(sys.path)}
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, str(broker.port), env=env)
        log = broker.folder / "log"
        await until(lambda: "as S-1" in log.read_text(encoding="utf-8"), 15)
        process.kill()
        await process.wait()
        message = await asyncio.wait_for(got.get(), 5)
        assert message.retain
        assert open_envelope(message.payload).value == {"online": False}


async def test_a_new_journal_starts_at_its_own_beginning(broker: Broker, tmp_path: Path) -> None:
    """A restored journal has another journalId: both are complete on the platform, late acks of the old do no harm."""
    async with platform(broker, tmp_path) as served, core_at(tmp_path / "a") as first:
        station = first.site().id
        fill(first, 20)
        async with synced(first, broker):
            await until(lambda: first.acked_seq == len(first.texts))
        async with core_at(tmp_path / "b") as second, synced(second, broker):
            fill(second, 5)
            await until(lambda: second.acked_seq == len(second.texts))
            assert len(served.records.events(station)) == len(first.texts) + len(second.texts)
            await until(lambda: (served.records.latest(station, STATUS) or {}).get("journalId") == second.journal)
            assert second.journal != first.journal

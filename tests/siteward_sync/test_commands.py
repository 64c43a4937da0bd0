"""The life of a command between a real broker and the real local API: every one answered, none run twice."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from siteward.model.events import ClockQuality
from siteward.model.requests import Reply, Request
from siteward_sync.codec import seal
from siteward_sync.topics import COMMANDS, STATUS, topic
from tests.fixtures.broker import Broker, broker
from tests.fixtures.clock import RealClock
from tests.fixtures.sites import small_site
from tests.siteward_sync.rig import core_at, core_process, platform, raw_link, synced, synced_to, until

__all__ = ["broker"]
pytestmark = pytest.mark.station


async def test_a_command_is_received_accepted_done(broker: Broker, tmp_path: Path) -> None:
    """B20, flows.md: the raw bytes reach core, each stage comes once and in order; the same id has no second effect."""
    async with core_at(tmp_path) as core, platform(broker, tmp_path) as served, synced(core, broker):
        station, target = core.site().id, core.site().connectors[3].id
        await asyncio.gather(served.link.until_up(), until(lambda: served.records.latest(station, STATUS)))
        async with asyncio.timeout(8):
            command = await served.send(station, "START_CHARGE", target, {"max_energy_wh": 5000}, order_id="O-1")
            replies = await served.replies(station, command)
            assert [r["stage"] for r in replies] == ["received", "accepted", "done"]
            assert replies[2]["result"] == {"waitingFor": "current"}
            assert b'"params":{"max_energy_wh":5000}' in core.raw[command]
            opened = len(core.session_list)
            await served.send(
                station, "START_CHARGE", target, {"max_energy_wh": 5000}, order_id="O-1", command_id=command
            )
            wrong = await served.send(station, "STOP_CHARGE", "nowhere")
            assert [r["stage"] for r in await served.replies(station, wrong)] == ["received", "rejected"]
        assert len(core.session_list) == opened
        assert [r["stage"] for r in await served.replies(station, command)] == ["received", "accepted", "done"]


async def test_expired_and_stored_commands_never_run(broker: Broker, tmp_path: Path) -> None:
    """Faults 38 and 42: an expired one is answered `expired`, a retained one RETAINED; neither reaches a connector."""
    async with core_at(tmp_path) as core, platform(broker, tmp_path) as served:
        station, target = core.site().id, core.site().connectors[4].id
        opened = len(core.session_list)
        async with raw_link(broker, "attacker") as (link, _):
            payload = (
                f'{{"commandId":"stored-1","stationId":"{station}","name":"START_CHARGE","target":"{target}",'
                '"issuedAt":"2026-01-01T00:00:00Z","expiresAt":"2099-01-01T00:00:00Z"}'
            ).encode()
            data = seal(station, "m-stored", datetime.now(UTC), payload)
            await link.publish(topic(station, COMMANDS), data, retain=True)
        async with synced(core, broker), asyncio.timeout(8):
            replies = await served.replies(station, "stored-1")
            assert [(r["stage"], r["code"]) for r in replies] == [("rejected", "RETAINED")]
            await served.link.until_up()
            late = await served.send(station, "START_CHARGE", target, valid_s=-5)
            replies = await served.replies(station, late)
            assert [(r["stage"], r["code"]) for r in replies] == [("expired", "EXPIRED")]
        assert len(core.session_list) == opened
        assert "stored-1" not in core.requests
        assert any(data.get("code") == "RETAINED" for _, data, _, _ in core.audits)


async def test_a_killed_core_finds_its_commands_waiting(broker: Broker, tmp_path: Path) -> None:
    """flows.md: with core gone commands wait unacked until they expire; status says "core" after 10 s of standstill."""
    run, clock, station = tmp_path / "run", RealClock(), small_site().id
    async with (
        platform(broker, tmp_path) as served,
        core_process(run) as core,
        synced_to(run, station, clock, broker),
    ):
        await until(lambda: (served.records.latest(station, STATUS) or {}).get("online"))
        core.kill()
        await core.wait()
        short = await served.send(station, "REPORT_NOW", valid_s=1.0)
        long = await served.send(station, "REPORT_NOW", valid_s=60.0)
        async with asyncio.timeout(8):
            replies = await served.replies(station, short)
        assert [(r["stage"], r["code"]) for r in replies] == [("expired", "EXPIRED")]
        assert served.records.replies(station, long) == []
        clock.shift_s = 11.0
        await until(lambda: (served.records.latest(station, STATUS) or {}).get("reason") == "core")
        clock.shift_s = 0.0
        async with core_at(tmp_path, clock) as again:
            async with asyncio.timeout(8):
                replies = await served.replies(station, long)
            assert replies[-1]["stage"] == "done"
            assert short not in again.requests
            await until(lambda: (served.records.latest(station, STATUS) or {}).get("online"))


async def test_a_command_that_core_cannot_digest_holds_up_no_stop(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S-99: a fault of ours with one command is that command's; it is answered, and what is behind it goes on."""
    async with core_at(tmp_path) as core, platform(broker, tmp_path) as served, synced(core, broker):
        station, submit = core.site().id, core.submit

        async def digests(request: Request, raw: bytes) -> Reply:
            if request.id == "poison":
                raise RuntimeError("a fault of ours")
            return await submit(request, raw)

        monkeypatch.setattr(core, "submit", digests)
        await asyncio.gather(served.link.until_up(), until(lambda: served.records.latest(station, STATUS)))
        await served.send(station, "REPORT_NOW", command_id="poison")
        behind = await served.send(station, "REPORT_NOW")
        async with asyncio.timeout(8):
            assert (await served.replies(station, behind))[-1]["stage"] == "done"
        async with asyncio.timeout(8):
            (answer,) = await served.replies(station, "poison")
        assert (answer["stage"], answer["code"]) == ("failed", "OUTCOME_UNKNOWN")
        assert answer["message"]
        assert answer["messageZh"]
        assert any(data.get("commandId") == "poison" for _, data, _, _ in core.audits)


async def test_untrusted_clock_never_expires_a_held_command(broker: Broker, tmp_path: Path) -> None:
    """Ruling 10: without a clock the uplink does not judge time; the command waits for core."""
    clock, station = RealClock(ClockQuality.UNSYNCED), small_site().id
    async with platform(broker, tmp_path) as served, synced_to(tmp_path, station, clock, broker):
        await served.link.until_up()
        await until(lambda: f"as {station}" in (broker.folder / "log").read_text(encoding="utf-8"))
        await asyncio.sleep(0.2)
        command = await served.send(station, "STOP_CHARGE", "A01-1", valid_s=0.5)
        await asyncio.sleep(1.3)
        assert served.records.replies(station, command) == []
        clock.set_quality = ClockQuality.NTP
        async with asyncio.timeout(8):
            assert (await served.replies(station, command))[0]["stage"] == "expired"


async def test_a_restarted_uplink_tells_what_happened_meanwhile(broker: Broker, tmp_path: Path) -> None:
    """The uplink keeps no state: a command that ended while it was down is still answered."""
    async with core_at(tmp_path) as core, platform(broker, tmp_path) as served:
        station, target = core.site().id, core.site().connectors[5].id
        async with synced(core, broker):
            await until(lambda: (served.records.latest(station, STATUS) or {}).get("online"))
            command = await served.send(station, "START_CHARGE", target)
            await until(lambda: command in core.requests)
        await until(lambda: len(core.replies[command]) == 3)
        async with synced(core, broker), asyncio.timeout(8):
            assert (await served.replies(station, command))[-1]["stage"] == "done"

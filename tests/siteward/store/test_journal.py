"""The hash chain: what `siteward journal verify` finds, and what retention leaves."""

import hashlib
import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from siteward.model.events import ClockQuality, EventType, Fact
from siteward.model.ids import CommandId, ConnectorId, JournalId, OrderId, SessionId
from siteward.model.requests import Reply, Stage
from siteward.store.canonical import event, event_hash, seal
from siteward.store.journal import verify
from siteward.store.open import open_store
from siteward.store.store import EVENTS_KEPT, Store
from tests.fixtures.clock import RealClock
from tests.fixtures.store import T0, batch, finish, request, status


def test_hash_is_what_anybody_can_compute() -> None:
    """Contract: SHA-256 over the canonical JSON of the event without hash, with journalId; pinned by its bytes."""
    fact = Fact(
        EventType.LIMIT_CHANGED, {"limit_a": 16.0, "名": "é"}, ConnectorId("A01-1"), SessionId("S"), OrderId("O")
    )
    text, digest = seal(event(7, fact, ClockQuality.RTC, T0, "0" * 64), JournalId("J1"))
    hashed = (
        '{"clock":"rtc","connectorId":"A01-1","data":{"limit_a":16,"名":"é"},"journalId":"J1",'
        '"occurredAt":"2026-03-01T08:00:00.000Z","orderId":"O","prevHash":"' + "0" * 64 + '",'
        '"seq":7,"sessionId":"S","type":"limit.changed"}'
    )
    assert digest == hashlib.sha256(hashed.encode()).hexdigest()
    assert text == hashed.replace('"journalId":"J1"', f'"hash":"{digest}"')
    assert event_hash(json.loads(text), JournalId("J1")) == digest


TAMPER = {
    "changed byte": ("UPDATE journal SET text = replace(text, '\"n\":3', '\"n\":4') WHERE seq = 3", 3, "hash"),
    "white space": ("UPDATE journal SET text = replace(text, '\"n\":3', '\"n\": 3') WHERE seq = 3", 3, "canonical"),
    "no number": ("UPDATE journal SET text = replace(text, '\"n\":3', '\"n\":NaN') WHERE seq = 3", 3, "canonical"),
    "no JSON": ("UPDATE journal SET text = substr(text, 2) WHERE seq = 3", 3, "no JSON"),
    "hole": ("DELETE FROM journal WHERE seq = 3", 3, "missing"),
    "first gone": ("DELETE FROM journal WHERE seq = 1", 1, "missing"),
    "swapped": ("UPDATE journal SET prev_hash = hash WHERE seq = 2", 2, "prevHash"),
    "column": ("UPDATE journal SET hash = prev_hash WHERE seq = 4", 4, "columns"),
    "false stub": ("UPDATE journal SET stub = 'retention' WHERE seq = 3", 3, "stub"),
    "other epoch": ("UPDATE meta SET journal_id = 'X'", 1, "hash"),
}


@pytest.mark.parametrize("what", TAMPER)
async def test_verify_finds_every_change(tmp_path: Path, clock: RealClock, what: str) -> None:
    """I16: a hole or a change is found, with the sequence number where it is."""
    store = await open_store(tmp_path / "siteward.db", clock)
    for number in range(1, 6):
        await store.commit(batch(status(number)))
    assert (await store.verify()).events == 5
    await store.close()
    sql, seq, reason = TAMPER[what]
    with closing(sqlite3.connect(tmp_path / "siteward.db")) as connection:
        connection.execute(sql)
        connection.commit()
        verdict = verify(connection)
    assert not verdict.ok
    assert verdict.bad_seq == seq
    assert reason in verdict.reason


async def test_old_events_of_lane_b_become_stubs_and_money_stays(store: Store, clock: RealClock) -> None:
    """B18 and contract: past its retention an event is sent as a stub; lane A never; the chain still holds."""
    await store.commit(batch(status(1)))
    await store.commit(finish(1))
    await store.commit(batch(status(2)))
    clock.shift_s = EVENTS_KEPT.total_seconds() - 60
    assert await store.tidy() == 0
    await store.commit(batch(status(3)))
    clock.shift_s += 120
    assert await store.tidy() == 2
    assert await store.tidy() == 0
    events = [json.loads(text) for text in (await store.events(0)).texts]
    assert [e["type"] for e in events] == ["journal.stub", "session.finished", "journal.stub", "connector.status"]
    assert set(events[0]) == {"seq", "type", "reason", "hash"}
    assert events[1]["prevHash"] == events[0]["hash"]
    verdict = await store.verify()
    assert (verdict.ok, verdict.events, verdict.stubs) == (True, 4, 2)


async def test_one_event_with_a_wrong_date_does_not_keep_all_later_ones(store: Store, clock: RealClock) -> None:
    """Fault 58: an event that was written in 2038 by a wrong clock is as old as its neighbours."""
    for shift_s in (0.0, 12 * 365 * 86400.0, 60.0):
        clock.shift_s = shift_s
        await store.commit(batch(status(1)))
    clock.shift_s = EVENTS_KEPT.total_seconds() + 3600
    assert await store.tidy() == 3


async def test_answered_commands_are_forgotten_after_seven_days_and_open_ones_never(
    store: Store, clock: RealClock
) -> None:
    """Contract: a repeated commandId gets the stored outcome for 7 days."""
    clock.shift_s = (T0 - clock.wall()).total_seconds()
    for name in ("done", "open"):
        await store.accept(request(name), b"raw")
    await store.commit(batch(replies=(Reply(CommandId("done"), Stage.DONE),)))
    clock.shift_s += timedelta(days=7).total_seconds() - 60
    assert await store.tidy() == 0
    clock.shift_s += 120
    assert await store.tidy() == 1
    assert await store.request(CommandId("done")) is None
    assert await store.request(CommandId("open")) is not None


async def test_nothing_is_old_by_an_untrusted_clock(store: Store, clock: RealClock) -> None:
    """Fault 58: a clock that jumps to 2038 must not empty the journal."""
    await store.commit(batch(status(1)))
    clock.shift_s = 12 * 365 * 86400.0
    clock.set_quality = ClockQuality.UNSYNCED
    assert await store.tidy() == 0

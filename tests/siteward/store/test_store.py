"""The store on real SQLite: batches, the inbox, acknowledgements, what a restart finds again."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from siteward.model.errors import StoreError, WeAreWrong
from siteward.model.events import ClockQuality, EventType, Fact
from siteward.model.ids import CommandId, ConnectorId, FeederId, JournalId, SessionId
from siteward.model.limits import Cause, Limit, LimitSource
from siteward.model.recovered import LedgerEntry
from siteward.model.requests import Actor, Reply, Role, Source, Stage
from siteward.model.sessions import OrderState
from siteward.model.users import User
from siteward.store import records as records_module
from siteward.store.open import open_store
from siteward.store.store import Store
from tests.fixtures.clock import RealClock
from tests.fixtures.store import batch, finish, request, session, status


async def test_events_are_chained_and_served_as_stored(store: Store) -> None:
    """Contract section 4: seq without gap, prevHash of the first is 64 zeros, the stored bytes are what is sent."""
    assert await store.commit(batch(status(1), status(2))) == 2
    assert await store.commit(batch(status(3))) == 3
    page = await store.events(after=0)
    events = [json.loads(text) for text in page.texts]
    assert [event["seq"] for event in events] == [1, 2, 3]
    assert events[0]["prevHash"] == "0" * 64
    assert events[1]["prevHash"] == events[0]["hash"]
    assert events[0]["connectorId"] == "A01-1"
    assert events[0]["clock"] == "ntp"
    assert (page.last_seq, page.acked_seq, page.journal) == (3, 0, store.journal_id)
    assert (await store.verify()).ok


async def test_replies_become_command_events(store: Store) -> None:
    """flows.md: sync reads replies from the event stream; `received` is no event."""
    await store.accept(request("c-1"), b"raw")
    replies = (
        Reply(CommandId("c-1"), Stage.ACCEPTED),
        Reply(CommandId("c-1"), Stage.DONE, result={"waitingFor": "current"}),
    )
    assert await store.commit(batch(status(1), replies=replies)) == 3
    events = [json.loads(text) for text in (await store.events(0)).texts]
    assert [event["type"] for event in events] == ["connector.status", "command.accepted", "command.done"]
    done = {"commandId": "c-1", "stage": "done", "source": "cloud", "result": {"waitingFor": "current"}}
    assert events[2]["data"] == done
    known = await store.request(CommandId("c-1"))
    assert known == replies[1]


async def test_repeated_command_has_one_inbox_row_and_gets_its_outcome(store: Store) -> None:
    """I8: over duplicates, at once and after the outcome, also with other content under the same id."""
    answers = await asyncio.gather(*(store.accept(request("c-1"), b"raw") for _ in range(20)))
    assert answers.count(None) == 1
    assert all(a is None or a.stage is Stage.RECEIVED for a in answers)
    await store.commit(batch(replies=(Reply(CommandId("c-1"), Stage.REJECTED, "CONNECTOR_BUSY"),)))
    again = await store.accept(replace(request("c-1"), target="A02-1"), b"other")
    assert again is not None
    assert (again.stage, again.code) == (Stage.REJECTED, "CONNECTOR_BUSY")


async def test_final_reply_stands(store: Store) -> None:
    """I10: exactly one final answer; a later one changes nothing in the inbox."""
    await store.accept(request("c-1"), b"raw")
    await store.commit(batch(replies=(Reply(CommandId("c-1"), Stage.DONE),)))
    await store.commit(batch(replies=(Reply(CommandId("c-1"), Stage.FAILED, "STOP_TIMEOUT"),)))
    known = await store.request(CommandId("c-1"))
    assert known is not None
    assert known.stage is Stage.DONE


async def test_refused_request_is_final_and_audited(store: Store) -> None:
    """Each refused command gets exactly one final answer too, and is on record (I10, I16)."""
    reply = Reply(CommandId("late"), Stage.EXPIRED, "EXPIRED")
    assert await store.refuse(request("late"), b"raw", reply) == reply
    assert await store.refuse(request("late"), b"raw", Reply(CommandId("late"), Stage.REJECTED, "MALFORMED")) == reply
    assert await store.accept(request("late"), b"raw") == reply
    events = [json.loads(text) for text in (await store.events(0)).texts]
    assert [(event["type"], event["data"]["code"]) for event in events] == [("audit.refused", "EXPIRED")]
    assert (await store.recover()).unfinished == ()


async def test_restart_finds_everything_again(tmp_path: Path, clock: RealClock) -> None:
    """Ruling 19: sessions, limits with validity, ledger, unanswered commands, alarms."""
    path = tmp_path / "siteward.db"
    first = await open_store(path, clock)
    limit = Limit("l-1", LimitSource.CLOUD, (32.0,) * 3, FeederId("grid"), ends_at=clock.now() + 600)
    raised = Fact(EventType.ALARM_RAISED, {"code": "METER_LOST", "subject": "grid-meter"})
    raised_too = Fact(EventType.ALARM_RAISED, {"code": "TURN_GAP", "subject": "station"})
    cleared = Fact(EventType.ALARM_CLEARED, {"code": "TURN_GAP", "subject": "station"})
    entry = LedgerEntry(ConnectorId("A01-1"), 6.0, 16.0)
    asked = request("c-1", received_at=clock.now(), deadline=clock.now() + 30)
    await first.accept(asked, b"raw")
    await first.accept(request("c-2"), b"raw")
    await first.commit(
        batch(raised, raised_too, cleared, sessions=(session(1), session(2)), ledger=(entry,), limits=(limit,))
    )
    await first.commit(batch(replies=(Reply(CommandId("c-2"), Stage.DONE),), sessions=(session(2, OrderState.FAILED),)))
    epoch = first.journal_id
    await first.close()
    second = await open_store(path, clock)
    found = await second.recover()
    assert found.sessions == (session(1),)
    assert found.limits == (limit,)
    assert found.ledger == (entry,)
    assert found.unfinished == (asked,)
    assert [(row.code, row.subject) for row in found.alarms] == [("METER_LOST", "grid-meter")]
    assert (second.journal_id, second.last_seq) == (epoch, 4)
    await second.close()


async def test_a_demand_window_and_an_expired_limit_come_back_whole(store: Store) -> None:
    """B23, R15: the register at the begin of a window, and the reason of a fail-safe value, outlive a restart."""
    mark = Limit("window:q", LimitSource.DEMAND, (40.0,) * 3, FeederId("grid"), ends_at=1e6, mark_wh=123_456.5)
    over = Limit("k1", LimitSource.CLOUD, (8.0,) * 3, FeederId("grid"), reason=Cause.EXPIRED)
    await store.commit(batch(limits=(mark, over)))
    assert (await store.recover()).limits == (mark, over)


@pytest.mark.parametrize(("quality", "left"), [(ClockQuality.NTP, 480), (ClockQuality.UNSYNCED, 600)])
async def test_limit_after_a_restart_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quality: ClockQuality, left: float
) -> None:
    """R15: what is left by a trusted wall clock; armed in full again without one."""
    clock = RealClock(quality)
    first = await open_store(tmp_path / "siteward.db", clock)
    limit = Limit("l-1", LimitSource.CLOUD, (32.0,) * 3, FeederId("grid"), ends_at=clock.now() + 600)
    await first.commit(batch(limits=(limit,)))
    await first.close()
    monkeypatch.setattr(records_module, "boot_id", lambda: "another boot")
    clock.shift_s = 120.0
    second = await open_store(tmp_path / "siteward.db", clock)
    ends_at = (await second.recover()).limits[0].ends_at
    assert ends_at is not None
    assert ends_at - clock.now() == pytest.approx(left, abs=1)
    await second.close()


@pytest.mark.parametrize(("quality", "left"), [(ClockQuality.NTP, 10), (ClockQuality.UNSYNCED, 0)])
async def test_command_after_a_restart_of_the_machine_never_runs_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quality: ClockQuality, left: float
) -> None:
    """I9: a deadline goes on by a trusted wall clock; without one it has passed."""
    clock = RealClock(quality)
    first = await open_store(tmp_path / "siteward.db", clock)
    now = clock.now()
    asked = replace(request("c-1", received_at=now, deadline=now + 30), received_wall=clock.wall())
    await first.accept(asked, b"raw")
    await first.close()
    monkeypatch.setattr(records_module, "boot_id", lambda: "another boot")
    clock.shift_s = 20.0
    second = await open_store(tmp_path / "siteward.db", clock)
    deadline = (await second.recover()).unfinished[0].deadline
    assert deadline is not None
    assert deadline - clock.now() == pytest.approx(left, abs=1)
    await second.close()


async def test_ack_settles_the_sessions_that_it_covers(store: Store) -> None:
    """Ruling 15: SETTLED = the ack covers session.finished; each session is handed out once per ack, again at start."""
    told: list[SessionId] = []
    store.on_settled = told.extend
    for number in (1, 2, 3):
        await store.commit(finish(number))
    assert not await store.ack(JournalId("another"), 2)
    assert not await store.ack(store.journal_id, 4)
    assert await store.ack(store.journal_id, 2)
    assert await store.ack(store.journal_id, 1)
    assert told == [session(1).id, session(2).id]
    assert store.acked_seq == 2
    assert await store.settled() == tuple(told)
    settled = Fact(EventType.SESSION_SETTLED, {}, session=told[0])
    await store.commit(batch(settled))
    assert await store.settled() == (told[1],)
    kept = await store.session(told[0])
    assert kept is not None
    assert kept.state is OrderState.SETTLED
    assert [s.id for s in (await store.recover()).sessions] == [session(2).id, session(3).id]


async def test_long_polls_wake_with_the_commit(store: Store) -> None:
    """Events and outcomes are seen as soon as they are durable, and no later than the wait."""
    await store.accept(request("c-1"), b"raw")
    loop = asyncio.get_running_loop()
    begin = loop.time()
    waiting = asyncio.gather(store.events(0, wait_s=5), store.request(CommandId("c-1"), wait_s=5))
    await asyncio.sleep(0.05)
    await store.commit(batch(status(1)))
    await store.commit(batch(replies=(Reply(CommandId("c-1"), Stage.DONE),)))
    page, reply = await waiting
    assert loop.time() - begin < 1
    assert len(page.texts) >= 1
    assert reply is not None
    assert reply.stage is Stage.DONE
    assert (await store.events(99, wait_s=0.05)).texts == ()


async def test_users_and_sessions(store: Store) -> None:
    """Users live in core, every change is on record without the secret; sessions come newest first, in pages."""
    ann = Actor("ann", Role.INSTALLER, "192.0.2.7")
    await store.put_user(User("bob", Role.VIEWER, "secret-hash", must_change=True), ann, Source.PANEL)
    await store.put_user(User("bob", Role.TECHNICIAN, "secret-hash"), ann, Source.PANEL)
    assert await store.users() == (User("bob", Role.TECHNICIAN, "secret-hash"),)
    texts = (await store.events(0)).texts
    assert len(texts) == 2
    assert "secret-hash" not in "".join(texts)
    assert json.loads(texts[0])["data"]["actor"]["user"] == "ann"
    await store.commit(batch(sessions=tuple(session(n) for n in range(5))))
    newest = await store.sessions(limit=2)
    assert newest == (session(4), session(3))
    assert await store.sessions(limit=2, before=newest[-1].id) == (session(2), session(1))


async def test_all_or_nothing(store: Store) -> None:
    """A batch that cannot be written whole leaves no row behind, and its neighbours in the same commit stay."""
    bad = batch(status(1), Fact(EventType.CLOCK_CHANGED, {"what": object()}), sessions=(session(1),))
    good, wrong, too = await asyncio.gather(
        store.commit(batch(status(1))), store.commit(bad), store.commit(batch(status(2))), return_exceptions=True
    )
    assert isinstance(wrong, WeAreWrong)
    assert {good, too} == {1, 2}
    assert store.last_seq == 2
    assert await store.session(session(1).id) is None
    assert (await store.verify()).ok


async def test_cancelled_commit_is_whole_and_never_doubled(store: Store) -> None:
    """Finding 9: a caller that is cancelled leaves no open transaction, and its retry does not write twice."""
    for number in range(30):
        one = batch(status(number))
        task = asyncio.create_task(store.commit(one))
        for _ in range(number % 4):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await store.commit(one)
    page = await store.events(0)
    assert [json.loads(text)["data"]["n"] for text in page.texts] == list(range(30))
    assert (await store.verify()).ok


async def test_concurrent_writers_share_commits_without_mixing(store: Store) -> None:
    """Finding 9: no task's rows vanish with another's rollback; seq stays contiguous."""
    seqs = await asyncio.gather(*(store.commit(batch(status(n), status(n))) for n in range(200)))
    assert sorted(seqs) == list(range(2, 401, 2))
    assert (await store.verify()).events == 400


async def test_hostile_data_cannot_stop_the_journal(store: Store) -> None:
    """Data may repeat what strangers sent: numbers that JSON cannot carry become text (fault 46)."""
    data = {"nan": float("nan"), "inf": float("inf"), "huge": 10**30, "half": "\ud800", "deep": ({"a": (1, 2.0)},)}
    await store.audit(EventType.AUDIT_REFUSED, data, None, Source.CLOUD)
    kept = json.loads((await store.events(0)).texts[0])["data"]
    assert kept == {
        "nan": "nan", "inf": "inf", "huge": str(10**30), "half": "?", "deep": [{"a": [1, 2]}], "source": "cloud"
    }  # fmt: skip
    assert (await store.verify()).ok


async def test_closed_store_says_so(tmp_path: Path, clock: RealClock) -> None:
    """After close every call is a StoreError, none hangs."""
    store = await open_store(tmp_path / "siteward.db", clock)
    await store.close()
    with pytest.raises(StoreError):
        await store.commit(batch(status(1)))
    with pytest.raises(StoreError):
        await store.events(0)


async def test_a_flood_of_refusals_is_rationed_for_each_caller_and_counted(store: Store, clock: RealClock) -> None:
    """Faults 46, 52: every request has its answer, the journal a bounded number of notes, the next one the rest."""
    for number in range(40):
        refused = request(f"c-{number}")
        reply = Reply(CommandId(refused.id), Stage.EXPIRED, "EXPIRED", "too late")
        assert await store.refuse(refused, b"raw", reply) == reply
        assert await store.request(CommandId(refused.id)) == reply
    await store.audit(EventType.AUDIT_REFUSED, {"user": "ann"}, None, Source.PANEL)
    await store.audit(EventType.AUDIT_LOGIN, {"user": "ann"}, None, Source.CLOUD)
    events = [json.loads(text) for text in (await store.events(0, 1000)).texts]
    told = [e["data"]["source"] for e in events if e["type"] == "audit.refused"]
    assert (told.count("cloud"), told.count("panel")) == (30, 1)
    assert [e["type"] for e in events].count("audit.login") == 1
    clock.shift_s += 61.0
    await store.audit(EventType.AUDIT_REFUSED, {"via": "mqtt", "leftOut": 3}, None, Source.CLOUD)
    await store.audit(EventType.AUDIT_REFUSED, {"via": "mqtt"}, None, Source.CLOUD)
    last = [json.loads(text)["data"] for text in (await store.events(len(events), 1000)).texts]
    assert last == [{"via": "mqtt", "leftOut": 13, "source": "cloud"}]

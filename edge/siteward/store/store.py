"""The durable side of the station: batches, inbox, events, acknowledgements, sessions, users."""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from siteward.model.batch import Batch
from siteward.model.events import EventPage, EventType, Fact
from siteward.model.ids import CommandId, JournalId, SessionId
from siteward.model.ports import Clock
from siteward.model.recovered import Recovered
from siteward.model.requests import Actor, Reply, Request, Source, Stage
from siteward.model.sessions import SessionRecord
from siteward.model.users import User
from siteward.store import inbox, journal, limits, sessions, standing
from siteward.store.ballast import Ballast
from siteward.store.boot import boot_id
from siteward.store.db import Db
from siteward.store.journal import Verdict
from siteward.store.lock import InstanceLock
from siteward.store.moments import moment

T = TypeVar("T")

EVENTS_KEPT = timedelta(days=30)
"""How long lane B keeps its texts; lane A keeps them for ever (B18)."""

_REPLY_EVENTS: dict[Stage, EventType] = {
    Stage.ACCEPTED: EventType.COMMAND_ACCEPTED,
    Stage.REJECTED: EventType.COMMAND_REJECTED,
    Stage.DONE: EventType.COMMAND_DONE,
    Stage.FAILED: EventType.COMMAND_FAILED,
    Stage.EXPIRED: EventType.COMMAND_EXPIRED,
}


@dataclass(frozen=True, slots=True)
class Parts:
    """What an open store owns; lock None = the caller keeps it."""

    db: Db
    clock: Clock
    ballast: Ballast
    lock: InstanceLock | None


class Store:
    """Made by `open_store`. Every call may raise StoreError; a cancelled call may still take effect, once.

    `on_settled` is called with the sessions whose session.finished a new ack covers.
    """

    def __init__(self, parts: Parts, journal_id: JournalId, last_seq: int, acked_seq: int) -> None:
        self._parts = parts
        self._db = parts.db
        self._clock = parts.clock
        self._boot = boot_id()
        self._journal_id = journal_id
        self._last_seq = last_seq
        self._acked_seq = acked_seq
        self._grown = asyncio.Event()
        self._orphan: tuple[Batch, asyncio.Task[int]] | None = None
        self.on_settled: Callable[[tuple[SessionId, ...]], None] | None = None

    @property
    def journal_id(self) -> JournalId:
        """Epoch of the journal."""
        return self._journal_id

    @property
    def last_seq(self) -> int:
        """Newest durable sequence number."""
        return self._last_seq

    @property
    def acked_seq(self) -> int:
        """Newest sequence number that the platform has."""
        return self._acked_seq

    async def close(self) -> None:
        """Finish what waits, close the file, release the lock."""
        try:
            await self._db.close()
        finally:
            if self._parts.lock is not None:
                self._parts.lock.close()

    # -- the turn ----------------------------------------------------------------------------------------------

    async def recover(self) -> Recovered:
        """State to go on from; sessions are the open ones and the finished ones that are not settled yet."""
        now = moment(self._clock, self._boot)
        return await self._db.read(
            lambda connection: Recovered(
                sessions=sessions.unsettled(connection),
                limits=limits.recover(connection, now),
                ledger=standing.ledger(connection),
                unfinished=inbox.unfinished(connection, now),
                alarms=standing.alarms(connection),
            )
        )

    async def commit(self, batch: Batch) -> int:
        """Make a batch durable, all or nothing, and return the last sequence number.

        When an earlier call with the same batch object was cancelled, this returns that call's outcome: a batch is
        never written twice.
        """
        task = self._taken_up(batch) or asyncio.ensure_future(self._write_batch(batch))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_look)
            self._orphan = (batch, task)
            raise

    async def accept(self, request: Request, raw: bytes) -> Reply | None:
        """Put a request into the inbox. A known id returns its stored latest reply and has no second effect."""
        first = inbox.received(request)
        return await self._write(lambda connection: inbox.insert(connection, request, raw, first, self._boot))

    async def settled(self) -> tuple[SessionId, ...]:
        """Finished sessions that the platform has and that no session.settled follows yet; asked once at start."""
        return await self._db.read(lambda connection: sessions.settled(connection, -1, journal.acked_seq(connection)))

    # -- the callers of the API --------------------------------------------------------------------------------

    async def refuse(self, request: Request, raw: bytes, reply: Reply) -> Reply:
        """Keep a request that is refused before any turn saw it, with an audit event; a known id returns its own."""
        data = {"commandId": request.id, "name": request.name, "stage": reply.stage, "code": reply.code}
        fact = _audit(EventType.AUDIT_REFUSED, data, request.actor, request.source)

        def work(connection: sqlite3.Connection) -> Reply:
            known = inbox.insert(connection, request, raw, reply, self._boot)
            if known is None:
                self._append(connection, (fact,))
            return known or reply

        return await self._write(work)

    async def request(self, command: CommandId, wait_s: float = 0) -> Reply | None:
        """Latest reply of a request; waits up to wait_s for the final one. None = unknown id."""
        return await self._until(
            lambda connection: inbox.find(connection, command),
            lambda reply: reply is None or reply.stage.final,
            wait_s,
        )

    async def events(self, after: int, limit: int = 500, wait_s: float = 0) -> EventPage:
        """Stored events with seq > after, at most limit; waits up to wait_s for the first."""
        return await self._until(
            lambda connection: journal.page(connection, after, limit), lambda page: bool(page.texts), wait_s
        )

    async def ack(self, journal_id: JournalId, seq: int) -> bool:
        """The platform has everything up to seq, noted durably. False: another epoch, or more than there is."""

        def work(connection: sqlite3.Connection) -> tuple[SessionId, ...] | None:
            if journal_id != journal.journal_id(connection) or seq > journal.last_seq(connection):
                return None
            before = journal.acked_seq(connection)
            connection.execute("UPDATE meta SET acked_seq = max(acked_seq, ?)", (seq,))
            return sessions.settled(connection, before, seq)

        newly = await self._write(work, lambda newly: self._acked(seq, newly))
        return newly is not None

    async def sessions(self, limit: int = 50, before: SessionId | None = None) -> tuple[SessionRecord, ...]:
        """Newest first, older than `before`."""
        return await self._db.read(lambda connection: sessions.page(connection, limit, before))

    async def session(self, session: SessionId) -> SessionRecord | None:
        """One session, None when there is none of that id."""
        return await self._db.read(lambda connection: sessions.find(connection, session))

    async def users(self) -> tuple[User, ...]:
        """Everybody, by name."""
        return await self._db.read(standing.users)

    async def put_user(self, user: User, actor: Actor | None, source: Source) -> None:
        """Create or replace a user, with an audit event that never holds the password."""
        data = {"user": user.name, "role": user.role, "mustChange": user.must_change}
        fact = _audit(EventType.AUDIT_USER, data, actor, source)

        def work(connection: sqlite3.Connection) -> None:
            standing.put_user(connection, user)
            self._append(connection, (fact,))

        await self._write(work)

    async def audit(self, kind: EventType, data: Mapping[str, object], actor: Actor | None, source: Source) -> None:
        """Journal an audit event."""
        fact = _audit(kind, data, actor, source)
        await self._write(lambda connection: self._append(connection, (fact,)))

    # -- upkeep ------------------------------------------------------------------------------------------------

    async def verify(self) -> Verdict:
        """Walk the whole hash chain."""
        return await self._db.read(journal.verify)

    async def tidy(self) -> int:
        """Hourly: stub old events of lane B, forget old commands, take the ballast back. Returns rows touched.

        With an untrusted clock nothing is old.
        """
        self._parts.ballast.load()
        if not self._clock.quality().trusted:
            return 0
        now_ms = journal.unix_ms(self._clock.wall())
        events_before = now_ms - round(EVENTS_KEPT.total_seconds() * 1000)
        return await self._write(
            lambda connection: (
                journal.stub_old(connection, events_before) + inbox.forget(connection, now_ms - inbox.KEPT_MS)
            )
        )

    @property
    def ballast_loaded(self) -> bool:
        """False once a full disk has taken the reserve: raise an alarm."""
        return self._parts.ballast.loaded

    # -- inside ------------------------------------------------------------------------------------------------

    def _taken_up(self, batch: Batch) -> asyncio.Task[int] | None:
        """The running or successful task of a cancelled earlier call with this batch."""
        orphan, self._orphan = self._orphan, None
        if orphan is None or orphan[0] is not batch:
            return None
        task = orphan[1]
        return None if task.done() and (task.cancelled() or task.exception() is not None) else task

    async def _write_batch(self, batch: Batch) -> int:
        now, wall = moment(self._clock, self._boot), self._clock.wall()
        facts = batch.facts + tuple(_reply_fact(reply) for reply in batch.replies if reply.stage in _REPLY_EVENTS)

        def work(connection: sqlite3.Connection) -> int:
            sessions.upsert(connection, batch.sessions)
            for reply in batch.replies:
                inbox.answer(connection, reply)
            standing.put_ledger(connection, batch.ledger)
            if batch.limits is not None:
                limits.replace_all(connection, batch.limits, now)
            sessions.follow(connection, journal.append(connection, facts, batch.clock, wall))
            standing.follow_alarms(connection, batch.facts)
            return journal.last_seq(connection)

        return await self._write(work)

    async def _write(self, work: Callable[[sqlite3.Connection], T], after: Callable[[T], None] | None = None) -> T:
        """Write, and tell everybody who waits for news how far the journal is."""

        def whole(connection: sqlite3.Connection) -> tuple[T, int]:
            return work(connection), journal.last_seq(connection)

        def done(outcome: tuple[T, int]) -> None:
            self._last_seq = outcome[1]
            self._grown.set()
            self._grown = asyncio.Event()
            if after is not None:
                after(outcome[0])

        result, _ = await self._db.write(whole, done)
        return result

    def _append(self, connection: sqlite3.Connection, facts: tuple[Fact, ...]) -> None:
        wall: datetime = self._clock.wall()
        journal.append(connection, facts, self._clock.quality(), wall)

    def _acked(self, seq: int, newly: tuple[SessionId, ...] | None) -> None:
        if newly is None:
            return
        self._acked_seq = max(self._acked_seq, seq)
        if newly and self.on_settled is not None:
            self.on_settled(newly)

    async def _until(self, query: Callable[[sqlite3.Connection], T], enough: Callable[[T], bool], wait_s: float) -> T:
        """Ask again after each commit until the answer is enough or the time is over."""
        loop = asyncio.get_running_loop()
        end = loop.time() + wait_s
        while True:
            grown = self._grown
            answer = await self._db.read(query)
            left = end - loop.time()
            if enough(answer) or left <= 0:
                return answer
            try:
                async with asyncio.timeout(left):
                    await grown.wait()
            except TimeoutError:
                return answer


def _reply_fact(reply: Reply) -> Fact:
    """A reply as the command.* event that sync publishes; what it has not is left out."""
    data = {"commandId": reply.command, "stage": reply.stage.value, "code": reply.code, "message": reply.message}
    data_all: dict[str, object] = {**data, "result": reply.result}
    kept = {key: value for key, value in data_all.items() if value is not None}
    return Fact(_REPLY_EVENTS[reply.stage], kept)


def _audit(kind: EventType, data: Mapping[str, object], actor: Actor | None, source: Source) -> Fact:
    """An audit event: what, by whom, from where."""
    who = {} if actor is None else {"user": actor.user, "role": actor.role.value, "address": actor.address}
    return Fact(kind, {**data, "source": source.value, **({"actor": who} if who else {})})


def _look(task: asyncio.Task[int]) -> None:
    """Take note of the end of a task that nobody may ask again."""
    if not task.cancelled():
        task.exception()

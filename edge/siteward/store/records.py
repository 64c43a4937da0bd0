"""The durable side as the callers of the API use it: inbox, events, acknowledgements, sessions, users, audit."""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from siteward.model.alarm_log import AlarmRecord
from siteward.model.events import EventPage, EventType, Fact
from siteward.model.ids import CommandId, JournalId, OrderId, SessionId
from siteward.model.ports import Clock
from siteward.model.ration import Ration
from siteward.model.requests import Actor, Reply, Request, Source
from siteward.model.sessions import SessionRecord
from siteward.model.users import User
from siteward.store import alarm_log, inbox, journal, sessions, standing, tariffs
from siteward.store.ballast import Ballast
from siteward.store.boot import boot_id
from siteward.store.db import Db
from siteward.store.lock import InstanceLock
from siteward.store.soundness import Soundness

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Parts:
    """What an open store owns; lock None = the caller keeps it."""

    db: Db
    clock: Clock
    ballast: Ballast
    soundness: Soundness
    lock: InstanceLock | None


@dataclass(frozen=True, slots=True)
class Head:
    """Epoch, newest sequence number, newest acknowledged one."""

    journal_id: JournalId
    last_seq: int
    acked_seq: int


class Records:
    """Every call may raise StoreError; a cancelled call may still take effect, once.

    `on_settled` is called with the sessions whose session.finished a new ack covers.
    """

    def __init__(self, parts: Parts, head: Head) -> None:
        self._parts = parts
        self._db = parts.db
        self._clock = parts.clock
        self._boot = boot_id()
        self._rations: dict[Source, Ration] = {}
        self._journal_id = head.journal_id
        self._last_seq = head.last_seq
        self._acked_seq = head.acked_seq
        self._grown = asyncio.Event()
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

    async def refuse(self, request: Request, raw: bytes, reply: Reply) -> Reply:
        """Keep a request that is refused before any turn saw it, with an audit event; a known id returns its own."""
        data = {"commandId": request.id, "name": request.name, "stage": reply.stage, "code": reply.code}
        rationed = self._rationed(data, request.source)
        facts = () if rationed is None else (_audit(EventType.AUDIT_REFUSED, rationed, request.actor, request.source),)

        def work(connection: sqlite3.Connection) -> Reply:
            known = inbox.insert(connection, request, raw, reply, self._boot)
            if known is None and facts:
                self._append(connection, facts)
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

    async def charged(self, order: OrderId) -> SessionId | None:
        """The session that was charged on an order and is over, however long ago."""
        return await self._db.read(lambda connection: sessions.charged(connection, order))

    async def tariffs(self) -> tuple[str, ...]:
        """What every tariff says, by id, the newest version first."""
        return await self._db.read(tariffs.documents)

    async def tariff(self, name: str, version: int) -> str | None:
        """What one version says, however long ago it was installed."""
        return await self._db.read(lambda connection: tariffs.document(connection, name, version))

    async def evidence(self, session: SessionId) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The events of a session, and what the tariffs say that price it."""
        return await self._db.read(lambda connection: tariffs.evidence(connection, session))

    async def alarm_log(self, limit: int, before: int | None) -> tuple[AlarmRecord, ...]:
        """Handling records of alarms, newest first, older than the one of that number."""
        return await self._db.read(lambda connection: alarm_log.page(connection, limit, before))

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
        """Journal an audit event; refusals of one caller are rationed, and those left out are counted in the next."""
        rationed = self._rationed(data, source) if kind is EventType.AUDIT_REFUSED else data
        if rationed is None:
            return
        fact = _audit(kind, rationed, actor, source)
        await self._write(lambda connection: self._append(connection, (fact,)))

    def _rationed(self, data: Mapping[str, object], source: Source) -> Mapping[str, object] | None:
        """What to write of a refusal; None where this caller has had its ration: a flood fills no disk."""
        ration = self._rations.setdefault(source, Ration(self._clock.now()))
        if not ration.take(self._clock.now()):
            return None
        left_out = ration.settle()
        before = data.get("leftOut", 0)
        told = left_out + (before if isinstance(before, int) else 0)
        return {**data, "leftOut": told} if left_out else data

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
        journal.append(connection, facts, self._clock.quality(), self._clock.wall())

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


def _audit(kind: EventType, data: Mapping[str, object], actor: Actor | None, source: Source) -> Fact:
    """An audit event: what, by whom, from where."""
    who = {} if actor is None else {"user": actor.user, "role": actor.role.value, "address": actor.address}
    return Fact(kind, {**data, "source": source.value, **({"actor": who} if who else {})})

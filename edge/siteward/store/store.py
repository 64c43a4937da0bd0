"""The store of a station: what the turn makes durable and finds again, and the file's own upkeep."""

import asyncio
import sqlite3
from contextlib import suppress
from datetime import timedelta

from siteward.model.alarms import STATION, Alarm, AlarmCode
from siteward.model.batch import Batch
from siteward.model.errors import StoreError
from siteward.model.events import EventType, Fact
from siteward.model.ids import SessionId
from siteward.model.recovered import Recovered
from siteward.model.requests import Reply, Request, Stage
from siteward.store import alarm_log, inbox, journal, kept, limits, sessions, standing, tariffs
from siteward.store.journal import Verdict
from siteward.store.moments import Moment, moment
from siteward.store.records import Head, Parts, Records

EVENTS_KEPT = timedelta(days=30)
"""How long lane B keeps its texts; lane A keeps them for ever (B18)."""

UPKEEP_S = 3600.0
"""Time between two rounds of tidying."""

_REPLY_EVENTS: dict[Stage, EventType] = {
    Stage.ACCEPTED: EventType.COMMAND_ACCEPTED,
    Stage.REJECTED: EventType.COMMAND_REJECTED,
    Stage.DONE: EventType.COMMAND_DONE,
    Stage.FAILED: EventType.COMMAND_FAILED,
    Stage.EXPIRED: EventType.COMMAND_EXPIRED,
}


def recovered(connection: sqlite3.Connection, now: Moment) -> Recovered:
    """State to go on from; sessions are the open ones and the finished ones that are not settled yet."""
    rows = sessions.unsettled(connection)
    return Recovered(
        sessions=rows,
        limits=limits.recover(connection, now),
        ledger=standing.ledger(connection),
        unfinished=inbox.unfinished(connection, now),
        alarms=alarm_log.standing(connection),
        tariffs=tariffs.needed(connection, now, rows),
        kept=kept.everything(connection),
    )


class Store(Records):
    """Made by `open_store`: model.ports.Journal for the turn, siteward.api.backend.Records for the API's callers."""

    def __init__(self, parts: Parts, head: Head, *, salvaged: bool = False) -> None:
        super().__init__(parts, head)
        self._salvaged = salvaged
        self._orphan: tuple[Batch, asyncio.Task[int]] | None = None
        self._tasks = (
            asyncio.create_task(self._keep_up()),
            asyncio.create_task(parts.soundness.watch(parts.clock)),
        )

    async def close(self) -> None:
        """Finish what waits, close the file, release the lock."""
        for task in self._tasks:
            task.cancel()
        await self._parts.soundness.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            await self._db.close()
        finally:
            if self._parts.lock is not None:
                self._parts.lock.close()

    async def recover(self) -> Recovered:
        """State to go on from; sessions are the open ones and the finished ones that are not settled yet."""
        now = moment(self._clock, self._boot)
        return await self._db.read(lambda connection: recovered(connection, now))

    @property
    def alarms(self) -> frozenset[Alarm]:
        """What is wrong with the records, as far as it is known now; it asks no disk."""
        parts = self._parts
        standing = {
            AlarmCode.STORE_DAMAGED: bool(parts.soundness.damage),
            AlarmCode.STORE_SALVAGED: self._salvaged,
            AlarmCode.STORE_NEARLY_FULL: not parts.ballast.loaded,
        }
        return frozenset(Alarm(code, STATION) for code, stands in standing.items() if stands)

    async def checked(self) -> str:
        """Wait until the whole file has been read; what is wrong with it, empty when it is sound."""
        await self._parts.soundness.checked.wait()
        return self._parts.soundness.damage

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

    async def verify(self) -> Verdict:
        """Walk the whole hash chain."""
        return await self._db.read(journal.verify)

    async def tidy(self) -> int:
        """Stub old events of lane B, forget old commands, take the ballast back; returns the rows touched.

        Runs by itself each hour. With an untrusted clock nothing is old.
        """
        self._parts.ballast.load()
        if not self._clock.quality().trusted:
            return 0
        now_ms = journal.unix_ms(self._clock.wall())
        events_before = now_ms - round(EVENTS_KEPT.total_seconds() * 1000)
        touched = await self._write(lambda connection: inbox.forget(connection, now_ms - inbox.KEPT_MS))
        alarms_before = now_ms - round(alarm_log.KEPT.total_seconds() * 1000)
        touched += await self._write(lambda connection: alarm_log.forget(connection, alarms_before))
        while (
            stubbed := await self._write(lambda connection: journal.stub_old(connection, events_before))
        ) is not None:
            touched += stubbed
        return touched

    @property
    def ballast_loaded(self) -> bool:
        """False once a full disk has taken the reserve."""
        return self._parts.ballast.loaded

    async def _keep_up(self) -> None:
        while True:
            await self._clock.sleep(UPKEEP_S)
            with suppress(StoreError):  # the committer tells of a disk that fails; the next hour tries again
                await self.tidy()

    def _taken_up(self, batch: Batch) -> asyncio.Task[int] | None:
        """The running or successful task of a cancelled earlier call with this batch."""
        orphan, self._orphan = self._orphan, None
        if orphan is None or orphan[0] is not batch:
            return None
        task = orphan[1]
        return None if task.done() and (task.cancelled() or task.exception() is not None) else task

    async def _write_batch(self, batch: Batch) -> int:
        now, wall = moment(self._clock, self._boot), self._clock.wall()

        def work(connection: sqlite3.Connection) -> int:
            told = (reply for reply in batch.replies if reply.stage in _REPLY_EVENTS)
            facts = (*batch.facts, *(_reply_fact(reply, inbox.source(connection, reply.command)) for reply in told))
            sessions.upsert(connection, batch.sessions)
            for reply in batch.replies:
                inbox.answer(connection, reply)
            standing.put_ledger(connection, batch.ledger)
            kept.follow(connection, batch.kept)
            if batch.limits is not None:
                limits.replace_all(connection, batch.limits, now)
            numbered = journal.append(connection, facts, batch.clock, wall)
            sessions.follow(connection, numbered)
            tariffs.follow(connection, numbered)
            alarm_log.follow(connection, batch.facts, wall)
            return journal.last_seq(connection)

        return await self._write(work)


def _reply_fact(reply: Reply, source: str | None) -> Fact:
    """A reply as the command.* event; sync publishes those whose source is the cloud; what it has not is left out."""
    data = {"commandId": reply.command, "stage": reply.stage.value, "code": reply.code, "message": reply.message}
    data_all: dict[str, object] = {**data, "source": source, "result": reply.result}
    kept = {key: value for key, value in data_all.items() if value is not None}
    return Fact(_REPLY_EVENTS[reply.stage], kept)


def _look(task: asyncio.Task[int]) -> None:
    """Take note of the end of a task that nobody may ask again."""
    if not task.cancelled():
        task.exception()

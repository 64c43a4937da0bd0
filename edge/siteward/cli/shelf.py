"""The records of a station whose core does not run: the same answers, read from its database without changing it."""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from siteward.cli.errors import CommandFailed
from siteward.cli.paint import Screen
from siteward.cli.paths import Paths
from siteward.cli.talk import with_core
from siteward.client.bill_messages import EvidenceMessage
from siteward.client.messages import EventsMessage, SessionMessage
from siteward.client.records import AlarmRecordMessage
from siteward.model.errors import ConfigError, StoreError
from siteward.model.ids import SessionId


class Records(Protocol):
    """What was written down; the client of core and the shelf both have it."""

    async def sessions(self, limit: int = 50) -> tuple[SessionMessage, ...]:
        """Sessions, newest first."""
        ...

    async def events(self, after: int, limit: int = 500, wait_s: float = 0) -> EventsMessage:
        """Journal events with seq > after, in order."""
        ...

    async def evidence(self, session: str) -> EvidenceMessage | None:
        """What a session's bill is made from, None when there is none of that id."""
        ...

    async def tariffs(self) -> tuple[dict[str, Any], ...]:
        """Every version of every tariff, as tariff.installed says it."""
        ...

    async def alarm_log(self, limit: int = 50, before: int | None = None) -> tuple[AlarmRecordMessage, ...]:
        """Handling records of alarms, newest first."""
        ...


class Shelf:
    """Implements Records over a read-only connection. Waiting is pointless here: nothing will come."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def sessions(self, limit: int = 50) -> tuple[SessionMessage, ...]:
        """Sessions, newest first."""
        from siteward.store import sessions

        return tuple(SessionMessage.model_validate(row) for row in sessions.page(self._connection, limit, None))

    async def events(self, after: int, limit: int = 500, wait_s: float = 0) -> EventsMessage:
        """Journal events with seq > after, in order."""
        from siteward.store import journal

        page = journal.page(self._connection, after, limit)
        return EventsMessage(
            journal_id=page.journal,
            last_seq=page.last_seq,
            acked_seq=page.acked_seq,
            events=tuple(json.loads(text) for text in page.texts),
        )

    async def evidence(self, session: str) -> EvidenceMessage | None:
        """What a session's bill is made from, None when there is none of that id."""
        from siteward.store import sessions, tariffs

        row = sessions.find(self._connection, SessionId(session))
        if row is None:
            return None
        events, documents = tariffs.evidence(self._connection, row.id)
        return EvidenceMessage(
            session=SessionMessage.model_validate(row),
            events=tuple(json.loads(text) for text in events),
            tariffs=tuple(json.loads(text) for text in documents),
        )

    async def tariffs(self) -> tuple[dict[str, Any], ...]:
        """Every version of every tariff, as tariff.installed says it."""
        from siteward.store import tariffs

        return tuple(json.loads(text) for text in tariffs.documents(self._connection))

    async def alarm_log(self, limit: int = 50, before: int | None = None) -> tuple[AlarmRecordMessage, ...]:
        """Handling records of alarms, newest first."""
        from siteward.store import alarm_log

        rows = alarm_log.page(self._connection, limit, before)
        return tuple(AlarmRecordMessage.model_validate(row) for row in rows)


def with_records(paths: Paths, screen: Screen, verb: Callable[[Records, Screen], Awaitable[int]]) -> int:
    """Run a reading verb against core, or against its database when core does not run.

    Raises CommandFailed when there is neither.
    """
    try:
        return with_core(paths, screen, verb)
    except CommandFailed as gone:
        if gone.code != "CORE_DOWN":
            raise
        return _offline(paths, screen, verb, gone)


def _offline(
    paths: Paths, screen: Screen, verb: Callable[[Records, Screen], Awaitable[int]], gone: CommandFailed
) -> int:
    from siteward.store.offline import offline

    try:
        with offline(paths.database) as connection:
            return asyncio.run(_read(Shelf(connection), screen, verb))
    except (ConfigError, StoreError) as error:
        # Locked: core runs but does not answer. Missing: nothing was ever written. Either way core's own error rules.
        raise CommandFailed(gone.sentence, f"{gone.advice}; its database: {error}", gone.code) from error


async def _read(shelf: Shelf, screen: Screen, verb: Callable[[Records, Screen], Awaitable[int]]) -> int:
    last = (await shelf.events(after=0, limit=1)).last_seq
    newest = (await shelf.events(after=max(0, last - 1), limit=1)).events
    when = str(newest[0].get("occurredAt", "its last retained event")) if newest else "its beginning"
    screen.note(f"core is not running, state of {when}")
    return await verb(shelf, screen)

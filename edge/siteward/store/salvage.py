"""Reads what can still be read of a damaged database, row by row, and writes it into a new one."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from siteward.client.canonical import NotCanonical
from siteward.model.events import ClockQuality, EventType, Fact
from siteward.model.ids import ConnectorId, JournalId, OrderId, SessionId
from siteward.model.ports import Clock
from siteward.model.sessions import SessionRecord
from siteward.store import journal, sessions
from siteward.store.canonical import event_hash

TABLES: dict[str, tuple[str, ...]] = {
    "inbox": ("command_id", "received_ms", "boot", "request", "raw", "reply", "final"),
    "sessions": ("id", "state", "finished_seq", "record"),
    "ledger": ("connector", "confirmed_a", "highest_in_flight_a"),
    "limits": ("id", "position", "record", "boot", "ends_wall_ms", "length_s"),
    "tariffs": ("id", "version", "valid_from_ms", "seq", "record"),
    "alarm_log": ("id", "code", "subject", "raised_at", "raised", "handled", "cleared_ms", "cleared"),
    "kept": ("kind", "key", "record"),
    "users": ("name", "role", "password_hash", "must_change"),
}
"""Tables whose rows are taken over as they are."""

_LOST_IN_A_ROW = 10_000
"""After so many unreadable sequence numbers in a row the journal counts as ended."""


@dataclass(slots=True)
class Salvage:
    """What was saved: rows by table, and the events that the platform has not acknowledged, hashes checked."""

    where: Path
    reason: str
    journal: JournalId | None = None
    acked_seq: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)
    lost: int = 0
    rows: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)

    def report(self) -> dict[str, object]:
        """Data of the audit event."""
        return {
            "reason": self.reason,
            "setAside": self.where.parent.name,
            "journalId": self.journal or "unreadable",
            "ackedSeq": self.acked_seq,
            "events": len(self.events),
            "lostEvents": self.lost,
            "rows": {table: len(rows) for table, rows in self.rows.items()},
        }

    def write(self, connection: sqlite3.Connection, clock: Clock, wall: datetime) -> None:
        """Write everything into a new database; each event says in data.salvagedFrom what it was before."""
        for table, rows in self.rows.items():
            marks = ", ".join("?" * len(TABLES[table]))
            columns = ", ".join(TABLES[table])
            connection.executemany(f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({marks})", rows)  # noqa: S608
        connection.execute("UPDATE sessions SET finished_seq = iif(finished_seq <= ?, 0, NULL)", (self.acked_seq,))
        connection.execute("UPDATE tariffs SET seq = NULL")
        sessions.name_orders(connection)
        for event in self.events:
            self._append(connection, self._fact(event), ClockQuality(event["clock"]), wall)
        for record in sessions.finished_nowhere(connection):
            self._append(connection, self._refound(record), clock.quality(), wall)

    def _append(self, connection: sqlite3.Connection, fact: Fact, quality: ClockQuality, wall: datetime) -> None:
        sessions.follow(connection, journal.append(connection, (fact,), quality, wall))

    def _refound(self, record: SessionRecord) -> Fact:
        """session.finished of a session whose own event was lost: what its record still says, marked as such."""
        data: dict[str, object] = {
            "salvagedFrom": {"journalId": self.journal, "seq": None},
            "startRegister_wh": record.start_register_wh,
            "stopRegister_wh": record.last_register_wh,
            "energy_wh": record.energy_wh,
            "startedAt": record.started_at,
            "endedAt": record.ended_at,
            "stopReason": record.stop_reason,
            "estimated": record.estimated,
        }
        return Fact(
            EventType.SESSION_FINISHED, data, record.connector, record.id, record.order, occurred_at=record.ended_at
        )

    def _fact(self, event: dict[str, Any]) -> Fact:
        ids = {
            "connector": event.get("connectorId"),
            "session": event.get("sessionId"),
            "order": event.get("orderId"),
        }
        return Fact(
            type=EventType(event["type"]),
            data={**event["data"], "salvagedFrom": {"journalId": self.journal, "seq": event["seq"]}},
            connector=ConnectorId(ids["connector"]) if ids["connector"] else None,
            session=SessionId(ids["session"]) if ids["session"] else None,
            order=OrderId(ids["order"]) if ids["order"] else None,
            occurred_at=datetime.fromisoformat(event["occurredAt"]),
        )


def salvage(path: Path, reason: str) -> Salvage:
    """Read a database that was set aside; never raises for what is damaged in it."""
    saved = Salvage(path, reason)
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            # Otherwise SQLite refuses a file that is shorter than its header says; nothing is written here.
            connection.execute("PRAGMA writable_schema = ON")
            connection.execute("PRAGMA query_only = ON")
            _read_meta(connection, saved)
            _read_events(connection, saved)
            for table, columns in TABLES.items():
                saved.rows[table] = list(_rows(connection, table, columns))
    except sqlite3.Error as error:
        saved.reason += f"; {error}"
    return saved


def _read_meta(connection: sqlite3.Connection, saved: Salvage) -> None:
    for row in _attempt(connection, "SELECT journal_id, acked_seq FROM meta"):
        saved.journal, saved.acked_seq = JournalId(str(row[0])), int(row[1])


def _read_events(connection: sqlite3.Connection, saved: Salvage) -> None:
    """Events after the last ack, one by one; an event whose hash does not hold is lost, not passed on."""
    last = next(iter(_attempt(connection, "SELECT max(seq) FROM journal")), (None,))[0]
    seq, missing = saved.acked_seq, 0
    while (seq < last) if last is not None else (missing < _LOST_IN_A_ROW):
        seq += 1
        rows = _attempt(connection, "SELECT text, hash, stub FROM journal WHERE seq = ?", (seq,))
        if rows and rows[0][2] is not None:
            continue
        event = _sound(rows[0][0], rows[0][1], saved.journal) if rows and saved.journal else None
        if event is None:
            missing += 1
        else:
            saved.lost += missing
            missing = 0
            saved.events.append(event)
    if last is not None:
        saved.lost += missing


def _sound(text: object, digest: object, epoch: JournalId) -> dict[str, Any] | None:
    try:
        event = json.loads(str(text))
        if not isinstance(event, dict) or event.get("hash") != digest or event_hash(event, epoch) != digest:
            return None
    except (ValueError, NotCanonical):
        return None
    return event if event.get("type") in set(EventType) else None


def _rows(connection: sqlite3.Connection, table: str, columns: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    """Rows from both ends of the primary key, until the damage is reached from either side."""
    names, key = ", ".join(columns), columns[0]
    seen: set[tuple[Any, ...]] = set()
    for direction in ("ASC", "DESC"):
        query = f"SELECT {names} FROM {table} ORDER BY {key} {direction}"  # noqa: S608 - names of the table above
        for row in _walk(connection, query):
            if row not in seen:
                seen.add(row)
                yield row


def _walk(connection: sqlite3.Connection, query: str) -> Iterator[tuple[Any, ...]]:
    """Rows of a query up to the first that cannot be read."""
    try:
        yield from connection.execute(query)
    except sqlite3.Error:
        return


def _attempt(connection: sqlite3.Connection, query: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
    try:
        return connection.execute(query, values).fetchall()
    except sqlite3.Error:
        return []

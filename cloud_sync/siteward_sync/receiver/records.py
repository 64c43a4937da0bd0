"""The reference platform's memory: one SQLite file, one transaction for whatever arrived together."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from siteward.model.refusals import Refusal
from siteward_sync import topics
from siteward_sync.chain import BrokenChain
from siteward_sync.codec import UP_LIMIT, Opened, open_envelope, read_payload
from siteward_sync.errors import BadMessage, SyncError
from siteward_sync.protocol.v1 import Reply
from siteward_sync.receiver.intake import START, Position, journal_of, late, rest, take_batch

_SCHEMA = """
CREATE TABLE IF NOT EXISTS event (
  station TEXT NOT NULL, journal TEXT NOT NULL, seq INTEGER NOT NULL, type TEXT NOT NULL, occurred_at TEXT,
  session TEXT, body TEXT NOT NULL, PRIMARY KEY (station, journal, seq)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS position (
  station TEXT NOT NULL, journal TEXT NOT NULL, seq INTEGER NOT NULL, hash TEXT,
  PRIMARY KEY (station, journal)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS gap (
  station TEXT NOT NULL, journal TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
  PRIMARY KEY (station, journal, first)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS latest (
  station TEXT NOT NULL, leaf TEXT NOT NULL, sent_at TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (station, leaf)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reply (
  number INTEGER PRIMARY KEY, station TEXT NOT NULL, command TEXT NOT NULL, stage TEXT NOT NULL, body TEXT NOT NULL,
  UNIQUE (station, command, stage)) STRICT;
CREATE TABLE IF NOT EXISTS refused (
  number INTEGER PRIMARY KEY, topic TEXT NOT NULL, code TEXT NOT NULL, detail TEXT NOT NULL) STRICT;
"""
_LATEST = (topics.STATUS, topics.SITE, topics.HEARTBEAT)


class RecordsFailed(SyncError):
    """Stop and let somebody look: the platform's database does not take or give records."""


@dataclass(slots=True)
class Stored:
    """What one transaction changed: positions by (station, journal) to acknowledge, and stations with news."""

    positions: dict[tuple[str, str], int] = field(default_factory=dict)
    refused: int = 0


class Records:
    """Blocking: call it from a worker thread, one call at a time."""

    def __init__(self, path: Path) -> None:
        try:
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise RecordsFailed(f"{path}: {error}") from error

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def store(self, messages: Sequence[tuple[str, bytes]]) -> Stored:
        """Store messages (topic, payload), all or none, durable when it returns. Raises RecordsFailed.

        A message that cannot be accepted is kept as refused; it never stops the others.
        """
        stored = Stored()
        try:
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                for name, payload in messages:
                    self._one(name, payload, stored)
        except sqlite3.Error as error:
            raise RecordsFailed(str(error)) from error
        return stored

    def _one(self, name: str, payload: bytes, stored: Stored) -> None:
        try:
            self._accept(name, payload, stored)
        except (BadMessage, BrokenChain) as bad:
            code = bad.code.value if isinstance(bad, BadMessage) else "BROKEN_CHAIN"
            row = (name[:256], code, str(bad)[:500])
            self._db.execute("INSERT INTO refused (topic, code, detail) VALUES (?, ?, ?)", row)
            stored.refused += 1

    def _accept(self, name: str, payload: bytes, stored: Stored) -> None:
        where = topics.split(name)
        opened = open_envelope(payload, limit=UP_LIMIT)
        if where is None or where[0] != opened.head.station_id:
            raise BadMessage(Refusal.WRONG_STATION, f"says it is {opened.head.station_id}")
        station, leaf = where
        if leaf == topics.EVENTS:
            self._events(station, opened, stored)
        elif leaf == topics.REPLIES:
            self._reply(station, opened)
        elif leaf in _LATEST:
            row = (station, leaf, opened.head.sent_at.isoformat(), opened.raw.decode())
            self._db.execute("INSERT OR REPLACE INTO latest VALUES (?, ?, ?, ?)", row)

    def _events(self, station: str, opened: Opened, stored: Stored) -> None:
        journal = journal_of(opened) or ""
        self._fill(station, journal, opened)
        taken = take_batch(opened, self.position(station, journal))
        if taken.gap is not None:
            self._db.execute("INSERT OR REPLACE INTO gap VALUES (?, ?, ?, ?)", (station, journal, *taken.gap))
        rows = [_row(station, journal, event) for event in taken.new]
        self._db.executemany("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        at = (station, journal, taken.position.seq, taken.position.hash)
        self._db.execute("INSERT OR REPLACE INTO position VALUES (?, ?, ?, ?)", at)
        stored.positions[station, journal] = taken.position.seq

    def _fill(self, station: str, journal: str, opened: Opened) -> None:
        """Store what was asked for again, and forget so much of the gaps."""
        gaps = [(first, last) for name, first, last in self.gaps(station) if name == journal]
        filled = late(opened, gaps)
        if not filled:
            return
        self._db.executemany(
            "INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?, ?, ?, ?)", [_row(station, journal, e) for e in filled]
        )
        seqs = {event["seq"] for event in filled}
        self._db.execute("DELETE FROM gap WHERE station = ? AND journal = ?", (station, journal))
        left = [(station, journal, *gap) for one in gaps for gap in rest(one, seqs)]
        self._db.executemany("INSERT INTO gap VALUES (?, ?, ?, ?)", left)

    def _reply(self, station: str, opened: Opened) -> None:
        reply = read_payload(opened, Reply)
        key = reply.command_id or f"message:{reply.in_reply_to}"
        self._db.execute(
            "INSERT OR IGNORE INTO reply (station, command, stage, body) VALUES (?, ?, ?, ?)",
            (station, key, reply.stage, opened.raw.decode()),
        )

    # -- reads -------------------------------------------------------------------------------------------------

    def _rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        try:
            return self._db.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise RecordsFailed(str(error)) from error

    def position(self, station: str, journal: str) -> Position:
        """The last event stored without a hole before it."""
        rows = self._rows("SELECT seq, hash FROM position WHERE station = ? AND journal = ?", station, journal)
        return Position(*rows[0]) if rows else START

    def events(
        self, station: str, after: int = 0, limit: int = 1000, journal: str | None = None
    ) -> list[dict[str, Any]]:
        """Stored events of a station in order, over all its journals or of one.

        Each journal counts from 1: who reads on behind `after` names the journal that he reads.
        """
        sql = (
            "SELECT body FROM event WHERE station = ? AND seq > ? AND ? IN ('', journal) ORDER BY journal, seq LIMIT ?"
        )
        return [json.loads(body) for (body,) in self._rows(sql, station, after, journal or "", limit)]

    def journals(self, station: str) -> list[str]:
        """Journals of a station, the oldest first: a salvaged or restored station begins a new one."""
        sql = "SELECT journal FROM position WHERE station = ? ORDER BY journal"
        return [name for (name,) in self._rows(sql, station)]

    def latest(self, station: str, leaf: str) -> dict[str, Any] | None:
        """Newest payload of up/status, up/site or up/heartbeat."""
        rows = self._rows("SELECT body FROM latest WHERE station = ? AND leaf = ?", station, leaf)
        value: dict[str, Any] | None = json.loads(rows[0][0]) if rows else None
        return value

    def replies(self, station: str, command: str) -> list[dict[str, Any]]:
        """Replies to a command in order of arrival, each stage once; command may be `message:{messageId}`."""
        sql = "SELECT body FROM reply WHERE station = ? AND command = ? ORDER BY number"
        return [json.loads(body) for (body,) in self._rows(sql, station, command)]

    def refused(self) -> list[tuple[str, str, str]]:
        """What was not accepted: topic, code, detail."""
        return [(a, b, c) for a, b, c in self._rows("SELECT topic, code, detail FROM refused ORDER BY number")]

    def gaps(self, station: str) -> list[tuple[str, int, int]]:
        """Events that this platform acknowledged once and no longer has: journal, first, last.

        REPORT_NOW with `fromSeq` has the station send again what it still keeps of them.
        """
        sql = "SELECT journal, first, last FROM gap WHERE station = ? ORDER BY journal, first"
        return [(a, b, c) for a, b, c in self._rows(sql, station)]

    def stations(self) -> list[str]:
        """Every station that ever said something."""
        return [name for (name,) in self._rows("SELECT DISTINCT station FROM latest ORDER BY station")]


def _row(station: str, journal: str, event: dict[str, Any]) -> tuple[Any, ...]:
    body = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    when, session = event.get("occurredAt"), event.get("sessionId")
    return (station, journal, event["seq"], event["type"], when, session, body)

"""The append-only table of events: append, read, stub, walk the hash chain."""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from siteward.client.canonical import NotCanonical
from siteward.model.events import ClockQuality, EventPage, EventType, Fact, Lane
from siteward.model.ids import JournalId
from siteward.store.canonical import FIRST_HASH, canonical, event, event_hash, seal

STUB_RETENTION = "retention"
"""Why a stub stands in an event's place: its lane's time has run out."""

_LANE_B = Lane.EVENT.value


@dataclass(frozen=True, slots=True)
class Verdict:
    """Result of a walk along the chain; bad_seq is the first event that does not fit, reason says how."""

    ok: bool
    events: int
    stubs: int
    bad_seq: int | None = None
    reason: str = ""


def append(
    connection: sqlite3.Connection, facts: Iterable[Fact], clock: ClockQuality, wall: datetime
) -> list[tuple[int, Fact]]:
    """Seal and insert facts in order; returns them with their sequence numbers."""
    journal = journal_id(connection)
    seq, head = _head(connection)
    written_ms = unix_ms(wall)
    rows = []
    numbered = []
    for fact in facts:
        seq += 1
        text, digest = seal(event(seq, fact, clock, wall, head), journal)
        rows.append((seq, fact.type.value, fact.type.lane.value, written_ms, text, head, digest))
        numbered.append((seq, fact))
        head = digest
    connection.executemany(
        "INSERT INTO journal (seq, type, lane, written_ms, text, prev_hash, hash) VALUES (?, ?, ?, ?, ?, ?, ?)", rows
    )
    return numbered


def page(connection: sqlite3.Connection, after: int, limit: int) -> EventPage:
    """Events after a sequence number, as one consistent picture."""
    connection.execute("BEGIN")
    try:
        journal, acked = connection.execute("SELECT journal_id, acked_seq FROM meta").fetchone()
        last, _ = _head(connection)
        rows = connection.execute("SELECT text FROM journal WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit))
        return EventPage(JournalId(journal), last, acked, tuple(text for (text,) in rows))
    finally:
        connection.execute("COMMIT")


def journal_id(connection: sqlite3.Connection) -> JournalId:
    """The present epoch."""
    return JournalId(connection.execute("SELECT journal_id FROM meta").fetchone()[0])


def last_seq(connection: sqlite3.Connection) -> int:
    """Newest sequence number, 0 in an empty journal."""
    return _head(connection)[0]


def acked_seq(connection: sqlite3.Connection) -> int:
    """Newest sequence number that the platform has."""
    return int(connection.execute("SELECT acked_seq FROM meta").fetchone()[0])


def stub_old(connection: sqlite3.Connection, before_ms: int, limit: int = 1000) -> int | None:
    """Turn the next events of lane B that were written before a time into stubs; returns how many, None at the end.

    seq is the order of time: an event is also old when a later one is, whatever a wrong clock wrote beside it. A
    pointer instead of an index spares each commit a page of the disk's life.
    """
    rows = connection.execute(
        "SELECT seq, lane, written_ms, hash FROM journal, meta WHERE seq > tidied_seq ORDER BY seq LIMIT ?", (limit,)
    ).fetchall()
    old = max((i + 1 for i, row in enumerate(rows) if row[2] < before_ms), default=0)
    if not old:
        return None
    stubs = [(_stub_text(seq, digest), STUB_RETENTION, seq) for seq, lane, _, digest in rows[:old] if lane == _LANE_B]
    connection.executemany("UPDATE journal SET text = ?, stub = ? WHERE seq = ?", stubs)
    connection.execute("UPDATE meta SET tidied_seq = ?", (rows[old - 1][0],))
    return len(stubs)


def verify(connection: sqlite3.Connection) -> Verdict:
    """Walk the whole chain: a changed byte, a hole and a foreign row are found; a cut-off end needs a checkpoint."""
    journal = journal_id(connection)
    expected, head, stubs = 1, FIRST_HASH, 0
    rows = connection.execute("SELECT seq, text, prev_hash, hash, stub FROM journal ORDER BY seq")
    for seq, text, prev_hash, digest, stub in rows:
        reason = _misfit(expected, head, (seq, text, prev_hash, digest), stub, journal)
        if reason:
            return Verdict(False, expected - 1, stubs, expected, reason)
        stubs += stub is not None
        expected, head = seq + 1, digest
    return Verdict(True, expected - 1, stubs)


def _misfit(expected: int, head: str, row: tuple[int, str, str, str], stub: str | None, journal: JournalId) -> str:
    """How a row does not fit behind the chain's head, empty when it does."""
    seq, text, prev_hash, digest = row
    if seq != expected:
        return f"event {expected} is missing"
    if prev_hash != head:
        return "prevHash is not the hash of the event before"
    if stub is not None:
        return "" if text == _stub_text(seq, digest) else "the stub was changed"
    return _text_misfit(seq, text, prev_hash, digest, journal)


def _text_misfit(seq: int, text: str, prev_hash: str, digest: str, journal: JournalId) -> str:
    try:
        body = json.loads(text)
        same = isinstance(body, dict) and canonical(body).decode() == text
    except NotCanonical:
        same = False
    except ValueError:
        return "the text is no JSON"
    if not same:
        return "the text is not the canonical one"
    if (body.get("seq"), body.get("prevHash"), body.get("hash")) != (seq, prev_hash, digest):
        return "the text and its columns differ"
    return "" if event_hash(body, journal) == digest else "the hash does not match the text"


def _stub_text(seq: int, digest: str) -> str:
    stub = {"seq": seq, "type": EventType.JOURNAL_STUB.value, "reason": STUB_RETENTION, "hash": digest}
    return canonical(stub).decode()


def _head(connection: sqlite3.Connection) -> tuple[int, str]:
    row = connection.execute("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
    return (0, FIRST_HASH) if row is None else (int(row[0]), str(row[1]))


def unix_ms(moment: datetime) -> int:
    """Milliseconds since 1970."""
    return round(moment.timestamp() * 1000)

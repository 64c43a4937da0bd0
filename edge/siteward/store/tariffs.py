"""Tariffs as the journal installed them, and everything in it that a session's bill is made from."""

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime

from siteward.client.tariff_form import BadTariff, installed
from siteward.model.errors import StoreError
from siteward.model.events import ClockQuality, EventType, Fact
from siteward.model.ids import SessionId
from siteward.model.sessions import SessionRecord
from siteward.model.tariff import Tariff
from siteward.store.canonical import canonical, plain
from siteward.store.journal import unix_ms
from siteward.store.moments import Moment


def follow(connection: sqlite3.Connection, numbered: list[tuple[int, Fact]]) -> None:
    """Remember where tariffs were installed; a version that is there keeps its content, bills are made with it."""
    for seq, fact in numbered:
        if fact.type is EventType.TARIFF_INSTALLED:
            valid_ms = unix_ms(datetime.fromisoformat(str(fact.data["validFrom"])))
            row = (fact.data["tariffId"], fact.data["version"], valid_ms, seq, _text(fact))
            connection.execute(
                "INSERT OR IGNORE INTO tariffs (id, version, valid_from_ms, seq, record) VALUES (?, ?, ?, ?, ?)", row
            )


def _text(fact: Fact) -> str:
    data = plain(fact.data)
    return canonical(data if isinstance(data, dict) else {}).decode()


def needed(connection: sqlite3.Connection, now: Moment, sessions: Iterable[SessionRecord]) -> tuple[Tariff, ...]:
    """The versions in force, those to come, and those that sessions are priced by. Raises StoreError for a bad one.

    Without a trusted clock those in force are of the newest time that is sure: it can only be later by now.
    """
    pinned = {(row.tariff, row.tariff_version) for row in sessions}
    pinned |= {(part.tariff, part.version) for row in sessions for part in row.segments}
    now_ms = unix_ms(now.wall) if now.trusted else _sure_ms(connection)
    rows = connection.execute(
        "SELECT id, version, valid_from_ms, record FROM tariffs ORDER BY id, version DESC"
    ).fetchall()
    found, in_force = [], set()
    for name, version, valid_ms, text in rows:
        # From the highest version down: the first that is valid prices new sessions, no lower one ever will again.
        if name not in in_force or (name, version) in pinned:
            found.append(_read(name, version, text))
        if valid_ms <= now_ms:
            in_force.add(name)
    return tuple(reversed(found))


def _sure_ms(connection: sqlite3.Connection) -> int:
    """When the newest event of a trusted clock was written; long ago where there is none."""
    newest = connection.execute(
        "SELECT written_ms FROM journal WHERE stub IS NULL AND instr(text, ?) = 0 ORDER BY seq DESC LIMIT 1",
        (f'"clock":"{ClockQuality.UNSYNCED}"',),
    ).fetchone()
    return -(1 << 62) if newest is None else int(newest[0])


def _read(name: str, version: int, text: str) -> Tariff:
    try:
        return installed(json.loads(text))
    except (BadTariff, ValueError) as error:
        raise StoreError(f"tariff {name} version {version} cannot be read: {error}") from error


def documents(connection: sqlite3.Connection) -> tuple[str, ...]:
    """What every tariff says, by id, the newest version first."""
    rows = connection.execute("SELECT record FROM tariffs ORDER BY id, version DESC")
    return tuple(text for (text,) in rows)


def document(connection: sqlite3.Connection, name: str, version: int) -> str | None:
    """What one version says."""
    row = connection.execute("SELECT record FROM tariffs WHERE id = ? AND version = ?", (name, version)).fetchone()
    return None if row is None else str(row[0])


def evidence(connection: sqlite3.Connection, session: SessionId) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The events of a session, and what the tariffs say that price it: journal texts, as they were hashed."""
    row = connection.execute("SELECT created_seq FROM sessions WHERE id = ?", (session,)).fetchone()
    if row is None:
        return (), ()
    texts = tuple(
        text
        for (text,) in connection.execute(
            "SELECT text FROM journal WHERE seq >= ? AND lane = 'money' AND instr(text, ?) ORDER BY seq",
            (row[0] or 0, session),
        )
    )
    events = tuple(text for text in texts if json.loads(text).get("sessionId") == session)
    return events, tuple(_installed(connection, name, version) for name, version in _named(events))


def _named(events: Iterable[str]) -> list[tuple[str, int]]:
    """Tariffs that the events of a session speak of."""
    data = [json.loads(text)["data"] for text in events]
    return sorted(
        {
            (one["tariffId"], one["tariffVersion"])
            for one in data
            if one.get("tariffVersion") is not None and one.get("tariffId")
        }
    )


def _installed(connection: sqlite3.Connection, name: str, version: int) -> str:
    """Data of tariff.installed, out of the journal where it has it."""
    row = connection.execute("SELECT seq, record FROM tariffs WHERE id = ? AND version = ?", (name, version)).fetchone()
    if row is None:
        return "{}"
    event = connection.execute("SELECT text FROM journal WHERE seq = ?", (row[0],)).fetchone()
    return str(row[1]) if event is None else canonical(json.loads(event[0])["data"]).decode()

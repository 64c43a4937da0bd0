"""Sessions by id, and which of the finished ones the platform has acknowledged."""

import sqlite3
from dataclasses import replace

from pydantic import TypeAdapter

from siteward.model.events import EventType, Fact
from siteward.model.ids import OrderId, SessionId
from siteward.model.sessions import OrderState, SessionRecord

_SESSION = TypeAdapter(SessionRecord)
_UNSETTLED = tuple(state.value for state in OrderState if state.open or state is OrderState.FINISHED)
_USED = tuple(state.value for state in OrderState if state.used)


def upsert(connection: sqlite3.Connection, records: tuple[SessionRecord, ...]) -> None:
    """Replace sessions by id; the sequence number of the finishing event stays."""
    connection.executemany(
        "INSERT INTO sessions (id, state, record, order_id) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE"
        " SET state = excluded.state, record = excluded.record, order_id = excluded.order_id",
        [(record.id, record.state.value, _SESSION.dump_json(record).decode(), record.order) for record in records],
    )


def follow(connection: sqlite3.Connection, numbered: list[tuple[int, Fact]]) -> None:
    """Remember where sessions began and finished in the journal, and that they are settled."""
    for seq, fact in numbered:
        if fact.type is EventType.SESSION_CREATED and fact.session is not None:
            connection.execute("UPDATE sessions SET created_seq = ? WHERE id = ?", (seq, fact.session))
        elif fact.type is EventType.SESSION_FINISHED and fact.session is not None:
            connection.execute("UPDATE sessions SET finished_seq = ? WHERE id = ?", (seq, fact.session))
        elif fact.type is EventType.SESSION_SETTLED and fact.session is not None:
            _settle(connection, fact.session)


def settled(connection: sqlite3.Connection, after_seq: int, upto_seq: int) -> tuple[SessionId, ...]:
    """Finished sessions whose finishing event lies in (after_seq, upto_seq] and that are not settled yet."""
    rows = connection.execute(
        "SELECT id FROM sessions WHERE state = ? AND finished_seq > ? AND finished_seq <= ? ORDER BY finished_seq",
        (OrderState.FINISHED.value, after_seq, upto_seq),
    )
    return tuple(SessionId(row[0]) for row in rows)


def unsettled(connection: sqlite3.Connection) -> tuple[SessionRecord, ...]:
    """Sessions that still hold a connector and finished ones that wait for the platform, oldest first."""
    marks = ", ".join("?" * len(_UNSETTLED))
    rows = connection.execute(f"SELECT record FROM sessions WHERE state IN ({marks}) ORDER BY id", _UNSETTLED)  # noqa: S608
    return tuple(_SESSION.validate_json(text) for (text,) in rows)


def finished_nowhere(connection: sqlite3.Connection) -> tuple[SessionRecord, ...]:
    """Finished sessions without a place in the journal: only a salvage leaves such."""
    rows = connection.execute(
        "SELECT record FROM sessions WHERE state = ? AND finished_seq IS NULL ORDER BY id", (OrderState.FINISHED.value,)
    )
    return tuple(_SESSION.validate_json(text) for (text,) in rows)


def page(connection: sqlite3.Connection, limit: int, before: SessionId | None) -> tuple[SessionRecord, ...]:
    """Newest first (ids are ULIDs), older than `before`."""
    rows = connection.execute(
        "SELECT record FROM sessions WHERE ? IS NULL OR id < ? ORDER BY id DESC LIMIT ?", (before, before, limit)
    )
    return tuple(_SESSION.validate_json(text) for (text,) in rows)


def find(connection: sqlite3.Connection, session: SessionId) -> SessionRecord | None:
    """One session."""
    row = connection.execute("SELECT record FROM sessions WHERE id = ?", (session,)).fetchone()
    return None if row is None else _SESSION.validate_json(row[0])


def charged(connection: sqlite3.Connection, order: OrderId) -> SessionId | None:
    """The session that was charged on an order and is over."""
    marks = ", ".join("?" * len(_USED))
    asked = f"SELECT id FROM sessions WHERE order_id = ? AND state IN ({marks}) ORDER BY id LIMIT 1"  # noqa: S608
    row = connection.execute(asked, (order, *_USED)).fetchone()
    return None if row is None else SessionId(row[0])


def name_orders(connection: sqlite3.Connection) -> None:
    """Read the orders of records that came from elsewhere; what is no record has none."""
    connection.execute("UPDATE sessions SET order_id = json_extract(record, '$.order') WHERE json_valid(record)")


def _settle(connection: sqlite3.Connection, session: SessionId) -> None:
    record = find(connection, session)
    if record is not None and record.state is OrderState.FINISHED:
        upsert(connection, (replace(record, state=OrderState.SETTLED),))

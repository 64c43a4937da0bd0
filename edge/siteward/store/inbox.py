"""Requests with their latest reply: a command id acts at most once, for seven days and across restarts (I8)."""

import sqlite3
from dataclasses import replace

from pydantic import TypeAdapter

from siteward.model.ids import CommandId
from siteward.model.requests import Reply, Request, Stage
from siteward.store.journal import unix_ms
from siteward.store.moments import Moment

KEPT_MS = 7 * 24 * 3600 * 1000
"""How long an id is known."""

_REQUEST = TypeAdapter(Request)
_REPLY = TypeAdapter(Reply)


def insert(connection: sqlite3.Connection, request: Request, raw: bytes, reply: Reply, boot: str) -> Reply | None:
    """Keep a request with its first reply; a known id keeps what it has and returns its latest reply."""
    known = find(connection, request.id)
    if known is not None:
        return known
    connection.execute(
        "INSERT INTO inbox (command_id, received_ms, boot, request, raw, reply, final) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            request.id,
            unix_ms(request.received_wall),
            boot,
            _REQUEST.dump_json(request).decode(),
            raw,
            _text(reply),
            reply.stage.final,
        ),
    )
    return None


def answer(connection: sqlite3.Connection, reply: Reply) -> None:
    """Replace a request's reply by a newer one; a final one stands for ever (I10)."""
    connection.execute(
        "UPDATE inbox SET reply = ?, final = ? WHERE command_id = ? AND final = 0",
        (_text(reply), reply.stage.final, reply.command),
    )


def find(connection: sqlite3.Connection, command: CommandId) -> Reply | None:
    """Latest reply of a request, None for an unknown id."""
    row = connection.execute("SELECT reply FROM inbox WHERE command_id = ?", (command,)).fetchone()
    return None if row is None else _REPLY.validate_json(row[0])


def source(connection: sqlite3.Connection, command: CommandId) -> str | None:
    """Where a request entered, None for an unknown id."""
    row = connection.execute("SELECT json_extract(request, '$.source') FROM inbox WHERE command_id = ?", (command,))
    found = row.fetchone()
    return None if found is None else str(found[0])


def unfinished(connection: sqlite3.Connection, moment: Moment) -> tuple[Request, ...]:
    """Requests without a final reply, oldest first, their times moved onto the present boot clock."""
    rows = connection.execute("SELECT request, boot FROM inbox WHERE final = 0 ORDER BY received_ms, command_id")
    return tuple(_moved(_REQUEST.validate_json(text), boot, moment) for text, boot in rows)


def forget(connection: sqlite3.Connection, before_ms: int) -> int:
    """Drop answered requests received before a time; returns how many."""
    return connection.execute("DELETE FROM inbox WHERE final = 1 AND received_ms < ?", (before_ms,)).rowcount


def _moved(request: Request, boot: str, moment: Moment) -> Request:
    """After a restart of the machine a deadline counts by a trusted wall clock, else it has passed."""
    if boot and boot == moment.boot:
        return request
    age_s = (moment.wall - request.received_wall).total_seconds()
    received_at = moment.now - age_s if moment.trusted else moment.now
    if request.deadline is None:
        return replace(request, received_at=received_at)
    length_s = request.deadline - request.received_at
    deadline = received_at + length_s if moment.trusted else moment.now
    return replace(request, received_at=received_at, deadline=deadline)


def _text(reply: Reply) -> str:
    return _REPLY.dump_json(reply).decode()


def received(request: Request) -> Reply:
    """The first reply of a request that a turn will see."""
    return Reply(request.id, Stage.RECEIVED)

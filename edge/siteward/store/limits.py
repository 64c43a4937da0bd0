"""Limits in force, with a validity that survives restarts of the process and of the machine (R15)."""

import sqlite3
from dataclasses import replace

from pydantic import TypeAdapter

from siteward.model.limits import Limit
from siteward.store.journal import unix_ms
from siteward.store.moments import Moment

_LIMIT = TypeAdapter(Limit)


def replace_all(connection: sqlite3.Connection, limits: tuple[Limit, ...], moment: Moment) -> None:
    """Store the whole list; a limit that did not change keeps the full length of its validity."""
    before = {row[0]: row for row in connection.execute("SELECT id, record, boot, length_s FROM limits")}
    connection.execute("DELETE FROM limits")
    for position, limit in enumerate(limits):
        text = _LIMIT.dump_json(limit).decode()
        remaining = None if limit.ends_at is None else limit.ends_at - moment.now
        ends_ms = None if remaining is None else unix_ms(moment.wall) + round(remaining * 1000)
        old = before.get(limit.id)
        length_s = old[3] if old is not None and (old[1], old[2]) == (text, moment.boot) else remaining
        connection.execute(
            "INSERT INTO limits (id, position, record, boot, ends_wall_ms, length_s) VALUES (?, ?, ?, ?, ?, ?)",
            (limit.id, position, text, moment.boot, ends_ms, length_s),
        )


def recover(connection: sqlite3.Connection, moment: Moment) -> tuple[Limit, ...]:
    """Every limit with its end on the present boot clock; one that ended meanwhile is returned with an end in the past,
    so that the decision lets its on_expiry happen."""
    rows = connection.execute("SELECT record, boot, ends_wall_ms, length_s FROM limits ORDER BY position")
    return tuple(_moved(_LIMIT.validate_json(text), boot, ends, length, moment) for text, boot, ends, length in rows)


def _moved(limit: Limit, boot: str, ends_ms: int | None, length_s: float | None, moment: Moment) -> Limit:
    if limit.ends_at is None or ends_ms is None or length_s is None or (boot and boot == moment.boot):
        return limit
    remaining = (ends_ms - unix_ms(moment.wall)) / 1000 if moment.trusted else length_s
    return replace(limit, ends_at=moment.now + min(remaining, length_s))

"""The handling record of alarms, kept in step with the journal's alarm.* events in the same transaction."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta

from siteward.model.alarm_log import AlarmRecord, Handling
from siteward.model.events import EventType, Fact

KEPT = timedelta(days=400)
"""How long the record of an ended alarm is kept: a year can be compared with the one before."""

_COLUMNS = "id, code, subject, raised_at, raised, handled, cleared_ms, cleared"


def follow(connection: sqlite3.Connection, facts: tuple[Fact, ...], wall: datetime) -> None:
    """Write down what a batch says about alarms; data names code and subject."""
    for fact in facts:
        at = fact.occurred_at or wall
        key = (str(fact.data.get("code", "")), str(fact.data.get("subject", "")))
        if fact.type is EventType.ALARM_RAISED:
            row = (*key, str(fact.data.get("raisedAt") or at.isoformat()), json.dumps(dict(fact.data)))
            connection.execute(
                "INSERT OR IGNORE INTO alarm_log (code, subject, raised_at, raised) VALUES (?, ?, ?, ?)", row
            )
        elif fact.type is EventType.ALARM_ACKNOWLEDGED:
            note = json.dumps({**_who(fact), "at": at.isoformat()})
            connection.execute(
                "UPDATE alarm_log SET handled = json_insert(handled, '$[#]', json(?))"
                " WHERE code = ? AND subject = ? AND cleared_ms IS NULL",
                (note, *key),
            )
        elif fact.type is EventType.ALARM_CLEARED:
            connection.execute(
                "UPDATE alarm_log SET cleared_ms = ?, cleared = ?"
                " WHERE code = ? AND subject = ? AND cleared_ms IS NULL",
                (round(at.timestamp() * 1000), json.dumps(dict(fact.data)), *key),
            )


def standing(connection: sqlite3.Connection) -> tuple[AlarmRecord, ...]:
    """Alarms that stand, by code and subject."""
    query = f"SELECT {_COLUMNS} FROM alarm_log WHERE cleared_ms IS NULL ORDER BY code, subject"  # noqa: S608
    return tuple(_record(row) for row in connection.execute(query))


def page(connection: sqlite3.Connection, limit: int, before: int | None) -> tuple[AlarmRecord, ...]:
    """Records, newest first, older than the one of that number."""
    query = f"SELECT {_COLUMNS} FROM alarm_log WHERE id < ? ORDER BY id DESC LIMIT ?"  # noqa: S608
    rows = connection.execute(query, (before if before is not None else 1 << 62, limit))
    return tuple(_record(row) for row in rows)


def forget(connection: sqlite3.Connection, before_ms: int) -> int:
    """Drop the records of alarms that ended before a time; returns how many."""
    return connection.execute("DELETE FROM alarm_log WHERE cleared_ms < ?", (before_ms,)).rowcount


def _who(fact: Fact) -> dict[str, object]:
    return {key: fact.data[key] for key in ("source", "actor", "note") if key in fact.data}


def _record(row: tuple[int, str, str, str, str, str, int | None, str | None]) -> AlarmRecord:
    number, code, subject, raised_at, raised, handled, cleared_ms, cleared = row
    told, end = json.loads(raised), json.loads(cleared or "{}")
    ended_at = None if cleared_ms is None else datetime.fromtimestamp(cleared_ms / 1000, UTC)
    return AlarmRecord(
        code=code,
        subject=subject,
        severity=str(told.get("severity", "")),
        raised_at=_moment(raised_at),
        text_en=str(told.get("textEn", "")),
        text_zh=str(told.get("textZh", "")),
        count=int(end.get("count", 1)),
        notes=tuple(_handling(note, _moment(note["at"])) for note in json.loads(handled)),
        cleared_at=ended_at,
        cleared_by=_handling(end, ended_at) if "source" in end and ended_at is not None else None,
        followers=tuple(told.get("followers", ())),
        rule=told.get("rule"),
        value=told.get("value"),
        bound=told.get("bound"),
        number=number,
    )


def _handling(data: dict[str, object], at: datetime | None) -> Handling:
    who = data.get("actor")
    actor = who if isinstance(who, dict) else {}
    return Handling(
        at=at or _UNKNOWN,
        source=str(data.get("source", "")),
        user=actor.get("user"),
        role=actor.get("role"),
        note=str(data.get("note", "")),
    )


_UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None

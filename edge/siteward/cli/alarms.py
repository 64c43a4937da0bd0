"""`alarms`: what stands and what was, taking one on with a note, ending one, and a test of the outputs."""

import asyncio
import getpass
import secrets
from typing import Any

from siteward.cli.act import send, stamp
from siteward.cli.errors import CommandFailed
from siteward.cli.paint import Grid, Part, Screen
from siteward.cli.shelf import Records
from siteward.client.client import Client
from siteward.client.messages import ActorMessage, AlarmMessage
from siteward.client.records import AlarmRecordMessage
from siteward.model.alarms import Severity
from siteward.model.events import EventType
from siteward.model.requests import CommandName, Role

_WORST_FIRST = {severity.value: severity.rank for severity in Severity}
TEST_WAIT_S = 60.0
ANSWER_S = 10.0


async def standing(client: Client, screen: Screen) -> int:
    """Show what stands, the worst first; 1 when something of the highest class does."""
    rows = sorted((await client.live()).alarms, key=lambda a: (_WORST_FIRST.get(a.severity, 0), a.raised_at))
    if screen.as_json:
        screen.data([row.model_dump(mode="json", by_alias=True) for row in rows])
    else:
        screen.show([part for row in rows for part in _standing(row)] or ["no alarms"])
    return 1 if any(row.severity == Severity.HIGHEST for row in rows) else 0


def _standing(row: AlarmMessage) -> list[Part]:
    figure = "" if row.value is None else f", {row.value:g} {row.unit or ''} (bound {row.bound:g})"
    count = f", came {row.count} times" if row.count > 1 else ""
    gone = "" if row.active else ", cause gone for now"
    lines = [
        f"{row.severity.upper()} {name_of(row.code, row.subject)} since {row.raised_at:%Y-%m-%d %H:%M:%S} UTC"
        f"{count}{gone}{figure}",
        f"  {row.text_en}",
        f"  {row.text_zh}",
    ]
    if row.followers:
        lines.append(f"  behind it ({len(row.followers)}): {', '.join(row.followers)}")
    lines += [f"  {n.user or n.source} {n.at:%m-%d %H:%M}: {n.note or 'taken on'}" for n in row.notes]
    return list(lines)


async def history(records: Records, screen: Screen, limit: int) -> int:
    """Show the record of alarms, newest first, with durations."""
    rows = await records.alarm_log(limit=limit)
    if screen.as_json:
        screen.data([row.model_dump(mode="json", by_alias=True) for row in rows])
        return 0
    columns = ("alarm", "severity", "rose (UTC)", "stood", "times", "taken on by", "ended by", "note")
    screen.show([Grid("", columns, [_past(row) for row in rows], frozenset({"times"}))])
    return 0


def _past(row: AlarmRecordMessage) -> tuple[str, ...]:
    took = ", ".join(dict.fromkeys(note.user or note.source for note in row.notes))
    notes = "; ".join(note.note for note in row.notes if note.note)
    ended = "" if row.cleared_at is None else "by itself"
    if row.cleared_by is not None:
        ended = row.cleared_by.user or row.cleared_by.source
    rose = "" if row.raised_at is None else f"{row.raised_at:%Y-%m-%d %H:%M:%S}"
    return name_of(row.code, row.subject), row.severity, rose, _stood(row), str(row.count), took, ended, notes


def _stood(row: AlarmRecordMessage) -> str:
    if row.cleared_at is None:
        return "stands"
    if row.raised_at is None:
        return "?"
    minutes, seconds = divmod(max(0, int((row.cleared_at - row.raised_at).total_seconds())), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"


def name_of(code: str, subject: str) -> str:
    """The name by which a standing alarm is called on the command line."""
    return f"{code}.{subject}"


async def handle(client: Client, screen: Screen, name: CommandName, which: str, note: str) -> int:
    """Take an alarm on, or end it. Raises CommandFailed when no such alarm stands."""
    rows = (await client.live()).alarms
    found = [row for row in rows if which in (name_of(row.code, row.subject), row.code, row.subject)]
    if len(found) != 1:
        known = ", ".join(name_of(row.code, row.subject) for row in found or rows) or "none"
        what = "names more than one alarm" if found else "is no alarm that stands"
        raise CommandFailed(f"{which} {what}", f"there are: {known}", "UNKNOWN_TARGET")
    row = found[0]
    params: dict[str, Any] = {"code": row.code, "subject": row.subject}
    params |= {"raisedAt": stamp(row.raised_at), "note": note}
    return await send(client, screen, name, "station", params, ANSWER_S, person())


def person() -> ActorMessage:
    """Whoever sits at the console: the name that he logged in with, for the record."""
    return ActorMessage(user=getpass.getuser()[:64], role=Role.INSTALLER.value)


async def try_outputs(client: Client, screen: Screen, output: str | None, wait_s: float = TEST_WAIT_S) -> int:
    """Have a test sent through the outputs and say what came of it; 1 when one failed or none answered."""
    after = (await client.events(after=0, limit=1)).last_seq
    mark = secrets.token_hex(4)
    await client.audit(EventType.AUDIT_OUTPUT_TEST.value, {"test": mark} | ({"output": output} if output else {}))
    loop = asyncio.get_running_loop()
    results: dict[str, dict[str, Any]] = {}
    end, expected = loop.time() + wait_s, 1
    while len(results) < expected and loop.time() < end:
        page = await client.events(after=after, limit=200, wait_s=min(5.0, max(0.1, end - loop.time())))
        for event in page.events:
            after, data = int(event["seq"]), dict(event.get("data", {}))
            if event["type"] == EventType.AUDIT_NOTIFIED and data.get("test") == mark:
                results[str(data.get("output"))] = data
                expected = max(expected, int(data.get("of", 1)))
    if not results:
        raise CommandFailed(
            "no output answered", "does sync run, and has site.toml an [[output]]? `siteward status` shows", "NO_OUTPUT"
        )
    if screen.as_json:
        screen.data(list(results.values()))
    else:
        told = {n: "delivered" if r.get("ok") else f"FAILED: {r.get('error')}" for n, r in results.items()}
        screen.show([f"{name}: {text}" for name, text in told.items()])
    return 0 if all(row.get("ok") for row in results.values()) and len(results) >= expected else 1

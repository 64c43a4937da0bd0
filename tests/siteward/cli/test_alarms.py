"""S-54, S-79, S-89: alarms and reports at the command line, against a real local API."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from siteward.model.alarm_log import AlarmRecord, Handling
from siteward.model.events import EventType
from tests.fixtures.core import FakeCore
from tests.siteward.cli.shell import Shell

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


async def test_what_stands_is_told_in_both_languages(core: FakeCore, shell: Shell) -> None:
    """S-54."""
    view = core.live()
    assert view is not None
    alarm = view.alarms[0]
    _, out, _ = await shell("alarms", "list")
    for said in (f"{alarm.code}.{alarm.subject}", alarm.text_en, alarm.text_zh):
        assert said in out, said


async def test_an_alarm_is_taken_on_by_the_name_of_whoever_sits_there(core: FakeCore, shell: Shell) -> None:
    """I16: the request names exactly the alarm that was seen."""
    view = core.live()
    assert view is not None
    alarm = view.alarms[0]
    status, _, err = await shell("alarms", "ack", f"{alarm.code}.{alarm.subject}", "--note", "on my way")
    assert (status, err) == (0, "")
    request = list(core.requests.values())[-1]
    assert request.params is not None
    assert (request.name, request.params["note"]) == ("ACK_ALARM", "on my way")
    assert (request.params["code"], request.params["subject"]) == (alarm.code, alarm.subject)
    assert request.actor is not None
    assert request.actor.user
    status, _, err = await shell("alarms", "ack", "LINE_LOST.nowhere")
    assert status == 1
    assert f"{alarm.code}.{alarm.subject}" in err


async def test_the_record_has_durations_and_people(core: FakeCore, shell: Shell) -> None:
    """S-54."""
    note = Handling(AT + timedelta(minutes=1), "panel", "ann", "technician", "fuse replaced")
    core.alarm_rows = [
        AlarmRecord("LINE_LOST", "rs485-1", "high", AT, "", "", 3, (note,), AT + timedelta(hours=1), note, number=1),
        AlarmRecord("DISK_HIGH", "station", "medium", AT, "", "", number=2),
    ]
    _, out, _ = await shell("alarms", "list", "--all")
    assert "LINE_LOST.rs485-1" in out
    for said in ("1:00:00", "ann", "fuse replaced", "stands"):
        assert said in out, said


async def test_a_test_of_the_outputs_waits_for_each_of_them(core: FakeCore, shell: Shell) -> None:
    """S-89: 1 where one failed."""

    async def sync() -> None:
        while not (asked := [data for kind, data, _, _ in core.audits if kind is EventType.AUDIT_OUTPUT_TEST]):
            await asyncio.sleep(0.02)
        mark = asked[-1]["test"]
        core.add_event(EventType.AUDIT_NOTIFIED, {"output": "mail", "test": mark, "of": 2, "ok": True})
        core.add_event(
            EventType.AUDIT_NOTIFIED, {"output": "hook", "test": mark, "of": 2, "ok": False, "error": "no route"}
        )

    answering = asyncio.create_task(sync())
    status, out, _ = await shell("alarms", "test")
    await answering
    assert status == 1
    assert "mail: delivered" in out
    assert "hook: FAILED: no route" in out


async def test_a_report_is_printed_and_written(core: FakeCore, shell: Shell, tmp_path: Path) -> None:
    """S-67, S-79: 1 while differences are open."""
    view = core.live()
    assert view is not None
    day = view.at.date().isoformat()
    status, out, _ = await shell(
        "report", "--day", day, "--html", str(tmp_path / "d.html"), "--csv", str(tmp_path / "d.csv")
    )
    assert status in (0, 1)
    assert "Connectors answered" in out
    assert (tmp_path / "d.html").read_text("utf-8").startswith("<!doctype html>")
    assert (tmp_path / "d.csv").read_text("utf-8").startswith("\ufeffday,SZ-0001,")
    _, zh, _ = await shell("report", "--day", day, "--lang", "zh")
    assert "充电枪在线率" in zh
    for day in ("yesterday", "9999-12-31"):
        status, _, err = await shell("report", "--day", day)
        assert status == 1
        assert "2026-03-01" in err
    status, out, _ = await shell("difference", "NOT_SETTLED.s1", "explained", "--note", "booked by hand")
    assert status == 0
    kind, data, actor, _ = core.audits[-1]
    assert kind is EventType.AUDIT_DIFFERENCE
    assert (data["difference"], data["state"], data["note"]) == ("NOT_SETTLED.s1", "explained", "booked by hand")
    assert actor is not None

"""S-89: alarms reach people by real mail and real HTTP, signed, grouped, tried again; the journal says what arrived."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import pytest

from siteward.model.alarm_log import AlarmRecord
from siteward.model.events import EventType
from siteward_sync.outputs import box as box_module
from siteward_sync.outputs.options import OutputKind, OutputOptions
from siteward_sync.service import run_outputs
from tests.fixtures.core import FakeCore, running_core
from tests.fixtures.receivers import Hook, MailServer, listening

LINE = {
    "code": "LINE_LOST",
    "subject": "rs485-1",
    "severity": "high",
    "textEn": "No device on line rs485-1 answers.",
    "textZh": "线路 rs485-1 上的设备全部无应答。",
    "followers": ["A01-1", "A02-1"],
}
HOT = {
    "code": "TEMPERATURE_HIGH",
    "subject": "A03-1",
    "severity": "medium",
    "textEn": "A03-1 is too hot.",
    "textZh": "A03-1 温度过高。",
    "figure": "temperature_c",
    "value": 83.5,
    "bound": 80.0,
}


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries follow each other at once."""
    monkeypatch.setattr(box_module, "RETRY_FIRST_S", 0.05)


def email(server: MailServer, **more: object) -> OutputOptions:
    """An e-mail output to this server."""
    known = {"sender": "site@example.org", "recipients": ("ops@example.org", "boss@example.org"), "group_s": 0.2}
    return OutputOptions("mail", OutputKind.EMAIL, f"smtp://127.0.0.1:{server.port}", **{**known, **more})  # type: ignore[arg-type]


def webhook(hook: Hook, **more: object) -> OutputOptions:
    """A webhook to this server."""
    url = f"http://127.0.0.1:{hook.port}/alarms"
    return OutputOptions("hook", OutputKind.WEBHOOK, url, **{"group_s": 0.2, **more})  # type: ignore[arg-type]


@asynccontextmanager
async def delivering(core: FakeCore, *outputs: OutputOptions) -> AsyncIterator[None]:
    """The outputs of a station without a platform, once each has said where it begins."""
    stop = asyncio.Event()
    task = asyncio.create_task(run_outputs(core.run_dir / "sync.sock", outputs, core.clock, stop))
    await until(lambda: {one.id for one in outputs} <= {str(data["output"]) for data in marks(core)}, 20.0)
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, 5)


async def until(what: Callable[[], bool] | Callable[[], Awaitable[bool]], seconds: float = 5.0) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(seconds):
        while not what():
            await asyncio.sleep(0.02)


def marks(core: FakeCore) -> list[dict[str, object]]:
    """All that the journal says of outputs and how far they are."""
    return [dict(data) for kind, data, _, _ in core.audits if kind is EventType.AUDIT_NOTIFIED and "upTo" in data]


def notes(core: FakeCore) -> list[dict[str, object]]:
    """What the journal says of deliveries; how far an output is that had nothing to deliver stands there, too."""
    told = (dict(data) for kind, data, _, _ in core.audits if kind is EventType.AUDIT_NOTIFIED)
    return [data for data in told if data.get("notices") != 0]


async def test_alarms_that_come_together_are_one_mail_in_both_languages(tmp_path: Path) -> None:
    """S-89: the worst in the subject, all of it in the text."""
    server = MailServer()
    async with running_core(tmp_path) as core, listening(server), delivering(core, email(server)):
        core.add_event(EventType.ALARM_RAISED, dict(HOT))
        core.add_event(EventType.ALARM_RAISED, dict(LINE))
        core.add_event(EventType.ALARM_CLEARED, {"code": "TEMPERATURE_HIGH", "subject": "A03-1"})
        await until(lambda: bool(server.mails))
        await until(lambda: bool(notes(core)))
    (mail,) = server.mails
    assert server.recipients == [["ops@example.org", "boss@example.org"]]
    assert str(mail["Subject"]) == "[Nanshan depot] HIGH No device on line rs485-1 answers. (and 2 more)"
    assert mail["Auto-Submitted"] == "auto-generated"
    text = mail.get_content()
    for said in ("A03-1 is too hot.", "temperature_c 83.5 (bound 80)", "behind it: A01-1, A02-1", "ended: MEDIUM"):
        assert said in text, said
    assert "线路 rs485-1 上的设备全部无应答。" in text
    last = 1 + next(i for i, text in enumerate(core.texts) if '"alarm.cleared"' in text)
    assert notes(core) == [{"output": "mail", "ok": True, "notices": 3, "upTo": last}]


async def test_a_password_comes_from_its_file_and_a_wrong_one_is_told(tmp_path: Path) -> None:
    """S-89: read at each try, so that mending the file is enough."""
    server = MailServer(users={"site": "right"})
    secret = tmp_path / "secret"
    secret.write_text("wrong\n")
    async with (
        running_core(tmp_path) as core,
        listening(server),
        delivering(core, email(server, user="site", secret_file=secret, group_s=0.0)),
    ):
        core.add_event(EventType.ALARM_RAISED, dict(LINE))
        await until(lambda: server.connections > 2)
        secret.write_text("right\n")
        await until(lambda: bool(server.mails))
        await until(lambda: len(notes(core)) == 2)
    failed, good = notes(core)
    assert failed["ok"] is False
    assert "535" in str(failed["error"])
    assert "wrong" not in str(failed["error"]).replace("wrong password", "")
    assert good["ok"] is True


async def test_a_webhook_is_signed_over_time_and_body(tmp_path: Path) -> None:
    """S-89: whoever has the key can tell a forged or replayed post; the same notices keep their delivery id."""
    hook = Hook(statuses=[503, 500])
    secret = tmp_path / "key"
    secret.write_text("hush\n")
    async with running_core(tmp_path) as core, listening(hook), delivering(core, webhook(hook, secret_file=secret)):
        core.add_event(EventType.ALARM_RAISED, dict(LINE))
        await until(lambda: bool(hook.posts))
        await until(lambda: len(notes(core)) == 2)
    headers, body = hook.posts[0]
    told = headers["x-siteward-timestamp"].encode() + b"." + body
    assert headers["x-siteward-signature"] == "v1=" + hmac.new(b"hush", told, hashlib.sha256).hexdigest()
    assert len(headers["x-siteward-delivery"]) == 32
    data = json.loads(body)
    assert (data["stationId"], data["test"], data["leftOut"]) == ("SZ-0001", False, 0)
    (notice,) = data["notices"]
    assert (notice["event"], notice["code"], notice["followers"]) == ("raised", "LINE_LOST", ["A01-1", "A02-1"])
    assert notes(core)[0]["ok"] is False
    assert "503" in str(notes(core)[0]["error"])


async def test_one_output_that_hangs_holds_up_no_other(tmp_path: Path) -> None:
    """I17: each has its own task; core and the other output do not notice."""
    hook, server = Hook(hang=True), MailServer()
    async with (
        running_core(tmp_path) as core,
        listening(server),
        listening(hook),
        delivering(core, webhook(hook, group_s=0.0), email(server, group_s=0.0)),
    ):
        core.add_event(EventType.ALARM_RAISED, dict(LINE))
        await until(lambda: bool(server.mails))
        core.add_event(EventType.ALARM_RAISED, dict(HOT))
        await until(lambda: len(server.mails) == 2)
        await until(lambda: len(notes(core)) == 2)
        assert [note["output"] for note in notes(core)] == ["mail", "mail"], "the one that hangs has delivered nothing"


async def test_an_output_that_fails_is_reported_to_core(tmp_path: Path) -> None:
    """S-89: core makes an alarm of it; it ends with the first delivery."""
    hook = Hook(statuses=[500] * 5)
    async with running_core(tmp_path) as core, listening(hook), delivering(core, webhook(hook, group_s=0.0)):
        core.add_event(EventType.ALARM_RAISED, dict(LINE))
        await until(lambda: (False, ("hook",)) in core.uplinks)
        await until(lambda: bool(hook.posts))
        await until(lambda: core.uplinks[-1] == (False, ()))
        assert [note["ok"] for note in notes(core)][-1] is True


async def test_after_a_restart_it_goes_on_where_the_journal_says(tmp_path: Path) -> None:
    """Contract 4: what rose while sync was away is told, what was delivered is not told again."""
    server = MailServer()
    async with running_core(tmp_path) as core, listening(server):
        core.add_event(EventType.ALARM_RAISED, {**LINE, "subject": "before"})
        async with delivering(core, email(server, group_s=0.0)):
            core.add_event(EventType.ALARM_RAISED, {**LINE, "subject": "first", "textEn": "first."})
            await until(lambda: bool(notes(core)))
        core.add_event(EventType.ALARM_RAISED, {**LINE, "subject": "away", "textEn": "away."})
        async with delivering(core, email(server, group_s=0.0)):
            await until(lambda: len(server.mails) == 2)
            await asyncio.sleep(0.3)
    assert [str(mail["Subject"]).split("HIGH ")[1] for mail in server.mails] == ["first.", "away."]


async def test_what_was_not_delivered_is_told_however_much_happened_meanwhile(tmp_path: Path) -> None:
    """S-89: the mail server was down since the output was set up, for a whole busy day, and sync started anew."""
    server, gone = MailServer(), MailServer()
    async with running_core(tmp_path) as core:
        async with listening(gone):
            port = gone.port
        async with delivering(core, email(gone, group_s=0.0)):
            core.add_event(EventType.ALARM_RAISED, {**LINE, "textEn": "lost?"})
            await until(lambda: bool(notes(core)))
        for _ in range(3500):
            core.add_event(EventType.CONNECTOR_STATUS, {})
        async with listening(server), delivering(core, email(server, group_s=0.0)):
            await until(lambda: bool(server.mails))
    assert port
    assert str(server.mails[0]["Subject"]).endswith("HIGH lost?")


async def test_a_quiet_output_says_now_and_then_how_far_it_is(tmp_path: Path) -> None:
    """S-89: a start looks for that, and need not read a journal of months."""
    server = MailServer()
    async with running_core(tmp_path) as core, listening(server), delivering(core, email(server)):
        for _ in range(2500):
            core.add_event(EventType.CONNECTOR_STATUS, {})
        await until(lambda: int(str(marks(core)[-1]["upTo"])) > 2000, 20.0)
        seqs = [int(str(data["upTo"])) for data in marks(core)]
    assert 2 <= len(seqs) <= 4
    assert seqs[-1] > 2000
    assert server.mails == []


async def test_the_end_of_an_alarm_is_told_by_the_next_life_of_sync(tmp_path: Path) -> None:
    """S-89: somebody was called for it, and must hear that it is over."""
    server = MailServer()
    async with running_core(tmp_path) as core, listening(server):
        async with delivering(core, email(server, group_s=0.0)):
            core.add_event(EventType.ALARM_RAISED, dict(LINE))
            await until(lambda: bool(notes(core)))
        raised = next(json.loads(text) for text in core.texts if '"alarm.raised"' in text)
        at = datetime.fromisoformat(raised["occurredAt"])
        core.alarm_rows.append(AlarmRecord("LINE_LOST", "rs485-1", "high", at, LINE["textEn"], "", number=1))
        core.add_event(
            EventType.ALARM_CLEARED, {"code": "LINE_LOST", "subject": "rs485-1", "raisedAt": raised["occurredAt"]}
        )
        async with delivering(core, email(server, group_s=0.0)):
            await until(lambda: len(server.mails) == 2)
    assert str(server.mails[1]["Subject"]).endswith("ended: HIGH No device on line rs485-1 answers.")


async def test_a_test_goes_through_every_output_and_its_outcome_is_journalled(tmp_path: Path) -> None:
    """S-89: `siteward alarms test` and the panel's button."""
    server, hook = MailServer(), Hook(statuses=[404])
    async with (
        running_core(tmp_path) as core,
        listening(server),
        listening(hook),
        delivering(core, email(server), webhook(hook)),
    ):
        core.add_event(EventType.AUDIT_OUTPUT_TEST, {"test": "m1"})
        await until(lambda: len(notes(core)) == 2)
        core.add_event(EventType.AUDIT_OUTPUT_TEST, {"test": "m2", "output": "hook"})
        await until(lambda: len(notes(core)) == 3)
    by_name = {str(note["output"]): note for note in notes(core)[:2]}
    assert by_name["mail"] == {"output": "mail", "test": "m1", "of": 2, "ok": True}
    assert by_name["hook"]["ok"] is False
    assert notes(core)[2] == {"output": "hook", "test": "m2", "of": 1, "ok": True}
    assert "Test: alarms of this station reach you." in str(server.mails[0]["Subject"])
    assert json.loads(hook.posts[0][1])["test"] is True


async def test_a_refused_recipient_and_a_dead_server_are_said_as_such(tmp_path: Path) -> None:
    """S-89: the error names server and reason."""
    server = MailServer(say={"RCPT": "550 nobody here"})
    gone = OutputOptions("gone", OutputKind.EMAIL, "smtp://127.0.0.1:1", sender="a@b", recipients=("c@d",), group_s=0.0)
    async with running_core(tmp_path) as core, listening(server), delivering(core, email(server), gone):
        core.add_event(EventType.AUDIT_OUTPUT_TEST, {"test": "m"})
        await until(lambda: len(notes(core)) == 2)
    errors = {str(note["output"]): str(note["error"]) for note in notes(core)}
    assert "550" in errors["mail"]
    assert errors["gone"].startswith("127.0.0.1:1: ")

"""S-54: the alarm pages: who took an alarm on, the form that does it, the history with durations (contract 5)."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from siteward.client.messages import HandlingMessage
from siteward.client.records import AlarmRecordMessage
from siteward.panel.desk import Desk
from siteward.panel.fragments import Audience, rendered
from tests.siteward.panel.conftest import Panel

AT = datetime(2026, 3, 2, 8, 0, 5, 250_000, tzinfo=UTC)
NOTE = HandlingMessage(
    at=AT + timedelta(minutes=3), source="panel", user="ann", role="technician", note="<b>fuse</b> out"
)


async def show(panel: Panel, **more: object) -> tuple[str, str]:
    """Let the first alarm of the depot look like this; its code and subject."""
    view = panel.core.live()
    alarm = view.alarms[0].model_copy(update={"raised_at": AT, **more})
    panel.core.quiet = False
    await _publish(panel.desk, view.model_copy(update={"alarms": (alarm,)}))
    return alarm.code, alarm.subject


async def _publish(desk: Desk, view: object) -> None:
    await desk.hub._publish(view, False)  # type: ignore[arg-type]


async def test_a_standing_alarm_shows_its_figure_its_count_its_followers_and_who_took_it_on(panel: Panel) -> None:
    """S-54: in the reader's words, everything escaped."""
    await panel.login()
    more = {"count": 7, "active": False, "followers": ("A01-1", "A02-1"), "notes": (NOTE,)}
    await show(panel, value=83.25, bound=80.0, unit="°C", rule="charger-hot", **more)
    page = (await panel.client.get("/alarms")).text
    for said in ("came 7 times", "A01-1, A02-1", "83.2 °C, bound 80.0 °C", "taken on by ann", "charger-hot"):
        assert said in page, said
    assert "&lt;b&gt;fuse&lt;/b&gt; out" in page
    await panel.client.get("/language/zh")
    page = (await panel.client.get("/alarms")).text
    for said in ("出现 7 次", "原因暂已消失", "处理人：ann", "涉及 2 台设备"):
        assert said in page, said


async def test_a_technician_takes_an_alarm_on_with_a_note(panel: Panel) -> None:
    """Contract 5: a button becomes a request with the person behind it, about exactly the alarm that was seen."""
    await panel.login()
    code, subject = await show(panel)
    page = (await panel.client.get(f"/alarms/{code}/{subject}")).text
    assert 'value="2026-03-02T08:00:05.250Z"' in page
    assert "I take this on" in page
    assert "End the alarm" not in page
    answer = await panel.press(f"/alarms/{code}/{subject}/ack", note="on my way", raised="2026-03-02T08:00:05.250Z")
    assert answer.status_code == 200
    request = panel.core.requests[-1]
    assert (request.name, request.target, request.actor and request.actor.user) == ("ACK_ALARM", "station", "tina")
    assert request.params == {
        "code": code,
        "subject": subject,
        "note": "on my way",
        "raisedAt": "2026-03-02T08:00:05.250Z",
    }
    await show(panel, active=False)
    assert "End the alarm" in (await panel.client.get(f"/alarms/{code}/{subject}")).text
    await panel.press(f"/alarms/{code}/{subject}/clear")
    assert panel.core.requests[-1].name == "CLEAR_ALARM"
    assert (await panel.press(f"/alarms/{code}/{subject}/forget")).status_code == 404


async def test_a_viewer_reads_and_may_not_act(panel: Panel) -> None:
    """Contract 5: roles."""
    await panel.login("vera")
    code, subject = await show(panel)
    page = (await panel.client.get(f"/alarms/{code}/{subject}")).text
    assert "I take this on" not in page
    assert (await panel.press(f"/alarms/{code}/{subject}/ack", note="x")).status_code == 403
    assert (await panel.press("/outputs/test")).status_code == 403
    assert not panel.core.requests


async def test_an_alarm_that_ended_meanwhile_leads_back_to_the_list(panel: Panel) -> None:
    """S-54."""
    await panel.login()
    answer = await panel.client.get("/alarms/CHARGER_FAULT/nowhere")
    assert (answer.status_code, answer.headers["location"]) == (303, "/alarms")


async def test_the_history_says_how_long_and_who(panel: Panel) -> None:
    """S-54: newest first, by pages; what has not ended stands above, not here."""
    await panel.login()
    ended = AlarmRecordMessage(
        code="LINE_LOST",
        subject="rs485-1",
        severity="high",
        raised_at=AT,
        text_en="No device answers.",
        text_zh="无应答。",
        count=3,
        notes=(NOTE,),
        cleared_at=AT + timedelta(hours=2, minutes=3, seconds=4),
        cleared_by=NOTE.model_copy(update={"note": "replugged"}),
        number=70,
    )
    stands = ended.model_copy(update={"cleared_at": None, "text_en": "It goes on.", "number": 71})
    panel.core.alarm_rows = [stands, ended, *(ended.model_copy(update={"number": n}) for n in range(60, 0, -1))]
    page = (await panel.client.get("/alarms")).text
    for said in ("No device answers.", "stood for 2:03:04", "came 3 times", "ended by ann: replugged"):
        assert said in page, said
    assert "It goes on." not in page
    assert 'href="/alarms?before=13"' in page
    older = (await panel.client.get("/alarms?before=13")).text
    assert older.count("No device answers.") == 12
    panel.core.down = True
    assert "stood for" not in (await panel.client.get("/alarms")).text


async def test_the_button_asks_for_a_test_of_the_outputs(panel: Panel) -> None:
    """S-89: sync does it; the person behind it is on record."""
    await panel.login()
    answer = await panel.press("/outputs/test")
    assert answer.status_code == 200
    kind, _, actor = panel.core.audits[-1]
    assert (kind, actor.user) == ("audit.output_test", "tina")


async def test_the_page_of_an_alarm_lives_and_says_when_it_is_over(panel: Panel) -> None:
    """S-54: whoever adds a note sees it come; an alarm that ended while he wrote is not handled on."""
    await panel.login()
    code, subject = await show(panel, subject="x" * 90)
    page = (await panel.client.get(f"/alarms/{code}/{subject}")).text
    name = f"alarm:{code}.{subject}"
    assert f'sse-connect="/live?page={quote(name)}"' in page
    assert 'sse-swap="alarm"' in page
    assert (await panel.client.get(f"/live?page={quote('alarm:' + 'x' * 161)}")).status_code == 404
    await show(panel, subject="x" * 90, notes=(NOTE,))
    audience = Audience(name, "en", True)
    assert "taken on by ann" in rendered(panel.desk.pages, panel.desk.hub.frame, audience)["alarm"]
    await show(panel, subject="other")
    assert "This alarm stands no more." in rendered(panel.desk.pages, panel.desk.hub.frame, audience)["alarm"]

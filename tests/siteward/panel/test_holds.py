"""What holds a connector, at the panel: service, reservation, emergency stop; who may press what (S-43, I13)."""

from datetime import UTC, datetime
from html import unescape

import pytest

from siteward.client.messages import AuthorisationMessage, EmergencyMessage, LiveMessage, ReplyMessage
from siteward.panel.details import event_detail
from siteward.panel.text import masked, reply
from tests.siteward.panel.conftest import Panel

UNTIL = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
STOP = EmergencyMessage(id="hall", name="Hall", state="latched", since=UNTIL, connectors=("A04-1",))


async def show(panel: Panel, **stop: str) -> LiveMessage:
    """Let the panel see A04-1 reserved, A01-1 charging by card, B01-1 out of service, and the hall's stop."""
    live = panel.core.live()
    held = []
    for connector in live.connectors:
        if connector.id == "A04-1":
            kept = {"reserved_left_s": 872.4, "reserved_card": "04A2B3C4", "reserved_for": "Ms Li, 138 0000 1111"}
            connector = connector.model_copy(
                update={"status": "Reserved", "reservation": "r1", "reserved_until": UNTIL, **kept}
            )
        if connector.id == "B01-1":
            connector = connector.model_copy(update={"out_of_service": True})
        if connector.id == "A01-1" and connector.session is not None:
            by = AuthorisationMessage(by="list", token="04A2B3C4")
            connector = connector.model_copy(
                update={"session": connector.session.model_copy(update={"authorised": by})}
            )
        held.append(connector)
    seen = live.model_copy(update={"connectors": tuple(held), "emergencies": (STOP.model_copy(update=dict(stop)),)})
    await panel.desk.hub._publish(seen, False)
    return seen


async def page(panel: Panel, path: str) -> str:
    """A page as text."""
    return unescape((await panel.client.get(path)).text)


async def test_a_technician_takes_a_connector_out_of_service_and_back(panel: Panel) -> None:
    """SET_AVAILABILITY: one button each way, the way out asked about first."""
    await show(panel)
    await panel.login()
    assert "Take connector A01-1 out of service?" in await page(panel, "/connectors/A01-1")
    await panel.press("/connectors/A01-1/service", operative="no")
    asked = panel.core.requests[-1]
    assert (asked.name, asked.target, asked.params) == ("SET_AVAILABILITY", "A01-1", {"operative": False})
    out = await page(panel, "/connectors/B01-1")
    assert "Out of service: no new session begins here." in out
    assert "Back into service" in out
    await panel.press("/connectors/B01-1/service", operative="yes")
    assert panel.core.requests[-1].params == {"operative": True}


async def test_a_reservation_is_shown_with_its_end_and_can_be_cancelled(panel: Panel) -> None:
    """CANCEL_RESERVATION names the connector."""
    await show(panel)
    await panel.login()
    text = await page(panel, "/connectors/A04-1")
    assert "Reserved until" in text
    assert "09:15:00 UTC" in text
    assert "14:33 left" in text
    assert "for card …B3C4 · Ms Li, 138 0000 1111" in text
    assert "04A2B3C4" not in text
    assert "Reserve this connector" not in text
    await panel.press("/connectors/A04-1/release")
    asked = panel.core.requests[-1]
    assert (asked.name, asked.target, asked.params) == ("CANCEL_RESERVATION", "A04-1", None)
    assert "Cancel reservation" not in await page(panel, "/connectors/A01-1")


async def test_the_overview_counts_a_reservation_down(panel: Panel) -> None:
    """S-94: whoever looks at the site sees what is kept and how long yet, on the card and in the tree."""
    await show(panel)
    await panel.login("vera")
    text = await page(panel, "/")
    assert "14:33 left" in text
    assert '<span class="unseen">Reserved </span>14:33' in text
    await panel.client.get("/language/zh")
    text = await page(panel, "/")
    assert "剩余 14:33" in text
    assert '<span class="unseen">已预约 </span>14:33' in text


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ({"minutes": "15", "card": "", "who": ""}, {"hold_s": 900}),
        ({"minutes": " 90 ", "card": " 04A2B3C4 ", "who": " 李女士 138 0000 1111 "}, None),
        ({}, {"hold_s": 900}),
    ],
)
async def test_a_technician_reserves_a_connector(
    panel: Panel, typed: dict[str, str], asked: dict[str, object] | None
) -> None:
    """S-94: 15 min unless said otherwise; card and name are both optional."""
    await show(panel)
    await panel.login()
    assert 'name="minutes" value="15"' in await page(panel, "/connectors/C03-1")
    await panel.press("/connectors/C03-1/reserve", **typed)
    sent = panel.core.requests[-1]
    whole = {"hold_s": 5400, "token": "04A2B3C4", "who": "李女士 138 0000 1111"}
    assert (sent.name, sent.target, sent.params) == ("RESERVE", "C03-1", asked or whole)
    assert sent.actor is not None
    assert (sent.actor.user, sent.actor.role) == ("tina", "technician")


@pytest.mark.parametrize(
    "typed",
    [{"minutes": "0"}, {"minutes": "1441"}, {"minutes": "x"}, {"card": "a b"}, {"who": "x" * 65}, {"who": "a\x07b"}],
)
async def test_a_wrong_reservation_is_said_and_not_sent(panel: Panel, typed: dict[str, str]) -> None:
    """The form's own bounds can be passed by; the sentence is there in both languages."""
    await show(panel)
    await panel.login()
    answer = await panel.press("/connectors/C03-1/reserve", **typed)
    assert "Minutes are 1 to 1440" in unescape(answer.text)
    await panel.client.get("/language/zh")
    answer = await panel.press("/connectors/C03-1/reserve", **typed)
    assert "时长为 1 至 1440 分钟" in unescape(answer.text)
    assert panel.core.requests == []


async def test_only_a_free_connector_offers_to_be_reserved(panel: Panel) -> None:
    """Charging, silent, reserved and out of service: core would refuse each."""
    await show(panel)
    await panel.login()
    words = "Reserve this connector"
    offered = {c.id for c in panel.core.live().connectors if words in await page(panel, f"/connectors/{c.id}")}
    free = {c.id for c in panel.core.live().connectors if c.status == "Available" and c.online}
    assert offered == free - {"A04-1", "B01-1"}


async def test_who_comes_to_a_reserved_connector_is_started_for_the_reservation(panel: Panel) -> None:
    """The start names the reservation, so that core lets it in, and the question says so."""
    await show(panel, state="clear")
    await panel.login()
    assert "Connector A04-1 is reserved. Start charging for whom it is kept?" in await page(panel, "/")
    await panel.press("/connectors/A04-1/start", reservation="r1", departs="", wants_kwh="")
    sent = panel.core.requests[-1]
    assert (sent.name, sent.params) == ("START_CHARGE", {"reservationId": "r1"})


async def test_somebody_can_be_next_where_it_is_taken(panel: Panel) -> None:
    """S-68: offered at what is in use or kept; shown to all, and cancelled by its own name."""
    live = await show(panel)
    await panel.login()
    page_ = await page(panel, "/connectors/A01-1")
    assert "Reserve it once it is free" in page_
    assert 'name="next" value="yes"' in page_
    assert "Reserve it once it is free" in await page(panel, "/connectors/A04-1")
    assert "Reserve it once it is free" not in await page(panel, "/connectors/C03-1")
    assert "Reserve it once it is free" not in await page(panel, "/connectors/D02-1")
    await panel.press("/connectors/A01-1/reserve", next="yes", minutes="20", card="", who="Mr Wu")
    assert panel.core.requests[-1].params == {"next": True, "hold_s": 1200, "who": "Mr Wu"}
    waits = {"next_reservation": "n1", "next_card": "04A2B3C4", "next_for": "Mr Wu"}
    held = tuple(c.model_copy(update=waits) if c.id == "A01-1" else c for c in live.connectors)
    await panel.desk.hub._publish(live.model_copy(update={"connectors": held}), False)
    for address in ("/", "/connectors/A01-1"):
        text = await page(panel, address)
        assert "Somebody is next here: reserved once it is free." in text
        assert "for card …B3C4 · Mr Wu" in text
    assert "Reserve it once it is free" not in text
    assert "Cancel who is next at connector A01-1?" in text
    await panel.press("/connectors/A01-1/release", reservation="n1")
    assert panel.core.requests[-1].params == {"reservationId": "n1"}
    await panel.client.get("/language/zh")
    assert "已有人排在下一位" in await page(panel, "/connectors/A01-1")


async def test_a_card_is_shown_by_its_last_signs_only(panel: Panel) -> None:
    """S-85: a whole number could be written onto another card."""
    await show(panel)
    await panel.login()
    text = await page(panel, "/connectors/A01-1")
    assert "…B3C4" in text
    assert "04A2B3C4" not in text
    assert masked("04A2") == "…"


@pytest.mark.parametrize(
    ("state", "words", "button"),
    [
        ("latched", "Released, not acknowledged", True),
        ("pressed", "Pressed", False),
        ("clear", "Not pressed", False),
        ("unread", "Cannot be read", False),
    ],
)
async def test_only_a_released_stop_can_be_acknowledged(panel: Panel, state: str, words: str, button: bool) -> None:
    """Ruling 16: the input is back, and a technician says that the cause is gone."""
    await show(panel, state=state)
    await panel.login()
    text = await page(panel, "/access")
    assert words in text
    assert ("/emergencies/hall/reset" in text) is button
    if button:
        assert "Is the cause of emergency stop Hall gone?" in text
        await panel.press("/emergencies/hall/reset")
        asked = panel.core.requests[-1]
        assert (asked.name, asked.target, asked.params) == ("RESET", "hall", None)
        assert asked.actor is not None
        assert asked.actor.user == "tina"


@pytest.mark.parametrize(
    "path",
    [
        "/connectors/A01-1/service",
        "/connectors/C03-1/reserve",
        "/connectors/A04-1/release",
        "/emergencies/hall/reset",
    ],
)
async def test_a_viewer_sees_it_and_may_do_none_of_it(panel: Panel, path: str) -> None:
    """S-43: buttons are not shown, and pressing their address is refused."""
    await show(panel)
    await panel.login("vera")
    for address in ("/connectors/A04-1", "/connectors/B01-1", "/access"):
        text = await page(panel, address)
        assert 'hx-post="/connectors' not in text
        assert 'hx-post="/emergencies' not in text
    answer = await panel.press(path, operative="no")
    assert answer.status_code == 403
    assert panel.core.requests == []


async def test_it_is_said_in_chinese(panel: Panel) -> None:
    """Contract section 5: Chinese and English."""
    await show(panel)
    await panel.login()
    await panel.client.get("/language/zh")
    assert "已停用：不再开始新的充电。" in await page(panel, "/connectors/B01-1")
    assert "已复位，待确认" in await page(panel, "/access")


def test_a_wait_for_a_connector_is_told_in_both_languages() -> None:
    """S-68: the reply to `next` says what it waits for."""
    done = ReplyMessage(command_id="c1", stage="done", result={"waitingFor": "connector"})
    assert reply(done, "en").endswith("(waiting for the connector to be free)")
    assert reply(done, "zh").endswith("(等待充电枪空闲)")


def test_events_tell_who_came_in_without_whole_numbers_of_cards() -> None:
    """S-85, S-86: the journal has them whole, pages do not."""
    data = {"token": "04A2B3C4", "by": "seen", "listVersion": 7, "platformReached": False, "source": "card"}
    told = event_detail({"type": "access.granted", "data": data}, "en")
    words = (
        "card: …B3C4",
        "let in by: having been seen lately",
        "version of the list: 7",
        "platform reached: no",
        "by: card",
    )
    assert told == " · ".join(words)
    update = {"version": 2, "update": "differential", "tokens": [{"id": "04A2B3C4"}], "removed": ["FFEEDDCC"]}
    told = event_detail({"type": "audit.auth_list", "data": update}, "zh")
    assert told == "版本: 2 · 更新方式: 差异更新 · 卡: 1 · 移除: …DDCC"


async def test_a_technician_lets_a_cable_go_where_the_charger_can(panel: Panel) -> None:
    """UNLOCK_CONNECTOR, S-43: asked about first; no button where the charger has no such command; the lock is shown."""
    live = panel.core.live()
    able = [
        c.model_copy(update={"unlocks": c.id == "A01-1", "cable": "locked", "online": True}) for c in live.connectors
    ]
    await panel.desk.hub._publish(live.model_copy(update={"connectors": tuple(able)}), False)
    await panel.login()
    text = await page(panel, "/connectors/A01-1")
    assert "Let the cable of connector A01-1 go?" in text
    assert "cable locked" in text
    assert "Unlock cable" not in await page(panel, "/connectors/A04-1")
    await panel.press("/connectors/A01-1/unlock")
    asked = panel.core.requests[-1]
    assert (asked.name, asked.target, asked.params) == ("UNLOCK_CONNECTOR", "A01-1", None)
    assert asked.actor is not None


@pytest.mark.parametrize(
    ("result", "language", "told"),
    [
        ({"cable": "unlocked"}, "en", "cable unlocked"),
        ({"cable": "unlocked"}, "zh", "电缆未锁"),
        ({"effect": "not_readable"}, "en", "this charger does not show its lock"),
        ({"effect": "not_readable"}, "zh", "不显示锁状态"),
    ],
)
def test_what_became_of_the_cable_is_said(result: dict[str, str], language: str, told: str) -> None:
    """Law 4: whether the effect was seen is part of the answer."""
    assert told in reply(ReplyMessage(command_id="c", stage="done", result=result), language)


def test_the_journal_s_line_tells_who_let_which_cable_go() -> None:
    """S-86: an audit of device control."""
    data = {
        "sent": True,
        "cable": "locked",
        "commandId": "u1",
        "source": "panel",
        "user": "ann",
        "code": "UNLOCK_FAILED",
    }
    text = event_detail({"type": "connector.unlock", "data": data}, "zh")
    assert "电缆未能解锁" in text
    assert "ann" in text


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("pressed", "Emergency stop “Hall” stands: nothing charges here until it is acknowledged."),
        ("latched", "Emergency stop “Hall” stands: nothing charges here until it is acknowledged."),
        ("unread", "Emergency stop “Hall” cannot be read: charging is paused here meanwhile."),
        ("clear", None),
    ],
)
async def test_an_emergency_stop_is_told_where_somebody_wants_to_start(
    panel: Panel, state: str, said: str | None
) -> None:
    """I13: no start button that can only be refused; the way to the stop instead, and only at its connectors."""
    await show(panel, state=state)
    await panel.login()
    free = await page(panel, "/connectors/A04-1")
    assert ("/connectors/A04-1/start" in free) is (said is None)
    assert ('href="/access#stop-hall"' in free) is (said is not None)
    assert said is None or said in free
    assert (await page(panel, "/")).count("Emergency stop “Hall”") == (said is not None)
    assert "Emergency stop “Hall”" not in await page(panel, "/connectors/C03-1")


@pytest.mark.parametrize(
    ("state", "next_step"),
    [
        ("pressed", "Remove the cause and release the button; then it can be acknowledged here."),
        ("unread", "check its cable and its board"),
    ],
)
async def test_an_emergency_stop_says_what_to_do_next(panel: Panel, state: str, next_step: str) -> None:
    """S-43: pressed and unreadable stops have no button; the page says why."""
    await show(panel, state=state)
    await panel.login()
    assert next_step in await page(panel, "/access")


async def test_a_site_with_nothing_but_an_emergency_stop_has_the_page_of_it(panel: Panel) -> None:
    """I13: it can only be acknowledged there; without a barrier the menu had no way to it."""
    live = await show(panel)
    await panel.desk.hub._publish(live.model_copy(update={"arms": ()}), False)
    await panel.login()
    assert 'href="/access"' in await page(panel, "/alarms")
    await panel.desk.hub._publish(live.model_copy(update={"arms": (), "emergencies": ()}), False)
    assert 'href="/access"' not in await page(panel, "/alarms")


async def test_the_alarm_of_an_emergency_stop_leads_to_it(panel: Panel) -> None:
    """A note on the alarm is no acknowledgement of the stop."""
    live = await show(panel)
    alarm = live.alarms[0].model_copy(update={"code": "EMERGENCY_STOP", "subject": "hall"})
    await panel.desk.hub._publish(live.model_copy(update={"alarms": (alarm, *live.alarms[1:])}), False)
    await panel.login()
    text = await page(panel, "/alarms/EMERGENCY_STOP/hall")
    assert 'href="/access#stop-hall"' in text
    assert "does not acknowledge the emergency stop itself" in text
    other = live.alarms[1]
    assert "/access#stop" not in await page(panel, f"/alarms/{other.code}/{other.subject}")

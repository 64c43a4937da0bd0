"""What events say on the panel: words instead of field names, money instead of minor units, the site's clock (S-42)."""

import re
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from siteward.panel.details import event_detail
from tests.siteward.panel.conftest import Panel

SHANGHAI = ZoneInfo("Asia/Shanghai")

FINISHED: dict[str, Any] = {
    "charging_s": 283,
    "createdAt": "2026-11-23T02:58:10.384Z",
    "currency": "CNY",
    "currencyDigits": 2,
    "duration_s": 283,
    "endedAt": "2026-11-23T03:02:59.372Z",
    "energyByPeriod": {"peak": 387},
    "energy_wh": 603,
    "estimated": False,
    "gap": False,
    "idle_s": 0,
    "lines": [{"kind": "energy"}],
    "meter": "C01-3",
    "rolled_wh": 0,
    "segments": 2,
    "source": "cloud",
    "start_register_wh": 480555,
    "start_soc_percent": 35,
    "startedAt": "2026-11-23T02:58:15.460Z",
    "stopReason": "unplugged",
    "stop_register_wh": 481158,
    "tariffId": "DEMO-TOU",
    "tariffVersion": 1,
    "total": 179,
    "unmetered": False,
    "unpriced_wh": 0,
}
SEGMENT: dict[str, Any] = {
    "begin": "2026-11-23T03:00:00.000Z",
    "begin_register_wh": 480771,
    "end": "2026-11-23T03:02:59.078Z",
    "end_register_wh": 481158,
    "ended": "price",
    "energy_wh": 387,
    "estimated_wh": 0,
    "flagged": False,
    "meter": "C01-3",
    "number": 2,
    "period": "peak",
    "tariffId": "DEMO-TOU",
    "tariffVersion": 1,
}


@pytest.mark.parametrize("data", [FINISHED, SEGMENT])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_session_is_told_without_names_of_fields(data: dict[str, Any], language: str) -> None:
    """Ruling 30: no key of a program, no raw time, nothing that only says that nothing was."""
    said = event_detail({"type": "session.finished", "data": data}, language, SHANGHAI)
    assert not re.search(r"\w_\w|[a-z][A-Z]|\d{4}-\d\d-\d\dT", said), said
    assert not re.search(r"(: 0( ·|$))|: (no|否)( ·|$)", said), said
    if language == "zh":
        assert not re.search(r"[a-z]{4,}", said.replace("peak", "")), said


def test_money_is_told_in_its_currency() -> None:
    """S-18: 179 is 1.79 CNY, and 1,790 yen are 1,790."""
    assert "total: 1.79 CNY" in event_detail({"data": FINISHED}, "en")
    assert "合计: 1.79 CNY" in event_detail({"data": {"total": 179, "currency": "CNY"}}, "zh")
    assert event_detail({"data": {"total": 1790, "currency": "JPY"}}, "en") == "total: 1790 JPY"
    assert event_detail({"data": {"total": 179}}, "en") == "total: 179", "without a currency nobody knows of what"
    assert event_detail({"data": {"currency": "CNY"}}, "en") == "currency: CNY"


def test_times_are_those_of_the_sites_clock() -> None:
    assert "created: 2026-11-23 10:58:10 +08:00" in event_detail({"data": FINISHED}, "en", SHANGHAI)
    assert "created: 2026-11-23 02:58:10 UTC" in event_detail({"data": FINISHED}, "en")


def test_what_is_doubtful_is_told() -> None:
    """S-16: estimates, gaps and clocks are never left out where there are any."""
    said = event_detail({"data": {**SEGMENT, "estimated_wh": 25, "flagged": True}}, "en")
    assert "estimated, Wh: 25" in said
    assert "clock not trusted: yes" in said
    assert "gap in the readings: yes" in event_detail({"data": {**FINISHED, "gap": True}}, "en")


def test_a_command_refused_for_an_emergency_stop_is_no_alarm() -> None:
    """The code is both: the alarm names the stop, the refusal says what to do, by whom it was asked."""
    data = {"code": "EMERGENCY_STOP", "commandId": "cli-1", "source": "cli", "stage": "rejected", "message": "x"}
    said = event_detail({"type": "command.rejected", "data": data}, "en")
    assert said.startswith("An emergency stop stands")
    assert "command: cli-1" in said
    assert "by: command line" in said
    alarm = {"code": "EMERGENCY_STOP", "subject": "hall"}
    assert event_detail({"type": "alarm.raised", "data": alarm}, "en").startswith("Emergency stop hall was pressed")


async def test_the_page_tells_them_by_the_sites_clock(panel: Panel) -> None:
    await panel.login()
    panel.core.timezone = "Asia/Shanghai"
    panel.core.rows = [
        {
            "seq": 1,
            "type": "session.finished",
            "occurredAt": "2026-11-23T03:03:00.000Z",
            "clock": "ntp",
            "data": FINISHED,
        }
    ]
    await panel.desk.hub._publish(panel.core.live(), False)
    assert "2026-11-23 11:02:59 +08:00" in (await panel.client.get("/events")).text

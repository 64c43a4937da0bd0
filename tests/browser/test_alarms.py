"""S-54, S-67: handling an alarm and reading a report with a thumb, on a phone of 360 px, in a real browser."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from siteward.client.messages import HandlingMessage, LiveMessage
from siteward.client.records import UserMessage
from siteward.panel import passwords
from tests.browser.conftest import PHONE, SHOTS, new_context, serving
from tests.fixtures.days import HandJournal
from tests.fixtures.depot import Depot

pytestmark = pytest.mark.station
PASSWORD = "seven quiet lanterns"
NOTE = HandlingMessage(at=datetime(2026, 3, 2, 8, 20, tzinfo=UTC), source="panel", user="ann", note="adapter unplugged")


class Busy(Depot):
    """A depot whose first alarm is a dead line with eleven devices behind it."""

    def live(self) -> LiveMessage:
        view = super().live()
        names = tuple(connector.id for connector in view.connectors)
        more = {"code": "LINE_LOST", "subject": "rs485-1", "followers": names, "count": 4, "notes": (NOTE,)}
        return view.model_copy(update={"alarms": (view.alarms[0].model_copy(update=more), *view.alarms[1:])})


async def fits(page: Page) -> bool:
    """Whether nothing hangs out of the phone, the menu with its count of alarms neither."""
    parts = "[document.documentElement, document.querySelector('.menu')]"
    return bool(await page.evaluate(f"{parts}.every(part => part.scrollWidth <= part.clientWidth)"))


async def test_a_technician_takes_an_alarm_on_with_a_thumb(browser: Browser, tmp_path: Path) -> None:
    """S-54: from the list to the form and back; everything fits, buttons are large enough."""
    secret = passwords._HASHER.hash(PASSWORD)
    depot = Busy()
    journal = HandJournal()
    journal.session("s1", "A1", 1.0, 2.0, order="o1")
    for quarter in range(40):
        journal.quarter("grid", quarter / 4, 900 + 20 * quarter, 900 + 19 * quarter, 0.1 * quarter)
    depot.rows = journal.events
    async with serving(depot, tmp_path) as served:
        tina = UserMessage(name="tina", role="technician", password_hash=secret, must_change=False)
        depot.user_list["tina"] = tina
        context = await new_context(browser, PHONE)
        page = await context.new_page()
        await page.goto(f"{served.url}/login?next=/alarms")
        await page.fill("input[name=user]", "tina")
        await page.fill("input[name=password]", PASSWORD)
        await page.click("main button, form button.main")
        await page.goto(f"{served.url}/alarms")
        await page.wait_for_selector("article.alarm")
        SHOTS.mkdir(exist_ok=True)
        await page.screenshot(path=SHOTS / "alarms.png", full_page=True)
        assert await fits(page)
        await page.click("article.alarm a.button")
        await page.fill("textarea[name=note]", "on my way")
        box = await page.locator("form.sheet button.main").bounding_box()
        assert box is not None
        assert box["height"] >= 40
        await page.screenshot(path=SHOTS / "alarm.png", full_page=True)
        assert await fits(page)
        await page.click("form.sheet button.main")
        await page.wait_for_selector("#alarm-reply .said")
        assert depot.requests[-1].name == "ACK_ALARM"
        assert (depot.requests[-1].params or {})["note"] == "on my way"
        await page.goto(f"{served.url}/report?day=2026-03-02")
        await page.wait_for_selector(".report-chart rect")
        await page.screenshot(path=SHOTS / "report.png", full_page=True)
        assert await fits(page)
        await page.fill("textarea[name=note]", "booked by hand")
        await page.click("button[value=explained]")
        await page.wait_for_load_state()
        await asyncio.sleep(0.2)
        assert depot.audits[-1][1]["state"] == "explained"
        await context.close()

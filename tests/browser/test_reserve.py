"""A reservation made, watched and cancelled in a real browser, on a phone and on a desk, over the real local API."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from siteward.model.requests import CommandName
from tests.browser.conftest import SHOTS
from tests.browser.test_panel import SIZES, at_core

pytestmark = pytest.mark.station

OVERFLOWS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.mark.parametrize("size", SIZES)
async def test_a_technician_reserves_watches_and_cancels(browser: Browser, tmp_path: Path, size: str) -> None:
    """S-94, S-43: 15 min are proposed; the time left falls by itself on both pages, what is typed stays."""
    async with at_core(browser, tmp_path, size) as (visit, core):
        page = visit.page
        await page.goto(f"{visit.url}/connectors/A03-1")
        await page.evaluate("window.neverReloaded = true")
        await page.get_by_text("Reserve this connector").click()
        minutes = page.get_by_label("For how many minutes")
        await expect(minutes).to_have_value("15")
        await page.get_by_label("Name or phone").fill("Ms Li 138 0000 1111")
        await page.get_by_label("Card (optional)").fill("04A2B3C4")
        assert await page.evaluate(OVERFLOWS) is False
        SHOTS.mkdir(exist_ok=True)
        await page.screenshot(path=SHOTS / f"reserve-form-{size}.png", full_page=True)
        await page.wait_for_timeout(700)
        await expect(page.get_by_label("Name or phone")).to_have_value("Ms Li 138 0000 1111")
        await page.get_by_role("button", name="Reserve", exact=False).click()
        kept = page.locator(".kept")
        await expect(kept).to_contain_text("14:5")
        await expect(page.get_by_text("for card …B3C4 · Ms Li 138 0000 1111")).to_be_visible()
        await expect(page.locator(".said")).to_contain_text("Done.")
        first = await kept.inner_text()
        await expect(kept).not_to_have_text(first)
        assert await page.evaluate("window.neverReloaded") is True
        await page.screenshot(path=SHOTS / f"reserve-kept-{size}.png", full_page=True)
        (held,) = core.requests.values()
        assert (held.name, held.params) == (
            CommandName.RESERVE,
            {"hold_s": 900, "token": "04A2B3C4", "who": "Ms Li 138 0000 1111"},
        )
        assert held.actor is not None
        assert held.actor.user == "admin"

        await page.get_by_role("link", name="Back to the overview").click()
        card = page.locator("#card-A03-1")
        await expect(card).to_contain_text("left")
        leaf = page.locator("[sse-swap=leaf-A03-1] .value")
        shown = await leaf.inner_text()
        await expect(leaf).not_to_have_text(shown)
        assert await page.evaluate(OVERFLOWS) is False
        await page.screenshot(path=SHOTS / f"reserve-overview-{size}.png", full_page=True)

        await card.get_by_role("link", name="Details").click()
        await page.get_by_role("button", name="Cancel reservation").click()
        await expect(page.get_by_role("dialog")).to_contain_text("Cancel the reservation of connector A03-1?")
        await page.get_by_role("button", name="Cancel it").click()
        await expect(kept).to_have_count(0)
        await expect(page.get_by_text("Reserve this connector")).to_be_visible()
        assert [r.name for r in core.requests.values()] == [CommandName.RESERVE, CommandName.CANCEL_RESERVATION]
        assert visit.wrong == []


async def test_whoever_arrives_is_started_from_the_overview(browser: Browser, tmp_path: Path) -> None:
    """Without a card, the technician starts for the reservation: the start names it and it is used up."""
    async with at_core(browser, tmp_path, "360") as (visit, core):
        page = visit.page
        await page.goto(f"{visit.url}/connectors/A03-1")
        await page.get_by_text("Reserve this connector").click()
        await page.get_by_role("button", name="Reserve", exact=False).click()
        await expect(page.locator(".kept")).to_be_visible()
        await page.get_by_role("link", name="Back to the overview").click()
        card = page.locator("#card-A03-1")
        await card.get_by_role("button", name="Start").click()
        await expect(page.get_by_role("dialog")).to_contain_text("is reserved. Start charging for whom it is kept?")
        await page.get_by_role("button", name="Start charging").click()
        await expect(card.get_by_role("button", name="Stop")).to_be_visible()
        reserve, start = core.requests.values()
        assert start.params == {"reservationId": reserve.id}


async def test_somebody_is_next_where_a_car_charges(browser: Browser, tmp_path: Path) -> None:
    """S-68: asked for on a phone while the car charges, seen on the overview, and cancelled by its name."""
    async with at_core(browser, tmp_path, "360") as (visit, core):
        page = visit.page
        await page.goto(f"{visit.url}/connectors/A01-1")
        await page.get_by_text("Reserve it once it is free").click()
        await page.get_by_label("Name or phone").fill("Mr Wu")
        await page.get_by_role("button", name="Reserve", exact=False).click()
        await expect(page.locator(".next")).to_contain_text("Somebody is next here")
        assert await page.evaluate(OVERFLOWS) is False
        await page.screenshot(path=SHOTS / "reserve-next-360.png", full_page=True)
        await page.get_by_role("link", name="Back to the overview").click()
        await expect(page.locator("#card-A01-1")).to_contain_text("Somebody is next here")
        await page.locator("#card-A01-1").get_by_role("link", name="Details").click()
        await page.get_by_role("button", name="Cancel who is next").click()
        await page.get_by_role("button", name="Cancel it").click()
        await expect(page.locator(".next")).to_have_count(0)
        asked, cancelled = core.requests.values()
        assert asked.params == {"next": True, "hold_s": 900, "who": "Mr Wu"}
        assert cancelled.params == {"reservationId": asked.id}

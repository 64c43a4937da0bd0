"""Barriers and parking locks in a real browser, on a phone and on a desk, over the real local API."""

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from siteward.model.live import ArmKind, ArmView
from siteward.model.requests import CommandName
from tests.browser.conftest import SHOTS
from tests.browser.test_panel import SIZES, at_core
from tests.fixtures.core import FakeCore

pytestmark = pytest.mark.station

GATE = ArmView("gate", "North gate", ArmKind.BARRIER, "closed", False, None, None, False, False)
BAY = ArmView("bay-1", "Bay 1", ArmKind.LOCK, "down", False, None, None, False, False, "A01-1")


async def at_the_gate(page: Page, core: FakeCore, url: str) -> None:
    """Have the site get a gate and a bay while somebody looks at it, and go there by the menu."""
    core.arms = {"gate": GATE, "bay-1": BAY}
    await page.get_by_role("link", name="Access", exact=True).click(timeout=10_000)
    await expect(page).to_have_url(f"{url}/access")
    await page.evaluate("window.neverReloaded = true")


@pytest.mark.parametrize("size", SIZES)
async def test_a_technician_opens_and_closes_a_barrier(browser: Browser, tmp_path: Path, size: str) -> None:
    """I11, contract 5: opening is one press; closing asks first; state and buttons follow without a reload."""
    async with at_core(browser, tmp_path, size) as (visit, core):
        page = visit.page
        await at_the_gate(page, core, visit.url)
        card = page.locator("#arm-gate")
        close = card.get_by_role("button", name="Close")
        await expect(close).to_be_disabled()
        await card.get_by_role("button", name="Open").click()
        await expect(card.locator(".state")).to_have_text("Open")
        await expect(card.locator(".said")).to_contain_text("Done.")
        await close.click()
        await expect(page.get_by_role("dialog")).to_contain_text("nobody stands or walks below it")
        await page.get_by_role("button", name="Cancel").click()
        assert [r.name for r in core.requests.values()] == [CommandName.OPEN_BARRIER]
        await close.click()
        await page.get_by_role("button", name="Close now").click()
        await expect(card.locator(".state")).to_have_text("Closed")
        assert [(r.name, r.target) for r in core.requests.values()] == [
            (CommandName.OPEN_BARRIER, "gate"),
            (CommandName.CLOSE_BARRIER, "gate"),
        ]
        assert {r.actor.user for r in core.requests.values() if r.actor} == {"admin"}
        assert await page.evaluate("window.neverReloaded") is True
        assert visit.wrong == []


async def test_what_comes_into_the_way_is_seen_and_cannot_be_pressed(browser: Browser, tmp_path: Path) -> None:
    """I12: a car in the bay takes the button away and says why, on the page that is already open."""
    async with at_core(browser, tmp_path, "360") as (visit, core):
        page = visit.page
        await at_the_gate(page, core, visit.url)
        card = page.locator("#arm-bay-1")
        await expect(card.get_by_role("button", name="Raise")).to_be_enabled()
        core.arms["bay-1"] = replace(BAY, occupied=True, blocked="BAY_NOT_FREE")
        await expect(card.get_by_role("button", name="Raise")).to_be_disabled()
        await expect(card).to_contain_text("A car stands in the bay")
        SHOTS.mkdir(exist_ok=True)
        await page.screenshot(path=SHOTS / "access-live-360.png", full_page=True)

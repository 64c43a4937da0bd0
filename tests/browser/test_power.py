"""S-42: the picture of a session in a real browser: readable on a phone and on a desk, alive while the car charges."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import SHOTS, serving
from tests.browser.test_panel import SIZES, visiting
from tests.fixtures import curves
from tests.fixtures.depot import Depot

pytestmark = pytest.mark.station

OVERLAPS = """() => {
  const shown = [...document.querySelectorAll('.plot text')].filter(e => e.getClientRects().length);
  const boxes = shown.map(e => [e.textContent, e.getBoundingClientRect()]);
  const bad = [];
  boxes.forEach(([a, one], i) => boxes.slice(i + 1).forEach(([b, other]) => {
    const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
    const down = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
    if (across > 0.5 && down > 3) bad.push(a + ' over ' + b);
  }));
  return boxes.length < 8 ? ['too few labels'] : bad;
}"""


def depot() -> Depot:
    """A depot with one session that has everything."""
    core = Depot()
    core.timezone = "Asia/Shanghai"
    core.bills["S1"] = curves.evidence(ended_at=curves.BEGIN + timedelta(minutes=80))
    core.curves["S1"] = curves.curve()
    return core


async def box(page: Page, selector: str) -> dict[str, float]:
    """Where something is on the page."""
    found = await page.locator(selector).first.bounding_box()
    assert found is not None
    return {key: float(value) for key, value in found.items()}


@pytest.mark.parametrize("size", SIZES)
async def test_the_picture_is_readable_in_both_languages_light_and_dark(
    browser: Browser, tmp_path: Path, size: str
) -> None:
    """No label over another, nothing outside, places true to the time, contrast enough, words for who cannot see it."""
    SHOTS.mkdir(exist_ok=True)
    core = depot()
    async with serving(core, tmp_path) as served, visiting(browser, served.url, served.first.password, size) as visit:
        page = visit.page
        for language in ("en", "zh"):
            for scheme in ("light", "dark"):
                await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                await page.goto(f"{served.url}/language/{language}?next=/sessions/S1")
                await expect(page.locator(".chart")).to_be_visible()
                assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
                assert await page.evaluate(OVERLAPS) == []
                poor = await page.evaluate((Path(__file__).parent / "contrast.js").read_text())
                assert poor == [], f"{scheme} {language}"
                await page.locator(".power").screenshot(path=SHOTS / f"power-{language}-{scheme}-{size}.png")
        chart, gap = await box(page, ".chart"), await box(page, ".chart > svg .gap")
        assert (gap["x"] - chart["x"]) / chart["width"] == pytest.approx(0.6, abs=0.01)
        assert gap["width"] / chart["width"] == pytest.approx(0.125, abs=0.01)
        line = await box(page, ".boundary")
        assert (line["x"] - chart["x"]) / chart["width"] == pytest.approx(0.5, abs=0.01)
        await page.goto(f"{served.url}/language/en?next=/sessions/S1")
        picture = page.get_by_role("img", name="Power over time")
        await expect(picture).to_have_accessible_description(
            "2026-07-01 10:20:00 – 11:40:00: measured 0.0–10.9 kW, "
            "offered 0.0–16.0 A. Pauses: 2. Times without a record: 1. "
            "Price boundaries: 1; prices: 平 1.3007 CNY/kWh, 峰 1.7009 CNY/kWh."
        )
        await page.get_by_text("The same as a table").click()
        await expect(page.locator(".tabled tbody tr")).to_have_count(7)
        assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        await page.locator(".power").screenshot(path=SHOTS / f"power-table-{size}.png")
        assert visit.wrong == []


async def test_the_page_goes_on_while_the_car_charges_but_not_under_a_reader(browser: Browser, tmp_path: Path) -> None:
    """A running session looks again every 30 s; whoever reads its table is left in peace until it is closed."""
    core = depot()
    async with serving(core, tmp_path) as served, visiting(browser, served.url, served.first.password, "360") as visit:
        page = visit.page
        await page.goto(f"{served.url}/sessions/S1")
        await page.evaluate("window.neverReloaded = true")
        core.curves["S1"] = curves.curve(gaps=(), points=curves.curve().points[:40])
        await page.get_by_text("The same as a table").click()
        how = "{source: '#fresh', target: '#fresh', select: '#fresh', swap: 'outerHTML'}"
        again = f"htmx.ajax('GET', '/sessions/S1', {how})"
        await page.evaluate(again)
        await asyncio.sleep(0.5)
        await expect(page.get_by_text("paused by the car")).not_to_have_count(0)
        await page.get_by_text("The same as a table").click()
        await page.evaluate(again)
        await expect(page.locator(".legend").get_by_text("paused by the car")).to_have_count(0)
        core.bills["S1"] = curves.evidence(state="FINISHED", ended_at=curves.BEGIN + timedelta(minutes=80))
        await page.evaluate(again)
        await expect(page.locator("#fresh[hx-trigger]")).to_have_count(0)
        assert await page.evaluate("window.neverReloaded") is True
        assert visit.wrong == []


async def test_without_scripts_the_picture_is_there(browser: Browser, tmp_path: Path) -> None:
    """It is made by the station, not by the browser."""
    core = depot()
    async with serving(core, tmp_path) as served, visiting(browser, served.url, served.first.password, "360") as visit:
        cookies = await visit.page.context.cookies()
        plain = await browser.new_context(java_script_enabled=False, ignore_https_errors=True)
        await plain.add_cookies([{**cookie} for cookie in cookies])  # type: ignore[misc]
        page = await plain.new_page()
        await page.goto(f"{served.url}/sessions/S1")
        await expect(page.locator(".chart .measured")).to_be_visible()
        await page.locator("summary").click()
        await expect(page.locator(".tabled tbody tr")).to_have_count(7)
        await plain.close()

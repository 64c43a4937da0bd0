"""The panel in a real browser, on a phone and on a desk, over the real local API: what a person sees and does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, expect

from siteward.client.client import Client
from siteward.model.requests import CommandName
from siteward.model.site import Site
from tests.browser.conftest import DESK, PHONE, SHOTS, new_context, serving
from tests.fixtures.core import FakeCore, running_core
from tests.fixtures.depot import Depot
from tests.fixtures.sites import small_site

pytestmark = pytest.mark.station

SIZES = {"360": PHONE, "1280": DESK}
NEW_PASSWORD = "seven quiet lanterns"
PAGES = ("", "connectors/A01-1", "alarms", "access", "lines", "events")


@dataclass(slots=True)
class Visit:
    """A logged-in page; `asked` are the hosts that the browser spoke to, `wrong` what its console complained of."""

    page: Page
    url: str
    asked: set[str]
    wrong: list[str]


async def enter(page: Page, url: str, password: str) -> None:
    """Log in with the generated password and change it, as a technician at first entry has to."""
    await page.goto(f"{url}/")
    await page.get_by_label("User", exact=True).fill("admin")
    await page.get_by_label("Password", exact=True).fill(password)
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_role("heading", name="Choose a new password")).to_be_visible()
    await page.goto(f"{url}/alarms")
    await expect(page.get_by_role("heading", name="Choose a new password")).to_be_visible()
    await page.get_by_label("Present password").fill(password)
    await page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    await page.get_by_label("New password once more").fill(NEW_PASSWORD)
    await page.get_by_role("button", name="Save password").click()
    await expect(page.get_by_role("heading", name="Fuse tree")).to_be_visible()


def switching(connector: str) -> Site:
    """The small site, whose installer allows phase switching at one connector."""
    site = small_site()
    chargers = [
        replace(box, connectors=tuple(replace(c, phase_switching=c.id == connector) for c in box.connectors))
        for box in site.chargers
    ]
    return replace(site, chargers=tuple(chargers))


@asynccontextmanager
async def visiting(browser: Browser, url: str, password: str, size: str) -> AsyncIterator[Visit]:
    """A fresh browser that has come in."""
    context = await new_context(browser, SIZES[size])
    page = await context.new_page()
    visit = Visit(page, url, set(), [])
    page.on("request", lambda request: visit.asked.add(urlsplit(request.url).netloc))
    page.on("pageerror", lambda error: visit.wrong.append(str(error)))
    page.on("console", lambda m: visit.wrong.append(m.text) if "Content Security Policy" in m.text else None)
    try:
        await enter(page, url, password)
        yield visit
    finally:
        await context.close()


@asynccontextmanager
async def at_core(
    browser: Browser, tmp_path: Path, size: str, site: Site | None = None
) -> AsyncIterator[tuple[Visit, FakeCore]]:
    """A visit over the real local API."""
    async with (
        running_core(tmp_path / "run", site=site) as core,
        Client(tmp_path / "run" / "panel.sock") as client,
        serving(client, tmp_path) as served,
        visiting(browser, served.url, served.first.password, size) as visit,
    ):
        yield visit, core


@pytest.mark.parametrize("size", SIZES)
async def test_a_technician_starts_and_stops_a_session(browser: Browser, tmp_path: Path, size: str) -> None:
    """Contract 5, ruling 28: login, forced change, live numbers without reload, start, reply, stop."""
    async with at_core(browser, tmp_path, size) as (visit, core):
        page = visit.page
        card = page.locator("#card-A03-1")
        await page.evaluate("window.neverReloaded = true")
        number = page.locator("#card-A01-1 [data-live=current]")
        first = await number.inner_text()
        await expect(number).not_to_have_text(first)
        await card.get_by_role("button", name="Start").click()
        await page.get_by_role("button", name="Cancel").click()
        assert core.requests == {}
        await card.get_by_role("button", name="Start").click()
        await expect(page.get_by_role("dialog")).to_contain_text("Start charging at connector A03-1?")
        await page.get_by_role("button", name="Start charging").click()
        await expect(card.locator(".said")).to_contain_text("Done.")
        await expect(card.get_by_role("button", name="Stop")).to_be_visible()
        await card.get_by_role("button", name="Stop").click()
        await page.get_by_role("button", name="Stop charging").click()
        await expect(card.get_by_role("button", name="Start")).to_be_visible()
        assert [request.name for request in core.requests.values()] == [
            CommandName.START_CHARGE,
            CommandName.STOP_CHARGE,
        ]
        actors = {request.actor for request in core.requests.values()}
        assert [(a.user, a.role.value, a.address) for a in actors if a] == [("admin", "installer", "127.0.0.1")]
        assert await page.evaluate("window.neverReloaded") is True
        assert visit.wrong == []


START_BY_SOMEBODY_ELSE = """() => fetch("/connectors/A03-1/start", {
  method: "POST", headers: JSON.parse(document.body.getAttribute("hx-headers")) })"""


async def test_an_answer_counts_though_the_form_has_changed_meanwhile(browser: Browser, tmp_path: Path) -> None:
    """Whoever is being asked about a form answers for that form, and is told what became of it."""
    async with at_core(browser, tmp_path, "360") as (visit, core):
        page = visit.page
        card = page.locator("#card-A03-1")
        await card.get_by_role("button", name="Start").click()
        await page.evaluate(START_BY_SOMEBODY_ELSE)
        await expect(card).not_to_contain_text("Available")
        await asyncio.sleep(1.5)
        await page.get_by_role("button", name="Start charging").click()
        await expect(card.locator(".said")).not_to_be_empty()
        assert len(core.requests) == 2
        await expect(card.get_by_role("button", name="Stop")).to_be_visible()
        assert visit.wrong == []


async def test_a_technician_starts_with_a_departure(browser: Browser, tmp_path: Path) -> None:
    """B12: time and energy from the form, and when the car leaves on its card; half of it is refused."""
    async with at_core(browser, tmp_path, "360") as (visit, core):
        page = visit.page
        card = page.locator("#card-A03-1")
        await card.get_by_text("Known departure").click()
        await card.get_by_label("Leaves at").fill("07:30")
        await card.get_by_role("button", name="Start").click()
        await page.get_by_role("button", name="Start charging").click()
        await expect(card.locator(".said")).to_contain_text("departure and the energy wanted together")
        assert core.requests == {}
        await card.get_by_label("Wanted by then").fill("20")
        SHOTS.mkdir(exist_ok=True)
        # Of the card alone: a picture of the full page leaves the page scrolled elsewhere than its clicks go.
        await card.screenshot(path=SHOTS / "departure-360.png")
        await card.get_by_role("button", name="Start").click()
        await page.get_by_role("button", name="Start charging").click()
        await expect(card.locator(".leaving")).to_contain_text("Leaves 07:30, ")
        await expect(card.locator(".leaving")).to_contain_text("of 20.0 kWh")
        (asked,) = core.requests.values()
        assert asked.params == {"departsAt": "07:30", "wantedEnergy_wh": 20_000}
        assert visit.wrong == []


@pytest.mark.parametrize("size", ["360", "1280"])
async def test_a_technician_allows_phase_switching_of_one_car(browser: Browser, tmp_path: Path, size: str) -> None:
    """B14: offered only where the site allows it, warned of in the question, and never agreed to by itself."""
    async with at_core(browser, tmp_path, size, switching("A03-1")) as (visit, core):
        page = visit.page
        await expect(page.get_by_text("between one and three phases")).to_have_count(1)
        await page.goto(f"{visit.url}/language/zh?next=/connectors/A03-1")
        await expect(page.get_by_label("允许本车在单相与三相之间切换")).not_to_be_checked()
        await page.goto(f"{visit.url}/language/en?next=/connectors/A03-1")
        agree = page.get_by_label("This car may be switched between one and three phases")
        await expect(agree).not_to_be_checked()
        await page.get_by_role("button", name="Start").click()
        sure = page.locator("#sure-text")
        await expect(sure).to_have_text("Start charging at connector A03-1?")
        await page.get_by_role("button", name="Cancel").click()
        await agree.check()
        await asyncio.sleep(1.0)
        await expect(agree).to_be_checked()
        SHOTS.mkdir(exist_ok=True)
        await page.screenshot(path=SHOTS / f"phases-{size}.png")
        await page.get_by_role("button", name="Start").click()
        await expect(sure).to_contain_text("Some cars are harmed by that")
        await page.screenshot(path=SHOTS / f"phases-sure-{size}.png")
        await page.get_by_role("button", name="Start charging").click()
        await expect(page.get_by_role("button", name="Stop")).to_be_visible()
        (asked,) = core.requests.values()
        assert asked.params == {"phaseSwitching": True}
        assert visit.wrong == []


async def test_core_gone_and_back_is_seen_without_reload(browser: Browser, tmp_path: Path) -> None:
    """flows.md: the last view stays, marked old in words; the page lives again by itself."""
    core = Depot()
    async with serving(core, tmp_path) as served, visiting(browser, served.url, served.first.password, "360") as visit:
        core.down = True
        await expect(visit.page.get_by_text("The controller does not answer.")).to_be_visible(timeout=10_000)
        await expect(visit.page.locator("#card-A01-1")).to_be_visible()
        await expect(visit.page.locator(".now")).to_contain_text("old")
        core.down = False
        await expect(visit.page.get_by_text("The controller does not answer.")).to_be_hidden(timeout=10_000)
        await expect(visit.page.locator(".now")).to_contain_text("live")


async def test_a_lost_panel_is_told_by_the_page_itself(browser: Browser, tmp_path: Path) -> None:
    """Nobody looks at frozen numbers without being told."""
    async with AsyncExitStack() as panel, AsyncExitStack() as people:
        served = await panel.enter_async_context(serving(Depot(), tmp_path))
        visit = await people.enter_async_context(visiting(browser, served.url, served.first.password, "360"))
        await expect(visit.page.get_by_role("alert")).to_be_hidden()
        await panel.aclose()
        await expect(visit.page.get_by_role("alert")).to_contain_text("No connection", timeout=15_000)


@pytest.mark.parametrize("size", SIZES)
async def test_every_page_fits_speaks_both_languages_and_stays_home(
    browser: Browser, tmp_path: Path, size: str
) -> None:
    """No sideways scrolling, no request to another host, no policy violation; screenshots of all in SHOTS."""
    SHOTS.mkdir(exist_ok=True)
    async with (
        serving(Depot(), tmp_path) as served,
        visiting(browser, served.url, served.first.password, size) as visit,
    ):
        page = visit.page
        for language, word in (("EN", "Overview"), ("中文", "总览")):
            await page.get_by_role("link", name=language, exact=True).click()
            await expect(page.get_by_role("link", name=word)).to_be_visible()
            for path in PAGES:
                await page.goto(f"{served.url}/{path}")
                await expect(page.get_by_role("navigation").first).to_be_visible()
                wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert wide <= 0, f"{path} scrolls sideways by {wide} px"
                await _accessible(page)
                name = f"{path.split('/')[0] or 'overview'}-{await page.evaluate('document.documentElement.lang')}"
                await page.screenshot(path=SHOTS / f"{name}-{size}.png", full_page=True)
        assert visit.asked == {urlsplit(served.url).netloc}
        assert visit.wrong == []


async def _accessible(page: Page) -> None:
    """Fields have labels, pictures have words, targets are 44 px, headings start at h1."""
    small = await page.evaluate(
        """() => [...document.querySelectorAll('button, .button, .menu a, .languages a, .leaf, .filters a')]
            .filter(e => e.offsetParent && (e.offsetHeight < 44 || e.offsetWidth < 44)).map(e => e.outerHTML)"""
    )
    assert small == []
    nameless = await page.evaluate(
        """() => [...document.querySelectorAll('svg[role=img]:not([aria-label]), img:not([alt]), button, a')]
            .filter(e => e.matches('svg, img') || !(e.closest('dialog') || e.textContent.trim()))
            .map(e => e.outerHTML)"""
    )
    assert nameless == []
    assert await page.locator("h1").count() == 1
    assert await page.evaluate("document.documentElement.lang") in ("en", "zh")


async def test_contrast_of_text_holds(browser: Browser, tmp_path: Path) -> None:
    """WCAG 2 AA: 4.5:1 for every piece of text against what lies behind it, in light and dark."""
    async with (
        serving(Depot(), tmp_path) as served,
        visiting(browser, served.url, served.first.password, "1280") as visit,
    ):
        for scheme in ("light", "dark"):
            await visit.page.emulate_media(color_scheme=scheme)
            await asyncio.sleep(0.1)
            for path in ("", "lines", "alarms", "access"):
                await visit.page.goto(f"{served.url}/{path}")
                poor = await visit.page.evaluate((Path(__file__).parent / "contrast.js").read_text())
                assert poor == [], f"{scheme} /{path}"


async def test_keyboard_alone_is_enough(browser: Browser, tmp_path: Path) -> None:
    """Skip link first, focus visible, the dialog takes and gives back the focus, Escape cancels."""
    core = Depot()
    async with serving(core, tmp_path) as served, visiting(browser, served.url, served.first.password, "1280") as visit:
        page = visit.page
        await page.goto(f"{served.url}/connectors/A01-1")
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        await page.get_by_role("button", name="Stop").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="Stop charging")).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_be_hidden()
        assert core.requests == []
        await page.get_by_role("button", name="Stop").focus()
        await page.keyboard.press("Enter")
        await page.keyboard.press("Enter")
        await expect(page.locator(".said")).to_contain_text("Done.")
        assert core.requests[0].params is not None

"""A browser and a panel in front of it."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, async_playwright

from siteward.panel.accounts import FirstLogin
from siteward.panel.core import Core
from siteward.panel.service import PanelOptions, PanelReady, serve_panel
from tests.fixtures.clock import RealClock

SHOTS = Path(__file__).parent / "shots"
CHROMIUM = os.environ.get("SITEWARD_CHROMIUM", "/usr/bin/chromium")
ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 800}


@dataclass(slots=True)
class Served:
    """A running panel and its first login."""

    url: str
    first: FirstLogin


@asynccontextmanager
async def serving(core: Core, state: Path) -> AsyncIterator[Served]:
    """The real panel on a free port, until the block ends."""
    stop = asyncio.Event()
    at: asyncio.Future[PanelReady] = asyncio.get_running_loop().create_future()
    first: asyncio.Future[FirstLogin] = asyncio.get_running_loop().create_future()
    options = PanelOptions(state / "panel.sock", state, port=0)
    task = asyncio.create_task(serve_panel(core, options, RealClock(), stop, at.set_result, first.set_result))
    try:
        async with asyncio.timeout(10):
            served = Served((await at).url.rstrip("/"), await first)
        yield served
    finally:
        stop.set()
        await task


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Chromium of the computer, without a window."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGS))
        yield chromium
        await chromium.close()


async def new_context(browser: Browser, size: dict[str, int], language: str = "en") -> BrowserContext:
    """A fresh browser profile."""
    return await browser.new_context(
        viewport={"width": size["width"], "height": size["height"]},
        ignore_https_errors=True,
        locale="zh-CN" if language == "zh" else "en-GB",
        timezone_id="Asia/Shanghai",
        has_touch=size is PHONE,
        device_scale_factor=2 if size is PHONE else 1,
    )

"""A panel application in memory: no socket, no browser; requests go straight into it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from re import search

import httpx
import pytest

from siteward.client.records import UserMessage
from siteward.model.events import ClockQuality
from siteward.panel import passwords
from siteward.panel.accounts import Accounts
from siteward.panel.app import build_app
from siteward.panel.desk import Desk
from siteward.panel.live import LiveHub
from tests.fixtures.depot import Depot

PASSWORD = "seven quiet lanterns"
ORIGIN = "https://localhost"


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.at = 1000.0

    def now(self) -> float:
        return self.at

    def wall(self) -> datetime:
        return datetime(2026, 3, 2, 8, 0, tzinfo=UTC) + timedelta(seconds=self.at)

    def quality(self) -> ClockQuality:
        return ClockQuality.NTP

    async def sleep(self, seconds: float) -> None:
        self.at += seconds


@dataclass(slots=True)
class Panel:
    """The application with everything around it that a test moves or looks at."""

    core: Depot
    clock: HandClock
    desk: Desk
    client: httpx.AsyncClient
    state: Path
    addresses: list[str] = field(default_factory=list)

    async def login(self, user: str = "tina", password: str = PASSWORD) -> httpx.Response:
        """Fetch the form, then send it."""
        form = await self.client.get("/login")
        data = {"csrf": token_in(form.text), "user": user, "password": password, "next": "/"}
        return await self.client.post("/login", data=data)

    async def token(self) -> str:
        """CSRF token of the session, as the pages carry it."""
        page = await self.client.get("/alarms")
        return token_in(page.text)

    async def press(self, path: str, **data: str) -> httpx.Response:
        """What a button does."""
        headers = {"x-csrf-token": await self.token(), "hx-request": "true"}
        return await self.client.post(path, data=data, headers=headers)


def token_in(page: str) -> str:
    """The token in a form of a page."""
    found = search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None, page[:500]
    return found.group(1)


@pytest.fixture(scope="session")
def hashed() -> str:
    """The hash of PASSWORD, made once."""
    return passwords._HASHER.hash(PASSWORD)


@pytest.fixture
async def panel(tmp_path: Path, hashed: str) -> AsyncIterator[Panel]:
    """A panel that has seen one live view, with a viewer, a technician and an installer."""
    people = (("vera", "viewer"), ("tina", "technician"), ("ines", "installer"))
    core = Depot([UserMessage(name=n, role=r, password_hash=hashed, must_change=False) for n, r in people])
    clock = HandClock()
    hub = LiveHub(core, clock)
    await hub._publish(core.live(), False)
    desk = Desk(core, hub, Accounts(core, clock, tmp_path), clock)
    transport = httpx.ASGITransport(build_app(desk, metrics_token="figures-please"), client=("192.0.2.7", 4711))
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"origin": ORIGIN}) as client:
        yield Panel(core, clock, desk, client, tmp_path)

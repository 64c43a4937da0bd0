"""Bus sharing: the share process shows core's live view and hands limits on as requests that lapse (law 1)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from siteward.app.share import Feed
from siteward.client.client import Client
from siteward.model.requests import CommandName, Source
from siteward.settings.result import ShareSettings
from siteward_drivers.share_map import CONNECTORS_AT, STRIDE, WISH
from tests.fixtures.clock import RealClock
from tests.fixtures.core import FakeCore, running_core


@pytest.fixture
async def core(tmp_path: Path) -> AsyncIterator[FakeCore]:
    async with running_core(tmp_path / "run") as station:
        yield station


async def test_the_live_view_becomes_registers_and_a_wish_a_request(core: FakeCore, tmp_path: Path) -> None:
    """Law 1, I14: an allowed limit goes the way of every command, holds for its time, and is paced."""
    async with Client(tmp_path / "run" / "field.sock") as client:
        feed = Feed(client, ShareSettings(writable=("A03-1",)), RealClock())
        following = asyncio.create_task(feed.run())
        async with asyncio.timeout(5):
            while feed.age_s() > 5:
                await asyncio.sleep(0.02)
        live = await client.live()
        assert feed.map.read(0, 4, 0.0)[:3] == [1, len(live.meters), len(live.connectors)]
        names = [connector.id for connector in live.connectors]
        status = feed.map.read(CONNECTORS_AT + STRIDE * (len(names) - 1) + 19, 1, 0.0)
        assert status == [0]
        place = CONNECTORS_AT + STRIDE * names.index("A03-1") + WISH
        name, limit_a = feed.map.wish(place, 100)
        assert (name, limit_a) == ("A03-1", 10.0)
        assert await feed.wish(name, limit_a)
        assert not await feed.wish(name, 9.0)
        following.cancel()
        await asyncio.wait([following])
    (request,) = [r for r in core.requests.values() if r.name is CommandName.LIMIT_POWER]
    assert (request.target, request.source) == ("A03-1", Source.LOCAL)
    assert request.params["limit_a"] == 10.0
    until = datetime.fromisoformat(str(request.params["validUntil"]))
    assert timedelta(seconds=55) < until - live.at < timedelta(seconds=66)


async def test_without_core_there_is_no_picture_and_no_wish(tmp_path: Path) -> None:
    """Law 5: the age says it, so that the server refuses reads."""
    async with Client(tmp_path / "none.sock") as client:
        feed = Feed(client, ShareSettings(writable=("A03-1",)), RealClock())
        following = asyncio.create_task(feed.run())
        await asyncio.sleep(0.2)
        assert feed.age_s() > 1e9
        assert not await feed.wish("A03-1", 10.0)
        following.cancel()
        await asyncio.wait([following])

"""Bus sharing: the share process shows core's live view and hands limits on as requests that lapse (law 1)."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from siteward.app.options import ProcessOptions
from siteward.app.share import Feed, run_share
from siteward.client.client import Client
from siteward.model.errors import ConfigError
from siteward.model.requests import CommandName, Source
from siteward.settings.load import load_settings
from siteward.settings.result import ShareSettings
from siteward_drivers.registry import load_profiles
from siteward_drivers.share_map import CONNECTORS_AT, STRIDE, WISH
from tests.fixtures.clock import RealClock
from tests.fixtures.core import FakeCore, running_core

ROOT = Path(__file__).parents[3]


def free_port() -> int:
    """A TCP port that nobody used a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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


async def test_the_process_listens_where_the_site_says_and_ends_in_order(core: FakeCore, tmp_path: Path) -> None:
    """Law 9 of processes: SIGTERM ends it with 0, and its port is free again."""
    site = tmp_path / "site.toml"
    demo = (ROOT / "config" / "demo" / "site.toml").read_text(encoding="utf-8")
    port = free_port()
    site.write_text(f'{demo}\n[share]\nlisten = "127.0.0.1:{port}"\n', encoding="utf-8")
    options = ProcessOptions(site, tmp_path, tmp_path / "run", None)
    running = asyncio.create_task(run_share(options))
    answer = b""
    async with asyncio.timeout(10):
        while not answer.startswith(b"\0\1\0\0\0\5\1\3\2"):
            await asyncio.sleep(0.1)
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                continue
            writer.write(b"\0\1\0\0\0\6\1\3\0\0\0\1")
            answer = await reader.read(64)
            writer.close()
    assert answer == b"\0\1\0\0\0\5\1\3\2\0\1"
    os.kill(os.getpid(), signal.SIGTERM)
    assert await asyncio.wait_for(running, 10) == 0
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", port)


def test_a_site_without_the_section_or_with_a_strange_connector_is_told(tmp_path: Path) -> None:
    """Ruling 13: a slip of the pen is named with its key."""
    site = tmp_path / "site.toml"
    demo = (ROOT / "config" / "demo" / "site.toml").read_text(encoding="utf-8")
    site.write_text(f'{demo}\n[share]\nwritable = ["Z99-9"]\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"share\.writable: there is no connector 'Z99-9'"):
        load_settings(site, load_profiles())


def test_lists_of_names_are_read_as_lists(tmp_path: Path) -> None:
    """Ruling 13: TOML has arrays, whatever they become inside."""
    site = tmp_path / "site.toml"
    demo = (ROOT / "config" / "demo" / "site.toml").read_text(encoding="utf-8")
    demo = demo.replace("[panel]", '[panel]\nnames = ["box"]')
    site.write_text(f'{demo}\n[share]\nclients = ["127.0.0.1", "192.0.2.7"]\n', encoding="utf-8")
    settings = load_settings(site, load_profiles())
    assert settings.share is not None
    assert settings.share.clients == ("127.0.0.1", "192.0.2.7")
    assert settings.panel.names == ("box",)

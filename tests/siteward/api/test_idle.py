"""The local API when nobody calls: it waits for events, never for the time to pass (goal 14)."""

import asyncio
from pathlib import Path

import pytest

from siteward.api.serve import run_api
from tests.fixtures.clock import RealClock
from tests.fixtures.core import FakeCore
from tests.fixtures.sites import small_site

WATCHED_S = 0.5


async def test_an_idle_api_sets_no_timer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal 14: uvicorn's own loop would wake core ten times a second, for each of the four sockets."""
    clock, stop = RealClock(), asyncio.Event()
    serving = asyncio.create_task(run_api(FakeCore(tmp_path, clock, small_site()), tmp_path, clock, stop))
    await asyncio.sleep(0.1)
    assert (tmp_path / "panel.sock").is_socket()
    loop, timers = asyncio.get_running_loop(), []
    call_at = loop.call_at
    monkeypatch.setattr(loop, "call_at", lambda *args, **more: timers.append(args) or call_at(*args, **more))
    await asyncio.sleep(WATCHED_S)
    own = 1
    assert len(timers) == own
    stop.set()
    await asyncio.wait_for(serving, 2)

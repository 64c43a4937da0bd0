"""The supervisor: a child that dies comes back at once, a stop ends all of them in time (fault 49, S-63)."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from siteward.runtime.clock import SystemClock
from siteward.runtime.supervisor import Child, Supervisor

pytestmark = pytest.mark.station
SLEEPER = (sys.executable, "-c", "import time; time.sleep(60)")
STUBBORN = (
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)",
)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


async def _pid(starts: list[dict[str, int]], count: int) -> int:
    async with asyncio.timeout(10):
        while len(starts) < count:
            await asyncio.sleep(0.02)
    return starts[-1]["child"]


async def test_a_killed_child_is_back_within_a_second():
    starts: list[dict[str, int]] = []
    said: list[str] = []
    stop = asyncio.Event()
    supervisor = Supervisor([Child("child", SLEEPER)], SystemClock(), said.append, lambda p: starts.append(dict(p)))
    running = asyncio.create_task(supervisor.run(os.environ, stop, 1.0))
    first = await _pid(starts, 1)
    os.kill(first, signal.SIGKILL)
    async with asyncio.timeout(1.0):
        second = await _pid(starts, 2)
    assert second != first
    assert said == ["child ended with status -9; starting it again in 0.2 s"]
    stop.set()
    await running
    assert not _alive(second)


async def test_a_child_that_ignores_the_stop_is_killed_in_time():
    starts: list[dict[str, int]] = []
    stop = asyncio.Event()
    supervisor = Supervisor([Child("child", STUBBORN)], SystemClock(), lambda _: None, lambda p: starts.append(dict(p)))
    running = asyncio.create_task(supervisor.run(os.environ, stop, 0.5))
    child = await _pid(starts, 1)
    await asyncio.sleep(0.3)
    stop.set()
    async with asyncio.timeout(2.0):
        await running
    assert not _alive(child)

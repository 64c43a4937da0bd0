"""A station's uplink and a platform around one real broker, with a core that has no wires."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from siteward.api.door import Door
from siteward_sync.link import Link, Received
from siteward_sync.link_options import LinkOptions
from siteward_sync.receiver import Platform, PlatformOptions, Signer
from siteward_sync.service import SyncOptions, run_sync
from tests.fixtures.broker import Broker
from tests.fixtures.clock import RealClock
from tests.fixtures.core import FakeCore, running_core


@asynccontextmanager
async def synced(core: FakeCore, broker: Broker, **more: object) -> AsyncIterator[None]:
    """The uplink process's inside, with short pauses."""
    async with synced_to(core.run_dir, core.site().id, core.clock, broker, **more):
        yield


@asynccontextmanager
async def synced_to(run: Path, station: str, clock: RealClock, broker: Broker, **more: object) -> AsyncIterator[None]:
    """The same, whether or not there is a core."""
    options = SyncOptions(
        station=station,
        core=run / "sync.sock",
        host="127.0.0.1",
        port=broker.port,
        **{"retry_first_s": 0.1, "resend_s": 1.0, "heartbeat_s": 0.3, "will_delay_s": 0, **more},  # type: ignore[arg-type]
    )
    stop = asyncio.Event()
    task = asyncio.create_task(run_sync(options, clock, stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, 5)


@asynccontextmanager
async def platform(broker: Broker, folder: Path, signer: Signer | None = None) -> AsyncIterator[Platform]:
    """The reference platform with its records in folder."""
    where = PlatformOptions("127.0.0.1", broker.port, folder / "platform.db", retry_first_s=0.1, signer=signer)
    served = Platform(where, RealClock())
    stop = asyncio.Event()
    task = asyncio.create_task(served.run(stop))
    try:
        yield served
    finally:
        stop.set()
        await asyncio.wait_for(task, 5)


@asynccontextmanager
async def raw_link(broker: Broker, client: str, *topics: str) -> AsyncIterator[tuple[Link, "asyncio.Queue[Received]"]]:
    """A bare connection that acknowledges nothing by itself."""
    got: asyncio.Queue[Received] = asyncio.Queue()
    link = Link(LinkOptions(client, "127.0.0.1", broker.port, topics, retry_first_s=0.1), got.put_nowait)
    stop = asyncio.Event()
    task = asyncio.create_task(link.run(stop))
    try:
        await asyncio.wait_for(link.until_up(), 5)
        yield link, got
    finally:
        stop.set()
        await asyncio.wait_for(task, 5)


@asynccontextmanager
async def core_at(folder: Path, clock: RealClock | None = None, door: Door | None = None) -> AsyncIterator[FakeCore]:
    """A running core without wires."""
    async with running_core(folder / "run", clock, door=door) as core:
        yield core


@asynccontextmanager
async def core_process(run: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A core of its own process, to be killed like one."""
    words = (sys.executable, "-m", "tests.fixtures.core", str(run))
    env = {"PYTHONPATH": ":".join(sys.path)}
    process = await asyncio.create_subprocess_exec(*words, env=env, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        await asyncio.wait_for(process.stdout.readline(), 15)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def until(holds: Callable[[], object], timeout_s: float = 8.0) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(timeout_s):
        while not holds():
            await asyncio.sleep(0.02)

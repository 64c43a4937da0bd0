"""Independent devices for tests: how each is started in a process of its own, and our lines on real ports."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from siteward.model.ids import LineId
from siteward.model.site import Line, Site
from siteward_drivers.line import LineOwner
from siteward_drivers.links import open_link
from siteward_drivers.registry import SiteLines, build_lines
from siteward_drivers.sim.virtual import VirtualClock

from .plant import PROFILES
from .rig import OpenGate

BIN = Path(sys.executable).parent
HERE = Path(__file__).parent
NPM = HERE.parent / "fixtures" / "peers" / "npm"
NODE_PEERS = ("modbus-serial", "jsmodbus")
PEERS = ("umodbus", "modbus_tk", "mbtoolcli", *NODE_PEERS)
"""Servers of Modbus that none of us wrote; each answers on a serial wire and on a socket."""


def registers(path: Path, inputs: dict[int, int], holding: dict[int, int]) -> Path:
    """Write the registers of a peer into the file that it reads at its start."""
    tables = {"input_registers": inputs, "holding_registers": holding}
    path.write_text(json.dumps({k: [{"address": a, "value": v} for a, v in t.items()] for k, t in tables.items()}))
    return path


def command(peer: str, transport: str, port: str, unit: int | str, file: Path) -> list[str]:
    """How to start a peer as a server or slave with these registers."""
    if peer in NODE_PEERS:
        assert (NPM / "node_modules").is_dir(), "the peers from npm are not installed: .ci/setup npm-peers"
        return ["node", str(NPM / "serve.js"), peer, transport, port, str(unit), str(file)]
    if peer != "mbtoolcli":
        return [sys.executable, str(HERE / "peers" / "serve.py"), peer, transport, port, str(unit), str(file)]
    start = [str(BIN / "mbtool"), "--slave", "-m", transport, "-a", str(unit), "-p", port, "--register-map", str(file)]
    return [*start, *(["-b", "19200"] if transport == "rtu" else ["-H", "127.0.0.1"])]


@asynccontextmanager
async def process(argv: list[str]) -> AsyncIterator[None]:
    """Run a peer until it said that it has started, and end it afterwards."""
    peer = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert peer.stdout is not None
    said = b""
    try:
        async with asyncio.timeout(20):
            while b"started" not in said:
                line = await peer.stdout.readline()
                assert line, f"the peer ended: {said.decode()}"
                said += line
        yield
    finally:
        peer.kill()
        await peer.wait()
        # Read what is left, so that the pipe's transport ends with its process.
        await peer.stdout.read()


@asynccontextmanager
async def lines_of(site: Site, ports: dict[LineId, str]) -> AsyncIterator[SiteLines]:
    """Lines of the site on real ports; a line without one is left out."""
    links = {line.id: open_link(Line(line.id, ports.get(line.id, "tcp://127.0.0.1:9"), 19200)) for line in site.lines}
    clock = VirtualClock(asyncio.get_running_loop())
    lines = build_lines(site, PROFILES, clock, OpenGate(), lambda event: None, links)
    await lines.open()
    try:
        yield lines
    finally:
        await lines.close()


async def until_up(owner: LineOwner) -> None:
    """Wait for the line's port: a server that said that it has started may not be listening yet."""
    async with asyncio.timeout(10):
        while not owner.view().open:
            await asyncio.sleep(0.02)

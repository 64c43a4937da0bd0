"""The simulated site as a process: pseudo-terminals and TCP ports in real time, a truth file, a control socket."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from siteward.model.errors import ConfigError
from siteward.model.ids import LineId
from siteward.model.ports import Clock
from siteward.model.site import Line, Site
from siteward_drivers.catalogue import Profiles
from siteward_drivers.sim.control import SimControl
from siteward_drivers.sim.control_socket import ControlSocket
from siteward_drivers.sim.pty_line import PtyLine
from siteward_drivers.sim.scenario import Scenario
from siteward_drivers.sim.site import SimSite
from siteward_drivers.sim.tcp_server import TcpServer

SOCKET_NAME = "sim.sock"
TRUTH_NAME = "truth.json"
_TICK_S = 0.25
_TRUTH_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class LineOutlet:
    """A line's transport, whichever kind it is, as something that can be pulled and put back."""

    transport: PtyLine | TcpServer

    async def plug_in(self) -> None:
        """Open it; nothing happens when it is open. Raises ConfigError when the system refuses."""
        try:
            if isinstance(self.transport, TcpServer):
                await self.transport.open()
            else:
                self.transport.open()
        except OSError as error:
            line = self.transport.line
            raise ConfigError(f"line {line.id}: cannot simulate {line.port}: {error}") from error

    async def pull(self) -> None:
        """Close it; nothing happens when it is closed."""
        if isinstance(self.transport, TcpServer):
            await self.transport.close()
        else:
            self.transport.close()


async def run_sim(
    site: Site,
    profiles: Profiles,
    ports_dir: Path,
    scenario: Scenario,
    seed: int,
    clock: Clock,
    stop: asyncio.Event,
) -> None:
    """Simulate the site until `stop` is set.

    Serial lines appear as symbolic links at the port paths of the site, tcp lines listen at theirs (host and port of
    the site; port 0 takes a free one, see `lines` in the truth file). `ports_dir` gets `sim.sock` and `truth.json`,
    rewritten every second. Raises ConfigError when a port cannot be made.
    """
    _make_folder(ports_dir)
    sim = SimSite.from_site(site, profiles, scenario, seed, clock)
    outlets = {line.id: LineOutlet(_transport(sim, line)) for line in site.lines}
    control = SimControl(sim, outlets)
    async with AsyncExitStack() as stack:
        for outlet in outlets.values():
            await outlet.plug_in()
            stack.push_async_callback(outlet.pull)
        await stack.enter_async_context(ControlSocket(ports_dir / SOCKET_NAME, control))
        await _run(sim, control, outlets, ports_dir / TRUTH_NAME, stop)


def _make_folder(path: Path) -> None:
    path.mkdir(parents=True, exist_ok=True)


def _transport(sim: SimSite, line: Line) -> PtyLine | TcpServer:
    bank = sim.banks[line.id]
    if line.is_serial:
        path = Path(line.port)
        if path.is_relative_to("/dev") or (path.exists() and not path.is_symlink()):
            raise ConfigError(f"line {line.id}: {line.port} is no place for a simulated port")
        return PtyLine(line, bank, path)
    host, _, port = line.port.partition("://")[2].rpartition(":")
    if not port.isdecimal():
        raise ConfigError(f"line {line.id}: {line.port} names no TCP port")
    return TcpServer(line, bank, host.strip("[]"), int(port))


async def _run(
    sim: SimSite, control: SimControl, outlets: Mapping[LineId, LineOutlet], truth: Path, stop: asyncio.Event
) -> None:
    coming = sorted(sim.scenario.event, key=lambda e: e.at_s)
    written_at = float("-inf")
    while not stop.is_set():
        sim.settle()
        now = sim.world.now
        while coming and coming[0].at_s <= now - sim.started_at:
            await control.do(coming.pop(0).command())
        if now - written_at >= _TRUTH_EVERY_S:
            write_truth(sim, outlets, truth)
            written_at = now
        try:
            async with asyncio.timeout(_TICK_S):
                await stop.wait()
        except TimeoutError:
            continue
    write_truth(sim, outlets, truth)


def write_truth(sim: SimSite, outlets: Mapping[LineId, LineOutlet], path: Path) -> None:
    """Write the truth report with the state of the lines, all or nothing. Raises OSError."""
    report = sim.truth().as_json()
    report["started_at"] = sim.started_at
    report["lines"] = {str(name): _line_report(sim, outlet.transport) for name, outlet in outlets.items()}
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(report), encoding="utf-8")
    fresh.replace(path)


def _line_report(sim: SimSite, transport: PtyLine | TcpServer) -> dict[str, object]:
    count = sim.banks[transport.line.id].count
    at = f"{transport.host}:{transport.port}" if isinstance(transport, TcpServer) else str(transport.path)
    return {
        "at": at,
        "open": transport.is_open,
        "requests": count.requests,
        "answers": count.answers,
        "early": count.early,
        "garbled": count.garbled,
    }

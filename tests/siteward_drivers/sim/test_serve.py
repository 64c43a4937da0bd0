"""The simulation as a process would run it: ports where the site says, truth file, control socket, scenario events."""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from siteward.model.errors import ConfigError
from siteward.model.events import ClockQuality
from siteward.model.site import Site
from siteward_drivers.registry import load_profiles
from siteward_drivers.sim.control import BadCommand
from siteward_drivers.sim.scenario import QUIET, Scenario, ScenarioEvent, load_scenario
from siteward_drivers.sim.serve import SOCKET_NAME, TRUTH_NAME, run_sim
from siteward_drivers.sim.site import SimSite
from siteward_drivers.sim.slave import rtu_frame, tcp_frame
from siteward_drivers.sim.tcp_server import TcpServer
from siteward_drivers.sim.tell import tell

from .sites import demo_site

pytestmark = pytest.mark.station
PROFILES = load_profiles()
READ_BOX = rtu_frame(1, bytes.fromhex("04 0004 0001"))


class LoopClock:
    """Real time as the loop has it."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def wall(self) -> datetime:
        return datetime(2026, 1, 5, tzinfo=UTC)

    def quality(self) -> ClockQuality:
        return ClockQuality.UNSYNCED

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def hang_up(writer: asyncio.StreamWriter) -> None:
    """Close our end; the other may have gone before."""
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


class Running:
    """A simulation that runs beside the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stop = asyncio.Event()

    async def tell(self, do: str, **arguments: object) -> dict[str, Any]:
        return await asyncio.to_thread(tell, self.folder / SOCKET_NAME, do, **arguments)

    def truth(self) -> dict[str, Any]:
        return json.loads((self.folder / TRUTH_NAME).read_text(encoding="utf-8"))

    async def ask_serial(self, line: str, request: bytes = READ_BOX, wait_s: float = 0.3) -> bytes:
        fd = os.open(self.folder / line, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            os.write(fd, request)
            await asyncio.sleep(wait_s)
            try:
                return os.read(fd, 256)
            except BlockingIOError:
                return b""
        finally:
            os.close(fd)


async def started(site: Site, folder: Path, scenario: Scenario) -> tuple[Running, asyncio.Task[None]]:
    running = Running(folder)
    task = asyncio.create_task(run_sim(site, PROFILES, folder, scenario, 1, LoopClock(), running.stop))
    async with asyncio.timeout(5):
        while not (folder / TRUTH_NAME).exists() and not task.done():
            await asyncio.sleep(0.01)
    if task.done():
        task.result()
    return running, task


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    running, task = await started(demo_site(str(tmp_path / "run")), tmp_path / "run", QUIET)
    yield running
    running.stop.set()
    await task


async def test_serial_lines_appear_at_their_paths_and_tcp_listens(running: Running) -> None:
    assert (await running.ask_serial("rs485-1"))[:3] == bytes((1, 4, 2))
    assert (await running.ask_serial("rs485-2"))[:3] == bytes((1, 4, 2))
    host, port = running.truth()["lines"]["charx"]["at"].split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(tcp_frame(1, 1, bytes.fromhex("03 0072 0001")))
    assert await reader.readexactly(11) == tcp_frame(1, 1, bytes.fromhex("03 02 0004"))
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    assert await reader.read() == b""
    await hang_up(writer)


async def test_lines_devices_and_meters_can_be_taken_away_and_restored(running: Running) -> None:
    read_meter = rtu_frame(100, bytes.fromhex("04 0006 0002"))
    await running.tell("cut_line", line="rs485-1")
    await running.tell("silence", device="b1")
    assert await running.ask_serial("rs485-1") == b""
    assert await running.ask_serial("rs485-2") == b""
    await running.tell("restore", line="rs485-1")
    await running.tell("meter", meter="grid-meter", shows="off")
    assert await running.ask_serial("rs485-1") != b""
    assert await running.ask_serial("rs485-1", read_meter) == b""
    await running.tell("restore")
    assert await running.ask_serial("rs485-1", read_meter) != b""
    assert await running.ask_serial("rs485-2") != b""
    await running.tell("pull_line", line="rs485-1")
    assert not (running.folder / "rs485-1").exists()
    await running.tell("restore", line="rs485-1")
    assert await running.ask_serial("rs485-1") != b""
    await running.tell("restart", charger="a1")
    assert await running.ask_serial("rs485-1") == b""


async def test_a_half_open_tcp_line_accepts_and_stays_silent_and_a_pulled_one_refuses(running: Running) -> None:
    """Fault 16."""
    host, port = running.truth()["lines"]["charx"]["at"].split(":")
    await running.tell("cut_line", line="charx")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(tcp_frame(1, 1, bytes.fromhex("03 0072 0001")))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await reader.read(1)
    await running.tell("pull_line", line="charx")
    assert await reader.read() == b""
    await hang_up(writer)
    with pytest.raises(ConnectionError):
        await asyncio.open_connection(host, int(port))
    await running.tell("restore", line="charx")
    _, writer = await asyncio.open_connection(host, int(port))
    await hang_up(writer)


async def test_a_serial_gateway_carries_rtu_frames_over_its_socket(tmp_path: Path) -> None:
    sim = SimSite.from_site(demo_site(), PROFILES)
    server = TcpServer(replace(sim.site.lines[0], port="rtu+tcp://127.0.0.1:0"), sim.bank("rs485-1"))
    await server.open()
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(READ_BOX)
    async with asyncio.timeout(2):
        assert (await reader.readexactly(7))[:3] == bytes((1, 4, 2))
    await hang_up(writer)
    await server.close()


async def test_cars_and_base_load_are_moved_by_hand_and_the_truth_shows_them(running: Running) -> None:
    await running.tell("plug", connector="a1", react_s=0.1, phases=1, max_a=10)
    await running.tell("base_step", feeder="grid", current_a=20)
    await asyncio.sleep(1.5)
    truth = running.truth()
    grid = next(f for f in truth["feeders"] if f["feeder"] == "grid")
    assert grid["current_a"] == [30.0, 20.0, 20.0]
    assert grid["base_a"] == [20.0, 20.0, 20.0]
    assert truth["trips"] == []
    assert truth["delivered_wh"] > 0
    await running.tell("unplug", connector="a1")
    answer = await running.tell("truth")
    assert answer["truth"]["connectors"][0]["pilot"] == "A"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ({"do": "explode"}, "unknown command 'explode'; known: cut_line"),
        ({"do": "cut_line", "line": "nowhere"}, "cut_line: the site has no 'nowhere'"),
        ({"do": "cut_line"}, "cut_line: line: Missing required argument"),
        ({"do": "noise", "line": "rs485-1", "per_byte": "much"}, "noise: per_byte: Input should be a valid number"),
        ({"do": "meter", "meter": "grid-meter", "shows": "magic"}, "'magic' is not a valid Shows"),
        ({"do": "fault", "connector": "a1", "state": "7"}, "has the fault states"),
    ],
)
async def test_a_bad_command_is_refused_with_its_reason(
    running: Running, command: dict[str, str], message: str
) -> None:
    with pytest.raises(BadCommand, match=message):
        await running.tell(command.pop("do"), **command)


async def test_garbage_on_the_control_socket_is_answered_and_harms_nothing(running: Running) -> None:
    reader, writer = await asyncio.open_unix_connection(running.folder / SOCKET_NAME)
    for line in (b"\xff\xfe\n", b"[1, 2]\n", b"{\n"):
        writer.write(line)
        assert json.loads(await reader.readline())["ok"] is False
    writer.write(b"x" * 100_000 + b"\n")
    assert await reader.read() == b""
    await hang_up(writer)
    assert (await running.tell("truth"))["truth"]["trips"] == []


async def test_everything_is_gone_after_the_stop_but_the_truth(tmp_path: Path) -> None:
    running, task = await started(demo_site(str(tmp_path)), tmp_path, QUIET)
    running.stop.set()
    async with asyncio.timeout(1):
        await task
    assert sorted(p.name for p in tmp_path.iterdir()) == [TRUTH_NAME]


async def test_a_real_device_path_is_never_replaced_by_a_simulated_port(tmp_path: Path) -> None:
    site = demo_site(str(tmp_path))
    for port in ("/dev/ttyUSB0", str(tmp_path / "file")):
        (tmp_path / "file").touch()
        bad = Site(
            site.id,
            site.name,
            site.timezone,
            230.0,
            (replace(site.lines[0], port=port), *site.lines[1:]),
            site.meters,
            site.feeders,
            site.chargers,
        )
        with pytest.raises(ConfigError, match="is no place for a simulated port"):
            await run_sim(bad, PROFILES, tmp_path, QUIET, 1, LoopClock(), asyncio.Event())


async def test_events_of_a_scenario_befall_the_site_at_their_time(tmp_path: Path) -> None:
    events = (
        ScenarioEvent.model_validate({"at_s": 0.5, "do": "pull_line", "line": "rs485-1"}),
        ScenarioEvent.model_validate({"at_s": 0.0, "do": "plug", "connector": "a1"}),
    )
    running, task = await started(demo_site(str(tmp_path)), tmp_path, Scenario(event=events))
    assert (tmp_path / "rs485-1").exists()
    await asyncio.sleep(1.0)
    assert not (tmp_path / "rs485-1").exists()
    running.stop.set()
    await task
    assert str(running.truth()["connectors"][0]["car"]).startswith("a1-by-hand-")


def test_a_scenario_file_is_read_and_a_wrong_one_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "scenario.toml"
    path.write_text('[base_load]\nshare = [0.2, 0.4]\n[[event]]\nat_s = 3\ndo = "restart"\ncharger = "a1"\n')
    scenario = load_scenario(path)
    assert scenario.event[0].command() == {"do": "restart", "charger": "a1"}
    assert scenario.arrivals is None
    path.write_text("[base_load]\nshare = [0.4, 0.2]\n")
    with pytest.raises(ConfigError, match="share: Value error, the first number must not be above the second"):
        load_scenario(path)
    path.write_text("[base_lod]\n")
    with pytest.raises(ConfigError, match="base_lod: Extra inputs are not permitted"):
        load_scenario(path)
    with pytest.raises(ConfigError, match="No such file"):
        load_scenario(tmp_path / "missing.toml")

"""Our driver against Modbus servers that none of us wrote, each in its own process: right values and writes (S-34)."""

import asyncio
import json
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from siteward.model.errors import DeviceRefused, DeviceUnreachable
from siteward.model.ids import LineId
from siteward.model.readings import Pilot
from siteward.model.site import Line, Site
from siteward_drivers.line import LineOwner
from siteward_drivers.line_job import Job, Rank
from siteward_drivers.links import open_link
from siteward_drivers.modbus import Request
from siteward_drivers.profile_schema import TimingPart, Transport
from siteward_drivers.registry import SiteLines, build_lines
from siteward_drivers.sim.virtual import VirtualClock
from siteward_drivers.slave import Role, Slave

from .plant import PROFILES, RTU, TCP, charger, plant
from .rig import OpenGate
from .test_devices import BOX, METER, SET, failsafe, limit
from .wiring import free_port, joined_ptys

pytestmark = pytest.mark.station

PEERS = ["umodbus", "modbus_tk", "mbtoolcli"]
BIN = Path(sys.executable).parent
HERE = Path(__file__).parent


def registers(path: Path, inputs: dict[int, int], holding: dict[int, int]) -> Path:
    tables = {"input_registers": inputs, "holding_registers": holding}
    path.write_text(json.dumps({k: [{"address": a, "value": v} for a, v in t.items()] for k, t in tables.items()}))
    return path


def command(peer: str, transport: str, port: str, unit: int, file: Path) -> list[str]:
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


def float_words(values: dict[int, float]) -> dict[int, int]:
    words: dict[int, int] = {}
    for address, value in values.items():
        words[address], words[address + 1] = struct.unpack(">HH", struct.pack(">f", value))
    return words


@pytest.mark.parametrize("peer", PEERS)
async def test_a_meter_on_a_real_serial_wire(peer: str, tmp_path: Path) -> None:
    # mbtoolcli ends without a word where a map has registers as high as the meter's serial number.
    serial = {} if peer == "mbtoolcli" else {64512: 1, 64513: 2}
    file = registers(tmp_path / "meter.json", float_words(METER), serial)
    with joined_ptys() as (ours, theirs):
        async with process(command(peer, "rtu", theirs, 1, file)), lines_of(plant(), {RTU: ours}) as lines:
            for _ in range(5):
                reading = await lines.meters[0].read()
                assert reading.current_a == (10.5, 0.0, -3.25)
                assert reading.voltage_v == (231.0, 232.0, 233.0)
                assert (reading.power_w, reading.frequency_hz) == (1650.0, 50.0)
                assert reading.energy_wh == 12500
                told = (None, ("serial_number",)) if peer == "mbtoolcli" else ("65538", ())
                assert (reading.serial, reading.rejected) == told
            assert lines.views()[0].slaves[0].timeouts == 0


@pytest.mark.parametrize("peer", PEERS)
async def test_a_charger_on_a_real_serial_wire_is_read_limited_and_guarded(peer: str, tmp_path: Path) -> None:
    inputs = {**dict.fromkeys((4, 15, 16), 0), **BOX}
    file = registers(tmp_path / "box.json", inputs, {**SET, 257: 0, 258: 0, 262: 0})
    site = plant(charger("A01", RTU, 11, "heidelberg_energy_control"))
    with joined_ptys() as (ours, theirs):
        async with process(command(peer, "rtu", theirs, 11, file)), lines_of(site, {RTU: ours}) as lines:
            box = lines.chargers[0]
            before = await box.read()
            assert (before.pilot, before.measured_a, before.set_point_a) == (Pilot.C, (15.9, 16.0, 0.0), 16.0)
            assert (before.failsafe_a, before.failsafe_timeout_s, before.standby_off) == (0.0, 0.0, False)
            await box.write(limit("A01-1", 9.97))
            await box.write(failsafe("A01-1", 6.0))
            after = await box.read()
            assert (after.set_point_a, after.failsafe_a) == (9.9, 6.0)
            assert (after.failsafe_timeout_s, after.standby_off) == (15.0, True)


@pytest.mark.parametrize("peer", PEERS)
async def test_a_group_behind_a_real_socket(peer: str, tmp_path: Path) -> None:
    words = {
        **dict.fromkeys((2101, 2120), 16),
        **dict.fromkeys(range(2232, 2254), 0),
        **dict.fromkeys(range(2264, 2309), 0),
    }
    words |= {2239: 16000, 2241: 15500, 2243: 0, 2253: 4321, 2299: 0x4332, 2300: 1, 2301: 16, 2306: 6, 2307: 15}
    file = registers(tmp_path / "charx.json", {}, words)
    port = free_port()
    site = plant(charger("C", TCP, 1, "phoenix_charx_sec", channels=2))
    async with (
        process(command(peer, "tcp", str(port), 1, file)),
        lines_of(site, {TCP: f"tcp://127.0.0.1:{port}"}) as lines,
    ):
        second = lines.chargers[1]
        reading = await second.read()
        assert (reading.pilot, reading.charging, reading.measured_a) == (Pilot.C, True, (16.0, 15.5, 0.0))
        assert (reading.set_point_a, reading.failsafe_timeout_s, reading.energy_wh) == (16.0, 15.0, 4321)
        await second.write(limit("C-2", 0.0))
        assert (await second.read()).set_point_a == 0.0
        await second.write(limit("C-2", 10.9))
        assert (await second.read()).set_point_a == 10.0


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"action": "drop", "match": {"addr": 10}}, DeviceUnreachable),
        ({"action": "delay", "ms": 400, "match": {"addr": 10}}, DeviceUnreachable),
        ({"action": "bad_crc", "match": {"addr": 10}}, DeviceUnreachable),
        ({"action": "exception", "code": 4, "match": {"addr": 10}}, DeviceRefused),
    ],
    ids=lambda value: value["action"] if isinstance(value, dict) else "",
)
async def test_a_gateway_with_a_fault_never_gives_a_wrong_value(
    fault: dict[str, Any], error: type[Exception], tmp_path: Path
) -> None:
    """RTU over TCP: mbtoolcli drops, delays, corrupts and refuses reads of register 10."""
    file = registers(tmp_path / "map.json", {}, {10: 1010, 20: 1020})
    faults = tmp_path / "faults.json"
    faults.write_text(json.dumps({"faults": [fault]}))
    port = free_port()
    argv = [*command("mbtoolcli", "rtu-tcp", str(port), 1, file), "--faults", str(faults)]
    line = Line(LineId("gateway"), f"rtu+tcp://127.0.0.1:{port}", 19200)
    owner = LineOwner(line, open_link(line), Transport.RTU, VirtualClock(asyncio.get_running_loop()))
    slave = owner.add_slave(Slave("box", 1, Role.OTHER, TimingPart(response_timeout_s=0.25, gap_s=0.0)))
    async with process(argv):
        await owner.open()
        try:
            with pytest.raises(error):
                await owner.perform(Job(slave, Request(1, 3, 10, 1), Rank.REST))
            answer = await owner.perform(Job(slave, Request(1, 3, 20, 1), Rank.REST))
            assert answer.values == (1020,)
        finally:
            await owner.close()

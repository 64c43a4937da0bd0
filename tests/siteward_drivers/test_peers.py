"""Our driver against Modbus servers that none of us wrote, each in its own process: right values and writes (S-34)."""

import asyncio
import json
import struct
from pathlib import Path
from typing import Any

import pytest

from siteward.model.errors import DeviceRefused, DeviceUnreachable
from siteward.model.ids import LineId
from siteward.model.readings import Pilot
from siteward.model.site import Line
from siteward_drivers.line import LineOwner
from siteward_drivers.line_job import Job, Rank
from siteward_drivers.links import open_link
from siteward_drivers.modbus import Request
from siteward_drivers.profile_schema import TimingPart, Transport
from siteward_drivers.sim.virtual import VirtualClock
from siteward_drivers.slave import Role, Slave

from .peering import PEERS, command, lines_of, process, registers
from .plant import RTU, TCP, charger, plant
from .test_devices import BOX, METER, SET, failsafe, limit
from .wiring import free_port, joined_ptys

pytestmark = pytest.mark.station


def float_words(values: dict[int, float]) -> dict[int, int]:
    words: dict[int, int] = {}
    for address, value in values.items():
        words[address], words[address + 1] = struct.unpack(">HH", struct.pack(">f", value))
    return words


@pytest.mark.parametrize("peer", PEERS)
async def test_a_meter_on_a_real_serial_wire(peer: str, tmp_path: Path) -> None:
    # mbtoolcli ends without a word where a map has registers as high as the meter's serial number.
    serial = {} if peer == "mbtoolcli" else {64512: 1, 64513: 2}
    # jsmodbus answers a read beyond its last register with fewer, so all that the meter documents is there.
    beyond = {401: 0} if peer == "jsmodbus" else {}
    file = registers(tmp_path / "meter.json", {**float_words(METER), **beyond}, serial)
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

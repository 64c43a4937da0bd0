"""The simulated serial line as a real pseudo-terminal: its pace, and masters that none of us wrote."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from siteward.model.ids import FeederId
from siteward_drivers.registry import load_profiles
from siteward_drivers.sim.pty_line import PtyLine
from siteward_drivers.sim.scenario import QUIET
from siteward_drivers.sim.site import SimSite
from siteward_drivers.sim.slave import rtu_frame

from .sites import one_row

pytestmark = pytest.mark.station
PROFILES = load_profiles()
READ_60 = rtu_frame(100, bytes.fromhex("04 0000 0022"))

MINIMALMODBUS = """
import json, minimalmodbus, sys
meter = minimalmodbus.Instrument(sys.argv[1], 100)
meter.serial.baudrate, meter.serial.timeout = 19200, 0.5
box = minimalmodbus.Instrument(meter.serial, 1)
box.write_register(261, 100)
try:
    box.read_register(300)
except minimalmodbus.IllegalRequestError:
    refused = True
print(json.dumps([meter.read_float(6, 4), box.read_register(261), box.read_registers(5, 4, 4)[0], refused]))
"""

PYMODBUS = """
import json, sys
from pymodbus.client import ModbusSerialClient
client = ModbusSerialClient(sys.argv[1], baudrate=19200, timeout=0.5)
client.connect()
client.write_register(261, 100, device_id=1)
words = client.read_input_registers(6, count=2, device_id=100).registers
limit = client.read_holding_registers(261, count=1, device_id=1).registers[0]
status = client.read_input_registers(5, count=1, device_id=1).registers[0]
refused = client.read_holding_registers(300, count=1, device_id=1).isError()
amps = client.convert_from_registers(words, client.DATATYPE.FLOAT32)
print(json.dumps([amps, limit, status, refused]))
"""


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[PtyLine]:
    loop = asyncio.get_running_loop()
    sim = SimSite(one_row(), PROFILES, QUIET, 1, loop.time)
    sim.world.set_base(FeederId("grid"), (12.5, 0.0, 0.0))
    pty = PtyLine(sim.site.lines[0], sim.banks[sim.site.lines[0].id], tmp_path / "run" / "rs485-1")
    pty.open()
    yield pty
    pty.close()


async def read_answers(fd: int, request: bytes, length: int, times: int) -> float:
    """Ask and wait for the whole answer so many times; the seconds it took."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(0.05)
    began = loop.time()
    for _ in range(times):
        os.write(fd, request)
        got = 0
        while got < length:
            ready = loop.create_future()
            loop.add_reader(fd, ready.set_result, None)
            async with asyncio.timeout(2):
                await ready
            loop.remove_reader(fd)
            got += len(os.read(fd, 256))
    return loop.time() - began


@pytest.mark.parametrize(("baud", "chunk"), [(9600, 1), (19200, 8)])
async def test_answers_arrive_at_the_pace_of_the_line(line: PtyLine, baud: int, chunk: int) -> None:
    """Within a few per cent of what the bits of a request and of its answer take."""
    line.close()
    paced = PtyLine(replace(line.line, baud=baud), line.bank, line.path, chunk)
    paced.open()
    fd = os.open(line.path, os.O_RDWR | os.O_NOCTTY)
    try:
        answer_bytes = 5 + 2 * 34
        wire_s = (len(READ_60) + answer_bytes) * 10 / baud + 0.020
        took = min([await read_answers(fd, READ_60, answer_bytes, 5) for _ in range(4)]) / 5
    finally:
        os.close(fd)
        paced.close()
    assert 0.99 < took / wire_s < 1.08


@pytest.mark.parametrize("script", [MINIMALMODBUS, PYMODBUS], ids=["minimalmodbus", "pymodbus"])
async def test_a_foreign_master_in_its_own_process_reads_and_writes_the_line(line: PtyLine, script: str) -> None:
    await asyncio.sleep(1.1)  # the meter's averaging window fills
    master = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(line.path), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(30):
        out, err = await master.communicate()
    assert master.returncode == 0, err.decode()
    assert json.loads(out) == [12.5, 100, 3, True]


async def test_a_pulled_adapter_takes_its_path_away_and_comes_back(line: PtyLine) -> None:
    """Fault 6."""
    fd = os.open(line.path, os.O_RDWR | os.O_NOCTTY)
    line.close()
    assert not line.path.is_symlink()
    with pytest.raises(OSError):
        os.write(fd, READ_60)
    os.close(fd)
    line.open()
    fd = os.open(line.path, os.O_RDWR | os.O_NOCTTY)
    assert await read_answers(fd, READ_60, 73, 1) > 0.0
    os.close(fd)


async def test_a_reader_that_never_reads_loses_bytes_and_stops_nothing(line: PtyLine) -> None:
    fd = os.open(line.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    for _ in range(200):
        line._deliver(bytes(256))
    assert line.is_open
    os.close(fd)

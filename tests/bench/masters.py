"""Masters that read slaves of a paced line one after the other: our line by each of its links, and the peers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import minimalmodbus
from pymodbus.client import AsyncModbusSerialClient, ModbusSerialClient

from siteward.model.ids import LineId
from siteward.model.site import Line, LinkKind, Parity
from siteward_drivers.line import LineOwner
from siteward_drivers.line_job import Job, Rank
from siteward_drivers.links import open_link
from siteward_drivers.modbus import Request
from siteward_drivers.profile_schema import TimingPart, Transport
from siteward_drivers.sim.virtual import VirtualClock
from siteward_drivers.slave import Role, Slave

UNITS = range(1, 25)

AsyncRead = Callable[[int, int], Awaitable[Any]]
"""Read so many registers of a unit from address 0."""

Read = Callable[[int, int], Any]
"""The same, blocking."""


@asynccontextmanager
async def ours(path: str, baud: int, kind: LinkKind) -> AsyncIterator[AsyncRead]:
    """Our whole line. Two stop bits make the eleven bits a character that the line plays."""
    line = Line(LineId("bench"), path, baud, Parity.NONE, 2, link=kind)
    owner = LineOwner(line, open_link(line), Transport.RTU, VirtualClock(asyncio.get_running_loop()))
    timing = TimingPart(response_timeout_s=0.5, gap_s=0.0)
    slaves = {unit: owner.add_slave(Slave(f"u{unit}", unit, Role.OTHER, timing)) for unit in UNITS}

    async def read(unit: int, count: int) -> Any:
        return (await owner.perform(Job(slaves[unit], Request(unit, 3, 0, count), Rank.REST))).values

    await owner.open()
    await asyncio.sleep(0.1)
    try:
        yield read
    finally:
        await owner.close()


@asynccontextmanager
async def by_loop(path: str, baud: int) -> AsyncIterator[AsyncRead]:
    """Ours by the default link, pyserial-asyncio."""
    async with ours(path, baud, LinkKind.SERIAL) as read:
        yield read


@asynccontextmanager
async def by_thread(path: str, baud: int) -> AsyncIterator[AsyncRead]:
    """Ours by the thread."""
    async with ours(path, baud, LinkKind.THREAD) as read:
        yield read


@asynccontextmanager
async def pymodbus_async(path: str, baud: int) -> AsyncIterator[AsyncRead]:
    """The asynchronous client of pymodbus."""
    client = AsyncModbusSerialClient(path, baudrate=baud, parity="N", stopbits=2)
    await client.connect()

    async def read(unit: int, count: int) -> Any:
        return (await client.read_holding_registers(0, count=count, device_id=unit)).registers

    try:
        yield read
    finally:
        client.close()
        await asyncio.sleep(0.1)


@asynccontextmanager
async def tmodbus(path: str, baud: int) -> AsyncIterator[AsyncRead]:
    """The client of tmodbus, which needs Python 3.12."""
    from tmodbus import create_async_rtu_client

    client = create_async_rtu_client(path, unit_id=1, baudrate=baud, parity="N", stopbits=2)
    await client.connect()
    units = {unit: client.for_unit_id(unit) for unit in UNITS}

    async def read(unit: int, count: int) -> Any:
        return await units[unit].read_holding_registers(0, count)

    try:
        yield read
    finally:
        await client.disconnect()


@contextmanager
def pymodbus_sync(path: str, baud: int) -> Iterator[Read]:
    """The synchronous client of pymodbus."""
    client = ModbusSerialClient(path, baudrate=baud, parity="N", stopbits=2)
    client.connect()
    yield lambda unit, count: client.read_holding_registers(0, count=count, device_id=unit).registers
    client.close()


@contextmanager
def minimal(path: str, baud: int) -> Iterator[Read]:
    """minimalmodbus, with a time-out that long answers fit into."""
    slaves = {unit: minimalmodbus.Instrument(path, unit) for unit in UNITS}
    for slave in slaves.values():
        slave.serial.baudrate = baud
        slave.serial.stopbits = 2
        slave.serial.timeout = 0.5
    yield lambda unit, count: slaves[unit].read_registers(0, count)
    next(iter(slaves.values())).serial.close()

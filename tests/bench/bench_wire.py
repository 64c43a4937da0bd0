"""Goals 1 and 2: how much of the wire is used, legally, and what a transaction costs the processor; beside peers."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import cycle
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
from tests.bench.bench_line import UNITS, Port, paced, undisturbed
from tests.bench.paced_slave import BITS, TURNAROUND_S, t35_s
from tests.siteward_drivers.rig import value_of

MUSTS = {9600: 97.0, 19200: 97.0, 38400: 95.0, 115200: 92.0}
CPU_MUSTS_MS = {10: 0.6, 60: 1.0}
CPU_BAUD = 19200
SECONDS = 2.0

AsyncRead = Callable[[int, int], Awaitable[Any]]
Read = Callable[[int, int], Any]


@dataclass(frozen=True)
class Drive:
    """What a master made of a line: its share of the legal limit in %, CPU a transaction, frames before t3.5."""

    used: float
    cpu_ms: float
    early: int
    frames: int


@dataclass(frozen=True)
class Take:
    """One measurement: the pace of the line and the length of each read."""

    baud: int
    count: int

    @property
    def limit_s(self) -> float:
        """The shortest legal transaction: request, silence, turnaround, answer, silence."""
        return (8 + 5 + 2 * self.count) * BITS / self.baud + 2 * t35_s(self.baud) + TURNAROUND_S

    def drive(self, done: int, took_s: float, cpu_s: float, port: Port) -> Drive:
        """The result of so many reads."""
        used = 100.0 * done * self.limit_s / took_s
        return Drive(used, cpu_s * 1000 / done, port.counts["early"], port.counts["frames"])


@asynccontextmanager
async def ours(port: Port, take: Take, kind: LinkKind) -> AsyncIterator[AsyncRead]:
    """Our whole line, by one of its links."""
    line = Line(LineId("bench"), port.path, take.baud, Parity.NONE, 2, link=kind)
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
async def pymodbus_async(port: Port, take: Take) -> AsyncIterator[AsyncRead]:
    """The asynchronous client of pymodbus."""
    client = AsyncModbusSerialClient(port.path, baudrate=take.baud, parity="N", stopbits=2)
    await client.connect()

    async def read(unit: int, count: int) -> Any:
        return (await client.read_holding_registers(0, count=count, device_id=unit)).registers

    try:
        yield read
    finally:
        client.close()
        await asyncio.sleep(0.1)


@asynccontextmanager
async def tmodbus(port: Port, take: Take) -> AsyncIterator[AsyncRead]:
    """The client of tmodbus, where this Python can load it."""
    from tmodbus import create_async_rtu_client

    client = create_async_rtu_client(port.path, baudrate=take.baud, parity="N", stopbits=2)
    await client.connect()

    async def read(unit: int, count: int) -> Any:
        return await client.for_unit_id(unit).read_holding_registers(0, count)

    try:
        yield read
    finally:
        await client.disconnect()


@contextmanager
def pymodbus_sync(port: Port, take: Take) -> Iterator[Read]:
    """The synchronous client of pymodbus."""
    client = ModbusSerialClient(port.path, baudrate=take.baud, parity="N", stopbits=2)
    client.connect()
    yield lambda unit, count: client.read_holding_registers(0, count=count, device_id=unit).registers
    client.close()


@contextmanager
def minimal(port: Port, take: Take) -> Iterator[Read]:
    """minimalmodbus."""
    slaves = {unit: minimalmodbus.Instrument(port.path, unit) for unit in UNITS}
    for slave in slaves.values():
        slave.serial.baudrate = take.baud
        slave.serial.stopbits = 2
        slave.serial.timeout = 0.5
    yield lambda unit, count: slaves[unit].read_registers(0, count)
    next(iter(slaves.values())).serial.close()


def by_loop(master: Callable[[Port, Take], Any], take: Take) -> Drive:
    """Drive a line by an asynchronous master, slave after slave."""

    async def main() -> tuple[int, float, float]:
        async with master(port, take) as read:
            for unit in UNITS:
                assert list(await read(unit, take.count)) == right(unit, take)
            units = cycle(UNITS)
            done, cpu, began = 0, time.process_time(), time.perf_counter()
            while (took := time.perf_counter() - began) < SECONDS:
                done += len(await read(next(units), take.count)) == take.count
            return done, took, time.process_time() - cpu

    with paced(baud=take.baud) as port, undisturbed():
        found = asyncio.run(main())
    return take.drive(*found, port)


def by_hand(master: Callable[[Port, Take], Any], take: Take) -> Drive:
    """Drive a line by a blocking master, slave after slave."""
    with paced(baud=take.baud) as port, undisturbed(), master(port, take) as read:
        for unit in UNITS:
            assert list(read(unit, take.count)) == right(unit, take)
        units = cycle(UNITS)
        done, cpu, began = 0, time.process_time(), time.perf_counter()
        while (took := time.perf_counter() - began) < SECONDS:
            done += len(read(next(units), take.count)) == take.count
        found = done, took, time.process_time() - cpu
    return take.drive(*found, port)


def right(unit: int, take: Take) -> list[int]:
    """What the slave truly holds."""
    return [value_of(unit, 3, address) for address in range(take.count)]


OURS = {kind: lambda port, take, kind=kind: ours(port, take, kind) for kind in LinkKind}


def drives(take: Take) -> dict[str, Drive | None]:
    """All masters on one kind of line; None for a peer that this Python cannot load."""
    found: dict[str, Drive | None] = {f"ours, {kind}": by_loop(OURS[kind], take) for kind in LinkKind}
    found["pymodbus async"] = by_loop(pymodbus_async, take)
    found["pymodbus sync"] = by_hand(pymodbus_sync, take)
    found["minimalmodbus"] = by_hand(minimal, take)
    found["tmodbus"] = by_loop(tmodbus, take) if find_spec("tmodbus") else None
    return found


if __name__ == "__main__":
    logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)
    for baud, count in ((9600, 10), (19200, 10), (19200, 60), (38400, 10), (115200, 10)):
        for name, d in drives(Take(baud, count)).items():
            print(baud, count, name, d, flush=True)

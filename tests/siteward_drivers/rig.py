"""A scripted slave end for tests of the line: byte-exact, on any link, honest until told to lie."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from siteward.model.ids import ConnectorId, LineId
from siteward.model.ports import Clock
from siteward.model.site import Line
from siteward.model.wire import WireEvent, Write
from siteward_drivers.errors import LinkDown
from siteward_drivers.line import LineOwner
from siteward_drivers.line_job import Job, Rank
from siteward_drivers.link import Link
from siteward_drivers.link_memory import MemoryLink
from siteward_drivers.modbus import Answer, Request
from siteward_drivers.profile_schema import TimingPart, Transport
from siteward_drivers.slave import Role, Slave

Lie = Callable[[bytes, bytes], Iterable[tuple[float, bytes]]]
"""From request and honest reply: what is truly sent, each piece after that many seconds."""


def crc(data: bytes) -> bytes:
    """CRC-16 of the Modbus serial line, by the book's bit loop."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return value.to_bytes(2, "little")


def honest(request: bytes, reply: bytes) -> Iterable[tuple[float, bytes]]:
    """The truth after 5 ms."""
    return [(0.005, reply)]


def value_of(unit: int, function: int, address: int) -> int:
    """What a register holds where a test set nothing: a number that gives away where it came from."""
    return (unit * 7919 + function * 613 + address * 31) & 0xFFFF


class Slaves:
    """The far end of a wire: every unit answers every function unless it is dead; writes are kept."""

    def __init__(self, end: Link, framing: Transport = Transport.RTU) -> None:
        self.end = end
        self.framing = framing
        self.lie: Lie = honest
        self.dead: set[int] = set()
        self.refuse: dict[tuple[int, int], int] = {}
        self.longest: dict[tuple[int, int, int], int] = {}
        self.registers: dict[tuple[int, int, int], int] = {}
        self.heard: list[tuple[float, bytes]] = []

    def frames(self, unit: int, function: int | None = None) -> list[bytes]:
        """PDUs heard for a unit, oldest first."""
        return [pdu[1:] for _, pdu in self.heard if pdu[0] == unit and function in (None, pdu[1])]

    async def serve(self) -> None:
        loop = asyncio.get_running_loop()
        buffer = bytearray()
        while True:
            try:
                await self.end.open()
                buffer += await self.end.read(loop.time() + 3600)
            except LinkDown:
                buffer.clear()
                await self.end.close()
                await asyncio.sleep(0.05)
                continue
            while (frame := self._take(buffer)) is not None:
                self._hear(frame, loop.time())

    def _take(self, buffer: bytearray) -> bytes | None:
        if self.framing is Transport.TCP:
            length = 6 + int.from_bytes(buffer[4:6], "big") if len(buffer) >= 6 else 0
        else:
            length = 8 if len(buffer) < 7 or buffer[1] < 15 else 9 + buffer[6]
        if length == 0 or len(buffer) < length:
            return None
        frame = bytes(buffer[:length])
        del buffer[:length]
        return frame

    def _hear(self, frame: bytes, at: float) -> None:
        tcp = self.framing is Transport.TCP
        body = frame[6:] if tcp else frame[:-2]
        assert tcp or crc(body) == frame[-2:], f"request with a wrong checksum: {frame.hex(' ')}"
        self.heard.append((at, body))
        if body[0] in self.dead:
            return
        pdu = self._answer(body[0], body[1:])
        unit = body[:1]
        reply = frame[:4] + (len(pdu) + 1).to_bytes(2, "big") + unit + pdu if tcp else unit + pdu + crc(unit + pdu)
        loop = asyncio.get_running_loop()
        for delay, data in self.lie(frame, reply):
            loop.call_later(delay, self._say, data)

    def _say(self, data: bytes) -> None:
        if self.end.is_open:
            self.end.write(data)

    def _answer(self, unit: int, pdu: bytes) -> bytes:
        function, address = pdu[0], int.from_bytes(pdu[1:3], "big")
        if (unit, address) in self.refuse:
            return bytes((function | 0x80, self.refuse[unit, address]))
        if function in (3, 4):
            count = int.from_bytes(pdu[3:5], "big")
            if count > self.longest.get((unit, function, address), count):
                return bytes((function | 0x80, 2))
            words = [self._word(unit, function, address + i) for i in range(count)]
            return bytes((function, 2 * count)) + b"".join(w.to_bytes(2, "big") for w in words)
        words = pdu[3:5] if function == 6 else pdu[6:]
        for i in range(0, len(words), 2):
            self.registers[unit, 3, address + i // 2] = int.from_bytes(words[i : i + 2], "big")
        return pdu[:5]

    def _word(self, unit: int, function: int, address: int) -> int:
        return self.registers.get((unit, function, address), value_of(unit, function, address))


class OpenGate:
    """A gate that allows all until told not to."""

    def __init__(self) -> None:
        self.send = True
        self.speak = True
        self.asked: list[Write | ConnectorId] = []

    def may_send(self, write: Write, at: float) -> bool:
        self.asked.append(write)
        return self.send

    def may_speak(self, connector: ConnectorId, at: float) -> bool:
        self.asked.append(connector)
        return self.speak


class Rig:
    """A line of ours on one end of a wire (in memory, unless told), scripted slaves on the other."""

    def __init__(
        self,
        clock: Clock,
        framing: Transport = Transport.RTU,
        baud: int = 19200,
        port: str | None = None,
        ends: tuple[Link, Link] | None = None,
    ) -> None:
        ours, theirs = ends or MemoryLink.pair()
        port = port or ("tcp://plant:502" if framing is Transport.TCP else "/dev/wire")
        self.link = ours
        self.clock = clock
        self.events: list[WireEvent] = []
        self.slaves = Slaves(theirs, framing)
        self.line = LineOwner(Line(LineId("l1"), port, baud), ours, framing, clock)

    def slave(self, unit: int, role: Role = Role.OTHER, timing: TimingPart | None = None) -> Slave:
        return self.line.add_slave(Slave(f"device-{unit}", unit, role, timing or TimingPart(gap_s=0.0)))

    async def read(self, slave: Slave, address: int, count: int = 1, rank: Rank = Rank.REST) -> tuple[int, ...]:
        return (await self.perform(slave, Request(slave.unit, 3, address, count), rank)).values

    async def write(self, slave: Slave, address: int, word: int, rank: Rank = Rank.CUT, retries: int = 1) -> None:
        await self.perform(slave, Request(slave.unit, 6, address, 1, (word,)), rank, retries)

    async def perform(self, slave: Slave, request: Request, rank: Rank, retries: int = 0) -> Answer:
        return await self.line.perform(Job(slave, request, rank, retries=retries))


@asynccontextmanager
async def rig(
    clock: Clock,
    framing: Transport = Transport.RTU,
    baud: int = 19200,
    port: str | None = None,
    ends: tuple[Link, Link] | None = None,
) -> AsyncIterator[Rig]:
    """A running rig."""
    made = Rig(clock, framing, baud, port, ends)
    server = asyncio.create_task(made.slaves.serve())
    await made.line.open()
    await asyncio.sleep(0.01)
    try:
        yield made
    finally:
        await made.line.close()
        server.cancel()
        await asyncio.wait([server])

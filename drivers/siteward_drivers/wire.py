"""One exchange on a link, framed as RTU or as Modbus TCP: silence before, request out, the right answer or none."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from siteward.model.site import Line, Parity
from siteward_drivers.errors import Garbled, LinkDown
from siteward_drivers.link import Link
from siteward_drivers.modbus import Answer, Request, encode_rtu, encode_tcp, find_rtu, find_tcp
from siteward_drivers.overheard import Overheard
from siteward_drivers.slave import Slave

LATE_SERIAL_S = 1.0
"""How long after a time-out a late answer is still expected on a wire of our own."""

LATE_GATEWAY_S = 3.0
"""The same behind a gateway, which may keep requests and answers in a queue."""

_GARBAGE_END_S = 0.05
_FIXED_T35_S = 0.00175


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request: the answer, if one came, and when (loop time) it was whole; `noise` = wrong bytes.

    `behind` tells that they were the answer to the request before.
    """

    answer: Answer | None
    ended: float
    turnaround_s: float = 0.0
    noise: bool = False
    behind: bool = False


class Wire(Protocol):
    """The framing of a line."""

    late_s: float
    overheard: Overheard

    async def settle(self, gap_s: float) -> bool:
        """Wait for the silence that must stand before a frame; False when bytes broke it. Raises LinkDown."""
        ...

    async def exchange(self, slave: Slave, request: Request, before: Request | None = None) -> Outcome:
        """Send the request and wait for its answer; `before` is what the slave was asked last. Raises LinkDown."""
        ...

    def reset(self) -> None:
        """Forget everything about the old connection."""
        ...


def char_s(line: Line) -> float:
    """Seconds of one character on the line: start, eight data, parity and stop bits."""
    bits = 9 + line.stop_bits + (line.parity is not Parity.NONE)
    return bits / line.baud


def t35_s(line: Line) -> float:
    """The silence that ends an RTU frame: 3.5 characters, fixed above 19200 baud by the specification."""
    return max(3.5 * char_s(line), _FIXED_T35_S) if line.baud <= 19200 else _FIXED_T35_S


class RtuWire:
    """RTU framing: answers have no identity, so silence, unit, function, length and checksum must all be right."""

    def __init__(self, link: Link, line: Line) -> None:
        self.late_s = LATE_SERIAL_S if line.is_serial else LATE_GATEWAY_S
        self._link = link
        self._char_s = char_s(line)
        self._t35_s = t35_s(line)
        self._quiet_since = 0.0
        self.strays = 0
        self.overheard = Overheard()

    def reset(self) -> None:
        """A newly opened line is quiet from now on."""
        self._quiet_since = asyncio.get_running_loop().time()

    async def settle(self, gap_s: float) -> bool:
        """Drain what comes until the line was silent for t3.5 and the device's gap; False when bytes came."""
        loop = asyncio.get_running_loop()
        data = await self._link.read(max(self._quiet_since + max(self._t35_s, gap_s), loop.time()))
        if not data:
            return True
        self.strays += len(data)
        self._quiet_since = loop.time()
        self.overheard.listen(data, self._quiet_since)
        return False

    async def exchange(self, slave: Slave, request: Request, before: Request | None = None) -> Outcome:
        """Send; collect until the answer is whole, only wrong bytes have come, or the time is over."""
        loop = asyncio.get_running_loop()
        frame = encode_rtu(request)
        self._link.write(frame)
        self.overheard.sent(frame)
        sent_end = loop.time() + len(frame) * self._char_s
        self._quiet_since = sent_end
        whole_s = request.reply_length * self._char_s
        deadline = sent_end + slave.timeout_s + whole_s
        answer, wrong = await self._collect(request, deadline)
        now = loop.time()
        if answer is not None and answer.exception is not None and slave.haunted(request, now):
            return Outcome(None, now, noise=True)
        if answer is None:
            self.overheard.listen(wrong, now)
        else:
            self.overheard.answered(request)
        behind = answer is None and before is not None and find_rtu(before, wrong) is not None
        return Outcome(answer, now, now - sent_end - whole_s, bool(wrong), behind)

    async def _collect(self, request: Request, deadline: float) -> tuple[Answer | None, bytes]:
        loop = asyncio.get_running_loop()
        buffer = bytearray()
        refusal = bytes((request.unit, request.function | 0x80))
        until = deadline
        while data := await self._link.read(until):
            buffer += data
            self._quiet_since = loop.time()
            if not self.overheard.strip(request.is_read, buffer):
                continue
            enough = len(buffer) >= request.reply_length
            if enough or (len(buffer) >= len(refusal) and refusal in buffer):
                answer = find_rtu(request, bytes(buffer))
                if answer is not None:
                    return answer, b""
            if enough:
                # More than an answer has come and none was right: when the line falls silent, nothing more will.
                until = min(deadline, self._quiet_since + _GARBAGE_END_S)
        return None, bytes(buffer)


class TcpWire:
    """Modbus TCP framing: a transaction number ties each answer to its request, late ones fall away by themselves."""

    late_s = 0.0

    def __init__(self, link: Link) -> None:
        self.overheard = Overheard()
        self._link = link
        self._buffer = bytearray()
        self._transaction = 0
        self._quiet_since = 0.0

    def reset(self) -> None:
        """Bytes of the old connection mean nothing on the new one."""
        self._buffer.clear()

    async def settle(self, gap_s: float) -> bool:
        """Wait for the device's gap; a stream needs no silence."""
        delay = self._quiet_since + gap_s - asyncio.get_running_loop().time()
        if delay > 0:
            await asyncio.sleep(delay)
        return True

    async def exchange(self, slave: Slave, request: Request, before: Request | None = None) -> Outcome:
        """Send; read frames until the one with our transaction number, or until the time is over."""
        loop = asyncio.get_running_loop()
        self._transaction = self._transaction % 0xFFFF + 1
        self._link.write(encode_tcp(request, self._transaction))
        sent = loop.time()
        deadline = sent + slave.timeout_s
        heard = b""
        try:
            while data := await self._link.read(deadline):
                heard += data
                self._buffer += data
                answer = find_tcp(request, self._transaction, self._buffer)
                if answer is not None:
                    self._quiet_since = loop.time()
                    return Outcome(answer, self._quiet_since, self._quiet_since - sent)
        except Garbled as error:
            await self._link.close()
            raise LinkDown(str(error)) from error
        if self._buffer:
            # Half a frame: the rest would be read in front of the next answer and shift every frame behind it.
            await self._link.close()
        self._quiet_since = loop.time()
        behind = before is not None and find_tcp(before, self._transaction, bytearray(heard)) is not None
        return Outcome(None, self._quiet_since, noise=bool(heard), behind=behind)

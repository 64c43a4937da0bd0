"""One exchange on a link, framed as RTU or as Modbus TCP: silence before, request out, the right answer or none."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from siteward.model.site import Line, Parity, SerialSettings
from siteward_drivers.answer import Answer
from siteward_drivers.errors import SettingsRefused
from siteward_drivers.line_visit import Visit
from siteward_drivers.link import Frame, Link, Timed, Tunable, bare
from siteward_drivers.listening import END_S, collect
from siteward_drivers.modbus import Request
from siteward_drivers.overheard import Overheard
from siteward_drivers.slave import Slave
from siteward_drivers.speech import AnyRequest, encode, find, garbage_end_s, least_length, may_be_whole, wants_answer

LATE_SERIAL_S = 1.0
"""How long after a time-out a late answer is still expected on a wire of our own."""

LATE_GATEWAY_S = 3.0
"""The same behind a gateway, which may keep requests and answers in a queue."""

_FIXED_T35_S = 0.00175


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request: the answer, if one came, and when (loop time) it was whole; `noise` = wrong bytes.

    `behind` tells that they were the answer to the request before, `torn` that the connection lost its place.
    """

    answer: Answer | None
    ended: float
    turnaround_s: float = 0.0
    noise: bool = False
    behind: bool = False
    torn: bool = False


class Wire(Protocol):
    """The framing of a line."""

    late_s: float
    overheard: Overheard
    strays: int
    """Bytes that came behind whole answers or between two exchanges."""

    async def settle(self, slave: Slave) -> bool:
        """Wait for the silence that must stand before a frame to a device; False when bytes broke it.

        Raises LinkDown.
        """
        ...

    def tune(self, slave: Slave) -> None:
        """Take the serial settings of a device, directly before a frame to it. Raises SettingsRefused and LinkDown."""
        ...

    async def exchange(self, slave: Slave, request: AnyRequest, before: AnyRequest | None = None) -> Outcome:
        """Send the request and wait for its answer; `before` is what the slave was asked last.

        Raises LinkDown, and Disturbed when nothing was sent after all.
        """
        ...

    async def call(self, visit: Visit) -> Answer | None:
        """Send the call of a bus tool and collect all that comes; the answer, if one is in it. Raises LinkDown."""
        ...

    def calm_at(self, slave: Slave) -> float:
        """When the wire will have been silent for as long as must be before a frame to the device, if nobody speaks."""
        ...

    def reset(self) -> None:
        """Forget everything about the old connection."""
        ...


def char_s(line: Line | SerialSettings) -> float:
    """Seconds of one character: start, eight data, parity and stop bits."""
    bits = 9 + line.stop_bits + (line.parity is not Parity.NONE)
    return bits / line.baud


def t35_s(line: Line | SerialSettings) -> float:
    """The silence that ends an RTU frame: 3.5 characters, fixed above 19200 baud by the specification."""
    return max(3.5 * char_s(line), _FIXED_T35_S) if line.baud <= 19200 else _FIXED_T35_S


class RtuWire:
    """A serial wire: answers have no identity, so silence, address, function, length and checksum must all be right.

    It also carries DL/T 645, and each exchange may have serial settings of its own.
    """

    def __init__(self, link: Link, line: Line) -> None:
        self.late_s = LATE_SERIAL_S if line.is_serial else LATE_GATEWAY_S
        self._link = link
        inside = bare(link)
        self._timed = inside if isinstance(inside, Timed) else None
        self._tunable = inside if isinstance(inside, Tunable) else None
        self._clear_at = 0.0
        self._home = self._settings = line.settings
        self._char_s = char_s(line)
        self._t35_s = t35_s(line)
        self._quiet_since = 0.0
        self.strays = 0
        self.overheard = Overheard()

    def reset(self) -> None:
        """A newly opened line is quiet from now on and has its own settings."""
        self._set(self._home)
        self._quiet_since = asyncio.get_running_loop().time()

    def _set(self, settings: SerialSettings) -> None:
        self._settings = settings
        self._char_s, self._t35_s = char_s(settings), t35_s(settings)

    async def settle(self, slave: Slave) -> bool:
        """Drain what comes until the line was silent for t3.5 and the device's gap; False when bytes came.

        Where the settings change, the silence is that of the slower ones: devices of both kinds heard the last frame.
        """
        loop = asyncio.get_running_loop()
        self._clear_at = self._silent_at(slave)
        if self._timed is None:
            data = await self._link.read(max(self._clear_at, loop.time()))
        else:
            # What sends at the very instant gets the frame a moment before; the rest of the silence passes meanwhile.
            early_s = self._clear_at - self._timed.lead_s - loop.time()
            if early_s > 0:
                await asyncio.sleep(early_s)
            data = await self._link.read(loop.time())
        if not data:
            return True
        self.strays += len(data)
        self._quiet_since = loop.time()
        # If the line never falls silent, frames go out all the same, and at once.
        self._clear_at = 0.0
        self.overheard.listen(data, self._quiet_since)
        return False

    def calm_at(self, slave: Slave) -> float:
        """Silence of the line and the device's gap, counted from the last byte on the wire."""
        lead_s = 0.0 if self._timed is None else self._timed.lead_s
        return self._silent_at(slave) - lead_s

    def _silent_at(self, slave: Slave) -> float:
        return self._quiet_since + max(self._t35_s, t35_s(slave.settings or self._home), slave.timing.gap_s)

    def tune(self, slave: Slave) -> None:
        """Change to the device's own settings, or back to the line's; nothing happens when they are set."""
        settings = slave.settings or self._home
        if settings == self._settings:
            return
        if self._tunable is None:
            raise SettingsRefused(f"{self._link.name} cannot change to {settings}: its settings are its own")
        self._tunable.tune(settings)
        self._set(settings)

    async def exchange(self, slave: Slave, request: AnyRequest, before: AnyRequest | None = None) -> Outcome:
        """Send; collect until the answer is whole, only wrong bytes have come, or the time is over."""
        loop = asyncio.get_running_loop()
        sent_end = self._put(slave, request)
        self._quiet_since = sent_end
        if not wants_answer(request):
            await asyncio.sleep(sent_end - loop.time())
            return Outcome(Answer(), loop.time())
        whole_s = request.reply_length * self._char_s
        deadline = sent_end + slave.timeout_s + whole_s
        answer, wrong = await self._collect(request, deadline)
        now = loop.time()
        if answer is not None and answer.exception is not None and slave.haunted(request, now):
            return Outcome(None, now, noise=True)
        if answer is None:
            self.overheard.listen(wrong, now)
        else:
            self.overheard.answered(request.is_read)
        behind = answer is None and before is not None and find(before, wrong) is not None
        return Outcome(answer, now, self._quiet_since - sent_end - whole_s, bool(wrong), behind)

    def _put(self, slave: Slave, request: AnyRequest) -> float:
        """Hand the frame to the link; returns when its last character will have left."""
        frame = encode(request)
        length_s = len(frame) * self._char_s
        self.overheard.sent(frame)
        if self._timed is None:
            self._link.write(frame)
            return asyncio.get_running_loop().time() + length_s
        send_at = max(self._clear_at, asyncio.get_running_loop().time())
        begins, length = send_at + length_s + slave.soonest_s, least_length(request)
        if self.overheard.echo and length:
            begins, length = begins - length_s, length + len(frame)
        self._timed.expect(Frame(send_at, length, begins, self._char_s, self._t35_s))
        self._link.write(frame)
        return send_at + length_s

    def _heard_at(self) -> float:
        return asyncio.get_running_loop().time() if self._timed is None else self._timed.heard_at()

    async def call(self, visit: Visit) -> Answer | None:
        """Everything that comes until the wire falls silent belongs to the visit: that is what it is for."""
        loop = asyncio.get_running_loop()
        frame = encode(visit.request)
        sent_end = self._quiet_since = self._put(visit.slave, visit.request)
        end_s = visit.answer_s if visit.patient else max(END_S, 5 * self._char_s)
        visit.heard = await collect(self._link, frame, sent_end + visit.answer_s, end_s)
        self._quiet_since = max(sent_end, loop.time()) if visit.heard else sent_end
        answer = find(visit.request, visit.heard)
        if answer is None:
            self.overheard.listen(visit.heard, loop.time())
        return answer

    async def _collect(self, request: AnyRequest, deadline: float) -> tuple[Answer | None, bytes]:
        buffer = bytearray()
        until = deadline
        while data := await self._link.read(until):
            buffer += data
            self._quiet_since = self._heard_at()
            if not self.overheard.strip(request.is_read, buffer):
                continue
            if may_be_whole(request, buffer):
                answer = find(request, bytes(buffer))
                if answer is not None:
                    if isinstance(request, Request) and answer.exception is None:
                        self.strays += max(len(buffer) - request.reply_length, 0)
                    return answer, b""
            if len(buffer) >= request.reply_length:
                # More than an answer has come and none was right: when the line falls silent, nothing more will.
                until = min(deadline, self._quiet_since + garbage_end_s(request))
        return None, bytes(buffer)

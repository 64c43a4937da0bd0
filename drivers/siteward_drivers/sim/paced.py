"""The far end of a simulated wire: bytes take their time, devices think, faults strike; one form per framing.

Works on any asyncio loop, real or virtual; times are intervals of `loop.time()`.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Protocol, TypeVar

from siteward.model.serial import Parity, SerialSettings
from siteward.model.site import Line
from siteward_drivers.sim.bank import GATEWAY_NO_ANSWER, AddressedMeter, Bank, Hears
from siteward_drivers.sim.data_slave import DataFramer, DataMeter
from siteward_drivers.sim.object_slave import ObjectFramer, ObjectMeter
from siteward_drivers.sim.slave import RtuFramer, TcpFramer, rtu_frame, tcp_frame

_LATE_S, _LATE_METER_S = 0.2, 0.6
_MISHEARD = 0x5A

_R = TypeVar("_R")
_R_co = TypeVar("_R_co", covariant=True)

Deliver = Callable[[bytes], None]
"""Takes bytes at the instant at which they leave the wire at the master's end."""


def char_s(line: Line | SerialSettings) -> float:
    """Time of one character: start bit, eight data bits, parity if any, stop bits."""
    bits = 9 + (line.parity is not Parity.NONE) + line.stop_bits
    return bits / line.baud


def silence_s(line: Line | SerialSettings) -> float:
    """Silence between two RTU frames: 3.5 characters, fixed at 1.75 ms above 19200 baud."""
    return 0.00175 if line.baud > 19200 else 3.5 * char_s(line)


class Framer(Protocol[_R_co]):
    """What finds the requests of one language in a master's bytes."""

    def feed(self, data: bytes) -> tuple[Sequence[_R_co], int]:
        """Take bytes; the good requests that are complete now, and how many bad frames were dropped."""
        ...


class FarEnd(Protocol):
    """What a transport hands a master's bytes to."""

    def receive(self, data: bytes) -> None:
        """The master wrote bytes."""
        ...

    def reset(self) -> None:
        """The master's connection ended: half a frame of it means nothing any more."""
        ...


class PacedLine:
    """A half-duplex RTU wire: a request ends when its last bit would have, an answer arrives as its bits would.

    `chunk` bytes are delivered together, as a UART's FIFO hands them over; 1 is byte-exact. Devices understand only
    what is sent under their own serial settings, and what they send is noise to a master that has others.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, bank: Bank, line: Line, deliver: Deliver, chunk: int = 8
    ) -> None:
        self._loop, self._bank, self._deliver, self._chunk = loop, bank, deliver, chunk
        self._home = self._settings = line.settings
        self._char_s, self._silence_s = char_s(line), silence_s(line)
        self._needed_s = self._silence_s
        self._framer = RtuFramer()
        self._data_framer = DataFramer()
        self._object_framer = ObjectFramer()
        self._busy_until = loop.time() - 1.0
        self._pending = bytearray()
        self._timer: asyncio.TimerHandle | None = None

    def put(self, bank: Bank) -> None:
        """Other devices hang on the wire from now on."""
        self._bank = bank

    def tune(self, settings: SerialSettings) -> None:
        """The master's port has other settings from now on; in the middle of a frame that spoils it."""
        if settings == self._settings:
            return
        if self._loop.time() < self._busy_until:
            self._bank.count.garbled += 1
        self._settings = settings
        self._char_s, self._silence_s = char_s(settings), silence_s(settings)
        self._needed_s = max(self._needed_s, self._silence_s)
        self._quiet()

    def receive(self, data: bytes) -> None:
        """The master wrote bytes; they are on the wire from now or after what is still on it."""
        if self._bank.faults.cut:
            return
        now = self._loop.time()
        if not self._pending and self._timer is None:
            gap = now - self._busy_until
            if gap < self._needed_s * 0.9:
                self._bank.count.early += 1
            if gap > 4 * self._silence_s:
                self._quiet()
        self._needed_s = self._silence_s
        heard = self._bank.distort(data)
        if self._bank.faults.echo:
            self._send(data, max(now, self._busy_until))
        self._busy_until = max(now, self._busy_until) + len(data) * self._char_s
        self._bank.count.busy_s += len(data) * self._char_s
        self._pending += heard
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._busy_until, self._arrived)

    def reset(self) -> None:
        """Forget half a frame."""
        self._pending.clear()
        self._quiet()

    def _quiet(self) -> None:
        self._framer.silence()
        self._data_framer.silence()
        self._object_framer.silence()

    def _arrived(self) -> None:
        self._timer = None
        data = bytes(self._pending)
        self._pending.clear()
        meters = [meter for meter in self._bank.meters if meter.settings == self._settings]
        if self._hear_data(meters, data):
            return
        if self._settings != self._home:
            self._bank.count.garbled += 1
            return
        requests, broken = self._framer.feed(data)
        self._bank.count.garbled += broken
        for request in requests:
            pdu, think_s = self._bank.answer(request.unit, request.pdu)
            if pdu is not None:
                self._reply(rtu_frame(self._bank.speaker(request.unit), pdu), think_s, _LATE_S)

    def _hear_data(self, meters: Sequence[AddressedMeter], data: bytes) -> bool:
        """Let the meters hear; False when the bytes were none of theirs."""
        plain = [meter for meter in meters if isinstance(meter, DataMeter)]
        objects = [meter for meter in meters if isinstance(meter, ObjectMeter)]
        return self._heard(self._data_framer, plain, data) | self._heard(self._object_framer, objects, data)

    def _heard(self, framer: Framer[_R], meters: Sequence[Hears[_R]], data: bytes) -> bool:
        if not meters:
            return False
        requests, broken = framer.feed(data)
        for request in requests:
            answers = self._bank.answer_data(meters, request)
            if answers:
                frame = reduce(_both, (frame for frame, _ in answers))
                self._reply(frame, min(think_s for _, think_s in answers), _LATE_METER_S)
        return not broken

    def _reply(self, frame: bytes, think_s: float, late_s: float) -> None:
        start = max(self._loop.time() + max(think_s, self._silence_s), self._busy_until)
        frame = self._bank.spoil(frame)
        # A late answer comes when it comes; only one in time holds the wire from now on.
        if think_s < late_s:
            self._busy_until = start + len(frame) * self._char_s
        self._send(frame, start)

    def _send(self, frame: bytes, start: float) -> None:
        noisy = self._bank.distort(frame)
        if self._settings.parity is not Parity.NONE:
            # One wrong bit is seen by its parity, and the master's port drops the byte.
            noisy = bytes(heard for said, heard in zip(frame, noisy, strict=True) if said == heard)
        frame = noisy
        self._bank.count.busy_s += len(frame) * self._char_s
        for n in range(0, len(frame), self._chunk):
            part = frame[n : n + self._chunk]
            self._loop.call_at(start + (n + len(part)) * self._char_s, self._out, part, self._settings)

    def _out(self, part: bytes, settings: SerialSettings) -> None:
        faults = self._bank.faults
        if settings != self._settings:
            part = bytes(byte ^ _MISHEARD for byte in part)
        if not faults.cut and not faults.mute:
            self._deliver(part)


def _both(one: bytes, other: bytes) -> bytes:
    """What a master hears of two meters that speak at once: a zero of either pulls the line down."""
    longer, shorter = sorted((one, other), key=len, reverse=True)
    return bytes(a & b for a, b in zip(longer, shorter, strict=False)) + longer[len(shorter) :]


class TcpLine:
    """The device side of one Modbus TCP connection."""

    def __init__(self, loop: asyncio.AbstractEventLoop, bank: Bank, deliver: Deliver) -> None:
        self._loop, self._bank, self._deliver = loop, bank, deliver
        self._framer = TcpFramer()

    def receive(self, data: bytes) -> None:
        """The master wrote bytes. Raises ValueError when they are no Modbus TCP."""
        if self._bank.faults.cut:
            return
        for request in self._framer.feed(data):
            if request.unit not in self._bank.devices:
                pdu: bytes | None = bytes((request.pdu[0] | 0x80, GATEWAY_NO_ANSWER))
                think_s = 0.0
            else:
                pdu, think_s = self._bank.answer(request.unit, request.pdu)
            if pdu is not None:
                frame = tcp_frame(request.transaction, self._bank.speaker(request.unit), pdu)
                frame = self._bank.spoil(frame)
                self._loop.call_later(think_s, self._out, frame)

    def reset(self) -> None:
        """Forget half a frame."""
        self._framer = TcpFramer()

    def _out(self, frame: bytes) -> None:
        faults = self._bank.faults
        if not faults.cut and not faults.mute:
            self._deliver(frame)

"""DL/T 645-2007 as bytes: requests to frames, and the right answer found among bytes; no I/O, no clock."""

from collections.abc import Iterator
from dataclasses import dataclass

from siteward_drivers.answer import Answer
from siteward_drivers.errors import DriverError

BROADCAST = "999999999999"
"""Address that all meters hear and none answers."""

WILDCARD = "AAAAAAAAAAAA"
"""Address that any meter answers, with its own: safe only where one meter is on the wire."""

READ, FOLLOW, READ_ADDRESS, FREEZE, BROADCAST_TIME = 0x11, 0x12, 0x13, 0x16, 0x08
NO_SUCH_DATA = 0x02
"""Error byte of a meter that does not have the data asked for."""

MAX_DATA = 200
WAKE_UP = 4
"""FE bytes that go before a frame, so that a sleeping receiver finds its start."""

END = 0x16
"""Last byte of every frame."""

_START, _WAKE = 0x68, 0xFE
_MASK = 0x33
_FROM_METER, _REFUSED, _MORE = 0x80, 0x40, 0x20
_AROUND = 12
_ID_BYTES = 4
_INSTANT = b"\x99\x99\x99\x99"


class NotBcd(DriverError):
    """Digits were expected and something else was there."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One whole frame with a right checksum: address of 12 digits (or A), control code, data without the offset."""

    address: str
    control: int
    data: bytes


@dataclass(frozen=True, slots=True)
class MeterRequest:
    """One request to a meter: `function` is the control code, `data` its bytes without the offset of 33H.

    `count` is how many bytes of data (behind data id, before sequence number) a right answer carries, None when any.
    """

    address: str
    function: int
    data: bytes = b""
    count: int | None = None

    @property
    def is_read(self) -> bool:
        """Whether it changes nothing in the meter."""
        return self.function in (READ, FOLLOW, READ_ADDRESS)

    @property
    def wants_answer(self) -> bool:
        """Whether anybody answers: broadcasts are only heard."""
        return self.address != BROADCAST

    @property
    def reply_length(self) -> int:
        """Bytes of the frame that answers it, wake-up bytes left out; the most that can come where it is open."""
        if not self.wants_answer:
            return 0
        return _AROUND + (MAX_DATA if self.count is None else len(self.data) + self.count)

    def confusable(self, other: object) -> bool:
        """Whether an answer to the other request would also pass as an answer to this one."""
        return isinstance(other, MeterRequest) and (self.address, self.function, self.data) == (
            other.address,
            other.function,
            other.data,
        )

    def __str__(self) -> str:
        """For people: what was asked for."""
        if self.function in (READ, FOLLOW):
            return f"data id {self.data[_ID_BYTES - 1 :: -1].hex().upper()}"
        return f"control code {self.function:02X}H"


def read(address: str, data_id: str, count: int | None = None) -> MeterRequest:
    """Ask for the data of an id such as "02010100". Raises NotBcd for an address or ValueError for an id."""
    bcd_address(address)
    return MeterRequest(address, READ, id_bytes(data_id), count)


def follow(address: str, data_id: str, sequence: int) -> MeterRequest:
    """Ask for the next part of data that did not fit one frame; `sequence` counts from 1."""
    return MeterRequest(address, FOLLOW, id_bytes(data_id) + bytes((sequence,)))


def read_address(address: str = WILDCARD) -> MeterRequest:
    """Ask a meter for its address. Raises NotBcd."""
    bcd_address(address)
    return MeterRequest(address, READ_ADDRESS, count=6)


def freeze() -> MeterRequest:
    """Tell all meters of the wire to keep their present counts; the form that reads the same in both byte orders."""
    return MeterRequest(BROADCAST, FREEZE, _INSTANT)


def broadcast_time(year: int, month: int, day: int, hour: int, minute: int, second: int) -> MeterRequest:
    """Tell all meters the local time, seconds first as all fields of the standard; `year` has two digits.

    It moves the clock of every meter on the wire and is never sent by a driver of its own accord. Raises ValueError.
    """
    fields = (second, minute, hour, day, month, year)
    if any(not 0 <= field <= 99 for field in fields):
        raise ValueError(f"no two digits each: {fields}")
    return MeterRequest(BROADCAST, BROADCAST_TIME, bytes(field // 10 << 4 | field % 10 for field in fields))


def id_bytes(data_id: str) -> bytes:
    """A data id as written (DI3 first) in the order of the wire. Raises ValueError."""
    data = bytes.fromhex(data_id)
    if len(data) != _ID_BYTES:
        raise ValueError(f"{data_id!r} is no data id of eight hexadecimal digits")
    return data[::-1]


def bcd_address(address: str) -> bytes:
    """The address in the order of the wire, low byte first. Raises NotBcd unless it is 12 digits (or A for any)."""
    shortened = address.lstrip("A")
    if len(address) != 12 or not address.isascii() or (shortened and not shortened.isdecimal()):
        raise NotBcd(f"{address!r} is no meter address of 12 digits")
    return bytes.fromhex(address)[::-1]


def digits(data: bytes) -> str:
    """Decimal digits of BCD data, low byte first on the wire. Raises NotBcd for any nibble above 9."""
    text = data[::-1].hex()
    if not text.isdecimal():
        raise NotBcd(f"{data.hex(' ')} holds no decimal digits")
    return text


def number(data: bytes, signed: bool) -> int:
    """Number of BCD data, low byte first; signed data carry the sign in their topmost bit. Raises NotBcd."""
    negative = signed and bool(data) and data[-1] & 0x80
    if negative:
        data = data[:-1] + bytes((data[-1] & 0x7F,))
    return -int(digits(data)) if negative else int(digits(data))


def encode(request: MeterRequest, wake_up: int = WAKE_UP) -> bytes:
    """The request as bytes, `wake_up` FE bytes before it. Raises NotBcd for a wrong address."""
    return bytes((_WAKE,)) * wake_up + frame_bytes(request.address, request.function, request.data)


def frame_bytes(address: str, control: int, data: bytes) -> bytes:
    """One frame without wake-up bytes. Raises NotBcd for a wrong address."""
    head = bytes((_START,)) + bcd_address(address) + bytes((_START, control, len(data)))
    body = head + bytes((byte + _MASK) & 0xFF for byte in data)
    return body + bytes((sum(body) & 0xFF, END))


def frames(buffer: bytes) -> Iterator[Frame]:
    """Every whole frame in the bytes: whatever stands before, between or behind is stepped over."""
    at = 0
    while (at := buffer.find(_START, at)) >= 0:
        found = _frame_at(buffer, at)
        if found is None:
            at += 1
            continue
        yield found
        at += _AROUND + len(found.data)


def find(request: MeterRequest, buffer: bytes) -> Answer | None:
    """The first whole frame that answers the request, None while there is none.

    Address, control code, data id, sequence number, length and checksum must all be right; our own echo never is.
    """
    for frame in frames(buffer):
        if _same_meter(request.address, frame.address):
            answer = _answer(request, frame)
            if answer is not None:
                return answer
    return None


def _frame_at(buffer: bytes, at: int) -> Frame | None:
    if len(buffer) < at + _AROUND or buffer[at + 7] != _START:
        return None
    length = buffer[at + 9]
    end = at + 10 + length
    if length > MAX_DATA or len(buffer) < end + 2:
        return None
    if buffer[end] != sum(buffer[at:end]) & 0xFF or buffer[end + 1] != END:
        return None
    address = buffer[at + 1 : at + 7][::-1].hex().upper()
    try:
        bcd_address(address)
    except NotBcd:
        return None
    return Frame(address, buffer[at + 8], bytes((byte - _MASK) & 0xFF for byte in buffer[at + 10 : end]))


def _same_meter(asked: str, answered: str) -> bool:
    """Whether that meter was meant; leading A of a shortened address stand for any digits."""
    if not answered.isdecimal():
        return False
    known = asked.lstrip("A")
    return answered.endswith(known)


def _answer(request: MeterRequest, frame: Frame) -> Answer | None:
    if frame.control == request.function | _FROM_METER | _REFUSED:
        return Answer(exception=frame.data[0]) if len(frame.data) == 1 else None
    if frame.control & ~_MORE != request.function | _FROM_METER:
        return None
    more = bool(frame.control & _MORE)
    data = _payload(request, frame.data)
    if data is None or (request.count is not None and not more and len(data) != request.count):
        return None
    return Answer(tuple(data), more=more)


def _payload(request: MeterRequest, data: bytes) -> bytes | None:
    """What stands between data id and sequence number; None when either is another's."""
    if request.function not in (READ, FOLLOW):
        return data
    if data[:_ID_BYTES] != request.data[:_ID_BYTES]:
        return None
    sequence = request.data[_ID_BYTES:]
    rest = data[_ID_BYTES:]
    if not sequence:
        return rest
    return rest[:-1] if rest[-1:] == sequence else None

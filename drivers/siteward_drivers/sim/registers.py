"""The register side of a simulated device: its profile's points as words on the wire, undocumented ones refused."""

import math
import struct
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from siteward.model.errors import SitewardError
from siteward_drivers.decode import DECIMALS
from siteward_drivers.profile import Profile
from siteward_drivers.profile_points import Access, Point, RegisterType, Table, WordOrder
from siteward_drivers.quantities import Quantity

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, DEVICE_FAILURE, DEVICE_BUSY = 1, 2, 3, 4, 6

Value = float | str | None
"""What a point shows: a scaled number, a text, or None for "not known"."""

_SPAN = {
    RegisterType.U16: (0, 0xFFFF),
    RegisterType.I16: (-0x8000, 0x7FFF),
    RegisterType.U32: (0, 0xFFFF_FFFF),
    RegisterType.I32: (-0x8000_0000, 0x7FFF_FFFF),
    RegisterType.U64: (0, 0xFFFF_FFFF_FFFF_FFFF),
    RegisterType.I64: (-0x8000_0000_0000_0000, 0x7FFF_FFFF_FFFF_FFFF),
}


_SIGNED = (RegisterType.I16, RegisterType.I32, RegisterType.I64)
_FLOATS = {RegisterType.F32: ">f", RegisterType.F64: ">d"}


class ModbusFault(SitewardError):
    """A simulated device answers with this exception code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"modbus exception {code}")
        self.code = code


def raw_span(point: Point) -> tuple[int, int]:
    """Smallest and largest raw number that the point's type holds."""
    return _SPAN.get(point.type) or (0, (1 << 16 * point.width) - 1)


def to_raw(point: Point, value: float) -> float:
    """Nearest raw number for a scaled value, held inside the type; a float as it is."""
    if point.type in _FLOATS:
        return value / point.scale
    low, high = raw_span(point)
    return max(low, min(high, round(value / point.scale)))


def to_raw_below(point: Point, value: float) -> float:
    """Largest raw number that is not above a scaled value: how limits are rounded; a float as it is."""
    if point.type in _FLOATS:
        return value / point.scale
    return to_raw(point, math.floor(value / point.scale + 1e-6) * point.scale)


def encode(point: Point, value: Value, order: WordOrder) -> list[int]:
    """Words of a scaled value, a text, or of the point's "not known"."""
    if point.type is RegisterType.STRING:
        data = str(value or "").encode("ascii").ljust(2 * point.width, b"\0")[: 2 * point.width]
        return _words(data)
    if value is None or isinstance(value, str):
        raw = float(point.invalid[0]) if point.invalid else math.nan
        value = raw * point.scale
    if point.type in DECIMALS:
        words = _decimal(0.0 if math.isnan(value) else value / point.scale)
    elif point.type in _FLOATS:
        words = _words(struct.pack(_FLOATS[point.type], value / point.scale))
    else:
        number = int(to_raw(point, 0.0 if math.isnan(value) else value)) << point.shift
        words = _words((number % (1 << 16 * point.width)).to_bytes(2 * point.width, "big"))
    return words[::-1] if (point.word_order or order) is WordOrder.LSW_FIRST else words


def _decimal(value: float) -> list[int]:
    """A number with the finest decimal exponent from -3 on at which its digits have room."""
    exponent, digits = -3, round(value * 1000.0)
    while not -0x800000 <= digits <= 0x7FFFFF:
        exponent, digits = exponent + 1, round(digits / 10.0)
    return [(exponent & 0xFF) << 8 | digits >> 16 & 0xFF, digits & 0xFFFF]


def _words(data: bytes) -> list[int]:
    return [data[i] << 8 | data[i + 1] for i in range(0, len(data), 2)]


def raw_of(point: Point, words: Sequence[int], order: WordOrder) -> float:
    """Raw number of a written point. Texts are written by no profile: ILLEGAL_VALUE, as for what is no number."""
    if point.type is RegisterType.STRING:
        raise ModbusFault(ILLEGAL_VALUE)
    ordered = words[::-1] if (point.word_order or order) is WordOrder.LSW_FIRST else words
    number = 0
    for word in ordered:
        number = number << 16 | word
    if point.type in _FLOATS:
        value: float = struct.unpack(_FLOATS[point.type], number.to_bytes(2 * point.width, "big"))[0]
        if not math.isfinite(value):
            raise ModbusFault(ILLEGAL_VALUE)
        return value
    if point.type in _SIGNED and number >> (16 * point.width - 1):
        number -= 1 << 16 * point.width
    return number


@dataclass(frozen=True, slots=True)
class Place:
    """One point of one channel at its place on the wire."""

    quantity: Quantity
    channel: int
    point: Point


class RegisterMap:
    """All points of a device with `channels` connectors, as its profile documents them."""

    def __init__(self, profile: Profile, channels: Sequence[int] = (1,)) -> None:
        self._order = profile.file.word_order
        self._max_read = profile.file.timing.max_registers
        self._readable: set[tuple[Table, int]] = set()
        places: dict[tuple[Table, int], Place] = {}
        for channel in channels:
            for span in profile.spans(channel):
                self._readable.update((span.table, span.first + n) for n in range(span.count))
            for quantity in profile.file.points:
                point = profile.point(quantity, channel)
                places.setdefault((point.table, point.address), Place(quantity, channel, point))
        self._by_address = places
        self._starts = {t: sorted(a for table, a in places if table is t) for t in Table}

    def read(self, table: Table, address: int, count: int, value: Callable[[Place], Value]) -> list[int]:
        """Words of a block; registers that are documented but not named are 0. Raises ModbusFault."""
        if not 1 <= count <= self._max_read:
            raise ModbusFault(ILLEGAL_VALUE)
        if any((table, address + n) not in self._readable for n in range(count)):
            raise ModbusFault(ILLEGAL_ADDRESS)
        words = [0] * count
        starts = self._starts[table]
        # A point may begin up to 124 registers before the block and reach into it.
        for start in starts[bisect_left(starts, address - 124) : bisect_left(starts, address + count)]:
            place = self._by_address[table, start]
            if start + place.point.width > address:
                self._lay(words, address, place, value(place))
        return words

    def _lay(self, words: list[int], address: int, place: Place, value: Value) -> None:
        for n, word in enumerate(encode(place.point, value, self._order)):
            at = place.point.address + n - address
            if 0 <= at < len(words):
                words[at] = word

    def resolve(self, address: int, words: Sequence[int], off_code: int | None) -> list[tuple[Place, float]]:
        """Points and raw numbers that a write of holding registers means. Raises ModbusFault, then nothing changed.

        A raw number must lie in the point's write range; `off_code` is also taken for the watchdog's time.
        """
        writes: list[tuple[Place, float]] = []
        at = 0
        while at < len(words):
            place = self._by_address.get((Table.HOLDING, address + at))
            if place is None or place.point.access is Access.R or at + place.point.width > len(words):
                raise ModbusFault(ILLEGAL_ADDRESS)
            raw = raw_of(place.point, words[at : at + place.point.width], self._order)
            is_off = place.quantity is Quantity.WATCHDOG_TIMEOUT and raw == off_code
            if not is_off and not _may_write(place.point, raw):
                raise ModbusFault(ILLEGAL_VALUE)
            writes.append((place, raw))
            at += place.point.width
        return writes


def _may_write(point: Point, raw: float) -> bool:
    if point.write_range is None:
        return True
    low, high = point.write_range
    return low - 1e-9 <= raw * point.scale <= high + 1e-9

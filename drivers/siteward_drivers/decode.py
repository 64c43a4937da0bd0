"""Registers to values and values to registers: pure, by the profile's points; a value that cannot be true is none."""

import math
import struct
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol

from siteward_drivers.profile_points import Point, RegisterType, WordOrder
from siteward_drivers.quantities import Quantity

Value = float | int | str
_PACK = {
    RegisterType.U16: ">H",
    RegisterType.I16: ">h",
    RegisterType.U32: ">I",
    RegisterType.I32: ">i",
    RegisterType.U64: ">Q",
    RegisterType.I64: ">q",
    RegisterType.F32: ">f",
    RegisterType.F64: ">d",
}
_STRUCT = {type_: struct.Struct(form) for type_, form in _PACK.items()}
DECIMALS = (RegisterType.DEC_U24, RegisterType.DEC_I24)
_DIGITS = 9
_LARGEST = sys.float_info.max
_STEP_SLACK = 1e-6
_LEAST_FLOAT = 1e-12
"""No device resolves less: a float below it is two words in the wrong order, and would pass for zero (fault 30)."""


class Scaled(Protocol):
    """What turns a raw number into a value: factor, and the span in which it can be true."""

    @property
    def scale(self) -> float:
        """Value of one count, in the point's unit."""
        ...

    @property
    def range(self) -> tuple[float, float] | None:
        """Least and largest value that can be true, None where any can."""
        ...


@dataclass(frozen=True, slots=True)
class Decoded:
    """Values by quantity, scaled; `raw` are the numbers as sent; `rejected` names quantities that had none.

    `impossible` are those of them that were numbers, other than zero, which the quantity cannot have.
    """

    values: Mapping[Quantity, Value] = field(default_factory=dict)
    raw: Mapping[Quantity, Value] = field(default_factory=dict)
    rejected: tuple[Quantity, ...] = ()
    impossible: tuple[Quantity, ...] = ()


_Plain = tuple[Quantity, float, float, float, tuple[float, ...]]
"""A number of whole registers: its scale, the span in which it can be true, what means "not known"."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a number of whole registers lies in its block, and how it is written."""

    start: int
    end: int
    form: str
    lsw: bool


class Decoder:
    """Reads the points of one block that starts at register (or bit) `first`; made once, used at every poll."""

    def __init__(self, points: Mapping[Quantity, Point], first: int, order: WordOrder) -> None:
        self._order = order
        self._plain: list[_Plain] = []
        self._places: list[_Place] = []
        self._others: list[tuple[Quantity, Point, int]] = []
        for quantity, point in points.items():
            start = point.address - first
            if point.is_bit or point.mask is not None or point.type not in _STRUCT:
                self._others.append((quantity, point, start))
                continue
            low, high = point.range or (-math.inf, math.inf)
            low, high = max(low, -_LARGEST), min(high, _LARGEST)
            lsw = (point.word_order or order) is WordOrder.LSW_FIRST
            self._plain.append((quantity, point.scale, low, high, point.invalid))
            self._places.append(_Place(start, start + point.width, _PACK[point.type][1:], lsw))
        self._end = max((place.end for place in self._places), default=0)
        self._swaps = any(place.lsw for place in self._places)
        self._whole = _whole(self._places, self._end)

    def __call__(self, words: Sequence[int]) -> Decoded:
        """The values; a point that the words do not hold whole is rejected."""
        values: dict[Quantity, Value] = {}
        raws: dict[Quantity, Value] = {}
        rejected: list[Quantity] = []
        impossible: list[Quantity] = []
        self.into(words, values, raws, rejected, impossible)
        return Decoded(values, raws, tuple(rejected), tuple(impossible))

    def into(
        self,
        words: Sequence[int],
        values: dict[Quantity, Value],
        raws: dict[Quantity, Value],
        rejected: list[Quantity],
        impossible: list[Quantity],
    ) -> None:
        """Add the values to those of other blocks: what each is called in Decoded."""
        for (quantity, scale, low, high, invalid), raw in zip(self._plain, self._raws(words), strict=True):
            value = raw if scale == 1.0 else round(raw * scale, _DIGITS)
            # No number and infinity lie in no span.
            true = low <= value <= high and (raw >= _LEAST_FLOAT or raw <= -_LEAST_FLOAT or raw == 0)
            if true and raw not in invalid:
                values[quantity] = value
                raws[quantity] = raw
                continue
            rejected.append(quantity)
            if raw and -_LARGEST <= raw <= _LARGEST and raw not in invalid:
                impossible.append(quantity)
        for quantity, point, start in self._others:
            found = raw_value(point, words[start : start + point.width], self._order)
            scaled = None if found is None else _scaled(point, found)
            if found is None or scaled is None:
                rejected.append(quantity)
                if found:
                    impossible.append(quantity)
            else:
                values[quantity] = scaled
                raws[quantity] = found

    def _raws(self, words: Sequence[int]) -> Sequence[float | int]:
        """The numbers as sent, in the order of the points; one that the words do not hold whole is not a number."""
        length = len(words)
        # Words from behind are bytes of the other order.
        if self._whole is not None and length >= self._end:
            if self._swaps:
                return self._whole.unpack_from(_words(length)(*words[::-1]), 2 * (length - self._end))[::-1]
            return self._whole.unpack_from(_words(length)(*words))
        data, swapped = _words(length)(*words), _words(length)(*words[::-1])
        return [
            math.nan
            if place.end > length
            else struct.unpack_from(
                f">{place.form}", *((swapped, 2 * (length - place.end)) if place.lsw else (data, 2 * place.start))
            )[0]
            for place in self._places
        ]


def _whole(places: Sequence[_Place], end: int) -> struct.Struct | None:
    """What unpacks all places at once, from behind where low words come first; None where that cannot be."""
    if len({place.lsw for place in places}) != 1:
        return None
    at, form = 0, ">"
    for place in reversed(places) if places[0].lsw else places:
        start, stop = (end - place.end, end - place.start) if place.lsw else (place.start, place.end)
        if start < at:
            return None
        form += f"{2 * (start - at)}x{place.form}"
        at = stop
    return struct.Struct(form)


@cache
def _words(count: int) -> Callable[..., bytes]:
    return struct.Struct(f">{count}H").pack


def decode(points: Mapping[Quantity, Point], first: int, words: Sequence[int], order: WordOrder) -> Decoded:
    """Values of points out of one block that starts at register (or bit) `first`; all must lie inside it."""
    return Decoder(points, first, order)(words)


def raw_value(point: Point, words: Sequence[int], order: WordOrder) -> Value | None:
    """The number or text as the device sent it, None when it says "not known" or is no number."""
    if len(words) != point.width:
        return None
    if point.is_bit:
        return sum(bool(bit) << i for i, bit in enumerate(words))
    if point.type is RegisterType.STRING:
        return _text(words)
    data = b"".join(w.to_bytes(2, "big") for w in _ordered(point, words, order))
    if point.type is RegisterType.BITFIELD or point.mask is not None:
        whole = int.from_bytes(data, "big")
        return whole if point.mask is None else (whole & point.mask) >> point.shift
    if point.type in DECIMALS:
        found = decimal_value(int.from_bytes(data, "big"), point.type is RegisterType.DEC_I24)
        return None if found in point.invalid else found
    number: float | int = _STRUCT[point.type].unpack(data)[0]
    return None if not math.isfinite(number) or number in point.invalid else number


def decimal_value(whole: int, signed: bool) -> float:
    """A decimal exponent in the highest of four bytes (with sign), 24 bits of digits below it."""
    exponent, digits = whole >> 24, whole & 0xFFFFFF
    exponent -= 0x100 if exponent & 0x80 else 0
    digits -= 0x1000000 if signed and digits & 0x800000 else 0
    # As people read it: 2345e-1 is 234.5, which no power of ten in floating point makes of it.
    return float(f"{digits}e{exponent}")


def _text(words: Sequence[int]) -> str | None:
    data = b"".join(w.to_bytes(2, "big") for w in words).split(b"\0", 1)[0].strip()
    if not data.isascii():
        return None
    text = data.decode("ascii")
    return text if text.isprintable() else None


def _ordered(point: Point, words: Sequence[int], order: WordOrder) -> Sequence[int]:
    lsw_first = (point.word_order or order) is WordOrder.LSW_FIRST
    return words[::-1] if lsw_first else words


def _scaled(point: Point, raw: Value) -> Value | None:
    return raw if point.type is RegisterType.BITFIELD or point.is_bit else in_unit(point, raw)


def in_unit(point: Scaled, raw: Value) -> Value | None:
    """A number in the point's unit, None where it cannot be true; texts are what they are."""
    if isinstance(raw, str):
        return raw
    if 0.0 < abs(raw) < _LEAST_FLOAT:
        return None
    value = raw if point.scale == 1.0 else round(raw * point.scale, _DIGITS)
    if point.range is not None and not point.range[0] <= value <= point.range[1]:
        return None
    return value


def told(found: Iterable[tuple[Quantity, Scaled, Value | None]]) -> Decoded:
    """Raw values as they came, by quantity and point, sorted into what is known and what is rejected."""
    values: dict[Quantity, Value] = {}
    raws: dict[Quantity, Value] = {}
    rejected = []
    for quantity, point, raw in found:
        value = None if raw is None else in_unit(point, raw)
        if raw is None or value is None:
            rejected.append(quantity)
        else:
            values[quantity], raws[quantity] = value, raw
    return Decoded(values, raws, tuple(rejected))


def encode(point: Point, value: float, order: WordOrder) -> tuple[int, ...]:
    """Registers for a value, rounded DOWN to the device's step and never above its range.

    Raises ValueError when the value is no number, lies below what may be written, or the point takes no numbers.
    """
    if not math.isfinite(value):
        raise ValueError(f"{value} cannot be written")
    low, high = point.write_range or (-math.inf, math.inf)
    value = min(value, high)
    if point.step is not None:
        value = math.floor(value / point.step + _STEP_SLACK) * point.step
    if value < low - _STEP_SLACK:
        raise ValueError(f"{value:g} is below {low:g}, the least that may be written")
    if point.type in (RegisterType.F32, RegisterType.F64):
        return encode_raw(point, value / point.scale, order)
    return encode_raw(point, math.floor(value / point.scale + _STEP_SLACK), order)


def encode_raw(point: Point, raw: float, order: WordOrder) -> tuple[int, ...]:
    """Registers for a raw number. Raises ValueError when it does not fit the type or the point takes no numbers."""
    if point.is_bit:
        return (int(bool(raw)),)
    if point.type is RegisterType.STRING:
        raise ValueError("texts are not written")
    try:
        if point.type is RegisterType.BITFIELD:
            data = int(raw).to_bytes(2 * point.width, "big")
        elif point.type is RegisterType.F32:
            data = _float_down(raw)
        elif point.type is RegisterType.F64:
            data = struct.pack(">d", raw)
        elif point.type in DECIMALS:
            raise ValueError("decimals with an exponent are not written")
        else:
            data = struct.pack(_PACK[point.type], int(raw))
    except (struct.error, OverflowError) as error:
        raise ValueError(f"{raw} does not fit a {point.type}") from error
    words = [int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2)]
    return tuple(_ordered(point, words, order))


def _float_down(raw: float) -> bytes:
    """The largest 32-bit float that is not above the number."""
    data = struct.pack(">f", raw)
    if struct.unpack(">f", data)[0] <= raw:
        return data
    bits = int.from_bytes(data, "big")
    return (bits - 1 if raw > 0 else bits + 1).to_bytes(4, "big")

"""How registers lie under a right checksum: what a meter shows in place of truth, by kind of fixtures/lies.toml."""

import math
import struct
from collections.abc import Callable, Iterable

from siteward_drivers.profile_points import Point, Table
from siteward_drivers.quantities import Quantity
from siteward_drivers.sim.meters import SimMeter

_CURRENTS = (Quantity.CURRENT_L1, Quantity.CURRENT_L2, Quantity.CURRENT_L3)
_POWERS = (Quantity.ACTIVE_POWER_L1, Quantity.ACTIVE_POWER_L2, Quantity.ACTIVE_POWER_L3, Quantity.ACTIVE_POWER_TOTAL)
_LOAD = (*_CURRENTS, *_POWERS)
_ENERGY = (Quantity.ENERGY_IMPORT_TOTAL,)

Words = list[int]


def _float(words: Words) -> float:
    value: float = struct.unpack(">f", b"".join(w.to_bytes(2, "big") for w in words))[0]
    return value


def _of(value: float) -> Words:
    data = struct.pack(">f", value)
    return [data[0] << 8 | data[1], data[2] << 8 | data[3]]


def _scaled(factor: float, plus: float = 0.0) -> Callable[[Words], Words]:
    return lambda words: _of(_float(words) * factor + plus)


def _const(value: float) -> Callable[[Words], Words]:
    return lambda words: _of(value)


def _turned(words: Words) -> Words:
    return [(word & 0xFF) << 8 | word >> 8 for word in words]


class LyingMeter:
    """A simulated meter whose registers lie while `kind` is set; everything else is the meter's own.

    `then` is called once, right after its energy register was next read.
    """

    def __init__(self, meter: SimMeter) -> None:
        self.kind: str | None = None
        self.then: Callable[[], None] | None = None
        self._meter = meter
        self._asked = 0
        self._kept: dict[tuple[Table, int], Words] = {}

    def __getattr__(self, name: str) -> object:
        return getattr(self._meter, name)

    def read(self, table: Table, address: int, count: int) -> Words:
        """Words of a block, lied about."""
        words = self._words(table, address, count)
        point, then = self._meter.profile.file.points[Quantity.ENERGY_IMPORT_TOTAL], self.then
        if then is not None and point.table is table and address <= point.address < address + count:
            self.then = None
            then()
        return words

    def _words(self, table: Table, address: int, count: int) -> Words:
        words = self._meter.read(table, address, count)
        self._asked += 1
        if self.kind is None:
            self._kept.clear()
            return words
        for quantity, point in self._meter.profile.file.points.items():
            at = point.address - address
            if point.table is table and at >= 0 and at + point.width <= count:
                words[at : at + point.width] = self._lied(quantity, point, words[at : at + point.width])
        return words

    def _lied(self, quantity: Quantity, point: Point, words: Words) -> Words:
        touched, lie = LIES[self.kind or ""]
        kept = self._kept.setdefault((point.table, point.address), list(words))
        if touched is not None and quantity not in touched:
            return words
        if lie is None:
            return kept
        if self.kind == "jump" and self._asked % 3:
            return words
        return lie(words)


LIES: dict[str, tuple[Iterable[Quantity] | None, Callable[[Words], Words] | None]] = {
    "stuck": (None, None),
    "stuck load": (_LOAD, None),
    "all zero": (None, lambda words: [0] * len(words)),
    "zero load": (_LOAD, _const(0.0)),
    "minus zero": (_LOAD, _const(-0.0)),
    "all ones": (None, lambda words: [0xFFFF] * len(words)),
    "not a number": (_LOAD, _const(math.nan)),
    "one phase not a number": ((Quantity.CURRENT_L2,), _const(math.nan)),
    "infinity": (_LOAD, _const(math.inf)),
    "minus infinity": (_LOAD, _const(-math.inf)),
    "swapped words": (None, lambda words: words[::-1]),
    "swapped bytes": (None, _turned),
    "swapped words and bytes": (None, lambda words: _turned(words[::-1])),
    "sign": (_LOAD, _scaled(-1.0)),
    "ten times": (_LOAD, _scaled(10.0)),
    "a tenth": (_LOAD, _scaled(0.1)),
    "thousands": (_LOAD, _scaled(1000.0)),
    "jump": (_LOAD, _scaled(1.0, 500.0)),
    "frozen counters": (_ENERGY, None),
    "counter backward": (_ENERGY, _scaled(1.0, -5.0)),
    "counter ahead": (_ENERGY, _scaled(1.0, 50.0)),
    "rollover": (_ENERGY, _scaled(1.0, -100.0)),
    "zero counter": (_ENERGY, _const(0.0)),
    "negative energy": (_ENERGY, _scaled(-1.0)),
    "counter not a number": (_ENERGY, _const(math.nan)),
}
"""Which quantities are lied about (None = all), and how; no function: they stand still."""

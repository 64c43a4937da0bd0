"""The registers in which the station re-exports its readings to a third party over Modbus TCP.

Input and holding registers are the same. Addresses count from 0, values are big-endian, most significant word first.

====================  ==========================================================================================
0                     version of this map: 1
1, 2, 3               number of meters, number of connectors, age of the picture in s
100 + 50 k            meter k in the order of site.toml, 19 registers:
  +0, +2, +4          current L1, L2, L3 in mA (i32)
  +6, +8, +10         voltage L1, L2, L3 in mV (i32)
  +12                 active power in W (i32)
  +14                 energy in Wh (u64)
  +18                 age of the reading in s (u16)
5000 + 50 k           connector k in the order of site.toml, 22 registers: as a meter, and
  +19                 status (u16): 0 offline, 1 available, 2 occupied, 3 reserved, 4 unavailable, 5 faulted
  +20                 limit that the station grants, in 0.1 A (u16)
  +21                 limit wished by the third party, in 0.1 A (u16); the only register that can be writable
====================  ==========================================================================================

What is not known is never zero: 0x80000000 (i32), all ones (u16, u64).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from siteward.model.units import PerPhase

VERSION = 1
METERS_AT, CONNECTORS_AT, STRIDE = 100, 5000, 50
WISH = 21
"""Place of the wished limit in a connector's registers."""

STATUSES = ("Available", "Occupied", "Reserved", "Unavailable", "Faulted")
"""ConnectorStatus in the order of their numbers, from 1."""

_UNKNOWN = 0x80000000
_NONE = 0xFFFF
_MOST_WISHED = 10_000


@dataclass(frozen=True, slots=True)
class Shared:
    """One meter or connector as it is re-exported; None = not known. A meter has neither status nor grant."""

    name: str
    current_a: PerPhase | None = None
    voltage_v: PerPhase | None = None
    power_w: float | None = None
    energy_wh: int | None = None
    age_s: float | None = None
    status: int = 0
    granted_a: float | None = None


class NoSuchRegister(Exception):
    """The address is not in the map, or may not be written."""


class ShareMap:
    """The picture of now as registers, and the wishes of the third party."""

    def __init__(self, writable: Sequence[str]) -> None:
        self._writable = frozenset(writable)
        self._runs: dict[int, list[int]] = {}
        self._names: dict[int, str] = {}
        self._wishes: dict[str, int] = {}

    def show(self, meters: Sequence[Shared], connectors: Sequence[Shared]) -> None:
        """Replace the picture."""
        runs = {0: [VERSION, len(meters), len(connectors), 0]}
        for k, meter in enumerate(meters):
            runs[METERS_AT + STRIDE * k] = _values(meter)
        for k, connector in enumerate(connectors):
            at = CONNECTORS_AT + STRIDE * k
            granted = _short(connector.granted_a, 10)
            runs[at] = [*_values(connector), connector.status, granted, self._wishes.get(connector.name, _NONE)]
            self._names[at + WISH] = connector.name
        self._runs = runs

    def read(self, first: int, count: int, age_s: float) -> list[int]:
        """Registers of one block. Raises NoSuchRegister when one of them is not in the map."""
        start = first - first % STRIDE if first >= METERS_AT else 0
        run = self._runs.get(start, [])
        words = run[first - start : first - start + count]
        if len(words) < count:
            raise NoSuchRegister
        if start == 0 and first <= 3 < first + count:
            words[3 - first] = _short(age_s, 1)
        return words

    def wish(self, address: int, word: int) -> tuple[str, float]:
        """Connector and limit in A that a write asks for.

        Raises NoSuchRegister for every register that the site's list does not name, ValueError for no current.
        """
        name = self._names.get(address)
        if name is None or name not in self._writable:
            raise NoSuchRegister
        if word > _MOST_WISHED:
            raise ValueError(f"{word} is no current in 0.1 A")
        return name, word / 10

    def keep(self, name: str, limit_a: float) -> None:
        """Show this wish from now on: the station has taken it."""
        self._wishes[name] = round(limit_a * 10)


def _values(shared: Shared) -> list[int]:
    words: list[int] = []
    for phases in (shared.current_a, shared.voltage_v):
        for value in phases or (None, None, None):
            words += _long(value, 1000)
    words += _long(shared.power_w, 1)
    energy = (1 << 64) - 1 if shared.energy_wh is None else shared.energy_wh & ((1 << 64) - 1)
    words += [energy >> 48 & _NONE, energy >> 32 & _NONE, energy >> 16 & _NONE, energy & _NONE]
    return [*words, _short(shared.age_s, 1)]


def _long(value: float | None, scale: int) -> list[int]:
    raw = None if value is None else round(value * scale)
    if raw is None or not -(1 << 31) < raw < 1 << 31:
        raw = _UNKNOWN
    return [raw >> 16 & _NONE, raw & _NONE]


def _short(value: float | None, scale: int) -> int:
    return _NONE if value is None else min(max(round(value * scale), 0), _NONE - 1)

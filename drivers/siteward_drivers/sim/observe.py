"""What a driver would know after reading a simulated device: shown values with the resolution of their registers."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from siteward_drivers.modbus_device import Values
from siteward_drivers.profile import Profile
from siteward_drivers.profile_data import DataPoint, ObjectPoint
from siteward_drivers.profile_points import Point, RegisterType
from siteward_drivers.quantities import Quantity
from siteward_drivers.sim.data_slave import largest_number
from siteward_drivers.sim.registers import Value, raw_span
from siteward_drivers.slow import COUNT_S, counted_part, slow_part

_DIGITS = 9

AnyPoint: TypeAlias = Point | DataPoint | ObjectPoint

Show = Callable[[Quantity], Value]
"""Asks a simulated device what a quantity shows now."""


class _Lens:
    """One point, prepared for many looks."""

    __slots__ = ("high", "invalid", "is_float", "largest", "low", "quantity", "scale", "smallest")

    def __init__(self, quantity: Quantity, point: AnyPoint) -> None:
        self.quantity = quantity
        self.scale = point.scale
        self.is_float = isinstance(point, Point) and point.type in (RegisterType.F32, RegisterType.F64)
        self.smallest, self.largest = _span(point)
        self.invalid = frozenset(point.invalid) if isinstance(point, Point) else frozenset[float]()
        self.low, self.high = point.range or (-math.inf, math.inf)

    def look(self, shown: Value, seen: Values) -> None:
        """Put the value into `seen` as `decode` would have made it from the registers, or reject it."""
        quantity = self.quantity
        if isinstance(shown, str):
            seen.values[quantity] = seen.raw[quantity] = shown
            return
        raw: float | None = self._raw(shown)
        if raw is not None and math.isfinite(raw) and raw not in self.invalid:
            value = raw if self.scale == 1.0 else round(raw * self.scale, _DIGITS)
            if self.low <= value <= self.high:
                seen.values[quantity], seen.raw[quantity] = value, raw
                return
        seen.rejected.append(quantity)

    def _raw(self, shown: float | None) -> float | None:
        if shown is None:
            return None if self.invalid or self.is_float else 0
        if self.is_float:
            return shown / self.scale
        return max(self.smallest, min(self.largest, round(shown / self.scale)))


class _Rarely:
    """Quantities that not every poll brings, as they were when they were last asked for."""

    def __init__(self, lenses: tuple[_Lens, ...], period_s: float) -> None:
        self.lenses = lenses
        self._period_s = period_s
        self._seen = Values(sent_at=-math.inf)

    def look(self, show: Show, seen: Values) -> None:
        """Add them to the values of a poll."""
        if not self.lenses:
            return
        if seen.sent_at >= self._seen.sent_at + self._period_s:
            self._seen = _look(self.lenses, show, seen.sent_at)
        seen.values.update(self._seen.values)
        seen.raw.update(self._seen.raw)
        seen.rejected.extend(self._seen.rejected)
        seen.aged.update(dict.fromkeys(self._seen.values, self._seen.sent_at))


class Observer:
    """Reads one connector or meter as its poll plan says: some quantities always, the slow ones now and then."""

    def __init__(self, profile: Profile) -> None:
        points, poll = profile.file.told, profile.file.poll
        self._always = _lenses(points, poll.always)
        self._slow = _Rarely(_lenses(points, slow_part(profile)), poll.slow_s)
        self._counted = _Rarely(_lenses(points, counted_part(profile)), COUNT_S)

    def look(self, show: Show, sent_at: float) -> Values:
        """What a poll sent at that instant would have brought."""
        seen = _look(self._always, show, sent_at)
        self._slow.look(show, seen)
        self._counted.look(show, seen)
        return seen

    def nothing(self, sent_at: float) -> Values:
        """A poll whose every register said "not known"."""
        return Values(
            sent_at=sent_at,
            rejected=[lens.quantity for lens in (*self._always, *self._slow.lenses, *self._counted.lenses)],
        )


def _span(point: AnyPoint) -> tuple[float, float]:
    if isinstance(point, Point):
        return raw_span(point)
    if isinstance(point, ObjectPoint):
        return point.type.span
    largest = largest_number(point)
    return (-largest if point.signed else 0), largest


def _lenses(points: Mapping[Quantity, AnyPoint], quantities: Iterable[Quantity]) -> tuple[_Lens, ...]:
    return tuple(_Lens(q, points[q]) for q in quantities)


def _look(lenses: tuple[_Lens, ...], show: Show, sent_at: float) -> Values:
    seen = Values(sent_at=sent_at)
    for lens in lenses:
        lens.look(show(lens.quantity), seen)
    return seen

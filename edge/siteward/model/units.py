"""Phases and per-phase currents, and the only conversions between watts and amperes."""

from enum import StrEnum

PerPhase = tuple[float, float, float]
"""A value on L1, L2 and L3 of a feeder."""

ZERO: PerPhase = (0.0, 0.0, 0.0)

FLOOR_A = 6.0
"""Smallest current that IEC 61851-1 can signal: below it a connector is paused, never set."""


class Phase(StrEnum):
    """A phase conductor of a feeder."""

    L1 = "L1"
    L2 = "L2"
    L3 = "L3"

    @property
    def position(self) -> int:
        """Position in a PerPhase tuple."""
        return int(self.value[1]) - 1


LOWEST_SHARE = 0.9
"""Of the nominal voltage: the least at which a power is drawn (R20)."""


def add(a: PerPhase, b: PerPhase) -> PerPhase:
    """Sum phase by phase."""
    return (a[0] + b[0], a[1] + b[1], a[2] + b[2])


def limit_amps(power_w: float, phases: int, nominal_v: float) -> float:
    """Current for a legal power limit, at nominal voltage (turn.md R20)."""
    return power_w / (phases * nominal_v)


def charger_limit_watts(current_a: float, phases: int, nominal_v: float, power_factor: float = 1.0) -> float:
    """Power from the mains that never lets the current exceed the limit, booked at 0.9 Un (ruling 13, R20)."""
    return current_a * phases * LOWEST_SHARE * nominal_v * power_factor


def booked_amps(power_w: float, phases: int, nominal_v: float, power_factor: float = 1.0) -> float:
    """Current that a power from the mains may draw on each phase, at 0.9 Un; the inverse of charger_limit_watts."""
    return power_w / (phases * LOWEST_SHARE * nominal_v * power_factor)

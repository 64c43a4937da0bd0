"""Segments of a session's energy, and the bill that they come to: every line says what it counts and at which price."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Cut(StrEnum):
    """Why a segment ended."""

    PRICE = "price"
    CLOCK = "clock"
    METER = "meter"
    GAP = "gap"
    END = "end"


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of one session at one price: energy between two values of its billing register.

    begin_wh and end_wh are values of the register, counted on over its rollovers and over an exchange of the meter, so
    that the end of one segment is the begin of the next. estimated_wh is the share that lies on a straight line between
    two readings, for none was within 2 s of the boundary. period is the price period's id, None where no tariff prices
    it. flagged: the clock was not to be trusted, and the tariff's lowest price counts. ended None: it still runs.
    """

    begin: datetime
    end: datetime
    begin_wh: int
    end_wh: int
    meter: str
    period: str | None = None
    tariff: str | None = None
    version: int | None = None
    estimated_wh: int = 0
    flagged: bool = False
    ended: Cut | None = None

    @property
    def energy_wh(self) -> int:
        """Its energy, a register difference."""
        return self.end_wh - self.begin_wh


class LineKind(StrEnum):
    """What a line of a bill is for."""

    ENERGY = "energy"
    SERVICE = "service"
    FLAT = "flat"
    IDLE = "idle"


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line: energy_wh at `price` per kWh, or minutes at `price` each, or a flat fee.

    exact is the product in the currency, amount the same rounded half-up to minor units; estimated_wh and flagged_wh
    say how much of the energy is an estimate, or was counted without a trusted clock; from_wh is where the step of the
    price began, 0 = the first.
    """

    kind: LineKind
    exact: Decimal
    amount: int
    tariff: str
    version: int
    price: Decimal
    period: str | None = None
    name: str = ""
    from_wh: int = 0
    energy_wh: int = 0
    estimated_wh: int = 0
    flagged_wh: int = 0
    minutes: int = 0


@dataclass(frozen=True, slots=True)
class Bill:
    """What a session costs: total is the sum of the rounded lines, in minor units (ruling 14).

    unpriced_wh is energy that no tariff prices.
    """

    tariff: str
    version: int
    currency: str
    digits: int
    lines: tuple[BillLine, ...]
    total: int
    energy_wh: int
    unpriced_wh: int = 0

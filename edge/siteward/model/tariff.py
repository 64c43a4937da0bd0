"""What a kWh costs: a tariff with version, periods and fees, as a session pins it, and what the site says about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from siteward.model.currency import CURRENCIES
from siteward.model.signed import Unsigned

DAY_MIN = 24 * 60
"""Minutes of the day by a clock on the wall; the end of the last stretch."""


@dataclass(frozen=True, slots=True)
class Price:
    """A price period, such as peak or valley: money per kWh for the energy and for the service, four decimals."""

    id: str
    name: str
    energy: Decimal
    service: Decimal

    @property
    def both(self) -> Decimal:
        """What one kWh costs in all."""
        return self.energy + self.service


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of the day by the local clock, minutes from midnight, end not included."""

    begin_min: int
    end_min: int
    price: str


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the calendar as (year, month, day); year 0 = every year."""

    year: int
    month: int
    day: int


@dataclass(frozen=True, slots=True)
class DayPlan:
    """The stretches of certain days; weekday 0 is Monday. first and last bound it, both included, None = all year.

    They come both with a year or both without; without one, a range may pass the turn of the year. A plan for holidays
    comes before one with dates, that before a plain one; a holiday without a plan of its own is an ordinary day.
    """

    weekdays: frozenset[int]
    holidays: bool
    stretches: tuple[Stretch, ...]
    first: Day | None = None
    last: Day | None = None


@dataclass(frozen=True, slots=True)
class PriceStep:
    """From this energy of a session on, each kWh costs so much more (or less) than its period says."""

    from_wh: int
    energy: Decimal
    service: Decimal


@dataclass(frozen=True, slots=True)
class IdleFee:
    """Price of each full minute in which a car only stands, after grace_s; not more than most_s are billed."""

    per_minute: Decimal
    grace_s: int
    most_s: int


@dataclass(frozen=True, slots=True)
class Tariff:
    """One version of a tariff, immutable once installed. flat_fee is in minor units of the currency.

    `timezone` is the site's: prices go by what a clock at the site shows. Money is rounded half-up line by line to the
    minor unit (ruling 14).
    """

    id: str
    version: int
    valid_from: datetime
    timezone: str
    currency: str
    prices: tuple[Price, ...]
    days: tuple[DayPlan, ...]
    holidays: frozenset[date] = frozenset()
    steps: tuple[PriceStep, ...] = ()
    flat_fee: int = 0
    idle: IdleFee | None = None

    @property
    def digits(self) -> int:
        """Decimal digits of the currency's minor unit."""
        return CURRENCIES[self.currency]

    def price(self, name: str) -> Price:
        """The price period of that id. Raises KeyError where there is none."""
        for price in self.prices:
            if price.id == name:
                return price
        raise KeyError(name)

    @property
    def lowest(self) -> Price:
        """The cheapest period, the first of several: what counts while nobody knows the time."""
        return min(self.prices, key=lambda price: price.both)


class Pin(StrEnum):
    """Which version prices a session: that of its start, or that in force at each price boundary."""

    START = "start"
    BOUNDARY = "boundary"


class Unpriced(StrEnum):
    """What becomes of a start for which no tariff is in force."""

    ALLOW = "allow"
    REFUSE = "refuse"


class Unmetered(StrEnum):
    """What becomes of a start at a connector that no meter bills."""

    ALLOW = "allow"
    REFUSE = "refuse"


class MeterLost(StrEnum):
    """Which sessions end when their meter is lost; the others go on, billed by what it shows once it is back."""

    PAID = "paid"
    ALL = "all"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Pricing:
    """What the site says about tariffs: `default` prices starts that name none; currency None = any is taken.

    unpriced, unmetered and meter_lost are what it does without a price, without a meter, and when that is lost,
    unsigned what it does where a meter does not sign the begin;
    signer: the operator's Ed25519 public key in base64, without whose signature no tariff is taken; None asks for none.
    """

    default: str | None = None
    currency: str | None = None
    pin: Pin = Pin.START
    unpriced: Unpriced = Unpriced.ALLOW
    signer: str | None = None
    unmetered: Unmetered = Unmetered.ALLOW
    meter_lost: MeterLost = MeterLost.PAID
    unsigned: Unsigned = Unsigned.ALLOW


@dataclass(frozen=True, slots=True)
class TariffBook:
    """Every tariff that is known, by id and version."""

    versions: Mapping[tuple[str, int], Tariff] = field(default_factory=dict)

    def find(self, name: str | None, version: int | None) -> Tariff | None:
        """One version."""
        return None if name is None or version is None else self.versions.get((name, version))

    def in_force(self, name: str | None, at: datetime) -> Tariff | None:
        """The highest version of a tariff that is valid at an instant, None where there is none."""
        valid = [t for t in self.versions.values() if t.id == name and t.valid_from <= at]
        return max(valid, key=lambda t: t.version, default=None)

    def next_change(self, name: str, version: int, at: datetime) -> datetime | None:
        """When the next higher version becomes valid after an instant."""
        later = [t.valid_from for t in self.versions.values() if t.id == name and t.version > version]
        return min((moment for moment in later if moment > at), default=None)

    def newest(self, name: str) -> Tariff | None:
        """The highest version of a tariff, valid or not yet."""
        return max((t for t in self.versions.values() if t.id == name), key=lambda t: t.version, default=None)

    def add(self, tariff: Tariff) -> "TariffBook":
        """The book with one more."""
        return TariffBook({**self.versions, (tariff.id, tariff.version): tariff})


def money(value: Decimal) -> str:
    """A price as every outside face writes it: four decimals."""
    return f"{value:.4f}"

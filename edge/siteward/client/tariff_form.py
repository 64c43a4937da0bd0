"""A tariff as SET_TARIFF, a file and the journal write it, read into the model or refused with what to mend."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from siteward.client.messages import wire_key
from siteward.client.tariff_faults import faults
from siteward.control.tariff_data import WEEKDAYS
from siteward.model.currency import CURRENCIES
from siteward.model.errors import SitewardError
from siteward.model.ids import ID_PATTERN
from siteward.model.instants import instant
from siteward.model.tariff import DAY_MIN, Day, DayPlan, IdleFee, Price, PriceStep, Stretch, Tariff

_HIGHEST = Decimal(10_000)
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")
_DATE = re.compile(r"(?:(\d{4})-)?(\d{2})-(\d{2})")
_LEAP_YEAR = 2024
_TOLD_MOST = 20
_LINE_MOST = 240


class BadTariff(SitewardError):
    """What is wrong with a tariff, one line a fault: where, what, and what to write instead."""


def _bad(lines: Iterable[str]) -> BadTariff:
    """The first faults, each in short: they go back over MQTT, and one mistake can make thousands of them."""
    told = list(lines)
    short = [line if len(line) <= _LINE_MOST else f"{line[:_LINE_MOST]} ..." for line in told[:_TOLD_MOST]]
    return BadTariff("\n".join([*short, *([f"and {len(told) - _TOLD_MOST} more"] if len(told) > _TOLD_MOST else ())]))


def _amount(value: object, lowest: Decimal) -> Decimal:
    if isinstance(value, bool | float) or not isinstance(value, str | int | Decimal):
        raise ValueError('write a price as text with a point and at most four decimals, such as "1.2345"')
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError(f'{value!r} is no number; write it like "1.2345"') from None
    if not number.is_finite() or not lowest <= number <= _HIGHEST:
        raise ValueError(f"{value} is out of range; a price lies between {lowest} and {_HIGHEST}")
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -4:
        raise ValueError(f'{value} has {-exponent} decimals; prices have four at most, such as "{number:.4f}"')
    return number.quantize(Decimal("0.0001"))


def _minutes(text: str) -> int:
    if not _TIME.fullmatch(text):
        raise ValueError(f"{text!r} is no time of day; write hh:mm, from 00:00 to 24:00")
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def _day(text: str) -> Day:
    found = _DATE.fullmatch(text)
    try:
        if found is None or found[1] == "0000":
            raise ValueError
        year, month, day = int(found[1] or 0), int(found[2]), int(found[3])
        date(year or _LEAP_YEAR, month, day)
    except ValueError:
        raise ValueError(f"{text!r} is no day; write 10-01 for every year or 2026-10-01 for one") from None
    return Day(year, month, day)


def _instant(value: object) -> datetime:
    """A number would be read as seconds of 1970, and 20261201 priced from that year on. Kept to the millisecond."""
    if not isinstance(value, str):
        raise ValueError("write a time as text, such as 2026-12-01T00:00:00+08:00")
    try:
        moment = datetime.fromisoformat(value)
        moment = moment if moment.tzinfo is None else instant(value, UTC)
    except ValueError:
        raise ValueError(f"{value!r} is no time; write it like 2026-12-01T00:00:00+08:00") from None
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _holiday(value: object) -> date:
    if not isinstance(value, str):
        raise ValueError("write a day as text, such as 2026-10-01")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{value!r} is no day; write it like 2026-10-01") from None


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{text!r} is no time zone; write a name of the IANA list, such as Asia/Shanghai") from None
    return text


def _currency(text: str) -> str:
    if text not in CURRENCIES:
        raise ValueError(f"{text!r} is no currency; write its ISO 4217 code, such as CNY or EUR")
    return text


PriceText = Annotated[Decimal, BeforeValidator(lambda value: _amount(value, Decimal(0)))]
ChangeText = Annotated[Decimal, BeforeValidator(lambda value: _amount(value, -_HIGHEST))]
Instant = Annotated[AwareDatetime, BeforeValidator(_instant)]
Holiday = Annotated[date, BeforeValidator(_holiday)]
Id = Annotated[str, Field(pattern=ID_PATTERN)]


class _Form(BaseModel):
    """Strict: a key that nobody knows may be a price that somebody meant."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=wire_key, populate_by_name=True, defer_build=True
    )


class PriceForm(_Form):
    """A price period: money per kWh."""

    id: Id
    name: str = Field(default="", max_length=64)
    energy_price: PriceText
    service_price: PriceText = Decimal("0.0000")


class StretchForm(_Form):
    """From begin until end the price period holds; the last end of a day is 24:00."""

    begin: str
    end: str
    period: str

    def stretch(self) -> Stretch:
        """The model's."""
        return Stretch(_minutes(self.begin), _minutes(self.end), self.period)


class DayForm(_Form):
    """Which days, and their stretches; `from` and `to` bound them within each year or once."""

    on: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday"], ...] = Field(min_length=1)
    first: str | None = Field(default=None, alias="from")
    last: str | None = Field(default=None, alias="to")
    times: tuple[StretchForm, ...] = Field(min_length=1, max_length=DAY_MIN)

    def plan(self) -> DayPlan:
        """The model's. Raises ValueError for times and dates that are none."""
        if (self.first is None) != (self.last is None):
            raise ValueError("has one of from and to; write both or neither")
        first, last = (None if text is None else _day(text) for text in (self.first, self.last))
        return DayPlan(
            frozenset(WEEKDAYS.index(name) for name in self.on if name != "holiday"),
            "holiday" in self.on,
            tuple(time.stretch() for time in self.times),
            first,
            last,
        )


class StepForm(_Form):
    """From this energy of a session on, each kWh costs so much more or, with a minus, less."""

    from_wh: int = Field(ge=1, le=1_000_000_000)
    energy_price: ChangeText = Decimal("0.0000")
    service_price: ChangeText = Decimal("0.0000")


class IdleForm(_Form):
    """The fee for a car that only stands."""

    price_per_minute: PriceText
    grace_s: int = Field(default=900, ge=0, le=86_400)
    most_s: int = Field(default=28_800, ge=60, le=7 * 86_400)


class TariffForm(_Form):
    """One version of a tariff."""

    tariff_id: Id
    version: int = Field(ge=1, le=2**31 - 1)
    valid_from: Instant
    timezone: Annotated[str, AfterValidator(_zone)]
    currency: Annotated[str, AfterValidator(_currency)]
    periods: tuple[PriceForm, ...] = Field(min_length=1, max_length=96)
    days: tuple[DayForm, ...] = Field(min_length=1, max_length=400)
    holidays: tuple[Holiday, ...] = Field(default=(), max_length=1000)
    steps: tuple[StepForm, ...] = Field(default=(), max_length=20)
    flat_fee: int = Field(default=0, ge=0, le=10_000_000)
    idle: IdleForm | None = None
    rounding: Literal["half_up"] = "half_up"


def read_tariff(document: object) -> Tariff:
    """The tariff that a JSON document stands for. Raises BadTariff with every fault at once."""
    try:
        form = TariffForm.model_validate(document)
    except ValidationError as error:
        raise _bad(_told(error)) from error
    plans, wrong = [], []
    for index, day in enumerate(form.days):
        try:
            plans.append(day.plan())
        except ValueError as error:
            wrong.append(f"days[{index}]: {error}")
    if wrong:
        raise _bad(wrong)
    tariff = _tariff(form, tuple(plans))
    if found := faults(tariff):
        raise _bad(found)
    return tariff


def _tariff(form: TariffForm, plans: tuple[DayPlan, ...]) -> Tariff:
    return Tariff(
        id=form.tariff_id,
        version=form.version,
        valid_from=form.valid_from,
        timezone=form.timezone,
        currency=form.currency,
        prices=tuple(Price(p.id, p.name or p.id, p.energy_price, p.service_price) for p in form.periods),
        days=plans,
        holidays=frozenset(form.holidays),
        steps=tuple(PriceStep(s.from_wh, s.energy_price, s.service_price) for s in form.steps),
        flat_fee=form.flat_fee,
        idle=None if form.idle is None else IdleFee(form.idle.price_per_minute, form.idle.grace_s, form.idle.most_s),
    )


def _told(error: ValidationError) -> Iterator[str]:
    """One line a fault: the place as one would write it, then what is wrong."""
    details = error.errors(include_url=False, include_input=False)
    lists = {detail["loc"][:-1] for detail in details} | {detail["loc"][:-2] for detail in details}
    for detail in details:
        if detail["type"] == "too_short" and detail["loc"] in lists:
            continue  # only what is wrong in the list left it empty
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in detail["loc"]).lstrip(".")
        text = detail["msg"].removeprefix("Value error, ")
        if detail["type"] == "extra_forbidden":
            text = "unknown key; take it out or mend its spelling"
        elif detail["type"] == "missing":
            text = "is missing; add it"
        yield f"{place or 'tariff'}: {text}"


def installed(data: Mapping[str, Any]) -> Tariff:
    """The tariff that tariff.installed carries beside who installed it. Raises BadTariff."""
    keys = {info.alias or name for name, info in TariffForm.model_fields.items()}
    return read_tariff({key: value for key, value in data.items() if key in keys})

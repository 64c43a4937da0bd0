"""Parameters of commands: read from JSON types, range-checked, refused by the name of the field that is wrong."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from reprlib import repr as shorten

from siteward.model.errors import SitewardError
from siteward.model.ids import OrderId, SessionId, is_id
from siteward.model.instants import instant
from siteward.model.limits import OnLimitExpiry
from siteward.model.requests import Request
from siteward.model.site import Connector

WAIT_FOR_VEHICLE_S = 120.0
"""How long a start waits for a car unless its params say."""

WAIT_BOUNDS = ("waitForVehicle_s", 0, 900)
"""The parameter that says so, with its bounds in s."""

_TIME_OF_DAY = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_CAPITAL = re.compile("[A-Z]")
_MOST_A = 10_000.0
_MOST_W = 10_000_000.0
_MOST_AMOUNT = 100_000_000
_BEYOND = 1e300
_YEARS = range(1970, 2200)
"""Departures that the clocks of every zone can show; the calendar ends in some before it ends in others."""


class BadParam(SitewardError):
    """A parameter is missing or out of range; the text names the field, the value and what is allowed.

    Never leaves the judging of a command: it becomes a rejection with BAD_PARAMS.
    """


@dataclass(frozen=True, slots=True)
class StartParams:
    """What bounds a session: None = nothing does. max_current_a already joins current and power.

    max_amount is in minor units of the tariff's currency; token is whom the start is for.
    """

    max_energy_wh: int | None
    max_time_s: int | None
    max_amount: int | None
    max_current_a: float | None
    departs_at: datetime | None
    wanted_wh: int | None
    phase_switching: bool
    wait_s: float
    tariff: str | None = None
    token: str | None = None


@dataclass(frozen=True, slots=True)
class StopParams:
    """The session that a stop names, by id, by order, or by both."""

    session: SessionId | None
    order: OrderId | None


@dataclass(frozen=True, slots=True)
class LimitParams:
    """A limit as asked for: exactly one of amps and watts."""

    limit_a: float | None
    limit_w: float | None
    valid_until: datetime | None
    on_expiry: OnLimitExpiry | None
    failsafe_a: float | None
    grid: bool


def start_params(request: Request, connector: Connector, phase_voltage_v: float, zone: tzinfo) -> StartParams:
    """Read START_CHARGE; `zone` is the site's, for times that name none. Raises BadParam."""
    params = request.params or {}
    energy = number_param(params, "maxEnergy_wh", 1, 10_000_000)
    time_s = number_param(params, "maxTime_s", 60, 2_592_000)
    amount = number_param(params, "maxAmount", 1, _MOST_AMOUNT)
    if amount is not None and amount != int(amount):
        raise BadParam(f"maxAmount: {amount:g} is no whole number of minor units")
    wait = number_param(params, *WAIT_BOUNDS)
    token = name_param(params, "token")
    departs_at = _departure(params, request.received_wall, zone)
    wanted = number_param(params, "wantedEnergy_wh", 1, 10_000_000)
    if (departs_at is None) != (wanted is None):
        raise BadParam("departsAt: give departsAt and wantedEnergy_wh together, or neither")
    return StartParams(
        max_energy_wh=None if energy is None else int(energy),
        max_time_s=None if time_s is None else int(time_s),
        max_amount=None if amount is None else int(amount),
        max_current_a=_max_current(params, connector, phase_voltage_v),
        departs_at=departs_at,
        wanted_wh=None if wanted is None else int(wanted),
        phase_switching=_flag(params, "phaseSwitching"),
        wait_s=WAIT_FOR_VEHICLE_S if wait is None else wait,
        tariff=name_param(params, "tariffId"),
        token=None if token is None else token.upper(),
    )


def _departure(params: Mapping[str, object], now: datetime, zone: tzinfo) -> datetime | None:
    """When the car leaves: an instant, a local time of the site, or HH:MM = the next time its clocks show that."""
    value = params.get("departsAt")
    if value is None:
        return None
    time_of_day = _TIME_OF_DAY.fullmatch(str(value))
    if time_of_day is not None:
        return _next(int(time_of_day[1]), int(time_of_day[2]), now, zone)
    moment = _read_moment("departsAt", value, zone)
    if moment.year not in _YEARS:
        raise BadParam(f"departsAt: {value} is outside the years {_YEARS[0]} to {_YEARS[-1]}")
    if moment <= now:
        local = f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"
        raise BadParam(f"departsAt: {local} lies in the past, it is {now.astimezone(zone):%Y-%m-%d %H:%M} ({zone})")
    return moment


def _next(hour: int, minute: int, now: datetime, zone: tzinfo) -> datetime:
    """The first instant after now at which clocks of the zone show this time; a night may skip it or show it twice."""
    today = now.astimezone(zone).replace(hour=hour, minute=minute, second=0, microsecond=0)
    shown = ((today + timedelta(days=days)).replace(fold=fold).astimezone(UTC) for days in (0, 1, 2) for fold in (0, 1))
    return next(moment for moment in shown if moment > now and _clock(moment.astimezone(zone)) == (hour, minute))


def _clock(moment: datetime) -> tuple[int, int]:
    return moment.hour, moment.minute


def _max_current(params: Mapping[str, object], connector: Connector, phase_voltage_v: float) -> float | None:
    current = number_param(params, "maxCurrent_a", connector.least_a, _MOST_A)
    floor_w = connector.least_a / connector.legal_amps(1.0, phase_voltage_v)
    power = number_param(params, "maxPower_w", floor_w, _MOST_W)
    if power is None:
        return current
    by_power = connector.legal_amps(power, phase_voltage_v)
    return by_power if current is None else min(current, by_power)


def stop_params(request: Request) -> StopParams:
    """Read STOP_CHARGE: params.sessionId, params.orderId or the command's own orderId. Raises BadParam."""
    params = request.params or {}
    session = name_param(params, "sessionId")
    order = name_param(params, "orderId")
    if order is not None and request.order is not None and order != request.order:
        raise BadParam("orderId: params and command name different orders")
    order = order or request.order
    if session is None and order is None:
        raise BadParam("sessionId: name the session or the order to stop")
    return StopParams(SessionId(session) if session else None, OrderId(order) if order else None)


def limit_params(request: Request) -> LimitParams:
    """Read LIMIT_POWER. Raises BadParam."""
    params = request.params or {}
    amps = number_param(params, "limit_a", 0, _MOST_A)
    watts = number_param(params, "limit_w", 0, _MOST_W)
    if (amps is None) == (watts is None):
        raise BadParam("limit_a: give exactly one of limit_a and limit_w")
    group = params.get("class")
    if group not in (None, "grid"):
        raise BadParam(f"class: {group!r} is not grid")
    return LimitParams(
        limit_a=amps,
        limit_w=watts,
        valid_until=_moment(params, "validUntil"),
        on_expiry=_on_expiry(params, group == "grid"),
        failsafe_a=number_param(params, "failsafe_a", 0, _MOST_A),
        grid=group == "grid",
    )


def report_params(request: Request) -> int | None:
    """Read REPORT_NOW: the sequence number to send again from, or None. Raises BadParam."""
    seq = number_param(request.params or {}, "fromSeq", 0, 2**63 - 1)
    return None if seq is None else int(seq)


def _on_expiry(params: Mapping[str, object], grid: bool) -> OnLimitExpiry | None:
    value = params.get("onExpiry")
    if value is None:
        return None
    if value not in list(OnLimitExpiry):
        raise BadParam(f"onExpiry: {value!r} is none of {', '.join(OnLimitExpiry)}")
    if grid and value == OnLimitExpiry.RELEASE:
        raise BadParam("onExpiry: a grid limit is never released by its end; use keep or failsafe")
    return OnLimitExpiry(str(value))


def number_param(params: Mapping[str, object], name: str, low: float, high: float) -> float | None:
    """A number within bounds; `maxEnergy_wh` may be spelt `max_energy_wh`, for a bound must never be overlooked.

    Raises BadParam.
    """
    value = params.get(name, params.get(_CAPITAL.sub(lambda found: "_" + found[0].lower(), name)))
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_BEYOND < value < _BEYOND:
        raise BadParam(f"{name}: {shorten(value)} is no number")
    if not low <= value <= high:
        raise BadParam(f"{name}: {value:g} is outside {low:g}..{high:g}")
    return value


def _flag(params: Mapping[str, object], name: str) -> bool:
    value = params.get(name, False)
    if not isinstance(value, bool):
        raise BadParam(f"{name}: {value!r} is neither true nor false")
    return value


def name_param(params: Mapping[str, object], name: str) -> str | None:
    """An id, None where it was not given. Raises BadParam."""
    value = params.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not is_id(value):
        raise BadParam(f"{name}: {value!r} is no id")
    return value


def words_param(params: Mapping[str, object], name: str, most: int) -> str:
    """What somebody wrote in one line of at most so many characters, "" where nothing was given. Raises BadParam."""
    value = params.get(name, "")
    if not isinstance(value, str) or len(value.strip()) > most or not value.isprintable():
        raise BadParam(f"{name}: at most {most} characters in one line")
    return value.strip()


def _moment(params: Mapping[str, object], name: str) -> datetime | None:
    value = params.get(name)
    return None if value is None else _read_moment(name, value, UTC)


def _read_moment(name: str, value: object, zone: tzinfo) -> datetime:
    """An instant; a time without an offset is one of the zone."""
    try:
        return instant(str(value), zone)
    except ValueError as error:
        raise BadParam(f"{name}: {value!r} is no time of RFC 3339") from error

"""A tariff in JSON types, as tariff.installed carries it and SET_TARIFF and files write it."""

from datetime import UTC

from siteward.model.tariff import Day, DayPlan, Tariff, money

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def tariff_data(tariff: Tariff) -> dict[str, object]:
    """The whole document; siteward.client.tariff_form reads the same tariff out of it again."""
    data: dict[str, object] = {
        "tariffId": tariff.id,
        "version": tariff.version,
        "validFrom": tariff.valid_from.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "timezone": tariff.timezone,
        "currency": tariff.currency,
        "periods": [
            {"id": p.id, "name": p.name, "energyPrice": money(p.energy), "servicePrice": money(p.service)}
            for p in tariff.prices
        ],
        "days": [_plan(plan) for plan in tariff.days],
        "rounding": "half_up",
    }
    if tariff.holidays:
        data["holidays"] = sorted(day.isoformat() for day in tariff.holidays)
    if tariff.steps:
        data["steps"] = [
            {"from_wh": s.from_wh, "energyPrice": money(s.energy), "servicePrice": money(s.service)}
            for s in tariff.steps
        ]
    if tariff.flat_fee:
        data["flatFee"] = tariff.flat_fee
    if tariff.idle is not None:
        idle = tariff.idle
        data["idle"] = {"pricePerMinute": money(idle.per_minute), "grace_s": idle.grace_s, "most_s": idle.most_s}
    return data


def _plan(plan: DayPlan) -> dict[str, object]:
    days = [WEEKDAYS[day] for day in sorted(plan.weekdays)] + (["holiday"] if plan.holidays else [])
    data: dict[str, object] = {
        "on": days,
        "times": [{"begin": clock(s.begin_min), "end": clock(s.end_min), "period": s.price} for s in plan.stretches],
    }
    if plan.first is not None and plan.last is not None:
        data |= {"from": _day(plan.first), "to": _day(plan.last)}
    return data


def clock(minute: int) -> str:
    """A minute of the day as hh:mm; the last one's end is 24:00."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _day(day: Day) -> str:
    text = f"{day.month:02d}-{day.day:02d}"
    return f"{day.year:04d}-{text}" if day.year else text

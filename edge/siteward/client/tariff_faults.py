"""What no single field of a tariff shows: gaps and overlaps of the day and of the year, names that lead nowhere."""

from collections.abc import Iterator
from datetime import date
from itertools import combinations, pairwise

from siteward.control.tariff import rank, within
from siteward.control.tariff_data import WEEKDAYS, clock
from siteward.model.tariff import DAY_MIN, DayPlan, Tariff

_LEAP_YEAR = 2024


def faults(tariff: Tariff) -> tuple[str, ...]:
    """Every fault, as a line that says where, what, and how to mend it; empty for a sound tariff."""
    return (*_prices(tariff), *_days(tariff), *_week(tariff), *_doubled(tariff), *_steps(tariff))


def _prices(tariff: Tariff) -> Iterator[str]:
    seen: set[str] = set()
    for index, price in enumerate(tariff.prices):
        if price.id in seen:
            yield f"periods[{index}].id: '{price.id}' is used twice; give each price period its own id"
        seen.add(price.id)


def _days(tariff: Tariff) -> Iterator[str]:
    known = {price.id for price in tariff.prices}
    for index, plan in enumerate(tariff.days):
        for fault in _stretches(plan, known):
            yield f"days[{index}].times: {fault}"
        if plan.first is None or plan.last is None:
            continue
        if (plan.first.year == 0) != (plan.last.year == 0):
            yield f"days[{index}]: one of from and to has a year; write both with it or both without"
        elif plan.first.year and not _ordered(plan):
            yield f"days[{index}]: to lies before from; exchange them"


def _ordered(plan: DayPlan) -> bool:
    first, last = plan.first, plan.last
    if first is None or last is None:
        return True
    return (first.year, first.month, first.day) <= (last.year, last.month, last.day)


def _stretches(plan: DayPlan, known: set[str]) -> Iterator[str]:
    """A day's stretches must follow each other from 00:00 to 24:00."""
    first, last = plan.stretches[0], plan.stretches[-1]
    if first.begin_min != 0:
        yield f"nothing has a price from 00:00 to {clock(first.begin_min)}; begin the first stretch at 00:00"
    for stretch in plan.stretches:
        if stretch.end_min <= stretch.begin_min:
            yield (
                f"{clock(stretch.begin_min)} to {clock(stretch.end_min)} does not go forward; "
                "split a stretch over midnight at 24:00 and 00:00"
            )
        if stretch.price not in known:
            yield f"'{stretch.price}' is no price period; the periods are {', '.join(sorted(known))}"
    for one, other in pairwise(plan.stretches):
        if other.begin_min > one.end_min:
            yield f"nothing has a price from {clock(one.end_min)} to {clock(other.begin_min)}; close the gap"
        if other.begin_min < one.end_min:
            yield (
                f"two prices from {clock(other.begin_min)} to {clock(one.end_min)}; "
                f"let the second stretch begin at {clock(one.end_min)}, and write them in the order of the day"
            )
    if last.end_min != DAY_MIN:
        yield f"nothing has a price from {clock(last.end_min)} to 24:00; let the last stretch end at 24:00"


def _week(tariff: Tariff) -> Iterator[str]:
    """Without dates there must be a plan for each weekday, so that no day of any year is without a price."""
    plain = [plan for plan in tariff.days if plan.first is None]
    missing = [name for index, name in enumerate(WEEKDAYS) if not any(index in plan.weekdays for plan in plain)]
    if missing:
        yield f"days: no plan without dates covers {', '.join(missing)}; add one, it holds where no other does"


def _doubled(tariff: Tariff) -> Iterator[str]:
    """Two plans of the same rank must not meet on a day."""
    for (index, one), (other_index, other) in combinations(enumerate(tariff.days), 2):
        both = [WEEKDAYS[day] for day in sorted(one.weekdays & other.weekdays)]
        if one.holidays and other.holidays:
            both.append("holidays")
        if both and rank(one, False) == rank(other, False) and _meet(one, other):
            days = ", ".join(both)
            yield f"days[{other_index}]: {days} also stand in days[{index}] for the same dates; keep one of them"


def _meet(one: DayPlan, other: DayPlan) -> bool:
    """Whether the dates of two plans of the same rank have a day in common; both ends are the only places to look."""
    return any(within(one, day) for day in _ends(other)) or any(within(other, day) for day in _ends(one))


def _ends(plan: DayPlan) -> list[date]:
    if plan.first is None or plan.last is None:
        return [date(_LEAP_YEAR, 1, 1)]
    return [date(day.year or _LEAP_YEAR, day.month, day.day) for day in (plan.first, plan.last)]


def _steps(tariff: Tariff) -> Iterator[str]:
    for one, other in pairwise(tariff.steps):
        if other.from_wh <= one.from_wh:
            yield f"steps: {other.from_wh} Wh follows {one.from_wh} Wh; write the steps in rising order"
    for index, step in enumerate(tariff.steps):
        for price in tariff.prices:
            if price.energy + step.energy < 0 or price.service + step.service < 0:
                yield f"steps[{index}]: makes the price of '{price.id}' negative; lower the reduction"

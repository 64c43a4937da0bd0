"""What a timetable allows at an instant of the site's local clock, daylight saving included (B15, R15)."""

from collections.abc import Iterable, Set
from datetime import datetime, tzinfo

from siteward.model.rules import Schedule
from siteward.model.units import PerPhase


def allowed(schedule: Schedule, wall: datetime, zone: tzinfo) -> PerPhase | None:
    """The lowest of the periods that hold at a UTC instant, else what holds outside them; None = no limit.

    Periods go by what a clock on the wall shows: one that lies in the hour which spring leaves out does not come that
    day, one in the hour which autumn shows twice holds in both.
    """
    local = wall.astimezone(zone)
    day, minute = local.weekday(), local.hour * 60 + local.minute
    holding = (p.limit_a for p in schedule.periods if _holds(p.days, p.begin_min, p.end_min, day, minute))
    return lowest(holding) or schedule.otherwise_a


def within(days: Set[int], begin_min: int, end_min: int, wall: datetime, zone: tzinfo) -> bool:
    """Whether a share of the week holds at a UTC instant, by the site's local clock."""
    local = wall.astimezone(zone)
    return _holds(days, begin_min, end_min, local.weekday(), local.hour * 60 + local.minute)


def _holds(days: Set[int], begin_min: int, end_min: int, day: int, minute: int) -> bool:
    if begin_min < end_min:
        return day in days and begin_min <= minute < end_min
    today = day in days and minute >= begin_min
    return today or ((day - 1) % 7 in days and minute < end_min)


def worst(schedule: Schedule) -> PerPhase | None:
    """The lowest value of all, which counts while nobody knows the time (R15)."""
    values = [p.limit_a for p in schedule.periods]
    return lowest([*values, schedule.otherwise_a] if schedule.otherwise_a is not None else values)


def lowest(values: Iterable[PerPhase]) -> PerPhase | None:
    """The minimum of each phase; None of nothing."""
    found: PerPhase | None = None
    for value in values:
        found = value if found is None else (min(found[0], value[0]), min(found[1], value[1]), min(found[2], value[2]))
    return found

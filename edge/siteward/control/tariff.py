"""Which price holds at an instant of the site's local clock and until when, daylight saving included (B24, S-19)."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo

from siteward.model.tariff import DAY_MIN, Day, DayPlan, Price, Tariff

SEARCH_DAYS = 32
"""How far ahead a change of price is looked for; where none comes, this is when to look again."""


def price_at(tariff: Tariff, wall: datetime, zone: tzinfo) -> Price:
    """The price period that holds at a UTC instant.

    As with timetables of limits it goes by what a clock on the wall shows: a stretch inside the hour that spring leaves
    out does not come that day, one inside the hour that autumn shows twice holds in both.
    """
    local = wall.astimezone(zone)
    minute = local.hour * 60 + local.minute
    plan = plan_of(tariff, local.date())
    for stretch in plan.stretches:
        if stretch.begin_min <= minute < stretch.end_min:
            return tariff.price(stretch.price)
    return tariff.price(plan.stretches[-1].price)


def plan_of(tariff: Tariff, day: date) -> DayPlan:
    """The plan of a day; whoever made the tariff has checked that every day has one."""
    holiday = day in tariff.holidays
    fits = [plan for plan in tariff.days if _fits(plan, day, holiday)]
    return max(fits, key=lambda plan: rank(plan, holiday))


def rank(plan: DayPlan, holiday: bool) -> tuple[bool, int]:
    """Of several plans that fit a day the higher one holds: of holidays, then with a year, then with dates."""
    dated = 0 if plan.first is None else (1 if plan.first.year == 0 else 2)
    return holiday and plan.holidays, dated


def _fits(plan: DayPlan, day: date, holiday: bool) -> bool:
    return within(plan, day) and (day.weekday() in plan.weekdays or (holiday and plan.holidays))


def within(plan: DayPlan, day: date) -> bool:
    """Whether a day lies in the plan's dates."""
    first, last = plan.first, plan.last
    if first is None or last is None:
        return True
    if first.year:
        return _key(first) <= (day.year, day.month, day.day) <= _key(last)
    begin, end, now = (first.month, first.day), (last.month, last.day), (day.month, day.day)
    return begin <= now <= end if begin <= end else now >= begin or now <= end


def _key(day: Day) -> tuple[int, int, int]:
    return day.year, day.month, day.day


def next_boundary(tariff: Tariff, wall: datetime, zone: tzinfo) -> datetime | None:
    """The first instant after a UTC instant at which another period holds; None: one period holds for ever."""
    if len(tariff.prices) == 1:
        return None
    now = price_at(tariff, wall, zone).id
    day = wall.astimezone(zone).date()
    for ahead in range(SEARCH_DAYS):
        for moment in _marks(tariff, day + timedelta(days=ahead), zone):
            if moment > wall and price_at(tariff, moment, zone).id != now:
                return moment
    return wall + timedelta(days=SEARCH_DAYS)


def _marks(tariff: Tariff, day: date, zone: tzinfo) -> list[datetime]:
    """Instants of a local day, in order, at which the price can change: begins of stretches and the clock's steps."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    marks = set(_steps(midnight.astimezone(UTC), (midnight + timedelta(days=1)).astimezone(UTC), zone))
    for stretch in plan_of(tariff, day).stretches:
        if stretch.begin_min < DAY_MIN:
            hour, minute = divmod(stretch.begin_min, 60)
            local = midnight.replace(hour=hour, minute=minute)
            # An hour that comes twice begins twice; of one that never comes both readings are only further candidates.
            marks |= {local.replace(fold=fold).astimezone(UTC) for fold in (0, 1)}
    return sorted(marks)


def _steps(low: datetime, high: datetime, zone: tzinfo) -> Iterator[datetime]:
    """The instant within a local day at which the zone's offset changes, to the second."""
    before = low.astimezone(zone).utcoffset()
    if high.astimezone(zone).utcoffset() == before:
        return
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    yield high

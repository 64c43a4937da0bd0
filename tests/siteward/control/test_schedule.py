"""B15, S-22, R15: a timetable follows the clock on the wall, daylight saving included, or its lowest value."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siteward.control.schedule import allowed, lowest, worst
from siteward.model.rules import Period, Schedule
from siteward.model.units import PerPhase

BERLIN = ZoneInfo("Europe/Berlin")
EVERY_DAY = frozenset(range(7))
LOW, HIGH = (10.0, 10.0, 10.0), (50.0, 50.0, 50.0)


def minutes(schedule: Schedule, begin: datetime, hours: int, zone: ZoneInfo = BERLIN) -> int:
    """Minutes within so many hours of true time in which the low value holds."""
    steps = (begin + timedelta(minutes=n) for n in range(hours * 60))
    return sum(allowed(schedule, at, zone) == LOW for at in steps)


@pytest.mark.parametrize(
    ("day", "begin", "end", "held"),
    [
        (datetime(2026, 3, 28, 23, tzinfo=UTC), 120, 180, 0),
        (datetime(2026, 3, 28, 23, tzinfo=UTC), 90, 210, 60),
        (datetime(2026, 10, 24, 22, tzinfo=UTC), 150, 165, 30),
        (datetime(2026, 10, 24, 22, tzinfo=UTC), 60, 240, 240),
        (datetime(2026, 6, 1, 22, tzinfo=UTC), 60, 240, 180),
        (datetime(2026, 6, 1, 22, tzinfo=UTC), 1320, 360, 480),
        (datetime(2026, 6, 1, 22, tzinfo=UTC), 0, 1440, 1440),
        (datetime(2026, 6, 1, 22, tzinfo=UTC), 300, 300, 1440),
    ],
)
def test_a_period_holds_while_the_wall_clock_shows_it(day: datetime, begin: int, end: int, held: int) -> None:
    """B15: in the hour that spring leaves out never, in the one that autumn shows twice both times."""
    schedule = Schedule((Period(EVERY_DAY, begin, end, LOW),), HIGH)
    assert minutes(schedule, day, 25 if day.month == 10 else 23 if day.month == 3 else 24) == held


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    """B15: Friday night lasts into Saturday, Thursday night does not begin."""
    schedule = Schedule((Period(frozenset({4}), 22 * 60, 6 * 60, LOW),))
    friday = datetime(2026, 1, 9, tzinfo=UTC)
    assert [allowed(schedule, friday + timedelta(hours=h), UTC) for h in (5, 21, 22, 29, 30)] == [
        None,
        None,
        LOW,
        LOW,
        None,
    ]


AMPS = st.tuples(*[st.floats(0, 100)] * 3)
PERIOD = st.builds(
    Period, st.frozensets(st.integers(0, 6), min_size=1), st.integers(0, 1439), st.integers(0, 1440), AMPS
)
SCHEDULE = st.builds(Schedule, st.lists(PERIOD, min_size=1, max_size=4).map(tuple), AMPS | st.none())
INSTANT = st.integers(0, 525_600).map(lambda minute: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute))
ZONES = st.sampled_from(["Europe/Berlin", "Asia/Shanghai", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu"])


@given(SCHEDULE, INSTANT, ZONES.map(ZoneInfo))
def test_nothing_is_ever_allowed_below_the_lowest_value(schedule: Schedule, wall: datetime, zone: ZoneInfo) -> None:
    """R15: what counts while the clock is lost is never more than what any time would have given."""
    now, floor = allowed(schedule, wall, zone), worst(schedule)
    assert floor is not None
    assert now is None or all(a >= b for a, b in zip(now, floor, strict=True))


@given(PERIOD, INSTANT, ZONES.map(ZoneInfo))
def test_a_period_is_what_its_words_say(period: Period, wall: datetime, zone: ZoneInfo) -> None:
    """B15: brute force over the local minutes of a week, written down from begin to end."""
    local = wall.astimezone(zone)
    length = (period.end_min - period.begin_min) % 1440 or 1440
    marked = {(day * 1440 + period.begin_min + n) % (7 * 1440) for day in period.days for n in range(length)}
    now = local.weekday() * 1440 + local.hour * 60 + local.minute
    assert (allowed(Schedule((period,)), wall, zone) is not None) == (now in marked)


@given(st.lists(AMPS, max_size=5))
def test_the_lowest_counts_phase_by_phase(values: list[PerPhase]) -> None:
    """I14: limits compose by minimum."""
    found = lowest(values)
    assert (found is None) == (not values)
    assert found is None or found == tuple(min(v[p] for v in values) for p in range(3))

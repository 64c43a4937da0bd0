"""S-19, S-77, B24: which price holds when, by the clock on the wall, in both nights in which that clock is moved."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siteward.client.tariff_form import read_tariff
from siteward.control.tariff import SEARCH_DAYS, next_boundary, price_at
from siteward.control.tariff_data import tariff_data
from siteward.model.tariff import TariffBook
from tests.fixtures.tariffs import EVERY_DAY, depot, tariff, times, two

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")


def local(zone: ZoneInfo, *parts: int, fold: int = 0) -> datetime:
    year, month, day, hour, minute = (*parts, 0, 0)[:5]
    return datetime(year, month, day, hour, minute, tzinfo=zone, fold=fold).astimezone(UTC)


def whole_day(name: str) -> list[dict[str, str]]:
    return times(("00:00", "24:00", name))


@pytest.mark.parametrize(
    ("hour", "minute", "period"),
    [(0, 0, "valley"), (7, 59, "valley"), (8, 0, "peak"), (18, 29, "flat"), (18, 30, "sharp"), (23, 59, "flat")],
)
def test_a_period_holds_from_its_begin_to_before_its_end(hour: int, minute: int, period: str) -> None:
    """S-19."""
    assert price_at(tariff(), local(SHANGHAI, 2026, 7, 1, hour, minute), SHANGHAI).id == period


def test_boundaries_follow_each_other_through_the_day() -> None:
    """B24."""
    at = local(SHANGHAI, 2026, 7, 1)
    seen = []
    for _ in range(6):
        found = next_boundary(tariff(), at, SHANGHAI)
        assert found is not None
        at = found
        seen.append((at.astimezone(SHANGHAI).strftime("%d %H:%M"), price_at(tariff(), at, SHANGHAI).id))
    assert seen == [
        ("01 08:00", "peak"),
        ("01 11:00", "flat"),
        ("01 18:30", "sharp"),
        ("01 20:00", "flat"),
        ("02 00:00", "valley"),
        ("02 08:00", "peak"),
    ]


def test_one_price_has_no_boundary_and_a_far_one_is_looked_for_again() -> None:
    """B24: what comes later than the search goes is looked for when that is over."""
    flat = depot(
        periods=[{"id": "all", "energyPrice": "1"}], days=[{"on": EVERY_DAY, "times": times(("00:00", "24:00", "all"))}]
    )
    at = local(SHANGHAI, 2026, 1, 1)
    assert next_boundary(tariff(flat), at, SHANGHAI) is None
    summer = depot(
        days=[
            {"on": EVERY_DAY, "times": times(("00:00", "24:00", "flat"))},
            {"on": EVERY_DAY, "from": "07-01", "to": "08-31", "times": times(("00:00", "24:00", "sharp"))},
        ]
    )
    assert next_boundary(tariff(summer), at, SHANGHAI) == at + timedelta(days=SEARCH_DAYS)
    found = next_boundary(tariff(summer), local(SHANGHAI, 2026, 6, 15), SHANGHAI)
    assert found == local(SHANGHAI, 2026, 7, 1)


def test_a_holiday_comes_before_dates_and_dates_before_the_plain_week() -> None:
    """S-77: holidays, date ranges, one single day, and a range over the turn of the year."""
    read = tariff(
        depot(
            holidays=["2026-10-01", "2026-07-04"],
            days=[
                {"on": EVERY_DAY, "times": whole_day("flat")},
                {"on": EVERY_DAY, "from": "07-01", "to": "08-31", "times": whole_day("sharp")},
                {"on": EVERY_DAY, "from": "2026-08-01", "to": "2026-08-01", "times": whole_day("peak")},
                {"on": ["holiday"], "times": whole_day("valley")},
            ],
        )
    )
    noon = {
        day: price_at(read, local(SHANGHAI, *map(int, day.split("-")), 12), SHANGHAI).id
        for day in ("2026-06-30", "2026-07-01", "2026-08-01", "2026-08-02", "2026-10-01", "2026-07-04", "2026-10-02")
    }
    assert list(noon.values()) == ["flat", "sharp", "peak", "sharp", "valley", "valley", "flat"]
    winter = depot(
        days=[
            {"on": EVERY_DAY, "times": whole_day("flat")},
            {"on": EVERY_DAY, "from": "12-15", "to": "01-15", "times": whole_day("peak")},
        ]
    )
    months = [
        price_at(tariff(winter), local(SHANGHAI, 2026, *day, 12), SHANGHAI).id for day in ((1, 15), (1, 16), (12, 15))
    ]
    assert months == ["peak", "flat", "peak"]


@pytest.mark.parametrize(
    ("day", "begin", "end", "minutes"),
    [
        ((2026, 3, 28, 12), "02:00", "03:00", 0),
        ((2026, 3, 28, 12), "01:30", "03:30", 60),
        ((2026, 10, 24, 12), "02:00", "03:00", 120),
        ((2026, 10, 24, 12), "02:30", "02:45", 30),
        ((2026, 6, 1, 12), "01:00", "04:00", 180),
    ],
)
def test_boundaries_count_what_the_clock_on_the_wall_shows(
    day: tuple[int, ...], begin: str, end: str, minutes: int
) -> None:
    """Fault 59: the hour left out is never billed as itself, the hour shown twice is billed as itself both times."""
    read = tariff(two("Europe/Berlin", begin, end))
    at, until = local(BERLIN, *day), local(BERLIN, *day) + timedelta(hours=24)
    shown = timedelta()
    while at < until:
        found = next_boundary(read, at, BERLIN)
        assert found is not None
        if price_at(read, at, BERLIN).id == "day":
            shown += min(found, until) - at
        at = found
    assert shown == timedelta(minutes=minutes)


@given(
    st.integers(0, 3 * 365 * 24 * 60),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Shanghai", "Africa/Casablanca"]),
    st.lists(st.integers(1, 1439), min_size=1, max_size=6, unique=True),
)
def test_no_price_changes_between_two_boundaries(after_min: int, name: str, cuts: list[int]) -> None:
    """Fault 59, S-19: until the next boundary one period holds in every minute, and at it another one does."""
    zone = ZoneInfo(name)
    marks = ["00:00", *(f"{m // 60:02d}:{m % 60:02d}" for m in sorted(cuts)), "24:00"]
    stretches = [(b, e, ("day", "night")[i % 2]) for i, (b, e) in enumerate(pairwise(marks))]
    read = tariff(two(name, days=[{"on": EVERY_DAY, "times": times(*stretches)}]))
    begin = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=after_min)
    found = next_boundary(read, begin, zone)
    assert found is not None
    held = price_at(read, begin, zone).id
    minute = begin
    while minute < found:
        assert price_at(read, minute, zone).id == held
        minute += timedelta(minutes=1)
    assert price_at(read, found, zone).id != held


def test_a_document_survives_the_journal() -> None:
    """S-15: what tariff.installed carries is read as the same tariff again."""
    rich = tariff(
        depot(
            holidays=["2026-10-01"],
            flatFee=150,
            idle={"pricePerMinute": "0.5", "grace_s": 600, "most_s": 3600},
            steps=[{"from_wh": 20000, "energyPrice": "-0.1000"}],
            days=[
                {"on": [*EVERY_DAY, "holiday"], "times": times(("00:00", "24:00", "flat"))},
                {"on": ["sat"], "from": "2026-08-01", "to": "2026-08-31", "times": times(("00:00", "24:00", "peak"))},
            ],
        )
    )
    assert read_tariff(tariff_data(rich)) == rich


def test_a_book_knows_what_is_in_force_and_what_comes_next() -> None:
    """S-17: prefetched versions come into force by themselves."""
    first, second = tariff(), tariff(depot(version=2, validFrom="2026-07-01T00:00:00+08:00"))
    book = TariffBook().add(second).add(first)
    june, july = local(SHANGHAI, 2026, 6, 30), local(SHANGHAI, 2026, 7, 1)
    assert book.in_force("SZ-TOU", june) == first
    assert book.in_force("SZ-TOU", july) == second
    assert book.in_force("SZ-TOU", local(SHANGHAI, 2025, 1, 1)) is None
    assert book.in_force("other", july) is None
    assert book.next_change("SZ-TOU", 1, june) == july
    assert book.next_change("SZ-TOU", 2, june) is None
    assert book.newest("SZ-TOU") == second
    assert first.lowest.id == "valley"


@pytest.mark.parametrize(
    ("day", "step"),
    [((2026, 3, 29), (2026, 3, 29, 1)), ((2026, 10, 25), (2026, 10, 25, 1))],
)
def test_the_step_of_the_clock_is_a_boundary_where_the_price_differs_across_it(
    day: tuple[int, ...], step: tuple[int, ...]
) -> None:
    """Fault 59: 02:30 never comes in spring and comes twice in autumn; the price changes at the step itself."""
    read = tariff(two("Europe/Berlin", "02:30", "05:00"))
    at, found = local(BERLIN, *day), []
    while at < local(BERLIN, *day, 4):
        boundary = next_boundary(read, at, BERLIN)
        assert boundary is not None
        found.append(boundary)
        at = boundary
    assert datetime(*step, tzinfo=UTC) in found  # type: ignore[misc]

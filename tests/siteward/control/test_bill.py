"""S-18, S-78, ruling 14: exact lines, each rounded half-up, the total their sum; steps, fees and idle time."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siteward.control.bill import bill_data, idle_minutes, make_bill, rounded
from siteward.model.bill import Bill, Cut, LineKind, Segment
from siteward.model.tariff import TariffBook
from tests.fixtures.tariffs import depot, tariff

T0 = datetime(2026, 7, 1, tzinfo=UTC)
BOOK = TariffBook()


def segments(*parts: tuple[str | None, int], version: int = 1, guessed_wh: int = 0) -> list[Segment]:
    """Segments one after the other, an hour each."""
    found, wh = [], 1000
    for index, (period, energy_wh) in enumerate(parts):
        begin = T0 + timedelta(hours=index)
        name = None if period is None else "SZ-TOU"
        found.append(
            Segment(
                begin,
                begin + timedelta(hours=1),
                wh,
                wh + energy_wh,
                "m",
                period,
                name,
                version,
                guessed_wh,
                False,
                Cut.PRICE,
            )
        )
        wh += energy_wh
    return found


def lines(bill: Bill) -> list[tuple[str, str | None, int, int]]:
    return [(line.kind.value, line.period, line.energy_wh or line.minutes, line.amount) for line in bill.lines]


def test_fee_is_energy_times_price_plus_service_fee() -> None:
    """S-18: 12.345 kWh at 1.1009 and 0.6000, 7.001 kWh at 0.7007 and 0.6000."""
    bill = make_bill(tariff(), segments(("peak", 12_345), ("flat", 7_001)), 0, BOOK)
    assert lines(bill) == [
        ("energy", "peak", 12_345, 1359),
        ("service", "peak", 12_345, 741),
        ("energy", "flat", 7_001, 491),
        ("service", "flat", 7_001, 420),
    ]
    assert [str(line.exact) for line in bill.lines[:2]] == ["13.5906105", "7.4070000"]
    assert (bill.total, bill.currency, bill.energy_wh) == (3011, "CNY", 19_346)


def test_a_period_that_comes_twice_is_one_line() -> None:
    bill = make_bill(tariff(), segments(("flat", 500), ("sharp", 1), ("flat", 500)), 0, BOOK)
    assert [line.energy_wh for line in bill.lines if line.kind is LineKind.ENERGY] == [1000, 1]


@pytest.mark.parametrize(
    ("exact", "digits", "minor"),
    [
        ("0.005", 2, 1),
        ("0.00499999", 2, 0),
        ("1.0049999", 2, 100),
        ("0.5", 0, 1),
        ("1.5", 0, 2),
        ("2.5", 0, 3),
        ("0.0005", 3, 1),
    ],
)
def test_half_a_minor_unit_is_rounded_up(exact: str, digits: int, minor: int) -> None:
    """Ruling 14: half-up and never to even, by the digits of the currency."""
    assert rounded(Decimal(exact), digits) == minor


def test_steps_count_the_energy_of_the_session() -> None:
    """S-77: the step's change begins at its kWh, across segments."""
    stepped = tariff(depot(steps=[{"from_wh": 1000, "energyPrice": "0.1"}, {"from_wh": 3000, "energyPrice": "-0.1"}]))
    bill = make_bill(stepped, segments(("peak", 800), ("flat", 3000)), 0, BOOK)
    energy = [
        (line.period, line.from_wh, line.energy_wh, str(line.price))
        for line in bill.lines
        if line.kind is LineKind.ENERGY
    ]
    assert energy == [
        ("peak", 0, 800, "1.1009"),
        ("flat", 0, 200, "0.7007"),
        ("flat", 1000, 2000, "0.8007"),
        ("flat", 3000, 800, "0.6007"),
    ]


def test_the_flat_fee_is_for_a_session_that_got_energy() -> None:
    """S-77."""
    fee = tariff(depot(flatFee=150))
    assert lines(make_bill(fee, segments(("flat", 1000)), 0, BOOK))[-1] == ("flat", None, 0, 150)
    assert make_bill(fee, [], 0, BOOK).total == 0


def test_energy_that_ends_where_a_step_begins_has_no_line_of_that_step() -> None:
    """S-77: a line of 0 Wh would only puzzle the driver."""
    stepped = tariff(depot(steps=[{"from_wh": 1000, "energyPrice": "0.1"}]))
    bill = make_bill(stepped, segments(("peak", 400), ("peak", 600)), 0, BOOK)
    assert [(line.kind, line.from_wh, line.energy_wh) for line in bill.lines] == [
        (LineKind.ENERGY, 0, 1000),
        (LineKind.SERVICE, 0, 1000),
    ]


@pytest.mark.parametrize(("idle_s", "minutes"), [(0, 0), (600, 0), (659, 0), (660, 1), (3600 + 600, 60), (99_999, 60)])
def test_idle_time_is_billed_by_the_full_minute_after_the_grace(idle_s: int, minutes: int) -> None:
    """S-77: never more than the most."""
    idle = tariff(depot(idle={"pricePerMinute": "0.1250", "grace_s": 600, "most_s": 3600}))
    assert idle_minutes(idle, idle_s) == minutes
    bill = make_bill(idle, [], idle_s, BOOK)
    assert bill.total == rounded(Decimal("0.125") * minutes, 2)
    assert [line.minutes for line in bill.lines] == [minutes] * bool(minutes)
    assert idle_minutes(tariff(), idle_s) == 0


def test_what_no_tariff_prices_is_said_and_not_billed() -> None:
    bill = make_bill(tariff(), segments((None, 700), ("flat", 1000)), 0, BOOK)
    assert (bill.unpriced_wh, bill.energy_wh, len(bill.lines)) == (700, 1700, 2)


def test_another_version_prices_its_own_segments() -> None:
    """S-17: pinned at each boundary, a line names its version."""
    dear = tariff(depot(version=2, periods=[{"id": p["id"], "energyPrice": "9"} for p in depot()["periods"]]))
    parts = [*segments(("flat", 1000)), *segments(("flat", 1000), version=2)]
    bill = make_bill(tariff(), parts, 0, BOOK.add(dear))
    assert [(line.version, line.amount) for line in bill.lines] == [(1, 70), (1, 60), (2, 900)]


def test_the_event_says_every_line_with_its_estimate() -> None:
    """Contract: energy per price period, tariff id and version, lines, total."""
    data = bill_data(make_bill(tariff(), segments(("flat", 1000), guessed_wh=40), 0, BOOK))
    assert data == {
        "tariffId": "SZ-TOU",
        "tariffVersion": 1,
        "currency": "CNY",
        "currencyDigits": 2,
        "energyByPeriod": [{"period": "flat", "tariffVersion": 1, "energy_wh": 1000, "estimated_wh": 40}],
        "lines": [
            {
                "kind": "energy",
                "tariffVersion": 1,
                "price": "0.7007",
                "exact": "0.7007000",
                "amount": 70,
                "period": "flat",
                "name": "平",
                "energy_wh": 1000,
                "estimated_wh": 40,
            },
            {
                "kind": "service",
                "tariffVersion": 1,
                "price": "0.6000",
                "exact": "0.6000000",
                "amount": 60,
                "period": "flat",
                "name": "平",
                "energy_wh": 1000,
                "estimated_wh": 40,
            },
        ],
        "total": 130,
        "unpriced_wh": 0,
    }


@given(
    st.lists(st.tuples(st.sampled_from(["sharp", "peak", "flat", "valley"]), st.integers(0, 400_000)), max_size=30),
    st.lists(st.integers(1, 500_000), max_size=4, unique=True),
)
def test_lines_hold_every_wh_once_and_are_exact(parts: list[tuple[str, int]], starts: list[int]) -> None:
    """Ruling 14, I6: energy lines add up to the energy, and an independent sum in fractions has the same value."""
    stepped = tariff(depot(steps=[{"from_wh": wh, "energyPrice": "0.0101"} for wh in sorted(starts)]))
    bill = make_bill(stepped, segments(*parts), 0, BOOK)
    energy = [line for line in bill.lines if line.kind is LineKind.ENERGY]
    assert sum(line.energy_wh for line in energy) == bill.energy_wh == sum(wh for _, wh in parts)
    assert bill.total == sum(line.amount for line in bill.lines)
    exact, so_far = Fraction(0), 0
    prices = {price.id: Fraction(price.both) for price in stepped.prices}
    for period, wh in parts:
        exact += prices[period] * wh / 1000
        first_step = min(starts, default=so_far + wh)
        exact += Fraction("0.0101") / 1000 * max(0, so_far + wh - max(so_far, first_step))
        so_far += wh
    assert sum((Fraction(line.exact) for line in bill.lines), Fraction(0)) == exact

"""S-77, S-78: a tariff is read whole or refused with every fault, each with its place and how to mend it."""

from typing import Any

import pytest

from siteward.client.tariff_form import BadTariff, installed, read_tariff
from siteward.control.tariff_data import tariff_data
from tests.fixtures.tariffs import EVERY_DAY, depot, times, two

ONE_DAY = times(("00:00", "24:00", "flat"))


def day(*stretches: tuple[str, str, str]) -> dict[str, Any]:
    return {"days": [{"on": EVERY_DAY, "times": times(*stretches)}]}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (day(("01:00", "24:00", "flat")), "days[0].times: nothing has a price from 00:00 to 01:00; begin the first"),
        (day(("00:00", "23:30", "flat")), "days[0].times: nothing has a price from 23:30 to 24:00; let the last"),
        (day(("00:00", "08:00", "flat"), ("09:00", "24:00", "peak")), "from 08:00 to 09:00; close the gap"),
        (day(("00:00", "10:00", "flat"), ("09:00", "24:00", "peak")), "two prices from 09:00 to 10:00; let the second"),
        (day(("00:00", "24:00", "evening")), "'evening' is no price period; the periods are flat, peak, sharp, valley"),
        (day(("22:00", "06:00", "flat")), "22:00 to 06:00 does not go forward; split a stretch over midnight"),
        (day(("0:00", "24:00", "flat")), "days[0]: '0:00' is no time of day; write hh:mm"),
        ({"days": [{"on": EVERY_DAY[:5], "times": ONE_DAY}]}, "days: no plan without dates covers sat, sun; add one"),
        (
            {"days": [{"on": EVERY_DAY, "times": ONE_DAY}, {"on": ["sun"], "times": ONE_DAY}]},
            "days[1]: sun also stand in days[0] for the same dates; keep one",
        ),
        (
            {"days": [{"on": EVERY_DAY, "times": ONE_DAY}, {"on": ["sun"], "from": "07-01", "times": ONE_DAY}]},
            "days[1]: has one of from and to; write both or neither",
        ),
        (
            {
                "days": [
                    {"on": EVERY_DAY, "times": ONE_DAY},
                    {"on": ["sun"], "from": "07-01", "to": "2026-08-01", "times": ONE_DAY},
                ]
            },
            "days[1]: one of from and to has a year",
        ),
        (
            {
                "days": [
                    {"on": EVERY_DAY, "times": ONE_DAY},
                    {"on": ["sun"], "from": "2026-08-02", "to": "2026-08-01", "times": ONE_DAY},
                ]
            },
            "days[1]: to lies before from; exchange them",
        ),
        (
            {"days": [{"on": EVERY_DAY, "from": "02-30", "to": "03-01", "times": ONE_DAY}]},
            "days[0]: '02-30' is no day; write 10-01 for every year",
        ),
        ({"timezone": "Asia/Peking"}, "timezone: 'Asia/Peking' is no time zone; write a name of the IANA list"),
        ({"timezone": "../secret"}, "timezone: '../secret' is no time zone"),
        ({"currency": "RMB"}, "currency: 'RMB' is no currency; write its ISO 4217 code, such as CNY"),
        (
            {"periods": [{"id": "flat", "energyPrice": "0.70071"}]},
            "periods[0].energyPrice: 0.70071 has 5 decimals; prices",
        ),
        ({"periods": [{"id": "flat", "energyPrice": 0.7}]}, "periods[0].energyPrice: write a price as text"),
        ({"periods": [{"id": "flat", "energyPrice": "-1"}]}, "-1 is out of range; a price lies between 0"),
        ({"periods": [{"id": "flat", "energyPrice": "NaN"}]}, "NaN is out of range"),
        ({"periods": [{"id": "flat", "energyPrice": "cheap"}]}, "'cheap' is no number"),
        ({"periods": [{"id": "flat"}]}, "periods[0].energyPrice: is missing; add it"),
        ({"periods": [*depot()["periods"], depot()["periods"][0]]}, "periods[4].id: 'sharp' is used twice"),
        ({"servicefee": 3}, "servicefee: unknown key; take it out or mend its spelling"),
        ({"steps": [{"from_wh": 9}, {"from_wh": 9}]}, "steps: 9 Wh follows 9 Wh; write the steps in rising order"),
        ({"steps": [{"from_wh": 9, "energyPrice": "-0.4"}]}, "steps[0]: makes the price of 'valley' negative"),
        ({"validFrom": "2026-01-01T00:00:00"}, "validFrom: Input should have timezone info"),
        ({"rounding": "up"}, "rounding: Input should be 'half_up'"),
        ({"validFrom": 20261201}, "validFrom: write a time as text, such as 2026-12-01T00:00:00+08:00"),
        ({"validFrom": "20261201"}, "validFrom: Input should have timezone info"),
        ({"validFrom": "1764547200000"}, "validFrom: '1764547200000' is no time; write it like 2026-12-01T"),
        ({"validFrom": "0001-01-01T00:00:00+08:00"}, "validFrom: '0001-01-01T00:00:00+08:00' is no time; write"),
        ({"validFrom": "9999-12-31T23:59:59-08:00"}, "validFrom: '9999-12-31T23:59:59-08:00' is no time; write"),
        ({"holidays": [0]}, "holidays[0]: write a day as text, such as 2026-10-01"),
        ({"holidays": ["1790812800"]}, "holidays[0]: '1790812800' is no day; write it like 2026-10-01"),
        ({"holidays": ["2026-02-29"]}, "holidays[0]: '2026-02-29' is no day; write it like 2026-10-01"),
        (
            {"days": [{"on": EVERY_DAY, "from": "0000-01-01", "to": "0000-03-01", "times": ONE_DAY}]},
            "days[0]: '0000-01-01' is no day",
        ),
    ],
)
def test_a_fault_says_where_and_how_to_mend_it(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(BadTariff) as caught:
        read_tariff(depot(**changes))
    assert told in str(caught.value)


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(BadTariff) as caught:
        read_tariff(depot(currency="X", timezone="Y", version=0))
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()] == ["version", "timezone", "currency"]


def test_one_fault_is_told_once() -> None:
    """A list whose entry is bad is not called empty beside that."""
    with pytest.raises(BadTariff) as caught:
        read_tariff(depot(periods=[{"id": "flat", "energyPrice": "0,7"}]))
    assert str(caught.value).splitlines() == ["periods[0].energyPrice: '0,7' is no number; write it like \"1.2345\""]


def test_a_heap_of_faults_is_told_in_short() -> None:
    """I10, contract section 4: the reply goes over MQTT; 400 plans in each other's way are 80,000 faults."""
    plain = {"on": EVERY_DAY, "times": ONE_DAY}
    same = {"on": ["mon"], "from": "01-01", "to": "01-01", "times": ONE_DAY}
    for changes in (
        {"days": [plain, *[same] * 399]},
        {"periods": [{"id": "flat", "energyPrice": "9" * 60_000}]},
        {"days": [{"on": EVERY_DAY, "times": times(*[("x" * 1000, "24:00", "flat")] * 50)}]},
        {f"key{n}": 1 for n in range(3000)},
    ):
        with pytest.raises(BadTariff) as caught:
            read_tariff(depot(**changes))
        assert len(str(caught.value)) < 6000
    assert "key0: unknown key" in str(caught.value)
    assert str(caught.value).splitlines()[-1] == "and 2980 more"


def test_a_tariff_is_the_same_after_the_journal() -> None:
    """I10: the same version again has no second effect, after a restart too; the journal writes milliseconds."""
    read = read_tariff(depot(validFrom="2026-01-01T00:00:00.123456+08:00"))
    assert installed(tariff_data(read)) == read


@pytest.mark.parametrize("nonsense", [None, [], "x", {}, {"days": [{}]}])
def test_what_is_no_tariff_is_refused(nonsense: object) -> None:
    """Fault 46."""
    with pytest.raises(BadTariff):
        read_tariff(nonsense)


def test_ranges_that_only_touch_at_other_days_are_no_overlap() -> None:
    """S-77: two seasons side by side, and one over the turn of the year."""
    seasons = [
        {"on": EVERY_DAY, "from": begin, "to": end, "times": ONE_DAY}
        for begin, end in (("12-01", "02-28"), ("03-01", "05-31"), ("06-01", "11-30"))
    ]
    plain = {"on": EVERY_DAY, "times": ONE_DAY}
    assert len(read_tariff(two(periods=depot()["periods"], days=[plain, *seasons])).days) == 4
    with pytest.raises(BadTariff, match="also stand in"):
        read_tariff(depot(days=[plain, *seasons, {"on": ["mon"], "from": "01-01", "to": "01-02", "times": ONE_DAY}]))

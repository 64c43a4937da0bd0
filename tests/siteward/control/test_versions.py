"""B24, S-17: which version of a tariff prices a session, also one that comes while it runs."""

from datetime import UTC, datetime
from typing import Any

import pytest

from siteward.model.tariff import Pin
from tests.fixtures.tariffs import EVERY_DAY, times
from tests.siteward.control.test_money import NIGHT_TO_DAY, finish, rig_with, whole

FLAT = {
    "periods": [{"id": "day", "energyPrice": "1"}],
    "days": [{"on": EVERY_DAY, "times": times(("00:00", "24:00", "day"))}],
}


def test_by_wish_the_version_in_force_prices_from_each_boundary_on() -> None:
    """B24: pinned at each boundary by a setting; a version's begin is one."""
    rig = rig_with(pin=Pin.BOUNDARY)
    dear = [{"id": "day", "energyPrice": "5"}, {"id": "night", "energyPrice": "2"}]
    rig.install(NIGHT_TO_DAY | {"version": 2, "validFrom": "2026-03-01T08:02:30Z", "periods": dear}, "t2")
    rig.charging(seconds=120)
    row = finish(rig)
    whole(rig, row)
    assert [(s.version, s.period) for s in row.segments] == [(1, "night"), (2, "night"), (2, "day")]


@pytest.mark.parametrize("shape", [{}, FLAT])
@pytest.mark.parametrize(
    ("pin", "valid_from", "died", "versions"),
    [
        (Pin.BOUNDARY, "2026-03-01T08:02:30Z", False, [1, 2]),
        (Pin.BOUNDARY, "2026-03-01T08:02:30Z", True, [1, 2]),
        (Pin.BOUNDARY, "2026-03-01T08:00:00Z", False, [1, 2]),
        (Pin.BOUNDARY, "2026-03-01T08:30:00Z", False, [1]),
        (Pin.START, "2026-03-01T08:02:30Z", False, [1]),
        (Pin.START, "2026-03-01T08:00:00Z", False, [1]),
    ],
)
def test_a_version_that_comes_while_a_car_charges_counts_as_if_it_had_been_there(
    pin: Pin, valid_from: str, died: bool, versions: list[int], shape: dict[str, Any]
) -> None:
    """B24, S-17: from its begin on, or from now where that has passed; prices without any boundary of their own too."""
    first = NIGHT_TO_DAY | shape
    rig = rig_with(first, pin=pin)
    rig.charging(seconds=10)
    rig.install(first | {"version": 2, "validFrom": valid_from}, "t2")
    assert rig.log.stages("t2")[-1] == "done"
    if died:
        rig.crash(5)
    rig.turns(40)
    row = finish(rig)
    whole(rig, row)
    assert list(dict.fromkeys(s.version for s in row.segments)) == versions
    if len(versions) == 2 and valid_from == "2026-03-01T08:02:30Z":
        begin = next(s.begin for s in row.segments if s.version == 2)
        assert begin == datetime(2026, 3, 1, 8, 2, 30, tzinfo=UTC)

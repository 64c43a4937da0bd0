"""The plant of the real sessions: what it passes over changes nothing, and its judge sees what breaks (B12, I1, I2)."""

import pytest

from siteward.control.proof import prove
from tests.months import turns as plant
from tests.months.depot import FIRST_DAYS, MOST_A, VOLTS, Depot, Stay, depot, other_load, stays
from tests.months.figures import figures
from tests.months.turns import Fuses, Turns

LATE_S = 20.0
"""By so much the steps of a raise may come earlier or later; a stay of hours does not feel it."""


@pytest.fixture(scope="module")
def one() -> Depot:
    """The depot."""
    return depot()


def test_the_depot_is_proven_and_holds_forty_percent(one: Depot) -> None:
    """R3: a site that `siteward check` would take; 52 outlets, 40 % of what they may draw."""
    assert prove(one.site) == ()
    assert len(one.site.connectors) == 52
    assert sum(one.rating_a[:3]) == pytest.approx(0.4 * 52 * MOST_A, rel=0.01)
    assert len(stays(one, 0, 10**9)) == 6026
    assert min(other_load(one)) >= 0.0
    assert max(other_load(one)) <= one.worst_base_a
    assert set(FIRST_DAYS) == {"2019-05", "2019-06", "2019-07", "2019-08"}


def test_what_is_passed_over_changes_nothing(one: Depot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal 10: the same energy, and for each what flows in 20 s, as when every second is lived through."""
    here = [
        Stay(n, outlet, 900 + 20 * n, 2200 + 50 * n, 2100 + 50 * n if n % 2 else None, 900.0 + 300.0 * n)
        for n, outlet in enumerate((2, 5, 8, 11, 20, 23))
    ]
    base = [60.0, 20.0, 65.0, 40.0, 60.0]
    quick = Turns(one, here, base, departures=True)
    quick.run(850, 2400)
    monkeypatch.setattr(plant, "QUIET_TURNS", 10**9)
    whole = Turns(one, here, base, departures=True)
    whole.run(850, 2400)
    assert whole.passed_s == 0
    assert quick.passed_s > 600
    assert quick.turn + quick.passed_s == whole.turn
    for stay in here:
        assert quick.got_wh[stay.number] == pytest.approx(
            whole.got_wh[stay.number], abs=LATE_S * MOST_A * VOLTS / 3600.0
        )
    assert sum(quick.got_wh.values()) == pytest.approx(sum(whole.got_wh.values()), rel=0.01)
    assert quick.fuses.broken == whole.fuses.broken == 0


def test_a_fuse_that_melts_and_one_that_is_overloaded_too_long_are_counted() -> None:
    """I1, I2: a trip and an overload of more than 10 s each count once, however long they last."""
    fuses = Fuses((100.0, 100.0))
    for _ in range(30):
        fuses.pass_time([105.0, 60.0], 1)
    assert fuses.broken == 1
    assert fuses.longest_over_s == 30
    fuses.pass_time([160.0, 60.0], 60)
    assert fuses.broken == 2
    assert fuses.worst_theta > 1.5


def test_the_figures_say_who_was_left_short() -> None:
    """Goal 10: shares of what could have flowed in the stay; more than wanted counts as all."""
    here = [Stay(0, 0, 0, 3600, None, 5000.0), Stay(1, 1, 0, 3600, None, 50_000.0), Stay(2, 2, 0, 3600, None, 1000.0)]
    found = figures(here, {0: 5000.0, 1: 3680.0}, 0)
    assert found["wanted_kwh"] == pytest.approx(13.4, abs=0.05)
    assert found["owed_kwh"] == pytest.approx(4.68, abs=0.01)
    assert found["short_drivers"] == 2
    assert found["worst_percent"] == 0.0
    assert found["jain"] == pytest.approx(1.5**2 / (3 * 1.25), rel=1e-4)

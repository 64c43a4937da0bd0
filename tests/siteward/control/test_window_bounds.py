"""B15, B22, turn.md 3.10: the arithmetic of a demand window at its very bounds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from siteward.control import window as windows
from siteward.control.window import Left, Window
from siteward.model.readings import MeterReading
from tests.siteward.control.window_bench import AT, RULE, known, reading, running

WORST_W = 72_000.0


def worst() -> float:
    """What could have flowed unmeasured."""
    return WORST_W


@pytest.mark.parametrize(("back_s", "same"), [(0.0, True), (1.0, True), (-0.1, False)])
def test_an_answer_counts_once(back_s: float, same: bool) -> None:
    """B15: only a newer one."""
    window = known()
    assert (windows.count(window, reading(AT - back_s, 1000), 230.0, worst) is window) is same


@pytest.mark.parametrize(
    ("answer", "wh", "measured"),
    [
        (reading(AT + 5.0, 1040, 7200.0), 40.0, True),
        (reading(AT + 5.0, 1000, 7200.0), 0.0, True),
        (reading(AT + 5.0, 999, 7200.0), 10.0, True),
        (reading(AT + 5.0, None, 7200.0), 10.0, True),
        (reading(AT + 5.0, None, -7200.0), 0.0, True),
        (reading(AT + 10.0, None, 7200.0), 20.0, True),
        (reading(AT + 10.1, None, 7200.0), 202.0, False),
        (reading(AT + 5.0, None, None, 10.0), 3 * 10.0 * 230.0 * 5.0 / 3600.0, True),
        (reading(AT + 5.0, None, None, -10.0), 0.0, True),
        (reading(AT + 5.0), 100.0, False),
        (reading(AT + 5.0, 2000), 1000.0, True),
        (reading(AT + 5.0, 2120), 1120.0, True),
        (reading(AT + 5.0, 2121), 100.0, False),
        (reading(AT + 60.0, 3400), 2400.0, True),
        (reading(AT + 60.0, 3441), 1200.0, False),
    ],
)
def test_energy_is_the_registers_else_the_powers_else_the_worst(
    answer: MeterReading, wh: float, measured: bool
) -> None:
    """B22: no register that goes back, or on by a fifth and a coarse step more than the fuses carry, is believed."""
    found = windows.count(known(), answer, 230.0, worst)
    assert found.trail[-1] == pytest.approx((answer.sent_at, 50.0 + wh))
    assert found.measured_from == (AT - 100.0 if measured else answer.sent_at)
    assert found.register_wh == (None if answer.energy_wh is None else float(answer.energy_wh))


def test_what_flowed_in_a_gap_flowed_at_its_end() -> None:
    """Law 5: as late as the worst load could have brought it; never before the gap began."""
    found = windows.count(known(), reading(AT + 60.0, 1400), 230.0, worst)
    assert found.trail[1:] == ((AT, 50.0), (AT + 40.0, 50.0), (AT + 60.0, 450.0))
    much = windows.count(known(), reading(AT + 60.0, 3400), 230.0, worst)
    assert much.trail[1:] == ((AT, 50.0), (AT, 50.0), (AT + 60.0, 2450.0))
    short = windows.count(known(), reading(AT + 10.0, 1010), 230.0, worst)
    assert short.trail[1:] == ((AT, 50.0), (AT + 10.0, 60.0))
    idle = windows.count(known(), reading(AT + 60.0, 1010), 230.0, lambda: 0.0)
    assert idle.trail[2] == (AT, 50.0)


@pytest.mark.parametrize(
    ("at", "wh"),
    [(AT + 36.0, 60.0), (AT, 50.0), (AT - 50.0, 25.0), (AT - 100.0, 0.0), (AT - 136.0, -720.0), (AT - 1.0, 49.5)],
)
def test_the_line_of_energy_is_straight_between_samples(at: float, wh: float) -> None:
    """B15: after the newest by the present load, before the oldest by the worst."""
    assert windows.total_wh(known(), at, 1000.0, worst) == pytest.approx(wh)


@pytest.mark.parametrize(
    ("ends_at", "begun_at"),
    [(AT + 100.0, AT - 800.0), (AT + 899.0, AT - 1.0), (AT + 899.1, AT - 900.0), (AT + 5000.0, AT - 900.0)],
)
def test_a_window_is_resumed_where_its_mark_was_made(ends_at: float, begun_at: float) -> None:
    """B23: an end that lies a whole window ahead is one of another boot."""
    assert windows.resume(RULE, ends_at, 777.0, AT) == Window(((begun_at, 0.0),), begun_at, 777.0)


@pytest.mark.parametrize(
    ("trail", "kept"),
    [
        (((AT - 30.0, 1.0), (AT - 20.0, 2.0), (AT - 15.1, 3.0)), 2),
        (((AT - 30.0, 1.0), (AT - 20.0, 2.0), (AT - 15.0, 3.0)), 3),
        (((AT - 950.0, 1.0), (AT - 900.0, 2.0), (AT - 15.0, 3.0)), 2),
        (((AT - 950.0, 1.0), (AT - 899.9, 2.0), (AT - 15.0, 3.0)), 3),
        (((AT - 990.0, 1.0), (AT - 950.0, 2.0)), 1),
        (((AT - 2.0, 1.0), (AT - 1.0, 2.0)), 2),
    ],
)
def test_a_sample_in_each_sixtieth_and_one_before_the_reach_are_kept(
    trail: tuple[tuple[float, float], ...], kept: int
) -> None:
    """B15: the newest always."""
    found = windows.thin(Window(trail, 0.0), RULE, AT).trail
    assert len(found) == kept
    assert found[-1] == trail[-1]


@pytest.mark.parametrize(
    ("begun_at", "begin_at", "turns", "closed"),
    [
        (None, AT - 50.0, True, None),
        (AT - 950.0, AT - 50.0, True, 15.0),
        (AT - 52.0, AT - 50.0, False, None),
        (AT - 52.1, AT - 50.0, True, 15.0),
        (AT - 48.0, AT - 50.0, False, None),
        (AT - 40.0, AT - 50.0, True, None),
        (AT - 950.0, AT + 0.1, False, None),
        (AT - 950.0, AT, True, 40.0),
    ],
)
def test_a_window_goes_over_once_its_begin_was_measured(
    begun_at: float | None, begin_at: float, turns: bool, closed: float | None
) -> None:
    """B15: two seconds are a slip of the clock; going back closes nothing."""
    window = replace(known(), begun_at=begun_at, begun_wh=10.0, mark_wh=5.0)
    after, energy = windows.turn_over(window, begin_at, 0.0, worst)
    assert energy == closed
    if not turns:
        assert after is window
        return
    begun_wh = 50.0 if begin_at == AT else 25.0
    assert after == replace(window, begun_at=begin_at, begun_wh=begun_wh, mark_wh=950.0 + begun_wh)


def test_without_a_register_there_is_no_mark() -> None:
    """B23: nothing to keep."""
    assert windows.turn_over(known(None), AT - 50.0, 0.0, worst)[0].mark_wh is None


@pytest.mark.parametrize(
    ("begun_s", "used_wh", "left"),
    [
        (600.0, 5100.0, Left(36_000.0, 5100.0, 6100.0, True)),
        (600.0, 8100.0, Left(0.0, 8100.0, 9100.0, True)),
        (600.0, 8200.0, Left(0.0, 8200.0, 9200.0, True)),
        (840.0, 7100.0, Left(60_000.0, 7100.0, 7300.0, True)),
        (880.0, 7100.0, Left(60_000.0, 7100.0, 7100.0 + 200.0 / 3.0, True)),
        (990.0, 7100.0, Left(60_000.0, 7100.0, 7100.0, True)),
    ],
)
def test_what_is_left_is_spread_over_the_rest_but_a_minute_at_least(begun_s: float, used_wh: float, left: Left) -> None:
    """B15: of the contract less its margin; the forecast goes on at 12 kW."""
    assert windows.left_aligned(RULE, running(begun_s, used_wh), AT, 0.0, worst, 12_000.0) == pytest.approx(left)


def test_before_its_first_begin_all_of_it_is_left() -> None:
    """B15: and the present load reaches its end."""
    window = Window(((AT, 100.0),), AT, begun_wh=100.0)
    assert windows.left_aligned(RULE, window, AT, 0.0, worst, 12_000.0) == pytest.approx(
        Left(32_400.0, 0.0, 3000.0, True)
    )


@pytest.mark.parametrize(("late_s", "sure"), [(2.0, True), (2.1, False), (-5.0, True)])
def test_sure_is_what_was_measured_from_its_begin(late_s: float, sure: bool) -> None:
    """S-20: but for a slip of the clock."""
    window = running(600.0, 10.0, AT - 600.0 + late_s)
    assert windows.left_aligned(RULE, window, AT, 0.0, worst, 0.0).sure is sure


@pytest.mark.parametrize(
    ("used_wh", "left"),
    [
        (0.0, Left(32_400.0, 0.0, 200.0, True)),
        (7000.0, Left(32_400.0, 7000.0, 7200.0, True)),
        (7900.0, Left(12_000.0, 7900.0, 8100.0, True)),
        (9000.0, Left(0.0, 9000.0, 9200.0, True)),
    ],
)
def test_a_sliding_window_leaves_what_the_next_minute_may_have(used_wh: float, left: Left) -> None:
    """R15: never more than the contract itself."""
    window = Window(((AT - 2000.0, 0.0), (AT - 840.0, 0.0), (AT, used_wh)), AT - 840.0)
    assert windows.left_sliding(RULE, window, AT, 0.0, worst, 12_000.0) == pytest.approx(left)


def test_a_sliding_window_counts_the_unknown_as_the_worst() -> None:
    """Law 5: before its first sample, and after its newest by what flows."""
    window = Window(((AT - 800.0, 0.0), (AT - 36.0, 1000.0)), AT - 839.9)
    found = windows.left_sliding(RULE, window, AT, 6000.0, worst, 0.0)
    assert found.used_wh == pytest.approx(1000.0 + 60.0 + 800.0)
    assert not found.sure

"""R17: what is a gap, what ends it, and what it takes with it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from siteward.control.memory import NEVER, Watch
from siteward.control.timing import judge_time
from siteward.control.work import Work
from siteward.model.ids import MeterId
from siteward.model.readings import MeterReading
from tests.siteward.control.bench import AT, WALL, alarms, flight, lay, watch
from tests.siteward.control.sites import feeder

GAP = {("TURN_GAP", "station")}


def turn(
    passed_s: float = 1.0,
    wall_s: float | None = None,
    since: float | None = None,
    told_ago_s: float = 900.0,
    watches: tuple[Watch, ...] = (),
    meter_at: float | None = None,
) -> Work:
    """A turn so long after the last one; a meter was asked at meter_at (None: no meter there)."""
    metered = meter_at is not None
    work = lay(watches or (watch(),), feeders=[feeder("grid", 63.0, metered=metered)])
    wall = WALL - timedelta(seconds=passed_s if wall_s is None else wall_s)
    memory = replace(work.memory, at=AT - passed_s, wall=wall, gap_at=since, gap_alarm_at=AT - told_ago_s)
    work.memory = memory
    if meter_at is not None and meter_at > 0.0:
        zero = (0.0, 0.0, 0.0)
        reading = MeterReading(MeterId("m-grid"), meter_at, zero, zero, None, 50.0)
        work.snapshot = replace(work.snapshot, meters={reading.meter: reading})
    judge_time(work)
    return work


@pytest.mark.parametrize(
    ("passed_s", "wall_s", "gap"),
    [
        (3.0, None, False),
        (3.001, None, True),
        (1.0, 3.0, False),
        (1.0, 3.001, True),
        (1.0, -900.0, False),
        (2.0, 4.001, True),
        (2.0, 3.9, False),
    ],
)
def test_three_seconds_late_or_two_ahead_is_a_gap(passed_s: float, wall_s: float | None, gap: bool) -> None:
    """R17: by either clock; a wall clock set back says nothing."""
    work = turn(passed_s, wall_s)
    assert work.gap is gap
    assert work.gap_at == (AT if gap else None)
    assert alarms(work) == (GAP if gap else set())


def test_the_first_turn_has_no_turn_before_it() -> None:
    """R17: whatever its clocks show."""
    work = lay()
    work.memory = replace(work.memory, at=AT - 500.0, wall=None, gap_alarm_at=NEVER)
    judge_time(work)
    assert not work.gap
    assert alarms(work) == set()


@pytest.mark.parametrize(("told_ago_s", "stands"), [(9.9, True), (10.0, False)])
def test_a_gap_is_told_for_ten_seconds(told_ago_s: float, stands: bool) -> None:
    """R17: long enough to be seen."""
    assert alarms(turn(told_ago_s=told_ago_s)) == (GAP if stands else set())


@pytest.mark.parametrize(
    ("seen", "done"),
    [
        (watch(read_at=AT - 3.0), True),
        (watch(read_at=AT - 3.1), False),
        (watch(read_at=AT - 3.1, misses=2), True),
        (watch(read_at=AT - 3.1, misses=1), False),
        (watch(read_at=NEVER), True),
    ],
)
def test_every_charger_that_answers_is_asked_anew(seen: Watch, done: bool) -> None:
    """R17: a poll sent at or after the gap ends the wait."""
    work = turn(since=AT - 3.0, watches=(watch(), seen, watch()))
    assert work.gap_at == (None if done else AT - 3.0)
    assert not work.gap


@pytest.mark.parametrize(("meter_at", "done"), [(AT - 3.0, True), (AT - 3.1, False), (0.0, False), (None, True)])
def test_and_every_meter(meter_at: float | None, done: bool) -> None:
    """R17: the base of before is not the base of now."""
    assert turn(since=AT - 3.0, meter_at=meter_at).gap_at == (None if done else AT - 3.0)


@pytest.mark.parametrize(("ago_s", "done"), [(4.9, False), (5.0, True)])
def test_the_dead_are_waited_for_five_seconds(ago_s: float, done: bool) -> None:
    """R17: not for ever."""
    assert turn(since=AT - ago_s, meter_at=0.0).gap_at == (None if done else AT - ago_s)


def test_a_new_gap_begins_its_own_wait() -> None:
    """R17: the wait of an older one goes on from now."""
    assert turn(4.0, since=AT - 60.0).gap_at == AT


@pytest.mark.parametrize(("passed_s", "left"), [(4.0, [8.0, 6.0]), (1.0, [12.0, 8.0, 6.0])])
def test_a_gap_drops_the_raises_that_were_never_sent(passed_s: float, left: list[float]) -> None:
    """R17: what was sent may be in force, and a cut is safe at any time."""
    seen = watch(flights=(flight(12.0, raises=True), flight(8.0, raises=True, sends=1), flight(6.0)))
    turn(passed_s, watches=(seen,))
    assert [f.value_a for f in seen.flights] == left

"""R11: when the readings of a meter are not believed, and when again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from siteward.model.readings import MeterReading
from siteward.model.units import PerPhase
from tests.siteward.control.base_bench import GRID, judged, node, reading, row, three
from tests.siteward.control.bench import AT, alarms, watch


@pytest.mark.parametrize(
    ("base", "watts", "generation", "negative"),
    [
        ((10.0, -3.1, 10.0), None, False, True),
        ((10.0, -3.0, 10.0), None, False, False),
        ((10.0, 10.0, 10.0), -1.0, False, True),
        ((10.0, 10.0, 10.0), 0.0, False, False),
        ((10.0, -9.0, 10.0), -1.0, True, False),
    ],
)
def test_less_than_the_chargers_draw_is_wrong(
    base: PerPhase, watts: float | None, generation: bool, negative: bool
) -> None:
    """R11: unless something feeds in."""
    grid = replace(GRID, generation=generation)
    work = judged(node(), reading(base, power_w=watts), grid=grid)
    assert work.nodes[0].negative_since == (AT - 0.1 if negative else None)
    again = judged(node(negative_since=AT - 9.0), reading(base, power_w=watts), grid=grid)
    assert again.nodes[0].negative_since == (AT - 9.0 if negative else None)


@pytest.mark.parametrize(
    ("since_s", "frozen", "alarm"), [(4.9, False, False), (5.0, True, False), (29.9, True, False), (30.0, False, True)]
)
def test_wrong_for_long_freezes_and_is_told(since_s: float, frozen: bool, alarm: bool) -> None:
    """R11: five seconds, then half a minute; no grace."""
    work = judged(node(negative_since=AT - since_s))
    assert (work.frozen, work.grace) == ([frozen], [False])
    assert alarms(work) == ({("METER_IMPLAUSIBLE", "m-grid")} if alarm else set())
    assert work.nodes[0].substituted is alarm


SAME = ((10.0, 10.0, 10.0), three(230.0), 50.0)


@pytest.mark.parametrize(
    ("same", "answer", "count", "stuck"),
    [
        (8, reading(10.0), 9, False),
        (9, reading(10.0), 10, True),
        (9, reading((10.0, 10.0, 10.1)), 1, False),
        (9, reading(10.0, voltage_v=(230.0, 230.0, 230.1)), 1, False),
        (9, reading(10.0, frequency_hz=50.01), 1, False),
        (9, reading(10.0, frequency_hz=None), 1, False),
    ],
)
def test_ten_answers_alike_are_frozen(same: int, answer: MeterReading, count: int, stuck: bool) -> None:
    """R11: current, voltage and frequency."""
    n = judged(node(same=same, same_of=SAME), answer).nodes[0]
    assert n.same == count
    assert n.stuck_at == (three(10.0) if stuck else None)
    assert n.same_of == (answer.current_a, answer.voltage_v, answer.frequency_hz)


@pytest.mark.parametrize("missing", ["voltage_v", "frequency_hz"])
def test_a_meter_that_shows_current_only_cannot_look_frozen(missing: str) -> None:
    """R11: a steady load is no fault."""
    answer = reading(10.0, **{missing: None})
    alike = (answer.current_a, answer.voltage_v, answer.frequency_hz)
    assert judged(node(same=9, same_of=alike), answer).nodes[0].same == 1


@pytest.mark.parametrize(
    ("moved", "shown", "blind"), [(3.1, 1.5, True), (3.0, 1.4, False), (4.0, 2.0, False), (4.0, 1.9, True)]
)
def test_a_meter_that_misses_a_move_of_the_chargers_is_blind(moved: float, shown: float, blind: bool) -> None:
    """R11: more than 3 A of which it shows less than half; ten seconds of that are a fault."""
    before = (row(5.0, 10.0, 0.0, 10.0), row(3.0, 10.0, 0.0, 10.0))
    seen = watch(6.0, measured_a=(moved, 0.0, 0.0))
    answer = reading((10.0 + shown, 10.0, 10.0))
    n = judged(node(*before), answer, seen).nodes[0]
    assert n.stuck_since == (AT - 0.1 if blind else None)
    assert n.stuck_at is None
    long = judged(node(*before, stuck_since=AT - 10.1), answer, seen).nodes[0]
    assert long.stuck_at == ((10.0 + shown, 10.0, 10.0) if blind else None)
    short = judged(node(*before, stuck_since=AT - 10.0), answer, seen).nodes[0]
    assert short.stuck_at is None
    fresh = judged(node(*before, known_from=AT - 0.2), answer, seen).nodes[0]
    assert fresh.stuck_since is None


@pytest.mark.parametrize(("load", "stuck"), [(10.0, True), (10.1, False)])
def test_a_frozen_meter_is_believed_once_it_moves(load: float, stuck: bool) -> None:
    """R11: and distrusted until then."""
    work = judged(node(stuck_at=three(10.0), stuck_since=AT - 60.0), reading(load, voltage_v=None))
    assert (work.nodes[0].stuck_at is not None) is stuck
    assert alarms(work) == ({("METER_IMPLAUSIBLE", "m-grid")} if stuck else set())

"""R11: when the readings of a meter are not believed, and when again."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from siteward.control.demand import Demand
from siteward.control.memory import NEVER
from siteward.model.alarms import Alarm, AlarmCode
from siteward.model.readings import MeterReading
from siteward.model.site import Priority
from siteward.model.units import PerPhase
from tests.siteward.control.base_bench import GRID, METER, judged, node, reading, row, three
from tests.siteward.control.bench import AT, alarms, watch
from tests.siteward.control.sites import Box, feeder, site
from tests.siteward.control.truth import Truth


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


@pytest.mark.parametrize(("load", "stuck"), [(10.1, True), (8.5, True), (11.5, True), (8.4, False), (11.6, False)])
def test_the_noise_of_a_blind_meter_proves_nothing(load: float, stuck: bool) -> None:
    """R11: it missed a move of more than 3 A; until it moves by half of that nobody believes it."""
    before = (row(5.0, 10.0, 0.0, 10.1), row(3.0, 10.0, 0.0, 10.0))
    n = judged(node(*before, stuck_since=AT - 10.1), reading(10.0), watch(6.0, measured_a=(4.0, 0.0, 0.0))).nodes[0]
    assert n.stuck_at == three(10.0)
    n.meter_at, n.known_from = AT - 0.5, NEVER
    work = judged(n, reading((10.0, load, 10.0), voltage_v=three(230.1)), watch(6.0))
    assert (work.nodes[0].stuck_at is not None) is stuck
    assert (("METER_IMPLAUSIBLE", "m-grid") in alarms(work)) is stuck


@pytest.mark.parametrize(("load", "stuck"), [(10.0, True), (10.5, True), (9.4, False), (10.6, False)])
def test_a_blind_meter_without_noise_is_believed_once_more_than_a_digit_moves(load: float, stuck: bool) -> None:
    """R11, fault 30: its currents stood still to the last digit; back again they may lie close to where they stood."""
    before = (row(5.0, 10.0, 0.0, 10.0), row(3.0, 10.0, 0.0, 10.0))
    n = judged(node(*before, stuck_since=AT - 10.1), reading(10.0), watch(6.0, measured_a=(4.0, 0.0, 0.0))).nodes[0]
    n.meter_at, n.known_from = AT - 0.5, NEVER
    work = judged(n, reading((10.0, load, 10.0), voltage_v=three(230.1)), watch(6.0))
    assert (work.nodes[0].stuck_at is not None) is stuck


def test_a_meter_that_noise_moves_and_nothing_else_is_found_once_and_for_as_long_as_it_lasts() -> None:
    """I3, law 5, fault 29: other load rises unseen; cars are not raised into it again and again."""
    grid = feeder("grid", 63.0, worst=30.0, metered=True)
    truth = Truth(site([grid], [Box(boot_a=0.0)] * 3), Random(1))
    for cid, box in truth.boxes.items():
        box.wants = 32.0
        truth.demands[cid] = Demand(True, 32.0, Priority.NORMAL, truth.at)
    truth.base[grid.id] = [27.0] * 3
    truth.run(180)
    truth.base[grid.id] = [1.0] * 3
    truth.run(5)
    truth.meter_mode[METER] = "stuck"
    truth.run(15)
    truth.base[grid.id] = [30.0] * 3
    over = []
    for _ in range(400):
        truth.second()
        over.append(truth.load[grid.id][0] > 63.0)
    assert sum(over) <= 22
    assert truth.outcome is not None
    assert Alarm(AlarmCode.METER_IMPLAUSIBLE, METER) in truth.outcome.alarms
    truth.meter_mode.clear()
    truth.base[grid.id] = [5.0] * 3
    truth.run(150)
    assert truth.outcome.alarms == frozenset()
    assert truth.load[grid.id][0] > 50.0
    assert truth.verdict.tripped == []

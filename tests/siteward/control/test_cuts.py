"""Step 8 (B08, R8, R12, R13): who is lowered, by how much, when, and what is told of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from siteward.control.cuts import cut
from siteward.control.memory import NEVER, Slot, Waking, Watch
from siteward.control.work import Work
from siteward.model.units import PerPhase
from tests.siteward.control.bench import AT, alarms, demand, flight, lay, watch
from tests.siteward.control.sites import Box, feeder

Cuts = list[tuple[str, float]]


def done(work: Work) -> Cuts:
    """Who is cut to what, in order of decision."""
    cut(work)
    assert not any(write.raises for _, write in work.cuts)
    return [(write.connector, write.value_a) for _, write in work.cuts]


def one(seen: Watch | None = None, target_a: float = 16.0, over_a: float = -100.0, **said: object) -> Work:
    """One outlet, its target, and by how much its fuse is above the cutline."""
    work = lay([seen or watch()], demands=[replace(demand(), **said)])  # type: ignore[arg-type]
    work.targets = [target_a]
    work.cutline = [total - over_a for total in work.total_a]
    return work


@pytest.mark.parametrize(("over_a", "forced"), [(0.1, True), (0.0, False)])
def test_a_fuse_above_its_cutline_forces_everybody_to_his_target(over_a: float, forced: bool) -> None:
    """R12: at once; on any of its phases."""
    for phase in range(3):
        work = one(target_a=15.5)
        work.cutline[phase] = 16.0 - over_a
        assert done(work) == ([("c00", 15.5)] if forced else [])
    assert done(one(target_a=20.0, over_a=over_a)) == []


def test_only_those_below_it_are_forced() -> None:
    """R12: by their path; who may not be commanded is not."""
    feeders = [feeder("grid", 100.0), feeder("a", 63.0, "grid"), feeder("b", 63.0, "grid")]
    watches = [watch(), watch(), watch()]
    work = lay(watches, [Box(feeder="a"), Box(feeder="b"), Box(feeder="b")], feeders)
    work.targets = [15.5, 15.5, 15.5]
    work.cutline[6] = 0.0
    work.allocatable = [True, True, False]
    assert done(work) == [("c01", 15.5)]


@pytest.mark.parametrize(("over_a", "shed"), [(2.1, True), (2.0, False)])
def test_more_than_two_amperes_are_a_shed(over_a: float, shed: bool) -> None:
    """R13: no raise below for 30 s."""
    work = one(over_a=over_a)
    cut(work)
    assert work.nodes[0].shed_at == (AT if shed else NEVER)


@pytest.mark.parametrize(
    ("excused_a", "meter", "forced"), [(10.0, False, False), (9.9, False, True), (10.0, True, True)]
)
def test_what_was_not_read_yet_forces_nobody_unless_the_meter_says_so(
    excused_a: float, meter: bool, forced: bool
) -> None:
    """R14: after a start."""
    work = one(target_a=15.5, over_a=10.0)
    work.excused_a, work.over_meter = [excused_a] * 3, [meter] * 3
    assert (done(work) == [("c00", 15.5)]) is forced


@pytest.mark.parametrize(
    ("over_a", "over_s", "since", "told"),
    [
        (1.0, None, AT, False),
        (1.0, 7.9, AT - 7.9, False),
        (1.0, 8.0, AT - 8.0, True),
        (0.0, 9.0, None, False),
    ],
)
def test_a_fuse_that_stays_above_is_told_after_eight_seconds(
    over_a: float, over_s: float | None, since: float | None, told: bool
) -> None:
    """R12: in a row."""
    work = one(over_a=over_a)
    work.nodes[0].over_since = None if over_s is None else AT - over_s
    cut(work)
    assert work.nodes[0].over_since == since
    assert alarms(work) == ({("FEEDER_OVER_BOUND", "grid")} if told else set())


def shown(base_a: float, moved_a: float = 0.0) -> tuple[tuple[float, PerPhase, PerPhase, PerPhase, PerPhase], ...]:
    """Five meter readings, a second apart, with that much other load on L3 while the chargers there moved."""
    base = (0.0, 0.0, base_a)
    return tuple((AT - 4.5 + n, base, (0.0, 0.0, moved_a * n / 4.0), base, base) for n in range(5))


@pytest.mark.parametrize(
    ("base_a", "high_s", "since", "told"),
    [(21.0, 60.0, None, False), (21.1, None, AT, False), (21.1, 4.9, AT - 4.9, False), (21.1, 5.0, AT - 5.0, True)],
)
def test_other_load_above_its_worst_case_is_told(
    base_a: float, high_s: float | None, since: float | None, told: bool
) -> None:
    """R18: an ampere above what the fuse was checked for, on any phase, for five seconds."""
    work = lay([watch()], feeders=[feeder("grid", 63.0, worst=20.0)])
    work.base_cut = [0.0, 0.0, base_a]
    work.nodes[0].window = shown(base_a)
    work.nodes[0].high_since = None if high_s is None else AT - high_s
    cut(work)
    assert work.nodes[0].high_since == since
    assert alarms(work) == ({("BASE_LOAD_HIGH", "grid")} if told else set())


@pytest.mark.parametrize(
    ("moved_a", "high_s", "told"), [(0.4, 5.0, True), (0.6, 5.0, False), (8.0, 59.9, False), (8.0, 60.0, True)]
)
def test_cars_that_move_are_not_called_other_load(moved_a: float, high_s: float, told: bool) -> None:
    """R18, R11: a meter shows a ramp before the chargers do; what stays high for a minute is told all the same."""
    work = lay([watch()], feeders=[feeder("grid", 63.0, worst=20.0)])
    work.base_cut = [0.0, 0.0, 21.5]
    work.nodes[0].window = shown(21.5, moved_a)
    work.nodes[0].high_since = AT - high_s
    cut(work)
    assert alarms(work) == ({("BASE_LOAD_HIGH", "grid")} if told else set())


@pytest.mark.parametrize(("bound", "code"), [(1, "FEEDER_OVER_BOUND"), (2, "IMBALANCE_UNCORRECTED")])
def test_neutral_and_imbalance_have_their_own_alarms(bound: int, code: str) -> None:
    """B13: an imbalance that the meter does not show is none; other load is judged at the fuse only."""
    work = lay([watch()], feeders=[feeder("grid", 63.0, neutral=30.0, imbalance=20.0)])
    work.cutline[bound * 3] = work.total_a[bound * 3] - 1.0
    work.base_cut[bound * 3] = 99.0
    work.nodes[bound].over_since = AT - 60.0
    cut(work)
    assert alarms(work) == {(code, str(work.tree.nodes[bound].id))}
    n = work.nodes[0]
    n.window, n.load_a = ((AT - 1.0, (0.0,) * 3, (0.0,) * 3, (0.0,) * 3),), (20.0, 0.0, 0.0)
    work.alarms.clear()
    cut(work)
    assert bool(alarms(work)) is (bound == 1)


@pytest.mark.parametrize(
    ("seen", "said", "more", "cuts"),
    [
        (watch(), {"stop": True}, {}, [("c00", 0.0)]),
        (watch(), {"wants": False}, {}, [("c00", 0.0)]),
        (watch(0.0), {"wants": False}, {}, []),
        (watch(None), {"wants": False}, {}, []),
        (watch(), {"wants": False}, {"reachable": [False]}, []),
        (watch(verified=False), {}, {"allocatable": [False]}, [("c00", 0.0)]),
        (watch(), {}, {"allocatable": [False]}, []),
        (watch(verified=False), {}, {}, []),
        (watch(waking=Waking(dark_until=AT + 1.0)), {}, {}, [("c00", 0.0)]),
        (watch(), {"max_a": 12.0}, {"targets": [12.0]}, [("c00", 12.0)]),
        (watch(), {"max_a": 15.95}, {"targets": [15.5]}, []),
        (watch(), {"max_a": 15.94}, {"targets": [15.5]}, [("c00", 15.5)]),
        (watch(), {}, {"cap_a": [10.0], "targets": [10.0]}, [("c00", 10.0)]),
        (watch(), {"max_a": 12.0}, {"targets": [20.0]}, []),
        (watch(16.0, foreign_at=AT, limit_a=10.0), {}, {"targets": [9.0]}, [("c00", 10.0)]),
        (watch(16.0, foreign_at=AT, limit_a=10.0), {}, {"targets": [12.0]}, [("c00", 12.0)]),
        (watch(16.0, foreign_at=AT, limit_a=None), {}, {"targets": [0.0]}, [("c00", 0.0)]),
        (watch(16.0, foreign_at=AT - 1.0, limit_a=10.0), {}, {"targets": [15.5]}, []),
        (watch(16.0, foreign_at=AT, limit_a=16.0), {}, {"targets": [15.5]}, []),
        (watch(10.0, foreign_at=AT, limit_a=12.0), {}, {"targets": [9.5]}, []),
    ],
)
def test_what_is_ordered_at_once(
    seen: Watch, said: dict[str, object], more: dict[str, list[object]], cuts: Cuts
) -> None:
    """R8, S-31, I14: stops, the long unverified, interruptions, lower limits, values that a stranger wrote."""
    work = one(seen, **said)
    for name, value in more.items():
        setattr(work, name, value)
    assert done(work) == cuts


def test_a_box_without_a_watchdog_is_sure_without_verification() -> None:
    """R8: nothing can fall back."""
    work = lay([watch(verified=False)], [Box(tw_s=None)])
    work.allocatable = [False]
    assert done(work) == []


@pytest.mark.parametrize(
    ("target_a", "more", "cuts"),
    [
        (14.9, {}, [("c00", 14.9)]),
        (15.0, {}, []),
        (14.9, {"fair_cut_at": AT - 10.0}, [("c00", 14.9)]),
        (14.9, {"fair_cut_at": AT - 9.9}, []),
        (14.9, {"flights": (flight(16.0),)}, []),
        (0.0, {"on_since": AT - 300.0}, [("c00", 0.0)]),
        (0.0, {"on_since": AT - 299.9}, [("c00", 6.0)]),
        (0.0, {"on_since": NEVER}, [("c00", 0.0)]),
    ],
)
def test_a_share_that_shrank_is_taken_slowly(target_a: float, more: dict[str, object], cuts: Cuts) -> None:
    """B08: more than an ampere, every ten seconds; a pause only after five minutes of current."""
    seen = watch(16.0, **more)
    work = one(seen, target_a)
    assert done(work) == cuts
    if not cuts:
        assert seen.slot == Slot()
        return
    assert seen.fair_cut_at == AT
    assert seen.slot.rests_until == (AT + 120.0 if cuts[0][1] == 0.0 else NEVER)
    assert work.cuts[0][0] == 16.0 - cuts[0][1]


def test_a_car_at_its_floor_that_just_began_is_left() -> None:
    """B08: nothing less than the floor is possible for it."""
    assert done(one(watch(6.5, on_since=AT - 10.0), 0.0)) == []


def test_nobody_gives_for_what_was_not_read_yet() -> None:
    """R14: it is booked for safety only."""
    work = one(target_a=10.0)
    work.excused_a[2] = 0.1
    assert done(work) == []


def test_what_one_gives_is_promised_to_those_who_wait_beside_him() -> None:
    """R12: for half a minute; on the same feeder, below their target, and able to take it."""
    feeders = [feeder("grid", 100.0), feeder("a", 63.0), feeder("b", 63.0)]
    boxes = [Box(feeder="a"), Box(feeder="a"), Box(feeder="b"), Box(feeder="a"), Box(feeder="a")]
    work = lay([watch(16.0), watch(6.0), watch(6.0), watch(6.0), watch(6.0)], boxes, feeders)
    work.targets = [10.0, 12.0, 12.0, 6.0, 12.0]
    work.allocatable[4] = False
    assert done(work) == [("c00", 10.0)]
    assert [w.promised_until for w in work.watches] == [NEVER, AT + 30.0, NEVER, NEVER, NEVER]


def test_without_a_giver_nothing_is_promised() -> None:
    """R12: a forced cut is for the fuse."""
    work = lay([watch(16.0), watch(6.0)])
    work.targets = [15.5, 12.0]
    work.cutline = [0.0] * 3
    assert done(work) == [("c00", 15.5)]
    assert work.watches[1].promised_until == NEVER

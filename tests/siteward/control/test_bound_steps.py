"""B13, R9: neutral and imbalance on a bench: what each car loads, the other load there, what a start books."""

from __future__ import annotations

import pytest

from siteward.control.bounds import (
    awaiting,
    enter,
    find_routes,
    is_apart,
    judge_bounds,
    leave,
    note_uneven,
    switched,
)
from siteward.control.memory import Watch
from siteward.control.phasing import AS_BUILT, ONE, THREE
from siteward.control.routes import EVEN, UNEVEN, UNKNOWN
from siteward.control.work import Work
from siteward.model.units import PerPhase
from tests.siteward.control.bench import AT, flight, lay, watch
from tests.siteward.control.sites import Box, feeder

ZERO: PerPhase = (0.0, 0.0, 0.0)
FRESH: dict[str, object] = {"measured_a": (16.0, 16.0, 16.0), "drawing": True, "phases_known_at": AT - 60.0}
FUSE, NEUTRAL, IMBALANCE = 0, 1, 2


def bounded(*watches: Watch, box: Box | None = None) -> Work:
    """A grid of 63 A that watches its neutral (30 A) and its imbalance (20 A)."""
    work = lay(watches, [box or Box()] * len(watches), [feeder("grid", 63.0, worst=10.0, neutral=30.0, imbalance=20.0)])
    work.base_cut, work.base_raise, work.base_last = [10.0] * 3, [11.0, 12.0, 13.0], [10.0] * 3
    work.over_meter, work.frozen, work.grace = [False] * 3, [False], [False]
    return work


def kind(seen: Watch, box: Box | None = None) -> int:
    """Which of its routes it loads now."""
    work = bounded(seen, box=box)
    return work.tree.outlets[0].routes.index(find_routes(work)[0])


@pytest.mark.parametrize(
    ("more", "box", "route"),
    [
        ({}, Box(), EVEN),
        ({"read_at": AT - 5.0}, Box(), EVEN),
        ({"read_at": AT - 5.1}, Box(), UNKNOWN),
        ({"drawing": False}, Box(), UNKNOWN),
        ({"phases_known_at": AT}, Box(), EVEN),
        ({"phases_known_at": AT + 0.1}, Box(), UNKNOWN),
        ({"uneven": 0b011}, Box(), UNEVEN + 0b011),
        ({"uneven": 0b001}, Box(wiring="1"), UNEVEN + 0b001),
        ({"measured_a": None}, Box(measures=False), UNEVEN + 0b111),
    ],
)
def test_what_a_car_loads_follows_what_is_known_of_it(more: dict[str, object], box: Box, route: int) -> None:
    """R9: even once it was seen so, by a fresh read; uneven on its phases until it leaves."""
    assert kind(watch(16.0, **(FRESH | more)), box) == route


@pytest.mark.parametrize(
    ("more", "route"),
    [
        ({"measured_a": ZERO}, UNKNOWN),
        ({"measured_a": None}, UNKNOWN),
        ({"measured_a": (0.0, 0.4, 0.0)}, UNKNOWN),
        ({"measured_a": (0.0, 0.5, 0.0)}, UNEVEN + 1),
        ({"flights": (flight(6.0),)}, UNEVEN + 1),
        ({"held_a": 0.1}, UNEVEN + 1),
        ({"conf_a": 6.0}, UNEVEN + 1),
        ({"conf_a": None}, UNEVEN + 1),
    ],
)
def test_a_confirmed_pause_loads_no_imbalance(more: dict[str, object], route: int) -> None:
    """B13: with nothing under way and nothing measured."""
    seen = watch(**({"conf_a": 0.0, "measured_a": ZERO, "uneven": 1} | more))  # type: ignore[arg-type]
    assert kind(seen) == route


@pytest.mark.parametrize(
    ("measured", "drawing", "before", "after"),
    [
        ((16.0, 16.0, 16.0), True, 0b001, 0),
        ((16.0, 14.4, 16.0), True, 0, 0),
        ((16.0, 14.3, 16.0), True, 0, 0b111),
        ((3.0, 2.0, 3.0), True, 0, 0),
        ((3.0, 1.9, 3.0), True, 0, 0b111),
        ((2.0, 1.0, 2.0), True, 0, 0b101),
        ((16.0, 1.0, 0.0), True, 0, 0b001),
        ((16.0, 1.1, 0.0), True, 0, 0b011),
        ((0.0, 0.0, 1.1), True, 0, 0b100),
        ((1.0, 0.9, 1.0), True, 0, 0b111),
        ((16.0, 0.0, 0.0), False, 0, 0),
        (None, True, 0b010, 0b010),
    ],
)
def test_uneven_is_a_tenth_or_an_ampere_of_difference(
    measured: PerPhase | None, drawing: bool, before: int, after: int
) -> None:
    """B13: on which phases; what cannot be told counts on all."""
    seen = watch(measured_a=measured, drawing=drawing, uneven=before)
    note_uneven(bounded(seen).tree.outlets[0], seen)
    assert seen.uneven == after


@pytest.mark.parametrize(
    ("phases", "took", "route"),
    [(ONE, 3, UNEVEN + 1), (THREE, 0, UNKNOWN), (THREE, 1, UNEVEN + 7), (THREE, 2, UNEVEN + 7), (THREE, 3, UNKNOWN)],
)
def test_what_it_would_load_on_other_phases(phases: int, took: int, route: int) -> None:
    """B14: two of three are uneven there; what nobody saw is unknown."""
    seen = watch(phasing=AS_BUILT._replace(took=took))
    outlet = bounded(seen).tree.outlets[0]
    assert outlet.routes.index(switched(outlet, seen, phases)) == route
    plain = lay([seen]).tree.outlets[0]
    assert switched(plain, seen, phases) is plain.routes[EVEN]


def test_a_paused_car_awaits_the_cells_that_it_will_load() -> None:
    """B13: and is booked there at its start, until it does not start."""
    seen = watch(0.0, measured_a=ZERO, uneven=0b001)
    work = bounded(seen)
    work.routes = find_routes(work)
    outlet = work.tree.outlets[0]
    now = work.routes[0]
    extra = awaiting(work, outlet)
    assert extra
    assert set(extra) == set(outlet.routes[UNEVEN + 1].cells[0b111]) - set(now.cells[0b111])
    work.booked = [(6.0, 7.0, 8.0)]
    before = list(work.total_a)
    assert enter(work, outlet) is now
    assert work.routes[0] is outlet.routes[UNEVEN + 1]
    gained = {cell: work.total_a[cell] - before[cell] for cell in range(9) if work.total_a[cell] != before[cell]}
    assert set(gained) == set(extra)
    assert set(gained.values()) <= {6.0, 7.0, 8.0}
    leave(work, outlet, now)
    assert work.total_a == before
    assert work.routes[0] is now


def test_who_loads_all_of_it_already_awaits_nothing() -> None:
    """B13: and whoever has no bound above him."""
    for work in (bounded(watch(16.0, **FRESH)), lay([watch()])):
        work.routes = find_routes(work) if work.tree.bounds else work.routes
        assert awaiting(work, work.tree.outlets[0]) == ()
        assert enter(work, work.tree.outlets[0]) is None


def window(*rows: tuple[float, PerPhase, PerPhase]) -> tuple[tuple[float, PerPhase, PerPhase, PerPhase, PerPhase], ...]:
    """Readings of a meter: how long ago, other load, what it showed."""
    return tuple((AT - ago, base, _less(load, base), load, base) for ago, base, load in rows)


def _less(load: PerPhase, base: PerPhase) -> PerPhase:
    return (load[0] - base[0], load[1] - base[1], load[2] - base[2])


def cells(work: Work, node: int) -> tuple[list[float], list[float], list[float]]:
    """Base of a bound for cuts, for raises, and the last."""
    at = slice(node * 3, node * 3 + 3)
    return work.base_cut[at], work.base_raise[at], work.base_last[at]


def test_bounds_share_what_their_fuse_is() -> None:
    """B13: frozen with it, never over a meter, never in grace."""
    work = bounded(watch(16.0, **FRESH))
    work.frozen, work.routes = [True], find_routes(work)
    judge_bounds(work)
    assert (work.frozen, work.grace, work.over_meter) == ([True] * 3, [False] * 3, [False] * 9)
    assert {len(x) for x in (work.base_cut, work.base_raise, work.base_last)} == {9}


@pytest.mark.parametrize(
    ("load", "cut"), [((40.0, 10.0, 10.0), [0.0, 2.0, 0.0]), ((40.1, 10.0, 10.0), [9.0, 6.0, 0.0])]
)
def test_the_neutral_carries_the_difference_of_the_other_load(load: PerPhase, cut: list[float]) -> None:
    """B13, R10: the lowest of three for cuts, the last one while it is over, the highest of a window for raises."""
    work = bounded(watch(16.0, **FRESH))
    n = work.nodes[FUSE]
    n.window = window(
        (11.0, (50.0, 0.0, 0.0), load),
        (9.0, (4.0, 12.0, 0.0), load),
        (3.0, (4.0, 6.0, 4.0), load),
        (2.0, (5.0, 12.0, 5.0), load),
        (1.0, (10.0, 7.0, 1.0), load),
    )
    n.load_a = load
    work.routes = find_routes(work)
    judge_bounds(work)
    found = cells(work, NEUTRAL)
    assert found[0] == cut
    assert found[1] == [9.0, 12.0, 0.0]
    assert found[2] == found[0]


def test_without_a_meter_the_neutral_carries_the_worst() -> None:
    """B13, R11: and while it is not believed."""
    for blind in (True, False):
        work = bounded(watch(16.0, **FRESH))
        if not blind:
            work.nodes[FUSE].window = window((1.0, (9.0, 0.0, 0.0), (9.0, 0.0, 0.0)))
            work.nodes[FUSE].substituted = True
        work.routes = find_routes(work)
        judge_bounds(work)
        worst = work.tree.worst[NEUTRAL * 3]
        assert worst > 0.0
        assert cells(work, NEUTRAL) == ([worst] * 3,) * 3


@pytest.mark.parametrize(
    ("load", "sees", "apart"),
    [((30.0, 10.0, 20.0), True, False), ((30.1, 10.0, 20.0), True, True), (None, True, True), (ZERO, False, True)],
)
def test_phases_are_apart_by_the_meter(load: PerPhase | None, sees: bool, apart: bool) -> None:
    """B13: without one nobody can say that they are not."""
    work = bounded(watch())
    n = work.nodes[FUSE]
    n.window, n.load_a, n.substituted = window((1.0, ZERO, ZERO)), load, not sees
    assert is_apart(work, work.tree.nodes[IMBALANCE]) is apart
    n.window, n.substituted = (), False
    assert is_apart(work, work.tree.nodes[IMBALANCE])


def uneven(conf_a: float = 16.0, **more: object) -> Watch:
    """A car on its first phase."""
    return watch(conf_a, **({"uneven": 1, "measured_a": (16.0, 0.0, 0.0), "drawing": True} | more))


def judged(*watches: Watch, load: PerPhase = (30.0, 12.0, 14.0), lows: tuple[tuple[float, float], ...] = ()) -> Work:
    """One turn of an imbalance beside 16 A on the first phase, with other load of 14, 12 and 14 A at last."""
    work = bounded(*watches)
    n = work.nodes[FUSE]
    n.window = window(
        (9.0, (20.0, 8.0, 9.0), (36.0, 8.0, 9.0)),
        (4.0, (10.0, 8.0, 9.0), (26.0, 8.0, 9.0)),
        (3.0, (10.0, 13.0, 9.0), (26.0, 13.0, 9.0)),
        (2.0, (11.0, 12.0, 15.0), (27.0, 12.0, 15.0)),
        (1.0, (14.0, 12.0, 14.0), (30.0, 12.0, 14.0)),
    )
    n.load_a = load
    work.nodes[IMBALANCE].lows = lows
    work.lent_a, work.spare_boot_a = [5.0] * 9, [5.0] * 9
    work.routes = find_routes(work)
    judge_bounds(work)
    return work


def test_a_car_is_held_against_the_lowest_phase() -> None:
    """B13: the lowest of three readings for cuts, the highest of ten seconds for raises; nothing is lent there."""
    work = judged(uneven())
    cut, high, last = cells(work, IMBALANCE)
    assert work.nodes[IMBALANCE].lows == ((AT, 12.0),)
    assert cut == last == [10.0 - 12.0, 12.0 - 12.0, 9.0 - 12.0]
    assert high == [20.0 - 12.0, 13.0 - 12.0, 15.0 - 12.0]
    assert work.lent_a == work.spare_boot_a == [5.0] * 6 + [0.0] * 3


def test_over_its_bound_only_the_last_reading_counts() -> None:
    """B13: as at a fuse."""
    assert cells(judged(uneven(), load=(40.0, 12.0, 14.0), lows=((AT - 1.0, 30.0),)), IMBALANCE)[0] == [2.0, 0.0, 2.0]


@pytest.mark.parametrize(
    ("lows", "held", "sure", "kept"),
    [
        (((AT - 2.9, 13.0),), 13.0, 12.0, 2),
        (((AT - 3.0, 13.0),), 12.0, 12.0, 2),
        (((AT - 9.9, 11.0),), 12.0, 11.0, 2),
        (((AT - 10.0, 11.0),), 12.0, 12.0, 1),
    ],
)
def test_a_low_phase_must_last(lows: tuple[tuple[float, float], ...], held: float, sure: float, kept: int) -> None:
    """B13: three seconds before it costs somebody current, a high one ten before it gives some."""
    work = judged(uneven(), lows=lows)
    cut, high, _ = cells(work, IMBALANCE)
    assert cut == [10.0 - held, 12.0 - held, 9.0 - held]
    assert high == [20.0 - sure, 13.0 - sure, 15.0 - sure]
    assert len(work.nodes[IMBALANCE].lows) == kept


@pytest.mark.parametrize(("read_s", "unseen"), [(5.0, False), (5.1, True)])
def test_what_nobody_tells_is_booked_and_not_counted_twice(read_s: float, unseen: bool) -> None:
    """B13: never below what the meter shows."""
    work = judged(uneven(read_at=AT - read_s))
    cut, high, _ = cells(work, IMBALANCE)
    low = 12.0
    if unseen:
        assert cut == [max(0.0, 10.0 - 16.0) - low, max(0.0, 12.0 - 16.0) - low, max(0.0, 9.0 - 16.0) - low]
        assert high == [4.0 - low, 0.0 - low, 0.0 - low]
    else:
        assert cut == [10.0 - low, 12.0 - low, 9.0 - low]


def test_an_even_car_has_no_part_in_it() -> None:
    """B13: what it draws is on all three."""
    even = watch(16.0, **FRESH)
    assert cells(judged(uneven(), even), IMBALANCE) == cells(judged(uneven()), IMBALANCE)


def test_without_a_meter_the_base_of_the_fuse_stands_in() -> None:
    """B13, R11: that for raises, against a lowest phase of what the cars draw."""
    work = bounded(uneven())
    work.routes = find_routes(work)
    judge_bounds(work)
    assert cells(work, IMBALANCE) == ([11.0, 12.0, 13.0],) * 3

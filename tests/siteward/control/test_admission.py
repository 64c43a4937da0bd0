"""Step 7 (R12, B08): what is booked before anybody is served, who is admitted to his floor, and up to what."""

from __future__ import annotations

import pytest

from siteward.control.allocate import NOT_ALLOCATED, OWN_MAXIMUM, allocate
from siteward.control.memory import Slot, Unused, Waking, Watch
from siteward.control.work import Work
from siteward.model.site import Priority
from tests.siteward.control.bench import AT, demand, lay, watch
from tests.siteward.control.sites import Box, feeder

WORN = tuple(AT - 60.0 * n for n in range(6, 0, -1))


def shared(room_a: float, *watches: Watch, **box: object) -> Work:
    """Outlets below one fuse with so much room for all of them."""
    work = lay(watches, [Box(**box)] * len(watches))  # type: ignore[arg-type]
    work.room_a = [room_a] * 3
    return work


def given(work: Work) -> list[float]:
    """The targets."""
    allocate(work)
    return work.targets


@pytest.mark.parametrize(
    ("more", "high_a"),
    [
        ({}, 32.0),
        ({"waking": Waking(dark_until=AT + 1.0)}, 0.0),
        ({"unused": Unused(cap_a=9.0)}, 9.0),
        ({"unused": Unused(cap_a=40.0)}, 32.0),
        ({"slot": Slot(pauses=WORN)}, 6.0),
        ({"slot": Slot(pauses=WORN[1:])}, 32.0),
    ],
)
def test_how_much_an_outlet_may_have(more: dict[str, object], high_a: float) -> None:
    """B10, B11, B12: an interruption, current left unused, too many pauses."""
    work = shared(100.0, watch(16.0, **more))
    assert given(work) == [high_a]
    assert work.binder == [OWN_MAXIMUM]


@pytest.mark.parametrize(
    ("asked_a", "cap_a", "down", "conf_a", "high_a"),
    [
        (20.05, 32.0, False, 16.0, 20.0),
        (32.0, 18.0, False, 16.0, 18.0),
        (32.0, 32.0, True, 16.05, 16.0),
        (32.0, 12.0, True, 16.0, 12.0),
        (5.9, 32.0, False, 16.0, 0.0),
        (6.0, 32.0, False, 16.0, 6.0),
    ],
)
def test_a_maximum_is_the_least_of_all_in_whole_steps(
    asked_a: float, cap_a: float, down: bool, conf_a: float, high_a: float
) -> None:
    """I14: what is asked, its cap, and what it has where it may only go down; below a floor it is none."""
    work = shared(100.0, watch(conf_a))
    work.demands = {work.tree.outlets[0].id: demand(asked_a)}
    work.cap_a, work.only_down = [cap_a], [down]
    assert given(work) == [high_a]


def test_a_lent_phase_bounds_what_it_may_have() -> None:
    """R9, 6c: by the load that nobody can lower."""
    work = shared(100.0, watch(16.0))
    work.used, work.base_cut = [0b001], [0.0, 0.0, 60.0]
    assert 6.0 <= given(work)[0] < 32.0


@pytest.mark.parametrize(
    ("room_a", "targets"), [(12.0, [6.0, 6.0]), (11.9, [11.9, 0.0]), (6.0, [6.0, 0.0]), (5.9, [0.0, 0.0])]
)
def test_floors_come_first_and_in_order(room_a: float, targets: list[float]) -> None:
    """R12: by waiting time, then by name; who is refused says which cell had no room."""
    work = shared(room_a, watch(6.0), watch(6.0))
    assert given(work) == targets
    assert [b for b, amps in zip(work.binder, targets, strict=True) if amps == 0.0] == [-10] * targets.count(0.0)


def test_a_refusal_names_the_cell_and_ends_its_turn() -> None:
    """B08, S-20: its feeder is kept; a new one is a new queue, the old one is not noted again."""
    feeders = [feeder("grid", 100.0), feeder("row", 63.0, "grid")]
    slots = [Slot(turn_since=AT - 60.0, node=1), Slot(node=0, off_since=5.0), Slot(node=1)]
    watches = [watch(0.0, slot=slot, fits_since=AT - 9.0) for slot in slots]
    work = lay(watches, [Box(feeder="row")] * 3, feeders)
    work.room_a = [100.0, 100.0, 100.0, 50.0, 5.0, 50.0]
    assert given(work) == [0.0, 0.0, 0.0]
    assert work.binder == [-14, -14, -14]
    assert [w.slot for w in work.watches] == [Slot(node=1), Slot(node=1, off_since=5.0), Slot(node=1)]
    assert all(w.room_paused and w.fits_since is None for w in work.watches)
    assert work.watches[2].slot is slots[2]


def test_an_admission_begins_a_turn_and_ends_a_refusal() -> None:
    """B12: a turn that runs goes on."""
    work = shared(100.0, watch(6.0, room_paused=True, fits_since=3.0), watch(6.0, slot=Slot(turn_since=7.0)))
    allocate(work)
    first, second = work.watches
    assert (first.room_paused, first.fits_since, first.slot.turn_since) == (False, None, AT)
    assert second.slot.turn_since == 7.0


PAUSED = {"room_paused": True, "fits_since": AT - 60.0}


@pytest.mark.parametrize(
    ("room_a", "more", "back"),
    [
        (8.0, {}, True),
        (7.9, {}, False),
        (8.0, {"fits_since": AT - 59.9}, False),
        (8.0, {"fits_since": None}, False),
        (8.0, {"slot": Slot(rests_until=AT)}, True),
        (8.0, {"slot": Slot(rests_until=AT + 0.1)}, False),
        (8.0, {"slot": Slot(pauses=WORN)}, False),
        (6.0, {"room_paused": False}, True),
    ],
)
def test_who_was_paused_for_room_waits_until_two_amperes_more_stood_a_minute(
    room_a: float, more: dict[str, object], back: bool
) -> None:
    """B08: and never before its rest is over, nor when it was paused too often."""
    seen = watch(0.0, **(PAUSED | more))
    work = shared(room_a, seen)
    assert (given(work)[0] > 0.0) is back
    if not back:
        began = more.get("fits_since", AT - 60.0)
        assert seen.fits_since == (None if room_a < 8.0 else began or AT)


def test_who_still_runs_needs_no_such_wait() -> None:
    """R12: he was refused a moment ago and is not off yet."""
    assert given(shared(6.0, watch(6.0, room_paused=True))) == [6.0]


@pytest.mark.parametrize(("spare_a", "since"), [(2.0, AT - 9.0), (1.9, None)])
def test_room_that_is_gone_begins_the_minute_anew(spare_a: float, since: float | None) -> None:
    """B08: two amperes beside the floor."""
    seen = watch(0.0, room_paused=True, fits_since=AT - 9.0)
    allocate(shared(6.0 + spare_a, seen))
    assert seen.fits_since == since


@pytest.mark.parametrize(
    ("fixed_a", "room_a", "target_a"),
    [(0.0, 6.0, 6.0), (4.0, 6.0, 6.0), (4.0, 5.9, 0.0), (8.05, 8.05, 8.0), (8.05, 20.0, 19.9), (40.0, 40.0, 32.0)],
)
def test_what_stays_at_any_limit_is_given_first(fixed_a: float, room_a: float, target_a: float) -> None:
    """R12: it costs nothing more; on top of it only the rest of the floor is needed."""
    work = shared(room_a, watch(16.0))
    work.fixed_a = [fixed_a]
    assert given(work) == [target_a]


@pytest.mark.parametrize(
    ("seen", "mine", "u_a", "used", "left_a"),
    [
        (watch(10.0), False, 14.0, 0b111, 86.0),
        (watch(10.0, measured_a=(20.0, 0.0, 0.0)), False, 14.0, 0b111, 80.0),
        (watch(10.0, measured_a=(20.0, 3.0, 0.0)), False, 14.0, 0b001, 80.0),
        (watch(0.0), True, 0.0, 0b111, 100.0),
        (watch(0.0, measured_a=(5.0, 0.0, 0.0)), True, 0.0, 0b111, 95.0),
    ],
)
def test_what_no_target_moves_is_taken_out_of_the_room(
    seen: Watch, mine: bool, u_a: float, used: int, left_a: float
) -> None:
    """R6, R12: the booked current of others, and what flows above a set point."""
    other = watch(6.0)
    work = lay([seen, other], [Box(max_a=100.0, hw_a=100.0), Box(max_a=100.0, hw_a=100.0)], [feeder("grid", 200.0)])
    work.room_a = [100.0] * 3
    work.allocatable = [mine and False, True]
    work.demands = {o.id: demand(100.0) for o in work.tree.outlets}
    work.u_a, work.used = [u_a, 0.0], [used, 0b111]
    if mine:
        work.allocatable[0] = True
        work.demands[work.tree.outlets[0].id] = demand(0.0)
    allocate(work)
    assert work.targets == [0.0, left_a]
    assert work.binder[0] == (OWN_MAXIMUM if mine else NOT_ALLOCATED)


@pytest.mark.parametrize(
    ("grace", "room_a", "last_a", "targets"),
    [
        (True, 3.0, 0.0, [6.0, 6.0]),
        (False, 3.0, 0.0, [0.0, 0.0]),
        (True, 3.0, 13.0, [7.0, 0.0]),
        (True, 13.0, 0.0, [6.5, 6.5]),
    ],
)
def test_a_meter_lost_a_moment_ago_leaves_the_floors_that_its_last_base_carried(
    grace: bool, room_a: float, last_a: float, targets: list[float]
) -> None:
    """R11: a pause only after 15 s."""
    work = shared(room_a, watch(6.0), watch(6.0))
    work.grace = [grace]
    work.base_cut, work.base_last = [17.0] * 3, [last_a] * 3
    assert given(work) == targets


@pytest.mark.parametrize(
    ("first", "second", "targets"),
    [
        (Priority.NORMAL, Priority.NORMAL, [15.0, 15.0]),
        (Priority.FLEET, Priority.NORMAL, [20.0, 10.0]),
        (Priority.EMERGENCY, Priority.NORMAL, [24.0, 6.0]),
        (Priority.GUEST, Priority.NORMAL, [10.0, 20.0]),
    ],
)
def test_all_that_there_is_is_shared_by_class(first: Priority, second: Priority, targets: list[float]) -> None:
    """B09: eight, four, two and one parts of the whole, a floor at least."""
    work = shared(30.0, watch(6.0), watch(6.0))
    ids = [o.id for o in work.tree.outlets]
    work.demands = {ids[0]: demand(priority=first), ids[1]: demand(priority=second)}
    assert given(work) == pytest.approx(targets, abs=0.11)


def test_a_need_goes_first_only_as_far_as_there_is_room() -> None:
    """B12: the tighter of two, then the other with what is left; a cell without room keeps nobody else from his."""
    feeders = [feeder("grid", 100.0), feeder("a", 63.0, "grid"), feeder("b", 63.0, "grid")]
    work = lay([watch(6.0), watch(6.0), watch(6.0)], [Box(feeder="a"), Box(feeder="b"), Box(feeder="b")], feeders)
    work.room_a = [60.0] * 3 + [6.0] * 3 + [40.0] * 3
    needs = [30.0, 20.0, 25.0]
    work.demands = {o.id: demand(need_a=n) for o, n in zip(work.tree.outlets, needs, strict=True)}
    assert given(work) == [6.0, 15.0, 25.0]

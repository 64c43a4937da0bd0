"""B11: whose offer is lowered, by how much, for how long, and who asks for it."""

import pytest

from siteward.control.memory import Unused, Watch
from siteward.control.unused import note_short, note_unused, reclaims
from siteward.control.work import Work
from tests.siteward.control.bench import AT, flight, lay, watch
from tests.siteward.control.sites import Box, feeder

READ_AT = AT - 0.4


def idler(draw_a: float, offer_a: float = 16.0, **more: object) -> Watch:
    """A car that draws less than its offer, on one phase most."""
    return watch(offer_a, measured_a=(0.0, draw_a, 0.0), drawing=draw_a > 1.0, **more)


def judged(seen: Watch, short: int = 1, box: Box | None = None) -> Unused:
    """What is remembered of its offer after a turn in which others are short."""
    work = lay([seen], [box or Box()])
    work.nodes[0].short = short
    note_unused(work)
    return seen.unused


@pytest.mark.parametrize(("draw_a", "since"), [(13.9, READ_AT), (14.0, None), (16.0, None), (0.0, READ_AT)])
def test_two_amperes_below_its_offer_is_unused(draw_a: float, since: float | None) -> None:
    """B11: by the read, on its highest phase."""
    assert judged(idler(draw_a)) == Unused(since=since)


def test_the_wait_counts_from_the_first_such_read() -> None:
    """B11: a later one does not begin anew, nor does one turn more without a read."""
    assert judged(idler(3.0, unused=Unused(since=AT - 30.0))) == Unused(since=AT - 30.0)


@pytest.mark.parametrize(("for_s", "cap_a"), [(59.9, None), (60.0, 10.0)])
def test_after_its_wait_the_offer_is_what_it_draws_and_two_more(for_s: float, cap_a: float | None) -> None:
    """B11: and counting ends."""
    found = judged(idler(8.0, unused=Unused(since=READ_AT - for_s)))
    assert found.cap_a == cap_a
    assert (found.since is None) is (cap_a is not None)
    assert found.after_s == 60.0


@pytest.mark.parametrize(("draw_a", "cap_a"), [(0.5, 6.0), (4.0, 6.0), (4.01, 6.1), (9.04, 11.1)])
def test_a_lowered_offer_is_whole_steps_and_never_below_the_floor(draw_a: float, cap_a: float) -> None:
    """B11: a car is never paused for leaving current."""
    assert judged(idler(draw_a, unused=Unused(since=AT - 100.0))).cap_a == cap_a


@pytest.mark.parametrize(("bound", "short", "lowered"), [(-1, 1, True), (-1, 0, False), (0, 1, False), (0, 2, True)])
def test_nobody_is_lowered_for_himself(bound: int, short: int, lowered: bool) -> None:
    """B11: somebody else on its path must be held down."""
    found = judged(idler(8.0, unused=Unused(since=AT - 100.0), bound=bound), short)
    assert (found.cap_a is not None) is lowered
    assert lowered or found.since == AT - 100.0


@pytest.mark.parametrize(
    ("draw_a", "offer_a", "back"), [(9.1, 10.0, True), (9.0, 10.0, False), (9.5, 10.1, False), (5.5, 6.0, True)]
)
def test_a_car_that_reaches_its_lowered_offer_gets_all_of_it_back(draw_a: float, offer_a: float, back: bool) -> None:
    """B11: at once; the next wait is twice as long. An offer that was not lowered yet proves nothing."""
    found = judged(idler(draw_a, offer_a, unused=Unused(cap_a=10.0, after_s=120.0)))
    assert found == (Unused(after_s=240.0, reclaimed_at=AT) if back else Unused(cap_a=10.0, after_s=120.0))


@pytest.mark.parametrize(("after_s", "next_s"), [(60.0, 120.0), (449.0, 898.0), (480.0, 900.0), (900.0, 900.0)])
def test_no_wait_is_longer_than_a_quarter_of_an_hour(after_s: float, next_s: float) -> None:
    """B11: but it never shrinks within a session."""
    assert judged(idler(10.0, 10.0, unused=Unused(cap_a=10.0, after_s=after_s))).after_s == next_s


def test_a_write_under_way_begins_the_wait_anew() -> None:
    """B11: what it draws then says nothing of the next offer."""
    assert judged(idler(3.0, flights=(flight(20.0),), unused=Unused(since=AT - 30.0))) == Unused()
    assert judged(idler(3.0, flights=(flight(20.0),), unused=Unused(cap_a=10.0))) == Unused(cap_a=10.0)


@pytest.mark.parametrize(("old_s", "judged_now"), [(5.0, True), (5.1, False)])
def test_an_old_read_says_nothing(old_s: float, judged_now: bool) -> None:
    """B11: neither for nor against."""
    seen = idler(3.0, read_at=AT - old_s)
    assert (judged(seen).since is not None) is judged_now


@pytest.mark.parametrize("why", ["paused", "unknown", "blind", "not its turn"])
def test_who_cannot_be_judged_has_his_whole_offer_and_keeps_his_wait(why: str) -> None:
    """B11: paused, unread, unmeasured or not to be given current: nothing of the cap stays, its patience does."""
    conf_a = {"paused": 0.0, "unknown": None}.get(why, 16.0)
    for held in (Unused(since=AT - 5.0, after_s=240.0), Unused(cap_a=8.0, after_s=240.0, reclaimed_at=AT - 3.0)):
        seen = watch(conf_a, measured_a=(3.0, 3.0, 3.0), unused=held)
        work = lay([seen], [Box(measures=why != "blind")])
        work.nodes[0].short = 1
        if why == "not its turn":
            work.allocatable = [False]
        note_unused(work)
        assert seen.unused == Unused(after_s=240.0)


def test_who_left_nothing_has_nothing_to_forget() -> None:
    """B11: what it took back a moment ago still lets its raise jump."""
    held = Unused(after_s=120.0, reclaimed_at=AT - 3.0)
    assert judged(watch(0.0, unused=held)) == held


@pytest.mark.parametrize(("ago_s", "jumps"), [(0.0, True), (9.9, True), (10.0, False)])
def test_it_may_jump_for_ten_seconds(ago_s: float, jumps: bool) -> None:
    """B11: into free room."""
    assert reclaims(watch(unused=Unused(reclaimed_at=AT - ago_s)), AT) is jumps


def bound(binders: list[int]) -> Work:
    """A turn after targets were bound by these cells, under a grid and a row."""
    feeders = [feeder("grid", 63.0), feeder("row", 40.0, "grid")]
    work = lay([watch(bound=9) for _ in binders], [Box(feeder="row") for _ in binders], feeders)
    for n in work.nodes:
        n.short = 5
    work.binder = binders
    note_short(work)
    return work


@pytest.mark.parametrize(
    ("binder", "node"), [(0, 0), (2, 0), (3, 1), (5, 1), (-10, 0), (-12, 0), (-13, 1), (-1, -1), (-2, -1), (-3, -1)]
)
def test_who_was_held_down_by_which_feeder(binder: int, node: int) -> None:
    """B11, S-20: a cell that bound a target, or that had no room for a floor, is one of its feeder."""
    work = bound([binder])
    assert work.watches[0].bound == node
    assert [n.short for n in work.nodes] == [int(node == 0), int(node == 1)]


def test_every_outlet_that_a_feeder_held_down_counts() -> None:
    """B11: today's only."""
    assert [n.short for n in bound([3, -14, -1, 0]).nodes] == [1, 2]

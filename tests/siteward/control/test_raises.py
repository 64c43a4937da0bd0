"""Step 10 (R13, B07): what holds a raise, how far it goes, what it books, and what is written again."""

from dataclasses import replace

import pytest

from siteward.control.memory import NEVER, Unused, Watch
from siteward.control.raises import has_room, note_room, raise_all, settle_late
from siteward.control.work import Wait, Work
from siteward.model.limits import Cause
from siteward.model.wire import WriteKind
from tests.siteward.control.bench import AT, TURN, flight, lay, watch
from tests.siteward.control.sites import Box, feeder

LONG_AGO = AT - 100.0


def ready(target_a: float = 32.0, conf_a: float | None = 10.0, free_a: float = 100.0, **more: object) -> Work:
    """One outlet whose target is above what it has, with so much free on its one fuse."""
    box = more.pop("box", Box())
    assert isinstance(box, Box)
    work = lay([watch(conf_a, **({"last_raise": LONG_AGO} | more))], [box], [feeder("grid", 200.0)])
    work.targets = [target_a]
    work.raiseline = [total + free_a for total in work.total_a]
    return work


def raised(work: Work) -> float | None:
    """The limit that the outlet is raised to, None where its raise waits."""
    raise_all(work)
    return work.raises[0][1].value_a if work.raises else None


def test_a_raise_is_one_step_of_the_ramp_and_booked_at_once() -> None:
    """R4, B07, R13: 0.5 A/s for 5 s; in U, in the fuse's sums and in the node's ramp from now on."""
    work = ready()
    assert raised(work) == 12.5
    gain, write = work.raises[0]
    assert (gain, write.kind, write.raises, write.turn) == (2.5, WriteKind.LIMIT, True, TURN)
    assert work.total_a == [12.5, 12.5, 12.5]
    assert work.booked == [(12.5, 12.5, 12.5)]
    assert work.u_a == [12.5]
    assert work.nodes[0].lifted_a == 2.5
    seen = work.watches[0]
    assert seen.last_raise == AT
    assert seen.limit_a == 12.5
    assert seen.phases_known_at == NEVER
    assert work.waits == {}


@pytest.mark.parametrize(("target_a", "wanted"), [(10.0, False), (9.0, False), (10.1, True)])
def test_only_who_is_below_his_target_is_raised(target_a: float, wanted: bool) -> None:
    """R13: and who may be given current."""
    work = ready(target_a)
    assert (raised(work) == target_a) is wanted
    work = ready(target_a)
    work.allocatable = [False]
    assert raised(work) is None
    assert work.waits == {}


HELD = [
    ({"held_a": 0.1}, Cause.CONFIRMING, None),
    ({"flights": (flight(8.0),)}, Cause.CONFIRMING, None),
    ({"last_raise": AT - 4.9}, Cause.RAMP, None),
    ({"conf_a": 0.0, "rests_until": AT + 0.1}, Cause.START_DELAY, None),
]


@pytest.mark.parametrize(("more", "cause", "node"), HELD)
def test_what_holds_a_raise_whatever_the_room(more: dict[str, object], cause: Cause, node: int | None) -> None:
    """S-20: told by its cause."""
    work = ready(**({"conf_a": 10.0} | more))  # type: ignore[arg-type]
    assert raised(work) is None
    assert work.waits == {0: Wait(cause, node)}
    assert work.total_a[0] == (work.watches[0].conf_a or 0.0)


@pytest.mark.parametrize(
    "more", [{"last_raise": AT - 5.0}, {"rests_until": AT + 9.0}, {"conf_a": 0.0, "rests_until": AT}]
)
def test_and_what_does_not(more: dict[str, object]) -> None:
    """B07: a start delay holds a start only, and up to its very end."""
    assert raised(ready(**({"conf_a": 10.0} | more))) is not None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("trouble", "wait"),
    [
        ("gap", Wait(Cause.CLOCK_GAP)),
        ("frozen", Wait(Cause.METER_STALE, 0)),
        ("shed", Wait(Cause.AFTER_SHED, 0)),
        ("shed long ago", None),
    ],
)
def test_trouble_of_its_feeders_holds_it(trouble: str, wait: Wait | None) -> None:
    """R10, R13, R17: a gap, a stale meter, 30 s after a shed."""
    work = ready()
    work.gap_at = AT - 1.0 if trouble == "gap" else None
    work.frozen = [trouble == "frozen"]
    work.nodes[0].shed_at = {"shed": AT - 29.9, "shed long ago": AT - 30.0}.get(trouble, NEVER)
    assert (raised(work) is None) is (wait is not None)
    assert work.waits.get(0) == wait


@pytest.mark.parametrize(
    ("free_a", "value_a"), [(2.5, 12.5), (2.4, 12.4), (0.15, 10.1), (0.05, None), (0.0, None), (-0.1, None)]
)
def test_it_takes_no_more_than_is_free(free_a: float, value_a: float | None) -> None:
    """R13: whole steps below; otherwise it waits for the fuse, by name."""
    work = ready(free_a=free_a, promised_until=AT + 1.0)
    assert raised(work) == value_a
    assert work.waits == ({} if value_a else {0: Wait(Cause.FUSE, 0)})


@pytest.mark.parametrize(("since_s", "promised_s", "raised_now"), [(10.0, 0.0, True), (9.9, 0.0, False)])
def test_room_must_have_stood_for_ten_seconds(since_s: float, promised_s: float, raised_now: bool) -> None:
    """R13: on every phase of its path."""
    for phase in range(3):
        work = ready()
        since = [AT - 60.0] * 3
        since[phase] = AT - since_s
        work.nodes[0].room_since = (since[0], since[1], since[2])
        assert (raised(work) is not None) is raised_now
    work.nodes[0].room_since = (AT - 60.0, None, AT - 60.0)
    work.raises.clear()
    work.raiseline = [total + 1.9 for total in work.total_a]
    assert raised(work) is None


@pytest.mark.parametrize(("left_s", "raised_now"), [(0.1, True), (0.0, False)])
def test_current_that_was_cut_for_somebody_needs_no_such_wait(left_s: float, raised_now: bool) -> None:
    """R12: it was promised; so was what a car left and takes back, up to its target at once (B11)."""
    work = ready(promised_until=AT + left_s, free_a=1.5)
    assert (raised(work) == 11.5) is raised_now
    again = ready(20.0, unused=Unused(reclaimed_at=AT - 9.0), free_a=50.0)
    again.nodes[0].lifted_a = 1000.0
    assert raised(again) == 20.0


@pytest.mark.parametrize(
    ("conf_a", "target_a", "value_a"), [(0.0, 32.0, 6.0), (0.0, 6.0, 6.0), (0.0, 5.9, None), (4.0, 32.0, 6.5)]
)
def test_a_start_is_a_floor_at_least_or_nothing(conf_a: float, target_a: float, value_a: float | None) -> None:
    """B07: below 6 A no car may draw; its phases are unknown for 10 s from then on (R9)."""
    work = ready(target_a, conf_a, quiet=(None, AT - 50.0, AT - 50.0))
    assert raised(work) == value_a
    seen = work.watches[0]
    assert seen.phases_known_at == (AT + 10.0 if value_a else NEVER)
    assert seen.quiet == ((None, None, None) if value_a else (None, AT - 50.0, AT - 50.0))


def test_a_target_below_the_floor_waits_for_its_ramp() -> None:
    """S-20: there is room, so nobody is short of any."""
    work = ready(5.9, 0.0)
    raise_all(work)
    assert work.waits == {0: Wait(Cause.RAMP)}


@pytest.mark.parametrize(("ago_s", "value_a"), [(5.0, 12.5), (600.0, 12.5), (7.0, 12.5)])
def test_time_that_was_not_used_does_not_add_up(ago_s: float, value_a: float) -> None:
    """B07: five seconds of the ramp at most."""
    assert raised(ready(last_raise=AT - ago_s)) == value_a


def test_a_coarse_box_rises_by_one_of_its_steps() -> None:
    """B07: when the ramp reached it: 4 A take 8 s."""
    coarse = Box(step_a=4.0)
    assert raised(ready(conf_a=8.0, box=coarse, last_raise=AT - 8.0)) == 12.0
    assert raised(ready(conf_a=8.0, box=coarse, last_raise=AT - 7.9)) is None


@pytest.mark.parametrize(("lifted_a", "value_a"), [(0.0, 12.5), (47.5, 12.5), (47.6, None)])
def test_all_raises_below_a_node_share_its_ramp(lifted_a: float, value_a: float | None) -> None:
    """B07: 5 % of 200 A a second, five seconds of it; the first is never too much."""
    work = ready()
    work.memory = replace(work.memory, at=AT)
    work.nodes[0].lifted_a = lifted_a
    assert raised(work) == value_a
    assert work.waits.get(0) == (None if value_a else Wait(Cause.RAMP))


def test_the_most_wanting_go_first_and_each_takes_from_the_next() -> None:
    """R13: by what is missing, then by name; total U never passes the line."""
    work = lay([watch(10.0, last_raise=LONG_AGO) for _ in range(3)], feeders=[feeder("grid", 200.0)])
    work.targets = [12.0, 16.0, 16.0]
    work.raiseline = [34.0] * 3
    raise_all(work)
    assert [(w.connector, w.value_a) for _, w in work.raises] == [("c01", 12.5), ("c02", 11.5)]
    assert work.waits == {0: Wait(Cause.FUSE, 0)}
    assert work.total_a == [34.0] * 3


def test_the_tightest_feeder_of_the_path_is_named() -> None:
    """S-20: not the next one, not the last."""
    feeders = [feeder("grid", 200.0), feeder("row", 100.0, "grid"), feeder("rack", 63.0, "row")]
    work = lay([watch(10.0, last_raise=LONG_AGO)], [Box(feeder="rack", wiring="231")], feeders)
    work.targets = [16.0]
    work.raiseline = [10.04, 20.0, 20.0, 20.0, 20.0, 10.03, 10.05, 20.0, 20.0]
    raise_all(work)
    assert work.waits == {0: Wait(Cause.FUSE, 1)}


def lends(free_a: float, lent_a: float = 100.0) -> Work:
    """A car on its first phase: the fuses of the others only see what they would carry after its restart."""
    work = ready(free_a=free_a)
    work.used, work.booked = [0b001], [(10.0, 0.0, 0.0)]
    work.total_a = [10.0, 30.0, 30.0]
    work.raiseline = [10.0 + free_a, 31.0, 31.0]
    work.lent_line = [100.0, 30.0 + lent_a, 30.0 + lent_a]
    return work


@pytest.mark.parametrize(("lent_a", "value_a"), [(100.0, 12.5), (12.5, 12.5), (12.4, 12.4), (9.0, None), (-0.1, None)])
def test_a_lent_phase_bounds_the_whole_limit(lent_a: float, value_a: float | None) -> None:
    """R9, 6c: what the car does not draw there is not booked, what it may draw must fit for ten seconds."""
    work = lends(50.0, lent_a)
    assert raised(work) == value_a
    if value_a is None:
        return
    assert work.booked == [(value_a, 0.0, 0.0)]
    assert work.total_a == [value_a, 30.0, 30.0]
    assert work.lent_a == [0.0, value_a, value_a]
    assert work.raiseline == [60.0, *[min(31.0, 30.0 + lent_a - value_a)] * 2]


def test_what_is_measured_or_reserved_above_the_new_limit_stays_booked() -> None:
    """R6: a raise frees nothing."""
    work = ready(measured_a=(14.0, 0.0, 0.0))
    work.booked, work.u_a = [(14.0, 13.0, 13.0)], [13.0]
    work.total_a = [14.0, 13.0, 13.0]
    assert raised(work) == 12.5
    assert work.booked == [(14.0, 13.0, 13.0)]
    assert work.total_a == [14.0, 13.0, 13.0]
    assert work.u_a == [13.0]


def test_room_is_noted_per_phase_and_the_ramp_drains() -> None:
    """R13: 2 A on the phase; since the first turn that saw them."""
    work = ready()
    n = work.nodes[0]
    n.room_since, n.lifted_a = (AT - 20.0, AT - 20.0, None), 25.0
    work.raiseline = [12.0, 11.9, 12.0]
    work.memory = replace(work.memory, at=AT - 2.0)
    note_room(work)
    assert n.room_since == (AT - 20.0, None, AT)
    assert n.lifted_a == 5.0
    note_room(work)
    assert n.lifted_a == 0.0


def test_time_that_ran_backwards_fills_no_ramp() -> None:
    """Law 9: never."""
    work = ready()
    work.nodes[0].lifted_a = 3.0
    work.memory = replace(work.memory, at=AT + 5.0)
    note_room(work)
    assert work.nodes[0].lifted_a == 3.0


@pytest.mark.parametrize(("over_a", "fits"), [(0.0, True), (0.001, False), (-1.0, True)])
def test_room_is_asked_on_each_phase_that_counts(over_a: float, fits: bool) -> None:
    """R9: a phase that the car leaves alone does not."""
    for phase in range(3):
        work = ready()
        work.raiseline[phase] = 10.0 - over_a
        assert has_room(work, work.tree.outlets[0]) is fits
        work.used = [0b111 & ~(1 << phase)]
        assert has_room(work, work.tree.outlets[0])


def late(value_a: float, conf_a: float | None = 10.0, sent_ago_s: float | None = 1.0, **more: object) -> Watch:
    """A box whose newest frame had no answer."""
    sent_at = None if sent_ago_s is None else AT - sent_ago_s
    return watch(conf_a, flights=(flight(value_a, sent_at=sent_at, late=True, sends=1, **more),))


def settled(seen: Watch, target_a: float = 16.0, free_a: float = 100.0) -> list[tuple[str, float, bool]]:
    """What is written again."""
    work = lay([seen], feeders=[feeder("grid", 200.0)])
    work.targets = [target_a]
    work.raiseline = [total + free_a for total in work.total_a]
    settle_late(work)
    assert all(more == 0.0 for more, _ in (*work.cuts, *work.raises))
    found = [("cut", w.value_a, w.raises) for _, w in work.cuts]
    return found + [("raise", w.value_a, w.raises) for _, w in work.raises]


@pytest.mark.parametrize(
    ("value_a", "target_a", "free_a", "written"),
    [
        (8.0, 16.0, 9.0, ("cut", 8.0, False)),
        (10.0, 16.0, 9.0, ("cut", 10.0, False)),
        (10.01, 16.0, 9.0, ("cut", 10.01, False)),
        (12.5, 16.0, 9.0, ("raise", 12.5, True)),
        (12.5, 12.5, 0.0, ("raise", 12.5, True)),
        (12.5, 12.4, 9.0, ("cut", 10.0, False)),
        (12.5, 16.0, -0.1, ("cut", 10.0, False)),
        (12.6, 16.0, 9.0, ("cut", 10.0, False)),
    ],
)
def test_an_open_frame_is_written_again_or_taken_back(
    value_a: float, target_a: float, free_a: float, written: tuple[str, float, bool]
) -> None:
    """R4: a raise only while it is still due, still fits and is still one step of the ramp."""
    assert settled(late(value_a), target_a, free_a) == [written]


@pytest.mark.parametrize(("conf_a", "value_a", "written"), [(0.0, 6.0, "raise"), (0.0, 6.1, "cut")])
def test_a_start_may_be_written_again_at_the_floor(conf_a: float, value_a: float, written: str) -> None:
    """B07: which no ramp forbids."""
    assert settled(late(value_a, conf_a))[0][0] == written


@pytest.mark.parametrize("seen", [late(8.0, sent_ago_s=0.9), late(8.0, sent_ago_s=None), late(8.0, None), watch()])
def test_what_may_still_be_answered_or_is_unknown_is_left(seen: Watch) -> None:
    """R4: within a second of its sending, never sent, nothing read, nothing open."""
    assert settled(seen) == []


def test_an_answered_frame_is_left() -> None:
    """R4: the read will tell."""
    assert settled(late(8.0, answered_at=AT - 0.9)) == []


def test_a_gap_or_a_restart_takes_every_open_raise_back() -> None:
    """R17, B07: it was decided before."""
    for which in ("gap", "restart"):
        work = lay([late(12.0)], feeders=[feeder("grid", 200.0)])
        work.targets = [16.0]
        if which == "gap":
            work.gap_at = AT
        else:
            work.watches[0].rests_until = AT + 0.1
        settle_late(work)
        assert [w.value_a for _, w in work.cuts] == [10.0]


def test_one_that_is_passed_over_does_not_end_the_round() -> None:
    """R4: the unreachable, the written, the answered; then the next outlet has its turn."""
    watches = [late(8.0), late(8.0), late(8.0, answered_at=AT), late(8.0)]
    work = lay(watches, feeders=[feeder("grid", 200.0)])
    work.reachable[0] = False
    work.order(work.tree.outlets[1], 7.0, raises=False)
    settle_late(work)
    assert [w.connector for _, w in work.cuts] == ["c03"]

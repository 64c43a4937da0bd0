"""Step 5 (R10, R11): the other load of a feeder reading by reading, at the bounds of every age."""

from __future__ import annotations

from dataclasses import replace

import pytest

from siteward.control.base import judge_base
from siteward.control.memory import NEVER
from siteward.model.ids import FeederId, MeterId
from siteward.model.readings import MeterReading
from tests.siteward.control.base_bench import GRID, LISTS, METER, ZERO, judged, node, reading, row, three
from tests.siteward.control.bench import AT, alarms, lay, lay_site, watch
from tests.siteward.control.sites import Box, feeder, site


def test_without_a_meter_the_worst_case_counts() -> None:
    """R10: for all three, neither frozen nor in grace."""
    work = judged(grid=feeder("grid", 63.0, worst=(10.0, 20.0, 30.0)))
    for name in LISTS[:3]:
        assert getattr(work, name) == [10.0, 20.0, 30.0]
    assert (work.over_meter, work.frozen, work.grace) == ([False] * 3, [False], [False])


def test_other_load_is_what_the_meter_shows_above_the_chargers() -> None:
    """R10: on the phases that they are wired to."""
    seen = watch(6.0, measured_a=(6.0, 5.0, 4.0))
    work = judged(node(row(9.0, 9.0)), reading((20.0, 21.0, 22.0)), seen, box=Box(wiring="231"))
    n = work.nodes[0]
    assert n.window[-1][:4] == (AT - 0.1, (16.0, 15.0, 17.0), (4.0, 6.0, 5.0), (20.0, 21.0, 22.0))
    assert (n.load_a, n.meter_at, n.partial) == ((20.0, 21.0, 22.0), AT - 0.1, False)
    assert work.base_raise == [16.0, 15.0, 17.0]
    assert work.base_cut == [9.0, 9.0, 9.0]
    assert work.base_last == [16.0, 15.0, 17.0]


@pytest.mark.parametrize(
    ("answer", "taken"),
    [
        (reading(20.0), True),
        (reading(20.0, 0.5), False),
        (reading((20.0, float("nan"), 20.0)), False),
        (MeterReading(METER, AT, None), False),
    ],
)
def test_a_reading_counts_once_and_only_whole(answer: MeterReading, taken: bool) -> None:
    """R10: a newer one with a number on each phase."""
    work = judged(node(), answer)
    assert (len(work.nodes[0].window) == 2) is taken


@pytest.mark.parametrize(("ago_s", "kept"), [(20.1, 2), (20.2, 1)])
def test_two_windows_are_remembered(ago_s: float, kept: int) -> None:
    """R10: counted back from the newest."""
    assert len(judged(node(row(ago_s, 5.0)), reading(20.0)).nodes[0].window) == kept


@pytest.mark.parametrize(
    ("u_a", "worst", "base"), [(16.0, 40.0, 30.0), (16.0, 20.0, 20.0), (16.0, 10.0, 14.0), (6.0, 20.0, 24.0)]
)
def test_a_charger_that_is_not_known_may_be_some_of_the_load(u_a: float, worst: float, base: float) -> None:
    """R10b: up to the worst case all may be other load, above it what he cannot draw."""
    seen = watch(None, read_at=AT - 60.0, booked_a=u_a)
    grid = feeder("grid", 63.0, worst=worst, metered=True)
    work = lay_site(site([grid], [Box()]), [seen])
    for name in LISTS:
        setattr(work, name, [])
    work.u_a = [u_a]
    work.snapshot = replace(work.snapshot, meters={METER: reading(30.0)})
    judge_base(work)
    assert work.base_raise == [base] * 3
    assert work.nodes[0].partial
    assert work.nodes[0].peak_a == ZERO


@pytest.mark.parametrize(
    ("age_s", "frozen", "lost", "grace"),
    [
        (2.8, False, False, False),
        (2.9, True, False, False),
        (4.8, True, False, False),
        (4.9, False, True, True),
        (14.8, False, True, True),
        (14.9, False, True, False),
    ],
)
def test_an_old_meter_freezes_then_is_substituted_then_pauses(
    age_s: float, frozen: bool, lost: bool, grace: bool
) -> None:
    """R10, R11: three, five and fifteen seconds, with the age that its value has already when it answers."""
    work = judged(node(age_s=age_s))
    assert (work.frozen, work.grace) == ([frozen], [grace])
    assert work.nodes[0].substituted is lost
    assert alarms(work) == ({("METER_LOST", "m-grid")} if lost else set())
    assert work.base_cut == ([40.0] * 3 if lost else [10.0] * 3)


@pytest.mark.parametrize(("since_s", "lost"), [(4.8, False), (4.9, True)])
def test_a_meter_never_read_counts_from_the_start(since_s: float, lost: bool) -> None:
    """R14: it forces nobody at first, and gives nobody anything."""
    work = lay_site(site([GRID], [Box()]), [watch(0.0)])
    for name in LISTS:
        setattr(work, name, [])
    work.memory = replace(work.memory, started_at=AT - since_s)
    judge_base(work)
    assert work.base_cut == [40.0 if lost else 0.0] * 3
    assert work.base_raise == [40.0] * 3
    assert (work.frozen, work.grace) == ([not lost], [lost])
    assert not work.nodes[0].substituted


def test_a_meter_that_comes_back_is_a_shed() -> None:
    """R11: raises wait half a minute."""
    work = judged(node(substituted=True))
    assert (work.nodes[0].substituted, work.nodes[0].shed_at) == (False, AT)
    assert judged(node()).nodes[0].shed_at == NEVER


@pytest.mark.parametrize(
    ("more", "rows", "stands"),
    [
        ({"peak_a": three(30.0)}, (), 40.0),
        ({"peak_a": three(40.0)}, (), 44.0),
        ({"peak_before_a": three(50.0)}, (), 55.0),
        ({}, (row(10.0, 60.0),), 60.0),
        ({}, (row(10.1, 60.0),), 40.0),
        ({}, (row(9.0, 30.0, cut=50.0),), 50.0),
    ],
)
def test_what_stands_in_is_the_highest_of_all_that_is_known(
    more: dict[str, object], rows: tuple[object, ...], stands: float
) -> None:
    """R11: the configured worst case, a tenth above the peaks of a month, the last value for ten seconds."""
    n = node(*rows, age_s=9.0, **more)
    work = judged(n)
    assert work.base_cut == work.base_raise == pytest.approx([stands] * 3)
    assert work.base_last == [n.window[-1][4][0]] * 3


def test_where_only_chargers_hang_nothing_stands_in() -> None:
    """R11."""
    work = judged(node(age_s=9.0, peak_a=three(50.0)), grid=feeder("grid", 63.0, metered=True))
    assert work.base_cut == [0.0] * 3


@pytest.mark.parametrize(("load", "implausible"), [(98.0, True), (97.9, False)])
def test_a_meter_at_the_end_of_its_range_is_not_believed(load: float, implausible: bool) -> None:
    """R11: 98 % of it on any phase; no grace while it is."""
    work = judged(node(row(0.5, (0.0, 0.0, 5.0)), load_a=(0.0, 0.0, load)), range_a=100.0)
    assert alarms(work) == ({("METER_IMPLAUSIBLE", "m-grid")} if implausible else set())
    late = judged(node(row(8.0, 5.0), age_s=8.0, load_a=(0.0, 0.0, load)), range_a=100.0)
    assert late.grace == [not implausible]
    assert alarms(late) == {("METER_LOST", "m-grid")}


def test_cuts_follow_the_lowest_of_three_raises_the_highest_of_a_window() -> None:
    """R10: one dip lowers nobody, one peak raises nobody."""
    rows = (row(11.0, 50.0), row(9.0, 20.0), row(3.0, 12.0, cut=13.0), row(2.0, 15.0), row(0.5, 14.0))
    work = judged(node(*rows))
    assert (work.base_cut, work.base_raise, work.base_last) == ([13.0] * 3, [20.0] * 3, [14.0] * 3)
    assert work.nodes[0].cut_a == three(13.0)


def test_no_room_for_a_raise_is_more_than_a_cut_would_leave() -> None:
    """R10: a base held up for cuts holds for both; none is below zero."""
    held = judged(node(row(0.5, 10.0, cut=17.0)))
    assert (held.base_cut, held.base_raise, held.base_last) == ([17.0] * 3, [17.0] * 3, [17.0] * 3)
    less = judged(node(row(0.5, -2.0)))
    assert (less.base_cut, less.base_raise, less.base_last) == ([0.0] * 3, [0.0] * 3, [0.0] * 3)


def test_an_old_window_counts_with_its_last_value() -> None:
    """R10: when nothing newer is there."""
    work = judged(node(row(12.0, 30.0), row(11.0, 20.0), age_s=2.0))
    assert work.base_raise == [20.0] * 3


@pytest.mark.parametrize(("load", "over"), [(63.1, True), (63.0, False)])
def test_over_its_fuse_the_last_reading_counts_alone(load: float, over: bool) -> None:
    """R10: phase by phase."""
    n = node(row(2.0, 5.0), row(0.5, 60.0))
    n.load_a = (10.0, load, 10.0)
    work = judged(n)
    assert work.over_meter == [False, over, False]
    assert work.base_cut == [5.0, 60.0 if over else 5.0, 5.0]


def test_a_peak_is_what_stood_for_a_whole_window() -> None:
    """R11: less what the chargers moved in it; kept in halves of a month."""
    rows = (row(10.2, 44.0, 2.0), row(5.0, 46.0, 5.0))
    n = judged(node(*rows, peak_from=AT - 60.0), reading(45.0)).nodes[0]
    assert n.peak_a == three(45.0 - 5.0)
    high = judged(node(*rows, peak_from=AT - 60.0, peak_a=three(50.0)), reading(45.0)).nodes[0]
    assert high.peak_a == three(50.0)
    short = judged(node(row(10.0, 44.0), peak_from=AT - 60.0), reading(45.0)).nodes[0]
    assert short.peak_a == ZERO


@pytest.mark.parametrize(("days", "turned"), [(15.0, False), (15.1, True)])
def test_peaks_are_those_of_this_half_of_a_month_and_the_last(days: float, turned: bool) -> None:
    """R11."""
    n = node(peak_from=AT - days * 86400.0 - 0.1, peak_a=three(30.0), peak_before_a=three(50.0))
    after = judged(n, reading(10.0)).nodes[0]
    assert after.peak_before_a == three(30.0 if turned else 50.0)
    assert after.peak_from == (AT - 0.1 if turned else AT - days * 86400.0 - 0.1)
    assert after.peak_a == (ZERO if turned else three(30.0))


def test_each_feeder_has_its_own_meter() -> None:
    """R10: one after the other, in the order of the tree."""
    nodes = [
        GRID,
        replace(feeder("row", 40.0, "grid", worst=9.0), meter=None),
        feeder("rack", 20.0, "row", metered=True),
    ]
    work = lay([watch(0.0, measured_a=ZERO)], [Box(feeder="rack")], nodes)
    for name in LISTS:
        setattr(work, name, [])
    rack = MeterReading(MeterId("m-rack"), AT - 0.1, three(7.0))
    work.snapshot = replace(work.snapshot, meters={METER: reading(20.0), rack.meter: rack})
    judge_base(work)
    assert work.base_raise == [20.0] * 3 + [9.0] * 3 + [7.0] * 3
    assert [n.id for n in work.tree.fuses] == [FeederId("grid"), FeederId("row"), FeederId("rack")]

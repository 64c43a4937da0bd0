"""R1 to R3, R8, R10, B07: what a turn reads off a site, number by number, from what its profiles declare."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest

from siteward.control.routes import NodeKind
from siteward.control.tree import Outlet, margin_a, overload, step_down, step_up, tree_of
from siteward.model.facts import ChargerFacts, FailsafeFacts, ResetBy
from siteward.model.ids import FeederId, LineId
from siteward.model.limits import Limit, LimitSource, OnLimitExpiry
from siteward.model.site import Site, StaticLimit
from tests.fixtures.bounds import k
from tests.siteward.control.sites import METER, Box, feeder, site


def built(box: Box | None = None, **changed: object) -> Site:
    """One box below a row below the grid, with some of its facts changed."""
    made = site([feeder("grid", 100.0), feeder("row", 40.0, "grid")], [replace(box or Box(), feeder="row")])
    charger = made.chargers[0]
    c = charger.connectors[0]
    facts: ChargerFacts = replace(c.facts, **changed)  # type: ignore[arg-type]
    return replace(made, chargers=(replace(charger, connectors=(replace(c, facts=facts),)),))


def outlet(box: Box | None = None, **changed: object) -> Outlet:
    """That box as a turn sees it."""
    return tree_of(built(box, **changed)).outlets[0]


def test_an_outlet_is_what_its_profile_says() -> None:
    """R1: where it hangs, how it is wired, its steps and bounds."""
    o = outlet(Box(wiring="231", line="bus-7", max_a=20.04, hw_a=25.0, fs_a=8.0, step_a=0.5))
    assert (o.index, o.id, o.line, o.path, o.phases, o.wired) == (0, "c00", LineId("bus-7"), (1, 0), 3, (1, 2, 0))
    assert o.by_phase == ((4, 1), (5, 2), (3, 0))
    assert o.cells[0b010] == (5, 2)
    assert o.cells[0b111] == (4, 1, 5, 2, 3, 0)
    assert o.wide is o.routes[0]
    assert (o.all_mask, o.alone, o.switchable) == (0b111, True, False)
    assert (o.hw_a, o.cap_a, o.floor_a, o.step_a, o.fs_a) == (25.0, 20.0, 6.0, 0.5, 8.0)
    assert (o.has_watchdog, o.tw_s, o.watch_s, o.lease_s) == (True, 15.0, 15.0, 5.0)
    assert (o.min_silence_s, o.apply_s, o.ramp_a_s, o.raise_every_s) == (3.0, 0.2, 0.5, 5.0)
    assert (o.start_delay_s, o.start_seed) == (built().start_delay_s, "test c00")
    assert outlet(Box(wiring="2")).all_mask == 0b1


def test_its_watchdog_lasts_as_long_as_it_may_at_most() -> None:
    """R1: its tolerance on top; a lease ends twice within its time."""
    fs = FailsafeFacts(8.0, 0.25, ResetBy.ANY_REQUEST, built().connectors[0].facts.failsafe.on_expiry, True, True)  # type: ignore[union-attr]
    o = outlet(failsafe=fs)
    assert (o.tw_s, o.watch_s, o.lease_s) == (8.0, 10.0, 4.0)
    none = outlet(Box(tw_s=None, fs_a=9.0))
    assert (none.has_watchdog, none.tw_s, none.watch_s, none.lease_s, none.fs_a) == (False, 0.0, 0.0, 5.0, 6.0)


@pytest.mark.parametrize(
    ("reset_by", "read", "may_read", "limit", "other", "refresh_s"),
    [
        (ResetBy.ANY_TRAFFIC, True, True, True, False, None),
        (ResetBy.ANY_REQUEST, True, True, True, False, None),
        (ResetBy.LIMIT_WRITE, False, False, True, False, 5.0),
        (ResetBy.HEARTBEAT, False, False, False, True, None),
        (ResetBy.UNKNOWN, False, True, True, False, 5.0),
    ],
)
def test_what_feeds_a_watchdog(
    reset_by: ResetBy, read: bool, may_read: bool, limit: bool, other: bool, refresh_s: float | None
) -> None:
    """R2: for certain, and perhaps; what only a write feeds is refreshed in a quarter of its time."""
    o = outlet(Box(reset_by=reset_by, tw_s=20.0))
    assert (o.read_feeds, o.read_may_feed, o.limit_feeds, o.other_feeds) == (read, may_read, limit, other)
    assert o.refresh_s == refresh_s
    bare = outlet(Box(tw_s=None))
    assert (bare.read_feeds, bare.read_may_feed, bare.limit_feeds, bare.other_feeds) == (False,) * 4
    assert bare.refresh_s is None


@pytest.mark.parametrize(("hold_s", "short"), [(None, False), (10.0, True), (10.1, False), (3.0, True)])
def test_a_short_hold_is_over_before_a_fuse_warms(hold_s: float | None, short: bool) -> None:
    """R3: within ten seconds."""
    assert outlet(Box(hold_s=hold_s)).short_hold is short


@pytest.mark.parametrize(("interval_s", "every_s"), [(1.0, 5.0), (5.0, 5.0), (12.0, 12.0)])
def test_raises_wait_for_the_device(interval_s: float, every_s: float) -> None:
    """B07: and five seconds at least."""
    limit = replace(built().connectors[0].facts.limit, raise_interval_s=interval_s)
    assert outlet(limit=limit).raise_every_s == every_s


@pytest.mark.parametrize(("max_a", "ramp_a_s"), [(120.0, 2.0), (20.0, 0.5)])
def test_a_rectifier_takes_a_minute_for_its_range(max_a: float, ramp_a_s: float) -> None:
    """B07: never slower than a car."""
    assert outlet(Box(dc_min_w=3000.0, max_a=max_a, hw_a=max_a, measures=False)).ramp_a_s == ramp_a_s


@pytest.mark.parametrize(
    ("box", "able"),
    [
        (Box(phase_switching=True), True),
        (Box(phase_switching=False), False),
        (Box(phase_switching=True, switches_phases=False), False),
        (Box(phase_switching=True, measures=False), False),
        (Box(phase_switching=True, wiring="1"), False),
    ],
)
def test_who_can_switch_phases(box: Box, able: bool) -> None:
    """B14: site, driver, meter and wiring must let it."""
    assert outlet(box).switchable is able


def test_two_outlets_of_a_device_are_not_alone() -> None:
    """6c: they restart together."""
    made = site([feeder("grid", 100.0)], [Box(), Box(), Box()])
    one, two, three = made.chargers
    both = replace(one, connectors=(*one.connectors, replace(two.connectors[0], charger=one.id)))
    tree = tree_of(replace(made, chargers=(both, three)))
    assert [o.alone for o in tree.outlets] == [False, False, True]


@pytest.mark.parametrize(
    ("lag_s", "window_s", "whole_s"), [(0.2, 0.5, 10.0), (3.0, 0.5, 11.0), (0.2, 4.0, 12.4), (9.0, 1.0, 24.0)]
)
def test_a_base_window_is_twice_what_readings_lag(lag_s: float, window_s: float, whole_s: float) -> None:
    """R10: poll, charger and meter together; ten seconds at least."""
    made = site([feeder("grid", 100.0, metered=True)], [Box(), Box()])
    charger, other = made.chargers
    c = charger.connectors[0]
    slow = replace(charger, connectors=(replace(c, facts=replace(c.facts, measure_lag_s=lag_s)),))
    facts = replace(METER, window_s=window_s, refresh_s=0.7, range_a=80.0)
    found = replace(made, chargers=(slow, other), meters=(replace(made.meters[0], facts=facts),))
    node = tree_of(found).nodes[0]
    assert node.window_s == pytest.approx(whole_s)
    assert (node.refresh_s, node.blur_s, node.range_a) == (0.7, 0.7 + window_s, 80.0)


def test_a_feeder_knows_who_hangs_below_it() -> None:
    """R1: by the tree, with its own place in the lists; without a meter there is no delay."""
    feeders = [feeder("grid", 100.0), feeder("a", 40.0, "grid"), feeder("b", 20.0, "grid"), feeder("c", 9.0, "grid")]
    tree = tree_of(site(feeders, [Box(feeder="b"), Box(feeder="a"), Box(feeder="grid"), Box(feeder="b")]))
    assert [n.below for n in tree.nodes] == [(0, 1, 2, 3), (1,), (0, 3), ()]
    assert [n.cells for n in tree.nodes] == [(0, 1, 2), (3, 4, 5), (6, 7, 8), (9, 10, 11)]
    assert [(n.index, n.owner, n.id, n.kind) for n in tree.nodes[:2]] == [
        (0, 0, "grid", NodeKind.FUSE),
        (1, 1, "a", NodeKind.FUSE),
    ]
    node = tree.nodes[3]
    assert (node.window_s, node.refresh_s, node.blur_s, node.range_a) == (10.0, 0.0, 0.0, None)
    assert tree.node_of == {"grid": 0, "a": 1, "b": 2, "c": 3}
    assert tree.outlet_of == {"c00": 0, "c01": 1, "c02": 2, "c03": 3}
    assert tree.fuses == tree.nodes
    assert tree.routes == [o.routes[0] for o in tree.outlets]


def test_cells_are_the_phases_of_each_feeder_in_order() -> None:
    """R9: rating, margin, worst other load, and the heat of the longest watchdog below."""
    rows = [feeder("grid", (100.0, 90.0, 20.0), worst=(1.0, 2.0, 3.0)), feeder("row", 40.0, "grid")]
    tree = tree_of(site(rows, [Box(tw_s=60.0), Box(feeder="row", tw_s=2.0)]))
    assert tree.rating == (100.0, 90.0, 20.0, 40.0, 40.0, 40.0)
    assert tree.margin == (3.0, pytest.approx(2.7), 1.0, pytest.approx(1.2), pytest.approx(1.2), pytest.approx(1.2))
    assert tree.worst == (1.0, 2.0, 3.0, 0.0, 0.0, 0.0)
    assert tree.bound_k == pytest.approx((k(67.0),) * 3 + (k(10.0),) * 3)
    assert [margin_a(x) for x in (10.0, 33.0, 34.0, 100.0)] == pytest.approx([1.0, 1.0, 1.02, 3.0])


@pytest.mark.parametrize(("chargers_only", "neutral_worst"), [(True, 0.0), (False, 7.0)])
def test_a_neutral_and_an_imbalance_are_nodes_of_their_own(chargers_only: bool, neutral_worst: float) -> None:
    """B13: after the fuses; an imbalance trips nothing."""
    grid = feeder("grid", 63.0, worst=7.0, neutral=32.0, imbalance=20.0)
    tree = tree_of(site([replace(grid, chargers_only=chargers_only), feeder("row", 40.0, "grid")], [Box(feeder="row")]))
    assert [(n.index, n.kind, n.owner, n.below) for n in tree.bounds] == [
        (2, NodeKind.NEUTRAL, 0, (0,)),
        (3, NodeKind.IMBALANCE, 0, (0,)),
    ]
    assert [n.cells for n in tree.bounds] == [(6, 7, 8), (9, 10, 11)]
    assert tree.rating[6:] == (32.0,) * 3 + (20.0,) * 3
    assert tree.worst[6:] == (neutral_worst,) * 3 + (-inf,) * 3
    assert tree.nodes == tree.fuses + tree.bounds
    assert tree.outlets[0].wide is not tree.outlets[0].routes[0]


def test_the_installers_limits_are_a_ceiling_for_good() -> None:
    """B15: the lowest of each phase, where it is below the rating; as limits that are kept."""
    made = site([feeder("grid", 63.0), feeder("row", 40.0, "grid")], [Box(feeder="row")])
    grid, row = FeederId("grid"), FeederId("row")
    limits = (
        StaticLimit("a", grid, (50.0, 63.0, 70.0)),
        StaticLimit("b", grid, (55.0, 45.0, 70.0)),
        StaticLimit("c", row, (30.0, 39.9, 40.0)),
    )
    tree = tree_of(replace(made, limits=limits))
    assert tree.ceiling == (50.0, 45.0, 63.0, 30.0, 39.9, 40.0)

    def kept(index: int) -> Limit:
        fixed = limits[index]
        return Limit(fixed.id, LimitSource.STATIC, fixed.limit_a, feeder=fixed.feeder, on_expiry=OnLimitExpiry.KEEP)

    assert tree.ceiling_by == (kept(0), kept(1), None, kept(2), kept(2), None)
    assert tree.rating == (63.0,) * 3 + (40.0,) * 3


@pytest.mark.parametrize(
    ("value", "step", "down", "up"),
    [
        (10.0, 0.1, 10.0, 10.0),
        (10.04, 0.1, 10.0, 10.1),
        (9.99, 1.0, 9.0, 10.0),
        (0.3, 0.1, 0.3, 0.3),
        (7.0, 2.0, 6.0, 8.0),
    ],
)
def test_values_are_whole_steps_of_the_device(value: float, step: float, down: float, up: float) -> None:
    """R12: a rounding error of a float is none."""
    assert (step_down(value, step), step_up(value, step)) == (down, up)


@pytest.mark.parametrize("seconds", [10.0, 22.0, 67.0, 600.0])
def test_a_fuse_carries_more_for_a_short_time(seconds: float) -> None:
    """Turn.md: k(T)."""
    assert overload(seconds) == pytest.approx(k(seconds))


@pytest.mark.parametrize(
    ("box", "rest_a", "boot_a"),
    [
        (Box(fs_a=8.0, boot_a=13.0), 8.0, 13.0),
        (Box(fs_a=8.0, boot_a=None), 8.0, 32.0),
        (Box(fs_a=8.0, boot_a=99.0), 8.0, 32.0),
        (Box(fs_a=8.0, boot_a=13.0, watchdog_at_start=False), 32.0, 13.0),
        (Box(tw_s=None, max_a=20.0, boot_a=6.0), 20.0, 6.0),
        (Box(tw_s=None, max_a=20.0, boot_a=25.0), 25.0, 25.0),
    ],
)
def test_what_it_may_hold_without_us(box: Box, rest_a: float, boot_a: float) -> None:
    """R3, R8: for ever, and after its own restart; unknown is its hardware maximum."""
    o = outlet(box)
    assert (o.rest_a, o.boot_a) == (rest_a, boot_a)

"""Limits in time: ends on the monotonic clock, what they leave, and what may never happen (R15, ruling 11)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siteward.control.base import judge_base
from siteward.control.caps import draw_lines
from siteward.control.limits import expire, find_target, lifts, put
from siteward.control.recover import recall
from siteward.control.reservation import reserve_all
from siteward.control.tree import tree_of
from siteward.control.work import Work
from siteward.model.events import ClockQuality, EventType
from siteward.model.ids import FeederId
from siteward.model.limits import Limit, LimitSource, OnLimitExpiry
from siteward.model.recovered import Recovered
from siteward.model.site import StaticLimit
from siteward.model.snapshot import Snapshot
from siteward.model.units import PerPhase
from tests.fixtures.story_rig import Rig, story_site
from tests.siteward.control.hand import WALL, Hand
from tests.siteward.control.sites import Box, feeder, site

GRID = FeederId("grid")


def _limit(**changes: object) -> Limit:
    base = Limit("c9", LimitSource.CLOUD, (10.0, 10.0, 10.0), feeder=GRID, ends_at=50.0)
    return replace(base, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("limit", "left"),
    [
        (_limit(), None),
        (_limit(on_expiry=OnLimitExpiry.KEEP), (10.0, None)),
        (_limit(on_expiry=OnLimitExpiry.FAILSAFE, failsafe_a=(6.0, 6.0, 6.0)), (6.0, None)),
        (_limit(on_expiry=OnLimitExpiry.FAILSAFE, failsafe_a=(20.0, 20.0, 20.0)), (20.0, None)),
        (_limit(on_expiry=OnLimitExpiry.FAILSAFE), (10.0, None)),
        (_limit(source=LimitSource.GRID), (10.0, None)),
        (_limit(ends_at=1e9), (10.0, 1e9)),
    ],
)
def test_what_an_end_leaves(limit: Limit, left: tuple[float, float | None] | None) -> None:
    """B15: release, keep, fail-safe; I14: a grid limit never ends in nothing."""
    after, facts = expire((limit,), Rig().snapshot())
    found = [(x.limit_a[0], x.ends_at) for x in after]
    assert found == ([] if left is None else [left])
    assert len(facts) == (0 if limit.ends_at == 1e9 else 1)


def test_the_wall_clock_moves_no_end() -> None:
    """R15: validity runs on monotonic time."""
    rig = Rig()
    until = (rig.wall + timedelta(seconds=60)).isoformat()
    rig.turn(rig.request("LIMIT_POWER", target="row", limit_a=9, validUntil=until))
    rig.skew = timedelta(days=3)
    rig.turns(50)
    assert len(rig.memory.limits) == 1
    rig.skew = timedelta(days=-3)
    rig.turns(15)
    assert rig.memory.limits == ()
    assert rig.log.limits == ()
    assert rig.log.types("clock") == ["clock.changed", "clock.changed"]


def test_a_newer_limit_replaces_only_its_own_source_and_target() -> None:
    old = (_limit(), _limit(source=LimitSource.PANEL), _limit(feeder=FeederId("row")))
    new = _limit(id="c10", limit_a=(12.0,) * 3)
    assert put(old, new) == (*old[1:], new)
    assert lifts(old, new)
    assert not lifts(old[1:], new)


def test_a_limit_survives_a_restart_and_no_validity_outlasts_a_day() -> None:
    """Ruling 19; a boot clock that began anew cannot make an end recede for ever."""
    site = story_site()
    rig = Rig()
    stored = (_limit(ends_at=1e12), _limit(id="s", source=LimitSource.STATIC, ends_at=None))
    memory = recall(site, Recovered(limits=stored), 500.0, rig.wall)
    assert [(limit.id, limit.ends_at) for limit in memory.limits] == [("c9", 500.0 + 86_400.0)]


def test_the_installers_limits_are_always_in_force_and_named() -> None:
    """S-21, I14: they count like a smaller fuse; the cause chain says which one binds and who set it."""
    built = site([feeder("grid", 60.0)], [Box()] * 3)
    hand = Hand(replace(built, limits=(StaticLimit("contract", GRID, (30.0, 30.0, 30.0)),)))
    out = hand.obey(60)
    chain = out.grants[built.connectors[0].id].chain
    assert [step.cause.value for step in chain] == ["fair_share", "limit", "static"]
    assert [step.limit for step in chain[1:]] == ["contract", "contract"]
    assert sum(grant.limit_a for grant in out.grants.values()) <= 30.0


def test_targets() -> None:
    site = story_site()
    station, row, outlet = (find_target(site, name) for name in ("station", "row", "A2"))
    assert station is not None
    assert row is not None
    assert outlet is not None
    assert (station.feeder, row.feeder, outlet.connector_id) == ("grid", "row", "A2")
    assert find_target(site, "x") is None
    assert find_target(site, None) is None


def test_a_limit_replaced_before_it_was_read_back_fails_once() -> None:
    """I10."""
    rig = Rig()
    rig.charging()
    rig["A1"].deaf = True
    rig.turn(rig.request("LIMIT_POWER", "c1", source="cli", target="A1", limit_a=9))
    rig.turn(rig.request("LIMIT_POWER", "c2", source="cli", target="A1", limit_a=8))
    rig["A1"].deaf = False
    rig.turns(3)
    assert rig.log.stages("c1") == ["accepted", "failed LIMIT_NOT_CONFIRMED"]
    assert rig.log.stages("c2") == ["accepted", "done"]
    assert rig.log.last(EventType.LIMIT_CHANGED).data["limit_a"] == [8, 8, 8]


PHASES = st.tuples(*[st.floats(0.0, 80.0)] * 3)
FOUND = st.builds(
    Limit,
    st.sampled_from(["a", "b", "c", "d"]),
    st.sampled_from([s for s in LimitSource if s is not LimitSource.DEMAND]),
    PHASES,
    st.sampled_from([GRID, FeederId("row")]),
)


def _lines(hand: Hand, limits: tuple[Limit, ...]) -> Work:
    """A turn up to the lines of its fuses."""
    work = Work(
        tree=tree_of(hand.site),
        snapshot=Snapshot(hand.at, WALL, ClockQuality.NTP, 1),
        at=hand.at,
        turn=1,
        memory=hand.memory,
        demands=hand.demands,
        limits=limits,
        watches=[w.clone() for w in hand.memory.watches],
        nodes=[n.clone() for n in hand.memory.nodes],
    )
    reserve_all(work)
    judge_base(work)
    draw_lines(work)
    return work


@given(st.lists(FOUND, max_size=6), PHASES)
@settings(max_examples=50, deadline=None)
def test_limits_compose_by_minimum_whoever_set_them(found: list[Limit], fixed: PerPhase) -> None:
    """I14: after one turn no cell has more than any limit on it, and the one that binds is the one that is named."""
    built = site([feeder("grid", 63.0), feeder("row", 40.0, "grid")], [Box("row")] * 2)
    work = _lines(Hand(replace(built, limits=(StaticLimit("fixed", GRID, fixed),))), tuple(found))
    for node, rating in (("grid", 63.0), ("row", 40.0)):
        for p in range(3):
            bounds = [limit.limit_a[p] for limit in found if limit.feeder == node] + [rating]
            bounds += [fixed[p]] if node == "grid" else []
            cell = work.tree.node_of[FeederId(node)] * 3 + p
            assert work.lines_a[cell] == min(bounds)
            named = work.line_limit[cell]
            assert named is None if min(bounds) == rating else named is not None and named.limit_a[p] == min(bounds)

"""S-20: why this current, link by link: each cause with its feeder, its limit and its amperes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from siteward.control.grants import explain
from siteward.control.memory import NEVER, Slot, Unused, Waking, Watch
from siteward.control.phasing import AS_BUILT
from siteward.control.work import Wait, Work
from siteward.model.ids import ConnectorId, FeederId
from siteward.model.limits import Cause, CauseStep, Grant, Limit, LimitSource
from tests.siteward.control.bench import AT, demand, flight, lay, watch
from tests.siteward.control.sites import Box, feeder

GRID, ROW = FeederId("grid"), FeederId("row")
CLOUD = Limit("cloud-1", LimitSource.CLOUD, (30.12345, 20.0, 25.0), feeder=ROW)
ORDERED = Limit("quiet", LimitSource.CLOUD, (9.0, 9.0, 9.0), connector=ConnectorId("c00"))
WORN = Slot(pauses=tuple(AT - 60.0 * n for n in range(6, 0, -1)))


def scene(seen: Watch | None = None, target_a: float = 16.0, binder: int = -1, box: Box | None = None) -> Work:
    """One outlet in a row below the grid, whose target was found so."""
    feeders = [feeder("grid", 63.0), feeder("row", 40.0, "grid")]
    box = replace(box or Box(), feeder="row")
    work = lay([seen or watch()], [box], feeders)
    work.targets, work.binder = [target_a], [binder]
    return work


def chain(work: Work) -> list[CauseStep]:
    """Its causes, the binding one first."""
    return list(explain(work)[ConnectorId("c00")].chain)


@pytest.mark.parametrize(
    ("seen", "limit_a"),
    [
        (watch(16.0), 16.0),
        (watch(16.0, flights=(flight(20.0), flight(8.0))), 8.0),
        (watch(None, booked_a=9.0), 9.0),
        (watch(None), 32.0),
        (watch(None, flights=(flight(0.0),)), 0.0),
    ],
)
def test_a_grant_says_what_was_decided_read_and_reserved(seen: Watch, limit_a: float) -> None:
    """Contract: the newest decision, else what may be in force; amperes to the milliampere."""
    work = scene(seen)
    work.u_a, work.booked = [12.00049], [(12.0, 14.00051, 0.0)]
    work.reachable = [False]
    grant = explain(work)[ConnectorId("c00")]
    assert replace(grant, chain=()) == Grant(ConnectorId("c00"), limit_a, 16.0, seen.conf_a, 14.001, False, True, ())


@pytest.mark.parametrize(
    ("verified", "box", "certain"), [(True, Box(), True), (False, Box(), False), (False, Box(tw_s=None), True)]
)
def test_what_has_no_watchdog_needs_no_verification(verified: bool, box: Box, certain: bool) -> None:
    """R8."""
    work = scene(watch(verified=verified), box=box)
    assert explain(work)[ConnectorId("c00")].verified is certain


@pytest.mark.parametrize(
    ("target_a", "waits", "first"),
    [
        (20.0, {0: Wait(Cause.RAMP)}, CauseStep(Cause.RAMP, 16.0)),
        (20.0, {0: Wait(Cause.FUSE, 1)}, CauseStep(Cause.FUSE, 16.0, ROW)),
        (20.0, {0: Wait(Cause.FUSE, 0)}, CauseStep(Cause.FUSE, 16.0, GRID)),
        (16.0, {0: Wait(Cause.RAMP)}, None),
        (20.0, {}, None),
    ],
)
def test_what_waits_is_told_first(target_a: float, waits: dict[int, Wait], first: CauseStep | None) -> None:
    """S-20: as long as the limit is below its target."""
    work = scene(target_a=target_a)
    work.waits = waits
    own = CauseStep(Cause.MAXIMUM, target_a)
    assert chain(work) == ([own] if first is None else [first, own])


@pytest.mark.parametrize(
    ("seen", "said", "reachable", "cause"),
    [
        (watch(), {"wants": False}, True, Cause.NO_DEMAND),
        (watch(), {"stop": True}, True, Cause.NO_DEMAND),
        (watch(disobeyed_at=AT), {"stop": True}, False, Cause.DISOBEDIENT),
        (watch(None, read_at=NEVER), {}, False, Cause.START),
        (watch(None, read_at=NEVER, misses=1), {}, False, Cause.START),
        (watch(None, read_at=NEVER, misses=2), {}, False, Cause.UNREACHABLE),
        (watch(misses=2), {}, False, Cause.UNREACHABLE),
        (watch(None), {}, True, Cause.CONFIRMING),
        (watch(verified=False), {}, True, Cause.UNVERIFIED),
    ],
)
def test_why_nothing_may_be_given(seen: Watch, said: dict[str, bool], reachable: bool, cause: Cause) -> None:
    """S-20: with what it may hold all the same; a wait says nothing then."""
    work = scene(seen, 20.0)
    work.demands = {ConnectorId("c00"): replace(demand(), **said)}  # type: ignore[arg-type]
    work.allocatable, work.reachable, work.u_a = [False], [reachable], [6.12345]
    work.waits = {0: Wait(Cause.RAMP)}
    assert chain(work) == [CauseStep(cause, 6.123)]


def test_one_that_may_only_go_down_is_unverified() -> None:
    """R8: whatever bound its target."""
    work = scene(binder=3)
    work.only_down = [True]
    assert chain(work) == [CauseStep(Cause.UNVERIFIED, 16.0)]


@pytest.mark.parametrize(
    ("binder", "steps"),
    [
        (0, [CauseStep(Cause.FAIR_SHARE, 16.0, GRID), CauseStep(Cause.FUSE, 63.0, GRID)]),
        (3, [CauseStep(Cause.FAIR_SHARE, 16.0, ROW), CauseStep(Cause.FUSE, 40.0, ROW)]),
        (-10, [CauseStep(Cause.PAUSED_NO_ROOM, 0.0, GRID), CauseStep(Cause.FUSE, 63.0, GRID)]),
        (-15, [CauseStep(Cause.PAUSED_NO_ROOM, 0.0, ROW), CauseStep(Cause.FUSE, 40.0, ROW)]),
        (-1, [CauseStep(Cause.MAXIMUM, 16.0)]),
    ],
)
def test_a_share_and_a_pause_name_the_feeder_that_bound_them(binder: int, steps: list[CauseStep]) -> None:
    """S-20: and the feeder its fuse."""
    assert chain(scene(binder=binder)) == steps


def test_a_limit_of_the_feeder_is_named_with_who_set_it() -> None:
    """S-20, B15: what it left on that phase, and the least that it says."""
    work = scene(binder=3)
    work.line_limit[3], work.lines_a[3] = CLOUD, 30.12345
    assert chain(work)[1:] == [
        CauseStep(Cause.LIMIT, 30.123, ROW, "cloud-1"),
        CauseStep(Cause.CLOUD, 20.0, ROW, "cloud-1"),
    ]
    work.nodes[1].substituted = True
    assert chain(work)[1:] == [
        CauseStep(Cause.METER_LOST, 30.123, ROW),
        CauseStep(Cause.LIMIT, 30.123, ROW, "cloud-1"),
        CauseStep(Cause.CLOUD, 20.0, ROW, "cloud-1"),
    ]


def test_a_lost_meter_stands_for_the_fuse() -> None:
    """S-20, R11."""
    work = scene(binder=3)
    work.nodes[1].substituted = True
    assert chain(work)[1:] == [CauseStep(Cause.METER_LOST, 40.0, ROW)]
    work.nodes[1].substituted, work.nodes[0].substituted = False, True
    assert chain(work)[1:] == [CauseStep(Cause.FUSE, 40.0, ROW)]


def test_neutral_and_imbalance_are_named_as_such_with_the_meter_of_their_feeder() -> None:
    """B13: they have no meter of their own."""
    work = lay([watch()], feeders=[feeder("grid", 63.0, neutral=30.0, imbalance=20.0)])
    for binder, cause in ((3, Cause.NEUTRAL), (6, Cause.IMBALANCE)):
        work.binder = [binder]
        work.nodes[0].substituted = False
        node = work.tree.nodes[binder // 3]
        assert chain(work)[1:] == [CauseStep(cause, round(work.lines_a[binder], 3), node.id)]
        work.nodes[0].substituted = True
        assert chain(work)[1].cause is Cause.METER_LOST


@pytest.mark.parametrize(
    ("more", "cause"),
    [
        ({"waking": Waking(dark_until=AT + 1.0)}, Cause.WAKING),
        ({"phasing": AS_BUILT._replace(held=True)}, Cause.PHASE_SWITCH),
        ({"unused": Unused(cap_a=31.9)}, Cause.UNUSED),
        ({"unused": Unused(cap_a=32.0)}, Cause.MAXIMUM),
        ({"slot": WORN}, Cause.PAUSED_OFTEN),
        ({"slot": Slot(pauses=WORN.pauses[1:])}, Cause.MAXIMUM),
    ],
)
def test_what_lies_in_the_outlet_itself(more: dict[str, object], cause: Cause) -> None:
    """S-20: an interruption, current left unused, too many pauses; else its own maximum."""
    assert chain(scene(watch(**more), 12.0)) == [CauseStep(cause, 12.0)]


@pytest.mark.parametrize(
    ("cap_a", "asked_a", "bound"), [(9.0, 32.0, True), (9.0, 9.0, False), (9.0, 8.0, False), (32.0, 32.0, False)]
)
def test_a_limit_on_the_connector_is_named_where_it_binds(cap_a: float, asked_a: float, bound: bool) -> None:
    """I14: not where the session asks for no more, nor where the connector itself bears none."""
    work = scene(target_a=8.0)
    work.cap_a, work.cap_limit = [cap_a], {0: ORDERED}
    work.demands = {ConnectorId("c00"): demand(asked_a)}
    limited = [CauseStep(Cause.LIMIT, 8.0, limit="quiet"), CauseStep(Cause.CLOUD, 9.0, limit="quiet")]
    assert chain(work) == (limited if bound else [CauseStep(Cause.MAXIMUM, 8.0)])


def test_a_lent_phase_names_the_fuse_that_would_not_carry_it() -> None:
    """R9, 6c: what its car leaves to others may come back with its next car."""
    work = scene(target_a=8.0)
    work.used, work.base_cut = [0b001], [0.0, 0.0, 0.0, 0.0, 100.0, 0.0]
    step, fuse = chain(work)
    assert step == CauseStep(Cause.LENT_PHASE, 8.0, ROW)
    assert fuse == CauseStep(Cause.FUSE, 40.0, ROW)

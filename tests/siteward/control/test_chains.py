"""Why this current: the whole chain of every grant, from what holds it now to what holds it at all (B15)."""

import pytest

from siteward.control.demand import Demand
from siteward.model.events import EventType
from siteward.model.ids import ConnectorId, FeederId
from siteward.model.limits import Cause, Limit, LimitSource
from siteward.model.site import Priority
from tests.siteward.control.hand import Hand
from tests.siteward.control.sites import Box, feeder, site

C0, C1, C2 = (ConnectorId(f"c0{i}") for i in range(3))
Step = tuple[Cause, float, str | None]


def depot() -> Hand:
    """Two boxes in a row of 40 A, a third beside it, below 63 A with 20 A of other load at worst."""
    feeders = [feeder("grid", 63.0, worst=20.0, metered=True), feeder("row", 40.0, "grid")]
    return Hand(site(feeders, [Box(feeder="row"), Box(feeder="row"), Box()]))


def go_on(hand: Hand, seconds: int, metered: bool = True) -> None:
    """All obey; 5 A of other load, if anybody reads it."""
    for _ in range(seconds):
        if metered:
            hand.meter("m-grid", sum(max(r.measured_a or (0.0,)) for r in hand.chargers.values()) + 5.0)
        hand.obey(1)


def chain(hand: Hand, name: ConnectorId) -> list[Step]:
    """Cause, amperes and feeder of each step."""
    return [(s.cause, s.limit_a, s.feeder) for s in hand.out.grants[name].chain]


def test_before_the_first_raise_room_must_have_stood_for_ten_seconds() -> None:
    """Step 10: each says its own tightest feeder, and what the target is bound by."""
    hand = depot()
    go_on(hand, 3)
    bound: list[Step] = [(Cause.FAIR_SHARE, 18.7, "grid"), (Cause.FUSE, 63.0, "grid")]
    assert chain(hand, C0) == [(Cause.FUSE, 0.0, "row"), *bound]
    assert chain(hand, C2) == [(Cause.FUSE, 0.0, "grid"), *bound]


def test_on_the_way_up_the_ramp_is_the_reason_and_then_nothing_but_the_share() -> None:
    """B07: one step in 5 s; the turn that grants it gives no reason to wait."""
    hand = depot()
    go_on(hand, 12)
    assert chain(hand, C2) == [
        (Cause.RAMP, 6.0, None),
        (Cause.FAIR_SHARE, 18.7, "grid"),
        (Cause.FUSE, 63.0, "grid"),
    ]
    assert chain(hand, C1) == [(Cause.FAIR_SHARE, 18.7, "grid"), (Cause.FUSE, 63.0, "grid")]
    assert hand.out.grants[C1].limit_a == 6.0


def test_an_old_meter_holds_every_raise_below_it() -> None:
    """B01: 3 to 5 s."""
    hand = depot()
    go_on(hand, 16)
    go_on(hand, 4, metered=False)
    for name in (C0, C1, C2):
        assert chain(hand, name)[0] == (Cause.METER_STALE, 8.5, "grid")


def test_a_lost_meter_is_told_behind_the_share_that_its_worst_load_leaves() -> None:
    """B01, R11: 63 A less margin and 20 A for three."""
    hand = depot()
    go_on(hand, 100)
    go_on(hand, 40, metered=False)
    assert chain(hand, C0)[-2:] == [(Cause.FAIR_SHARE, 13.7, "grid"), (Cause.METER_LOST, 63.0, "grid")]


def test_whom_nobody_wants_anything_of_says_what_stays_reserved() -> None:
    """A stop is at once; until it is confirmed the old current stays booked."""
    hand = depot()
    go_on(hand, 100)
    hand.demands[C0] = Demand(True, 32.0, Priority.NORMAL, 0.0, stop=True)
    hand.decide()
    assert chain(hand, C0) == [(Cause.NO_DEMAND, 18.5, None)]
    go_on(hand, 3)
    assert chain(hand, C0) == [(Cause.NO_DEMAND, 0.0, None)]


def test_a_limit_is_named_with_its_source_and_value() -> None:
    """B15: of a feeder behind the share, of a connector before it."""
    hand = depot()
    hand.limits = (Limit("dso", LimitSource.GRID, (30.0,) * 3, feeder=FeederId("grid")),)
    go_on(hand, 60)
    first, second, *rest = hand.out.grants[C2].chain[-3:]
    assert (first.cause, first.feeder) == (Cause.FAIR_SHARE, "grid")
    assert (second.cause, second.limit, second.limit_a) == (Cause.LIMIT, "dso", 30.0)
    assert [(step.cause, step.limit) for step in rest] == [(Cause.GRID, "dso")]
    hand.limits = (Limit("p1", LimitSource.PANEL, (9.0,) * 3, connector=C2),)
    go_on(hand, 60)
    assert [(s.cause, s.limit_a, s.limit) for s in hand.out.grants[C2].chain] == [
        (Cause.LIMIT, 9.0, "p1"),
        (Cause.PANEL, 9.0, "p1"),
    ]


def test_a_pause_for_want_of_room_names_the_feeder_without_room() -> None:
    """R12: 0 A because of the row, although the grid has room."""
    feeders = [feeder("grid", 100.0), feeder("row", 13.0, "grid")]
    hand = Hand(site(feeders, [Box(feeder="row", fs_a=0.0, boot_a=0.0)] * 3))
    hand.obey(60)
    steps = chain(hand, C2)
    assert steps[:2] == [(Cause.PAUSED_NO_ROOM, 0.0, "row"), (Cause.FUSE, 13.0, "row")]
    assert (hand.out.grants[C2].limit_a, hand.out.grants[C2].target_a) == (0.0, 0.0)


def test_a_stranger_is_told_with_what_he_set_and_what_we_had() -> None:
    """R5: somebody else's value is an event with both values, once."""
    hand = depot()
    go_on(hand, 100)
    hand.reads("c00", 25.0, 18.5)
    out = hand.decide()
    (fact,) = [f for f in out.facts if f.type is EventType.AUDIT_FOREIGN_WRITE]
    assert (fact.connector, dict(fact.data)) == (C0, {"set_point_a": 25.0, "limit_a": 18.5})


def test_the_book_of_a_feeder_shows_each_phase_for_itself() -> None:
    """Law 8: reserved, other load, measured load and the age of the meter, on L1, L2, L3."""
    hand = Hand(
        site([feeder("grid", 63.0, worst=20.0, metered=True)], [Box(wiring="1"), Box(wiring="2"), Box(wiring="1")])
    )
    for _ in range(150):
        amps = {c: max(r.measured_a or (0.0,)) for c, r in hand.chargers.items()}
        hand.meter("m-grid", 0.0)
        meter = hand.meters[hand.site.meters[0].id]
        load = (amps.get(C0, 0.0) + amps.get(C2, 0.0) + 1.2346, amps.get(C1, 0.0) + 2.3457, 3.4568)
        hand.meters[meter.meter] = type(meter)(meter.meter, meter.sent_at, load, meter.voltage_v, None, 50.0)
        hand.obey(1)
    book = hand.out.feeders[FeederId("grid")]
    u = {name: grant.reserved_a for name, grant in hand.out.grants.items()}
    assert book.reserved_a == (u[C0] + u[C2], u[C1], 0.0)
    assert book.base_a == (1.235, 2.346, 3.457)
    assert book.load_a is not None
    assert book.load_a[2] == 3.4568
    assert book.meter_age_s == pytest.approx(0.4)


def test_a_meter_that_was_never_read_holds_every_raise_below_it() -> None:
    """I4: after a start nothing is raised on a guess."""
    hand = depot()
    go_on(hand, 3, metered=False)
    assert chain(hand, C0)[0] == (Cause.METER_STALE, 0.0, "grid")
    assert hand.out.feeders[FeederId("grid")].load_a is None

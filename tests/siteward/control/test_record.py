"""Goal 10: what the trace keeps of a turn, and what of a grant is worth a line."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from siteward.control.decide import Decision, decide, restore
from siteward.control.load import start_memory
from siteward.control.memory import NEVER
from siteward.control.record import Recorded, essence, record
from siteward.model.events import ClockQuality
from siteward.model.ids import ConnectorId, FeederId
from siteward.model.limits import Cause, CauseStep, Limit, LimitSource
from siteward.model.recovered import LedgerEntry, Recovered
from siteward.model.rules import LimitRule, Schedule
from siteward.model.snapshot import Snapshot
from tests.siteward.control.bench import demand
from tests.siteward.control.course_bench import grant
from tests.siteward.control.sites import Box, feeder, site

WALL = datetime(2026, 1, 1, tzinfo=UTC)
C0, C1 = ConnectorId("c00"), ConnectorId("c01")
SITE = site([feeder("grid", 63.0)], [Box(), Box()])


def decided(limits: tuple[Limit, ...] = ()) -> tuple[Snapshot, Decision]:
    """A quiet turn, whose journal knew these limits."""
    memory = restore(SITE, Recovered(limits=limits), 100.0, WALL)
    snapshot = Snapshot(101.0, WALL, ClockQuality.NTP, 1, {}, {}, {})
    return snapshot, decide(SITE, snapshot, memory)


def test_a_turn_keeps_its_picture_its_wishes_and_what_was_set_for_a_time() -> None:
    """Goal 10: what the site file says follows from it again."""
    snapshot, decision = decided()
    cloud, fixed = Limit("x", LimitSource.CLOUD, (9.0,) * 3), Limit("y", LimitSource.STATIC, (9.0,) * 3)
    ruled = Limit("r", LimitSource.SCHEDULE, (9.0,) * 3)
    ruled_site = replace(SITE, rules=(LimitRule("r", Schedule(()), FeederId("grid")),))
    wish = demand()
    decision = replace(decision, limits=(fixed, cloud, ruled), demands={C0: wish, C1: replace(wish, wants=False)})
    why = {C0: grant()}
    assert record(ruled_site, snapshot, decision, why) == Recorded(snapshot, {C0: wish}, (cloud,), why)


def test_limits_of_the_journal_are_in_force_in_the_first_turn() -> None:
    """I14: the decision says which it was asked under."""
    limit = Limit("x", LimitSource.CLOUD, (9.0, 9.0, 9.0), feeder=FeederId("grid"))
    _, decision = decided((limit,))
    assert decision.limits == (limit,)
    assert set(decision.demands) == {C0, C1}
    assert decision.trips == ()


def test_the_room_of_each_tenth_of_an_ampere_is_no_line_of_history() -> None:
    """S-20: the limit and what bound it are."""
    step = CauseStep(Cause.FUSE, 40.0, FeederId("grid"), "x")
    found = replace(grant(), chain=(step,))
    assert essence(found) == (16.0, (Cause.FUSE, FeederId("grid"), "x"))
    assert essence(replace(found, target_a=9.0, chain=(replace(step, limit_a=39.9),))) == essence(found)


@pytest.mark.parametrize(
    ("conf_a", "flight_a", "booked_a"),
    [(9.0, None, 9.0), (9.0, 12.0, 12.0), (12.0, 9.0, 12.0), (None, 12.0, None), (None, None, None), (0.0, None, 0.0)],
)
def test_a_controller_that_starts_knows_what_may_be_in_force(
    conf_a: float | None, flight_a: float | None, booked_a: float | None
) -> None:
    """R14: the highest of what was confirmed and sent, where something was confirmed."""
    row = LedgerEntry(C1, conf_a, flight_a)
    memory = start_memory(SITE, Recovered(ledger=(row,)), 100.0)
    first, second = memory.watches
    assert (first.booked_a, first.limit_a) == (None, None)
    assert (second.booked_a, second.limit_a) == (booked_a, booked_a)
    for w in memory.watches:
        assert (w.unverified_since, w.spoke, w.read_at, w.heard) == (100.0, 100.0, NEVER, NEVER)
    assert (memory.started_at, memory.at, memory.wall, memory.rows) == (100.0, 100.0, None, {C1: row})
    assert (memory.ledger.at, memory.ledger.turn) == (NEVER, -1)
    assert len(memory.nodes) == 1

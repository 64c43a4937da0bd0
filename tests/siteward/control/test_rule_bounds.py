"""B15, R15, I14: rules at the bounds of their waits, what each turn remembers of them, and what it tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from siteward.control.rules import Held, Ruled, apply_rules
from siteward.model.access import Contact
from siteward.model.alarms import Alarm, AlarmCode
from siteward.model.events import ClockQuality, EventType
from siteward.model.ids import ConnectorId, FeederId, MeterId
from siteward.model.limits import Cause, Limit, LimitSource, OnLimitExpiry
from siteward.model.points import InputReading, PointName
from siteward.model.readings import ChargerReading
from siteward.model.rules import Contacts, DemandWindow, Derating, LimitRule, Period, Schedule, Step
from siteward.model.snapshot import Snapshot
from siteward.model.units import PerPhase
from tests.siteward.control.sites import Box, feeder, site

AT = 1000.0
WALL = datetime(2026, 1, 5, 8, 30, tzinfo=UTC)
MINUTE = int(WALL.timestamp()) // 60
GRID, C00 = FeederId("grid"), ConnectorId("c00")
A, B = PointName("io.a"), PointName("io.b")


def three(amps: float) -> PerPhase:
    """The same on each phase."""
    return (amps, amps, amps)


def by_contact(otherwise: float | None = None) -> Contacts:
    """20 A while contact a is closed, 10 A while b is open; 5 A while one is not known; lifted after 30 s."""
    steps = (Step(Contact(A), three(20.0)), Step(Contact(B, closed_is_yes=False), three(10.0)))
    return Contacts(steps, three(5.0), None if otherwise is None else three(otherwise), release_s=30.0)


HEAT = Derating(C00, ((50.0, 32.0), (70.0, 12.0), (80.0, 6.0)), failsafe_a=8.0)
DAYTIME = Schedule((Period(frozenset(range(7)), 8 * 60, 9 * 60, three(12.0)),), three(30.0))


def limit(source: LimitSource, amps: float | PerPhase, reason: Cause | None = None) -> Limit:
    """A described limit; heat is one of the connector."""
    a, b, c = amps if isinstance(amps, tuple) else three(amps)
    heat = source is LimitSource.HEAT
    feeder_id, connector = (None, C00) if heat else (GRID, None)
    return Limit("r", source, (a, b, c), feeder_id, connector, on_expiry=OnLimitExpiry.KEEP, reason=reason)


def judged(
    by: Contacts | Derating | Schedule | DemandWindow,
    old: Held | None = None,
    closed: tuple[bool | None, bool | None] = (False, True),
    age_s: float = 0.0,
    heat: float | None = None,
    clock: ClockQuality = ClockQuality.NTP,
    more: tuple[LimitRule, ...] = (),
) -> Ruled:
    """One turn of one rule, and of more rules after it."""
    heats = isinstance(by, Derating)
    rule = LimitRule("r", by, None if heats else GRID, C00 if heats else None)
    built = replace(site([feeder("grid", 63.0)], [Box()]), rules=(rule, *more))
    inputs = {p: InputReading(p, on, AT - age_s) for p, on in zip((A, B), closed, strict=True) if on is not None}
    chargers = {} if heat is None else {C00: ChargerReading(C00, AT - age_s, temperature_c=heat)}
    snapshot = Snapshot(AT, WALL, clock, 1, chargers=chargers, inputs=inputs)
    return apply_rules(built, snapshot, {} if old is None else {"r": old})


def held(found: Ruled) -> Held:
    """What is remembered of the rule."""
    return found.held["r"]


GRID_20 = limit(LimitSource.GRID, 20.0)
LOST_5 = limit(LimitSource.GRID, 5.0, Cause.GRID_INPUT_LOST)
SETTLED = Held(GRID_20, settled=True)


@pytest.mark.parametrize(
    ("closed", "otherwise", "expected"),
    [
        ((True, True), None, GRID_20),
        ((True, False), None, limit(LimitSource.GRID, 10.0)),
        ((False, True), None, None),
        ((False, True), 40.0, limit(LimitSource.GRID, 40.0)),
        ((True, True), 15.0, GRID_20),
    ],
)
def test_the_first_known_word_of_the_grid_counts_at_once(
    closed: tuple[bool, bool], otherwise: float | None, expected: Limit | None
) -> None:
    """R15: the lowest step that says yes, else what holds otherwise."""
    found = judged(by_contact(otherwise), None, closed)
    assert held(found) == Held(expected, settled=True)
    assert [fact.type for fact in found.facts] == ([EventType.LIMIT_CHANGED] if expected else [])


@pytest.mark.parametrize(
    ("closed", "otherwise", "amps"),
    [((True, None), None, 5.0), ((None, True), 3.0, 3.0), ((None, False), 40.0, 5.0), ((None, None), None, 5.0)],
)
def test_while_a_contact_is_not_known_the_least_of_all_counts(
    closed: tuple[bool | None, bool | None], otherwise: float | None, amps: float
) -> None:
    """R15: fail-safe, otherwise, and what is known; told with its reason."""
    found = judged(by_contact(otherwise), SETTLED, closed)
    expected = limit(LimitSource.GRID, amps, Cause.GRID_INPUT_LOST)
    assert held(found) == Held(expected, settled=True, lost_since=AT)
    assert found.facts[0].data["cause"] == "grid_input_lost"


@pytest.mark.parametrize(("age_s", "known"), [(5.0, True), (5.1, False)])
def test_a_contact_is_known_for_five_seconds(age_s: float, known: bool) -> None:
    """R15: as long as an input may be silent."""
    assert (held(judged(by_contact(), SETTLED, (True, True), age_s)).lost_since is None) is known


@pytest.mark.parametrize(("lost_s", "told"), [(5.0, True), (4.9, False)])
def test_a_lost_input_is_told_after_five_seconds(lost_s: float, told: bool) -> None:
    """R15: since when it has been lost, not since this turn; a word ends it."""
    old = Held(LOST_5, settled=True, lost_since=AT - lost_s)
    found = judged(by_contact(), old, (None, True))
    assert held(found) == old
    assert found.alarms == ({Alarm(AlarmCode.LIMIT_INPUT_LOST, "r")} if told else set())
    assert found.facts == ()
    back = judged(by_contact(), old, (True, True))
    assert held(back) == Held(LOST_5, settled=True, better_since=AT)
    assert back.alarms == set()


@pytest.mark.parametrize(
    ("since_s", "after"),
    [
        (None, Held(GRID_20, settled=True, better_since=AT)),
        (29.9, Held(GRID_20, settled=True, better_since=AT - 29.9)),
        (30.0, Held(None, settled=True)),
    ],
)
def test_a_release_must_stand_for_its_time(since_s: float | None, after: Held) -> None:
    """B15: half a minute here; told when it comes."""
    old = replace(SETTLED, better_since=None if since_s is None else AT - since_s)
    found = judged(by_contact(), old)
    assert held(found) == after
    assert [fact.data["cause"] for fact in found.facts] == ([] if after.limit else ["released"])


@pytest.mark.parametrize(
    ("closed", "limit_a"), [((True, True), GRID_20), ((True, False), limit(LimitSource.GRID, 10.0))]
)
def test_a_word_for_as_much_or_less_ends_the_wait_for_more(closed: tuple[bool, bool], limit_a: Limit) -> None:
    """B15: the next release waits anew."""
    found = judged(by_contact(), replace(SETTLED, better_since=AT - 20.0), closed)
    assert held(found) == Held(limit_a, settled=True)


def test_what_falls_on_one_phase_falls_at_once() -> None:
    """I14: what rises beside it waits."""
    uneven = Contacts((Step(Contact(A), (30.0, 15.0, 20.0)),), three(5.0), release_s=30.0)
    found = judged(uneven, SETTLED, (True, True))
    assert held(found) == Held(limit(LimitSource.GRID, (20.0, 15.0, 20.0)), settled=True, better_since=AT)
    same = judged(uneven, Held(limit(LimitSource.GRID, (20.0, 15.0, 20.0)), settled=True, better_since=AT - 5.0))
    assert held(same).better_since == AT - 5.0


def test_what_nothing_changes_is_the_same_object() -> None:
    """Goal 15: no fact, no copy."""
    found = judged(by_contact(), SETTLED, (True, True))
    assert held(found) is SETTLED
    assert found.facts == ()
    waiting = replace(SETTLED, better_since=AT - 5.0)
    assert held(judged(by_contact(), waiting)).limit is GRID_20


@pytest.mark.parametrize(
    ("heat", "amps"),
    [
        (49.0, 32.0),
        (50.0, 32.0),
        (60.0, 22.0),
        (60.3, 21.5),
        (70.0, 12.0),
        (75.0, 9.0),
        (79.9, 6.0),
        (80.0, 6.0),
        (95.0, 6.0),
    ],
)
def test_heat_follows_its_curve_in_halves_of_an_ampere(heat: float, amps: float) -> None:
    """I14: rounded down."""
    found = judged(HEAT, None, heat=heat)
    assert held(found).limit == limit(LimitSource.HEAT, amps)
    assert found.facts[0].data["target"] == "c00"
    assert found.facts[0].connector == "c00"


@pytest.mark.parametrize(("age_s", "amps"), [(60.0, 22.0), (60.1, 8.0)])
def test_a_temperature_is_known_for_a_minute(age_s: float, amps: float) -> None:
    """I14: heat moves slowly; without one its fail-safe current counts."""
    found = judged(HEAT, None, heat=60.0, age_s=age_s)
    reason = None if amps == 22.0 else Cause.HEAT_UNKNOWN
    if amps == 22.0:
        assert held(found) == Held(limit(LimitSource.HEAT, amps, reason), settled=True)
        return
    hot = Held(limit(LimitSource.HEAT, 30.0), settled=True)
    assert held(judged(HEAT, hot, heat=60.0, age_s=age_s)).limit == limit(LimitSource.HEAT, amps, reason)


@pytest.mark.parametrize(("since_s", "cooled"), [(59.9, False), (60.0, True)])
def test_cooler_counts_after_a_minute(since_s: float, cooled: bool) -> None:
    """I14: back from an unknown temperature too."""
    for before in (limit(LimitSource.HEAT, 12.0), limit(LimitSource.HEAT, 8.0, Cause.HEAT_UNKNOWN)):
        found = judged(HEAT, Held(before, settled=True, better_since=AT - since_s), heat=60.0)
        assert held(found).limit == (limit(LimitSource.HEAT, 22.0) if cooled else before)


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        (ClockQuality.NTP, limit(LimitSource.SCHEDULE, 12.0)),
        (ClockQuality.UNSYNCED, limit(LimitSource.SCHEDULE, 12.0, Cause.CLOCK_UNTRUSTED)),
    ],
)
def test_a_timetable_is_looked_at_once_a_minute(clock: ClockQuality, expected: Limit) -> None:
    """R15, B21: and whenever the clock changes its worth."""
    trusted = clock is ClockQuality.NTP
    assert held(judged(DAYTIME, clock=clock)) == Held(expected, settled=True, minute=MINUTE, trusted=trusted)
    fresh = Held(None, settled=True, minute=MINUTE, trusted=trusted)
    assert held(judged(DAYTIME, fresh, clock=clock)) is fresh
    assert held(judged(DAYTIME, replace(fresh, minute=MINUTE - 1), clock=clock)).minute == MINUTE
    other = held(judged(DAYTIME, Held(expected, settled=True, minute=MINUTE, trusted=not trusted), clock=clock))
    assert other.trusted is trusted


def test_a_demand_window_is_not_judged_here_and_the_next_rule_is() -> None:
    """B15: it has its own judge."""
    window = DemandWindow(MeterId("m-grid"), 30_000.0, 900.0)
    found = judged(window, None, (True, True), more=(LimitRule("s", by_contact(), GRID),))
    assert list(found.held) == ["s"]
    assert [fact.data["limitId"] for fact in found.facts] == ["s"]


def test_a_change_is_told_with_all_of_it() -> None:
    """Contract: the fact limit.changed."""
    (fact,) = judged(by_contact(), None, (True, True)).facts
    assert (fact.type, fact.connector, fact.occurred_at) == (EventType.LIMIT_CHANGED, None, WALL)
    assert fact.data == {
        "limitId": "r",
        "source": "grid",
        "target": "grid",
        "limit_a": [20.0, 20.0, 20.0],
        "onExpiry": "keep",
        "validFor_s": None,
        "cause": "grid",
    }
    (gone,) = judged(by_contact(), replace(SETTLED, better_since=AT - 30.0)).facts
    assert gone.data == dict(fact.data) | {"source": None, "limit_a": None, "cause": "released"}

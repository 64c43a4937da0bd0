"""Money properties: recompute equals bill, segments equal the register, two clocks bill no hour twice (S-15, I6)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siteward.client.bill_messages import EvidenceMessage
from siteward.client.bills import recompute
from siteward.client.messages import SessionMessage
from siteward.model.events import ClockQuality, EventType
from siteward.model.sessions import OrderState, SessionRecord
from siteward.model.tariff import Pin, Pricing
from siteward.store.canonical import plain
from tests.fixtures.story_rig import START, Rig, story_site
from tests.fixtures.tariffs import EVERY_DAY, times, two

BERLIN = "Europe/Berlin"
SPRING, AUTUMN = datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)
"""When the clocks of Berlin are moved."""


def minutes(*marks: int) -> list[dict[str, str]]:
    """A day whose price changes at these minutes of each hour."""
    starts = [hour * 60 + mark for hour in range(24) for mark in sorted({0, *marks})]
    texts = [f"{m // 60:02d}:{m % 60:02d}" for m in starts] + ["24:00"]
    return times(*((begin, end, ("day", "night")[i % 2]) for i, (begin, end) in enumerate(pairwise(texts))))


def rig_at(begin: datetime, pin: Pin, marks: tuple[int, ...]) -> Rig:
    """A rig in Berlin whose wall clock shows `begin` now."""
    pricing = Pricing(default="SZ-TOU", pin=pin)
    rig = Rig(replace(story_site(), timezone=BERLIN, zone=ZoneInfo(BERLIN), pricing=pricing))
    rig.skew = begin - START - timedelta(seconds=rig.at)
    rig.turn()
    rig.install(
        two(
            BERLIN,
            days=[{"on": EVERY_DAY, "times": minutes(*marks)}],
            idle={"pricePerMinute": "0.1234", "grace_s": 30, "most_s": 3600},
            steps=[{"from_wh": 300, "energyPrice": "0.0333"}],
            flatFee=77,
        )
    )
    return rig


def evidence(rig: Rig, row: SessionRecord) -> EvidenceMessage:
    """The events of a session and the tariffs as the journal would have them."""
    facts = [fact for _, fact in rig.log.facts]
    installed = [plain(fact.data) for fact in facts if fact.type is EventType.TARIFF_INSTALLED]
    events = [{"type": fact.type.value, "data": plain(fact.data)} for fact in facts if fact.session == row.id]
    return EvidenceMessage(session=SessionMessage.model_validate(row), events=events, tariffs=installed)  # type: ignore[arg-type]


def holds(rig: Rig) -> SessionRecord:
    """Every property of the one session that a story has."""
    (row,) = rig.log.rows.values()
    assert row.state is OrderState.FINISHED
    assert sum(segment.energy_wh for segment in row.segments) == row.energy_wh
    assert all(segment.energy_wh > 0 for segment in row.segments)
    assert all(0 <= segment.estimated_wh <= segment.energy_wh for segment in row.segments)
    found = recompute(evidence(rig, row))
    assert found.faults == ()
    assert found.bill is not None
    assert found.bill.total == row.total
    finished = [fact for _, fact in rig.log.facts if fact.type is EventType.SESSION_FINISHED]
    assert len(finished) == 1
    return row


STEPS = st.one_of(
    st.tuples(st.just("run"), st.integers(1, 90)),
    st.tuples(st.just("crash"), st.integers(1, 200)),
    st.tuples(st.just("lost"), st.integers(1, 30)),
    st.tuples(st.just("deaf meter"), st.integers(1, 25)),
    st.tuples(st.just("jump"), st.sampled_from([-90_000, -3700, -40, -20, 20, 40, 3600, 86_400])),
    st.tuples(st.just("unsynced"), st.integers(1, 60)),
    st.tuples(st.just("full"), st.integers(6, 60)),
)


def step(rig: Rig, kind: str, amount: int) -> None:
    """One thing that happens to a charging session."""
    outlet = rig["A1"]
    if kind in ("crash", "lost"):
        rig.crash(amount, lost=kind == "lost")
        rig.turns(2)
    elif kind == "deaf meter":
        outlet.meter_silent = True
        rig.turns(amount)
        outlet.meter_silent = False
        rig.turns(2)
    elif kind == "jump":
        rig.skew += timedelta(seconds=amount)
        rig.turns(2)
    elif kind == "unsynced":
        rig.clock = ClockQuality.UNSYNCED
        rig.turns(amount)
        rig.clock = ClockQuality.NTP
        rig.turns(2)
    elif kind == "full":
        outlet.asks = False
        rig.turns(amount)
        outlet.asks = True
        rig.turns(2)
    else:
        rig.turns(amount)


def story(rig: Rig, steps: list[tuple[str, int]]) -> None:
    """Charge through the steps, stop, and leave after a while."""
    rig.charging(seconds=6)
    for kind, amount in steps:
        step(rig, kind, amount)
    rig.turns(3)
    rig.turn(rig.stop(order="O-1"))
    rig.turns(40)
    rig["A1"].plugged = False
    rig.turns(15)


@settings(max_examples=120, deadline=None)
@given(
    st.sampled_from([SPRING, AUTUMN, datetime(2026, 6, 1, 12, tzinfo=UTC)]),
    st.integers(-600, 600),
    st.sampled_from(list(Pin)),
    st.sets(st.integers(1, 59), min_size=1, max_size=20).map(tuple),
    st.lists(STEPS, max_size=7),
)
def test_whatever_happens_the_bill_follows_from_the_journal(
    night: datetime, offset_s: int, pin: Pin, marks: tuple[int, ...], steps: list[tuple[str, int]]
) -> None:
    """S-15, S-16, I6, B21..B24, fault 49, 58..60."""
    rig = rig_at(night + timedelta(seconds=offset_s), pin, marks)
    begin_wh = int(rig["A1"].register)
    began_at = rig.at
    story(rig, steps)
    row = holds(rig)
    assert row.energy_wh == int(rig["A1"].register) - begin_wh
    # Standing is counted by the one clock that never jumps: never more than what passed.
    assert row.idle_s <= rig.at - began_at
    assert row.idle_s + row.charging_s <= rig.at - began_at


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([SPRING, AUTUMN]),
    st.integers(-300, 300),
    st.sets(st.integers(1, 59), min_size=1, max_size=30).map(tuple),
    st.lists(st.tuples(st.sampled_from(["run", "crash", "deaf meter"]), st.integers(1, 60)), max_size=6),
)
def test_no_second_of_a_night_of_moved_clocks_is_billed_twice(
    night: datetime, offset_s: int, marks: tuple[int, ...], steps: list[tuple[str, int]]
) -> None:
    """Fault 59: in true time segments follow each other without overlap, though the wall showed an hour twice."""
    rig = rig_at(night + timedelta(seconds=offset_s), Pin.START, marks)
    story(rig, steps)
    row = holds(rig)
    for one, other in pairwise(row.segments):
        assert one.begin <= one.end <= other.begin + timedelta(milliseconds=1)


@pytest.mark.parametrize("night", [SPRING, AUTUMN])
def test_an_hour_of_a_night_of_moved_clocks_costs_one_hour(night: datetime) -> None:
    """Fault 59, S-19: two hours of true time over the step are two hours of energy, each at what the wall showed."""
    rig = rig_at(night - timedelta(hours=1), Pin.START, (30,))
    rig.charging(seconds=7100)
    rig.turn(rig.stop(order="O-1"))
    rig.turns(15)
    rig["A1"].plugged = False
    rig.turns(5)
    row = holds(rig)
    assert [s.period for s in row.segments] == ["day", "night"] * 2
    assert all(abs(s.energy_wh - 5520) < 80 for s in row.segments[1:3])

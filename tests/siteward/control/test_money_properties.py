"""Money properties: recompute equals bill, segments equal the register, two clocks bill no hour twice (S-15, I6)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siteward.client.bill_messages import EvidenceMessage
from siteward.client.bills import recompute
from siteward.client.messages import SessionMessage
from siteward.control.tariff_data import tariff_data
from siteward.model.events import ClockQuality, EventType
from siteward.model.sessions import OrderState, SessionRecord
from siteward.model.site import Site
from siteward.model.tariff import Pin, Pricing
from siteward.store.canonical import plain
from tests.fixtures.money_truth import MOST_W, Seen, WatchedRig, badly_cut, total_of, unmarked, wrongly_priced
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


TOP_WH = 100_000
"""Where the register of the meter at A4 begins at 0 again."""


def document(marks: tuple[int, ...]) -> dict[str, Any]:
    """A tariff with everything that a tariff can have."""
    return two(
        BERLIN,
        days=[{"on": EVERY_DAY, "times": minutes(*marks)}],
        idle={"pricePerMinute": "0.1234", "grace_s": 30, "most_s": 3600},
        steps=[{"from_wh": 300, "energyPrice": "0.0333"}],
        flatFee=77,
    )


def site() -> Site:
    """The rig's, in Berlin, with a meter at A4 whose register rolls over."""
    base = story_site()
    meter = replace(base.meters[-1], facts=replace(base.meters[-1].facts, rollover_wh=TOP_WH))
    return replace(base, meters=(*base.meters[:-1], meter), timezone=BERLIN, zone=ZoneInfo(BERLIN))


def rig_at(begin: datetime, pin: Pin, marks: tuple[int, ...], name: str = "A1", left_wh: int = 0) -> WatchedRig:
    """A rig whose wall clock shows `begin` now, watched at one outlet; left_wh until its register rolls over."""
    rig = WatchedRig(replace(site(), pricing=Pricing(default="SZ-TOU", pin=pin)))
    rig.skew = begin - START - timedelta(seconds=rig.at)
    rig[name].register = TOP_WH - left_wh if left_wh else 1000.0
    rig.turn()
    rig.install(document(marks))
    rig.seen = Seen(name)
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


MARKS = st.one_of(
    st.sets(st.integers(1, 59), min_size=1, max_size=20).map(tuple),
    st.just(tuple(range(1, 60))),
)
"""Some minutes of each hour, or every one."""

STEPS = st.one_of(
    st.tuples(st.just("run"), st.integers(1, 300)),
    st.tuples(st.just("crash"), st.one_of(st.integers(1, 30), st.integers(100, 420))),
    st.tuples(st.just("lost"), st.integers(1, 30)),
    st.tuples(st.just("deaf meter"), st.integers(1, 25)),
    st.tuples(st.just("jump"), st.sampled_from([-90_000, -3700, -40, -20, 20, 40, 3600, 86_400])),
    st.tuples(st.just("unsynced"), st.integers(1, 60)),
    st.tuples(st.just("full"), st.integers(6, 60)),
    st.tuples(st.just("version"), st.integers(-30, 300)),
)


def step(rig: WatchedRig, name: str, kind: str, amount: int) -> None:
    """One thing that happens to a charging session."""
    outlet = rig[name]
    if kind in ("crash", "lost"):
        rig.crash(amount, lost=kind == "lost")
        rig.turns(2)
    elif kind == "deaf meter":
        outlet.meter_silent = True
        rig.turns(amount)
        outlet.meter_silent = False
        rig.turns(2)
    elif kind == "jump":
        jump(rig, name, amount)
    elif kind == "unsynced":
        rig.clock = ClockQuality.UNSYNCED
        rig.turns(amount)
        rig.clock = ClockQuality.NTP
        rig.turns(2)
    elif kind == "version":
        known = list(rig.memory.prices.versions.values())
        begin = rig.wall + timedelta(seconds=amount)
        fresh = tariff_data(known[0]) | {"version": len(known) + 1, "validFrom": begin.isoformat()}
        rig.install(fresh, f"t{len(known) + 1}")
        rig.turns(2)
    elif kind == "full":
        outlet.asks = False
        rig.turns(amount)
        outlet.asks = True
        rig.turns(2)
    else:
        rig.turns(amount)


def jump(rig: WatchedRig, name: str, seconds: int) -> None:
    """Set the wall clock; what was priced by one that was far off is marked."""
    told = [fact.data for _, fact in rig.log.facts if fact.type is EventType.SESSION_SEGMENT]
    since_wh = told[-1]["end_register_wh"] if told else rig.begin_wh
    grown_wh = rig[name].register - int(str(since_wh))
    rig.skew += timedelta(seconds=seconds)
    rig.turns(2)
    after = [fact.data for _, fact in rig.log.facts if fact.type is EventType.SESSION_SEGMENT][len(told) :]
    if abs(seconds) > 30 and grown_wh > 10.0:
        assert [data["flagged"] for data in after if data["ended"] == "clock"] == [True]


def story(rig: WatchedRig, steps: list[tuple[str, int]], name: str = "A1") -> None:
    """Charge through the steps, stop, and leave after a while."""
    rig.begin_wh = int(rig[name].register)
    rig.charging(name, seconds=6)
    for kind, amount in steps:
        step(rig, name, kind, amount)
    rig.turns(3)
    rig.turn(rig.stop(order="O-1"))
    rig.turns(40)
    rig[name].plugged = False
    rig.turns(15)


def true_to_the_world(
    rig: WatchedRig, row: SessionRecord, marks: tuple[int, ...], steps: list[tuple[str, int]]
) -> None:
    """Held against what the world did, second by second, and against the tariff worked out by hand."""
    seen = rig.seen
    assert seen is not None
    assert list(wrongly_priced(row.segments, marks, ZoneInfo(BERLIN))) == []
    off_s = sum(abs(amount) for kind, amount in steps if kind == "jump" and abs(amount) <= 30)
    assert list(badly_cut(row.segments, seen, off_s)) == []
    assert list(unmarked(row.segments, seen)) == []
    assert row.total == total_of(document(marks), row)
    kinds = [kind for kind, _ in steps]
    crashes = kinds.count("crash") + kinds.count("lost")
    assert row.gap is (crashes > 0)
    unsure = sum(s.energy_wh for s in row.segments if s.flagged and s.period == "night")
    assert unsure >= seen.unsure_wh - 16 * kinds.count("unsynced"), "the lowest price while nobody knows the time"
    # A restart knows what the last row said; a stand begins after its five seconds.
    assert row.charging_s >= seen.flowed_s - 18 * crashes - 3
    assert row.idle_s >= seen.stood_s - 18 * crashes - 8 * (crashes + kinds.count("full") + 1)


@settings(max_examples=120, deadline=None)
@given(
    st.sampled_from([SPRING, AUTUMN, datetime(2026, 6, 1, 12, tzinfo=UTC)]),
    st.integers(-600, 600),
    st.sampled_from(list(Pin)),
    MARKS,
    st.lists(STEPS, max_size=7),
    st.sampled_from([("A1", 0), ("A4", 0), ("A4", 60), ("A4", 400)]),
)
def test_whatever_happens_the_bill_follows_from_the_journal(
    night: datetime,
    offset_s: int,
    pin: Pin,
    marks: tuple[int, ...],
    steps: list[tuple[str, int]],
    outlet: tuple[str, int],
) -> None:
    """S-15, S-16, I6, B21..B24, fault 31, 49, 58..60."""
    name, left_wh = outlet
    rig = rig_at(night + timedelta(seconds=offset_s), pin, marks, name, left_wh)
    begin_wh = int(rig[name].register)
    began_at = rig.at
    story(rig, steps, name)
    row = holds(rig)
    assert row.energy_wh == int(rig[name].register) - begin_wh
    true_to_the_world(rig, row, marks, steps)
    if pin is Pin.START:
        assert {part.version for part in row.segments} == {1}
    # Standing is counted by the one clock that never jumps: never more than what passed.
    assert row.idle_s <= rig.at - began_at
    assert row.idle_s + row.charging_s <= rig.at - began_at


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from([SPRING, AUTUMN, datetime(2026, 6, 1, 12, tzinfo=UTC)]),
    st.integers(-600, 600),
    st.sampled_from(list(Pin)),
    MARKS,
    st.lists(STEPS, max_size=7),
    st.integers(78, 400),
)
def test_what_was_paid_ahead_is_what_it_costs_at_most(
    night: datetime, offset_s: int, pin: Pin, marks: tuple[int, ...], steps: list[tuple[str, int]], amount: int
) -> None:
    """ADR 0066: but for what flows unseen, and until the charger has stopped: nothing is added on top by standing."""
    rig = rig_at(night + timedelta(seconds=offset_s), pin, marks)
    rig.charging("A1", seconds=6, maxAmount=amount)
    for kind, seconds in steps:
        step(rig, "A1", kind, seconds)
    rig.turns(400)
    rig["A1"].plugged = False
    rig.turns(15)
    row = holds(rig)
    unseen_s = 8 + max((seconds + 3 for kind, seconds in steps if kind in ("crash", "lost", "deaf meter")), default=0)
    # The dearest kWh, a minute of standing, and each line rounded up.
    assert (row.total or 0) <= amount + MOST_W * unseen_s / 3_600_000.0 * 63.33 + 13 + len(row.segments)
    assert row.total == total_of(document(marks), row)
    assert row.stop_reason in ("amount_limit", "unplugged")


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([SPRING, AUTUMN]),
    st.integers(-300, 300),
    MARKS,
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

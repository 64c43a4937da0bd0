"""B15, B23, R15: what a turn makes of a demand window, and when it tells its limit."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from siteward.control import window as windows
from siteward.control.demanded import Demanded, Metered, begin, judge_windows, marks, remembered
from siteward.control.window import Window
from siteward.model.alarms import Alarm, AlarmCode
from siteward.model.events import ClockQuality
from siteward.model.ids import ConnectorId, FeederId
from siteward.model.limits import Cause, CauseStep, Grant, Limit, LimitSource, OnLimitExpiry
from siteward.model.readings import MeterReading
from siteward.model.rules import LimitRule
from siteward.model.site import Site
from siteward.model.snapshot import Snapshot
from tests.siteward.control.sites import Box, feeder, site
from tests.siteward.control.window_bench import AT, METER, RULE, known, reading, running


def metered_site(aligned: bool = True) -> Site:
    """A grid of 100 A with a box and this contract."""
    plain = site([feeder("grid", 100.0, worst=30.0, metered=True)], [Box(hw_a=20.0, max_a=20.0), Box(wiring="1")])
    rules = (LimitRule("none", RULE, FeederId("grid")),)
    return replace(plain, rules=(replace(rules[0], id="q", by=replace(RULE, aligned=aligned)),))


WALL = datetime(2026, 7, 1, 12, 10, tzinfo=UTC)
"""600 s into a quarter of an hour."""


def judged(
    old: Metered | None,
    answer: MeterReading | None = None,
    grants: dict[ConnectorId, Grant] | None = None,
    clock: ClockQuality = ClockQuality.NTP,
    aligned: bool = True,
    wall: datetime = WALL,
) -> tuple[Demanded, Metered]:
    """One turn of it, with all that came of it."""
    meters = {} if answer is None else {METER: answer}
    snapshot = Snapshot(AT, wall, clock, 1, meters=meters)
    found = judge_windows(metered_site(aligned), snapshot, {} if old is None else {"q": old}, grants or {})
    return found, found.metered["q"]


def held(told_s: float | None = 3.0, begun_s: float = 600.0, used_wh: float = 1000.0, **more: object) -> Metered:
    """A window in its course, told so long ago."""
    window = replace(running(begun_s, used_wh), register_wh=5000.0, mark_wh=4000.0, **more)  # type: ignore[arg-type]
    return Metered(AT - 5000.0, window, None, None if told_s is None else AT - told_s)


@pytest.mark.parametrize(("told_s", "again"), [(9.9, False), (10.0, True), (None, True)])
def test_a_limit_is_told_every_ten_seconds(told_s: float | None, again: bool) -> None:
    """B15: whole tenths of an ampere, until its window ends, and kept over that."""
    found, after = judged(held(told_s), reading(AT, 5000, 12_000.0))
    if not again:
        assert (after.limit, after.told_at) == (None, AT - (told_s or 0.0))
        return
    amps = 7100.0 * 12.0 / 690.0
    assert after.told_at == AT
    assert after.since == AT - 5000.0
    assert after.limit == Limit(
        "q",
        LimitSource.DEMAND,
        (int(amps * 10) / 10,) * 3,
        FeederId("grid"),
        ends_at=AT + 300.0,
        on_expiry=OnLimitExpiry.KEEP,
        mark_wh=4000.0,
    )
    assert (found.facts, found.marked, found.alarms) == ((), False, frozenset())


def test_a_new_window_is_told_at_once_with_what_the_last_one_came_to() -> None:
    """B15: and the journal is to keep its register."""
    window = replace(running(1500.0, 1500.0), register_wh=5000.0, mark_wh=4000.0)
    found, after = judged(Metered(AT - 5000.0, window, None, AT - 1.0), reading(AT, 5000, 12_000.0))
    assert after.window.begun_at == pytest.approx(AT - 600.0)
    assert after.told_at == AT
    assert found.marked
    assert found.facts[0].data["energy_wh"] == 900.0
    assert found.facts[0].data["contract_wh"] == 9000.0
    assert found.facts[0].data["cause"] == "window"


@pytest.mark.parametrize(("since_s", "told"), [(5.0, False), (5.1, True)])
def test_the_first_answer_is_waited_for_five_seconds(since_s: float, told: bool) -> None:
    """B15: it says where a window that has just begun does; then the worst stands in, and no register is kept."""
    wall = datetime(2026, 7, 1, 12, 15, 3, tzinfo=UTC)
    found, after = judged(Metered(AT - since_s, windows.start(AT - since_s)), wall=wall)
    assert (after.limit is not None) is told
    assert after.since == AT - since_s
    assert not found.marked
    if after.limit is not None:
        assert (after.limit.reason, after.limit.ends_at, after.told_at) == (Cause.DEMAND_UNKNOWN, None, AT)


@pytest.mark.parametrize(("old_s", "reason"), [(5.0, None), (5.1, Cause.DEMAND_UNKNOWN)])
def test_an_old_answer_leaves_the_present_unknown(old_s: float, reason: Cause | None) -> None:
    """S-20: beyond five seconds."""
    after = judged(held(None), reading(AT - old_s, 5000, 12_000.0))[1]
    assert after.limit is not None
    assert after.limit.reason is reason


@pytest.mark.parametrize(
    ("over_s", "used_wh", "since", "alarm"),
    [
        (None, 8001.0, AT, False),
        (None, 8000.0, None, False),
        (59.9, 8001.0, AT - 59.9, False),
        (60.0, 8001.0, AT - 60.0, True),
        (90.0, 8000.0, None, False),
    ],
)
def test_a_minute_above_the_contract_is_told(
    over_s: float | None, used_wh: float, since: float | None, alarm: bool
) -> None:
    """B15: by its forecast of 12 kW for 300 s; the margin is ours alone."""
    old = held(3.0, used_wh=used_wh, over_since=None if over_s is None else AT - over_s)
    found, after = judged(old, reading(AT, 5000, 12_000.0))
    assert after.window.over_since == since
    assert found.alarms == ({Alarm(AlarmCode.DEMAND_OVER, "q")} if alarm else set())


def grant(name: str, reserved_a: float) -> dict[ConnectorId, Grant]:
    """What the last turn booked for a connector."""
    step = CauseStep(Cause.MAXIMUM, reserved_a)
    cid = ConnectorId(name)
    return {cid: Grant(cid, reserved_a, reserved_a, reserved_a, reserved_a, True, True, (step,))}


@pytest.mark.parametrize(
    ("grants", "worst_w"),
    [
        ({}, 1.45 * 300.0 * 230.0),
        (grant("c00", 10.0), (90.0 + 30.0 + 32.0) * 230.0),
        (grant("c00", 10.0) | grant("c01", 6.0), (90.0 + 30.0 + 6.0) * 230.0),
        (grant("c00", 500.0), 1.45 * 300.0 * 230.0),
    ],
)
def test_the_worst_is_what_was_booked_and_the_worst_other_load(
    grants: dict[ConnectorId, Grant], worst_w: float
) -> None:
    """Law 5: a fuse carries 1.45 times its rating for long, never more."""
    window = Window(((AT - 36.0, 0.0),), AT - 36.0, begun_at=AT - 600.0)
    counted = judged(Metered(AT - 5000.0, window), reading(AT), grants)[1].window.trail[-1]
    assert counted == pytest.approx((AT, worst_w * 36.0 / 3600.0))


@pytest.mark.parametrize(
    ("clock", "aligned", "begun_s", "begun_at"),
    [
        (ClockQuality.NTP, True, 1500.0, AT - 600.0),
        (ClockQuality.UNSYNCED, True, 899.9, AT - 899.9),
        (ClockQuality.UNSYNCED, True, 900.0, AT),
        (ClockQuality.NTP, False, 700.0, AT - 700.0),
        (ClockQuality.NTP, False, 1000.0, AT),
    ],
)
def test_without_alignment_a_window_begins_where_the_last_one_ended(
    clock: ClockQuality, aligned: bool, begun_s: float, begun_at: float
) -> None:
    """R15: by a clock that is trusted, and only where the contract says so."""
    after = judged(held(3.0, begun_s), reading(AT, 5000, 0.0), None, clock, aligned)[1]
    assert after.window.begun_at == pytest.approx(begun_at)


def test_marks_come_back_as_windows() -> None:
    """B23: only those of this site, with a register and an end."""
    built, by = metered_site(), replace(RULE, aligned=True)
    limit = Limit("q", LimitSource.DEMAND, (9.0, 9.0, 9.0), FeederId("grid"), ends_at=AT + 300.0, mark_wh=4000.0)
    made = marks({"q": Metered(0.0, known(), limit), "x": Metered(0.0, known(), replace(limit, mark_wh=None))})
    assert made == (replace(limit, id="window:q"),)
    assert remembered(built, made, AT) == {"q": Metered(AT, windows.resume(by, AT + 300.0, 4000.0, AT))}
    assert remembered(built, [replace(made[0], ends_at=None)], AT) == {}
    assert remembered(built, [replace(made[0], source=LimitSource.CLOUD)], AT) == {}
    bare = remembered(built, [replace(made[0], mark_wh=None)], AT)
    assert bare == {"q": Metered(AT, windows.resume(by, AT + 300.0, 0.0, AT))}


def test_the_quarter_is_that_of_the_wall_clock() -> None:
    """B15: to the millisecond."""
    assert begin(metered_site(), WALL, AT, 900.0) == AT - 600.0

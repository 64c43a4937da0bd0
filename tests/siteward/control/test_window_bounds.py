"""B15, B22, turn.md 3.10: the arithmetic of a demand window at its very bounds, and what is told of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from siteward.control import window as windows
from siteward.control.demanded import Demanded, Metered, begin, judge_windows, marks, remembered
from siteward.control.window import Left, Window
from siteward.model.alarms import Alarm, AlarmCode
from siteward.model.events import ClockQuality
from siteward.model.ids import ConnectorId, FeederId, MeterId
from siteward.model.limits import Cause, CauseStep, Grant, Limit, LimitSource, OnLimitExpiry
from siteward.model.readings import MeterReading
from siteward.model.rules import DemandWindow, LimitRule
from siteward.model.site import Site
from siteward.model.snapshot import Snapshot
from tests.siteward.control.sites import Box, feeder, site

METER = MeterId("m-grid")
AT = 10_000.0
RULE = DemandWindow(METER, 36_000.0, 900.0, aligned=True, margin=0.1)
"""9 kWh in a quarter of an hour, of which 8.1 are used."""

WORST_W = 72_000.0


def worst() -> float:
    """What could have flowed unmeasured."""
    return WORST_W


def reading(
    sent_at: float, wh: int | None = None, watts: float | None = None, amps: float | None = None
) -> MeterReading:
    """An answer of the meter."""
    return MeterReading(METER, sent_at, None if amps is None else (amps,) * 3, power_w=watts, energy_wh=wh)


def known(register: float | None = 1000.0, since: float = AT) -> Window:
    """A window that stands at 50 Wh and this register."""
    return Window(((since - 100.0, 0.0), (since, 50.0)), since - 100.0, register)


@pytest.mark.parametrize(("back_s", "same"), [(0.0, True), (1.0, True), (-0.1, False)])
def test_an_answer_counts_once(back_s: float, same: bool) -> None:
    """B15: only a newer one."""
    window = known()
    assert (windows.count(window, reading(AT - back_s, 1000), 230.0, worst) is window) is same


@pytest.mark.parametrize(
    ("answer", "wh", "measured"),
    [
        (reading(AT + 5.0, 1040, 7200.0), 40.0, True),
        (reading(AT + 5.0, 1000, 7200.0), 0.0, True),
        (reading(AT + 5.0, 999, 7200.0), 10.0, True),
        (reading(AT + 5.0, None, 7200.0), 10.0, True),
        (reading(AT + 5.0, None, -7200.0), 0.0, True),
        (reading(AT + 10.0, None, 7200.0), 20.0, True),
        (reading(AT + 10.1, None, 7200.0), 202.0, False),
        (reading(AT + 5.0, None, None, 10.0), 3 * 10.0 * 230.0 * 5.0 / 3600.0, True),
        (reading(AT + 5.0, None, None, -10.0), 0.0, True),
        (reading(AT + 5.0), 100.0, False),
        (reading(AT + 5.0, 2000), 1000.0, True),
        (reading(AT + 5.0, 2120), 1120.0, True),
        (reading(AT + 5.0, 2121), 100.0, False),
        (reading(AT + 60.0, 3400), 2400.0, True),
        (reading(AT + 60.0, 3441), 1200.0, False),
    ],
)
def test_energy_is_the_registers_else_the_powers_else_the_worst(
    answer: MeterReading, wh: float, measured: bool
) -> None:
    """B22: a register that goes back, or further than the fuses carry by a fifth and one coarse step, is not believed."""
    found = windows.count(known(), answer, 230.0, worst)
    assert found.trail[-1] == pytest.approx((answer.sent_at, 50.0 + wh))
    assert found.measured_from == (AT - 100.0 if measured else answer.sent_at)
    assert found.register_wh == (None if answer.energy_wh is None else float(answer.energy_wh))


def test_what_flowed_in_a_gap_flowed_at_its_end() -> None:
    """Law 5: as late as the worst load could have brought it; never before the gap began."""
    found = windows.count(known(), reading(AT + 60.0, 1400), 230.0, worst)
    assert found.trail[1:] == ((AT, 50.0), (AT + 40.0, 50.0), (AT + 60.0, 450.0))
    much = windows.count(known(), reading(AT + 60.0, 3400), 230.0, worst)
    assert much.trail[1:] == ((AT, 50.0), (AT, 50.0), (AT + 60.0, 2450.0))
    short = windows.count(known(), reading(AT + 10.0, 1010), 230.0, worst)
    assert short.trail[1:] == ((AT, 50.0), (AT + 10.0, 60.0))
    idle = windows.count(known(), reading(AT + 60.0, 1010), 230.0, lambda: 0.0)
    assert idle.trail[2] == (AT, 50.0)


@pytest.mark.parametrize(
    ("at", "wh"),
    [(AT + 36.0, 60.0), (AT, 50.0), (AT - 50.0, 25.0), (AT - 100.0, 0.0), (AT - 136.0, -720.0), (AT - 1.0, 49.5)],
)
def test_the_line_of_energy_is_straight_between_samples(at: float, wh: float) -> None:
    """B15: after the newest by the present load, before the oldest by the worst."""
    assert windows.total_wh(known(), at, 1000.0, worst) == pytest.approx(wh)


@pytest.mark.parametrize(
    ("ends_at", "begun_at"),
    [(AT + 100.0, AT - 800.0), (AT + 899.0, AT - 1.0), (AT + 899.1, AT - 900.0), (AT + 5000.0, AT - 900.0)],
)
def test_a_window_is_resumed_where_its_mark_was_made(ends_at: float, begun_at: float) -> None:
    """B23: an end that lies a whole window ahead is one of another boot."""
    assert windows.resume(RULE, ends_at, 777.0, AT) == Window(((begun_at, 0.0),), begun_at, 777.0)


@pytest.mark.parametrize(
    ("trail", "kept"),
    [
        (((AT - 30.0, 1.0), (AT - 20.0, 2.0), (AT - 15.1, 3.0)), 2),
        (((AT - 30.0, 1.0), (AT - 20.0, 2.0), (AT - 15.0, 3.0)), 3),
        (((AT - 950.0, 1.0), (AT - 900.0, 2.0), (AT - 15.0, 3.0)), 2),
        (((AT - 950.0, 1.0), (AT - 899.9, 2.0), (AT - 15.0, 3.0)), 3),
        (((AT - 990.0, 1.0), (AT - 950.0, 2.0)), 1),
        (((AT - 2.0, 1.0), (AT - 1.0, 2.0)), 2),
    ],
)
def test_a_sample_in_each_sixtieth_and_one_before_the_reach_are_kept(
    trail: tuple[tuple[float, float], ...], kept: int
) -> None:
    """B15: the newest always."""
    found = windows.thin(Window(trail, 0.0), RULE, AT).trail
    assert len(found) == kept
    assert found[-1] == trail[-1]


@pytest.mark.parametrize(
    ("begun_at", "begin_at", "turns", "closed"),
    [
        (None, AT - 50.0, True, None),
        (AT - 950.0, AT - 50.0, True, 15.0),
        (AT - 52.0, AT - 50.0, False, None),
        (AT - 52.1, AT - 50.0, True, 15.0),
        (AT - 48.0, AT - 50.0, False, None),
        (AT - 40.0, AT - 50.0, True, None),
        (AT - 950.0, AT + 0.1, False, None),
        (AT - 950.0, AT, True, 40.0),
    ],
)
def test_a_window_goes_over_once_its_begin_was_measured(
    begun_at: float | None, begin_at: float, turns: bool, closed: float | None
) -> None:
    """B15: two seconds are a slip of the clock; going back closes nothing."""
    window = replace(known(), begun_at=begun_at, begun_wh=10.0, mark_wh=5.0)
    after, energy = windows.turn_over(window, begin_at, 0.0, worst)
    assert energy == closed
    if not turns:
        assert after is window
        return
    begun_wh = 50.0 if begin_at == AT else 25.0
    assert after == replace(window, begun_at=begin_at, begun_wh=begun_wh, mark_wh=950.0 + begun_wh)


def test_without_a_register_there_is_no_mark() -> None:
    """B23: nothing to keep."""
    assert windows.turn_over(known(None), AT - 50.0, 0.0, worst)[0].mark_wh is None


def running(begun_s: float | None, used_wh: float, since: float | None = None) -> Window:
    """A window that began so long ago and has used so much."""
    begun_at = None if begun_s is None else AT - begun_s
    trail = ((AT - 2000.0, 0.0), (AT - (begun_s or 0.0), 100.0), (AT, 100.0 + used_wh))
    return Window(trail, AT - 2000.0 if since is None else since, begun_at=begun_at, begun_wh=100.0)


@pytest.mark.parametrize(
    ("begun_s", "used_wh", "left"),
    [
        (600.0, 5100.0, Left(36_000.0, 5100.0, 6100.0, True)),
        (600.0, 8100.0, Left(0.0, 8100.0, 9100.0, True)),
        (600.0, 8200.0, Left(0.0, 8200.0, 9200.0, True)),
        (840.0, 7100.0, Left(60_000.0, 7100.0, 7300.0, True)),
        (880.0, 7100.0, Left(60_000.0, 7100.0, 7100.0 + 200.0 / 3.0, True)),
        (990.0, 7100.0, Left(60_000.0, 7100.0, 7100.0, True)),
    ],
)
def test_what_is_left_is_spread_over_the_rest_but_a_minute_at_least(begun_s: float, used_wh: float, left: Left) -> None:
    """B15: of the contract less its margin; the forecast goes on at 12 kW."""
    assert windows.left_aligned(RULE, running(begun_s, used_wh), AT, 0.0, worst, 12_000.0) == pytest.approx(left)


def test_before_its_first_begin_all_of_it_is_left() -> None:
    """B15: and the present load reaches its end."""
    window = Window(((AT, 100.0),), AT, begun_wh=100.0)
    assert windows.left_aligned(RULE, window, AT, 0.0, worst, 12_000.0) == pytest.approx(
        Left(32_400.0, 0.0, 3000.0, True)
    )


@pytest.mark.parametrize(("late_s", "sure"), [(2.0, True), (2.1, False), (-5.0, True)])
def test_sure_is_what_was_measured_from_its_begin(late_s: float, sure: bool) -> None:
    """S-20: but for a slip of the clock."""
    window = running(600.0, 10.0, AT - 600.0 + late_s)
    assert windows.left_aligned(RULE, window, AT, 0.0, worst, 0.0).sure is sure


@pytest.mark.parametrize(
    ("used_wh", "left"),
    [
        (0.0, Left(32_400.0, 0.0, 200.0, True)),
        (7000.0, Left(32_400.0, 7000.0, 7200.0, True)),
        (7900.0, Left(12_000.0, 7900.0, 8100.0, True)),
        (9000.0, Left(0.0, 9000.0, 9200.0, True)),
    ],
)
def test_a_sliding_window_leaves_what_the_next_minute_may_have(used_wh: float, left: Left) -> None:
    """R15: never more than the contract itself."""
    window = Window(((AT - 2000.0, 0.0), (AT - 840.0, 0.0), (AT, used_wh)), AT - 840.0)
    assert windows.left_sliding(RULE, window, AT, 0.0, worst, 12_000.0) == pytest.approx(left)


def test_a_sliding_window_counts_the_unknown_as_the_worst() -> None:
    """Law 5: before its first sample, and after its newest by what flows."""
    window = Window(((AT - 800.0, 0.0), (AT - 36.0, 1000.0)), AT - 839.9)
    found = windows.left_sliding(RULE, window, AT, 6000.0, worst, 0.0)
    assert found.used_wh == pytest.approx(1000.0 + 60.0 + 800.0)
    assert not found.sure


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

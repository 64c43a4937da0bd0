"""B15, turn.md 3.10, B22: a demand window counts each watt-hour once, and what nobody measured as the worst."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from siteward.control import window as windows
from siteward.control.demanded import Metered, begin, judge_windows, marks, remembered
from siteward.model.events import ClockQuality
from siteward.model.ids import FeederId, MeterId
from siteward.model.limits import Cause, Limit, LimitSource
from siteward.model.readings import MeterReading
from siteward.model.rules import DemandWindow, LimitRule
from siteward.model.site import Site
from siteward.model.snapshot import Snapshot
from tests.siteward.control.sites import Box, feeder, site

METER = MeterId("m-grid")
ZONES = ["Europe/Berlin", "Europe/Dublin", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kathmandu", "UTC"]
WORST_W = 1.45 * 300.0 * 230.0


def built(zone: str = "UTC", minutes: int = 15, aligned: bool = True, demand_w: float = 30_000.0) -> Site:
    """A grid of 100 A with one box and one window."""
    by = DemandWindow(METER, demand_w, minutes * 60.0, aligned, margin=0.0)
    plain = site([feeder("grid", 100.0, worst=30.0, metered=True)], [Box()])
    return replace(plain, rules=(LimitRule("q", by, FeederId("grid")),), timezone=zone, zone=ZoneInfo(zone))


class Rig:
    """Time, a register and one window."""

    def __init__(self, site: Site, wall: datetime, at: float = 10_000.0) -> None:
        self.site, self.at, self.wall_zero, self.zero = site, at, wall, at
        self.clock = ClockQuality.NTP
        self.wh = 1000.0
        self.load_w = 0.0
        self.metered: dict[str, Metered] = {}
        self.reads, self.registers = True, True
        self.reading: MeterReading | None = None
        self.closed: list[tuple[float, float]] = []
        self.begins: list[float] = []
        self.marks: tuple[Limit, ...] = ()
        self.over = False

    @property
    def wall(self) -> datetime:
        """UTC now."""
        return self.wall_zero + timedelta(seconds=self.at - self.zero)

    def go(self, seconds: float, watts: float, step_s: float = 5.0) -> None:
        """Let a load flow, with a turn after each step."""
        end = self.at + seconds
        while self.at < end - 1e-6:
            step = min(step_s, end - self.at)
            self.at += step
            self.wh += watts * step / 3600.0
            if self.reads:
                energy = int(self.wh) if self.registers else None
                self.reading = MeterReading(METER, self.at, (watts / 690.0,) * 3, power_w=watts, energy_wh=energy)
            self.turn()

    def turn(self) -> None:
        """Judge."""
        meters = {} if self.reading is None else {METER: self.reading}
        snapshot = Snapshot(self.at, self.wall, self.clock, 1, meters=meters)
        out = judge_windows(self.site, snapshot, self.metered, {})
        self.metered = dict(out.metered)
        self.over = bool(out.alarms)
        for fact in out.facts:
            wh = fact.data["energy_wh"]
            assert isinstance(wh, float)
            self.closed.append((self.at, wh))
        if out.marked:
            self.marks = marks(self.metered)
        begun = self.window.begun_at
        if begun is not None and (not self.begins or abs(begun - self.begins[-1]) > 1e-3):
            self.begins.append(begun)

    def restart(self, seconds: float, watts: float) -> None:
        """The process is gone for a while; the load flows on."""
        self.at += seconds
        self.wh += watts * seconds / 3600.0
        self.reading = None
        self.metered = remembered(self.site, self.marks, self.at)

    @property
    def window(self) -> windows.Window:
        """The window."""
        return self.metered["q"].window

    @property
    def limit(self) -> Limit:
        """The limit as told last."""
        limit = self.metered["q"].limit
        assert limit is not None
        return limit


CHANGES = st.sampled_from(
    [
        datetime(2026, 3, 28, 23, 50, tzinfo=UTC),
        datetime(2026, 10, 24, 23, 50, tzinfo=UTC),
        datetime(2026, 4, 4, 14, 5, tzinfo=UTC),
        datetime(2026, 10, 3, 14, 5, tzinfo=UTC),
        datetime(2026, 7, 1, 12, 7, tzinfo=UTC),
    ]
)


@settings(max_examples=40)
@given(
    CHANGES,
    st.sampled_from(ZONES),
    st.sampled_from([15, 30, 60]),
    st.lists(st.tuples(st.floats(60, 1500), st.floats(0, 60_000)), min_size=3, max_size=8),
)
@example(datetime(2026, 4, 4, 14, 5, tzinfo=UTC), "Europe/Dublin", 30, [(1489.0, 0.0), (406.0, 60_000.0), (60.0, 0.0)])
@example(
    datetime(2026, 4, 4, 14, 5, tzinfo=UTC), "Europe/Dublin", 60, [(1471.0, 60_000.0), (424.0, 0.0), (1800.0, 9e3)]
)
def test_no_hour_is_skipped_or_counted_twice(
    wall: datetime, zone: str, minutes: int, loads: list[tuple[float, float]]
) -> None:
    """B15: across daylight saving both ways windows follow each other without gap or overlap, energy included.

    The load is constant between two readings, so that a straight line from one to the next tells where a window begins
    without error. What is left is the register's whole watt-hours, which are less than 1 Wh behind at each end of the
    sum (those between cancel out), and each closed window's energy, which is told to 0.1 Wh.
    """
    rig = Rig(built(zone, minutes), wall)
    rig.go(5.0, 0.0)
    for seconds, watts in loads:
        rig.go(seconds, watts)
    first, *more = rig.begins
    assert [round(b - first, 3) for b in more] == [60.0 * minutes * (n + 1) for n in range(len(more))]
    local = (rig.wall_zero + timedelta(seconds=first - rig.zero)).astimezone(ZoneInfo(zone))
    assert (local.hour * 60 + local.minute) % min(minutes, 30) == 0
    counted = sum(wh for at, wh in rig.closed[1:]) + windows.total_wh(rig.window, rig.at, 0.0, lambda: 0.0)
    counted -= rig.window.begun_wh
    if more:
        assert counted == pytest.approx(_flowed(rig, loads, more[0]), abs=1.001 + 0.05 * len(more))


def _flowed(rig: Rig, loads: list[tuple[float, float]], since: float) -> float:
    """What truly flowed from an instant on."""
    at, total = rig.zero + 5.0, 0.0
    for seconds, watts in loads:
        total += watts * max(0.0, min(seconds, at + seconds - since)) / 3600.0
        at += seconds
    return total


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.floats(5, 900), st.floats(0, WORST_W), st.sampled_from(["good", "lost", "no_register", "restart"])
        ),
        min_size=2,
        max_size=8,
    ),
    st.booleans(),
)
@example([(830.0, 85_589.0, "lost"), (5.0, 0.0, "no_register"), (5.0, 0.0, "restart")], True)
def test_what_is_not_measured_is_never_counted_as_less(parts: list[tuple[float, float, str]], registers: bool) -> None:
    """Law 5, R11: whatever is lost, the window holds at least what truly flowed since it began."""
    rig = Rig(built(), datetime(2026, 7, 1, 12, 3, tzinfo=UTC))
    rig.registers = registers
    rig.go(10.0, 0.0)
    flowed: list[tuple[float, float, float]] = []
    for seconds, watts, how in parts:
        began = rig.at
        rig.reads, rig.registers = how != "lost", registers and how != "no_register"
        if how == "restart":
            rig.restart(seconds, watts)
            rig.reads = True
            flowed.append((began, rig.at, watts))
            began = rig.at
            rig.go(5.0, watts)
        else:
            rig.go(seconds, watts)
        flowed.append((began, rig.at, watts))
    start = rig.window.begun_at
    assert start is not None, "ten measured seconds are enough to begin"
    age = rig.at - rig.window.trail[-1][0]
    used = windows.total_wh(rig.window, rig.at, WORST_W if age > 5.0 else 0.0, lambda: WORST_W) - rig.window.begun_wh
    truly = sum(w * max(0.0, b - max(a, start)) / 3600.0 for a, b, w in flowed)
    assert used >= truly - 5.0 * WORST_W / 3600.0 - 3.0


def test_the_rest_of_the_budget_is_spread_over_the_rest_of_the_window() -> None:
    """Turn.md 3.10: half the window at half the demand leaves one and a half of it; the last minute is no feast."""
    rig = Rig(built(), datetime(2026, 7, 1, 12, 0, tzinfo=UTC))
    rig.go(900.0, 1000.0)
    rig.go(450.0, 15_000.0)
    assert rig.limit.limit_a[0] == pytest.approx(45_000.0 / 690.0, rel=0.02)
    rig.go(435.0, 0.0)
    assert rig.limit.limit_a[0] == pytest.approx(5625.0 * 60.0 / 690.0, rel=0.02), "at most the rest in a minute"
    rig.go(20.0, 0.0)
    assert rig.limit.limit_a[0] == pytest.approx(30_000.0 / 690.0, rel=0.02)
    assert rig.closed[-1][1] == pytest.approx(1875.0, abs=30.0)


def test_a_restart_goes_on_where_the_register_stands() -> None:
    """B23: the journal's mark and the register give the energy of the window to the watt-hour."""
    rig = Rig(built(), datetime(2026, 7, 1, 12, 0, tzinfo=UTC))
    rig.go(900.0, 5000.0)
    rig.go(300.0, 20_000.0)
    before = rig.window
    rig.restart(120.0, 20_000.0)
    assert rig.window.begun_at is None
    rig.go(5.0, 20_000.0)
    assert rig.window.begun_at == pytest.approx(before.begun_at, abs=0.01)
    used = windows.total_wh(rig.window, rig.at, 0.0, lambda: WORST_W) - rig.window.begun_wh
    assert used == pytest.approx(425.0 * 20_000.0 / 3600.0, abs=30.0)
    assert rig.limit.reason is None, "all of it was measured"


def test_a_restart_across_the_begin_of_a_window_counts_the_gap_as_late_as_it_could_be() -> None:
    """B23, law 5: the register knows how much, nobody knows when."""
    rig = Rig(built(), datetime(2026, 7, 1, 12, 0, tzinfo=UTC))
    rig.go(1700.0, 5000.0)
    rig.restart(300.0, 5000.0)
    rig.go(5.0, 5000.0)
    used = windows.total_wh(rig.window, rig.at, 0.0, lambda: WORST_W) - rig.window.begun_wh
    since_mark_wh = (1700.0 - 900.0 + 300.0) * 5000.0 / 3600.0
    assert used == pytest.approx(since_mark_wh, abs=30.0), "all of what the register shows may have been in the new one"


def test_a_window_that_begins_in_a_gap_is_given_all_that_may_have_flowed_in_it() -> None:
    """Law 5, B15: the register knows how much, nobody knows when; thinning must not make a straight line of it."""
    rig = Rig(built(minutes=60), datetime(2026, 7, 1, 12, 0, tzinfo=UTC))
    rig.go(3585.0, 1000.0)
    rig.reads = False
    rig.go(20.0, 1000.0)
    rig.go(15.0, 60_000.0)
    rig.reads = True
    rig.go(5.0, 60_000.0)
    assert rig.window.begun_at == pytest.approx(rig.zero + 3600.0, abs=0.01)
    used = windows.total_wh(rig.window, rig.at, 0.0, lambda: WORST_W) - rig.window.begun_wh
    assert used >= (5.0 * 1000.0 + 20.0 * 60_000.0) / 3600.0 - 1.0, "at most 1 Wh stays in the register"


def test_without_a_trusted_clock_the_window_slides() -> None:
    """R15: no alignment is believed, so no window of that length may exceed the contract."""
    rig = Rig(built(), datetime(2026, 7, 1, 12, 0, tzinfo=UTC))
    rig.clock = ClockQuality.UNSYNCED
    rig.go(900.0, 0.0)
    assert rig.limit.limit_a[0] == pytest.approx(30_000.0 / 690.0, rel=0.01), "never more than the contract itself"
    rig.go(600.0, 40_000.0)
    rig.go(20.0, 40_000.0)
    assert rig.limit.limit_a[0] < 30_000.0 / 690.0
    rig.go(200.0, 40_000.0)
    assert rig.limit.limit_a[0] == 0.0
    assert rig.over
    rig.clock = ClockQuality.NTP
    rig.go(5.0, 0.0)
    assert rig.window.begun_at == pytest.approx(begin(rig.site, rig.wall, rig.at, 900.0), abs=0.01)


def test_a_register_that_jumps_or_goes_back_is_not_believed() -> None:
    """B22: another meter, a rollover; power stands in, and counting goes on from the new register."""
    rig = Rig(built(), datetime(2026, 7, 1, 12, 0, tzinfo=UTC))
    rig.go(900.0, 10_000.0)
    for jump in (50_000.0, -400_000.0):
        rig.wh = max(0.0, rig.wh + jump)
        rig.go(100.0, 10_000.0)
    used = windows.total_wh(rig.window, rig.at, 0.0, lambda: WORST_W) - rig.window.begun_wh
    assert used == pytest.approx(200.0 * 10_000.0 / 3600.0, abs=30.0)


def test_unmeasured_time_is_named_in_the_limit() -> None:
    """S-20: whoever asks why there is so little is told that nobody measured."""
    rig = Rig(built(), datetime(2026, 7, 1, 12, 0, tzinfo=UTC))
    rig.go(900.0, 5000.0)
    assert rig.limit.why is Cause.DEMAND
    rig.reads = False
    rig.go(30.0, 5000.0)
    assert rig.limit.why is Cause.DEMAND_UNKNOWN
    assert rig.limit.source is LimitSource.DEMAND


def test_a_mark_never_has_the_name_of_a_command() -> None:
    """I9: what the journal keeps of a window stands beside the limits that somebody set."""
    rig = Rig(built(), datetime(2026, 7, 1, 12, 0, tzinfo=UTC))
    rig.go(905.0, 5000.0)
    assert [mark.id for mark in rig.marks] == ["window:q"]
    assert remembered(rig.site, (replace(rig.marks[0], id="q"),), rig.at) == {}

"""B15, R15, I14: rules as limits in force: cut at once, lifted late, never released by silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from siteward.control.rules import COOL_S, INPUT_LOST_S, Held, apply_rules
from siteward.model.access import Contact
from siteward.model.alarms import Alarm, AlarmCode
from siteward.model.events import ClockQuality
from siteward.model.ids import ConnectorId, FeederId
from siteward.model.limits import Cause, Limit, LimitSource
from siteward.model.points import InputReading, PointName
from siteward.model.readings import ChargerReading
from siteward.model.rules import Contacts, Derating, LimitRule, Period, Schedule, Step
from siteward.model.snapshot import Snapshot
from siteward.model.units import PerPhase
from tests.siteward.control.sites import Box, feeder, site

GRID, C00 = FeederId("grid"), ConnectorId("c00")
POINTS = (PointName("io.a"), PointName("io.b"))
WALL = datetime(2026, 1, 5, tzinfo=UTC)


def three(amps: float) -> PerPhase:
    """The same on each phase."""
    return (amps, amps, amps)


STEPS = (Step(Contact(POINTS[0]), three(38.0)), Step(Contact(POINTS[1]), three(19.0)))


class Rig:
    """One rule, its inputs, and time."""

    def __init__(self, by: Contacts | Derating | Schedule) -> None:
        plain = site([feeder("grid", 63.0)], [Box()])
        connector = C00 if isinstance(by, Derating) else None
        rule = LimitRule("r", by, None if connector else GRID, connector)
        self.site = replace(plain, rules=(rule,))
        self.held: dict[str, Held] = {}
        self.at = 1000.0
        self.clock = ClockQuality.NTP
        self.told: list[object] = []
        self.alarms: frozenset[Alarm] = frozenset()

    def turn(self, on: tuple[bool | None, ...] = (), heat: float | None = None, later: float = 1.0) -> Limit | None:
        """One turn; a contact that says None was not read."""
        self.at += later
        inputs = {p: InputReading(p, said, self.at) for p, said in zip(POINTS, on, strict=False) if said is not None}
        chargers = {C00: ChargerReading(C00, self.at, temperature_c=heat)}
        wall = WALL + timedelta(seconds=self.at)
        snapshot = Snapshot(self.at, wall, self.clock, 1, chargers=chargers, inputs=inputs)
        out = apply_rules(self.site, snapshot, self.held)
        self.held, self.alarms = dict(out.held), out.alarms
        self.told += [fact.data["cause"] for fact in out.facts]
        return self.held["r"].limit

    def amps(self, **how: object) -> float | None:
        """The limit after one turn, on the first phase."""
        limit = self.turn(**how)  # type: ignore[arg-type]
        return None if limit is None else limit.limit_a[0]


def test_a_step_counts_at_once_and_a_release_after_its_time() -> None:
    """I14: a cut at once, a raise delayed; a bouncing contact starts the time anew."""
    rig = Rig(Contacts(STEPS, three(10.0), release_s=10.0))
    assert rig.amps(on=(False, False)) is None
    assert rig.amps(on=(True, False)) == 38.0
    assert rig.amps(on=(True, True)) == 19.0
    assert {rig.amps(on=(True, False)) for _ in range(9)} == {19.0}
    assert rig.amps(on=(True, True)) == 19.0
    assert {rig.amps(on=(False, False)) for _ in range(10)} == {19.0}
    assert rig.amps(on=(False, False)) is None
    assert rig.told == ["grid", "grid", "released"]


def test_a_lost_contact_counts_as_fail_safe_beside_what_is_known() -> None:
    """R15, ruling 11: the lowest of the fail-safe value, of the steps that are on, and of what holds without any."""
    rig = Rig(Contacts(STEPS, three(25.0), three(50.0)))
    assert rig.amps(on=(False, False)) == 50.0
    assert rig.amps(on=(None, False)) == 25.0
    assert rig.held["r"].limit is not None
    assert rig.held["r"].limit.why is Cause.GRID_INPUT_LOST
    assert rig.held["r"].limit.source is LimitSource.GRID
    assert rig.amps(on=(None, True)) == 19.0
    for _ in range(5):
        rig.turn(on=(None, True))
    assert rig.alarms == {Alarm(AlarmCode.LIMIT_INPUT_LOST, "r")}
    assert rig.amps(on=(None, False), later=1e6) == 19.0
    assert {rig.amps(on=(None, False)) for _ in range(12)} == {19.0, 25.0}


def test_an_old_word_is_none() -> None:
    """B15: a contact that was read some seconds ago is not known."""
    rig = Rig(Contacts(STEPS[:1], three(10.0)))
    assert rig.amps(on=(False,)) is None
    old = InputReading(POINTS[0], False, rig.at)
    for age, limit in ((INPUT_LOST_S, None), (INPUT_LOST_S + 0.1, three(10.0))):
        snapshot = Snapshot(old.sent_at + age, WALL, rig.clock, 1, inputs={POINTS[0]: old})
        held = apply_rules(rig.site, snapshot, rig.held).held["r"]
        assert (None if held.limit is None else held.limit.limit_a) == limit


def test_after_a_start_the_first_word_counts_without_delay() -> None:
    """R15: until then the fail-safe value; a start is no release."""
    rig = Rig(Contacts(STEPS, three(10.0), release_s=600.0))
    assert [rig.amps(on=()), rig.amps(on=()), rig.amps(on=(True, False))] == [10.0, 10.0, 38.0]


ON = st.tuples(st.sampled_from([True, False, None]), st.sampled_from([True, False, None]))


@given(st.lists(ON, min_size=1, max_size=60), st.floats(1, 40))
def test_a_grid_limit_is_never_released_by_silence(
    said: list[tuple[bool | None, bool | None]], failsafe: float
) -> None:
    """R15: in every history, silence holds at most the fail-safe value, and never more than any step that is on."""
    rig = Rig(Contacts(STEPS, three(failsafe), release_s=5.0))
    before = rig.turn(on=(False, False))
    for on in said:
        limit = rig.turn(on=on)
        bounds = [step.limit_a[0] for step, word in zip(STEPS, on, strict=True) if word]
        bounds += [failsafe] if None in on else []
        assert not bounds or limit is not None
        assert limit is None or not bounds or limit.limit_a[0] <= min(bounds)
        if None in on and before is not None:
            assert limit is not None
        before = limit


def test_heat_follows_its_curve_down_at_once_and_up_slowly() -> None:
    """S-97: straight between the points, whole half amperes, never above what the curve says."""
    rig = Rig(Derating(C00, ((60.0, 32.0), (70.0, 16.0), (80.0, 0.0)), 9.0))
    seen = [rig.amps(heat=c) for c in (20.0, 60.0, 65.0, 66.1, 70.0, 79.9, 80.0, 200.0)]
    assert seen == [32.0, 32.0, 24.0, 22.0, 16.0, 0.0, 0.0, 0.0]
    assert rig.amps(heat=65.0) == 0.0
    assert rig.amps(heat=65.0, later=COOL_S - 1.0) == 0.0
    assert rig.amps(heat=65.0) == 24.0
    assert rig.amps(heat=None) == 9.0
    assert rig.held["r"].limit is not None
    assert rig.held["r"].limit.why is Cause.HEAT_UNKNOWN


@given(st.lists(st.floats(-20, 120) | st.none(), min_size=1, max_size=30))
def test_heat_never_allows_more_than_its_curve(heats: list[float | None]) -> None:
    """I14: whatever came before, now is the bound."""
    curve = ((60.0, 32.0), (80.0, 6.0))
    rig = Rig(Derating(C00, curve, 9.0))
    for heat in heats:
        amps = rig.amps(heat=heat)
        most = 9.0 if heat is None else min(32.0, max(6.0, 32.0 - (heat - 60.0) * 1.3))
        assert amps is not None
        assert amps <= most + 1e-9


def test_a_timetable_is_read_once_a_minute_and_when_the_clock_changes_its_worth() -> None:
    """B21, goal 15: nothing is computed in between; a lost clock counts in the same turn."""
    rig = Rig(Schedule((Period(frozenset(range(7)), 0, 60, three(10.0)),), three(40.0)))
    rig.at = 1.0
    assert rig.amps() == 10.0
    held = rig.held["r"]
    rig.turn()
    assert rig.held["r"] is held
    assert rig.amps(later=3600.0) == 40.0
    rig.clock = ClockQuality.UNSYNCED
    assert rig.amps() == 10.0
    assert rig.held["r"].limit is not None
    assert rig.held["r"].limit.why is Cause.CLOCK_UNTRUSTED


def test_a_value_that_falls_on_one_phase_and_rises_on_another_takes_only_the_fall() -> None:
    """I14: phase by phase, until the whole has stood for its time."""
    steps = (Step(Contact(POINTS[0]), (30.0, 10.0, 20.0)), Step(Contact(POINTS[1]), (10.0, 30.0, 20.0)))
    rig = Rig(Contacts(steps, three(5.0), release_s=3.0))
    rig.turn(on=(True, False))
    limit = rig.turn(on=(False, True))
    assert limit is not None
    assert limit.limit_a == (10.0, 10.0, 20.0)
    for _ in range(3):
        limit = rig.turn(on=(False, True))
    assert limit is not None
    assert limit.limit_a == (10.0, 30.0, 20.0)

"""B14, R9: the guards of 1p/3p switching one by one, and whose phases count when."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from siteward.control.demand import Demand
from siteward.control.evidence import closed_mask, used_mask
from siteward.control.memory import Watch
from siteward.control.phasing import AS_BUILT
from siteward.control.tree import tree_of
from siteward.model.ids import ConnectorId, FeederId
from siteward.model.readings import ChargerReading, Pilot
from siteward.model.site import Priority, Site
from siteward.model.wire import WriteKind
from tests.siteward.control.golden import told
from tests.siteward.control.phase_scenes import PhaseScene
from tests.siteward.control.sites import Box, feeder, site
from tests.siteward.control.truth import Truth

C0 = ConnectorId("c00")
GRID = FeederId("grid")
FULL = [0.0, 34.0, 34.0]


class Story(Truth):
    """One box that may switch behind 40 A, on a car that stands it, and what was told of its phases."""

    def __init__(
        self,
        neutral: float | None = None,
        beside_a: float = 0.0,
        imbalance: float | None = None,
        first_a: float = 36.0,
        **box: object,
    ) -> None:
        grid = feeder("grid", 40.0, worst=(first_a, 36.0, 36.0), metered=True, neutral=neutral, imbalance=imbalance)
        built = site(
            [replace(grid, neutral_base_a=beside_a)],
            [Box(fs_a=0.0, boot_a=0.0, phase_switching=True, **box)],  # type: ignore[arg-type]
        )
        super().__init__(built, Random(1))
        self.box = self.boxes[C0]
        self.box.wants = 32.0
        self.demands[C0] = Demand(True, 32.0, Priority.NORMAL, self.at, may_switch=True)
        self.steps: list[tuple[float, str]] = []
        self.orders: list[float] = []
        self.leaks = 0.0

    def second(self) -> None:
        """One second, and what it told."""
        at = self.at
        super().second()
        if self.outcome is not None:
            self.steps += [(at, told(f).removeprefix("connector.phases c00 ")) for f in self.outcome.facts]
            self.orders += [at for w in self.outcome.failsafes if w.kind is WriteKind.PHASES]

    def until(self, step: str, seconds: int = 300) -> float:
        """Run until a step is told; the seconds it took."""
        before = len(self.steps)
        for second in range(seconds):
            self.second()
            if any(name == step for _, name in self.steps[before:]):
                return second
        raise AssertionError(f"no {step} in {self.steps}")

    def fill(self) -> None:
        """Charge, then other load takes two phases."""
        self.run(60)
        self.base[GRID] = list(FULL)

    def leak(self, amps: float) -> None:
        """The car draws so much whatever it is offered, none of it to be switched off; 0 ends it."""
        self.leaks = amps

    def physics(self) -> None:
        """A leak goes through a box that is paused."""
        super().physics()
        if self.leaks:
            self.box.current = self.leaks
            self.box.contactors.flow(self.at, self.leaks)

    @property
    def names(self) -> list[str]:
        """Steps without their instants."""
        return [name for _, name in self.steps]


def test_each_step_waits_as_long_as_it_must() -> None:
    """B14: 60 s of want, 10 s without current, 30 s of dead time; then one write."""
    t = Story()
    t.fill()
    t.until("verified")
    at = {name: when for when, name in t.steps}
    assert at["dead"] - at["pause"] >= 10.0
    assert at["switch"] - at["dead"] >= 30.0
    assert at["verified"] - at["verify"] >= 10.0
    assert t.orders == [at["switch"]]
    assert not t.box.contactors.broken


def test_current_in_the_dead_time_begins_anew_and_never_ends_in_a_failure_alone() -> None:
    """B14: less than 0.5 A on every phase, all the time."""
    t = Story()
    t.fill()
    t.until("dead")
    t.run(10)
    t.leak(0.6)
    t.until("pause", 5)
    t.run(5)
    t.leak(0.0)
    t.until("switch")
    assert not t.box.contactors.broken
    assert not [n for n in t.names if n.startswith("failed")]


def test_a_car_that_goes_on_drawing_is_never_switched() -> None:
    """B14: the pause must work within a minute; without it nothing is written, twice locks."""
    t = Story()
    t.fill()
    t.until("pause")
    t.leak(0.7)
    t.until("failed still_draws", 80)
    t.until("locked still_draws", 900)
    t.run(900)
    assert t.orders == []


@pytest.mark.parametrize("late_s", [5, 25])
def test_a_session_that_ends_takes_its_switch_with_it(late_s: int) -> None:
    """B14: nothing is written for nobody."""
    t = Story()
    t.fill()
    t.until("dead")
    t.run(late_s)
    t.demands[C0] = replace(t.demands[C0], stop=True)
    t.until("abandoned", 3)
    t.run(120)
    assert t.orders == []


def test_a_session_that_forbids_it_meanwhile_is_obeyed() -> None:
    """B14: the next car may come while the last one's switch is under way."""
    t = Story()
    t.fill()
    t.until("dead")
    t.demands[C0] = Demand(True, 32.0, Priority.NORMAL, t.at)
    t.until("abandoned", 3)
    t.run(700)
    assert t.orders == []


def test_silence_in_the_dead_time_gives_the_switch_up() -> None:
    """R3b: a restart cannot be excluded, so nobody knows what flows there."""
    t = Story()
    t.fill()
    t.until("dead")
    t.box.hears = t.box.answers = False
    t.until("abandoned", 8)
    assert t.orders == []


def test_four_times_a_session_and_no_more() -> None:
    """B14: contactors wear; the next session begins to count anew."""
    t = Story()
    t.fill()
    for _ in range(4):
        t.until("verified", 900)
        t.base[GRID] = [0.0, 2.0, 2.0] if t.base[GRID] == FULL else list(FULL)
    assert len(t.orders) == 4
    t.run(1500)
    assert len(t.orders) == 4
    t.demands[C0] = replace(t.demands[C0], waiting_since=t.at)
    t.run(300)
    assert len(t.orders) == 5
    assert not t.box.contactors.broken


def test_a_box_that_failed_twice_is_not_told_again_in_this_session() -> None:
    """B14: it may try anew with the next car."""
    t = Story()
    t.box.contactors.mode = "stuck"
    t.fill()
    t.run(2500)
    assert len(t.orders) == 2
    t.demands[C0] = replace(t.demands[C0], waiting_since=t.at)
    t.run(120)
    assert len(t.orders) == 3


def test_on_the_way_back_to_three_all_phases_count_from_the_pause_on() -> None:
    """R9: the register still says one, but a box that is told to close three may do so any time."""
    t = Story()
    t.fill()
    t.until("verified")
    t.base[GRID] = [0.0, 2.0, 2.0]
    o = tree_of(t.site).outlets[0]
    for step, mask in (("pause", 0b111), ("switch", 0b111), ("verify", 0b111)):
        assert t.memory is not None
        t.until(step, 900)
        assert closed_mask(o, t.memory.watches[0], t.at) == mask, step


def test_a_car_of_one_phase_gains_nothing_and_is_left_alone() -> None:
    """B14: known from what it drew in this session."""
    t = Story()
    t.box.phases = (False, True, False)
    t.fill()
    t.run(600)
    assert t.orders == []


@pytest.mark.parametrize(("neutral_a", "moves"), [(8.0, False), (16.0, True)])
def test_b13_b14_one_phase_is_chosen_only_where_the_neutral_carries_it(neutral_a: float, moves: bool) -> None:
    """B13, B14: on one phase it needs its floor, 2 A to spare and the margin of 1 A in the neutral too."""
    t = Story(neutral=neutral_a, beside_a=6.0)
    t.run(60)
    t.base[GRID] = [28.0, 34.0, 34.0]
    t.run(180)
    assert ("verified" in t.names) == moves, t.names
    assert moves or not t.names


@pytest.mark.parametrize(("imbalance_a", "moves"), [(8.0, False), (16.0, True)])
def test_b13_b14_one_phase_is_chosen_only_where_the_phases_stay_close_enough(imbalance_a: float, moves: bool) -> None:
    """B13, B14: the first phase has room in its fuse, but is the lowest already."""
    t = Story(imbalance=imbalance_a)
    t.run(60)
    t.base[GRID] = [30.0, 34.0, 30.0]
    t.run(180)
    assert ("verified" in t.names) == moves, t.names
    assert moves or not t.names


def test_b13_b14_three_phases_are_chosen_where_the_neutral_holds_one_down() -> None:
    """B13, B14: the fuse would leave one phase 27 A, its neutral leaves it 15: three times 10 A are more."""
    t = Story(neutral=27.0, beside_a=17.0, first_a=20.0)
    t.run(60)
    t.base[GRID] = [20.0, 34.0, 34.0]
    t.until("verified")
    t.base[GRID] = [12.0, 29.0, 29.0]
    t.until("verified", 900)
    assert t.orders[-1] == t.steps[-3][0]
    assert t.box.contactors.closed == 3
    assert t.box.current > 8.0


def test_b13_b14_three_phases_are_not_chosen_where_the_neutral_has_no_room_for_a_car_nobody_knows() -> None:
    """B13, B14: it may turn out to draw on the second phase alone; paused for good, it would have lost its 7 A."""
    t = Story(neutral=10.0, beside_a=4.0)
    t.box.contactors.closed = t.box.contactors.shown = 1
    t.base[GRID] = [20.0, 24.0, 24.0]
    t.run(800)
    assert not t.names
    assert t.box.current > 6.5


def test_u_holds_every_phase_until_the_contactors_show_otherwise() -> None:
    """R9: before the read-back both layouts count, after it the open phases are lent; nothing is booked on a pause."""
    t = Story()
    t.fill()
    t.until("switch")
    assert t.memory is not None
    w, o = t.memory.watches[0], tree_of(t.site).outlets[0]
    assert closed_mask(o, w, t.at) == 0b111
    t.until("verify")
    assert closed_mask(o, t.memory.watches[0], t.at) == 0b001
    t.run(30)
    assert t.outcome is not None
    reserved = t.outcome.feeders[GRID].reserved_a
    assert reserved[0] > 6.0
    assert reserved[1:] == (0.0, 0.0)


def outlet_of(wiring: str, switching: bool) -> tuple[Site, Watch]:
    built = site([feeder("grid", 40.0)], [Box(wiring=wiring, phase_switching=switching)])
    return built, Watch(read_at=100.0, unread=False, phases_known_at=0.0, plugged=True)


def reading(closed: int | None) -> ChargerReading:
    return ChargerReading(C0, 100.0, pilot=Pilot.C, phases_closed=closed)


OPEN = {
    "wiring": "123",
    "switching": True,
    "closed": 1,
    "quiet": (None, None, None),
    "amps": (16.0, 0.0, 0.0),
    "known_at": 105.0,
    "restarted": False,
    "held": False,
    "refuted": False,
    "age": 0.5,
}
"""A box that shows one phase closed, and nothing speaks against it."""


@settings(max_examples=300, deadline=None)
@example(**OPEN)
@example(**{**OPEN, "held": True})
@example(**{**OPEN, "restarted": True})
@example(**{**OPEN, "refuted": True})
@example(**{**OPEN, "age": 5.1})
@example(**{**OPEN, "amps": (16.0, 1.1, 0.0)})
@given(
    wiring=st.sampled_from(["123", "231", "12", "3"]),
    switching=st.booleans(),
    closed=st.sampled_from([None, 1, 3]),
    quiet=st.tuples(*[st.sampled_from([None, 70.0, 89.0, 91.0, 100.0])] * 3),
    amps=st.tuples(*[st.sampled_from([0.0, 0.9, 1.1, 16.0])] * 3),
    known_at=st.sampled_from([0.0, 105.0]),
    restarted=st.booleans(),
    held=st.booleans(),
    refuted=st.booleans(),
    age=st.sampled_from([0.5, 4.9, 5.1]),
)
def test_r9_no_phase_that_may_carry_current_is_ever_left_out(
    wiring, switching, closed, quiet, amps, known_at, restarted, held, refuted, age
) -> None:
    """R9: a phase is lent only when seen quiet for 10 s, or open by a contactor state that nothing speaks against."""
    built, w = outlet_of(wiring, switching)
    o, at = tree_of(built).outlets[0], 100.0 + age
    w.reading, w.quiet, w.measured_a, w.phases_known_at = reading(closed), quiet, amps, known_at
    w.phasing = AS_BUILT._replace(held=held, false_state=refuted, known_at=110.0 if restarted else 0.0)
    mask = used_mask(o, w, at)
    assert 0 < mask <= o.all_mask
    seen_open = switching and len(wiring) == 3 and closed == 1 and age <= 5.0
    seen_open = seen_open and not (restarted or held or refuted) and max(amps[1:]) <= 1.0
    for phase in range(o.phases):
        since = quiet[phase]
        idle = since is not None and at - since >= 10.0 and at >= known_at and age <= 5.0
        if not mask >> phase & 1:
            assert idle or (seen_open and phase > 0)
    if seen_open:
        assert mask == 0b001


@settings(max_examples=200, deadline=None)
@given(order=st.permutations([0, 1, 2]), taken=st.integers(1, 7))
def test_r9_a_rotated_box_books_the_feeder_phases_that_its_car_is_wired_to(order, taken) -> None:
    """R9: the charger's own phases go through the wiring map, whichever of them the car takes."""
    built = site([feeder("grid", 40.0)], [Box(wiring="".join(str(p + 1) for p in order))])
    o = tree_of(built).outlets[0]
    cells = set(o.cells[taken])
    assert cells == {order[i] for i in range(3) if taken >> i & 1}


@pytest.mark.parametrize("seed", [145, 147, 152, 186, 195])
def test_b14_contactors_are_never_moved_under_load_and_no_fuse_trips(seed: int) -> None:
    """B14, R9, I1: sticking and lying contactors, restarts, silence, cars that come and go."""
    scene = PhaseScene(seed)
    scene.run(2000)
    assert scene.moves > 0
    assert not scene.broken(), (seed, scene.broken())


def test_the_other_phases_of_a_switched_box_are_lent_one_at_a_time() -> None:
    """R9, 6c: two boxes on one phase each could close the rest; the fuse holds the larger of the two for 10 s."""
    built = site(
        [feeder("grid", 40.0, worst=0.0)],
        [Box(wiring=w, fs_a=0.0, boot_a=0.0, phase_switching=True) for w in ("123", "231", "312")],
    )
    t = Truth(built, Random(1))
    for cid, box in t.boxes.items():
        box.wants, box.contactors.closed, box.contactors.shown = 32.0, 1, 1
        t.demands[cid] = Demand(True, 32.0, Priority.NORMAL, t.at)
    t.run(120)
    assert min(box.current for box in t.boxes.values()) >= 28.0
    t.boxes[C0].contactors.closed = 3
    t.run(40)
    assert not t.verdict.tripped
    assert t.verdict.longest_over_s <= 10.0
    assert max(t.load[GRID]) <= 40.0

"""Set points in flight and what reads prove, one rule at a time (R4, R5, R6, R8, R9)."""

import pytest

from siteward.control.evidence import apply_reading, apply_wire, count_misses, used_mask
from siteward.control.flight import compact, drop_dead, free_held, settle, top
from siteward.control.memory import Flight, Watch
from siteward.control.tree import tree_of
from siteward.model.readings import ChargerReading, Pilot
from siteward.model.wire import FrameKind, FrameStage, WireEvent
from tests.fixtures.sites import two_connector_site

OUTLET = tree_of(two_connector_site()).outlets[0]
APPLY_S = OUTLET.apply_s


def flight(value_a: float, sent_at: float | None = 100.0, answered_at: float | None = None, **more: object) -> Flight:
    """One write of turn 3, sent once."""
    base = Flight(value_a, 3, 102.0, raises=value_a > 6.0, sends=0 if sent_at is None else 1)
    return base._replace(sent_at=sent_at, answered_at=answered_at, **more)


def shows(set_point_a: float, sent_at: float, **more: object) -> ChargerReading:
    """A poll of the outlet."""
    return ChargerReading(OUTLET.id, sent_at=sent_at, set_point_a=set_point_a, **more)  # type: ignore[arg-type]


def wrote(stage: FrameStage, at: float, value_a: float = 6.0, turn: int | None = 3) -> WireEvent:
    """A step of a limit frame."""
    return WireEvent(OUTLET.id, FrameKind.LIMIT, stage, at, value_a, at, turn)


@pytest.mark.parametrize(("after_s", "confirmed"), [(APPLY_S - 0.01, 16.0), (APPLY_S, 6.0)])
def test_r5_a_read_counts_from_apply_s_after_the_answer(after_s: float, confirmed: float) -> None:
    """Not from the sending: the answer may have come much later."""
    watch = Watch(conf_a=16.0, flights=(flight(6.0, 100.0, 100.4),), unread=False)
    settle(OUTLET, watch, shows(6.0, 100.4 + after_s))
    assert watch.conf_a == confirmed


def test_r5_what_the_line_did_by_itself_is_older_than_what_waited_in_it() -> None:
    """R7: a lease that ended overtakes a queued limit; the limit went out last, and a read too early for it says so."""
    own, waiting = flight(6.0, 100.0, 100.05, turn=-1), flight(11.4, 100.6, 100.65)
    watch = Watch(conf_a=11.4, flights=(waiting, own), unread=False)
    settle(OUTLET, watch, shows(6.0, 100.64 + APPLY_S))
    assert top(OUTLET, watch) == 11.4
    settle(OUTLET, watch, shows(11.4, 100.65 + APPLY_S))
    assert (watch.conf_a, watch.flights) == (11.4, ())


@pytest.mark.parametrize(("after_s", "confirmed"), [(APPLY_S - 0.01, 16.0), (APPLY_S, 6.0)])
def test_r5_without_an_answer_it_counts_from_the_sending(after_s: float, confirmed: float) -> None:
    """The write may have arrived all the same."""
    watch = Watch(conf_a=16.0, flights=(flight(6.0, late=True),), unread=False)
    settle(OUTLET, watch, shows(6.0, 100.0 + after_s))
    assert watch.conf_a == confirmed


@pytest.mark.parametrize(("shown", "confirmed"), [(6.0, 6.0), (9.0, None)])
def test_r5_a_first_read_counts_at_once_only_when_it_shows_what_was_just_written(
    shown: float, confirmed: float | None
) -> None:
    """After a start nothing is known; another value so early may be the one before the write."""
    watch = Watch(conf_a=None, flights=(flight(6.0, 100.0, 100.1),))
    settle(OUTLET, watch, shows(shown, 100.2))
    assert watch.conf_a == confirmed


@pytest.mark.parametrize(("first_a", "confirmed"), [(0.0, 0.0), (8.0, 16.0)])
def test_r5_a_write_that_overtakes_a_poll_spoils_it_unless_it_repeats_what_was_sent_before(
    first_a: float, confirmed: float
) -> None:
    """A poll of seven seconds under a pause repeated every six: the first one is what it shows."""
    watch = Watch(conf_a=16.0, flights=(flight(first_a, 100.0, 100.1), flight(0.0, 106.0, 106.1)), unread=False)
    settle(OUTLET, watch, shows(0.0, 104.0))
    assert watch.conf_a == confirmed
    assert top(OUTLET, watch) == max(confirmed, 0.0 if confirmed == 0.0 else first_a)


def test_r4_a_late_raise_leaves_after_two_lower_reads_three_seconds_apart() -> None:
    """Both sent after a newer write was answered; a gateway may deliver it until then."""
    late = flight(16.0, 100.0, late=True)
    cut = flight(6.0, 101.0, 101.2, turn=4)
    watch = Watch(conf_a=6.0, flights=(late, cut), unread=False)
    settle(OUTLET, watch, shows(6.0, 102.0))
    assert top(OUTLET, watch) == 16.0
    settle(OUTLET, watch, shows(6.0, 104.9))
    assert top(OUTLET, watch) == 16.0
    settle(OUTLET, watch, shows(6.0, 105.0))
    assert top(OUTLET, watch) == 6.0


def test_r4_lower_reads_before_the_newer_write_was_answered_do_not_count() -> None:
    """The gateway may still hold both."""
    watch = Watch(conf_a=6.0, flights=(flight(16.0, 100.0, late=True),), unread=False)
    for second in range(101, 120):
        settle(OUTLET, watch, shows(6.0, float(second)))
    assert top(OUTLET, watch) == 16.0


@pytest.mark.parametrize(("sends", "left"), [(1, 0), (2, 1)])
def test_r4_a_late_write_that_is_in_force_leaves_when_no_copy_of_it_is_under_way(sends: int, left: int) -> None:
    """A repeated one may arrive again, after a cut."""
    watch = Watch(conf_a=6.0, flights=(flight(16.0, 100.0, late=True, sends=sends),), unread=False)
    settle(OUTLET, watch, shows(16.0, 101.0))
    assert (watch.conf_a, len(watch.flights)) == (16.0, left)
    settle(OUTLET, watch, shows(16.0, 104.1))
    assert not watch.flights


def test_r4_a_higher_value_than_a_late_one_does_not_prove_that_it_arrived() -> None:
    """Somebody else's 20 A says nothing of our 16 A still under way."""
    watch = Watch(conf_a=20.0, flights=(flight(16.0, 100.0, late=True),), unread=False)
    settle(OUTLET, watch, shows(20.0, 101.0))
    assert len(watch.flights) == 1


def test_r4_what_was_never_sent_leaves_at_its_deadline_and_nothing_else() -> None:
    """A sent one stays however old: it may have arrived."""
    watch = Watch(flights=(flight(16.0, None), flight(10.0, 100.0)))
    drop_dead(watch, 102.0)
    assert [f.value_a for f in watch.flights] == [16.0, 10.0]
    drop_dead(watch, 102.1)
    assert [f.value_a for f in watch.flights] == [10.0]


def test_r16_repeated_late_writes_of_one_value_are_one_with_all_their_sendings() -> None:
    """From three on; another value and one that is not late stay apart."""
    late = [flight(6.0, 100.0 + i, late=True) for i in range(3)]
    watch = Watch(flights=tuple(late[:2]))
    compact(watch)
    assert len(watch.flights) == 2
    watch = Watch(flights=(*late, flight(6.0, 104.0), flight(10.0, 105.0, late=True)))
    compact(watch)
    assert [(f.value_a, f.late, f.sends) for f in watch.flights] == [(6.0, True, 3), (6.0, False, 1), (10.0, True, 1)]
    assert watch.flights[0].sent_at == 102.0


@pytest.mark.parametrize(("measured_a", "freed"), [(6.5, True), (6.6, False)])
def test_r6_a_cut_is_free_when_it_was_measured_there(measured_a: float, freed: bool) -> None:
    """Within half an ampere, by a read not older than the read-back."""
    watch = Watch(conf_a=6.0, held_a=16.0, held_at=100.0, measured_a=(1.0, measured_a, 0.0), read_at=100.0)
    free_held(watch, 100.5)
    assert (watch.held_a == 0.0) is freed
    before = Watch(conf_a=6.0, held_a=16.0, held_at=100.0, measured_a=(0.0, 0.0, 0.0), read_at=99.9)
    free_held(before, 100.5)
    assert before.held_a == 16.0


def test_r6_without_a_charger_meter_a_cut_is_free_ten_seconds_after_its_read_back() -> None:
    """The slowest car has let go by then; a raise to where it was needs no waiting."""
    watch = Watch(conf_a=6.0, held_a=16.0, held_at=100.0)
    free_held(watch, 109.9)
    assert watch.held_a == 16.0
    free_held(watch, 110.0)
    assert watch.held_a == 0.0
    raised = Watch(conf_a=16.0, held_a=16.0, held_at=100.0)
    free_held(raised, 100.1)
    assert raised.held_a == 0.0
    unknown = Watch(conf_a=None, held_a=16.0, held_at=100.0)
    free_held(unknown, 200.0)
    assert unknown.held_a == 16.0


def test_a_frame_that_nobody_decided_is_a_flight_from_its_sending() -> None:
    """R7: the line's own farewell has no turn; queued alone it is nothing yet."""
    watch = Watch(conf_a=16.0)
    apply_wire(OUTLET, watch, wrote(FrameStage.QUEUED, 100.0, turn=None))
    assert not watch.flights
    apply_wire(OUTLET, watch, wrote(FrameStage.SENT, 100.1, turn=None))
    (f,) = watch.flights
    assert (f.value_a, f.turn, f.sent_at, f.sends, f.raises) == (6.0, -1, 100.1, 1, False)
    assert watch.limit_sent == 100.1
    apply_wire(OUTLET, watch, wrote(FrameStage.SENT, 101.0, 9.0, turn=7))
    assert [(g.value_a, g.turn) for g in watch.flights] == [(6.0, -1), (9.0, 7)]


def test_a_flight_follows_its_frame_from_queue_to_answer() -> None:
    """R4: sent, answered, failed and withdrawn each leave their mark on the newest of that value and turn."""
    watch = Watch(conf_a=16.0, flights=(flight(6.0, None), flight(9.0, None, turn=4)))
    apply_wire(OUTLET, watch, wrote(FrameStage.SENT, 100.2))
    apply_wire(OUTLET, watch, wrote(FrameStage.ANSWERED, 100.4))
    first, second = watch.flights
    assert (first.sent_at, first.answered_at, first.sends, first.late) == (100.4, 100.4, 1, False)
    assert (second.sent_at, second.sends) == (None, 0)
    apply_wire(OUTLET, watch, wrote(FrameStage.FAILED, 100.9, 9.0, 4))
    assert (watch.flights[1].late, watch.flights[1].sends, watch.flights[1].sent_at) == (True, 1, 100.9)
    apply_wire(OUTLET, watch, wrote(FrameStage.WITHDRAWN, 101.0, 9.0, 4))
    assert len(watch.flights) == 2
    unsent = Watch(flights=(flight(9.0, None), flight(6.0, None)))
    apply_wire(OUTLET, unsent, wrote(FrameStage.WITHDRAWN, 100.1, 9.0))
    assert [f.value_a for f in unsent.flights] == [6.0]


@pytest.mark.parametrize(
    ("more", "verified"),
    [
        ({}, True),
        ({"failsafe_a": 6.05}, True),
        ({"failsafe_a": 6.1}, False),
        ({"failsafe_a": 5.9}, False),
        ({"failsafe_timeout_s": 15.5}, True),
        ({"failsafe_timeout_s": 16.0}, False),
        ({"failsafe_timeout_s": 0.0}, False),
        ({"standby_off": False}, False),
        ({"standby_off": None}, True),
    ],
)
def test_r8_fail_safe_values_count_only_as_read_back(more: dict[str, object], verified: bool) -> None:
    """Within what a register can express; off is not a time."""
    watch = Watch(verified=not verified, answered=99.0)
    values = {"failsafe_a": 6.0, "failsafe_timeout_s": 15.0, "standby_off": True} | more
    apply_reading(OUTLET, watch, shows(6.0, 100.0, **values), 100.1)
    assert watch.verified is verified
    assert watch.fs_wrong is not verified
    if not verified:
        assert watch.unverified_since == 100.0


def test_r8_verified_values_age_while_the_charger_answers() -> None:
    """15 min without a read-back; during a silence nothing is forgotten, its end asks anew."""
    watch = Watch(verified=True, verified_at=100.0, answered=1000.0, read_at=1000.0)
    old = shows(6.0, 1000.0)
    apply_reading(OUTLET, watch, old, 1000.0)
    assert watch.verified
    apply_reading(OUTLET, watch, old, 1000.5)
    assert not watch.verified
    assert watch.unverified_since == 1000.5
    silent = Watch(verified=True, verified_at=100.0, answered=1000.0, read_at=1000.0)
    apply_reading(OUTLET, silent, old, 1010.0)
    assert silent.verified


def test_r9_a_phase_counts_again_as_soon_as_it_is_not_surely_quiet() -> None:
    """Quiet for 10 s by fresh reads, once the phases are known: 10 s after the car began."""
    watch = Watch(answered=99.0)
    for second in range(100, 122):
        reading = shows(6.0, float(second), measured_a=(6.0, 0.4, 1.0), pilot=Pilot.C, charging=True)
        apply_reading(OUTLET, watch, reading, second + 0.1)
        expected = OUTLET.all_mask if second < 110 else 0b001
        assert used_mask(OUTLET, watch, second + 0.1) == expected, second
    apply_reading(OUTLET, watch, shows(6.0, 122.0, measured_a=(6.0, 1.1, 0.0), pilot=Pilot.C, charging=True), 122.1)
    assert used_mask(OUTLET, watch, 122.1) == 0b011
    assert used_mask(OUTLET, watch, 127.0) == 0b011
    assert used_mask(OUTLET, watch, 127.1) == OUTLET.all_mask


def test_a_nan_of_a_charger_that_charges_is_no_measurement() -> None:
    """Fault 30: unknown while it may draw, nothing while it is idle."""
    watch = Watch(answered=99.0)
    broken = (float("nan"), 0.0, 0.0)
    apply_reading(OUTLET, watch, shows(6.0, 100.0, measured_a=broken, pilot=Pilot.C, charging=True), 100.1)
    assert watch.measured_a is None
    apply_reading(OUTLET, watch, shows(6.0, 101.0, measured_a=broken, pilot=Pilot.B), 101.1)
    assert watch.measured_a == (0.0, 0.0, 0.0)
    apply_reading(OUTLET, watch, shows(6.0, 102.0, measured_a=(-3.0, 7.0, -1.0), pilot=Pilot.C), 102.1)
    assert watch.measured_a == (0.0, 7.0, 0.0)


def test_misses_of_the_poller_count_where_they_grew() -> None:
    """R3b: the wire log is the truth where both speak."""
    watch = Watch(misses=0, seen_misses=0)
    count_misses(watch, 2)
    assert (watch.misses, watch.seen_misses) == (2, 2)
    watch.misses = 0
    count_misses(watch, 2)
    assert watch.misses == 0
    count_misses(watch, 1)
    assert (watch.misses, watch.seen_misses) == (0, 1)

"""B14: after the write of a switch: what the contactors show, what the car takes, what is learnt."""

from __future__ import annotations

import pytest

from siteward.control.memory import Slot, Waking, Watch
from siteward.control.phasing import ONE, THREE, Stage
from tests.siteward.control.bench import AT
from tests.siteward.control.phase_bench import FIRST_ONLY, OFF, ON, READ_AT, car, moved, step, turn, went

APPLY_S = 0.2
SHOWN_S = APPLY_S + 2.0


@pytest.mark.parametrize(
    ("sent_s", "closed", "shown"),
    [(SHOWN_S, ONE, True), (SHOWN_S - 0.1, ONE, False), (9.0, THREE, False), (9.0, None, False)],
)
def test_a_read_after_the_write_shows_the_new_layout(sent_s: float, closed: int | None, shown: bool) -> None:
    """B14: sent once the frame had its time; the pause leaves nothing behind."""
    rest = {"room_paused": True, "fits_since": 5.0, "slot": Slot(turn_since=7.0, rests_until=AT + 99.0)}
    seen = car(Stage.SWITCH, closed, seen=rest, since=READ_AT - sent_s, quiet_since=3.0, offered_since=4.0)
    assert went(seen) == ("verify" if shown else None)
    if shown:
        assert moved(seen) == (Stage.VERIFY, False, AT)
        assert (seen.phasing.quiet_since, seen.phasing.offered_since) == (None, None)
        assert (seen.room_paused, seen.fits_since, seen.slot) == (False, None, Slot(turn_since=7.0))


@pytest.mark.parametrize(("for_s", "fails"), [(10.1, False), (10.2, True)])
def test_one_that_does_not_show_it_has_failed(for_s: float, fails: bool) -> None:
    """B14: ten seconds beside its own time."""
    seen = car(Stage.SWITCH, THREE, since=AT - for_s, switches=1)
    found = step(turn(seen))
    failed = {"step": "failed", "phases": ONE, "switches": 1, "reason": "not_switched", "failures": 1}
    assert found == (failed if fails else None)


def verifies(
    measured: tuple[float, float, float] = FIRST_ONLY,
    goal: int = ONE,
    closed: int | None = -1,
    conf_a: float | None = 16.0,
    seen: dict[str, object] | None = None,
    **more: object,
) -> Watch:
    """A car that is offered current on the new layout."""
    shown = goal if closed == -1 else closed
    return car(Stage.VERIFY, shown, conf_a, measured, seen, **({"goal": goal, "offered_since": AT - 30.0} | more))


@pytest.mark.parametrize(
    ("measured", "goal", "took", "right"),
    [
        (FIRST_ONLY, ONE, 3, True),
        ((16.0, 1.1, 0.0), ONE, 3, False),
        (OFF, ONE, 3, False),
        ((1.0, 1.0, 1.0), THREE, 3, False),
        (ON, THREE, 3, True),
        ((16.0, 16.0, 0.0), THREE, 3, True),
        (FIRST_ONLY, THREE, 3, False),
        (FIRST_ONLY, THREE, 2, False),
        (FIRST_ONLY, THREE, 1, True),
        (FIRST_ONLY, THREE, 0, True),
    ],
)
def test_a_car_draws_on_the_new_layout(measured: tuple[float, float, float], goal: int, took: int, right: bool) -> None:
    """B14: on one phase and no other, on two at least where it took them before."""
    seen = verifies(measured, goal, took=took, false_state=measured[1] == 1.1, seen={"phases_known_at": AT + 9.0})
    assert went(seen) is None
    assert seen.phasing.quiet_since == (READ_AT if right else None)


@pytest.mark.parametrize(("for_s", "verified"), [(9.9, False), (10.0, True)])
def test_ten_seconds_of_it_by_the_reads_are_enough(for_s: float, verified: bool) -> None:
    """B14: then it is over, until the next wish."""
    seen = verifies(quiet_since=READ_AT - for_s)
    assert step(turn(seen)) == ({"step": "verified", "phases": ONE, "switches": 0} if verified else None)
    if verified:
        assert (moved(seen), seen.phasing.quiet_since) == ((Stage.IDLE, False, AT), None)


def test_drawing_that_stopped_begins_anew() -> None:
    """B14: ten seconds in a row."""
    seen = verifies(OFF, quiet_since=READ_AT - 9.0)
    assert went(seen) is None
    assert seen.phasing.quiet_since is None


@pytest.mark.parametrize(
    ("offered_s", "quiet_since", "fails"), [(60.0, None, True), (59.9, None, False), (90.0, AT - 3.0, False)]
)
def test_a_minute_of_offers_that_nobody_takes_is_a_failure(
    offered_s: float, quiet_since: float | None, fails: bool
) -> None:
    """B14: told as such; one that began in time may go on."""
    measured = OFF if quiet_since is None else FIRST_ONLY
    seen = verifies(measured, offered_since=AT - offered_s, quiet_since=quiet_since)
    found = step(turn(seen))
    failed = {"step": "failed", "phases": ONE, "switches": 0, "reason": "not_drawn_as_switched", "failures": 1}
    assert found == (failed if fails else None)


@pytest.mark.parametrize(
    ("conf_a", "more", "since"),
    [
        (None, {}, None),
        (5.9, {}, None),
        (6.0, {}, AT - 30.0),
        (6.0, {"offered_since": None}, AT),
        (0.0, {"seen": {"waking": Waking(dark_until=AT + 2.0)}}, AT - 30.0),
        (None, {"seen": {"waking": Waking(dark_until=AT + 2.0)}}, None),
    ],
)
def test_the_minute_counts_while_there_is_an_offer(
    conf_a: float | None, more: dict[str, object], since: float | None
) -> None:
    """B14, B10: an interruption to wake the car is a part of it."""
    seen = verifies(OFF, conf_a=conf_a, **more)  # type: ignore[arg-type]
    assert went(seen) is None
    assert seen.phasing.offered_since == since


@pytest.mark.parametrize(("closed", "step_told"), [(THREE, "failed"), (ONE, None), (None, None)])
def test_contactors_that_go_back_are_a_failure(closed: int | None, step_told: str | None) -> None:
    """B14: what they do not show is not held against them."""
    seen = verifies(OFF, closed=closed)
    found = step(turn(seen))
    assert (found and found["step"]) == step_told
    if found:
        assert found["reason"] == "switched_back"


@pytest.mark.parametrize(("plugged", "step_told"), [(True, "unverified"), (False, "restored")])
def test_without_a_wish_nobody_verifies(plugged: bool, step_told: str) -> None:
    """B14: the car finished meanwhile, or the box is as it was built."""
    seen = verifies(OFF, seen={"plugged": plugged}, offered_since=AT - 300.0)
    assert went(seen, {"wants": False}) == step_told
    assert seen.phasing.failures == 0


@pytest.mark.parametrize(
    ("measured", "took", "seen", "after"),
    [
        (ON, 0, {}, 3),
        ((16.0, 1.1, 0.0), 0, {}, 2),
        ((16.0, 1.0, 0.0), 0, {}, 1),
        (FIRST_ONLY, 3, {}, 3),
        (ON, 1, {"phases_known_at": AT}, 3),
        (ON, 1, {"phases_known_at": AT + 0.1}, 1),
        (ON, 1, {"drawing": False}, 1),
        (ON, 1, {"read_at": AT - 3.0}, 1),
        (ON, 1, {"read_at": AT - 2.9}, 3),
    ],
)
def test_the_most_phases_that_a_car_took_are_remembered(
    measured: tuple[float, float, float], took: int, seen: dict[str, object], after: int
) -> None:
    """R9, B14: by a read that is new, ten seconds after it began."""
    found = car(conf_a=16.0, measured=measured, seen=seen, took=took)
    turn(found)
    assert found.phasing.took == after


def test_a_car_on_one_phase_teaches_nothing_of_the_others() -> None:
    """B14: a box that closed one phase."""
    found = car(closed=ONE, conf_a=16.0, measured=FIRST_ONLY)
    turn(found)
    assert found.phasing.took == 0


@pytest.mark.parametrize(
    ("measured", "more", "lies"),
    [
        ((16.0, 1.1, 0.0), {}, True),
        ((16.0, 0.0, 1.1), {}, True),
        ((16.0, 1.0, 1.0), {}, False),
        ((16.0, 9.0, 9.0), {"false_state": True}, False),
        ((16.0, 9.0, 9.0), {"held": True}, False),
    ],
)
def test_contactors_that_show_what_is_not_so_lock_at_once(
    measured: tuple[float, float, float], more: dict[str, object], lies: bool
) -> None:
    """B14, R18: from then on all phases count."""
    found = car(closed=ONE, conf_a=16.0, measured=measured, **more)
    told_step = step(turn(found))
    reason = {"reason": "contactor_state_false", "failures": 2}
    assert told_step == ({"step": "locked", "phases": ONE, "switches": 0} | reason if lies else None)
    assert found.phasing.locked is lies
    assert found.phasing.false_state is (lies or "false_state" in more)

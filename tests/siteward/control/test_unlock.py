"""UNLOCK_CONNECTOR as decided: never into a session or under load, done by what the lock shows (law 4, S-75, S-86)."""

from dataclasses import replace

import pytest

from siteward.control.ledger import Ledger, may_send
from siteward.model.events import EventType
from siteward.model.readings import Cable
from siteward.model.sessions import OrderState
from siteward.model.wire import FrameStage, Write, WriteKind
from tests.siteward.control.lock_rig import A1, LockRig
from tests.siteward.control.test_emergency import BUTTON, STOP
from tests.siteward.control.test_idle_fee import IDLE


def test_done_when_the_lock_shows_it() -> None:
    """Law 4: accepted at once, done by a reading that was sent after the charger took it; told once, with who asked."""
    rig = LockRig()
    rig.ask(source="panel", role="technician")
    assert rig.log.stages("u1") == ["accepted"]
    rig.steps(5)
    assert rig.log.final("u1").result == {"connectorId": "A1", "sent": True, "cable": "unlocked"}
    assert rig.log.stages("u1") == ["accepted", "done"]
    told = rig.log.last(EventType.CONNECTOR_UNLOCK)
    assert told.data == {"sent": True, "cable": "unlocked", "commandId": "u1", "source": "panel", "user": "ann"}
    assert (told.connector, told.session) == (A1, None)
    assert len(rig.writes) == 1


def test_a_lock_that_was_open_before_proves_nothing() -> None:
    """Law 4: an old reading is no effect; the command goes out and the next reading counts."""
    rig = LockRig()
    rig.cable, rig.answers = Cable.UNLOCKED, False
    rig.ask()
    rig.steps(3)
    assert rig.log.stages("u1") == ["accepted"]
    rig.steps(6)
    assert rig.log.stages("u1") == ["accepted", "failed UNLOCK_FAILED"]
    assert rig.log.final("u1").result == {"connectorId": "A1", "sent": False, "cable": "unlocked"}


def test_a_lock_that_does_not_move_has_failed() -> None:
    """OCPP 2.0.1 UnlockFailed, once its documented time is over, not before."""
    rig = LockRig()
    rig.obeys_after_s = None
    rig.ask()
    rig.steps(4)
    assert rig.log.stages("u1") == ["accepted"]
    rig.steps(3)
    assert rig.log.stages("u1") == ["accepted", "failed UNLOCK_FAILED"]
    assert rig.log.last(EventType.CONNECTOR_UNLOCK).data["code"] == "UNLOCK_FAILED"


def test_without_a_register_it_is_said_that_nobody_can_see() -> None:
    """Law 4, honestly: the command was taken; whether the cable is free cannot be read."""
    rig = LockRig(shows=False)
    rig.cable = None
    rig.ask()
    rig.steps(7)
    assert rig.log.final("u1").result == {"connectorId": "A1", "sent": True, "effect": "not_readable"}
    assert rig.log.stages("u1") == ["accepted", "done"]


def test_a_register_that_says_nothing_is_no_success() -> None:
    """Law 5: where the lock has a register, its silence is a failure."""
    rig = LockRig()
    rig.cable = None
    rig.ask()
    rig.steps(7)
    assert rig.log.stages("u1") == ["accepted", "failed UNLOCK_FAILED"]


def test_a_session_is_stopped_first() -> None:
    """OCPP 2.0.1 F05 OngoingAuthorizedTransaction: paused by the car or by us, a session is a session."""
    rig = LockRig()
    session = rig.charging("A1")
    rig.ask("u1")
    rig["A1"].asks = False
    rig.steps(20)
    rig.ask("u2")
    for command in ("u1", "u2"):
        assert rig.log.stages(command) == ["rejected ONGOING_TRANSACTION"]
    assert session in (rig.log.final("u1").message or "")
    rig.step(rig.stop("s1", sessionId=session))
    rig.steps(8)
    rig.ask("u3")
    rig.steps(4)
    assert rig.log.stages("u3") == ["accepted", "done"]
    assert rig.writes[0].turn > 20


@pytest.mark.parametrize(("fault", "code"), [("stuck_a", "CURRENT_FLOWS"), ("set_a", "CURRENT_FLOWS"), ("silent", "")])
def test_never_under_load_or_to_nobody(fault: str, code: str) -> None:
    """R19: a pause is one when confirmed and measured; a charger that is silent is told nothing (R2)."""
    rig = LockRig()
    rig["A1"].plugged = True
    rig["A1"].deaf = True
    setattr(rig["A1"], fault, True if fault == "silent" else 6.0)
    rig.steps(2)
    rig.ask()
    assert rig.log.stages("u1") == [f"rejected {code or 'CHARGER_UNREACHABLE'}"]
    assert not rig.writes


@pytest.mark.parametrize(("drawn_a", "charging"), [(6.0, False), (0.0, True)])
def test_one_sign_of_current_is_enough(drawn_a: float, charging: bool) -> None:
    """R19: measured though the box says that it rests, or one that says that it charges though none is measured."""
    rig = LockRig()
    rig["A1"].plugged, rig["A1"].stuck_a, rig.charging_shown = True, drawn_a, charging
    rig.steps(2)
    rig.ask()
    assert rig.log.stages("u1") == ["rejected CURRENT_FLOWS"]


def test_a_limit_that_was_decided_counts_before_it_is_read_back() -> None:
    """R1: what is on its way to the charger is current, too."""
    rig = LockRig()
    grant = rig.memory.grants[A1]
    rig.memory = replace(rig.memory, grants={**rig.memory.grants, A1: replace(grant, limit_a=6.0)})
    rig.ask()
    assert rig.log.stages("u1") == ["rejected CURRENT_FLOWS"]


def test_only_the_answer_to_this_command_counts() -> None:
    """R4: sent is not answered, and an answer that comes late belongs to the command before."""
    rig = LockRig()
    rig.answers, rig.cable = False, Cable.UNLOCKED
    rig.ask()
    turn = rig.writes[0].turn
    rig.hear(FrameStage.SENT, turn)
    rig.step()
    rig.hear(FrameStage.ANSWERED, turn - 30)
    rig.steps(2)
    assert rig.log.stages("u1") == ["accepted"]
    rig.hear(FrameStage.ANSWERED, turn)
    rig.steps(2)
    assert rig.log.stages("u1") == ["accepted", "done"]


def test_a_reading_from_before_is_no_effect() -> None:
    """Law 4: a box that is polled rarely still shows what was before the command."""
    rig = LockRig()
    rig.cable, rig.obeys_after_s = Cable.UNLOCKED, None
    rig.ask()
    rig.last_read = rig.at - 0.1
    rig.steps(3)
    assert rig.log.stages("u1") == ["accepted"]
    rig.last_read = None
    rig.steps(1)
    assert rig.log.stages("u1") == ["accepted", "done"]


def test_who_falls_silent_afterwards_is_waited_for_and_then_unknown() -> None:
    """S-11: taken, and never seen since: that is what is said."""
    rig = LockRig()
    rig.obeys_after_s = None
    rig.ask()
    rig.last_read = rig.at - 0.1
    rig.steps(14)
    assert rig.log.stages("u1") == ["accepted"]
    rig["A1"].silent = True
    rig.steps(8)
    assert rig.log.stages("u1") == ["accepted", "failed CHARGER_UNREACHABLE"]
    assert rig.log.final("u1").result["sent"] is True  # type: ignore[index]


def test_what_begins_while_the_command_waits_takes_it_back() -> None:
    """R4: asked again each turn until it is sent; a session that began meanwhile wins, and nothing goes out after."""
    rig = LockRig()
    rig.answers = False
    rig["A1"].plugged = True
    rig.steps(2)
    rig.ask()
    rig.step(rig.start("A1", "s1", order="O-9"))
    assert rig.log.stages("u1") == ["accepted", "failed ONGOING_TRANSACTION"]
    assert rig.log.last(EventType.CONNECTOR_UNLOCK).session is None
    sent = len(rig.writes)
    rig.steps(3)
    assert len(rig.writes) == sent == 1


def test_an_emergency_stop_ends_the_session_and_the_cable_may_go() -> None:
    """I13: pressed in the middle of a charge; once nothing flows its driver is not held by the plug."""
    rig = LockRig()
    rig.site = replace(rig.site, emergencies=(STOP,))
    rig.inputs[BUTTON] = True
    rig.steps(2)
    rig.charging("A1")
    rig.inputs[BUTTON] = False
    rig.step()
    rig.ask("u1")
    assert rig.log.stages("u1") == ["rejected CURRENT_FLOWS"]
    rig.steps(8)
    rig.ask("u2")
    rig.steps(4)
    assert rig.log.stages("u2") == ["accepted", "done"]
    assert "hall" in rig.memory.book.latched


def test_one_at_a_time() -> None:
    """S-75: the button pressed twice moves one lock once."""
    rig = LockRig()
    rig.ask("u1")
    rig.ask("u2")
    assert rig.log.stages("u2") == ["rejected RATE_LIMITED"]


def test_a_fault_an_emergency_stop_and_being_out_of_service_are_no_reasons_against_it() -> None:
    """I13: whoever stands before a stopped charger may have his car back."""
    rig = LockRig()
    rig["A1"].plugged, rig["A1"].fault = True, "lock error"
    rig.step(rig.request("SET_AVAILABILITY", "v1", target="A1", operative=False))
    rig.steps(3)
    rig.ask()
    rig.steps(4)
    assert rig.log.stages("u1") == ["accepted", "done"]


def test_a_session_that_waits_for_its_car_to_leave_lets_it() -> None:
    """0051: with an idle fee a session stays open until the car is gone, which a locked cable would prevent."""
    rig = LockRig()
    rig.install(IDLE)
    session = rig.charging("A1", seconds=30)
    rig.step(rig.stop(order="O-1"))
    rig.steps(8)
    assert rig.log.rows[session].state is OrderState.CHARGING
    rig.ask()
    rig.steps(4)
    assert rig.log.stages("u1") == ["accepted", "done"]
    assert rig.log.last(EventType.CONNECTOR_UNLOCK).session == session


def test_after_a_restart_the_outcome_is_unknown_and_nothing_is_sent_again() -> None:
    """I8, I10: exactly one final answer over a crash, with the lock as it is seen."""
    rig = LockRig()
    rig.answers = False
    asked = rig.request("UNLOCK_CONNECTOR", "u1", target="A1")
    rig.step(asked)
    rig.crash(unfinished=(asked,))
    sent = len(rig.writes)
    rig.steps(3)
    assert rig.log.stages("u1") == ["accepted", "failed OUTCOME_UNKNOWN"]
    result = rig.log.final("u1").result
    assert result is not None
    assert result["observed"]["cable"] == "locked"  # type: ignore[index]
    assert len(rig.writes) == sent


def test_the_ledger_lets_it_go_only_where_any_word_may() -> None:
    """R2, R7: it protects nothing, so that it never feeds the watchdog of a charger that shall fall back."""
    write = Write(A1, WriteKind.UNLOCK, 0.0, False, 1, 105.0)
    book = Ledger(100.0, 1, {(A1, WriteKind.UNLOCK): write}, lease_s={A1: 5.0})
    assert may_send(book, write, 104.0)
    assert not may_send(book, write, 105.5)
    assert not may_send(replace(book, lease_s={A1: 2.0}), write, 104.0)
    assert not may_send(replace(book, mute=frozenset({A1})), write, 101.0)
    assert not may_send(replace(book, newest={}), write, 101.0)

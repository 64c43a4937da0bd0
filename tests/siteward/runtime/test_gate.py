"""The right to speak between two turns: farewells of a dead turn (R7), reads before the first turn (R14)."""

from dataclasses import replace

from siteward.control.ledger import Ledger
from siteward.model.ids import ConnectorId
from siteward.model.wire import Write, WriteKind
from siteward.runtime.gate import LedgerGate

A1 = ConnectorId("A1")
FAREWELL = Write(A1, WriteKind.LIMIT, 6.0, False, turn=7, deadline=12.0)


def test_r7_a_farewell_of_several_frames_goes_out_whole_until_its_deadline():
    gate = LedgerGate()
    gate.renew(Ledger(at=5.0, turn=7))
    assert not gate.may_send(FAREWELL, 10.0)
    gate.allow_farewell(FAREWELL)
    assert gate.may_send(FAREWELL, 10.0)
    assert gate.may_send(FAREWELL, 10.1), "the second frame of the same limit"
    assert not gate.may_send(replace(FAREWELL, value_a=7.0), 10.1)
    assert not gate.may_send(FAREWELL, 12.1), "a line that frees up late must not feed the watchdog any more"


def test_r7_a_turn_that_lives_again_takes_the_farewell_back():
    gate = LedgerGate()
    gate.renew(Ledger(at=5.0, turn=7))
    gate.allow_farewell(FAREWELL)
    gate.renew(Ledger(at=11.0, turn=8))
    assert not gate.may_send(FAREWELL, 11.5)


def test_r14_before_the_first_turn_chargers_may_be_read_and_never_written():
    gate = LedgerGate()
    assert gate.may_speak(A1, 1.0)
    assert not gate.may_send(FAREWELL, 1.0)

"""What a meter handed over: into its session, late, of another's, twice (B22, fault 81)."""

from dataclasses import replace

import pytest

from siteward.model.requests import CommandName
from siteward.model.sessions import OrderState
from siteward.model.signed import SignFailure, SignMark, SignStep
from tests.siteward.control.sign_rig import A4, DOUBTED, METER, MISSING, SignRig


def test_a_record_handed_over_twice_is_told_once() -> None:
    """B23: an answer that came while the order was said again."""
    rig = SignRig()
    rig.arrives()
    begin = rig.signs()
    rig.turn()
    rig.answers.append(begin)
    rig.turns(10)
    assert [fact.data["step"] for fact in rig.told()] == ["begin"]
    rig.leaves()
    end = rig.signs()
    rig.answers.append(end)
    rig.turns(3)
    assert [fact.data["step"] for fact in rig.told()] == ["begin", "end"]
    assert rig.head.marks == ()


def test_a_late_end_that_differs_is_marked() -> None:
    """B22: late or not, a difference is never smoothed."""
    rig = SignRig()
    rig.charges()
    rig.leaves()
    rig.turns(25)
    rig.signs(end_wh=rig.wh + 500)
    rig.turns(2)
    assert (rig.told()[-1].data["difference_wh"], rig.told()[-1].data["marks"]) == (500, ["difference"])
    assert (rig.head.owed, rig.head.marks) == (None, (SignMark.DIFFERENCE,))
    assert rig.alarms == {DOUBTED}


def test_a_late_end_that_cannot_be_read_leaves_it_missing() -> None:
    """Fault 81: a record without a register pays no debt of energy; it is carried all the same."""
    rig = SignRig()
    rig.charges()
    rig.leaves()
    rig.turns(25)
    broken = rig.signs()
    rig.answers[-1] = replace(broken, answer=replace(broken.answer, document=b"OCMF|{}"))
    rig.turns(2)
    assert rig.told()[-1].data["marks"] == ["unreadable"]
    assert rig.head.marks == (SignMark.MISSING, SignMark.UNREADABLE)
    assert (rig.head.owed, rig.alarms) == (None, {MISSING, DOUBTED})


def test_an_owed_end_that_is_gone_is_told_so_once() -> None:
    """Fault 81: the meter has no transaction any more: that is its final word, told late with its session."""
    rig = SignRig()
    session = rig.charges()
    rig.leaves()
    rig.turns(25)
    rig.fails(SignFailure.UNREACHABLE)
    rig.turns(2)
    assert len(rig.told()) == 1
    order = rig.order
    rig.fails(SignFailure.NOT_ACTIVE)
    rig.turns(2)
    gone = rig.told()[-1]
    assert (gone.session, gone.connector) == (session, A4)
    assert (gone.data["step"], gone.data["failure"]) == ("end", "NOT_ACTIVE")
    assert (gone.data["late"], gone.data["meter"]) == (True, METER)
    assert (rig.head.owed, rig.head.owed_wh, rig.head.owed_from) == (None, None, None)
    assert (rig.orders, rig.alarms, rig.head.page) == ((), {MISSING}, 1)
    rig.fails(SignFailure.NOT_ACTIVE, order)
    rig.turns(2)
    assert len(rig.told()) == 2


def test_an_end_that_is_gone_in_time_lets_the_session_close() -> None:
    """Fault 81: nobody waits for what the meter says it does not have."""
    rig = SignRig()
    session = rig.charges()
    rig.leaves()
    rig.fails(SignFailure.NOT_ACTIVE)
    rig.turns(3)
    assert rig.log.rows[session].state is OrderState.FINISHED
    assert (rig.summary()["failure"], rig.summary()["marks"]) == ("NOT_ACTIVE", ["missing"])
    assert [fact.data["late"] for fact in rig.told()] == [False, False]
    assert (rig.orders, rig.head.owed) == ((), None)


def test_a_begin_after_its_session_is_told_late_and_its_end_is_owed() -> None:
    """Fault 81: the meter would hold that transaction open for ever."""
    rig = SignRig()
    session = rig.arrives()
    order = rig.order
    rig.turn(rig.request(CommandName.STOP_CHARGE, "stop", sessionId=session))
    while not rig.log.types("session.cancelled"):
        rig.turn()
    assert rig.orders == ()
    rig.signs(order)
    rig.turns(2)
    begin = rig.told()[-1]
    assert (begin.session, begin.data["step"], begin.data["late"]) == (session, "begin", True)
    assert begin.data["difference_wh"] is None
    assert rig.order.key == (session, SignStep.END)
    assert (rig.head.owed_wh, rig.head.owed_from) == (None, rig.begins[session])
    rig.signs()
    rig.turns(2)
    assert rig.told()[-1].data["difference_wh"] is None
    assert (rig.head.owed, rig.orders, rig.alarms) == (None, (), set())


def test_a_record_that_had_to_be_ended_belongs_to_whom_it_names() -> None:
    """B23: after a crash the meter still held another transaction: its record is told with that session, or none."""
    rig = SignRig(plate=b"key on the plate")
    rig.arrives()
    ours = rig.signs()
    stray = rig.signs(about="01JQ0000000000000000000000", end_wh=rig.wh + 5, page=1)
    rig.answers = [replace(ours, answer=replace(ours.answer, stray=stray.answer.document), stray_verified=False)]
    rig.turns(2)
    one, begin = rig.told()
    assert (one.session, one.data["step"], one.data["late"]) == ("01JQ0000000000000000000000", "end", True)
    assert (one.data["verified"], one.data["difference_wh"]) == (False, None)
    assert one.data["publicKey"] == "a2V5IG9uIHRoZSBwbGF0ZQ=="
    assert set(one.data["marks"]) == {"key", "signature"}
    assert (begin.data["step"], begin.data["late"]) == ("begin", False)
    assert SignMark.SIGNATURE in rig.head.marks


@pytest.mark.parametrize("about", ["", "none of ours"])
def test_a_stray_record_that_names_nobody_is_told_without_a_session(about: str) -> None:
    """Fault 81: nothing that a meter signed is thrown away."""
    rig = SignRig()
    rig.arrives()
    ours = rig.signs()
    stray = rig.signs(about=about, end_wh=rig.wh, page=1)
    rig.answers = [replace(ours, answer=replace(ours.answer, stray=stray.answer.document))]
    rig.turns(2)
    assert (rig.told()[0].session, rig.told()[0].data["step"]) == (None, "end")


def test_a_stray_record_that_was_owed_pays_the_debt() -> None:
    """Fault 81: ended for the next car, it is still the end of the session before."""
    rig = SignRig()
    first = rig.charges()
    owed = rig.leaves()
    rig.turns(25)
    at_end_wh = rig.wh
    rig.arrives("O-2")
    stray = rig.signs(owed, end_wh=at_end_wh)
    ours = rig.signs()
    rig.answers = [replace(ours, answer=replace(ours.answer, stray=stray.answer.document), stray_verified=True)]
    rig.turns(2)
    late = rig.told()[-2]
    assert (late.session, late.data["late"], late.data["difference_wh"], late.data["marks"]) == (first, True, 0, [])
    assert (rig.head.owed, rig.head.marks) == (None, ())


def test_pages_are_followed_over_sessions_and_over_a_restart() -> None:
    """Fault 81: a record that was left out shows, and stands in alarm; the next good session takes it back."""
    rig = SignRig()
    rig.charges()
    rig.leaves()
    rig.signs()
    rig.turns(3)
    rig.crash()
    rig.turns(3)
    rig.page += 1
    rig.charges("O-2")
    assert rig.told()[-1].data["marks"] == ["pagination"]
    assert rig.alarms == {DOUBTED}
    rig.leaves()
    rig.signs()
    rig.turns(3)
    assert rig.summary()["marks"] == ["pagination"]
    assert rig.alarms == {DOUBTED}
    rig.charges("O-3")
    rig.leaves()
    rig.signs()
    rig.turns(3)
    assert rig.alarms == set()


def test_what_another_meter_signed_is_marked() -> None:
    """Fault 81: the serial of our own readings counts."""
    rig = SignRig()
    session = rig.arrives()
    rig.signs(serial="SN-2")
    rig.turns(3)
    state = rig.log.rows[session].signed
    assert state is not None
    assert state.marks == (SignMark.SERIAL,)
    assert rig.alarms == {DOUBTED}


def test_an_unsure_clock_is_told_and_alarms_nobody() -> None:
    """A meter has no clock before it was given one: said in the session, quiet in the cabinet."""
    rig = SignRig()
    session = rig.arrives()
    signed = rig.signs()
    assert signed.answer.document is not None
    unsure = signed.answer.document.replace(b"+0100 S", b"+0100 I")
    rig.answers = [replace(signed, answer=replace(signed.answer, document=unsure))]
    rig.turns(3)
    state = rig.log.rows[session].signed
    assert state is not None
    assert (state.marks, rig.alarms) == ((SignMark.CLOCK,), set())


def test_a_start_that_was_only_cancelled_takes_no_alarm_back() -> None:
    """Fault 81: what is doubtful stands until a session is signed, not until somebody changes their mind."""
    rig = SignRig()
    rig.charges()
    rig.leaves()
    rig.signs(end_wh=rig.wh + 500)
    rig.turns(3)
    assert rig.alarms == {DOUBTED}
    session = rig.arrives("O-2")
    rig.turn(rig.request(CommandName.STOP_CHARGE, "stop", sessionId=session))
    rig.turns(4)
    assert rig.log.rows[session].state is OrderState.CANCELLED
    assert rig.alarms == {DOUBTED}


@pytest.mark.parametrize("late", [False, True])
def test_an_end_that_holds_its_own_reading_alone_counts_from_the_signed_begin(late: bool) -> None:
    """OCMF: a record may hold one reading; the energy is then that between two signed records, in time or late."""
    rig = SignRig()
    session = rig.charges()
    rig.leaves()
    rig.turns(25 if late else 0)
    rig.signs(begin_wh=None)
    rig.turns(3)
    assert (rig.told()[-1].data["late"], rig.told()[-1].data["marks"]) == (late, [])
    state = rig.log.rows[session].signed
    assert state is not None
    assert rig.told()[-1].data["difference_wh"] == 0 if late else state.difference_wh == 0


def test_an_owed_end_waits_for_the_transaction_of_the_next_car() -> None:
    """Fault 81: while another transaction is to begin or open, the meter is asked about nothing else."""
    rig = SignRig()
    first = rig.charges()
    rig.leaves()
    rig.turns(25)
    assert rig.order.session == first
    second = rig.arrives("O-2")
    rig.signs()
    rig.turns(10)
    assert (rig.orders, rig.head.owed) == ((), first)
    assert rig.log.rows[second].state is OrderState.CHARGING


def test_a_car_that_is_waited_for_keeps_nobody_from_an_owed_end() -> None:
    """Fault 81: a session without a car has no transaction in the meter."""
    rig = SignRig()
    first = rig.charges()
    rig.leaves()
    rig.turns(25)
    rig.turn(rig.start("A4", "start-2", order="O-2"))
    rig.turns(2)
    assert rig.memory.posts[A4].session is not None
    assert rig.order.session == first


def test_a_session_given_up_by_the_meter_keeps_nobody_from_an_owed_end() -> None:
    """Fault 81: where no transaction could be begun, the debt of the one before may be asked for."""
    rig = SignRig()
    first = rig.charges()
    rig.leaves()
    rig.turns(25)
    rig.arrives("O-2")
    rig.turns(25)
    assert rig.order.key == (first, SignStep.END)

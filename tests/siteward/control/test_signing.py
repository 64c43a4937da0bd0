"""Signing as decided: what a meter is asked and when, how long both ends wait, what is owed (B23, fault 81)."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from siteward.control.signing import BEGIN_S, END_S
from siteward.model.alarms import AlarmCode
from siteward.model.events import EventType
from siteward.model.requests import CommandName
from siteward.model.sessions import OrderState
from siteward.model.signed import SignFailure, SignMark, SignStep, Unsigned
from tests.siteward.control.sign_rig import A4, METER, SignRig

MISSING, DOUBTED = AlarmCode.SIGNED_VALUE_MISSING, AlarmCode.SIGNED_VALUE_DOUBTED


def alarms(rig: SignRig) -> set[AlarmCode]:
    """What is wrong about signing now."""
    assert rig.chapter is not None
    return {alarm.code for alarm in rig.chapter.draft.noticed if alarm.subject == A4} & {MISSING, DOUBTED}


def wants(rig: SignRig) -> bool:
    """Whether current is asked for at A4 in this turn."""
    return rig.log.demands[-1][1][A4].wants


def test_a_start_asks_for_its_begin_and_offers_nothing_before() -> None:
    """Turn 13: the signed register begins where ours does; said in every turn until it came, then no more."""
    rig = SignRig()
    session = rig.arrives()
    assert (rig.order.meter, rig.order.connector, rig.order.session) == (METER, A4, session)
    assert (rig.order.step, rig.order.point) == (SignStep.BEGIN, "T-1 A4")
    rig.turns(5)
    assert rig.order.key == (session, SignStep.BEGIN)
    assert not wants(rig)
    rig.signs()
    rig.turns(2)
    assert rig.orders == ()
    assert wants(rig)
    rig.turns(5)
    assert rig.log.rows[session].state is OrderState.CHARGING
    (fact,) = rig.told()
    assert (fact.session, fact.order, fact.data["step"], fact.data["late"]) == (session, "O-1", "begin", False)
    assert (fact.data["register_wh"], fact.data["marks"]) == (rig.log.rows[session].start_register_wh, [])


def test_nothing_is_signed_before_a_car_is_there_or_the_row_is_on_disk() -> None:
    """B23, law 8: a record of a session that no disk knows would be nobody's."""
    rig = SignRig()
    rig.turn(rig.start("A4", "s", order="O-1"))
    rig.turns(5)
    assert rig.orders == ()
    rig["A4"].plugged, rig.commit_age_s = True, 9.0
    rig.turns(3)
    rig.commit_age_s = 0.0
    while not rig.orders:
        rig.turn()
    assert rig.order.step is SignStep.BEGIN


def test_the_clock_of_the_site_goes_along() -> None:
    """OCMF TM: local time with its offset, in minutes, of the season that it is."""
    rig = SignRig()
    rig.site = replace(rig.site, zone=ZoneInfo("Asia/Kathmandu"))
    rig.arrives()
    assert rig.order.offset_min == 345
    rig.site = replace(rig.site, zone=ZoneInfo("America/New_York"))
    rig.turn()
    assert rig.order.offset_min == -300


def test_a_connector_without_such_a_meter_is_asked_nothing() -> None:
    """The others of the site charge as ever, and say nothing of signing."""
    rig = SignRig()
    rig.charging("A1")
    rig["A1"].plugged = False
    rig.turns(10)
    assert rig.orders == ()
    assert "signed" not in rig.log.last(EventType.SESSION_FINISHED).data


def test_both_ends_make_a_signed_session() -> None:
    """Fault 81, S-16: asked again for nothing; what the registers say is compared, and the row keeps it."""
    rig = SignRig()
    session = rig.charges()
    order = rig.leaves()
    assert (order.session, order.step) == (session, SignStep.END)
    assert rig.log.types("session.finished") == []
    rig.signs()
    rig.turns(3)
    energy_wh = rig.log.rows[session].energy_wh
    assert energy_wh is not None
    assert energy_wh > 0
    assert rig.summary() | {"beginSha256": 0, "endSha256": 0} == {
        "state": "complete",
        "beginSha256": 0,
        "endSha256": 0,
        "verified": True,
        "energy_wh": energy_wh,
        "difference_wh": 0,
        "failure": None,
        "marks": [],
    }
    assert [rig.summary()["beginSha256"], rig.summary()["endSha256"]] == [fact.data["sha256"] for fact in rig.told()]
    state = rig.log.rows[session].signed
    assert state is not None
    assert (state.open, state.marks) == (False, ())
    assert (rig.orders, alarms(rig)) == ((), set())
    assert (rig.head.owed, rig.head.page, rig.head.meter) == (None, 2, "SN-1")


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


def test_a_begin_that_never_comes_is_given_up_and_the_car_charges() -> None:
    """Issue 5, policy allow: after its time the session goes on, marked with the reason; no end is asked for."""
    rig = SignRig()
    session = rig.arrives()
    asked_at = rig.at
    rig.fails(SignFailure.UNREACHABLE)
    while not rig.told():
        assert not wants(rig)
        rig.turn()
    assert BEGIN_S - 1.0 <= rig.at - asked_at <= BEGIN_S + 1.0
    (fact,) = rig.told()
    assert (fact.data["step"], fact.data["late"], fact.data["meter"]) == ("begin", False, METER)
    assert (fact.data["signedMeterData"], fact.data["failure"]) == (None, "UNREACHABLE")
    assert alarms(rig) == {MISSING}
    rig.turns(20)
    assert rig.log.rows[session].state is OrderState.CHARGING
    assert rig.orders == ()
    rig["A4"].plugged = False
    rig.turns(10)
    assert (rig.summary()["state"], rig.summary()["failure"], rig.summary()["marks"]) == (
        "none",
        "UNREACHABLE",
        ["missing"],
    )
    assert alarms(rig) == {MISSING}, "it stands until a session is signed as it should be"
    rig.charges("O-2")
    rig.leaves()
    rig.signs()
    rig.turns(3)
    assert alarms(rig) == set()


@pytest.mark.parametrize("failure", [None, SignFailure.NOT_ACTIVE, SignFailure.REFUSED])
def test_where_unsigned_is_refused_no_current_flows_without_a_begin(failure: SignFailure | None) -> None:
    """Issue 5, policy refuse: whatever the meter answers, and if it answers nothing at all."""
    rig = SignRig(Unsigned.REFUSE)
    session = rig.arrives()
    if failure is not None:
        rig.fails(failure)
    before = rig.wh
    rig.turns(30)
    assert (rig.log.rows[session].state, rig.wh) == (OrderState.FAILED, before)
    assert rig.log.rows[session].stop_reason == "fault"
    assert rig.told()[0].data["failure"] == ("LATE" if failure is None else failure.value)
    assert alarms(rig) == {MISSING}


def test_a_refused_meter_without_a_reason_has_refused() -> None:
    """Fault 81: no record is never silent."""
    rig = SignRig()
    rig.arrives()
    rig.fails(None)
    rig.turns(20)
    assert rig.told()[0].data["failure"] == "REFUSED"


def test_an_end_is_waited_for_so_long_and_then_owed() -> None:
    """Contract 4: settlement does not wait for ever; what follows is told late, compared, and the alarm goes."""
    rig = SignRig()
    session = rig.charges()
    order = rig.leaves()
    asked_at = rig.at
    while not rig.log.types("session.finished"):
        rig.turn()
    assert END_S - 2.0 <= rig.at - asked_at <= END_S + 2.0
    energy_wh = rig.log.rows[session].energy_wh
    assert (rig.summary()["state"], rig.summary()["marks"]) == ("partial", ["missing"])
    assert (rig.head.owed, rig.head.owed_wh) == (session, energy_wh)
    assert rig.head.owed_from == rig.log.rows[session].start_register_wh
    rig.turns(3)
    assert rig.order.key == order.key
    assert alarms(rig) == {MISSING}
    rig.signs()
    rig.turns(2)
    late = rig.told()[-1]
    assert (late.session, late.connector, late.data["step"], late.data["late"]) == (session, A4, "end", True)
    assert (late.data["difference_wh"], late.data["marks"], late.data["meter"]) == (0, [], METER)
    assert (rig.head.owed, rig.head.owed_wh, rig.head.owed_from, rig.head.marks) == (None, None, None, ())
    assert (rig.orders, alarms(rig)) == ((), set())


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
    assert alarms(rig) == {DOUBTED}


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
    assert (rig.head.owed, alarms(rig)) == (None, {MISSING, DOUBTED})


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
    assert (gone.session, gone.data["step"], gone.data["failure"]) == (session, "end", "NOT_ACTIVE")
    assert (gone.data["late"], gone.data["meter"]) == (True, METER)
    assert (rig.head.owed, rig.head.owed_wh, rig.head.owed_from) == (None, None, None)
    assert (rig.orders, alarms(rig), rig.head.page) == ((), {MISSING}, 1)
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
    assert (rig.head.owed, rig.orders, alarms(rig)) == (None, (), set())


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
    assert alarms(rig) == {DOUBTED}
    rig.leaves()
    rig.signs()
    rig.turns(3)
    assert rig.summary()["marks"] == ["pagination"]
    assert alarms(rig) == {DOUBTED}
    rig.charges("O-3")
    rig.leaves()
    rig.signs()
    rig.turns(3)
    assert alarms(rig) == set()


def test_what_another_meter_signed_is_marked() -> None:
    """Fault 81: the serial of our own readings counts."""
    rig = SignRig()
    session = rig.arrives()
    rig.signs(serial="SN-2")
    rig.turns(3)
    state = rig.log.rows[session].signed
    assert state is not None
    assert state.marks == (SignMark.SERIAL,)
    assert alarms(rig) == {DOUBTED}


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
    assert (state.marks, alarms(rig)) == ((SignMark.CLOCK,), set())


@pytest.mark.parametrize("signed_first", [True, False])
def test_after_a_restart_what_was_not_signed_yet_is_asked_again(signed_first: bool) -> None:
    """B23: killed during a start, the begin is asked for again if the row has none, and never twice."""
    rig = SignRig()
    session = rig.arrives()
    if signed_first:
        rig.signs()
        rig.turn()
    rig.crash()
    rig.turns(4)
    if not signed_first:
        assert rig.order.key == (session, SignStep.BEGIN)
        assert not wants(rig)
        rig.signs()
    rig.turns(10)
    assert (rig.orders, rig.log.rows[session].state) == ((), OrderState.CHARGING)
    assert [fact.data["step"] for fact in rig.told()] == ["begin"]


def test_after_a_restart_a_charging_session_without_a_begin_is_left_as_it_is() -> None:
    """B23: no begin is signed in the middle of a session: it would count too little."""
    rig = SignRig()
    session = rig.arrives()
    rig.turns(30)
    assert rig.log.rows[session].state is OrderState.CHARGING
    rig.crash()
    for _ in range(10):
        rig.turn()
        assert rig.orders == ()
    assert rig.log.rows[session].state is OrderState.CHARGING


def test_an_end_owed_is_asked_for_after_a_restart() -> None:
    """B23: a debt is on disk."""
    rig = SignRig()
    session = rig.charges()
    rig.leaves()
    rig.turns(25)
    rig.crash()
    rig.turns(3)
    assert rig.order.key == (session, SignStep.END)
    assert alarms(rig) == {MISSING}


def test_a_start_that_never_charged_owes_its_end_and_accuses_nobody() -> None:
    """Fault 81: signed at its begin, cancelled before current: its transaction is ended, nothing is missing."""
    rig = SignRig()
    session = rig.arrives()
    rig["A4"].room_a = 0.0
    rig.signs()
    rig.turns(3)
    rig.turn(rig.request(CommandName.STOP_CHARGE, "stop", sessionId=session))
    rig.turns(4)
    assert rig.log.rows[session].state is OrderState.CANCELLED
    assert rig.log.rows[session].signed is not None
    assert rig.order.key == (session, SignStep.END)
    assert alarms(rig) == set()


def test_a_start_that_was_only_cancelled_takes_no_alarm_back() -> None:
    """Fault 81: what is doubtful stands until a session is signed, not until somebody changes their mind."""
    rig = SignRig()
    rig.charges()
    rig.leaves()
    rig.signs(end_wh=rig.wh + 500)
    rig.turns(3)
    assert alarms(rig) == {DOUBTED}
    session = rig.arrives("O-2")
    rig.turn(rig.request(CommandName.STOP_CHARGE, "stop", sessionId=session))
    rig.turns(4)
    assert rig.log.rows[session].state is OrderState.CANCELLED
    assert alarms(rig) == {DOUBTED}

"""Signing as decided: what a meter is asked and when, how long both ends wait, what is owed (B23, fault 81)."""

import base64
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from siteward.control.signing import BEGIN_S, END_S
from siteward.model.events import EventType
from siteward.model.kept import KeptKind
from siteward.model.requests import CommandName
from siteward.model.sessions import OrderState
from siteward.model.signed import SignFailure, SignStep, Unsigned
from tests.siteward.control.sign_rig import A4, KEY, METER, MISSING, SignRig


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
    assert (fact.data["pagination"], fact.data["meter"]) == ("T1", METER)
    assert base64.b64decode(str(fact.data["publicKey"])) == KEY
    signed = rig.log.kept[KeptKind.SIGNED, A4]
    assert signed == rig.head


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
    assert (rig.orders, rig.alarms) == ((), set())
    assert (rig.head.owed, rig.head.owed_wh, rig.head.owed_from) == (None, None, None)
    assert (rig.head.page, rig.head.meter) == (2, "SN-1")


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
    assert rig.alarms == {MISSING}
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
    assert rig.alarms == {MISSING}, "it stands until a session is signed as it should be"
    rig.charges("O-2")
    rig.leaves()
    rig.signs()
    rig.turns(3)
    assert rig.alarms == set()


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
    assert rig.log.last(EventType.SESSION_FAILED).data["stopDetail"] == "SIGNED_VALUE_MISSING"
    assert rig.told()[0].data["failure"] == ("LATE" if failure is None else failure.value)
    assert rig.alarms == {MISSING}


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
    assert rig.alarms == {MISSING}
    rig.signs()
    rig.turns(2)
    late = rig.told()[-1]
    assert (late.session, late.connector, late.data["step"], late.data["late"]) == (session, A4, "end", True)
    assert (late.order, late.occurred_at) == (None, rig.wall - timedelta(seconds=1))
    assert (late.data["difference_wh"], late.data["marks"], late.data["meter"]) == (0, [], METER)
    assert (rig.head.owed, rig.head.owed_wh, rig.head.owed_from, rig.head.marks) == (None, None, None, ())
    assert (rig.orders, rig.alarms) == ((), set())


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
    assert rig.alarms == {MISSING}


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
    assert rig.alarms == set()


def test_a_begin_given_up_is_not_asked_for_again() -> None:
    """Fault 81: a begin in the middle of a session counts too little; the car may wait for its room meanwhile."""
    rig = SignRig()
    rig.arrives()
    rig["A4"].room_a = 0.0
    while not rig.told():
        rig.turn()
    for _ in range(10):
        assert rig.orders == ()
        rig.turn()
    assert len(rig.told()) == 1


def test_a_charger_silent_after_a_restart_takes_no_time_from_the_meter() -> None:
    """B23: nothing is asked before the car is seen again; the meter has its whole time from there on."""
    rig = SignRig()
    session = rig.arrives()
    rig.crash()
    rig["A4"].silent = True
    rig.turns(20)
    assert (rig.orders, rig.told()) == ((), [])
    rig["A4"].silent = False
    while not rig.orders:
        rig.turn()
        assert rig.told() == []
    assert rig.order.key == (session, SignStep.BEGIN)

"""After a restart: what goes on, what is closed, and how unfinished commands end (B23, I8, I10, ruling 19)."""

from datetime import timedelta

import pytest

from siteward.model.events import ClockQuality, EventType
from siteward.model.ids import ConnectorId
from siteward.model.requests import CommandName, Request
from siteward.model.sessions import OrderState
from tests.fixtures.story_rig import Rig

A1 = ConnectorId("A1")


def _restart(rig: Rig, *unfinished: Request, seconds: float = 3.0, lost: bool = False) -> None:
    rig.crash(seconds, unfinished, lost)
    rig.turns(4)


@pytest.mark.parametrize("name", ["START_CHARGE", "STOP_CHARGE", "LIMIT_POWER", "REPORT_NOW", "RESET"])
def test_a_command_without_a_trace_ends_as_unknown_with_what_is_seen(name: str) -> None:
    """I8: never done again; contract: failed OUTCOME_UNKNOWN with the observed state."""
    rig = Rig()
    rig["A1"].plugged = True
    rig.turn()
    request = rig.request(name, target="A1", orderId="O-1", limit_a=9)
    _restart(rig, request)
    assert rig.log.stages("c1") == ["failed OUTCOME_UNKNOWN"]
    assert rig.log.types("session") == []
    result = rig.log.final("c1").result
    assert result is not None
    assert result["observed"] == {"state": "available", "online": False, "current_a": None} or (
        result["observed"] == {"state": "preparing", "online": True, "current_a": 0.0}
    )


def test_a_start_whose_batch_was_lost_is_not_done_again() -> None:
    """Law 4, ruling 18: the session was not on disk, so no current was ever asked for."""
    rig = Rig()
    rig["A1"].plugged = True
    rig.turn()
    request = rig.start(order="O-1")
    rig.turn(request)
    _restart(rig, request, lost=True)
    assert rig.log.stages("c1") == ["failed OUTCOME_UNKNOWN"]
    assert rig.memory.posts[A1].session is None


def test_a_refused_second_start_is_not_taken_for_the_one_that_opened_the_session() -> None:
    """Two local starts without order: only one younger than the session's opening can have opened it."""
    rig = Rig()
    rig["A1"].plugged = True
    rig.turn()
    rig.turn(rig.start(source="panel"))
    rig.turns(5)
    second = rig.start(command="c2", source="panel")
    _restart(rig, second)
    assert rig.log.stages("c1") == ["accepted", "done"]
    assert rig.log.stages("c2") == ["failed OUTCOME_UNKNOWN"]


def test_a_limit_that_reached_the_journal_is_followed() -> None:
    rig = Rig()
    rig.charging()
    rig["A1"].deaf = True
    request = rig.request(CommandName.LIMIT_POWER, source="cli", target="A1", limit_a=8)
    rig.turn(request)
    rig["A1"].deaf = False
    _restart(rig, request)
    assert rig.log.stages("c1") == ["accepted", "done"]


def test_a_session_that_grew_as_it_may_is_resumed_with_all_its_energy() -> None:
    """B23: an hour without a controller at 16 A is 11 kWh, plausible and billed."""
    rig = Rig()
    session = rig.charging()
    _restart(rig, seconds=3600.0)
    record = rig.memory.posts[A1].session
    assert record is not None
    assert record.record.gap
    assert (record.record.energy_wh or 0) > 11_000
    rig.turn(rig.stop(sessionId=session))
    rig.turns(3)
    finished = rig.log.last(EventType.SESSION_FINISHED).data
    assert finished["energy_wh"] == int(rig["A1"].register) - 1000
    assert finished["duration_s"] >= 3600
    assert (finished["gap"], finished["estimated"]) == (True, False)


@pytest.mark.parametrize("name", ["A1", "A4"])
def test_a_clock_that_stood_still_loses_no_energy_of_a_long_outage(name: str) -> None:
    """B23, fault 58: no clock of its own and no network: two hours off look like none; what flowed is billed."""
    rig = Rig()
    session = rig.charging(name, seconds=30)
    rig.skew, rig.clock = timedelta(seconds=-7200), ClockQuality.UNSYNCED
    _restart(rig, seconds=7200.0)
    row = rig.log.rows[session]
    assert (row.state, row.stop_reason, row.gap) == (OrderState.CHARGING, None, True)
    rig.turn(rig.stop(order="O-1"))
    rig.turns(12)
    assert rig.log.rows[session].energy_wh == int(rig[name].register) - 1000 > 20_000


def test_time_goes_on_over_a_restart() -> None:
    """A time limit counts the hours in which nobody looked."""
    rig = Rig()
    rig.charging(maxTime_s=600)
    _restart(rig, seconds=900.0)
    rig.turns(3)
    assert rig.log.last(EventType.SESSION_FINISHED).data["stopReason"] == "time_limit"


def test_a_wall_clock_that_went_back_loses_no_session() -> None:
    """A dead clock battery: created in the future, yet resumed; its row (at most 15 s old) says how long it charged."""
    rig = Rig()
    rig.charging(seconds=30)
    rig.skew = timedelta(days=-900)
    rig.clock = ClockQuality.UNSYNCED
    _restart(rig)
    session = rig.memory.posts[A1].session
    assert session is not None
    assert session.record.state is OrderState.CHARGING
    rig["A1"].plugged = False
    rig.turns(3)
    assert (rig.log.last(EventType.SESSION_FINISHED).data["duration_s"] or 0) >= 20


@pytest.mark.parametrize(("source", "reason"), [("cloud", "remote"), ("panel", "user")])
def test_a_stop_that_a_crash_interrupted_ends_for_whoever_asked(source: str, reason: str) -> None:
    """S-11: the reason of the end is that of the command, also when the stop is repeated after a restart."""
    rig = Rig()
    rig.charging()
    _restart(rig, rig.stop(order="O-1", source=source), lost=True)
    rig.turns(12)
    assert rig.log.last(EventType.SESSION_FINISHED).data["stopReason"] == reason


@pytest.mark.parametrize(("wait_s", "later_s", "began"), [(600.0, 400, True), (600.0, 700, False), (60.0, 100, True)])
def test_a_start_waits_for_its_car_over_a_restart_as_long_as_it_said(wait_s: float, later_s: int, began: bool) -> None:
    """Contract: waitForVehicle_s; a restart gives the usual two minutes, and takes nothing of a longer wait."""
    rig = Rig()
    rig.turn()
    request = rig.start(order="O-1", waitForVehicle_s=wait_s)
    rig.turn(request)
    _restart(rig, request)
    rig.turns(later_s)
    rig["A1"].plugged = True
    rig.turns(5)
    assert rig.log.stages("c1") == ["accepted", "done" if began else "failed NO_VEHICLE"]


@pytest.mark.parametrize(("away_s", "came", "began"), [(3, 15, True), (3, 40, False), (60, 0, False)])
def test_no_order_begins_after_its_time_because_of_a_restart(away_s: int, came: int, began: bool) -> None:
    """Contract: a command past expiresAt never executes; valid for 30 s, its car comes after, or while nobody looks."""
    rig = Rig()
    rig.turn()
    request = rig.start(order="O-1", deadline=rig.at + 30.0)
    rig.turn(request)
    rig.crash(away_s, (request,))
    rig.turns(came)
    rig["A1"].plugged = True
    rig.turns(5)
    assert rig.log.stages("c1") == ["accepted", "done" if began else "expired EXPIRED"]
    assert (rig["A1"].amps > 0.0) is began


def test_a_suspended_session_comes_back_suspended() -> None:
    rig = Rig()
    rig.charging()
    rig["A1"].asks = False
    rig.turns(8)
    _restart(rig)
    assert rig.log.last(EventType.SESSION_RESUMED).data["suspendedBy"] == "car"
    assert rig.log.last(EventType.CONNECTOR_STATUS).data["state"] == "available"
    state = rig.memory.posts[A1].state
    assert state.value == "suspended_car"


def test_a_charger_that_is_silent_after_the_restart_keeps_its_session() -> None:
    rig = Rig()
    session = rig.charging()
    rig["A1"].silent = True
    _restart(rig)
    rig.turns(120)
    assert rig.log.types("session")[-1] == "session.charging"
    rig["A1"].silent = False
    rig.turns(3)
    assert rig.log.types("session")[-1] == "session.resumed"
    assert rig.log.rows[session].gap


@pytest.mark.parametrize("how", ["late", "left", "gone"])
def test_what_may_have_flowed_unseen_before_the_first_current_is_marked(how: str) -> None:
    """B23: never lost without a mark: a start, a restart, and no register to tell what the car took in between."""
    rig = Rig()
    rig["A1"].plugged = rig["A1"].meter_silent = True
    rig.turn()
    request = rig.start(order="O-1")
    rig.turn(request)
    rig["A1"].silent = how == "gone"
    rig.crash(20, (request,))
    rig.turns(5)
    if how == "late":
        rig["A1"].meter_silent = False
        rig.turns(5)
    elif how == "left":
        rig["A1"].plugged = False
        rig.turns(5)
    else:
        rig.turns(400)
    (row,) = rig.log.rows.values()
    assert row.state.open is (how == "late")
    assert row.estimated


def test_current_is_seen_while_a_restart_waits_for_the_register() -> None:
    """S-11: what charged is FINISHED, with its mark, though a fault ended it before its meter ever answered."""
    rig = Rig()
    rig["A1"].plugged = rig["A1"].meter_silent = True
    rig.turn()
    rig.turn(rig.start(order="O-1"))
    rig.crash()
    rig.turns(6)
    rig["A1"].fault = "E1"
    rig.turns(60)
    (row,) = rig.log.rows.values()
    assert (row.state, row.stop_reason, row.estimated) == (OrderState.FINISHED, "fault", True)
    assert rig.log.types("session.charging", "session.finished") == ["session.charging", "session.finished"]


def test_a_start_whose_charger_stays_silent_after_a_restart_gets_its_answer() -> None:
    """I10: one final answer also then; what has failed never begins when the charger is back."""
    rig = Rig()
    rig["A1"].plugged = rig["A4"].plugged = True
    rig.turn()
    requests = rig.start("A1", "c1", order="O-1"), rig.start("A4", "c4", order="O-4")
    rig.turn(*requests)
    rig["A1"].silent = rig["A4"].silent = True
    rig.crash(3.0, requests)
    rig.turns(130)
    assert rig.log.stages("c1") == ["accepted", "failed START_TIMEOUT"]
    assert rig.log.stages("c4") == ["accepted", "failed START_TIMEOUT"]
    rig["A1"].silent = rig["A4"].silent = False
    rig.turns(60)
    assert rig["A1"].told_a == rig["A4"].told_a == 0.0
    assert rig.log.final("c1").code == "START_TIMEOUT"
    assert rig.memory.posts[A1].session is None


def test_a_session_waits_for_its_own_meter_before_it_is_judged() -> None:
    """B23: 30 s tolerance, then it goes on and a paid one ends for the lost meter."""
    rig = Rig()
    rig.charging("A4")
    rig["A4"].meter_silent = True
    rig.crash()
    rig.turns(25)
    assert "session.resumed" not in rig.log.types("session")
    rig.turns(40)
    assert rig.log.last(EventType.SESSION_FINISHED).data["stopDetail"] == "SESSION_METER_LOST"


def test_a_finished_session_is_settled_after_a_restart_too() -> None:
    """Ruling 15."""
    rig = Rig()
    session = rig.charging()
    rig["A1"].plugged = False
    rig.turns(2)
    _restart(rig)
    rig.turn(settled=(session,))
    rig.turn(settled=(session,))
    assert rig.log.types("session.settled") == ["session.settled"]
    assert rig.log.rows[session].state is OrderState.SETTLED


@pytest.mark.parametrize(("away_s", "whole"), [(100, True), (300, False)])
def test_what_a_car_drew_until_it_left_in_an_outage_is_its_own_if_nobody_else_had_the_time(
    away_s: int, whole: bool
) -> None:
    """S-30, 0070: each Wh of a meter stands in one session; after a longer outage the row's word counts, marked."""
    rig = Rig()
    session = rig.charging(seconds=60)
    rig.crash(20)
    rig["A1"].plugged = False
    left_with = int(rig["A1"].register)
    rig.at += away_s - 20.0
    rig.turns(20)
    row = rig.log.rows[session]
    assert (row.state, row.stop_reason, row.gap) == (OrderState.FINISHED, "unplugged", True)
    assert (row.last_register_wh == left_with, row.estimated) == (whole, not whole)
    assert sum(segment.energy_wh for segment in row.segments) == row.energy_wh


@pytest.mark.parametrize("how", ["clock", "silent", "wild"])
def test_without_a_clock_or_a_meter_that_can_be_believed_the_row_counts(how: str) -> None:
    """0070, B21, B22: nothing is billed of which it is not known in what time it flowed, or that cannot have."""
    rig = Rig()
    session = rig.charging(seconds=60)
    row_wh = rig.log.rows[session].last_register_wh
    rig.crash(5)
    rig["A1"].plugged = False
    rig.clock = ClockQuality.UNSYNCED if how == "clock" else rig.clock
    rig["A1"].meter_silent = how == "silent"
    rig["A1"].register += 5_000.0 if how == "wild" else 0.0
    rig.turns(30)
    row = rig.log.rows[session]
    assert (row.state, row.last_register_wh) == (OrderState.FINISHED, row_wh)
    assert (row.gap, row.estimated) == (True, True)

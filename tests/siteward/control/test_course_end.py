"""B22, B23, R19, S-31: how a session ends, what is kept of it, and what a restart makes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from siteward.control.connector import ConnectorState
from siteward.control.session import Ending, OpenSession
from siteward.model.events import EventType
from siteward.model.ids import SessionId
from siteward.model.limits import Grant
from siteward.model.readings import Pilot
from siteward.model.sessions import OrderState, StopReason
from tests.fixtures.story_rig import START
from tests.siteward.control.course_bench import AT, READ_AT, going, grant, kinds, opened, ran

STOP = Ending(StopReason.USER, AT - 3.0)
PAUSED = grant(0.0, 0.0)


@pytest.mark.parametrize(
    ("stop", "amps", "given", "stopped"),
    [
        (STOP, 0.4, PAUSED, True),
        (STOP, 0.5, PAUSED, False),
        (STOP, 0.0, grant(0.0, 6.0), False),
        (STOP, 0.0, grant(0.0, None), False),
        (replace(STOP, reason=StopReason.FAULT), 0.0, grant(0.0, 6.0), True),
        (replace(STOP, at=READ_AT), 0.0, PAUSED, True),
        (replace(STOP, at=READ_AT + 0.1), 0.0, PAUSED, False),
    ],
)
def test_a_current_has_stopped_by_a_later_read_of_a_confirmed_pause(
    stop: Ending, amps: float, given: Grant, stopped: bool
) -> None:
    """R19: a fault is not waited for."""
    after = going(opened(ending=stop), amps=amps, given=given, wh=None)
    assert after.ending == (replace(stop, stopped_at=AT, stopped_wall=START, read_from=READ_AT) if stopped else stop)


DONE = replace(STOP, stopped_at=AT - 9.9, stopped_wall=START - timedelta(seconds=9), read_from=AT - 10.0)


@pytest.mark.parametrize(
    ("stop", "wh", "fresh_at", "closed", "estimated"),
    [
        (DONE, 5001, AT - 60.0, True, False),
        (DONE, None, AT - 60.0, False, False),
        (DONE, None, AT - 10.0, True, False),
        (DONE, None, AT - 10.1, False, False),
        (replace(DONE, stopped_at=AT - 10.0), None, AT - 60.0, True, True),
    ],
)
def test_its_last_register_is_waited_for(
    stop: Ending, wh: int | None, fresh_at: float, closed: bool, estimated: bool
) -> None:
    """B23: for ten seconds from the stop; then the last good one counts, as an estimate."""
    session = opened(ending=stop)
    session = session._replace(register=replace(session.register, fresh_at=fresh_at))
    after, found = ran(session, amps=0.0, given=PAUSED, wh=wh)
    assert (after is None) is closed
    if closed:
        record = found.draft.closed[SessionId("s1")].record
        assert (record.state, record.estimated, record.ended_at) == (OrderState.FINISHED, estimated, stop.stopped_wall)
        assert found.draft.rows[record.id] == record
        assert kinds(found) == [EventType.SESSION_FINISHED]
        assert found.post.state is ConnectorState.FINISHING


@pytest.mark.parametrize(
    ("session", "estimated"),
    [
        (opened(record={"estimated": True}, ending=DONE), True),
        (opened(OrderState.STARTING, ending=STOP), False),
        (opened(ending=STOP, metered=False), False),
    ],
)
def test_what_needs_no_register_waits_for_none(session: OpenSession, estimated: bool) -> None:
    """B23: unmetered or never charged; an estimate stays one."""
    wh = 5001 if session.ending == DONE else None
    after, found = ran(session, amps=0.0, given=PAUSED, wh=wh)
    assert after is None
    assert found.draft.closed[SessionId("s1")].record.estimated is estimated


@pytest.mark.parametrize(
    ("ended_s", "seen_s", "closed"),
    [(300.0, 300.0, True), (299.9, 400.0, False), (400.0, 299.9, False), (400.0, None, True)],
)
def test_a_silent_charger_is_waited_for_five_minutes(ended_s: float, seen_s: float | None, closed: bool) -> None:
    """S-31: from the stop or the last sight of it, whichever is later."""
    seen_at = None if seen_s is None else AT - seen_s
    session = opened(ending=Ending(StopReason.USER, AT - ended_s), seen_at=seen_at, metered=False)
    after, _ = ran(session, silent=True)
    assert (after is None) is closed


@pytest.mark.parametrize(
    ("row_s", "row_wh", "state", "written"),
    [
        (14.9, 4902, OrderState.CHARGING, False),
        (15.0, 4902, OrderState.CHARGING, True),
        (1.0, 4901, OrderState.CHARGING, True),
        (99.0, None, OrderState.STARTING, False),
    ],
)
def test_its_row_is_written_every_quarter_of_a_minute_or_100_wh(
    row_s: float, row_wh: int | None, state: OrderState, written: bool
) -> None:
    """B23: what a crash may lose at most."""
    session = opened(state, row_at=AT - row_s, row_wh=row_wh, charging_s=7.9)
    amps = 16.0 if state is OrderState.CHARGING else 0.0
    after, found = ran(session, amps=amps)
    assert after is not None
    assert bool(found.draft.rows) is written
    if written:
        assert after.row_at == AT
        assert after.row_wh == after.record.last_register_wh == 5001
        assert after.record.charging_s == 8


def restored(
    state: OrderState = OrderState.CHARGING, record: dict[str, object] | None = None, **more: object
) -> OpenSession:
    """A session that the journal knew, opened anew ten seconds ago."""
    found = opened(state, record, **({"restored": True, "opened_at": AT - 10.0} | more))
    return found._replace(register=replace(found.register, fresh_at=None, judged_at=None))


def test_a_restart_finds_it_where_it_was() -> None:
    """B23: with a gap, told."""
    after, found = ran(restored())
    assert after is not None
    assert (after.restored, after.record.gap) == (False, True)
    assert kinds(found) == [EventType.SESSION_RESUMED]
    assert found.draft.facts[0].data["reason"] == "restart"


def test_a_car_that_left_meanwhile_took_an_unknown_energy() -> None:
    """B23: closed as an estimate with a gap."""
    after, found = ran(restored(), amps=0.0, post={"plugged": False}, wh=None, pilot=Pilot.A)
    record = found.draft.closed[SessionId("s1")].record
    assert after is None
    assert (record.stop_reason, record.estimated, record.gap) == (StopReason.UNPLUGGED, True, True)
    assert record.ended_at == START
    unmetered = ran(restored(metered=False), amps=0.0, post={"plugged": False}, wh=None, pilot=Pilot.A)[1]
    assert not unmetered.draft.closed[SessionId("s1")].record.estimated


@pytest.mark.parametrize(("opened_s", "waits"), [(29.9, True), (30.0, False)])
def test_its_meter_is_waited_for_half_a_minute(opened_s: float, waits: bool) -> None:
    """B23: then it goes on without."""
    after = going(restored(opened_at=AT - opened_s), wh=None)
    assert after.restored is waits


@pytest.mark.parametrize(
    ("more", "silent"), [({}, True), ({"state": OrderState.CREATED, "vehicle_until": AT + 9.0}, False)]
)
def test_nothing_is_judged_in_silence_and_who_waits_for_a_car_goes_on(more: dict[str, object], silent: bool) -> None:
    """B23: an empty outlet is what such a session expects."""
    session = restored(**more)  # type: ignore[arg-type]
    after, found = ran(session, amps=0.0, silent=silent, post={"plugged": False}, pilot=Pilot.A)
    assert after is not None
    assert after.restored is silent
    assert kinds(found) == []


def test_a_session_that_did_not_charge_has_no_gap() -> None:
    """B23: nothing was lost."""
    after, found = ran(restored(OrderState.STARTING), amps=0.0)
    assert after is not None
    assert (after.restored, after.record.gap, kinds(found)) == (False, False, [])


def test_a_register_that_cannot_be_ends_it() -> None:
    """B22, B23: three times in a row, with a gap; a stop that was asked for stays one."""
    for stop in (None, STOP):
        session = restored(ending=stop)
        session = session._replace(register=replace(session.register, held=2))
        after = going(session, wh=4000)
        assert after.record.gap
        assert not after.restored
        assert after.ending is not None
        expected = Ending(StopReason.POWER_LOSS, AT, "METER_IMPLAUSIBLE", failed=True)
        assert replace(after.ending, stopped_at=None, stopped_wall=None, read_from=0.0) == (stop or expected)

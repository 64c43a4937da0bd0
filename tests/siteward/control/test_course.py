"""B10, B20, S-31: the course of a session until something ends it, at the very bounds of each wait."""

from __future__ import annotations

from dataclasses import replace

import pytest

from siteward.control.connector import ConnectorState
from siteward.control.course import meter_lost
from siteward.control.session import Ending
from siteward.model.events import EventType
from siteward.model.ids import OrderId, SessionId
from siteward.model.limits import Grant
from siteward.model.readings import Pilot
from siteward.model.refusals import Refusal
from siteward.model.sessions import OrderState, StopReason, SuspendedBy
from tests.siteward.control.course_bench import AT, ending, going, grant, kinds, opened, ran


@pytest.mark.parametrize(
    ("seen_s", "amps", "more_s"),
    [(1.0, 16.0, 1.0), (5.0, 16.0, 5.0), (9.0, 16.0, 5.0), (1.0, 0.4, 0.0), (1.0, 0.5, 1.0)],
)
def test_time_counts_while_current_flows(seen_s: float, amps: float, more_s: float) -> None:
    """Contract section 4: never more than five seconds of a gap."""
    after = going(opened(seen_at=AT - seen_s, charging_s=60.0), amps=amps)
    assert after.charging_s == 60.0 + more_s
    assert after.seen_at == AT
    assert after.idle_since == (None if more_s else AT)


def test_the_first_look_counts_nothing() -> None:
    """Contract section 4: nobody knows since when."""
    assert going(opened(seen_at=None)).charging_s == 0.0


def test_while_it_is_silent_no_time_counts_and_nobody_is_full() -> None:
    """R19: nothing is known."""
    after = going(opened(charging_s=9.0, full_since=AT - 1.0, idle_since=AT - 1.0), silent=True)
    assert (after.charging_s, after.seen_at, after.full_since, after.idle_since) == (9.0, AT - 1.0, None, AT - 1.0)


@pytest.mark.parametrize(
    ("start", "now", "shown", "after"),
    [
        (None, None, None, (None, None)),
        (None, None, 40.0, (40.0, 40.0)),
        (40.0, 40.0, 41.5, (40.0, 41.5)),
        (40.0, 41.5, None, (40.0, 41.5)),
        (0.0, 5.0, 6.0, (0.0, 6.0)),
        (40.0, 41.5, 0.0, (40.0, 0.0)),
    ],
)
def test_the_battery_is_as_first_and_as_last_shown(
    start: float | None, now: float | None, shown: float | None, after: tuple[float | None, float | None]
) -> None:
    """Contract section 4: a read without it changes nothing."""
    found = going(opened(soc_start=start, soc_now=now), soc_percent=shown)
    assert (found.soc_start, found.soc_now) == after


@pytest.mark.parametrize(("left_s", "late"), [(0.1, False), (0.0, True)])
def test_a_car_that_does_not_come_in_time(left_s: float, late: bool) -> None:
    """B20: told with the code that the start was given."""
    session = opened(OrderState.CREATED, vehicle_until=AT + left_s, vehicle_code=Refusal.EXPIRED)
    after, found = ran(session, amps=0.0, post={"plugged": False}, pilot=Pilot.A)
    assert ending(after, found) == ((StopReason.NEVER_STARTED, "EXPIRED") if late else None)
    assert kinds(found) == ([EventType.SESSION_CANCELLED] if late else [])


@pytest.mark.parametrize("plugged", [True, None])
def test_a_car_or_no_knowledge_of_one_begins_it(plugged: bool | None) -> None:
    """B20: a box that shows no plug may have one."""
    after, found = ran(opened(OrderState.CREATED, vehicle_until=AT + 60.0), amps=0.0, post={"plugged": plugged})
    assert after is not None
    assert after.record.state is OrderState.STARTING
    assert kinds(found) == [EventType.SESSION_STARTING]


def test_a_stop_before_its_car_begins_nothing() -> None:
    """S-31: it is closed at once."""
    after, found = ran(opened(OrderState.CREATED, ending=Ending(StopReason.USER, AT)), amps=0.0)
    assert ending(after, found) == (StopReason.USER, None)
    assert kinds(found) == [EventType.SESSION_CANCELLED]


def test_first_current_makes_it_charge_in_the_same_turn() -> None:
    """B20: counted from now, its row on disk."""
    after, found = ran(opened(OrderState.CREATED, vehicle_until=AT + 60.0))
    assert after is not None
    assert kinds(found) == [EventType.SESSION_STARTING, EventType.SESSION_CHARGING]
    assert (after.record.state, after.counts_from) == (OrderState.CHARGING, AT)
    assert found.post.state is ConnectorState.CHARGING
    assert found.draft.rows[SessionId("s1")] == after.record


@pytest.mark.parametrize(
    ("idle_s", "given", "told"),
    [
        (4.9, grant(), None),
        (5.0, grant(), (SuspendedBy.CAR, None)),
        (5.0, grant(confirmed_a=None), (SuspendedBy.CAR, None)),
        (5.0, grant(0.0, 0.0), (SuspendedBy.STATION, "fuse")),
        (5.0, grant(16.0, 0.0), (SuspendedBy.STATION, "fuse")),
        (5.0, grant(0.0, 16.0, None), (SuspendedBy.STATION, None)),
        (5.0, grant(0.5, 0.5), (SuspendedBy.CAR, None)),
    ],
)
def test_five_seconds_without_current_are_a_hold(
    idle_s: float, given: Grant, told: tuple[SuspendedBy, str | None] | None
) -> None:
    """S-31: by the car, or by the station that offers nothing, with its cause."""
    after, found = ran(opened(idle_since=AT - idle_s), amps=0.0, given=given)
    assert after is not None
    assert kinds(found) == ([EventType.SESSION_SUSPENDED] if told else [])
    assert after.record.suspended_by is (told[0] if told else None)
    if told:
        assert found.draft.facts[0].data.get("cause") == told[1]


def test_current_ends_a_hold() -> None:
    """S-31: told once; who was not held goes on in silence."""
    held = opened(record={"suspended_by": SuspendedBy.CAR})
    after, found = ran(held, post={"state": ConnectorState.SUSPENDED_CAR})
    assert after is not None
    assert (after.record.suspended_by, kinds(found)) == (None, [EventType.SESSION_RESUMED])
    assert found.draft.facts[0].data["reason"] == "current"
    for state in (ConnectorState.CHARGING, ConnectorState.SUSPENDED_CAR):
        assert kinds(ran(opened(), post={"state": state})[1]) == []


def test_while_the_station_holds_the_wait_of_the_car_has_not_begun() -> None:
    """B10: it needs some seconds to wake at an offer."""
    state = {"state": ConnectorState.SUSPENDED_STATION}
    held = opened(record={"suspended_by": SuspendedBy.STATION}, idle_since=AT - 99.0)
    assert going(held, amps=0.0, given=grant(0.0, 0.0), post=state).idle_since == AT
    after, found = ran(held, amps=0.0, post=state)
    assert after is not None
    assert (after.record.suspended_by, kinds(found)) == (SuspendedBy.CAR, [EventType.SESSION_SUSPENDED])


@pytest.mark.parametrize("why", ["ending", "silent", "starting"])
def test_endings_and_silence_are_no_hold(why: str) -> None:
    """S-31: nobody holds what is being ended, nor what never charged."""
    session = opened(OrderState.STARTING if why == "starting" else OrderState.CHARGING, idle_since=AT - 60.0)
    if why == "ending":
        session = session._replace(ending=Ending(StopReason.USER, AT))
    assert kinds(ran(session, amps=0.0, silent=why == "silent")[1]) == []


@pytest.mark.parametrize(
    ("record", "more", "reason", "detail"),
    [
        ({"max_energy_wh": 4001}, {}, StopReason.ENERGY_LIMIT, None),
        ({"max_energy_wh": 4002}, {}, None, None),
        ({"max_energy_wh": 1, "start_register_wh": None, "last_register_wh": None}, {"wh": None}, None, None),
        ({"max_time_s": 600}, {}, StopReason.TIME_LIMIT, None),
        ({"max_time_s": 601}, {}, None, None),
        ({}, {"disobeys": True}, StopReason.FAULT, "CHARGER_DISOBEYS"),
    ],
)
def test_what_ends_it(
    record: dict[str, object], more: dict[str, object], reason: StopReason | None, detail: str | None
) -> None:
    """S-31: at its limit and not before; an unread register is no energy."""
    after = going(opened(record=record), **more)
    if reason is None:
        assert after.ending is None
    else:
        assert after.ending == Ending(reason, AT, detail, failed=detail is not None)


def test_time_that_never_began_does_not_end_it() -> None:
    """S-31: counted from first current."""
    assert going(opened(OrderState.STARTING, {"max_time_s": 1}), amps=0.0).ending is None


@pytest.mark.parametrize(("full_s", "ends"), [(299.9, False), (300.0, True)])
def test_a_car_that_asks_for_nothing_for_five_minutes_is_full(full_s: float, ends: bool) -> None:
    """S-31: it was offered current all the time."""
    session = opened(full_since=AT - full_s, record={"suspended_by": SuspendedBy.CAR})
    state = {"state": ConnectorState.SUSPENDED_CAR}
    after, found = ran(session, amps=0.0, post=state, pilot=Pilot.B)
    assert after is not None
    assert after.ending == (Ending(StopReason.FULL, AT) if ends else None)
    assert kinds(found) == []


@pytest.mark.parametrize(
    ("given", "state", "pilot", "full"),
    [
        (grant(), ConnectorState.SUSPENDED_CAR, Pilot.B, True),
        (grant(confirmed_a=6.0), ConnectorState.SUSPENDED_CAR, Pilot.B, True),
        (grant(confirmed_a=5.9), ConnectorState.SUSPENDED_CAR, Pilot.B, False),
        (grant(confirmed_a=None), ConnectorState.SUSPENDED_CAR, Pilot.B, False),
        (grant(), ConnectorState.SUSPENDED_CAR, Pilot.C, False),
        (grant(), ConnectorState.CHARGING, Pilot.B, False),
    ],
)
def test_full_is_counted_while_a_floor_is_left_untouched(
    given: Grant, state: ConnectorState, pilot: Pilot, full: bool
) -> None:
    """S-31: confirmed, unasked for, in a hold by the car; else it begins anew."""
    fresh = going(opened(), amps=0.0, given=given, post={"state": state}, pilot=pilot)
    assert fresh.full_since == (AT if full else None)
    begun = going(opened(full_since=AT - 60.0), amps=0.0, given=given, post={"state": state}, pilot=pilot)
    assert begun.full_since == (AT - 60.0 if full else None)


@pytest.mark.parametrize(
    ("fresh_at", "opened_at", "state", "metered", "lost"),
    [
        (AT - 30.0, 0.0, OrderState.CHARGING, True, False),
        (AT - 30.1, 0.0, OrderState.CHARGING, True, True),
        (None, AT - 30.1, OrderState.STARTING, True, True),
        (None, AT - 30.0, OrderState.STARTING, True, False),
        (None, AT - 99.0, OrderState.CREATED, True, False),
        (AT - 99.0, AT, OrderState.CHARGING, False, False),
    ],
)
def test_a_register_is_lost_after_half_a_minute(
    fresh_at: float | None, opened_at: float, state: OrderState, metered: bool, lost: bool
) -> None:
    """B23: counted from its last value, else from the opening."""
    session = opened(state, opened_at=opened_at, metered=metered)
    session = session._replace(register=replace(session.register, fresh_at=fresh_at))
    assert meter_lost(session, AT) is lost


@pytest.mark.parametrize(
    ("order", "silent", "ends"), [(OrderId("O-1"), False, True), (None, False, False), (OrderId("O-1"), True, False)]
)
def test_an_order_without_its_meter_is_ended(order: OrderId | None, silent: bool, ends: bool) -> None:
    """B23: whoever pays by the kWh; a charger that is silent altogether is waited for."""
    session = opened(record={"order": order})
    session = session._replace(register=replace(session.register, fresh_at=AT - 31.0))
    after = going(session, wh=None, silent=silent)
    assert after.ending == (Ending(StopReason.FAULT, AT, "SESSION_METER_LOST", failed=True) if ends else None)


def test_a_car_that_left_ends_it() -> None:
    """S-31: unless it is being ended already."""
    gone = {"plugged": False}
    assert ending(*ran(opened(), amps=0.0, post=gone, wh=None, pilot=Pilot.A)) is not None
    after = going(opened(), amps=0.0, post=gone, wh=None, pilot=Pilot.A)
    assert after.ending is not None
    assert after.ending.reason is StopReason.UNPLUGGED
    stopped = Ending(StopReason.USER, AT - 3.0)
    other = going(opened(ending=stopped), amps=0.0, post=gone, wh=None, pilot=Pilot.A)
    assert other.ending is not None
    assert other.ending.reason is StopReason.USER

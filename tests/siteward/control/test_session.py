"""I6, ruling 15, contract section 4: each step of a session as its record and its fact, field by field."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from siteward.control import session as steps
from siteward.control.register import Register
from siteward.control.session import Ending, OpenSession
from siteward.model.events import EventType, Fact
from siteward.model.ids import ConnectorId, OrderId, SessionId
from siteward.model.sessions import OrderState, SessionRecord, StopReason, SuspendedBy

WALL = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
RECORD = SessionRecord(
    SessionId("s1"), ConnectorId("A1"), OrderState.CHARGING, WALL, "cloud", OrderId("O-1"), meter="SN-1"
)


def opened(session: OpenSession | None = None, **record: object) -> OpenSession:
    """A session at A1 that charges and is billed by SN-1."""
    base = session or OpenSession(RECORD, Register("SN-1"), metered=True, opened_at=50.0)
    return base._replace(record=replace(base.record, **record))  # type: ignore[arg-type]


def fact(kind: EventType, at: datetime = WALL, **data: object) -> Fact:
    """A fact of that session."""
    return Fact(kind, data, ConnectorId("A1"), SessionId("s1"), OrderId("O-1"), at)


@pytest.mark.parametrize(
    ("wall", "text"),
    [
        (None, None),
        (datetime(2026, 3, 1, 8, 0, 0, 123_999, UTC), "2026-03-01T08:00:00.123Z"),
        (datetime(2026, 3, 1, 10, 0, tzinfo=timezone(timedelta(hours=2))), "2026-03-01T08:00:00.000Z"),
    ],
)
def test_times_are_told_in_utc_to_the_millisecond(wall: datetime | None, text: str | None) -> None:
    """Contract: RFC 3339 with a Z."""
    assert steps.stamp(wall) == text


def test_a_car_is_there() -> None:
    """CREATED to STARTING."""
    after, told = steps.starting(opened(state=OrderState.CREATED), WALL)
    assert after == opened(state=OrderState.STARTING)
    assert told == fact(EventType.SESSION_STARTING)


@pytest.mark.parametrize("soc", [None, 0.0, 40.5])
def test_current_flows(soc: float | None) -> None:
    """STARTING to CHARGING: its time and its register begin; the battery is told where it is known, even empty."""
    session = opened(state=OrderState.STARTING, start_register_wh=1000)._replace(soc_start=soc)
    after, told = steps.charging(session, 77.0, WALL)
    assert after == opened(session, state=OrderState.CHARGING, started_at=WALL)._replace(counts_from=77.0)
    battery = {} if soc is None else {"start_soc_percent": soc}
    assert told == fact(EventType.SESSION_CHARGING, start_register_wh=1000, meter="SN-1", **battery)


@pytest.mark.parametrize(("by", "cause"), [(SuspendedBy.CAR, None), (SuspendedBy.STATION, "fuse")])
def test_it_is_held(by: SuspendedBy, cause: str | None) -> None:
    """By whom, and by the station for which reason."""
    session = opened(start_register_wh=1000, last_register_wh=1500)
    after, told = steps.suspended(session, by, cause, WALL)
    assert after == opened(session, suspended_by=by)
    more = {} if cause is None else {"cause": cause}
    assert told == fact(EventType.SESSION_SUSPENDED, suspendedBy=by.value, energy_wh=500, **more)


@pytest.mark.parametrize(
    ("reason", "before", "after"),
    [
        ("current", SuspendedBy.CAR, None),
        ("restart", SuspendedBy.CAR, SuspendedBy.CAR),
        ("restart", None, None),
        ("current", None, None),
    ],
)
def test_it_goes_on(reason: str, before: SuspendedBy | None, after: SuspendedBy | None) -> None:
    """Current ends every hold; a restart finds it as it was."""
    session = opened(suspended_by=before, gap=True, start_register_wh=5, last_register_wh=7)
    found, told = steps.resumed(session, reason, WALL)
    assert found == opened(session, suspended_by=after)
    more = {} if after is None else {"suspendedBy": after.value}
    assert told == fact(EventType.SESSION_RESUMED, reason=reason, energy_wh=2, gap=True, **more)


@pytest.mark.parametrize(
    ("record", "register", "after"),
    [
        ({}, Register("SN-1"), {}),
        ({}, Register("SN-1", 900), {"start_register_wh": 900, "last_register_wh": 900, "estimated": True}),
        (
            {"state": OrderState.STARTING},
            Register("SN-1", 900),
            {"start_register_wh": 900, "last_register_wh": 900},
        ),
        (
            {"start_register_wh": 100, "last_register_wh": 900},
            Register("SN-1", 950, rolled_wh=10_000),
            {"last_register_wh": 950, "rolled_wh": 10_000},
        ),
        ({"start_register_wh": 100, "last_register_wh": 900}, Register("SN-1", 900, rolled_wh=7), {}),
        ({"start_register_wh": 1, "estimated": True}, Register("SN-1", 2), {"last_register_wh": 2}),
        ({}, Register("SN-2"), {"meter": "SN-2"}),
    ],
)
def test_an_accepted_register_is_taken_over(
    record: dict[str, object], register: Register, after: dict[str, object]
) -> None:
    """I6: the first value begins the energy; after current flowed it leaves an estimate, for good."""
    session = opened(**record)
    assert steps.measured(session, register) == opened(session, **after)._replace(register=register)


def test_a_session_without_a_meter_is_given_no_name_of_one() -> None:
    """Contract: unmetered."""
    session = opened()._replace(metered=False)
    assert steps.measured(session, Register("SN-9")).record == session.record


def test_a_register_that_began_again_is_told() -> None:
    """I6: what its rollover took off."""
    session = opened()._replace(register=Register("SN-1", 99_990, rolled_wh=5))
    told = steps.rolled_over(session, Register("SN-1", 10, rolled_wh=100_005), WALL)
    expected = {"meter": "SN-1", "before_wh": 99_990, "after_wh": 10, "rollover_wh": 100_000}
    assert told == fact(EventType.AUDIT_METER_ROLLOVER, **expected)


def test_the_platform_has_it() -> None:
    """Ruling 15: FINISHED to SETTLED."""
    record = opened(state=OrderState.FINISHED, start_register_wh=1, last_register_wh=9).record
    settled, told = steps.settle(record, WALL)
    assert settled == replace(record, state=OrderState.SETTLED)
    assert told == fact(EventType.SESSION_SETTLED, energy_wh=8)


@pytest.mark.parametrize(
    ("record", "failed", "state", "kind"),
    [
        ({}, True, OrderState.FINISHED, EventType.SESSION_FINISHED),
        ({"state": OrderState.STARTING}, True, OrderState.FAILED, EventType.SESSION_FAILED),
        ({"state": OrderState.STARTING}, False, OrderState.CANCELLED, EventType.SESSION_CANCELLED),
        (
            {"state": OrderState.STARTING, "start_register_wh": 1, "last_register_wh": 2},
            False,
            OrderState.FINISHED,
            EventType.SESSION_FINISHED,
        ),
        (
            {"state": OrderState.STARTING, "start_register_wh": 1, "last_register_wh": 1},
            False,
            OrderState.CANCELLED,
            EventType.SESSION_CANCELLED,
        ),
    ],
)
def test_how_a_session_ends(record: dict[str, object], failed: bool, state: OrderState, kind: EventType) -> None:
    """S-31: what may have given energy is finished, whatever else it is."""
    closed, told = steps.close(opened(**record), Ending(StopReason.FAULT, 90.0, "WHY", failed=failed), 99.0, WALL)
    assert (closed.record.state, told.type, closed.detail) == (state, kind, "WHY")
    assert (told.session, told.order, told.connector, told.occurred_at) == ("s1", "O-1", "A1", WALL)


TERMS = {
    "source": "cloud",
    "createdAt": "2026-03-01T08:00:00.000Z",
    "startedAt": "2026-03-01T08:00:00.000Z",
    "endedAt": "2026-03-01T09:00:00.000Z",
    "duration_s": 40,
    "charging_s": 33,
    "stopReason": "user",
    "meter": "SN-1",
    "start_register_wh": 100,
    "stop_register_wh": 50,
    "energy_wh": 950,
    "rolled_wh": 1000,
    "unmetered": False,
    "estimated": True,
    "gap": True,
}


def ended(**more: object) -> dict[str, object]:
    """What is told of a session that ended at 100.9 s."""
    session = opened(
        started_at=WALL,
        start_register_wh=100,
        last_register_wh=50,
        rolled_wh=1000,
        estimated=True,
        gap=True,
        suspended_by=SuspendedBy.CAR,
    )._replace(**({"counts_from": 60.0, "charging_s": 33.9} | more))
    closed, told = steps.close(session, Ending(StopReason.USER, 90.0), 100.9, WALL + timedelta(hours=1))
    assert closed.record.suspended_by is None
    assert closed.record.stop_reason is StopReason.USER
    return dict(told.data)


def test_a_settlement_has_all_its_terms() -> None:
    """Contract section 4: exactly these, where nothing more is known."""
    assert ended() == TERMS | {"stopReason": StopReason.USER.value}


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"soc_start": 0.0, "soc_now": 12.5}, {"start_soc_percent": 0.0, "stop_soc_percent": 12.5}),
        ({"soc_now": 12.5}, {"stop_soc_percent": 12.5}),
        ({"metered": False}, {"unmetered": True}),
        ({"counts_from": None}, {"duration_s": 0}),
        ({"counts_from": 200.0}, {"duration_s": 0}),
        ({"counts_from": 100.0}, {"duration_s": 0}),
        ({"counts_from": 99.5}, {"duration_s": 1}),
    ],
)
def test_and_what_else_is_known(more: dict[str, object], told: dict[str, object]) -> None:
    """Contract section 4: the battery, a missing meter, the time from its first current."""
    assert ended(**more) == TERMS | {"stopReason": StopReason.USER.value} | told


def test_it_ended_when_its_current_stopped() -> None:
    """Contract section 4: not when its last register was read."""
    ending = Ending(StopReason.USER, 90.0, "FULL_STOP", stopped_at=95.2, stopped_wall=WALL + timedelta(seconds=7))
    closed, told = steps.close(opened()._replace(counts_from=60.0), ending, 105.0, WALL + timedelta(hours=1))
    assert closed.record.ended_at == WALL + timedelta(seconds=7)
    assert told.data["endedAt"] == "2026-03-01T08:00:07.000Z"
    assert told.data["duration_s"] == 35
    assert told.data["stopDetail"] == "FULL_STOP"
    assert told.occurred_at == WALL + timedelta(hours=1)

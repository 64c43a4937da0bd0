"""The life of one charging session and its order: each step returns the next record and the fact that tells it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple

from siteward.control.account import Account
from siteward.control.register import Register
from siteward.model.events import EventType, Fact
from siteward.model.refusals import Refusal
from siteward.model.sessions import OrderState, SessionRecord, StopReason, SuspendedBy
from siteward.model.signed import SignFailure


@dataclass(frozen=True, slots=True)
class Ending:
    """Why and since when a session is being ended; times in boot-time s.

    stopped_at is when no current was seen any more (and the pause was confirmed), stopped_wall the same in UTC; a
    register reading sent at or after read_from is the final one;
    detail is a code that says more than the reason; failed marks an end that is nobody's wish.
    """

    reason: StopReason
    at: float
    detail: str | None = None
    failed: bool = False
    stopped_at: float | None = None
    stopped_wall: datetime | None = None
    read_from: float = 0.0


class Signing(NamedTuple):
    """Waits for the meter to sign the begin: since when (boot-time s), and why it did not until now.

    held: no current is offered before it did, or before there is no hope that it will.
    """

    since: float
    held: bool = True
    failure: SignFailure | None = None


class OpenSession(NamedTuple):
    """A session that holds its connector: the durable record and what is only remembered while the controller lives.

    counts_from is the boot time of its first current (shifted after a restart); seen_at is when its charger was last
    heard, heard_since when it came back from a silence that may be its meter's too; idle_since and full_since start the
    waits for "suspended" and "full"; restored is set until the first look after a restart; account is its money side;
    signing is there where its meter signs.
    A tuple, for each turn replaces it at each connector (goal 15).
    """

    record: SessionRecord
    register: Register
    metered: bool
    opened_at: float
    durable: bool = False
    restored: bool = False
    vehicle_until: float = 0.0
    vehicle_code: Refusal = Refusal.NO_VEHICLE
    counts_from: float | None = None
    charging_s: float = 0.0
    seen_at: float | None = None
    heard_since: float = 0.0
    idle_since: float | None = None
    full_since: float | None = None
    ending: Ending | None = None
    soc_start: float | None = None
    soc_now: float | None = None
    row_at: float = 0.0
    row_wh: int | None = None
    account: Account = Account()
    signing: Signing | None = None

    @property
    def charged(self) -> bool:
        """Whether current ever flowed in it."""
        return self.record.state is OrderState.CHARGING


@dataclass(frozen=True, slots=True)
class Closed:
    """A session that ended in this turn, with the code that says more than its reason."""

    record: SessionRecord
    detail: str | None = None


def stamp(wall: datetime | None) -> str | None:
    """RFC 3339 UTC with milliseconds and Z, as every outside face writes times."""
    if wall is None:
        return None
    return wall.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def tell(event: EventType, record: SessionRecord, data: Mapping[str, object], at: datetime) -> Fact:
    """Return the fact of a session's step."""
    return Fact(event, data, record.connector, record.id, record.order, at)


def starting(session: OpenSession, wall: datetime) -> tuple[OpenSession, Fact]:
    """CREATED to STARTING: a vehicle is there and the charger is asked."""
    record = replace(session.record, state=OrderState.STARTING)
    return session._replace(record=record), tell(EventType.SESSION_STARTING, record, {}, wall)


def charging(session: OpenSession, at: float, wall: datetime) -> tuple[OpenSession, Fact]:
    """STARTING to CHARGING: current flows for the first time."""
    record = replace(session.record, state=OrderState.CHARGING, started_at=wall)
    data: dict[str, object] = {"start_register_wh": record.start_register_wh, "meter": record.meter}
    if session.soc_start is not None:
        data["start_soc_percent"] = session.soc_start
    fact = tell(EventType.SESSION_CHARGING, record, data, wall)
    return session._replace(record=record, counts_from=at), fact


def suspended(session: OpenSession, by: SuspendedBy, cause: str | None, wall: datetime) -> tuple[OpenSession, Fact]:
    """No current flows: held by the car or by the station, the latter with the cause that binds its grant."""
    record = replace(session.record, suspended_by=by)
    data: dict[str, object] = {"suspendedBy": by.value, "energy_wh": record.energy_wh}
    if cause is not None:
        data["cause"] = cause
    return session._replace(record=record), tell(EventType.SESSION_SUSPENDED, record, data, wall)


def resumed(session: OpenSession, reason: str, wall: datetime) -> tuple[OpenSession, Fact]:
    """Current flows again, or a restart found the session where it was left (then still perhaps suspended)."""
    held = session.record.suspended_by if reason == "restart" else None
    record = replace(session.record, suspended_by=held)
    data: dict[str, object] = {"reason": reason, "energy_wh": record.energy_wh, "gap": record.gap}
    if held is not None:
        data["suspendedBy"] = held.value
    return session._replace(record=record), tell(EventType.SESSION_RESUMED, record, data, wall)


def measured(session: OpenSession, register: Register, flows: bool = False) -> OpenSession:
    """Take over an accepted register value; a first one that comes when current may have flowed leaves an estimate."""
    record = session.record
    if register.wh is not None and register.wh != record.last_register_wh:
        late = record.start_register_wh is None
        record = replace(
            record,
            start_register_wh=register.wh if late else record.start_register_wh,
            last_register_wh=register.wh,
            rolled_wh=register.rolled_wh,
            estimated=record.estimated or (late and (flows or session.charged or session.restored)),
        )
    if record.meter != register.name and session.metered:
        record = replace(record, meter=register.name)
    return session._replace(record=record, register=register)


def rolled_over(session: OpenSession, register: Register, wall: datetime) -> Fact:
    """The register began at 0 again: a new epoch of the meter inside the session (I6)."""
    data: dict[str, object] = {
        "meter": register.name,
        "before_wh": session.register.wh,
        "after_wh": register.wh,
        "rollover_wh": register.rolled_wh - session.register.rolled_wh,
    }
    return tell(EventType.AUDIT_METER_ROLLOVER, session.record, data, wall)


def swapped(session: OpenSession, register: Register, wall: datetime) -> Fact:
    """Another meter counts from here: the last value of the old one and the first of the new one (B22)."""
    data: dict[str, object] = {
        "meter": session.register.name,
        "last_wh": session.register.wh,
        "newMeter": register.name,
        "first_wh": register.wh,
    }
    return tell(EventType.AUDIT_METER_SWAPPED, session.record, data, wall)


def settle(record: SessionRecord, wall: datetime) -> tuple[SessionRecord, Fact]:
    """FINISHED to SETTLED: the platform acknowledged session.finished (ruling 15)."""
    settled = replace(record, state=OrderState.SETTLED)
    data: dict[str, object] = {"energy_wh": settled.energy_wh}
    if settled.total is not None:
        data |= {"total": settled.total, "currency": settled.currency}
    return settled, tell(EventType.SESSION_SETTLED, settled, data, wall)


def close(session: OpenSession, ending: Ending, at: float, wall: datetime) -> tuple[Closed, Fact]:
    """End a session: FINISHED where energy may have flowed, else FAILED (nobody's wish) or CANCELLED."""
    record = replace(
        session.record,
        ended_at=ending.stopped_wall or wall,
        stop_reason=ending.reason,
        suspended_by=None,
        charging_s=int(session.charging_s),
    )
    if session.charged or (record.energy_wh or 0) > 0:
        record = replace(record, state=OrderState.FINISHED)
        event = EventType.SESSION_FINISHED
    elif ending.failed:
        record = replace(record, state=OrderState.FAILED)
        event = EventType.SESSION_FAILED
    else:
        record = replace(record, state=OrderState.CANCELLED)
        event = EventType.SESSION_CANCELLED
    return Closed(record, ending.detail), tell(event, record, _terms(session, record, ending, at), wall)


def _terms(session: OpenSession, record: SessionRecord, ending: Ending, at: float) -> dict[str, object]:
    """Everything a settlement needs (contract section 4); the lines of a bill belong to the tariff."""
    end = ending.stopped_at if ending.stopped_at is not None else at
    duration = 0 if session.counts_from is None else int(end - session.counts_from)
    data: dict[str, object] = {
        "source": record.source,
        "createdAt": stamp(record.created_at),
        "startedAt": stamp(record.started_at),
        "endedAt": stamp(record.ended_at),
        "duration_s": max(0, duration),
        "charging_s": record.charging_s,
        "stopReason": ending.reason.value,
        "meter": record.meter,
        "start_register_wh": record.start_register_wh,
        "stop_register_wh": record.last_register_wh,
        "energy_wh": record.energy_wh,
        "rolled_wh": record.rolled_wh,
        "unmetered": not session.metered,
        "estimated": record.estimated,
        "gap": record.gap,
    }
    if ending.detail is not None:
        data["stopDetail"] = ending.detail
    if session.register.strays:
        data["byPower"] = {"energy_wh": round(session.register.flowed_wh), "register_wh": session.register.beside_wh}
    if session.soc_start is not None:
        data["start_soc_percent"] = session.soc_start
    if session.soc_now is not None:
        data["stop_soc_percent"] = session.soc_now
    return data

"""Facts for the journal: a closed list of event types, each in its retention lane."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from siteward.model.ids import ConnectorId, JournalId, OrderId, SessionId


class ClockQuality(StrEnum):
    """How far wall-clock times may be trusted (contract section 4)."""

    NTP = "ntp"
    RTC = "rtc"
    CLOUD = "cloud"
    UNSYNCED = "unsynced"

    @property
    def trusted(self) -> bool:
        """Whether expiry and tariff boundaries may rely on the wall clock."""
        return self is not ClockQuality.UNSYNCED


class Lane(StrEnum):
    """Retention class; never an order of sending."""

    MONEY = "money"
    EVENT = "event"


class EventType(StrEnum):
    """Types of journal events, contract section 4."""

    SESSION_CREATED = "session.created"
    SESSION_STARTING = "session.starting"
    SESSION_CHARGING = "session.charging"
    SESSION_SUSPENDED = "session.suspended"
    SESSION_RESUMED = "session.resumed"
    SESSION_FINISHED = "session.finished"
    SESSION_SETTLED = "session.settled"
    SESSION_FAILED = "session.failed"
    SESSION_CANCELLED = "session.cancelled"
    SESSION_SEGMENT = "session.segment"
    SESSION_SIGNED = "session.signed"
    CONNECTOR_STATUS = "connector.status"
    CONNECTOR_PHASES = "connector.phases"
    CONNECTOR_RESERVED = "connector.reserved"
    CONNECTOR_RELEASED = "connector.released"
    CONNECTOR_SERVICE = "connector.service"
    CONNECTOR_UNLOCK = "connector.unlock"
    LIMIT_CHANGED = "limit.changed"
    ALARM_RAISED = "alarm.raised"
    ALARM_ACKNOWLEDGED = "alarm.acknowledged"
    ALARM_CLEARED = "alarm.cleared"
    ACCESS_OPENED = "access.opened"
    ACCESS_CLOSED = "access.closed"
    ACCESS_RAISED = "access.raised"
    ACCESS_LOWERED = "access.lowered"
    ACCESS_OBSTRUCTED = "access.obstructed"
    ACCESS_FAILED = "access.failed"
    ACCESS_FORCED = "access.forced"
    ACCESS_EMERGENCY = "access.emergency"
    ACCESS_GRANTED = "access.granted"
    ACCESS_DENIED = "access.denied"
    ACCESS_BAY_BLOCKED = "access.bay_blocked"
    ACCESS_BAY_FREED = "access.bay_freed"
    COMMAND_ACCEPTED = "command.accepted"
    COMMAND_REJECTED = "command.rejected"
    COMMAND_DONE = "command.done"
    COMMAND_FAILED = "command.failed"
    COMMAND_EXPIRED = "command.expired"
    TARIFF_INSTALLED = "tariff.installed"
    CONFIG_CHANGED = "config.changed"
    ENERGY_RECONCILED = "energy.reconciled"
    CLOCK_CHANGED = "clock.changed"
    AUDIT_LOGIN = "audit.login"
    AUDIT_REFUSED = "audit.refused"
    AUDIT_STARTED = "audit.started"
    AUDIT_USER = "audit.user"
    AUDIT_FOREIGN_WRITE = "audit.foreign_write"
    AUDIT_METER_ROLLOVER = "audit.meter_rollover"
    AUDIT_METER_SWAPPED = "audit.meter_swapped"
    AUDIT_SALVAGED = "audit.salvaged"
    AUDIT_WIRE_TOOL = "audit.wire_tool"
    AUDIT_NOTIFIED = "audit.notified"
    AUDIT_DIFFERENCE = "audit.difference"
    AUDIT_OUTPUT_TEST = "audit.output_test"
    AUDIT_AUTH_LIST = "audit.auth_list"
    AUDIT_EMERGENCY = "audit.emergency"
    AUDIT_KEYS = "audit.keys"
    JOURNAL_STUB = "journal.stub"

    @property
    def lane(self) -> Lane:
        """Money is never dropped."""
        return Lane.MONEY if self.value.startswith(("session.", "audit.", "command.", "tariff.")) else Lane.EVENT


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that became true, before the journal gave it a sequence number; data holds JSON types only."""

    type: EventType
    data: Mapping[str, object] = field(default_factory=dict)
    connector: ConnectorId | None = None
    session: SessionId | None = None
    order: OrderId | None = None
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class EventPage:
    """Stored events in seq order; texts are the JSON bytes as hashed, last_seq is the newest in the journal."""

    journal: JournalId
    last_seq: int
    acked_seq: int
    texts: tuple[str, ...] = ()

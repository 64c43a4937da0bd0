"""What people, the platform and cards ask for, and what becomes of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from siteward.model.ids import CommandId
from siteward.model.tariff import Tariff


class CommandName(StrEnum):
    """Every command of contract v1; those that this version cannot do are refused with NOT_SUPPORTED."""

    START_CHARGE = "START_CHARGE"
    STOP_CHARGE = "STOP_CHARGE"
    LIMIT_POWER = "LIMIT_POWER"
    RESERVE = "RESERVE"
    CANCEL_RESERVATION = "CANCEL_RESERVATION"
    SET_AVAILABILITY = "SET_AVAILABILITY"
    UNLOCK_CONNECTOR = "UNLOCK_CONNECTOR"
    OPEN_BARRIER = "OPEN_BARRIER"
    CLOSE_BARRIER = "CLOSE_BARRIER"
    RAISE_LOCK = "RAISE_LOCK"
    LOWER_LOCK = "LOWER_LOCK"
    SET_TARIFF = "SET_TARIFF"
    SET_AUTH_LIST = "SET_AUTH_LIST"
    SET_CONFIG = "SET_CONFIG"
    UPDATE_FIRMWARE = "UPDATE_FIRMWARE"
    GET_DIAGNOSTICS = "GET_DIAGNOSTICS"
    RESET = "RESET"
    REPORT_NOW = "REPORT_NOW"
    ACK_ALARM = "ACK_ALARM"
    CLEAR_ALARM = "CLEAR_ALARM"


class Source(StrEnum):
    """Where a request entered; the socket proves it, not the body."""

    CLOUD = "cloud"
    PANEL = "panel"
    CLI = "cli"
    CARD = "card"
    LOCAL = "local"


class Role(StrEnum):
    """What a person at the panel may do."""

    VIEWER = "viewer"
    TECHNICIAN = "technician"
    INSTALLER = "installer"


@dataclass(frozen=True, slots=True)
class Actor:
    """The person behind a request."""

    user: str
    role: Role
    address: str = ""


class Stage(StrEnum):
    """How far a command got; REJECTED, DONE, FAILED and EXPIRED are final."""

    RECEIVED = "received"
    REJECTED = "rejected"
    ACCEPTED = "accepted"
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"

    @property
    def final(self) -> bool:
        """Whether nothing follows this stage."""
        return self in (Stage.REJECTED, Stage.DONE, Stage.FAILED, Stage.EXPIRED)


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as committed to the inbox.

    received_at and deadline are on the boot-time clock (deadline None = no expiry); target names a connector, feeder
    or "station"; params are the contract's, already of JSON types; issued_at is the sender's own time, for validities
    that must not depend on our clock (R15). tariff is what the params of SET_TARIFF stand for, read at the door; online
    says whether the platform could be reached when a card was read, None for requests of which nobody asks it.
    """

    id: CommandId
    name: CommandName
    source: Source
    received_at: float
    received_wall: datetime
    target: str | None = None
    params: Mapping[str, object] | None = None
    order: str | None = None
    actor: Actor | None = None
    deadline: float | None = None
    issued_at: datetime | None = None
    tariff: Tariff | None = None
    online: bool | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """A step in the life of a command: journalled, then published."""

    command: CommandId
    stage: Stage
    code: str | None = None
    message: str | None = None
    result: Mapping[str, object] | None = None

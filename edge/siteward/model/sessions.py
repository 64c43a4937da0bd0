"""A charging session and its order, as kept in memory and in the store."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from siteward.model.auth import Authorisation
from siteward.model.bill import Segment
from siteward.model.ids import ConnectorId, OrderId, SessionId
from siteward.model.signed import SignedState


class OrderState(StrEnum):
    """Life of an order (S-14)."""

    CREATED = "CREATED"
    STARTING = "STARTING"
    CHARGING = "CHARGING"
    FINISHED = "FINISHED"
    SETTLED = "SETTLED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def open(self) -> bool:
        """Whether the connector is still taken by it."""
        return self in (OrderState.CREATED, OrderState.STARTING, OrderState.CHARGING)

    @property
    def used(self) -> bool:
        """Whether its order was charged and is over: one order is one charge (0064)."""
        return self in (OrderState.FINISHED, OrderState.SETTLED)


class StopReason(StrEnum):
    """Why a session ended."""

    USER = "user"
    REMOTE = "remote"
    FULL = "full"
    UNPLUGGED = "unplugged"
    FAULT = "fault"
    TIME_LIMIT = "time_limit"
    ENERGY_LIMIT = "energy_limit"
    AMOUNT_LIMIT = "amount_limit"
    EMERGENCY = "emergency"
    POWER_LOSS = "power_loss"
    NEVER_STARTED = "never_started"


class ConnectorStatus(StrEnum):
    """Connector status in OCPP 2.0.1 words."""

    AVAILABLE = "Available"
    OCCUPIED = "Occupied"
    RESERVED = "Reserved"
    UNAVAILABLE = "Unavailable"
    FAULTED = "Faulted"


class SuspendedBy(StrEnum):
    """Who holds a session that draws nothing."""

    CAR = "car"
    STATION = "station"


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """One session: registers in integer Wh of the billing meter; None = not read yet, never guessed.

    `estimated` marks energy whose stop register was not readable; `gap` marks a controller outage inside; rolled_wh is
    what rollovers of the register, or another meter in its place, took off its value inside the session; departs_at and
    wanted_wh say what the car shall have got until when, None where nobody said; phase_switching says that this car
    stands switching between one and three phases (B14). tariff and tariff_version price it, None: nothing does;
    segments hold its energy by price, the last one open while the session is; idle_s is how long its car only stood, by
    the monotonic clock; total is what it costs so far in minor units of the currency, max_amount what it may cost;
    authorised says by what it was let in; signed how far its meter signed, None: it signs nothing.
    """

    id: SessionId
    connector: ConnectorId
    state: OrderState
    created_at: datetime
    source: str
    order: OrderId | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    start_register_wh: int | None = None
    last_register_wh: int | None = None
    meter: str | None = None
    stop_reason: StopReason | None = None
    suspended_by: SuspendedBy | None = None
    max_energy_wh: int | None = None
    max_time_s: int | None = None
    max_current_a: float | None = None
    departs_at: datetime | None = None
    wanted_wh: int | None = None
    phase_switching: bool = False
    rolled_wh: int = 0
    charging_s: int = 0
    estimated: bool = False
    gap: bool = False
    tariff: str | None = None
    tariff_version: int | None = None
    segments: tuple[Segment, ...] = ()
    idle_s: int = 0
    total: int | None = None
    currency: str | None = None
    max_amount: int | None = None
    authorised: Authorisation | None = None
    signed: SignedState | None = None

    @property
    def energy_wh(self) -> int | None:
        """Register difference so far, over its rollovers, or None while a register is unknown."""
        if self.start_register_wh is None or self.last_register_wh is None:
            return None
        return self.last_register_wh - self.start_register_wh + self.rolled_wh

"""`up/heartbeat`: the station, every connector, every barrier and every parking lock as they are now."""

from pydantic import Field

from siteward_sync.protocol.v1.base import Amps, Celsius, Id, PerPhaseAmps, PerPhaseVolts, Time, Wire


class HeartbeatStation(Wire):
    """The station as one: status Available, Occupied (every working connector taken) or Faulted."""

    status: str
    clock: str
    uptime_s: int
    last_seq: int
    acked_seq: int
    alarms: int


class HeartbeatConnector(Wire):
    """A connector now; what is unknown is absent. Session fields are there only while it is in use.

    Those of a reservation are there only while one holds; nextReservationId while somebody is next there.
    fee is what the session costs so far, in minor units of currency; absent where no tariff prices it.
    """

    id: Id
    status: str
    suspended_by: str | None = None
    online: bool
    voltage_v: PerPhaseVolts | None = None
    current_a: PerPhaseAmps | None = None
    power_w: int | None = None
    energy_wh: int | None = None
    temperature_c: Celsius | None = None
    limit_a: Amps
    limit_cause: str | None = Field(default=None, alias="limit_cause")  # the contract spells it so
    session_id: Id | None = None
    order_id: Id | None = None
    session_energy_wh: int | None = None
    duration_s: int | None = None
    soc: int | None = Field(default=None, ge=0, le=100)
    reservation_id: Id | None = None
    reserved_until: Time | None = None
    next_reservation_id: Id | None = None
    fee: int | None = Field(default=None, ge=0)
    currency: str | None = None


class HeartbeatMeter(Wire):
    """A meter now; what is unknown is absent."""

    id: Id
    voltage_v: PerPhaseVolts | None = None
    current_a: PerPhaseAmps | None = None
    power_w: int | None = None
    energy_wh: int | None = None


class HeartbeatBarrier(Wire):
    """A boom barrier now: unknown, closed, opening, open, closing, stopped or failed.

    occupied (something stands below the arm) is absent while it is not known. blocked_by is the code that CLOSE_BARRIER
    would be refused with now. emergency: fire or loss of power is reported.
    """

    id: Id
    state: str
    occupied: bool | None = None
    blocked_by: str | None = None
    emergency: bool = False


class HeartbeatLock(Wire):
    """A parking lock now: unknown, down, raising, up, lowering, stopped or failed.

    occupied (a car stands in the bay) is absent while it is not known. blocked_by is the code that RAISE_LOCK would be
    refused with now. waiting: it rises by itself once the bay is free. emergency: fire or loss of power is reported.
    """

    id: Id
    connector_id: Id | None = None
    state: str
    occupied: bool | None = None
    blocked_by: str | None = None
    waiting: bool = False
    emergency: bool = False


class Heartbeat(Wire):
    """One heartbeat; `at` is the instant of the controller's view, not of sending."""

    at: Time
    station: HeartbeatStation
    connectors: tuple[HeartbeatConnector, ...]
    meters: tuple[HeartbeatMeter, ...]
    barriers: tuple[HeartbeatBarrier, ...] = ()
    locks: tuple[HeartbeatLock, ...] = ()

"""What holds a connector apart from a session: a reservation, being out of service, an emergency stop, a full bay."""

from dataclasses import dataclass
from datetime import datetime

from siteward.model.access import Contact
from siteward.model.ids import ConnectorId, OrderId, SessionId


@dataclass(frozen=True, slots=True)
class Reservation:
    """A connector kept for one order, one token, or whoever names the reservation, until `until` (UTC).

    length_s bounds what is left of it after a restart, whatever the wall clock says then. who is what somebody wrote
    down about the person: it is shown on site, and goes neither into the journal nor to the platform (S-85).
    """

    id: str
    connector: ConnectorId
    made_at: datetime
    until: datetime
    length_s: float
    order: OrderId | None = None
    token: str | None = None
    who: str = ""


@dataclass(frozen=True, slots=True)
class NextReservation(Reservation):
    """A reservation that begins once its connector is free; `until` and wait_s bound how long it waits for that."""

    wait_s: float = 14_400.0


@dataclass(frozen=True, slots=True)
class OutOfService:
    """A connector that takes no new session, since when (UTC) and by whose word."""

    connector: ConnectorId
    since: datetime
    source: str
    user: str = ""


@dataclass(frozen=True, slots=True)
class EmergencyStop:
    """An input that stops charging (I13): at these connectors; it latches until a technician acknowledges it."""

    id: str
    name: str
    contact: Contact
    connectors: frozenset[ConnectorId]


@dataclass(frozen=True, slots=True)
class Latched:
    """An emergency stop that was pressed (UTC); it stands until it is acknowledged (ruling 16)."""

    id: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Bay:
    """A parking bay of a connector; occupied by its sensor, or by the plug where it has none.

    A car that stands there for blocked_after_s without charging blocks it; `fee_rule` is the tariff's word for what
    that costs, told with the event, "" where it costs nothing.
    """

    id: str
    connector: ConnectorId
    sensor: Contact | None = None
    blocked_after_s: float = 900.0
    fee_rule: str = ""


@dataclass(frozen=True, slots=True)
class BayTaken:
    """A bay in which a car stands without charging, since when (UTC), and after which session.

    `told` is set once it counted as blocked.
    """

    id: str
    since: datetime
    session: SessionId | None = None
    order: OrderId | None = None
    told: bool = False

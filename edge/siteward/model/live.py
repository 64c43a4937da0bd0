"""The live view: what panel, sync and cli may see of the running station, replaced as a whole each turn."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from siteward.model.alarm_log import Handling
from siteward.model.limits import Grant
from siteward.model.sessions import ConnectorStatus, SessionRecord, SuspendedBy
from siteward.model.units import PerPhase


@dataclass(frozen=True, slots=True)
class FeederView:
    """A fuse: load_a is measured (None = meter lost or none), reserved_a the sum of U, base_a other load as booked."""

    id: str
    name: str
    parent: str | None
    rating_a: PerPhase
    load_a: PerPhase | None
    reserved_a: PerPhase
    base_a: PerPhase
    meter_age_s: float | None


@dataclass(frozen=True, slots=True)
class ConnectorView:
    """A connector with its session, if any; limit_w is what a DC charger was told, None for AC (people think in kW).

    phase_switching: the site allows switching between one and three phases here, if the start says so (B14).
    reservation names what the connector is kept for, until reserved_until, reserved_left_s of it by the station's own
    clock, for the token reserved_card or whom reserved_for tells; next_*: the same of who is next there.
    out_of_service: it takes no new session.
    cable is that in its socket, where the charger shows it; unlocks: it can be told to let it go.
    """

    id: str
    charger: str
    feeder: str
    status: ConnectorStatus
    suspended_by: SuspendedBy | None
    pilot: str | None
    online: bool
    current_a: PerPhase | None
    voltage_v: PerPhase | None
    power_w: float | None
    energy_wh: int | None
    temperature_c: float | None
    soc_percent: float | None
    age_s: float | None
    grant: Grant
    session: SessionRecord | None
    limit_w: float | None = None
    phase_switching: bool = False
    reservation: str | None = None
    reserved_until: datetime | None = None
    out_of_service: bool = False
    reserved_left_s: float | None = None
    reserved_card: str | None = None
    reserved_for: str = ""
    next_reservation: str | None = None
    next_card: str | None = None
    next_for: str = ""
    cable: str | None = None
    unlocks: bool = False


class StopState(StrEnum):
    """An emergency stop: nothing, pressed now, released but not acknowledged, or not to be read."""

    CLEAR = "clear"
    PRESSED = "pressed"
    LATCHED = "latched"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class EmergencyView:
    """An emergency stop now; since is when it latched, None while it did not."""

    id: str
    name: str
    state: StopState
    since: datetime | None
    connectors: tuple[str, ...]


class ArmKind(StrEnum):
    """What stands in the way: a boom barrier, or a parking lock in front of a bay."""

    BARRIER = "barrier"
    LOCK = "lock"


@dataclass(frozen=True, slots=True)
class ArmView:
    """A barrier or a lock as its newest look at its sensors left it.

    `state` is a word of its table (control.barrier, control.lock). `occupied` says whether something stands in the way
    (None = not known), `blocked` is the code that a closing or rising would be refused with now (None = it may), `why`
    that of a movement that was turned round or failed, until another one arrives. `waits`: it rises by itself as soon
    as its bay is free. `emergency`: fire or loss of power is reported.
    """

    id: str
    name: str
    kind: ArmKind
    state: str
    occupied: bool | None
    blocked: str | None
    why: str | None
    waits: bool
    emergency: bool
    connector: str | None = None


@dataclass(frozen=True, slots=True)
class MeterView:
    """A meter; age_s None = never answered."""

    id: str
    line: str
    current_a: PerPhase | None
    voltage_v: PerPhase | None
    power_w: float | None
    energy_wh: int | None
    age_s: float | None


@dataclass(frozen=True, slots=True)
class AlarmView:
    """A standing alarm: code from the closed list, the thing it is about, both sentences.

    count: how often its cause came; active: it is there now; notes: who took it on; followers: names of what is told
    in it. rule, value, bound and unit are of a rule of alarms.
    """

    code: str
    subject: str
    severity: str
    raised_at: datetime
    text_en: str
    text_zh: str
    count: int = 1
    active: bool = True
    notes: tuple[Handling, ...] = ()
    followers: tuple[str, ...] = ()
    rule: str | None = None
    value: float | None = None
    bound: float | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class LimitView:
    """A limit in force on a feeder or a connector, besides the fuses; reason is a word of model.limits.Cause.

    ends_at None = no end; on_expiry and failsafe_a say what its end leaves.
    """

    id: str
    target: str
    limit_a: PerPhase
    source: str
    reason: str
    ends_at: datetime | None
    on_expiry: str
    failsafe_a: PerPhase | None


@dataclass(frozen=True, slots=True)
class SlaveView:
    """Statistics of one address on a line.

    behind counts answers that belonged to the request before (fault 12); clash: two devices seem to answer (fault 9).
    """

    device: str
    unit: int
    sent: int
    answered: int
    timeouts: int
    garbled: int
    refused: int
    latency_ms: float | None
    latency_p99_ms: float | None
    behind: int = 0
    clash: bool = False


@dataclass(frozen=True, slots=True)
class LineView:
    """Statistics of one wire; load is the busy share of the last minute, 0..1.

    echo: the adapter hears our own frames, and they are filtered; foreign counts requests of other masters; openings
    counts how often the port was opened.
    """

    id: str
    port: str
    open: bool
    load: float
    early_frames: int
    slaves: tuple[SlaveView, ...]
    echo: bool = False
    foreign: int = 0
    openings: int = 0


@dataclass(frozen=True, slots=True)
class Health:
    """Core's own figures."""

    turn: int
    turn_age_s: float
    turn_ms: float
    commit_age_s: float
    store_ok: bool
    uptime_s: float
    journal: str
    last_seq: int
    acked_seq: int


@dataclass(frozen=True, slots=True)
class LiveView:
    """Everything a page or a heartbeat needs of one instant; timezone is the site's."""

    site: str
    name: str
    at: datetime
    clock: str
    software: str
    site_hash: str
    feeders: tuple[FeederView, ...]
    connectors: tuple[ConnectorView, ...]
    meters: tuple[MeterView, ...]
    alarms: tuple[AlarmView, ...]
    lines: tuple[LineView, ...]
    health: Health
    limits: tuple[LimitView, ...] = ()
    arms: tuple[ArmView, ...] = ()
    emergencies: tuple[EmergencyView, ...] = ()
    timezone: str = "UTC"

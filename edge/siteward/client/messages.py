"""Message models of the local API: the model's live view and requests as JSON with the contract's key names."""

from datetime import datetime
from math import isfinite
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from siteward.model.ids import ID_PATTERN

PerPhase = tuple[float, float, float]
_UNITS = ("a", "v", "w", "wh", "s", "c", "hz", "ms", "percent", "wh")


def wire_key(name: str) -> str:
    """Key of a field on the wire: camelCase, but a quantity keeps its snake_case unit suffix (ruling 23)."""
    words = name.split("_")
    if words[-1] in _UNITS and len(words) > 1:
        return name
    return words[0] + "".join(word.capitalize() for word in words[1:])


class Message(BaseModel):
    """Root of all messages: frozen, made from model values by attribute, unknown keys ignored for newer peers."""

    model_config = ConfigDict(
        alias_generator=wire_key, populate_by_name=True, from_attributes=True, frozen=True, defer_build=True
    )

    def to_json(self) -> str:
        """JSON text with wire keys."""
        return self.model_dump_json(by_alias=True)


class CauseMessage(Message):
    """One link of a cause chain."""

    cause: str
    limit_a: float
    feeder: str | None = None
    limit: str | None = None


class GrantMessage(Message):
    """What a connector may draw and why."""

    connector: str
    limit_a: float
    target_a: float
    confirmed_a: float | None
    reserved_a: float
    reachable: bool
    verified: bool
    chain: tuple[CauseMessage, ...]


class FeederMessage(Message):
    """A fuse with its load."""

    id: str
    name: str
    parent: str | None
    rating_a: PerPhase
    load_a: PerPhase | None
    reserved_a: PerPhase
    base_a: PerPhase
    meter_age_s: float | None


class AuthorisationMessage(Message):
    """By what somebody was let in, and the list that it was judged by."""

    by: str
    token: str | None = None
    list_version: int = 0
    list_age_s: int | None = None
    online: bool | None = None


class SessionMessage(Message):
    """A session."""

    id: str
    connector: str
    state: str
    created_at: datetime
    source: str
    order: str | None
    started_at: datetime | None
    ended_at: datetime | None
    start_register_wh: int | None
    last_register_wh: int | None
    energy_wh: int | None
    meter: str | None
    stop_reason: str | None
    suspended_by: str | None
    charging_s: int
    estimated: bool
    gap: bool
    departs_at: datetime | None = None
    wanted_wh: int | None = None
    tariff: str | None = None
    tariff_version: int | None = None
    total: int | None = None
    currency: str | None = None
    idle_s: int = 0
    max_energy_wh: int | None = None
    max_time_s: int | None = None
    max_amount: int | None = None
    authorised: AuthorisationMessage | None = None


class ConnectorMessage(Message):
    """A connector now."""

    id: str
    charger: str
    feeder: str
    status: str
    suspended_by: str | None
    pilot: str | None
    online: bool
    current_a: PerPhase | None
    voltage_v: PerPhase | None
    power_w: float | None
    energy_wh: int | None
    temperature_c: float | None
    soc_percent: float | None
    age_s: float | None
    grant: GrantMessage
    session: SessionMessage | None
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


class ArmMessage(Message):
    """A barrier or a lock now; the words of model.live.ArmView."""

    id: str
    name: str
    kind: str
    state: str
    occupied: bool | None
    blocked: str | None
    why: str | None
    waits: bool
    emergency: bool
    connector: str | None = None


class EmergencyMessage(Message):
    """An emergency stop now; the words of model.live.EmergencyView."""

    id: str
    name: str
    state: str
    since: datetime | None
    connectors: tuple[str, ...]


class MeterMessage(Message):
    """A meter now."""

    id: str
    line: str
    current_a: PerPhase | None
    voltage_v: PerPhase | None
    power_w: float | None
    energy_wh: int | None
    age_s: float | None


class HandlingMessage(Message):
    """Somebody's word about an alarm; user and role are None for the platform."""

    at: datetime
    source: str
    user: str | None = None
    role: str | None = None
    note: str = ""


class AlarmMessage(Message):
    """A standing alarm; active False: its cause is gone for now. unit belongs to value and bound."""

    code: str
    subject: str
    severity: str
    raised_at: datetime
    text_en: str
    text_zh: str
    count: int = 1
    active: bool = True
    notes: tuple[HandlingMessage, ...] = ()
    followers: tuple[str, ...] = ()
    rule: str | None = None
    value: float | None = None
    bound: float | None = None
    unit: str | None = None


class LimitMessage(Message):
    """A limit in force besides the fuses: who set it, why it has its value, when it ends and what that leaves."""

    id: str
    target: str
    limit_a: PerPhase
    source: str
    reason: str
    ends_at: datetime | None
    on_expiry: str
    failsafe_a: PerPhase | None


class SlaveMessage(Message):
    """Statistics of one address on a line."""

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


class LineMessage(Message):
    """Statistics of one wire."""

    id: str
    port: str
    open: bool
    load: float
    early_frames: int
    slaves: tuple[SlaveMessage, ...]
    echo: bool = False
    foreign: int = 0
    openings: int = 0


class HealthMessage(Message):
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


class LiveMessage(Message):
    """The live view: GET /v1/live and each line of /v1/live/stream."""

    site: str
    name: str
    at: datetime
    clock: str
    software: str
    site_hash: str
    feeders: tuple[FeederMessage, ...]
    connectors: tuple[ConnectorMessage, ...]
    meters: tuple[MeterMessage, ...]
    alarms: tuple[AlarmMessage, ...]
    lines: tuple[LineMessage, ...]
    health: HealthMessage
    limits: tuple[LimitMessage, ...] = ()
    arms: tuple[ArmMessage, ...] = ()
    emergencies: tuple[EmergencyMessage, ...] = ()
    timezone: str = "UTC"


class ActorMessage(Message):
    """The person behind a request, added by the panel and checked again by core."""

    user: str = Field(max_length=64)
    role: str
    address: str = Field(default="", max_length=64)


def _finite(params: dict[str, Any]) -> dict[str, Any]:
    """Refuse NaN and infinity: JSON has neither, and kept as JSON a bound of NaN would be no bound at all."""
    level: list[Any] = [params]
    while level:
        item = level.pop()
        if isinstance(item, dict | list):
            level.extend(item.values() if isinstance(item, dict) else item)
        elif isinstance(item, float) and not isfinite(item):
            raise ValueError(f"{item} is no number of JSON")
    return params


class RequestMessage(Message):
    """POST /v1/requests: a contract command without envelope. Core takes the source from the socket."""

    command_id: str = Field(pattern=ID_PATTERN)
    station_id: str | None = None
    name: str = Field(max_length=64)
    target: str | None = Field(default=None, max_length=64)
    params: Annotated[dict[str, Any], AfterValidator(_finite)] | None = None
    order_id: str | None = Field(default=None, pattern=ID_PATTERN)
    issued_at: datetime | None = None
    expires_at: datetime | None = None
    actor: ActorMessage | None = None


class ReplyMessage(Message):
    """A command's stage: the answer of POST /v1/requests and GET /v1/requests/{id}, and the payload of up/replies."""

    command_id: str
    stage: str
    code: str | None = None
    message: str | None = None
    message_zh: str | None = None
    result: dict[str, Any] | None = None


class KeyMessage(Message):
    """A key whose commands are taken: its name, and its thumbprint by RFC 7638."""

    kid: str
    thumbprint: str


class KeysMessage(Message):
    """GET /v1/keys: whether commands must be signed, and by which keys; problem: why the file gives none."""

    required: bool
    file: str | None = None
    keys: tuple[KeyMessage, ...] = ()
    problem: str | None = None


class AckMessage(Message):
    """POST /v1/outbox/ack and down/acks: the platform has everything up to seq."""

    journal_id: str = Field(pattern=ID_PATTERN)
    seq: int = Field(ge=0)


class UplinkMessage(Message):
    """POST /v1/uplink: whether sync is connected to the platform, and which outputs of alarms fail."""

    connected: bool
    failing: tuple[Annotated[str, Field(pattern=ID_PATTERN)], ...] = Field(default=(), max_length=64)


class EventsMessage(Message):
    """GET /v1/events: stored event texts, byte for byte as hashed; last_seq is the journal's newest."""

    journal_id: str
    last_seq: int
    acked_seq: int
    events: tuple[dict[str, Any], ...]


class ErrorMessage(Message):
    """Body of every 4xx and 5xx answer: a code of the closed list and both sentences."""

    code: str
    message: str
    message_zh: str


class AuditMessage(Message):
    """POST /v1/audit: something a face of the station saw, for the journal; type is one of the audit.* events."""

    type: str = Field(max_length=32)
    data: dict[str, Any]
    actor: ActorMessage | None = None


class SessionsMessage(Message):
    """GET /v1/sessions: newest first; `before` of the next page is the last one's id."""

    sessions: tuple[SessionMessage, ...]

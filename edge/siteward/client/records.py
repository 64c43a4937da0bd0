"""The messages of the local API about records and tools: handled alarms, cards, users, calls to a wire."""

from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, Field

from siteward.client.messages import ActorMessage, HandlingMessage, Message
from siteward.model.ids import ID_PATTERN


class AlarmRecordMessage(Message):
    """The handling record of one alarm; cleared_at None: it stands; cleared_by None: its cause went away."""

    code: str
    subject: str
    severity: str
    raised_at: datetime | None
    text_en: str
    text_zh: str
    count: int = 1
    notes: tuple[HandlingMessage, ...] = ()
    cleared_at: datetime | None = None
    cleared_by: HandlingMessage | None = None
    followers: tuple[str, ...] = ()
    rule: str | None = None
    value: float | None = None
    bound: float | None = None
    number: int


class AlarmLogMessage(Message):
    """GET /v1/alarms/log: newest first; `before` of the next page is the last one's number."""

    alarms: tuple[AlarmRecordMessage, ...]


class WireCallMessage(Message):
    """A read on a wire: POST /v1/lines/{id}/call. `baud` None means the wire's own settings."""

    unit: int = 0
    function: int = 3
    address: int = 0
    count: int = 1
    protocol: str = Field(default="", max_length=32)
    answer_s: float = Field(default=0.1, gt=0, le=10)
    patient: bool = False
    baud: int | None = Field(default=None, ge=300, le=4_000_000)
    parity: str = "none"
    stop_bits: int = Field(default=1, ge=1, le=2)


class WireHeardMessage(Message):
    """What was heard of a call; `data` are its bytes as hexadecimal digits."""

    data: Annotated[str, BeforeValidator(lambda data: data.hex() if isinstance(data, bytes) else data)]
    values: tuple[int, ...] | None
    exception: int | None
    left_alone: bool
    refused: bool


class TokenMessage(Message):
    """A card of the list."""

    id: str
    group: str = ""
    valid_until: datetime | None = None
    blocked: bool = False


class ListStageMessage(Message):
    """A list that comes in parts: it counts once none is missing."""

    version: int
    parts: int
    count: int
    missing: tuple[int, ...]


class AuthListMessage(Message):
    """GET /v1/auth: the list in force, and whether the platform can be reached."""

    version: int
    installed_at: datetime | None
    online: bool
    tokens: tuple[TokenMessage, ...]
    staged: ListStageMessage | None = None


class UserMessage(Message):
    """A user as kept by core: the hash is argon2 and leaves core only on the panel's socket."""

    name: str = Field(pattern=ID_PATTERN)
    role: str
    password_hash: str
    must_change: bool


class UserChangeMessage(Message):
    """PUT /v1/users/{name}: the whole new user, and who changes it."""

    user: UserMessage
    actor: ActorMessage | None = None


class UsersMessage(Message):
    """GET /v1/users."""

    users: tuple[UserMessage, ...]

"""Messages of the local API about who comes in: cards, by what a session was let in, emergency stops."""

from datetime import datetime

from siteward.client.wire_message import Message


class AuthorisationMessage(Message):
    """By what somebody was let in, and the list that it was judged by."""

    by: str
    token: str | None = None
    list_version: int = 0
    list_age_s: int | None = None
    online: bool | None = None


class EmergencyMessage(Message):
    """An emergency stop now; the words of model.live.EmergencyView."""

    id: str
    name: str
    state: str
    since: datetime | None
    connectors: tuple[str, ...]


class TokenMessage(Message):
    """A card of the list."""

    id: str
    group: str = ""
    valid_until: datetime | None = None
    blocked: bool = False


class AuthListMessage(Message):
    """GET /v1/auth: the list in force, and whether the platform can be reached."""

    version: int
    installed_at: datetime | None
    online: bool
    tokens: tuple[TokenMessage, ...]

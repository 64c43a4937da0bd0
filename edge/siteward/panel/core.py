"""What the panel asks of core: the part of `siteward.client.client.Client` that it uses, so that tests can stand in."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol

from siteward.client.bill_messages import EvidenceMessage
from siteward.client.curve_messages import CurveMessage
from siteward.client.messages import (
    ActorMessage,
    EventsMessage,
    LiveMessage,
    ReplyMessage,
    RequestMessage,
    SessionMessage,
)
from siteward.client.records import AlarmRecordMessage, UserMessage


class Core(Protocol):
    """Core as seen over the panel's socket. Every call raises CoreDown (retry) or Refused (core said no)."""

    def stream(self) -> AsyncIterator[LiveMessage]:
        """The live view, at most 2 a second, until the connection ends."""
        ...

    async def submit(self, request: RequestMessage) -> ReplyMessage:
        """Hand in one request; returns when its inbox row is committed."""
        ...

    async def request(self, command_id: str, wait_s: float = 0) -> ReplyMessage | None:
        """Stage and outcome of a request, None when core never heard of it."""
        ...

    async def events(self, after: int, limit: int = 500, wait_s: float = 0) -> EventsMessage:
        """Journal events with a sequence number above `after`, in order."""
        ...

    async def sessions(self, limit: int = 50, before: str | None = None) -> Sequence[SessionMessage]:
        """Sessions, newest first."""
        ...

    async def evidence(self, session: str) -> EvidenceMessage | None:
        """What a session's bill is made from, None when there is none of that id."""
        ...

    async def curve(self, session: str, points: int = 700) -> CurveMessage | None:
        """What is kept of a session's power, None when there is no session of that id."""
        ...

    async def alarm_log(self, limit: int = 50, before: int | None = None) -> Sequence[AlarmRecordMessage]:
        """Handling records of alarms, newest first."""
        ...

    async def site(self) -> dict[str, Any]:
        """The validated site."""
        ...

    async def users(self) -> Sequence[UserMessage]:
        """All users with their password hashes."""
        ...

    async def put_user(self, user: UserMessage, actor: ActorMessage) -> None:
        """Create or replace a user; core writes the audit fact."""
        ...

    async def audit(self, type: str, data: Mapping[str, Any], actor: ActorMessage) -> None:  # noqa: A002
        """Write one audit fact that only the panel can know (a login, a refused login)."""
        ...

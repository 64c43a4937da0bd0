"""What the local API needs of the daemon: reads of the running station, requests in, the journal's reads and acks."""

from collections.abc import Collection, Mapping
from typing import Protocol

from siteward.model.alarm_log import AlarmRecord
from siteward.model.auth import AuthList
from siteward.model.curve import Curve
from siteward.model.events import EventPage, EventType
from siteward.model.frames import FrameFormat
from siteward.model.ids import CommandId, JournalId, LineId, OrderId, SessionId
from siteward.model.live import Health, LineView, LiveView
from siteward.model.requests import Actor, Reply, Request, Source
from siteward.model.sessions import SessionRecord
from siteward.model.site import Site
from siteward.model.users import User
from siteward.model.visit import WireCall, WireHeard


class Station(Protocol):
    """The running station: never blocks, never touches the disk."""

    def site(self) -> Site:
        """The validated site."""
        ...

    def live(self) -> LiveView | None:
        """View of the last turn, None before the first one."""
        ...

    async def next_live(self, after_turn: int, timeout_s: float) -> LiveView | None:
        """The newest view as soon as its turn is above after_turn; None when there was none within timeout_s."""
        ...

    def health(self) -> Health:
        """Core's own figures, now."""
        ...

    def auth_list(self) -> AuthList:
        """The list of cards in force."""
        ...

    @property
    def online(self) -> bool:
        """Whether the platform can be reached, by the last word of sync."""
        ...

    def lines(self) -> tuple[LineView, ...]:
        """Statistics of every wire, now."""
        ...

    async def frames(self, line: LineId, form: FrameFormat, last_s: float) -> bytes | None:
        """What travelled on a wire in the last seconds, as a file; None for a line without a record."""
        ...

    async def call(self, line: LineId, call: WireCall) -> WireHeard | None:
        """One call of a bus tool, journaled as an act of audit; None for a strange line.

        Raises ValueError for what is no read, Withdrawn when the wire has no time, DeviceUnreachable without a port,
        StoreError when it cannot be journaled.
        """
        ...

    def uplink(self, connected: bool, failing: Collection[str]) -> None:
        """Take sync's word about its connection and about outputs of alarms that fail."""
        ...

    async def curve(self, session: SessionId, points: int) -> Curve:
        """What is kept of a session's power, in about so many points. Raises StoreError."""
        ...

    async def submit(self, request: Request, raw: bytes) -> Reply:
        """Commit the request to the inbox and give it to the next turn.

        Returns stage `received`, or the stored latest reply of a known id, without second effect. Raises StoreError.
        """
        ...


class Records(Protocol):
    """The durable side. Every call may raise StoreError. `siteward.store.store.Store` has all of them."""

    async def refuse(self, request: Request, raw: bytes, reply: Reply) -> Reply:
        """Keep a request that is refused before any turn saw it, with its final reply; a known id returns its own."""
        ...

    async def request(self, command: CommandId, wait_s: float) -> Reply | None:
        """Latest reply of a request; waits up to wait_s for the final one. None = unknown id."""
        ...

    async def events(self, after: int, limit: int, wait_s: float) -> EventPage:
        """Stored events with seq > after, at most limit; waits up to wait_s for the first."""
        ...

    async def ack(self, journal: JournalId, seq: int) -> bool:
        """The platform has everything up to seq. False: another epoch, or more than the journal holds."""
        ...

    async def sessions(self, limit: int, before: SessionId | None) -> tuple[SessionRecord, ...]:
        """Sessions, newest first, older than `before`."""
        ...

    async def session(self, session: SessionId) -> SessionRecord | None:
        """One session."""
        ...

    async def charged(self, order: OrderId) -> SessionId | None:
        """The session that was charged on an order and is over."""
        ...

    async def tariffs(self) -> tuple[str, ...]:
        """What every tariff says, as JSON, by id, the newest version first."""
        ...

    async def evidence(self, session: SessionId) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The events of a session, and what the tariffs say that price it, as JSON."""
        ...

    async def alarm_log(self, limit: int, before: int | None) -> tuple[AlarmRecord, ...]:
        """Handling records of alarms, newest first, older than the one of that number."""
        ...

    async def users(self) -> tuple[User, ...]:
        """Every user, by name."""
        ...

    async def put_user(self, user: User, actor: Actor | None, source: Source) -> None:
        """Create or replace a user, with an audit event."""
        ...

    async def audit(
        self,
        kind: EventType,
        data: Mapping[str, object],
        actor: Actor | None,
        source: Source,
    ) -> None:
        """Journal an audit event."""
        ...


class Backend(Station, Records, Protocol):
    """Both sides together, as the app composes them."""

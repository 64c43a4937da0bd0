"""What the local API serves: the running station joined with the store behind it."""

from collections.abc import Awaitable, Callable, Collection, Mapping

from siteward.app.tool_audit import ToolAudit
from siteward.model.alarm_log import AlarmRecord
from siteward.model.auth import AuthList
from siteward.model.curve import Curve
from siteward.model.errors import StoreError
from siteward.model.events import EventPage, EventType
from siteward.model.frames import FrameFormat
from siteward.model.ids import CommandId, JournalId, LineId, OrderId, SessionId
from siteward.model.live import Health, LineView, LiveView
from siteward.model.requests import Actor, Reply, Request, Source
from siteward.model.sessions import SessionRecord
from siteward.model.site import Site
from siteward.model.users import User
from siteward.model.visit import WireCall, WireHeard
from siteward.runtime.station import Station
from siteward.store.store import Store


class CoreBackend:
    """siteward.api.backend.Backend over a Station and, once it could be opened, a Store."""

    def __init__(self, site: Site, station: Station, curve: Callable[[SessionId, int], Awaitable[Curve]]) -> None:
        self._site = site
        self._station = station
        self._curve = curve
        self._store: Store | None = None
        self._tools = ToolAudit(site, lambda: station.clock.now(), self.audit)

    def attach(self, store: Store) -> None:
        """Serve records from this store from now on."""
        self._store = store

    @property
    def _records(self) -> Store:
        if self._store is None:
            raise StoreError("the database cannot be opened; core protects the fuses and keeps trying")
        return self._store

    def site(self) -> Site:
        """The validated site."""
        return self._site

    def live(self) -> LiveView | None:
        """View of the last turn."""
        return self._station.live

    async def next_live(self, after_turn: int, timeout_s: float) -> LiveView | None:
        """The newest view above a turn."""
        return await self._station.next_live(after_turn, timeout_s)

    def health(self) -> Health:
        """Core's own figures."""
        return self._station.health()

    def auth_list(self) -> AuthList:
        """The list of cards in force."""
        return self._station.book.list

    @property
    def online(self) -> bool:
        """Whether the platform can be reached."""
        return self._station.online

    def lines(self) -> tuple[LineView, ...]:
        """Statistics of every wire."""
        return self._station.lines.views()

    async def frames(self, line: LineId, form: FrameFormat, last_s: float) -> bytes | None:
        """What travelled on a wire lately."""
        return await self._station.lines.frames(line, form, last_s)

    async def call(self, line: LineId, call: WireCall) -> WireHeard | None:
        """One call of a bus tool. Its first one, and the first at other settings, is journaled before it goes out."""
        await self._tools.journal(line, call)
        return await self._station.lines.call(line, call)

    def uplink(self, connected: bool, failing: Collection[str]) -> None:
        """Take sync's word about its connection and its outputs."""
        self._station.uplink.heard(connected)
        self._station.watch.report(connected, failing)

    async def submit(self, request: Request, raw: bytes) -> Reply:
        """Commit the request and give it to the next turn."""
        return await self._station.inbox.submit(request, raw)

    async def refuse(self, request: Request, raw: bytes, reply: Reply) -> Reply:
        """Keep a refused request."""
        return await self._records.refuse(request, raw, reply)

    async def request(self, command: CommandId, wait_s: float) -> Reply | None:
        """Latest reply of a request."""
        return await self._records.request(command, wait_s)

    async def events(self, after: int, limit: int, wait_s: float) -> EventPage:
        """Stored events after a seq."""
        return await self._records.events(after, limit, wait_s)

    async def ack(self, journal: JournalId, seq: int) -> bool:
        """The platform has everything up to seq."""
        return await self._records.ack(journal, seq)

    async def sessions(self, limit: int, before: SessionId | None) -> tuple[SessionRecord, ...]:
        """Sessions, newest first."""
        return await self._records.sessions(limit, before)

    async def session(self, session: SessionId) -> SessionRecord | None:
        """One session."""
        return await self._records.session(session)

    async def charged(self, order: OrderId) -> SessionId | None:
        """The session that was charged on an order and is over."""
        return await self._records.charged(order)

    async def tariffs(self) -> tuple[str, ...]:
        """What every tariff says."""
        return await self._records.tariffs()

    async def evidence(self, session: SessionId) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What a session's bill is made from."""
        return await self._records.evidence(session)

    async def curve(self, session: SessionId, points: int) -> Curve:
        """What the trace has of a session's power."""
        return await self._curve(session, points)

    async def alarm_log(self, limit: int, before: int | None) -> tuple[AlarmRecord, ...]:
        """Handling records of alarms."""
        return await self._records.alarm_log(limit, before)

    async def users(self) -> tuple[User, ...]:
        """Every user."""
        return await self._records.users()

    async def put_user(self, user: User, actor: Actor | None, source: Source) -> None:
        """Create or replace a user."""
        await self._records.put_user(user, actor, source)

    async def audit(self, kind: EventType, data: Mapping[str, object], actor: Actor | None, source: Source) -> None:
        """Journal an audit event."""
        await self._records.audit(kind, data, actor, source)

"""What the story of the connectors remembers from turn to turn, and the draft that one turn writes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from siteward.control.book import Book
from siteward.control.connector import ConnectorState, status_of
from siteward.control.demanded import Metered, marks
from siteward.control.observe import Seen, see
from siteward.control.rules import Held
from siteward.control.segments import Moment, Pricer
from siteward.control.session import Closed, OpenSession
from siteward.model.alarm_log import Handling
from siteward.model.alarms import Alarm
from siteward.model.events import ClockQuality, Fact
from siteward.model.ids import ConnectorId, SessionId, ulid
from siteward.model.kept import Kept, KeptKind, KeptRow
from siteward.model.limits import Grant, Limit
from siteward.model.refusals import REFUSALS, Refusal
from siteward.model.requests import Reply, Request, Stage
from siteward.model.sessions import ConnectorStatus, SessionRecord, SuspendedBy
from siteward.model.site import Site
from siteward.model.snapshot import Snapshot
from siteward.model.tariff import TariffBook
from siteward.model.watch import Remark
from siteward.model.wire import Write

STEP_S = 2.0
"""Wall-clock step against the boot-time clock that is an event (B21)."""


@dataclass(frozen=True, slots=True)
class Told:
    """A connector's status as last journalled."""

    status: ConnectorStatus
    state: ConnectorState
    suspended_by: SuspendedBy | None
    fault: str | None


class Post(NamedTuple):
    """One connector as remembered: state, plug as last known, fault as last seen, session, and what was told of it.

    A tuple, for each turn replaces it at each connector (goal 15).
    """

    state: ConnectorState = ConnectorState.AVAILABLE
    plugged: bool | None = None
    fault: str | None = None
    session: OpenSession | None = None
    told: Told | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """An accepted command that owes its one final answer (I10).

    since is when it was accepted, taking_since when the charger could first take a start; unknown marks a command of
    an earlier life that left no trace; unlock is what an unlocking writes, answered_at when the charger took it.
    """

    request: Request
    since: float
    connector: ConnectorId | None = None
    session: SessionId | None = None
    limit: str | None = None
    taking_since: float | None = None
    unknown: bool = False
    unlock: Write | None = None
    answered_at: float | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Since when an alarm stands, and since when (boot-time s) its cause is gone; None = it is there.

    since is when it rose (boot-time s); told: the journal has it; count: how often its cause came; rises: how often it
    rose anew lately; root: the alarm in which it is told; notes: what people did about it.
    """

    raised_at: datetime
    gone_since: float | None = None
    since: float = 0.0
    told: bool = True
    count: int = 1
    rises: int = 1
    root: Alarm | None = None
    remark: Remark | None = None
    notes: tuple[Handling, ...] = ()


class Flap(NamedTuple):
    """An alarm that ended lately: how often it rose without a longer rest, and when it ended."""

    rises: int
    cleared_at: float


@dataclass(frozen=True, slots=True)
class StoryMemory:
    """All that the story carries over.

    limits are those that somebody set for a time, rules and demand those that site.toml describes; grants are those of
    the last turn; finished sessions wait for the platform's acknowledgement; lost ones have no connector any more and
    are closed by the first turn; prices holds the tariffs; clock, at and wall are of the last turn, None before the
    first.
    """

    posts: Mapping[ConnectorId, Post] = field(default_factory=dict)
    pending: tuple[Pending, ...] = ()
    limits: tuple[Limit, ...] = ()
    alarms: Mapping[Alarm, Standing] = field(default_factory=dict)
    flaps: Mapping[Alarm, Flap] = field(default_factory=dict)
    grants: Mapping[ConnectorId, Grant] = field(default_factory=dict)
    finished: Mapping[SessionId, SessionRecord] = field(default_factory=dict)
    lost: tuple[OpenSession, ...] = ()
    rules: Mapping[str, Held] = field(default_factory=dict)
    demand: Mapping[str, Metered] = field(default_factory=dict)
    prices: TariffBook = field(default_factory=TariffBook)
    clock: ClockQuality | None = None
    at: float | None = None
    wall: datetime | None = None
    book: Book = field(default_factory=Book)


class Draft:
    """What one turn has put together so far: a scratch pad that lives for one decision and is then frozen.

    stopped are connectors that an emergency stop holds, unread those whose emergency stop cannot be read; unlocks are
    the writes that may let a cable go now.
    """

    def __init__(self, site: Site, snapshot: Snapshot, memory: StoryMemory) -> None:
        self.site = site
        self.snapshot = snapshot
        self.grants = memory.grants
        self.posts = {c.id: memory.posts.get(c.id, Post()) for c in site.connectors}
        self.pending = list(memory.pending)
        self.limits = memory.limits
        self.limits_changed = False
        self.rules = memory.rules
        self.demand = memory.demand
        self.rule_alarms: frozenset[Alarm] = frozenset()
        self.alarms = dict(memory.alarms)
        self.ended: dict[Alarm, Handling] = {}
        self.book = memory.book
        self.kept: list[KeptRow] = []
        self.noticed: set[Alarm] = set()
        self.stopped: frozenset[ConnectorId] = frozenset()
        self.unread: frozenset[ConnectorId] = frozenset()
        self.unlocks: list[Write] = []
        self.facts: list[Fact] = []
        self.replies: list[Reply] = []
        self.rows: dict[SessionId, SessionRecord] = {}
        self.closed: dict[SessionId, Closed] = {}
        self.finished = dict(memory.finished)
        self.prices = memory.prices
        self.moment = _moment(snapshot, memory)
        self.opened: set[SessionId] = set()
        self._seen: dict[ConnectorId, Seen] = {}

    def see(self, connector: ConnectorId) -> Seen:
        """What this turn sees at a connector; looked at once."""
        seen = self._seen.get(connector)
        if seen is None:
            seen = self._seen[connector] = see(self.snapshot, connector)
        return seen

    def status(self, connector: ConnectorId, post: Post) -> ConnectorStatus:
        """OCPP's word for a connector now, with what holds it apart from a session."""
        book = self.book
        out = connector in book.out and post.session is None
        kept = connector in book.reservations or connector in book.waiting
        return status_of(post.state, self.see(connector).online, out, kept)

    def new_session_id(self) -> SessionId:
        """Return the next session id of this turn: the snapshot's entropy, counted up."""
        number = (int.from_bytes(self.snapshot.entropy, "big") + len(self.opened)) % (1 << 80)
        unix_ms = int(self.snapshot.wall.timestamp() * 1000)
        name = SessionId(ulid(unix_ms, number.to_bytes(10, "big")))
        self.opened.add(name)
        return name

    def pricer(self) -> Pricer:
        """What prices energy in this turn; a tariff that was installed in it counts from here on."""
        return Pricer(self.site.zone, self.site.pricing, self.prices)

    def set_limits(self, limits: tuple[Limit, ...]) -> None:
        """Replace the list of limits and mark it for the journal."""
        self.limits = limits
        self.limits_changed = True

    def stored_limits(self) -> tuple[Limit, ...] | None:
        """What the journal keeps of limits over a restart, None while nothing of it changed."""
        return (*self.limits, *marks(self.demand)) if self.limits_changed else None

    def keep(self, kind: KeptKind, key: str, value: Kept | None = None) -> None:
        """Have a small state found again after a restart; None takes it away."""
        self.kept.append(KeptRow(kind, key, value))

    def row(self, record: SessionRecord) -> None:
        """Put a session's row into the batch; the last one of a turn counts."""
        self.rows[record.id] = record

    def answer(
        self,
        request: Request,
        stage: Stage,
        code: Refusal | None = None,
        detail: str = "",
        result: Mapping[str, object] | None = None,
    ) -> None:
        """Add a reply; a code brings its sentence, the detail follows it."""
        message = None if code is None else f"{REFUSALS[code].en} {detail}".rstrip()
        self.replies.append(Reply(request.id, stage, code.value if code else None, message, result))


def _moment(snapshot: Snapshot, memory: StoryMemory) -> Moment:
    step_s = 0.0
    if memory.at is not None and memory.wall is not None:
        step_s = (snapshot.wall - memory.wall).total_seconds() - (snapshot.at - memory.at)
    # What two clocks differ by in a turn is noise; only a step is carried on.
    return Moment(snapshot.at, snapshot.wall, snapshot.clock.trusted, step_s if abs(step_s) > STEP_S else 0.0)

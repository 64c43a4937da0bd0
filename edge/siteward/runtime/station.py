"""The running station: joins lines, turn, journal and leases, and keeps them running together."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from siteward.control.authorise import judged_at
from siteward.control.book import Book
from siteward.control.decide import Decision, restore
from siteward.control.letting import Let, may_move
from siteward.model.batch import Batch
from siteward.model.errors import StoreError
from siteward.model.ids import ConnectorId, FeederId
from siteward.model.live import Health, LiveView
from siteward.model.ports import Clock, Journal, Lines, TokenSource
from siteward.model.readings import ChargerReading
from siteward.model.recovered import Recovered
from siteward.model.requests import Request
from siteward.model.site import Site
from siteward.model.wire import Write
from siteward.runtime.access import AccessLoop
from siteward.runtime.actuate import Actuator, MeterActuator, Verify
from siteward.runtime.alarm_watch import AlarmWatch, Figures, WatchPorts
from siteward.runtime.committer import Committer
from siteward.runtime.gate import LedgerGate
from siteward.runtime.inbox import Inbox
from siteward.runtime.leases import LeaseWatch
from siteward.runtime.notify import Notifier
from siteward.runtime.poller import Poller
from siteward.runtime.readers import ReaderLoop
from siteward.runtime.reconciler import Reconciler
from siteward.runtime.starts import FIRST_WORDS_S, StartRecord, birth, first_words, silence_s
from siteward.runtime.turn import Turn, TurnDone, TurnParts
from siteward.runtime.uplink import Uplink
from siteward.runtime.view import live_view

STORE_OPEN_S = 4.0
"""Longest that control waits for the disk at start: the first safe write comes within 5 s (ruling 12)."""

STORE_RETRY_S = 5.0
START_S = 30.0
"""Longest that a start may take beside a silence before systemd gives up on it."""

_STOP_S = 1.0


class StationJournal(Journal, Protocol):
    """What the station needs of the store beyond the journal port."""

    @property
    def journal_id(self) -> str:
        """Epoch of the journal."""
        ...

    @property
    def last_seq(self) -> int:
        """Newest sequence number."""
        ...

    @property
    def acked_seq(self) -> int:
        """Newest sequence number that the platform has."""
        ...

    async def close(self) -> None:
        """Close the database."""
        ...


@dataclass(frozen=True, slots=True)
class StationPorts:
    """Everything concrete that a station is given.

    open_journal raises StoreError while the disk cannot be used; trace takes each completed turn; entropy returns 10
    random bytes; measure looks at the machine's own resources, in a thread; verify judges signed meter
    values; alive_at is the last sign of the life before this one.
    """

    site: Site
    clock: Clock
    build_lines: Callable[[LedgerGate, Actuator], Lines]
    open_journal: Callable[[], Awaitable[StationJournal]]
    trace: Callable[[TurnDone], None]
    starts: StartRecord
    notifier: Notifier
    entropy: Callable[[], bytes]
    software: str
    measure: Callable[[], Figures] | None = None
    tokens: tuple[TokenSource, ...] = ()
    verify: Verify = lambda document, key: None
    alive_at: datetime | None = None


class Station:
    """One controller; `run` ends only by cancellation, by a stop, or by an error that the process must not survive."""

    def __init__(self, ports: StationPorts) -> None:
        self._ports = ports
        clock = ports.clock
        self._started = self._began = clock.now()
        self._gate = LedgerGate()
        self._actuator = Actuator(lambda connector: self._poller.poke(connector))
        self.lines = ports.build_lines(self._gate, self._actuator)
        self._actuator.attach(self.lines.chargers)
        self._signing = MeterActuator(clock, ports.site, ports.verify, self._wake)
        self._signing.attach(self.lines.meters)
        self._poller = Poller(ports.site, self.lines, clock, self._wake)
        self._committer = Committer(clock, self._actuator.send)
        self.access = AccessLoop(
            ports.site,
            self.lines.points,
            clock,
            self._gate.arms,
            lambda batch: self._committer.put(batch, ()),
            self._wake,
            self._guard,
            lambda: self.readers.alarms,
        )
        self.watch = AlarmWatch(
            ports.site, clock, self._poller, WatchPorts(ports.measure, self._turn_ms, self._backlog)
        )
        self._reconciler = Reconciler(ports.site, lambda batch: self._committer.put(batch, ()), self._drifted)
        self._leases = LeaseWatch(ports.site, clock, self._farewell)
        self.inbox = Inbox(self._wake)
        self.uplink = Uplink(clock)
        self.readers = ReaderLoop(ports.site, ports.tokens, clock, self.inbox.submit, self, ports.entropy)
        self.journal: StationJournal | None = None
        self._opening: asyncio.Future[StationJournal] | None = None
        self._turn: Turn | None = None
        self._last: TurnDone | None = None
        self._live: LiveView | None = None
        self._live_changed = asyncio.Condition()

    @property
    def clock(self) -> Clock:
        """The station's time."""
        return self._ports.clock

    @property
    def decision(self) -> Decision | None:
        """The last decision, None before the first turn."""
        return None if self._last is None else self._last.decision

    @property
    def chargers(self) -> Mapping[ConnectorId, ChargerReading]:
        """The newest reading of each connector."""
        return self._poller.chargers

    @property
    def online(self) -> bool:
        """Whether the platform can be reached."""
        return self.uplink.online

    @property
    def book(self) -> Book:
        """Cards, reservations and what else holds a connector, as of the last turn."""
        return Book() if self._last is None else self._last.decision.memory.story.book

    @property
    def live(self) -> LiveView | None:
        """The live view of the newest turn, made when first asked for; None before the first turn."""
        done, ports = self._last, self._ports
        if self._live is None and done is not None:
            lines, arms, health = self.lines.views(), self.access.views, self.health()
            self._live = live_view(ports.site, done.snapshot, done.decision, lines, arms, health, ports.software)
        return self._live

    async def next_live(self, after_turn: int, seconds: float) -> LiveView | None:
        """Wait for a view newer than a turn; None when there is none in time."""
        try:
            async with asyncio.timeout(seconds), self._live_changed:
                await self._live_changed.wait_for(
                    lambda: self._last is not None and self._last.snapshot.turn > after_turn
                )
        except TimeoutError:
            return None
        return self.live

    async def run(self, stop: asyncio.Event) -> None:
        """Protect the site until `stop`; starts with any device, and with the disk, missing."""
        ports = self._ports
        silent_s = silence_s(ports.site.connectors, ports.starts.begin(self._started))
        ports.notifier.send(f"EXTEND_TIMEOUT_USEC={round((silent_s + START_S) * 1e6)}")
        if silent_s and await _set_within(stop, silent_s):
            return
        await self.lines.open()
        recovered = await self._open_journal()
        if silent_s:
            for write in first_words(ports.site.connectors, recovered, ports.clock.now()):
                self._farewell(write)
            await self._actuator.finish(FIRST_WORDS_S)
        self._began = ports.clock.now()
        self.watch.start(recovered.alarms)
        born = birth(ports.site, ports.software, ports.clock.wall(), ports.alive_at)
        self._committer.put(Batch(ports.clock.quality(), facts=(born,)), ())
        memory = restore(ports.site, recovered, ports.clock.now(), ports.clock.wall())
        parts = TurnParts(
            site=ports.site,
            clock=ports.clock,
            poller=self._poller,
            actuator=self._actuator,
            committer=self._committer,
            gate=self._gate,
            inbox=self.inbox,
            leases=self._leases,
            access=self.access,
            watch=self.watch,
            signing=self._signing,
            entropy=ports.entropy,
        )
        self._turn = Turn(parts, memory, self._done)
        ports.notifier.send("READY=1")
        try:
            await self._serve(self._turn, stop)
        finally:
            ports.notifier.send("STOPPING=1")
            if self._opening is not None:
                self._opening.cancel()
            await self.readers.close()
            await self.access.close()
            await self._actuator.close()
            await self._signing.close()
            await self._committer.flush(_STOP_S)
            await self.lines.close()

    async def _serve(self, turn: Turn, stop: asyncio.Event) -> None:
        coroutines = [turn.run(), self._committer.run(), self._leases.run(), *self._poller.tasks()]
        coroutines += [*self.access.loops(), *self.readers.loops(), self.watch.run()]
        if self.journal is None:
            coroutines.append(self._reopen_journal(stop))
        tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
        stopping = asyncio.ensure_future(stop.wait())
        try:
            done, _ = await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
        finally:
            # Also when this station itself is cancelled: no turn and no poll may go on without it.
            for task in (*tasks, stopping):
                task.cancel()
            await asyncio.gather(*tasks, stopping, return_exceptions=True)
        for task in done:
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def _open_journal(self) -> Recovered:
        self._opening = asyncio.ensure_future(self._ports.open_journal())
        try:
            async with asyncio.timeout(STORE_OPEN_S):
                # A disk that hangs keeps its thread; giving up on it half-way would only make the next try hang too.
                journal = await asyncio.shield(self._opening)
                recovered = await journal.recover()
        except (StoreError, TimeoutError):
            # Bare protection: fuses are kept, no session starts, the reopening task goes on trying (flows.md).
            return Recovered()
        self._attach(journal)
        return recovered

    async def _reopen_journal(self, stop: asyncio.Event) -> None:
        while True:
            await self._ports.clock.sleep(STORE_RETRY_S)
            try:
                journal = await self._opened()
            except StoreError:
                continue
            # What was kept in memory is written first; a fresh start then recovers sessions the regular way.
            self._attach(journal)
            await self._committer.flush(STORE_RETRY_S)
            stop.set()
            return

    async def _opened(self) -> StationJournal:
        if self._opening is None or (self._opening.done() and self._opening.exception() is not None):
            self._opening = asyncio.ensure_future(self._ports.open_journal())
        return await self._opening

    def _attach(self, journal: StationJournal) -> None:
        self.journal = journal
        self._committer.attach(journal)
        self.inbox.attach(journal)

    def _wake(self, hurry: bool = False) -> None:
        if self._turn is not None:
            self._turn.wake(hurry)

    def _guard(self, request: Request) -> Let:
        """Who may move an arm now, by what the last turn knew."""
        clock = self._ports.clock
        moment = judged_at(request, clock.wall(), clock.quality().trusted)
        return may_move(self._ports.site, self.book, request, moment)

    def _farewell(self, write: Write) -> None:
        self._gate.allow_farewell(write)
        self._actuator.send([write])

    def _done(self, done: TurnDone) -> None:
        ports = self._ports
        ports.notifier.send("WATCHDOG=1")
        ports.starts.steady(done.snapshot.at - self._began)
        ports.trace(done)
        self._reconciler.look(done.snapshot, done.decision)
        self.access.ask(done.decision.arms)
        self._last, self._live = done, None
        self._announce = asyncio.ensure_future(self._announce_live())

    async def _announce_live(self) -> None:
        async with self._live_changed:
            self._live_changed.notify_all()

    def _drifted(self, drifts: Mapping[FeederId, tuple[float, float]]) -> None:
        self.watch.drifts = drifts

    def _turn_ms(self) -> float | None:
        return None if self._last is None else self._last.took_s * 1000.0

    def _backlog(self) -> int | None:
        return None if self.journal is None else self.journal.last_seq - self.journal.acked_seq

    def health(self) -> Health:
        """Core's own figures, now."""
        now = self._ports.clock.now()
        journal, done = self.journal, self._last
        return Health(
            turn=0 if done is None else done.snapshot.turn,
            turn_age_s=0.0 if done is None else round(now - done.snapshot.at, 2),
            turn_ms=0.0 if done is None else round(done.took_s * 1000, 2),
            commit_age_s=round(self._committer.age_s, 2),
            store_ok=journal is not None and not self._committer.failed,
            uptime_s=round(now - self._started, 1),
            journal="" if journal is None else journal.journal_id,
            last_seq=0 if journal is None else journal.last_seq,
            acked_seq=0 if journal is None else journal.acked_seq,
        )


async def _set_within(stop: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await stop.wait()
    except TimeoutError:
        return False

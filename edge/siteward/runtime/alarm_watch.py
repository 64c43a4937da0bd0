"""Looks at figures beside the turn, by the rules of alarms; the turn only takes what came of it."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from siteward.control.thresholds import Key, Over, Picture, judge, remembered, targets
from siteward.model.alarm_log import AlarmRecord
from siteward.model.alarms import Alarm, AlarmCode
from siteward.model.ids import ConnectorId, FeederId, MeterId
from siteward.model.ports import Clock
from siteward.model.readings import ChargerReading, MeterReading
from siteward.model.site import Site
from siteward.model.watch import Figure, Remark, Watched

WATCH_S = 2.0
"""Time between two rounds: the fastest rule of a site counts tens of seconds."""

MEASURE_S = 10.0
"""Time between two looks at processor, memory and disk."""

REPORT_S = 30.0
"""Age at which the last word of sync about its connection counts no more: its process is gone, or hangs."""

Figures = Mapping[tuple[Watched, Figure], float | None]


class Readings(Protocol):
    """The newest readings; `runtime.poller.Poller` has them."""

    @property
    def meters(self) -> Mapping[MeterId, MeterReading]:
        """Of the meters."""
        ...

    @property
    def chargers(self) -> Mapping[ConnectorId, ChargerReading]:
        """Of the connectors."""
        ...

    @property
    def misses(self) -> Mapping[ConnectorId, int]:
        """Polls without an answer in a row."""
        ...


@dataclass(frozen=True, slots=True)
class WatchPorts:
    """What the watch looks at besides readings; each may be called often and must not wait, but for `measure`.

    measure is called in a thread; turn_ms is how long the last decision took, backlog how many events wait for the
    platform (None: not known).
    """

    measure: Callable[[], Figures] | None = None
    turn_ms: Callable[[], float | None] = lambda: None
    backlog: Callable[[], int | None] = lambda: None


@dataclass(slots=True)
class _Uplink:
    """What sync said last: when it was connected, whether it was since the start, and which outputs fail."""

    up_at: float
    said_at: float
    heard: bool = False
    failing: frozenset[str] = field(default_factory=frozenset)


class AlarmWatch:
    """`alarms` are those of the rules now; `failing` those of the outputs."""

    def __init__(self, site: Site, clock: Clock, readings: Readings, ports: WatchPorts) -> None:
        self._clock = clock
        self._readings = readings
        self._ports = ports
        self._targets = targets(site, site.alarms)
        self._began = clock.now()
        self._uplink = _Uplink(self._began, self._began)
        self._figures: Figures = {}
        self._held: Mapping[Key, Over] = {}
        self.drifts: Mapping[FeederId, tuple[float, float]] = {}
        self.alarms: Mapping[Alarm, Remark] = {}

    @property
    def failing(self) -> frozenset[Alarm]:
        """Outputs through which alarms cannot be delivered, while sync lives to say so."""
        if self._clock.now() - self._uplink.said_at > REPORT_S:
            return frozenset()
        return frozenset(Alarm(AlarmCode.OUTPUT_FAILED, name) for name in self._uplink.failing)

    def report(self, connected: bool, failing: Collection[str]) -> None:
        """Take sync's word about its connection and its outputs."""
        now = self._clock.now()
        up_at = now if connected else self._uplink.up_at
        self._uplink = _Uplink(up_at, now, connected or self._uplink.heard, frozenset(failing))

    def start(self, stood: Iterable[AlarmRecord] = ()) -> None:
        """Count silences from now: before, nobody was asked anything. What stood goes on until it is known better."""
        self._began = self._clock.now()
        self._uplink = _Uplink(self._began, self._began)
        self._held = remembered(self._targets, stood, self._began)

    async def run(self) -> None:
        """Look for ever."""
        while True:
            if self._ports.measure is not None:
                self._figures = await asyncio.to_thread(self._ports.measure)
            for _ in range(round(MEASURE_S / WATCH_S)):
                self.look()
                await self._clock.sleep(WATCH_S)

    def look(self) -> None:
        """One round."""
        if not self._targets:
            return
        now = self._clock.now()
        backlog = self._ports.backlog()
        picture = Picture(
            at=now,
            started_at=self._began,
            chargers=self._readings.chargers,
            meters=self._readings.meters,
            misses=self._readings.misses,
            figures={
                **self._figures,
                (Watched.STATION, Figure.TURN_MS): self._ports.turn_ms(),
                (Watched.UPLINK, Figure.SILENT_S): now - self._uplink.up_at,
                (Watched.UPLINK, Figure.BACKLOG_EVENTS): None if backlog is None else float(backlog),
            },
            drifts=self.drifts,
            uplink_heard=self._uplink.heard,
        )
        judged = judge(self._targets, picture, self._held)
        self._held, self.alarms = judged.held, judged.alarms

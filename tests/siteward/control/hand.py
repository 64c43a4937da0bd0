"""A hand-driven load turn: readings, wire events and demands as a test says them, one second after the other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from siteward.control.demand import Demand
from siteward.control.load import LoadOutcome, load_turn, start_memory
from siteward.model.events import ClockQuality
from siteward.model.ids import ConnectorId, MeterId
from siteward.model.limits import Limit
from siteward.model.readings import ChargerReading, MeterReading, Pilot
from siteward.model.recovered import LedgerEntry, Recovered
from siteward.model.site import Site
from siteward.model.snapshot import Snapshot
from siteward.model.wire import FrameKind, FrameStage, WireEvent, Write, WriteKind

WALL = datetime(2026, 1, 1, tzinfo=UTC)


class Hand:
    """A site whose answers the test writes down itself."""

    def __init__(self, built: Site, ledger: tuple[LedgerEntry, ...] = (), at: float = 1000.0) -> None:
        self.site, self.at, self.turn = built, at, 0
        self.memory = start_memory(built, Recovered(ledger=ledger), at)
        self.chargers: dict[ConnectorId, ChargerReading] = {}
        self.meters: dict[MeterId, MeterReading] = {}
        self.demands: dict[ConnectorId, Demand] = {c.id: Demand(True, 32.0, c.priority, 0.0) for c in built.connectors}
        self.limits: tuple[Limit, ...] = ()
        self.wire: list[WireEvent] = []
        self.misses: dict[ConnectorId, int] = {}
        self.wall_jump = timedelta()
        self.out: LoadOutcome

    def reads(self, name: str, set_point: float | None, amps: float = 0.0, **more: object) -> None:
        """The next poll of a connector shows this."""
        c = next(c for c in self.site.connectors if c.id == name)
        fs = c.facts.failsafe
        reading = ChargerReading(
            c.id,
            self.at,
            pilot=Pilot.C,
            charging=amps > 0.0,
            set_point_a=set_point,
            failsafe_a=c.failsafe_a if fs else None,
            failsafe_timeout_s=fs.timeout_s if fs else None,
            standby_off=True,
            measured_a=(amps, amps, amps) if c.facts.measures_current else None,
            restart_mark=1,
        )
        self.chargers[c.id] = replace(reading, **more)  # type: ignore[arg-type]
        self.event(name, FrameKind.READ, FrameStage.SENT)
        self.event(name, FrameKind.READ, FrameStage.ANSWERED)

    def event(
        self, name: str, kind: FrameKind, stage: FrameStage, value: float | None = None, turn: int | None = None
    ) -> None:
        """One line of the wire log, now."""
        self.wire.append(WireEvent(ConnectorId(name), kind, stage, self.at, value, self.at, turn))

    def sent(self, write: Write, stage: FrameStage = FrameStage.ANSWERED) -> None:
        """A write went out and ended so."""
        kind = FrameKind.LIMIT if write.kind is WriteKind.LIMIT else FrameKind.FAILSAFE
        self.event(write.connector, kind, FrameStage.SENT, write.value_a, write.turn)
        self.event(write.connector, kind, stage, write.value_a, write.turn)

    def meter(self, name: str, amps: float) -> None:
        """The next poll of a meter shows this on all phases."""
        volts = 230.0 + (self.at % 7) / 10.0
        self.meters[MeterId(name)] = MeterReading(MeterId(name), self.at, (amps,) * 3, (volts,) * 3, None, 50.0)

    def decide(self, later: float = 0.4) -> LoadOutcome:
        """One turn, so much later than what was said."""
        self.at = round(self.at + later, 3)
        self.turn += 1
        snapshot = Snapshot(
            self.at,
            WALL + timedelta(seconds=self.at) + self.wall_jump,
            ClockQuality.NTP,
            self.turn,
            dict(self.meters),
            dict(self.chargers),
            dict(self.misses),
            wire=tuple(self.wire),
        )
        self.wire.clear()
        self.out = load_turn(self.site, snapshot, self.demands, self.limits, self.memory)
        self.memory = self.out.memory
        self.at = round(self.at + 1.0 - later, 3)
        return self.out

    def obey(self, seconds: int, amps: float | None = None) -> LoadOutcome:
        """All chargers answer and take every write at once, for so many turns; cars draw their limit or amps."""
        points = {c.id: 0.0 for c in self.site.connectors}
        points |= {c: r.set_point_a or 0.0 for c, r in self.chargers.items()}
        for _ in range(seconds):
            for c in self.site.connectors:
                point = points.get(c.id, 0.0)
                self.reads(c.id, point, point if amps is None else min(amps, point))
            out = self.decide()
            for write in (*out.cuts, *out.failsafes, *out.raises):
                self.at -= 0.5
                self.sent(write)
                self.at += 0.5
                if write.kind is WriteKind.LIMIT:
                    points[write.connector] = write.value_a
        for c, r in list(self.chargers.items()):
            self.chargers[c] = replace(r, set_point_a=points[c])
        return self.out

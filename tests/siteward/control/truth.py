"""A truth model of a site at port level: cars, watchdogs, lossy wires, base load, fuses with a thermal image.

It knows nothing of the controller but readings, wire events and writes; it judges by what truly flows.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import exp
from random import Random

from siteward.control.demand import Demand
from siteward.control.ledger import may_send, may_speak
from siteward.control.load import LoadMemory, LoadOutcome, load_turn, start_memory
from siteward.model.events import ClockQuality
from siteward.model.ids import ConnectorId, FeederId, MeterId
from siteward.model.limits import Limit
from siteward.model.readings import ChargerReading, MeterReading, Pilot
from siteward.model.recovered import LedgerEntry, Recovered
from siteward.model.site import Site
from siteward.model.snapshot import Snapshot
from siteward.model.wire import FrameKind, FrameStage, WireEvent, Write, WriteKind
from tests.siteward.control.evenness import STEP_S, Bounds
from tests.siteward.control.true_box import Box
from tests.siteward.control.verdict import Verdict

TRIP_THETA = 1.13**2
TAU_S = 60.0
DECAY = exp(-STEP_S / TAU_S)
WALL = datetime(2026, 1, 1, tzinfo=UTC)


class Truth:
    """One site, one controller, one seed."""

    def __init__(self, site: Site, rng: Random, commanded: float = 0.0) -> None:
        self.site, self.rng, self.at = site, rng, 1000.0
        self.boxes: dict[ConnectorId, Box] = {}
        for c in site.connectors:
            fs = c.facts.failsafe
            self.boxes[c.id] = Box(c, commanded, c.failsafe_a, fs.timeout_s if fs else 0.0, self.at)
        self.base = {f.id: [0.0, 0.0, 0.0] for f in site.feeders}
        self.theta = {(f.id, p): 1.0 for f in site.feeders for p in range(3)}
        self.over = dict.fromkeys(self.theta, 0.0)
        self.over_calm = dict.fromkeys(self.theta, True)
        self.load = {f.id: [0.0, 0.0, 0.0] for f in site.feeders}
        self.meter_mode: dict[MeterId, str] = {}
        self.frozen: dict[MeterId, MeterReading] = {}
        self.stuck: dict[MeterId, list[float]] = {}
        self.demands: dict[ConnectorId, Demand] = {}
        self.limits: tuple[Limit, ...] = ()
        self.alive, self.turn = True, 0
        self.asleep_until = -1.0
        self.poll_every = 1
        self.memory: LoadMemory | None = None
        self.outcome: LoadOutcome | None = None
        self.ledger_rows: dict[ConnectorId, LedgerEntry] = {}
        self.wire: list[WireEvent] = []
        self.readings: dict[ConnectorId, ChargerReading] = {}
        self.meters: dict[MeterId, MeterReading] = {}
        self.misses: dict[ConnectorId, int] = {}
        self.pending: dict[tuple[ConnectorId, WriteKind], tuple[float, Write]] = {}
        self.lease: dict[ConnectorId, float] = {}
        self.dropped: set[ConnectorId] = set()
        self.impaired_until = -1.0
        self.opened: set[FeederId] = set()
        self.restarted: dict[ConnectorId, float] = {}
        self.verdict = Verdict()
        self.bounds = Bounds(site, self.verdict)
        self.ratings = {f.id: f.rating_a for f in site.feeders}
        self.above = {f.id: [n.id for n in site.path(f.id)] for f in site.feeders}
        self.wired = {c.id: [phase.position for phase in c.wiring] for c in site.connectors}
        self.paths = {c.id: [f.id for f in site.path(c.feeder)] for c in site.connectors}

    # -- the physical side ------------------------------------------------------------------------------------

    def physics(self) -> None:
        """One step of cars, loads and fuses."""
        self._flow()
        calm = self.at > self.impaired_until
        for key, before in self.theta.items():
            feeder, p = key
            ratio = self.load[feeder][p] / self.ratings[feeder][p]
            theta = ratio * ratio + (before - ratio * ratio) * DECAY
            self.theta[key] = theta
            if theta > self.verdict.worst_theta:
                self.verdict.worst_theta = theta
            if theta > TRIP_THETA:
                self.verdict.tripped.append(f"{feeder} L{p + 1} at {self.at:.1f}: {self.load[feeder][p]:.1f} A")
            if ratio > 1.005 or self.over[key] > 0.0:
                self._note_over(key, ratio > (1.005 if calm else 1.055), calm)
        self.bounds.note(self.load, self.outcome, self.alive, calm)

    def _flow(self) -> None:
        """What flows through each node now: other loads of it and of its children, and the cars."""
        self.load = {f.id: [0.0, 0.0, 0.0] for f in self.site.feeders}
        for feeder, path in self.above.items():
            for node in () if self.opened.intersection(path) else path:
                for p in range(3):
                    self.load[node][p] += self.base[feeder][p]
        for cid, box in self.boxes.items():
            if self.opened and self.opened.intersection(self.paths[cid]):
                box.off_until = self.at + 1.0
            amps = box.step(self.at)
            box.contactors.flow(self.at, amps)
            if amps <= 0.0:
                continue
            self.verdict.energy_as += amps * STEP_S
            live = box.live
            for feeder in self.paths[cid]:
                load = self.load[feeder]
                for i, position in enumerate(self.wired[cid]):
                    if live[i]:
                        load[position] += amps

    def _note_over(self, key: tuple[str, int], over: bool, calm: bool) -> None:
        if not over:
            self.over[key], self.over_calm[key] = 0.0, True
            return
        self.over[key] += STEP_S
        self.over_calm[key] = self.over_calm[key] and calm
        self.verdict.longest_over_s = max(self.verdict.longest_over_s, self.over[key])
        if self.over_calm[key]:
            self.verdict.longest_calm_over_s = max(self.verdict.longest_calm_over_s, self.over[key])

    # -- the wire ---------------------------------------------------------------------------------------------

    def exchange(self, cid: ConnectorId, kind: FrameKind, value: float | None, turn: int | None) -> bool:
        """One frame and its answer; logs both; returns whether an answer came."""
        box = self.boxes[cid]
        sent = self.at
        self.wire.append(WireEvent(cid, kind, FrameStage.SENT, sent, value, sent, turn))
        heard = box.hears and self.at >= box.off_until
        if heard:
            box.limit(self.at)
            box.feed(self.at, kind)
            if kind is FrameKind.LIMIT and value is not None and box.obeys:
                box.take(self.at, value)
            if kind is FrameKind.FAILSAFE and value is not None:
                fs = box.connector.facts.failsafe
                box.fs, box.tw = value, fs.timeout_s if fs else 0.0
            if kind is FrameKind.PHASES and value is not None:
                box.contactors.order(self.at, int(value))
        stage = FrameStage.ANSWERED if heard and box.answers else FrameStage.FAILED
        self.wire.append(WireEvent(cid, kind, stage, self.at + 0.05, value, sent, turn))
        return stage is FrameStage.ANSWERED

    def poll(self) -> None:
        """One poll round of everything that may be asked."""
        for f in self.site.feeders:
            if f.meter is not None:
                self._poll_meter(f.meter, self.load[f.id])
        ledger = self.memory.ledger if self.memory is not None else None
        for number, (cid, box) in enumerate(self.boxes.items()):
            if (round(self.at) + number) % self.poll_every:
                continue
            if ledger is not None and ledger.turn >= 0 and not may_speak(ledger, cid, self.at):
                continue
            if not self.exchange(cid, FrameKind.READ, None, None):
                self.misses[cid] = self.misses.get(cid, 0) + 1
                continue
            self.misses[cid] = 0
            amps = tuple(round(box.current, 2) if box.live[i] else 0.0 for i in range(3))
            self.readings[cid] = ChargerReading(
                cid,
                self.at,
                pilot=Pilot.A if box.away else Pilot.C if box.wants > 0.0 else Pilot.B,
                charging=box.current > 0.5,
                set_point_a=None if box.lifted else box.limit(self.at),
                failsafe_a=box.fs,
                failsafe_timeout_s=box.tw,
                standby_off=True,
                measured_a=(amps[0], amps[1], amps[2]) if box.connector.facts.measures_current else None,
                restart_mark=box.boots,
                phases_closed=box.contactors.shown if box.connector.facts.switches_phases else None,
            )

    def _poll_meter(self, meter: MeterId, load: list[float]) -> None:
        mode = self.meter_mode.get(meter, "good")
        if mode == "lost":
            return
        if mode == "stuck":
            load = self.stuck.setdefault(meter, list(load))
        else:
            self.stuck.pop(meter, None)
        noise = [round(x + self.rng.uniform(-0.05, 0.05), 3) for x in load]
        volts = round(230.0 + self.rng.uniform(-1, 1), 2)
        reading = MeterReading(meter, self.at, (noise[0], noise[1], noise[2]), (volts,) * 3, None, 50.0)
        if mode == "frozen" and meter in self.frozen:
            old = self.frozen[meter]
            reading = MeterReading(meter, self.at, old.current_a, old.voltage_v, None, old.frequency_hz)
        self.frozen[meter] = reading
        self.meters[meter] = reading

    # -- the controller ---------------------------------------------------------------------------------------

    def decide(self) -> None:
        """One turn, with every promise of it checked against the truth."""
        self.turn += 1
        snapshot = self.snapshot()
        self.wire.clear()
        out = self.judge(snapshot)
        self.memory, self.outcome = out.memory, out
        for row in out.ledger_rows:
            self.ledger_rows[row.connector] = row
        self.opened |= set(out.trips)
        for cid in out.leases:
            self.lease[cid] = out.ledger.lease_until[cid]
            self.dropped.discard(cid)
        self.check(out)
        delay = 0.0
        for write in (*out.cuts, *out.failsafes, *out.raises):
            delay += self.rng.choice((0.0, 0.0, 0.1, 0.4))
            self.pending[write.connector, write.kind] = (self.at + delay, write)
            self._logged(write, FrameStage.QUEUED)

    def snapshot(self) -> Snapshot:
        """What the controller may know now."""
        return Snapshot(
            at=self.at,
            wall=WALL + timedelta(seconds=self.at),
            clock=ClockQuality.NTP,
            turn=self.turn,
            meters=dict(self.meters),
            chargers=dict(self.readings),
            misses=dict(self.misses),
            wire=tuple(self.wire),
        )

    def judge(self, snapshot: Snapshot) -> LoadOutcome:
        """The decision of the fuses alone."""
        if self.memory is None:
            self.memory = start_memory(self.site, Recovered(ledger=tuple(self.ledger_rows.values())), self.at)
        return load_turn(self.site, snapshot, self.demands, self.limits, self.memory)

    def _logged(self, write: Write, stage: FrameStage) -> None:
        kind = FrameKind(write.kind)
        self.wire.append(WireEvent(write.connector, kind, stage, self.at, write.value_a, None, write.turn))

    def send(self) -> None:
        """Writes whose time has come go out, if the ledger still allows."""
        for key, (due, write) in sorted(self.pending.items(), key=lambda x: x[1][0]):
            if due > self.at or self.memory is None:
                continue
            del self.pending[key]
            if not may_send(self.memory.ledger, write, self.at):
                self._logged(write, FrameStage.WITHDRAWN)
                continue
            kind = FrameKind(write.kind)
            self.exchange(write.connector, kind, write.value_a, write.turn)

    def end_leases(self) -> None:
        """The line's own part: a lease that ended means min(last, fail-safe) once, then silence (R7)."""
        for cid, until in self.lease.items():
            if self.at >= until and cid not in self.dropped:
                self.dropped.add(cid)
                box = self.boxes[cid]
                last = box.set_point
                self.exchange(cid, FrameKind.LIMIT, min(last, box.connector.failsafe_a), -1)

    def kill(self) -> None:
        """The process dies: leases die with the line's task too."""
        self.alive, self.memory, self.outcome = False, None, None
        self.wire.clear()
        self.pending.clear()
        self.readings.clear()
        self.meters.clear()
        self.misses.clear()
        self.lease.clear()
        self.dropped.clear()

    # -- promises ---------------------------------------------------------------------------------------------

    def check(self, out: LoadOutcome) -> None:
        """After each turn: U >= what each box may allow, and no raise beyond a bound."""
        v = self.verdict
        v.turns += 1
        v.raises += len(out.raises)
        for cid, grant in out.grants.items():
            box = self.boxes[cid]
            if box.lifted and not (box.hears and box.answers):
                # What somebody lifts behind a dead wire nobody can see: two faults at once (R18).
                self.restarted[cid] = self.at
            since = self.at - self.restarted.get(cid, -1e9)
            allowed = box.limit(self.at)
            if grant.reserved_a + 0.06 < allowed and since > 20.0 and box.obeys:
                v.low_u.append(f"{cid} at {self.at:.1f}: U {grant.reserved_a} < {allowed}")
        v.check_limits(out, self.limits, self.at)
        raised = {w.connector for w in out.raises}
        for cid in raised:
            for f in self.site.path(next(c.feeder for c in self.site.connectors if c.id == cid)):
                book = out.feeders[f.id]
                for p in range(3):
                    lowest = min(f.rating_a[p], *(x.limit_a[p] for x in self.limits if x.feeder == f.id), 1e9)
                    bound = lowest - max(1.0, 0.03 * f.rating_a[p]) - book.base_a[p]
                    if book.reserved_a[p] > bound + 0.01 and p in self._phases(cid):
                        v.broken_bounds.append(f"{f.id} L{p + 1} at {self.at:.1f}: {book.reserved_a[p]} > {bound}")

    def _phases(self, cid: ConnectorId) -> list[int]:
        return [p.position for i, p in enumerate(self.boxes[cid].connector.wiring) if self.boxes[cid].live[i]]

    # -- one second -------------------------------------------------------------------------------------------

    def second(self) -> None:
        """Poll, decide, write, five steps of physics."""
        for k in range(5):
            self.physics()
            awake = self.alive and self.at >= self.asleep_until
            if awake and k == 0:
                self.poll()
            if awake and k == 2:
                self.decide()
            if awake:
                self.send()
                self.end_leases()
            self.at = round(self.at + STEP_S, 3)

    def run(self, seconds: int) -> None:
        """Let the site run."""
        for _ in range(seconds):
            self.second()

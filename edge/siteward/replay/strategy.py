"""One site file run over the recorded day: its own turn decides, modelled chargers obey, modelled cars draw."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce

from siteward.control.demand import Demand
from siteward.control.limits import static_limits
from siteward.control.load import LoadOutcome, load_turn, start_memory
from siteward.control.tree import Outlet, tree_of
from siteward.model.ids import ConnectorId, FeederId, MeterId
from siteward.model.limits import Limit
from siteward.model.readings import ChargerReading, MeterReading, Pilot
from siteward.model.recovered import Recovered
from siteward.model.site import Connector, Site
from siteward.model.snapshot import Snapshot
from siteward.model.units import ZERO, PerPhase, add
from siteward.model.wire import FrameKind, FrameStage, WireEvent, Write, WriteKind
from siteward.replay.moments import Moment

POLLED_S, WRITTEN_S = 0.2, 0.8
"""Age of a modelled poll, and of the writes of the turn before, at a turn."""
FOLLOW_S = 5.0
"""Time that a car may take to follow a lower limit (IEC 61851-1): all of it is taken; a raise is followed at once."""
MISSED = 2
_EDGE_A = 0.05


@dataclass(frozen=True, slots=True)
class Step:
    """What one second came to; load_a is by feeder, drawn_a by the charger's own phases."""

    moment: Moment
    outcome: LoadOutcome
    load_a: Mapping[FeederId, PerPhase]
    drawn_a: Mapping[ConnectorId, PerPhase]
    limit_a: Mapping[ConnectorId, float]
    demands: Mapping[ConnectorId, Demand]


class Strategy:
    """Runs one site; the same moments give the same steps."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.tree = tree_of(site)
        self._children = {f.id: [g.id for g in site.feeders if g.parent == f.id] for f in site.feeders}
        self._static = static_limits(site)
        self._limit_a: dict[ConnectorId, float] = {}
        self._before: dict[ConnectorId, list[tuple[float, float]]] = {}
        self._heard: dict[ConnectorId, float] = {}
        self._mark: dict[ConnectorId, int | None] = {}
        self._meters: dict[MeterId, MeterReading] = {}
        self._writes: tuple[Write, ...] = ()
        self._memory = start_memory(site, Recovered(), 0.0)

    def step(self, moment: Moment) -> Step:
        """Decide this second with what the seconds before it led to."""
        at = moment.recorded.snapshot.at
        if moment.begins:
            self._begin(moment, at)
        self._obey(moment, at)
        draws = {o.id: self._draw(moment, o) for o in self.tree.outlets}
        load = self._load(moment, draws)
        demands = self._demands(moment)
        snapshot = self._snapshot(moment, draws, load)
        outcome = load_turn(self.site, snapshot, demands, self._limits(moment), self._memory)
        self._memory = outcome.memory
        self._writes = (*outcome.cuts, *outcome.failsafes, *outcome.raises)
        return Step(moment, outcome, load, draws, dict(self._limit_a), demands)

    def _begin(self, moment: Moment, at: float) -> None:
        """Start as core did: nothing read, every charger at what it truly had."""
        self._memory = start_memory(self.site, Recovered(), at)
        self._writes, self._heard, self._mark, self._meters = (), {}, {}, {}
        chargers = moment.recorded.snapshot.chargers
        self._limit_a, self._before = {}, {}
        for o in self.tree.outlets:
            reading = chargers.get(o.id)
            known = reading is not None and reading.set_point_a is not None
            self._limit_a[o.id] = (reading.set_point_a or 0.0) if reading is not None and known else 0.0

    def _obey(self, moment: Moment, at: float) -> None:
        """Chargers that answered take what was written; one that restarted has what it came up with."""
        for write in self._writes:
            if write.kind is WriteKind.LIMIT and self._answers(moment, write.connector):
                self._set(write.connector, write.value_a, at)
        for o in self.tree.outlets:
            if self._answers(moment, o.id):
                self._heard[o.id] = at
            elif o.has_watchdog and at - self._heard.get(o.id, at) > o.watch_s:
                self._set(o.id, min(self._limit_a[o.id], o.fs_a), at)
            reading = moment.recorded.snapshot.chargers.get(o.id)
            if reading is None:
                continue
            mark = self._mark.get(o.id, reading.restart_mark)
            if mark != reading.restart_mark and reading.set_point_a is not None:
                self._set(o.id, reading.set_point_a, at)
            self._mark[o.id] = reading.restart_mark

    def _set(self, connector: ConnectorId, amps: float, at: float) -> None:
        """A new limit; a lower one is not followed at once."""
        old = self._limit_a[connector]
        if amps < old:
            self._before.setdefault(connector, []).append((at + FOLLOW_S, old))
        self._limit_a[connector] = amps

    def _followed(self, connector: ConnectorId, at: float) -> float:
        """The limit that the car is at."""
        older = self._before.get(connector)
        if older is None:
            return self._limit_a[connector]
        older = self._before[connector] = [entry for entry in older if entry[0] > at]
        return max(self._limit_a[connector], *(amps for _, amps in older), 0.0)

    def _answers(self, moment: Moment, connector: ConnectorId) -> bool:
        return moment.recorded.snapshot.misses.get(connector, 0) < MISSED

    def _draw(self, moment: Moment, o: Outlet) -> PerPhase:
        """min(limit, wanted) on each phase; nothing under a limit that no car can be told."""
        limit = self._followed(o.id, moment.recorded.snapshot.at)
        wanted = moment.wants_a.get(o.id, ZERO)
        if limit < o.connector.facts.limit.min_a - _EDGE_A or o.id not in moment.demands:
            return ZERO
        a, b, c = (min(limit, wanted[i]) if i < o.phases else 0.0 for i in range(3))
        return (a, b, c)

    def _load(self, moment: Moment, draws: Mapping[ConnectorId, PerPhase]) -> dict[FeederId, PerPhase]:
        base: dict[FeederId, PerPhase] = {}
        for node in reversed(self.tree.nodes):
            below = reduce(add, (base[child] for child in self._children[node.id]), ZERO)
            base[node.id] = self._base(moment, node.id, below)
        load = {name: list(amps) for name, amps in base.items()}
        for o in self.tree.outlets:
            for i, phase in enumerate(o.wired):
                for index in o.path:
                    load[self.tree.nodes[index].id][phase] += draws[o.id][i]
        return {name: (amps[0], amps[1], amps[2]) for name, amps in load.items()}

    def _base(self, moment: Moment, feeder: FeederId, below: PerPhase) -> PerPhase:
        """Other load as recorded; without a meter what is known below; where a meter is new, the most it may be."""
        known = moment.base_a.get(feeder)
        if known is not None:
            return known
        node = self.tree.nodes[self.tree.node_of[feeder]].feeder
        if node.meter is None:
            return below
        same = next((f.id for f in moment.site.feeders if f.meter == node.meter), None)
        if same is not None:
            return moment.base_a.get(same, ZERO)
        return ZERO if node.chargers_only else node.worst_base_load_a

    def _demands(self, moment: Moment) -> dict[ConnectorId, Demand]:
        """What was asked then, under what this site file allows: a wish for all that was allowed is one for all."""
        caps = {c.id: c.cap_a for c in moment.site.connectors}
        found = {}
        for o in self.tree.outlets:
            demand = moment.demands.get(o.id)
            if demand is not None:
                free = demand.max_a >= caps.get(o.id, 0.0) - _EDGE_A
                most = o.connector.cap_a if free else min(demand.max_a, o.connector.cap_a)
                found[o.id] = replace(demand, max_a=most, priority=o.connector.priority)
        return found

    def _limits(self, moment: Moment) -> tuple[Limit, ...]:
        """The installer's limits, and those of the time as far as they name something that is there."""
        return self._static + tuple(
            limit
            for limit in moment.recorded.limits
            if limit.feeder in self.tree.node_of or limit.connector in self.tree.outlet_of
        )

    def _snapshot(
        self, moment: Moment, draws: Mapping[ConnectorId, PerPhase], load: Mapping[FeederId, PerPhase]
    ) -> Snapshot:
        past = moment.recorded.snapshot
        chargers: dict[ConnectorId, ChargerReading] = {}
        wire: list[WireEvent] = []
        for o in self.tree.outlets:
            reading = past.chargers.get(o.id)
            if reading is None and o.id in past.misses:
                continue
            answers = self._answers(moment, o.id)
            wire.extend(_frame(o.id, FrameKind.READ, None, past.at - POLLED_S, answers, None))
            if answers:
                chargers[o.id] = self._reading(moment, o, reading, draws[o.id])
        for write in self._writes:
            kind = FrameKind.LIMIT if write.kind is WriteKind.LIMIT else FrameKind.FAILSAFE
            answers = self._answers(moment, write.connector)
            wire.extend(_frame(write.connector, kind, write.value_a, past.at - WRITTEN_S, answers, write.turn))
        return Snapshot(
            at=past.at,
            wall=past.wall,
            clock=past.clock,
            turn=past.turn,
            meters=self._metered(moment, load),
            chargers=chargers,
            misses={name: count for name, count in past.misses.items() if name in self.tree.outlet_of},
            meter_misses=past.meter_misses,
            wire=tuple(sorted(wire, key=lambda event: event.at)),
        )

    def _reading(self, moment: Moment, o: Outlet, past: ChargerReading | None, amps: PerPhase) -> ChargerReading:
        """The recorded poll, but for what this site file would have changed; a charger of its own stands idle."""
        at = moment.recorded.snapshot.at - POLLED_S
        c = o.connector
        if past is None:
            past = ChargerReading(c.id, at, pilot=Pilot.A, failsafe_a=c.failsafe_a, standby_off=True)
            past = replace(past, failsafe_timeout_s=o.tw_s, restart_mark=1)
        old = next((x for x in moment.site.connectors if x.id == c.id), c)
        return replace(
            past,
            sent_at=at,
            charging=max(amps) > 0.0,
            set_point_a=self._limit_a[o.id],
            measured_a=amps if c.facts.measures_current else None,
            failsafe_a=_moved(past.failsafe_a, old.failsafe_a, c.failsafe_a),
            failsafe_timeout_s=_moved(past.failsafe_timeout_s, _time_out(old), _time_out(c)),
        )

    def _metered(self, moment: Moment, load: Mapping[FeederId, PerPhase]) -> dict[MeterId, MeterReading]:
        """Each meter shows what this site would have carried; one that was lost then is lost here."""
        past = moment.recorded.snapshot
        for feeder in self.site.feeders:
            if feeder.meter is None:
                continue
            reading = past.meters.get(feeder.meter)
            if reading is None and any(f.meter == feeder.meter for f in moment.site.feeders):
                continue
            if reading is None:
                volts = moment.site.phase_voltage_v + past.turn % 7 / 10.0
                reading = MeterReading(feeder.meter, past.at - POLLED_S, voltage_v=(volts, volts, volts))
            before = self._meters.get(feeder.meter)
            if before is None or reading.sent_at > before.sent_at:
                self._meters[feeder.meter] = replace(reading, current_a=load[feeder.id], power_w=None)
        return dict(self._meters)


def _frame(
    connector: ConnectorId, kind: FrameKind, amps: float | None, at: float, answered: bool, turn: int | None
) -> tuple[WireEvent, WireEvent]:
    end = FrameStage.ANSWERED if answered else FrameStage.FAILED
    return (
        WireEvent(connector, kind, FrameStage.SENT, at, amps, at, turn),
        WireEvent(connector, kind, end, at + 0.1, amps, at, turn),
    )


def _moved(shown: float | None, old: float | None, new: float | None) -> float | None:
    """A value that stood as the old site file wanted it would stand as the new one wants it; a wrong one stays."""
    right = shown is not None and old is not None and abs(shown - old) <= _EDGE_A
    return new if right else shown


def _time_out(c: Connector) -> float | None:
    return c.facts.failsafe.timeout_s if c.facts.failsafe is not None else None

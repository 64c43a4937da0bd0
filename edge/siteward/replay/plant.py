"""The modelled plant of a replay: chargers that obey, cars that draw, meters and polls as late as they were then."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce

from siteward.control.tree import Outlet, tree_of
from siteward.model.ids import ConnectorId, FeederId, MeterId
from siteward.model.readings import ChargerReading, MeterReading, Pilot
from siteward.model.site import Connector, Site
from siteward.model.snapshot import Snapshot
from siteward.model.units import ZERO, PerPhase, add
from siteward.model.wire import FrameKind, FrameStage, WireEvent, Write, WriteKind
from siteward.replay.moments import Moment

WRITTEN_S, POLLED_S = 0.8, 0.2
"""How long before a turn the writes of the turn before arrive, and what the record has no poll of is polled."""
ANSWER_S = 0.1
FOLLOW_S = 5.0
"""Time that a car may take to follow a lower limit (IEC 61851-1): all of it is taken; a raise is followed at once."""
MISSED = 2
KEPT = 12
"""Seconds of the past that late polls can look back on."""
EDGE_A = 0.05


@dataclass(frozen=True, slots=True)
class Flow:
    """What stood from an instant on: limits, the charger's own phases of what is drawn, load by feeder."""

    since: float
    limit_a: Mapping[ConnectorId, float]
    drawn_a: Mapping[ConnectorId, PerPhase]
    load_a: Mapping[FeederId, PerPhase]


class Plant:
    """One site's chargers, cars and meters; `flow` moves them on by a second, `snapshot` is what core would see."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._tree = tree_of(site)
        self._children = {f.id: [g.id for g in site.feeders if g.parent == f.id] for f in site.feeders}
        self._limit_a: dict[ConnectorId, float] = {}
        self._before: dict[ConnectorId, list[tuple[float, float]]] = {}
        self._heard: dict[ConnectorId, float] = {}
        self._mark: dict[ConnectorId, int | None] = {}
        self._closed: dict[ConnectorId, int] = {}
        self._read: dict[ConnectorId, ChargerReading] = {}
        self._meters: dict[MeterId, MeterReading] = {}
        self._flows: deque[Flow] = deque(maxlen=KEPT)
        self._then: dict[ConnectorId, Connector] = {}

    def begin(self, moment: Moment) -> None:
        """Start with every charger at what it truly had; what it had before it was first read is nothing."""
        self._before, self._heard, self._mark, self._read, self._meters = {}, {}, {}, {}, {}
        self._flows.clear()
        self._closed = {}
        self._then = {c.id: c for c in moment.site.connectors}
        chargers = moment.recorded.snapshot.chargers
        points = {name: reading.set_point_a for name, reading in chargers.items()}
        self._limit_a = {o.id: points.get(o.id) or 0.0 for o in self._tree.outlets}

    def flow(self, moment: Moment, writes: tuple[Write, ...]) -> Flow:
        """Let the writes arrive and the cars follow; what came of it stands from then on."""
        at = moment.recorded.snapshot.at
        self._obey(moment, writes, at)
        drawn = {o.id: self._draw(moment, o, at) for o in self._tree.outlets}
        now = Flow(at - WRITTEN_S + ANSWER_S, dict(self._limit_a), drawn, self._load(moment, drawn))
        self._flows.append(now)
        return now

    def snapshot(self, moment: Moment, writes: tuple[Write, ...]) -> Snapshot:
        """What core would have seen: the recorded polls, with what this site file would have made of them."""
        past = moment.recorded.snapshot
        wire: list[WireEvent] = []
        for o in self._tree.outlets:
            reading = past.chargers.get(o.id) or self._unknown(o, past)
            answers = self._answers(moment, o.id)
            if reading is None or not answers:
                if o.id in past.misses:
                    wire += _frame(o.id, FrameKind.READ, None, past.at - POLLED_S, answers, None)
                continue
            before = self._read.get(o.id)
            if before is None or reading.sent_at > before.sent_at:
                self._read[o.id] = self._shown(o, reading)
                wire += _frame(o.id, FrameKind.READ, None, reading.sent_at, answers, None)
        for write in writes:
            answers = self._answers(moment, write.connector)
            kind = FrameKind(write.kind)
            wire += _frame(write.connector, kind, write.value_a, past.at - WRITTEN_S, answers, write.turn)
        return Snapshot(
            at=past.at,
            wall=past.wall,
            clock=past.clock,
            turn=past.turn,
            meters=self._metered(moment),
            chargers=dict(self._read),
            misses={name: count for name, count in past.misses.items() if name in self._tree.outlet_of},
            meter_misses=past.meter_misses,
            inputs=past.inputs,
            wire=tuple(sorted(wire, key=lambda event: event.at)),
        )

    def _obey(self, moment: Moment, writes: tuple[Write, ...], at: float) -> None:
        """Chargers that answered take what was written; one that restarted has what it came up with."""
        for write in writes:
            if write.kind is WriteKind.LIMIT and self._answers(moment, write.connector):
                self._set(write.connector, write.value_a, at)
            elif write.kind is WriteKind.PHASES and self._answers(moment, write.connector):
                self._closed[write.connector] = int(write.value_a)
        for o in self._tree.outlets:
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

    def _draw(self, moment: Moment, o: Outlet, at: float) -> PerPhase:
        """min(limit, wanted) on each phase; nothing under a limit that no car can be told."""
        limit = self._followed(o.id, at)
        wanted = moment.wants_a.get(o.id, ZERO)
        if limit < o.connector.facts.limit.min_a - EDGE_A or o.id not in moment.demands:
            return ZERO
        phases = min(o.phases, self._closed.get(o.id, o.phases))
        a, b, c = (min(limit, wanted[i]) if i < phases else 0.0 for i in range(3))
        return (a, b, c)

    def _load(self, moment: Moment, drawn: Mapping[ConnectorId, PerPhase]) -> dict[FeederId, PerPhase]:
        base: dict[FeederId, PerPhase] = {}
        for node in reversed(self._tree.nodes):
            below = reduce(add, (base[child] for child in self._children[node.id]), ZERO)
            base[node.id] = self._base(moment, node.id, below)
        load = {name: list(amps) for name, amps in base.items()}
        for o in self._tree.outlets:
            for i, phase in enumerate(o.wired):
                for index in o.path:
                    load[self._tree.nodes[index].id][phase] += drawn[o.id][i]
        return {name: (amps[0], amps[1], amps[2]) for name, amps in load.items()}

    def _base(self, moment: Moment, feeder: FeederId, below: PerPhase) -> PerPhase:
        """Other load as recorded; without a meter what is known below; where a meter is new, the most it may be."""
        known = moment.base_a.get(feeder)
        if known is not None:
            return known
        node = self._tree.nodes[self._tree.node_of[feeder]].feeder
        if node.meter is None:
            return below
        same = next((f.id for f in moment.site.feeders if f.meter == node.meter), None)
        if same is not None:
            return moment.base_a.get(same, ZERO)
        return ZERO if node.chargers_only else node.worst_base_load_a

    def _unknown(self, o: Outlet, past: Snapshot) -> ChargerReading | None:
        """The poll of a charger that the record does not know: it stands idle, as this site file wants it."""
        if o.id in self._then:
            return None
        return ChargerReading(
            o.id,
            past.at - POLLED_S,
            pilot=Pilot.A,
            failsafe_a=o.connector.failsafe_a,
            failsafe_timeout_s=o.tw_s,
            standby_off=True,
            restart_mark=1,
        )

    def _shown(self, o: Outlet, past: ChargerReading) -> ChargerReading:
        """The recorded poll, but for what this site file would have changed."""
        c = o.connector
        then = self._then.get(c.id, c)
        amps = self._at(past.sent_at - c.facts.measure_lag_s).drawn_a[c.id]
        return replace(
            past,
            charging=max(amps) > 0.0,
            set_point_a=self._at(past.sent_at).limit_a[c.id],
            measured_a=amps if c.facts.measures_current else None,
            phases_closed=self._closed.get(c.id, past.phases_closed),
            failsafe_a=_moved(past.failsafe_a, then.failsafe_a, c.failsafe_a),
            failsafe_timeout_s=_moved(past.failsafe_timeout_s, _time_out(then), _time_out(c)),
        )

    def _metered(self, moment: Moment) -> dict[MeterId, MeterReading]:
        """Each meter shows what this site would have carried; one that was lost then is lost here."""
        past = moment.recorded.snapshot
        known = {f.meter for f in moment.site.feeders}
        for node in self._tree.nodes:
            meter = node.feeder.meter
            reading = past.meters.get(meter) if meter is not None else None
            if meter is None or (reading is None and meter in known):
                continue
            if reading is None:
                volts = moment.site.phase_voltage_v + past.turn % 7 / 10.0
                reading = MeterReading(meter, past.at - POLLED_S, voltage_v=(volts, volts, volts))
            before = self._meters.get(meter)
            if before is None or reading.sent_at > before.sent_at:
                load = self._at(reading.sent_at - node.refresh_s).load_a[node.id]
                self._meters[meter] = replace(reading, current_a=load, power_w=None)
        return dict(self._meters)

    def _at(self, at: float) -> Flow:
        """What stood at an instant; before the first one known, what stood then."""
        return next((flow for flow in reversed(self._flows) if flow.since <= at), self._flows[0])


def _frame(
    connector: ConnectorId, kind: FrameKind, amps: float | None, at: float, answered: bool, turn: int | None
) -> tuple[WireEvent, WireEvent]:
    end = FrameStage.ANSWERED if answered else FrameStage.FAILED
    return (
        WireEvent(connector, kind, FrameStage.SENT, at, amps, at, turn),
        WireEvent(connector, kind, end, at + ANSWER_S, amps, at, turn),
    )


def _moved(shown: float | None, old: float | None, new: float | None) -> float | None:
    """A value that stood as the old site file wanted it would stand as the new one wants it; a wrong one stays."""
    right = shown is not None and old is not None and abs(shown - old) <= EDGE_A
    return new if right else shown


def _time_out(c: Connector) -> float | None:
    return c.facts.failsafe.timeout_s if c.facts.failsafe is not None else None

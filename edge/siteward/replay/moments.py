"""The recorded day made ready: what else flowed under each meter, and what each car would have taken.

Open loop: a car answers a limit with the smaller of the limit and what it drew or wanted then. That a car which got
less would have stayed longer, or drawn later, is not in it.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from siteward.control.demand import Demand
from siteward.control.record import Recorded
from siteward.control.tree import Node, Outlet, tree_of
from siteward.model.ids import ConnectorId, FeederId
from siteward.model.readings import ChargerReading
from siteward.model.site import Connector, Feeder, Site
from siteward.model.units import FLOOR_A, ZERO, PerPhase

AHEAD = 5
"""Turns that are read ahead: a meter and a charger are asked seconds apart, and their values are joined in time."""
SETTLED_S = 10.0
"""A car that draws less than it may for so long after its limit changed is at its own maximum."""
GAP_S = 30.0
"""No turn for so long: core was not running, and a replay starts anew."""
OLD_S = 5.0
MOST_GENERATED_A = 10_000.0
LIMITED_A = 1.0
"""A car within this of its limit is held by the limit."""
ALL_IT_MAY = 1000.0
"""What a car wants that never drew less than it was allowed, A: more than any limit."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One recorded second; base_a is the load of each metered feeder that is no charger, A on each phase.

    load_a is what its meter showed; wants_a, drawn_a are by the charger's own phases. begins: the first one after a
    gap, a start of core or a change of its site.
    """

    recorded: Recorded
    site: Site
    base_a: Mapping[FeederId, PerPhase]
    load_a: Mapping[FeederId, PerPhase]
    wants_a: Mapping[ConnectorId, PerPhase]
    drawn_a: Mapping[ConnectorId, PerPhase]
    demands: Mapping[ConnectorId, Demand]
    begins: bool


@dataclass(slots=True)
class _Car:
    """What is known of the car at one connector since it was plugged in."""

    phases: set[int] = field(default_factory=set)
    own_a: float = 0.0
    wants_a: float = ALL_IT_MAY
    set_a: float = -1.0
    set_since: float = 0.0
    since: float | None = None


@dataclass(frozen=True, slots=True)
class _Seen:
    """A turn on its way through the window."""

    recorded: Recorded
    site: Site
    begins: bool


def moments(rows: Iterable[tuple[Recorded, Site]]) -> Iterator[Moment]:
    """Make ready what was recorded, in its order; the last few turns see less far ahead than the others."""
    waiting: deque[_Seen] = deque()
    day = _Day()
    last: _Seen | None = None
    for recorded, site in rows:
        seen = last = _Seen(recorded, site, _begins(last, recorded, site))
        if seen.begins:
            yield from (day.moment(waiting.popleft()) for _ in range(len(waiting)))
            day = _Day()
        waiting.append(seen)
        day.note(seen)
        if len(waiting) > AHEAD:
            yield day.moment(waiting.popleft())
    yield from (day.moment(waiting.popleft()) for _ in range(len(waiting)))


def _begins(last: _Seen | None, recorded: Recorded, site: Site) -> bool:
    if last is None or last.site is not site:
        return True
    passed = recorded.snapshot.at - last.recorded.snapshot.at
    return recorded.snapshot.turn < last.recorded.snapshot.turn or not 0.0 < passed <= GAP_S


def drawn(c: Connector, reading: ChargerReading) -> PerPhase:
    """Current by the charger's own phases; of a charger that measures none, its limit while it charges."""
    if reading.measured_a is not None:
        return reading.measured_a
    amps = reading.set_point_a or 0.0
    if not reading.charging or amps <= 0.0:
        return ZERO
    return (amps, amps if len(c.wiring) > 1 else 0.0, amps if len(c.wiring) > 2 else 0.0)


class _Day:
    """What is carried from turn to turn within one run of core."""

    def __init__(self) -> None:
        self._cars: dict[ConnectorId, _Car] = {}
        self._draws: dict[ConnectorId, deque[tuple[float, PerPhase]]] = {}
        self._base: dict[FeederId, PerPhase] = {}

    def note(self, seen: _Seen) -> None:
        """Take in what the chargers of a turn show, AHEAD turns before it is made ready."""
        for c in seen.site.connectors:
            reading = seen.recorded.snapshot.chargers.get(c.id)
            if reading is None:
                continue
            known = self._draws.setdefault(c.id, deque(maxlen=4 * AHEAD))
            if not known or reading.sent_at > known[-1][0]:
                known.append((reading.sent_at, drawn(c, reading)))

    def moment(self, seen: _Seen) -> Moment:
        """Make one turn ready."""
        snapshot, site = seen.recorded.snapshot, seen.site
        load = {f.id: amps for f in site.feeders if (amps := _shown(seen, f)) is not None}
        base = {
            n.id: self._rest(n, tree_of(site).outlets, seen, load[n.id]) for n in tree_of(site).nodes if n.id in load
        }
        self._base.update(base)
        wants: dict[ConnectorId, PerPhase] = {}
        draws: dict[ConnectorId, PerPhase] = {}
        demands: dict[ConnectorId, Demand] = {}
        for c in site.connectors:
            reading = snapshot.chargers.get(c.id)
            if reading is None:
                continue
            draws[c.id] = drawn(c, reading)
            there = reading.pilot is None or reading.pilot.plugged
            if not there:
                self._cars.pop(c.id, None)
            car = self._cars.setdefault(c.id, _Car())
            _learn(car, reading, draws[c.id], snapshot.at)
            wants[c.id] = _wish(c, car) if there else ZERO
            demand = _demand(seen.recorded, c, car, reading)
            if demand is not None:
                demands[c.id] = demand
        return Moment(seen.recorded, site, base, load, wants, draws, demands, seen.begins)

    def _rest(self, node: Node, outlets: Sequence[Outlet], seen: _Seen, load: PerPhase) -> PerPhase:
        """Other load = meter - chargers, as near to what it was as the readings around this instant allow.

        Meter and chargers are read seconds apart: while a car moves, its draw is only known to lie between two polls.
        """
        reading = seen.recorded.snapshot.meters.get(node.feeder.meter) if node.feeder.meter is not None else None
        if reading is None:
            return ZERO
        facts = next(m.facts for m in seen.site.meters if m.id == node.feeder.meter)
        low, high = list(load), list(load)
        for o in (outlets[i] for i in node.below):
            if o.id not in self._draws:
                continue
            begun = reading.sent_at - facts.refresh_s - facts.window_s
            around = _around(self._draws[o.id], begun, reading.sent_at + o.connector.facts.measure_lag_s)
            for i, phase in enumerate(o.wired):
                low[phase] -= max(amps[i] for amps in around)
                high[phase] -= min(amps[i] for amps in around)
        floor = -MOST_GENERATED_A if node.feeder.generation else 0.0
        before = self._base.get(node.id)
        a, b, c = (
            max(floor, (low[p] + high[p]) / 2.0 if before is None else min(max(before[p], low[p]), high[p]))
            for p in range(3)
        )
        return (a, b, c)


def _around(known: Sequence[tuple[float, PerPhase]], begun: float, ended: float) -> list[PerPhase]:
    """What a charger showed from the last poll before a stretch of time to the first one after it."""
    first = max((i for i, (at, _) in enumerate(known) if at <= begun), default=0)
    last = min((i for i, (at, _) in enumerate(known) if at >= ended), default=len(known) - 1)
    return [known[i][1] for i in range(first, max(first, last) + 1)]


def _shown(seen: _Seen, feeder: Feeder) -> PerPhase | None:
    snapshot = seen.recorded.snapshot
    reading = snapshot.meters.get(feeder.meter) if feeder.meter is not None else None
    if reading is None or reading.current_a is None or snapshot.at - reading.sent_at > OLD_S:
        return None
    return reading.current_a


def _learn(car: _Car, reading: ChargerReading, amps: PerPhase, at: float) -> None:
    """What the car wants, from what it draws against what it may."""
    car.phases |= {i for i in range(3) if amps[i] >= 1.0}
    allowed, most = reading.set_point_a or 0.0, max(amps)
    if abs(allowed - car.set_a) > 0.05:
        car.set_a, car.set_since = allowed, at
    if allowed < FLOOR_A:
        return
    if most >= allowed - LIMITED_A:
        car.wants_a = car.own_a if car.own_a >= most - LIMITED_A / 2 else ALL_IT_MAY
    elif at - car.set_since >= SETTLED_S:
        car.wants_a = most
        car.own_a = max(car.own_a, most)
    else:
        car.wants_a = max(car.wants_a, most)


def _wish(c: Connector, car: _Car) -> PerPhase:
    if not car.phases and car.set_a >= FLOOR_A:
        # Allowed and never seen to draw: it sleeps, and wakes when it woke then.
        return ZERO
    phases = car.phases or set(range(len(c.wiring)))
    a, b, d = (car.wants_a if i in phases else 0.0 for i in range(3))
    return (a, b, d)


def _demand(recorded: Recorded, c: Connector, car: _Car, reading: ChargerReading) -> Demand | None:
    """What was asked of the fuses; a trace that does not say so: whoever got current wants it until it leaves."""
    if recorded.demands is not None:
        return recorded.demands.get(c.id)
    if car.since is None and ((reading.set_point_a or 0.0) >= FLOOR_A or reading.charging):
        car.since = recorded.snapshot.at
    if car.since is None:
        return None
    return Demand(wants=True, max_a=c.cap_a, priority=c.priority, waiting_since=car.since)

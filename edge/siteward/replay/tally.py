"""What a strategy came to over the whole time: load of each fuse, current of each connector, overloads with causes."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from siteward.control.tree import EPS, Node, Tree
from siteward.model.alarms import Alarm
from siteward.model.ids import ConnectorId, FeederId
from siteward.model.limits import Cause, CauseStep, Grant
from siteward.model.units import FLOOR_A, ZERO, PerPhase
from siteward.replay.strategy import Step

MOST_EPISODES = 40
"""Overloads that are told in full, for each strategy; the others are counted."""
JOIN_S = 10.0
"""Overloads of one feeder that follow each other within this time are one."""
LONGEST_STEP_S = 5.0
"""A recorded second lasts at most so long: what is missing from the trace counts for nothing."""
Why = tuple[tuple[Cause, FeederId | None, str | None], ...]
"""A cause chain without its amperes, to be counted."""


@dataclass(slots=True)
class FeederTally:
    """Load of one fuse; used is load / rating of the phase that was fullest, at peak_at."""

    rating_a: PerPhase
    metered: bool
    peak_used: float = 0.0
    peak_a: float = 0.0
    peak_phase: int = 0
    peak_at: datetime | None = None
    over_s: float = 0.0
    longest_over_s: float = 0.0
    sheds: int = 0
    run_s: float = 0.0

    def add(self, load: PerPhase, wall: datetime, seconds: float) -> float:
        """Book a second and return load / rating of the fullest phase."""
        used, phase = max((load[p] / self.rating_a[p], p) for p in range(3))
        if used > self.peak_used:
            self.peak_used, self.peak_a, self.peak_phase, self.peak_at = used, load[phase], phase, wall
        if used > 1.0 + EPS:
            self.over_s += seconds
            self.run_s += seconds
            self.longest_over_s = max(self.longest_over_s, self.run_s)
        else:
            self.run_s = 0.0
        return used


@dataclass(slots=True)
class ConnectorTally:
    """Current of one connector; amp_s is A*s on its fullest phase, why counts the seconds under each cause chain.

    why_as is the A*s of each link of a chain, for the mean current that its sentence tells.
    """

    energy_wh: float = 0.0
    amp_s: float = 0.0
    drawing_s: float = 0.0
    wanted_s: float = 0.0
    paused_s: float = 0.0
    pauses: int = 0
    running: bool = False
    why: Counter[Why] = field(default_factory=Counter)
    why_as: dict[Why, list[float]] = field(default_factory=dict)

    @property
    def mean_a(self) -> float:
        """Mean current while it drew any."""
        return self.amp_s / self.drawing_s if self.drawing_s else 0.0

    def held(self, chain: tuple[CauseStep, ...], seconds: int) -> None:
        """Count time under a cause chain."""
        why = tuple((link.cause, link.feeder, link.limit) for link in chain)
        self.why[why] += seconds
        sums = self.why_as.setdefault(why, [0.0] * len(why))
        for i, link in enumerate(chain):
            sums[i] += link.limit_a * seconds

    def mean_chain(self, why: Why) -> tuple[CauseStep, ...]:
        """A counted chain with the mean current of each link."""
        seconds = self.why[why]
        means = (round(sum_as / seconds, 1) for sum_as in self.why_as[why])
        links = zip(means, why, strict=True)
        return tuple(CauseStep(cause, amps, feeder, limit) for amps, (cause, feeder, limit) in links)


@dataclass(slots=True)
class Episode:
    """One overload or shed: which fuse, from when to when, how high, why the connectors below had their currents.

    grants are those of the first turn in which the fuse forced a cut, else of the overload's begin; before_a are the
    limits of the turn before it; seconds is the time above the rating, 0 where the cut came first.
    """

    feeder: FeederId
    began: datetime
    ended: datetime
    grants: tuple[Grant, ...]
    before_a: Mapping[ConnectorId, float]
    seconds: float = 0.0
    phase: int = 0
    peak_a: float = 0.0
    rating_a: float = 0.0
    base_a: float = 0.0
    forced: bool = False


@dataclass(slots=True)
class Tally:
    """All of one strategy."""

    feeders: dict[FeederId, FeederTally]
    connectors: dict[ConnectorId, ConnectorTally]
    alarms: dict[Alarm, tuple[datetime, float]] = field(default_factory=dict)
    episodes: list[Episode] = field(default_factory=list)
    episodes_left_out: int = 0
    open: dict[FeederId, Episode] = field(default_factory=dict)


def start(tree: Tree) -> Tally:
    """Tally of a site with nothing booked yet."""
    feeders = {n.id: FeederTally(n.feeder.rating_a, n.feeder.meter is not None) for n in tree.nodes}
    return Tally(feeders, {o.id: ConnectorTally() for o in tree.outlets})


def book(tally: Tally, tree: Tree, step: Step, before_a: Mapping[ConnectorId, float], seconds: float) -> None:
    """Add one second; before_a are the limits of the second before."""
    wall = step.moment.recorded.snapshot.wall
    for node in tree.nodes:
        over = tally.feeders[node.id].add(step.flow.load_a[node.id], wall, seconds) > 1.0 + EPS
        shed = _shed(node, step)
        if over or shed:
            episode = _episode(tally, tree, node, step, before_a, shed)
            episode.seconds += seconds if over else 0.0
    for o in tree.outlets:
        _current(tally.connectors[o.id], o.id, step, seconds)
    for alarm in step.outcome.alarms:
        first, length = tally.alarms.get(alarm, (wall, 0.0))
        tally.alarms[alarm] = (first, length + seconds)


def _shed(node: Node, step: Step) -> bool:
    """Whether this fuse forced a cut of more than 2 A in this turn; a meter that came back starts the same wait."""
    if step.outcome.memory.nodes[node.index].shed_at != step.moment.recorded.snapshot.at:
        return False
    grants = step.outcome.grants
    return any(node.id in {link.feeder for link in grants[write.connector].chain} for write in step.outcome.cuts)


def _current(c: ConnectorTally, name: ConnectorId, step: Step, seconds: float) -> None:
    amps = step.flow.drawn_a[name]
    volts = step.moment.site.phase_voltage_v
    c.energy_wh += sum(amps) * volts * seconds / 3600.0
    if max(amps) > 0.0:
        c.drawing_s += seconds
        c.amp_s += max(amps) * seconds
    wants, limit = name in step.demands, step.flow.limit_a[name]
    if wants:
        c.wanted_s += seconds
        c.held(step.outcome.grants[name].chain, round(seconds))
    if wants and limit < FLOOR_A:
        c.paused_s += seconds
        c.pauses += c.running
    c.running = wants and limit >= FLOOR_A


def _episode(
    tally: Tally, tree: Tree, node: Node, step: Step, before_a: Mapping[ConnectorId, float], shed: bool
) -> Episode:
    """The overload of this feeder that is there, or a new one, with this second in it."""
    wall, load = step.moment.recorded.snapshot.wall, step.flow.load_a[node.id]
    now = tally.open.get(node.id)
    if now is None or (wall - now.ended).total_seconds() > JOIN_S:
        now = tally.open[node.id] = Episode(node.id, wall, wall, _below(tree, node, step), dict(before_a))
        if len(tally.episodes) < MOST_EPISODES:
            tally.episodes.append(now)
        else:
            tally.episodes_left_out += 1
    if shed and not now.forced:
        now.grants, now.before_a, now.forced = _below(tree, node, step), dict(before_a), True
        tally.feeders[node.id].sheds += 1
    now.ended = wall
    phase = max(range(3), key=lambda p: load[p] / node.feeder.rating_a[p])
    if load[phase] > now.peak_a:
        now.phase, now.peak_a, now.rating_a = phase, load[phase], node.feeder.rating_a[phase]
        now.base_a = step.moment.base_a.get(node.id, ZERO)[phase]
    return now


def _below(tree: Tree, node: Node, step: Step) -> tuple[Grant, ...]:
    """Grants of the connectors below that want current."""
    names = (tree.outlets[i].id for i in node.below)
    return tuple(step.outcome.grants[name] for name in names if name in step.demands)

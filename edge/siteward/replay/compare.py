"""Two strategies over the same day: where they first part, what each came to, and what cannot be compared."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from siteward.control.record import Recorded
from siteward.model.ids import ConnectorId, FeederId
from siteward.model.limits import Grant
from siteward.model.site import Site
from siteward.replay.curves import Curves
from siteward.replay.moments import Moment, moments
from siteward.replay.obedience import Disobedience, Obedience
from siteward.replay.strategy import Step, Strategy
from siteward.replay.tally import LONGEST_STEP_S, FeederTally, Tally, book, start

APART_A, APART_S = 1.0, 3.0
"""Limits differ when they are so far apart for so long: a turn more or less on the way there is no difference."""


class Note(StrEnum):
    """What a reader must know about the two trees: why a part of the result is missing or assumed."""

    CONNECTOR_GONE = "connector_gone"
    CONNECTOR_NEW = "connector_new"
    CONNECTOR_MOVED = "connector_moved"
    FEEDER_GONE = "feeder_gone"
    FEEDER_NEW = "feeder_new"
    METER_UNKNOWN = "meter_unknown"
    NO_METER = "no_meter"
    GAP = "gap"
    SITE_CHANGED = "site_changed"
    NO_DEMANDS = "no_demands"
    UNPROVEN = "unproven"


@dataclass(frozen=True, slots=True)
class Difference:
    """The first time that a connector would have had another limit, with why in both."""

    connector: ConnectorId
    wall: datetime
    running_a: float
    changed_a: float
    running: Grant
    changed: Grant


@dataclass(slots=True)
class Run:
    """One strategy with its site and what it came to."""

    site: Site
    tally: Tally


@dataclass(slots=True)
class Replay:
    """The whole result; changed is None where only what runs was replayed. recorded is what the meters showed.

    disobeyed is of the recorded day too: in the replay every charger obeys.
    """

    running: Run
    changed: Run | None
    recorded: dict[FeederId, FeederTally]
    curves: Curves
    began: datetime | None = None
    ended: datetime | None = None
    seconds: float = 0.0
    differences: dict[ConnectorId, Difference] = field(default_factory=dict)
    notes: list[tuple[Note, str]] = field(default_factory=list)
    disobeyed: dict[ConnectorId, Disobedience] = field(default_factory=dict)


class _Side:
    """A strategy on its way, and the limits of its second before."""

    def __init__(self, site: Site) -> None:
        self.strategy = Strategy(site)
        self.tally = start(self.strategy.tree)
        self._limits: dict[ConnectorId, float] = {}

    def go(self, moment: Moment, seconds: float) -> Step:
        """One second."""
        step = self.strategy.step(moment)
        book(self.tally, self.strategy.tree, step, self._limits, seconds)
        self._limits = dict(step.flow.limit_a)
        return step


def replay(rows: Iterable[tuple[Recorded, Site]], running: Site, changed: Site | None, curves: Curves) -> Replay:
    """Run what runs now, and what might run, over the recorded turns."""
    sides = [_Side(site) for site in (running, changed) if site is not None]
    meters = {f.id: FeederTally(f.rating_a, True) for f in running.feeders if f.meter is not None}
    done = Replay(
        Run(running, sides[0].tally), Run(changed, sides[1].tally) if changed is not None else None, meters, curves
    )
    apart: dict[ConnectorId, tuple[float, Difference]] = {}
    told: set[tuple[Note, str]] = set()
    last: Moment | None = None
    obedience = Obedience()
    for moment in moments(rows):
        seconds = _length(last, moment)
        obedience.note(moment.recorded, moment.site, moment.begins, seconds)
        steps = [side.go(moment, seconds) for side in sides]
        _account(done, moment, steps, seconds)
        if len(steps) == 2:
            _part(done, apart, steps[0], steps[1])
        _tell(done, told, last, moment)
        last = moment
    done.disobeyed = obedience.found
    return done


def _length(last: Moment | None, moment: Moment) -> float:
    if last is None or moment.begins:
        return 0.0
    return min(LONGEST_STEP_S, moment.recorded.snapshot.at - last.recorded.snapshot.at)


def _account(done: Replay, moment: Moment, steps: list[Step], seconds: float) -> None:
    wall = moment.recorded.snapshot.wall
    done.began, done.ended = done.began or wall, wall
    done.seconds += seconds
    for name, load in moment.load_a.items():
        tally = done.recorded.get(name)
        if tally is not None:
            done.curves.put(name, "recorded", wall, tally.add(load, wall, seconds))
    for kind, step, run in zip(("running", "changed"), steps, (done.running, done.changed), strict=False):
        for name, load in step.flow.load_a.items():
            rating = run.tally.feeders[name].rating_a if run is not None else load
            done.curves.put(name, kind, wall, max(load[p] / rating[p] for p in range(3)))


def _part(done: Replay, apart: dict[ConnectorId, tuple[float, Difference]], one: Step, other: Step) -> None:
    """Keep the first lasting difference of each connector, as it was when it began."""
    at = one.moment.recorded.snapshot.at
    for name, running_a in one.flow.limit_a.items():
        changed_a = other.flow.limit_a.get(name)
        if changed_a is None or name in done.differences or (name not in one.demands and name not in other.demands):
            continue
        if abs(changed_a - running_a) < APART_A:
            apart.pop(name, None)
            continue
        wall = one.moment.recorded.snapshot.wall
        found = Difference(name, wall, running_a, changed_a, one.outcome.grants[name], other.outcome.grants[name])
        since, first = apart.setdefault(name, (at, found))
        if at - since >= APART_S:
            done.differences[name] = first


def _tell(done: Replay, told: set[tuple[Note, str]], last: Moment | None, moment: Moment) -> None:
    """Notes about the trace itself, each once."""
    found: list[tuple[Note, str]] = []
    if last is not None and moment.begins:
        before, after = last.recorded.snapshot.wall, moment.recorded.snapshot.wall
        other = moment.site is not last.site
        found.append(
            (Note.SITE_CHANGED if other else Note.GAP, f"{before:%Y-%m-%dT%H:%M:%S}/{after:%Y-%m-%dT%H:%M:%S}")
        )
    if moment.recorded.demands is None:
        found.append((Note.NO_DEMANDS, ""))
    done.notes.extend(note for note in found if note not in told)
    told.update(found)


def tree_notes(recorded: Site, other: Site) -> list[tuple[Note, str]]:
    """What two trees do not share, and what is assumed or left out for it."""
    old, new = {c.id: c for c in recorded.connectors}, {c.id: c for c in other.connectors}
    old_feeders, new_feeders = {f.id for f in recorded.feeders}, {f.id for f in other.feeders}
    meters = {f.meter for f in recorded.feeders if f.meter is not None}
    notes: list[tuple[Note, str]] = [(Note.CONNECTOR_GONE, name) for name in old if name not in new]
    notes += [(Note.CONNECTOR_NEW, name) for name in new if name not in old]
    notes += [
        (Note.CONNECTOR_MOVED, name)
        for name, c in new.items()
        if name in old and (old[name].feeder, old[name].wiring) != (c.feeder, c.wiring)
    ]
    notes += [(Note.FEEDER_GONE, name) for name in sorted(old_feeders - new_feeders)]
    notes += [(Note.FEEDER_NEW, name) for name in sorted(new_feeders - old_feeders)]
    for f in other.feeders:
        known = f.meter in meters or any(x.id == f.id and x.meter is not None for x in recorded.feeders)
        if f.meter is not None and not known:
            notes.append((Note.METER_UNKNOWN, f.id))
        if f.meter is None and not f.chargers_only and not known:
            notes.append((Note.NO_METER, f.id))
    return notes

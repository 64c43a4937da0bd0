"""Who gets the floor where not all fit: a turn each, and nobody waits for ever (B08, B12; turn.md 3.8 and 3.9)."""

from collections import Counter
from itertools import chain
from math import ceil, inf

from siteward.control.demand import IDLE, Demand
from siteward.control.memory import Watch
from siteward.control.tree import Outlet
from siteward.control.work import Work
from siteward.model.site import Priority

MIN_ON_S, MIN_OFF_S = 300.0, 120.0
STARVED_S = 3600.0
"""A waiting car of a lower class goes before its class after this long, one at a time."""
PAUSES = 6
"""After so many pauses in an hour a car is held at its floor where that fits, and else stays paused."""

HOLDS, WAITS, YIELDS = 0, 1, 2
_TURNS, _CLASSES = 3, len(Priority)


def note_pause(w: Watch, at: float, wanted: bool) -> None:
    """Its limit was just read back as 0; a pause that nobody wanted counts against the most an hour."""
    recent = tuple(x for x in w.slot.pauses if at - x < STARVED_S)
    w.slot = w.slot._replace(off_since=at, pauses=(*recent, at) if wanted else recent)


def worn_out(w: Watch, at: float) -> bool:
    """Whether it was paused as often as an hour allows."""
    return len(w.slot.pauses) >= PAUSES and at - w.slot.pauses[-PAUSES] < STARVED_S


Taker = tuple[Outlet, Watch, Demand]
"""An outlet that may be given current, with what is remembered of it and what is wanted there."""


def places(work: Work) -> list[Taker]:
    """Takers in the order in which they are given their floor: must-run, class, turn, waiting time, name."""
    watches, demands, allocatable = work.watches, work.demands, work.allocatable
    takers = [(o, watches[o.index], demands.get(o.id, IDLE)) for o in work.tree.outlets if allocatable[o.index]]
    waiting = [taker for taker in takers if taker[1].room_paused and not _runs(taker[1])]
    periods = _periods(work, takers, waiting) if waiting else {}
    _favour(work, takers, waiting)
    shortest = min(periods.values(), default=inf)
    placed = []
    for at, (o, w, demand) in enumerate(takers):
        slot, rank = w.slot, demand.priority.rank
        if slot.turn_since is not None and work.at - slot.turn_since < shortest:
            turn, since = HOLDS, demand.waiting_since
        else:
            turn, since = _turn(work, o, w, demand, periods)
        # One number for the group: five would be compared one after the other.
        group = 0 if demand.must_run or w.waking.keeps else 4
        group += 2 * (rank > 0) + (slot.favoured_since is None)
        placed.append(((_CLASSES * group + rank) * _TURNS + turn, since, o.id, at))
    placed.sort()
    return [takers[place[3]] for place in placed]


def _turn(work: Work, o: Outlet, w: Watch, demand: Demand, periods: dict[int, float]) -> tuple[int, float]:
    """Those within their turn and those who wait by waiting time, those whose turn is over by age, oldest last."""
    slot = w.slot
    if slot.turn_since is None:
        if not _runs(w):
            return WAITS, max(demand.waiting_since, slot.off_since)
        # Refused and not off yet, it must not be in anybody's way; found running at our start, it is in its turn.
        return (YIELDS, inf) if w.room_paused else (HOLDS, demand.waiting_since)
    period = min((periods[node] for node in work.routes[o.index].path if node in periods), default=inf)
    if work.at - slot.turn_since < period or worn_out(w, work.at):
        return HOLDS, demand.waiting_since
    return YIELDS, -slot.turn_since


def _runs(w: Watch) -> bool:
    return w.conf_a is not None and w.conf_a > 0.0


def _periods(work: Work, takers: list[Taker], waiting: list[Taker]) -> dict[int, float]:
    """Length of a turn at each feeder that had no room for somebody: all of them within an hour, 5 min at least."""
    queue = Counter([w.slot.node for _, w, _ in waiting])
    paths = [work.routes[o.index].path for o, w, _ in takers if w.slot.turn_since is not None]
    served = Counter(chain.from_iterable(paths))
    return {
        node: max(MIN_ON_S, STARVED_S / ceil((count + served[node]) / served[node]))
        for node, count in queue.items()
        if served[node]
    }


def _favour(work: Work, takers: list[Taker], waiting: list[Taker]) -> None:
    """Whoever waited an hour goes before its class for the shortest turn; one at a time, the longest waiting first."""
    busy = False
    for _, w, _ in takers:
        since = w.slot.favoured_since
        if since is not None:
            over = _runs(w) and work.at - max(w.on_since, since) >= MIN_ON_S
            w.slot = w.slot._replace(favoured_since=None) if over else w.slot
            busy = busy or not over
    if busy:
        return
    starved = []
    for o, w, demand in waiting:
        since = max(demand.waiting_since, w.slot.off_since)
        if work.at - since >= STARVED_S and w.slot.favoured_since is None:
            starved.append((since, o.id, w))
    if starved:
        w = min(starved, key=lambda x: x[:2])[2]
        w.slot = w.slot._replace(favoured_since=work.at)

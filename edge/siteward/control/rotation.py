"""Who gets the floor where not all fit: a turn each, and nobody waits for ever (B08, B12; turn.md 3.8 and 3.9)."""

from math import ceil, inf

from siteward.control.demand import Demand
from siteward.control.memory import Watch
from siteward.control.tree import Outlet
from siteward.control.work import Work
from siteward.model.site import Priority

RANKS = {priority: priority.rank for priority in Priority}
MIN_ON_S, MIN_OFF_S = 300.0, 120.0
STARVED_S = 3600.0
"""A waiting car of a lower class goes before its class after this long, one at a time."""
PAUSES = 6
"""After so many pauses in an hour a car is held at its floor where that fits, and else stays paused."""

HOLDS, WAITS, YIELDS = 0, 1, 2

Place = tuple[bool, bool, bool, int, int, float, str]


def note_pause(w: Watch, at: float, wanted: bool) -> None:
    """Its limit was just read back as 0; a pause that nobody wanted counts against the most an hour."""
    recent = tuple(x for x in w.slot.pauses if at - x < STARVED_S)
    w.slot = w.slot._replace(off_since=at, pauses=(*recent, at) if wanted else recent)


def worn_out(w: Watch, at: float) -> bool:
    """Whether it was paused as often as an hour allows."""
    return len(w.slot.pauses) >= PAUSES and at - w.slot.pauses[-PAUSES] < STARVED_S


def places(work: Work, takers: list[Outlet]) -> list[Outlet]:
    """Takers in the order in which they are given their floor: must-run, class, turn, waiting time, name."""
    periods = _periods(work, takers)
    _favour(work, takers)
    return sorted(takers, key=lambda o: _place(work, o, periods))


def _place(work: Work, o: Outlet, periods: dict[int, float]) -> Place:
    w, demand = work.watches[o.index], work.demand(o)
    rank = RANKS[demand.priority]
    must_run = demand.must_run or w.waking.keeps
    turn, since = _turn(work, o, w, demand, periods)
    return (not must_run, rank > 0, w.slot.favoured_since is None, rank, turn, since, o.id)


def _turn(work: Work, o: Outlet, w: Watch, demand: Demand, periods: dict[int, float]) -> tuple[int, float]:
    """Those within their turn and those who wait by waiting time, those whose turn is over by age, oldest last."""
    slot = w.slot
    if slot.turn_since is None:
        if not _runs(w):
            return WAITS, max(demand.waiting_since, slot.off_since)
        # Refused and not off yet, it must not be in anybody's way; found running at our start, it is in its turn.
        return (YIELDS, inf) if w.room_paused else (HOLDS, demand.waiting_since)
    if not periods:
        return HOLDS, demand.waiting_since
    period = min((periods[node] for node in work.routes[o.index].path if node in periods), default=inf)
    if work.at - slot.turn_since < period or worn_out(w, work.at):
        return HOLDS, demand.waiting_since
    return YIELDS, -slot.turn_since


def waiting_since(work: Work, o: Outlet) -> float:
    """Since when it waits for current: its session's start, or its last pause."""
    return max(work.demand(o).waiting_since, work.watches[o.index].slot.off_since)


def _runs(w: Watch) -> bool:
    return w.conf_a is not None and w.conf_a > 0.0


def _periods(work: Work, takers: list[Outlet]) -> dict[int, float]:
    """Length of a turn at each feeder that had no room for somebody: all of them within an hour, 5 min at least."""
    waiting: dict[int, int] = {}
    for o in takers:
        w = work.watches[o.index]
        if w.room_paused and not _runs(w):
            waiting[w.slot.node] = waiting.get(w.slot.node, 0) + 1
    if not waiting:
        return {}
    served = dict.fromkeys(waiting, 0)
    for o in takers:
        if work.watches[o.index].slot.turn_since is not None:
            for node in work.routes[o.index].path:
                if node in served:
                    served[node] += 1
    return {
        node: max(MIN_ON_S, STARVED_S / ceil((waiting[node] + count) / count))
        for node, count in served.items()
        if count
    }


def _favour(work: Work, takers: list[Outlet]) -> None:
    """Whoever waited an hour goes before its class for the shortest turn; one at a time, the longest waiting first."""
    busy = False
    starved = []
    for o in takers:
        w = work.watches[o.index]
        if w.slot.favoured_since is not None:
            over = _runs(w) and work.at - max(w.on_since, w.slot.favoured_since) >= MIN_ON_S
            w.slot = w.slot._replace(favoured_since=None) if over else w.slot
            busy = busy or not over
        elif w.room_paused and not _runs(w) and work.at - waiting_since(work, o) >= STARVED_S:
            starved.append((waiting_since(work, o), o.id, w))
    if starved and not busy:
        w = min(starved, key=lambda x: x[:2])[2]
        w.slot = w.slot._replace(favoured_since=work.at)

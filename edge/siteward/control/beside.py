"""How far the draws of the chargers may be from a meter reading beside them, so that no base of cuts falls by it (R10).

Meter and chargers are read one after the other. A car that follows a cut draws less in a meter reading than when it was
read before that; one that follows a raise shows in its charger before it does in a meter that means over a window. Both
make meter - draws too low.
"""

from math import inf

from siteward.control.evidence import FRESH_S
from siteward.control.memory import NodeWatch, Watch
from siteward.control.reservation import measured_on
from siteward.control.tree import Outlet
from siteward.control.work import Work
from siteward.model.units import PerPhase

FOLLOWS_S = 15.0
"""Longest that a car takes to follow a cut (R18)."""


def drawing_known(work: Work, below: tuple[int, ...]) -> tuple[int, ...]:
    """Those of some chargers whose draw is known now."""
    watches, reachable, since = work.watches, work.reachable, work.at - FRESH_S
    return tuple([i for i in below if reachable[i] and (w := watches[i]).read_at >= since and w.measured_a is not None])


def held_up(work: Work, n: NodeWatch, base: PerPhase, at: float, seen: tuple[int, ...], blur_s: float) -> PerPhase:
    """Other load for cuts, in A per phase, of a meter reading sent at an instant whose other load comes to `base`.

    `seen` are the chargers below whose draw is known, `blur_s` how far back a value of the meter reaches. Where cars
    move, it falls below what cuts were made of before only by what they cannot have moved by.
    """
    moved = _moved(work, at, seen, blur_s)
    if moved is None:
        return base
    a, b, c = (max(base[p], min(n.cut_a[p], base[p] + moved[p])) for p in range(3))
    return (a, b, c)


def _moved(work: Work, at: float, seen: tuple[int, ...], blur_s: float) -> PerPhase | None:
    """What cars below may draw less in a meter reading than by their chargers, A per phase; None where none moves."""
    moved = [0.0, 0.0, 0.0]
    for i in seen:
        w = work.watches[i]
        if w.flights or w.held_a or w.was_a is not None:
            o = work.tree.outlets[i]
            falls, rose = _told(o, w, at), w.was_a if w.rose_at >= at - blur_s else None
            for phase in range(o.phases):
                draws = measured_on(w, phase)
                low = falls if rose is None else min(falls, rose[phase])
                moved[o.wired[phase]] += max(0.0, draws - low)
    return (moved[0], moved[1], moved[2]) if max(moved) > 0.0 else None


def _told(o: Outlet, w: Watch, at: float) -> float:
    """The lowest limit that its car may follow since it was read: one that was sent, or one read back (R6)."""
    if w.read_at > at + o.connector.facts.measure_lag_s:
        return inf
    sent = [f.value_a for f in w.flights if f.sent_at is not None and f.sent_at <= at]
    if w.conf_a is not None and w.held_a and at - w.held_at <= FOLLOWS_S:
        sent.append(w.conf_a)
    return min(sent, default=inf)

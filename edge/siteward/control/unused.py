"""Current that is offered and not used goes to others, and comes back when the car asks for it (B11)."""

from siteward.control.memory import Unused, Watch
from siteward.control.reservation import measured_on
from siteward.control.tree import Outlet, step_up
from siteward.control.work import Work

AFTER_MOST_S = 900.0
"""Longest wait before an offer is lowered again; it doubles with each car that took its current back."""

FRESH_S = 5.0
SPARE_A = 2.0
"""What a car draws below its offer before that counts as unused, and what a lowered offer leaves above its draw."""
REACHED_A = 1.0
RECLAIM_S = 10.0
"""For so long after a car took its current back its raise needs free room only: no ramp, no 10 s test of the room."""


def note_unused(work: Work) -> None:
    """Lower the offer of those who leave some of it while somebody else is short; give it back at once."""
    for o in work.tree.outlets:
        w = work.watches[o.index]
        if not work.allocatable[o.index] or not w.conf_a or not o.connector.facts.measures_current:
            if w.unused.since is not None or w.unused.cap_a is not None:
                w.unused = Unused(after_s=w.unused.after_s)
        elif work.at - w.read_at <= FRESH_S:
            w.unused = _judge(work, o, w, w.conf_a)


def _judge(work: Work, o: Outlet, w: Watch, offer_a: float) -> Unused:
    unused = w.unused
    draw_a = max(measured_on(w, phase) for phase in range(o.phases))
    if unused.cap_a is not None and offer_a <= unused.cap_a and draw_a > offer_a - REACHED_A:
        return Unused(after_s=min(2.0 * unused.after_s, AFTER_MOST_S), reclaimed_at=work.at)
    if draw_a >= offer_a - SPARE_A or w.flights:
        return unused if unused.since is None else unused._replace(since=None)
    since = w.read_at if unused.since is None else unused.since
    if w.read_at - since < unused.after_s or not _wanted(work, o, w):
        return unused if unused.since == since else unused._replace(since=since)
    return unused._replace(since=None, cap_a=max(o.floor_a, step_up(draw_a + SPARE_A, o.step_a)))


def _wanted(work: Work, o: Outlet, w: Watch) -> bool:
    """Whether somebody else on its path is held down for want of current."""
    return any(work.nodes[node].short > (w.bound == node) for node in work.routes[o.index].path)


def reclaims(w: Watch, at: float) -> bool:
    """Whether its car just reached a lowered offer: the raise may jump into free room."""
    return at - w.unused.reclaimed_at < RECLAIM_S


def note_short(work: Work) -> None:
    """Which feeder held each outlet down, and how many each held down, for the next turn."""
    for n in work.nodes:
        n.short = 0
    for w, cell in zip(work.watches, work.binder, strict=True):
        w.bound = -1
        if cell <= -10 or cell >= 0:
            w.bound = (cell if cell >= 0 else -10 - cell) // 3
            work.nodes[w.bound].short += 1

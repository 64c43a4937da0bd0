"""Cuts: what a fuse forces at once, what a stop or a limit orders, what fairness asks for (step 8; B08, R12)."""

from siteward.control.base import surely
from siteward.control.bounds import is_apart
from siteward.control.caps import over_cutline
from siteward.control.flight import top
from siteward.control.memory import NEVER
from siteward.control.rotation import MIN_OFF_S, MIN_ON_S
from siteward.control.routes import NodeKind
from siteward.control.tree import EPS, Node, Outlet
from siteward.control.waking import dark
from siteward.control.work import Work
from siteward.model.alarms import AlarmCode

FAIR_A, FAIR_EVERY_S = 1.0, 10.0
SHED_A = 2.0
PROMISE_S = 30.0
OVER_S = 8.0
HIGH_S, HIDDEN_S = 5.0, 60.0
TOLERANCE_A = 0.05
OVER_ALARM = {
    NodeKind.FUSE: AlarmCode.FEEDER_OVER_BOUND,
    NodeKind.NEUTRAL: AlarmCode.FEEDER_OVER_BOUND,
    NodeKind.IMBALANCE: AlarmCode.IMBALANCE_UNCORRECTED,
}


def cut(work: Work) -> None:
    """Lower whom a fuse, a limit, a stop or fairness lowers."""
    forced = _forced_nodes(work)
    _ordered(work)
    for o in work.tree.outlets if any(forced) else ():
        if work.allocatable[o.index] and any(forced[node] for node in work.routes[o.index].path):
            work.cut(o, min(work.targets[o.index], top(o, work.watches[o.index])))
    givers: set[int] = set()
    for o in work.tree.outlets:
        if work.allocatable[o.index] and _fair(work, o):
            givers.update(work.routes[o.index].path)
    if givers:
        _promise(work, givers)


def _forced_nodes(work: Work) -> list[bool]:
    """Nodes whose sum U is above their cutline on some phase; a cut of more than 2 A blocks raises below for 30 s."""
    forced = []
    for node in work.tree.nodes:
        n = work.nodes[node.index]
        over = max(over_cutline(work, cell) for cell in node.cells)
        forced.append(over > EPS)
        if over > SHED_A:
            n.shed_at = work.at
        if over <= EPS or (node.kind is NodeKind.IMBALANCE and not is_apart(work, node)):
            n.over_since = None
        elif n.over_since is None:
            n.over_since = work.at
        if n.over_since is not None and work.at - n.over_since >= OVER_S:
            work.alarm(OVER_ALARM[node.kind], str(node.id))
        if node.kind is NodeKind.FUSE:
            _base_alarm(work, node)
    return forced


def _base_alarm(work: Work, node: Node) -> None:
    """Other load above the configured worst case is outside what the fuse was checked for (R18).

    Cars that move look like other load for some seconds, which calls nobody; one that hides behind them is told later.
    """
    n, worst = work.nodes[node.index], [work.tree.worst[c] + 1.0 for c in node.cells]
    if all(work.base_cut[c] <= most for c, most in zip(node.cells, worst, strict=True)):
        n.high_since = None
        return
    if n.high_since is None:
        n.high_since = work.at
    high_s, sure = work.at - n.high_since, surely(n, work.at - HIGH_S)
    if high_s >= HIDDEN_S or (high_s >= HIGH_S and any(x > most for x, most in zip(sure, worst, strict=True))):
        work.alarm(AlarmCode.BASE_LOAD_HIGH, str(node.id))


def _ordered(work: Work) -> None:
    """Stops, ends of sessions, lower limits of one connector, values above what it may be given: at once."""
    for o in work.tree.outlets:
        i = o.index
        w = work.watches[i]
        if not work.reachable[i] or w.conf_a is None:
            continue
        told = top(o, w)
        if not work.wants(o) or (not work.allocatable[i] and not _sure(work, o)):
            if told > 0.0:
                work.cut(o, 0.0)
        elif dark(w, work.at):
            work.cut(o, 0.0)
        elif told > min(work.cap_a[i], work.demand(o).max_a) + TOLERANCE_A:
            work.cut(o, min(work.targets[i], told))
        elif work.allocatable[i] and w.foreign_at == work.at and told > max(w.limit_a or 0.0, work.targets[i]):
            work.cut(o, max(w.limit_a or 0.0, work.targets[i]))


def _sure(work: Work, o: Outlet) -> bool:
    """Whether its fall-back is certain; an outlet left unverified for long is paused (R8)."""
    return work.watches[o.index].verified or not o.has_watchdog


def _fair(work: Work, o: Outlet) -> bool:
    """A share that shrank by more than 1 A, at most every 10 s; a pause not within the minimum on-time.

    Never for what is booked only because a charger was not read yet (R14).
    """
    i = o.index
    w = work.watches[i]
    told, target = top(o, w), work.targets[i]
    if target >= told - FAIR_A or work.at - w.fair_cut_at < FAIR_EVERY_S or w.flights:
        return False
    if any(work.excused_a[cell] > EPS for cell in o.cells[o.all_mask]):
        return False
    if target <= 0.0 and w.on_since != NEVER and work.at - w.on_since < MIN_ON_S:
        target = o.floor_a
        if target >= told - FAIR_A:
            return False
    if not work.cut(o, target):
        return False
    w.fair_cut_at = work.at
    if target <= 0.0:
        w.slot = w.slot._replace(rests_until=work.at + MIN_OFF_S)
    return True


def _promise(work: Work, nodes: set[int]) -> None:
    """Room given up for somebody is not held back by the 10 s test of free room (step 10)."""
    for o in work.tree.outlets:
        w, path = work.watches[o.index], work.routes[o.index].path
        if work.allocatable[o.index] and work.targets[o.index] > top(o, w) and nodes.intersection(path):
            w.promised_until = work.at + PROMISE_S

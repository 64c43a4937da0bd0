"""Neutral and imbalance: what each car may load of them, and the other load there, so that they work like fuses (B13).

The neutral carries at most what the highest phase carries more than the lowest one, so other load enters both bounds
with that difference. An imbalance is only in truth what flows: a car is held against the lowest phase as it is now.
"""

from siteward.control.memory import Watch
from siteward.control.phasing import FIRST, ONE, THREE
from siteward.control.routes import EVEN, UNEVEN, UNKNOWN, NodeKind, Route
from siteward.control.tree import Node, Outlet
from siteward.control.work import Work
from siteward.model.units import PerPhase

FRESH_S = 5.0
CUT_S, RAISE_S = 3.0, 10.0
"""How long a low phase must last before it costs somebody current, and a high one before it gives some."""
ON_A, EVEN_SHARE = 1.0, 0.1
_ZERO: PerPhase = (0.0, 0.0, 0.0)


def note_uneven(o: Outlet, w: Watch) -> None:
    """Which phases its car draws on while it does not load all three alike; kept through a pause until it leaves."""
    measured = w.measured_a
    if measured is None or not w.drawing:
        return
    high = max(measured)
    if min(measured) > ON_A and high - min(measured) <= max(ON_A, EVEN_SHARE * high):
        w.uneven = 0
        return
    w.uneven = sum(1 << i for i in range(o.phases) if measured[i] > ON_A) or o.all_mask


def find_routes(work: Work) -> list[Route]:
    """What each outlet loads now; a confirmed pause loads no imbalance, whatever is reserved for a fall-back."""
    found = []
    for o in work.tree.outlets:
        w = work.watches[o.index]
        kind = _kind(o, w, work.at)
        found.append(o.routes[UNKNOWN if kind >= UNEVEN and _paused(w) else kind])
    return found


def _paused(w: Watch) -> bool:
    return w.conf_a == 0.0 and not w.flights and w.held_a <= 0.0 and (w.measured_a is None or max(w.measured_a) < 0.5)


def _started(work: Work, o: Outlet) -> Route:
    """What it loads once it runs."""
    if len(o.routes) == 1:
        return o.routes[EVEN]
    return o.routes[_kind(o, work.watches[o.index], work.at)]


def switched(o: Outlet, w: Watch, phases: int) -> Route:
    """What it would load on so many phases, one or three (B14).

    It begins on three from a pause, where nobody knows what its car will do, whatever it did before; only one that was
    seen to take two of three is known to be uneven there.
    """
    if len(o.routes) == 1:
        return o.routes[EVEN]
    if phases == ONE:
        return o.routes[UNEVEN + FIRST]
    return o.routes[UNEVEN + o.all_mask if 0 < w.phasing.took < THREE else UNKNOWN]


def awaiting(work: Work, o: Outlet) -> tuple[int, ...]:
    """Cells that a paused outlet does not load and will load once it runs."""
    now, then = work.routes[o.index], _started(work, o)
    if len(then.path) <= len(now.path):
        return ()
    return tuple(c for c in then.cells[o.all_mask] if c not in now.cells[o.all_mask])


def enter(work: Work, o: Outlet) -> Route | None:
    """Book a paused outlet that is to start on all that it loads then; returns what it loaded before, None: all."""
    now, then = work.routes[o.index], _started(work, o)
    if len(then.path) <= len(now.path):
        return None
    _shift(work, o, now, then, 1.0)
    work.routes[o.index] = then
    return now


def leave(work: Work, o: Outlet, before: Route) -> None:
    """Take that back: it does not start."""
    _shift(work, o, before, work.routes[o.index], -1.0)
    work.routes[o.index] = before


def _shift(work: Work, o: Outlet, now: Route, then: Route, sign: float) -> None:
    for phase in range(o.phases):
        for cell in then.by_phase[phase][len(now.by_phase[phase]) :]:
            work.total_a[cell] += sign * work.booked[o.index][phase]


def _kind(o: Outlet, w: Watch, at: float) -> int:
    """A three-phase outlet may hold a one-phase car until the car was seen; one that cannot be seen counts as such."""
    if len(o.routes) == 1:
        return EVEN
    if len(set(o.wired)) < 3 or not o.connector.facts.measures_current:
        return UNEVEN + o.all_mask
    if w.uneven:
        return UNEVEN + w.uneven
    known = w.drawing and at >= w.phases_known_at and at - w.read_at <= FRESH_S
    return EVEN if known else UNKNOWN


def judge_bounds(work: Work) -> None:
    """Add the base of every cell of a bound; its fuse is judged already."""
    for node in work.tree.bounds:
        if node.kind is NodeKind.NEUTRAL:
            _neutral(work, node)
        else:
            _imbalance(work, node)
        work.over_meter += (False, False, False)
        work.frozen.append(work.frozen[node.owner])
        work.grace.append(False)


def _sees(work: Work, node: Node) -> bool:
    """Whether the meter of its feeder tells the load of each phase now."""
    n = work.nodes[node.owner]
    return bool(n.window) and not n.substituted


def _neutral(work: Work, node: Node) -> None:
    """Other load on the neutral: never more than its highest phase above its lowest (R10 for cuts and raises)."""
    if not _sees(work, node):
        worst = work.tree.worst[node.cells[0]]
        _put(work, (worst, worst, worst), (worst, worst, worst))
        return
    n = work.nodes[node.owner]
    since = work.at - node.window_s
    window = [_above(x[1]) for x in n.window if x[0] >= since] or [_above(n.window[-1][1])]
    last = [_above(x[1]) if x[4] == x[1] else _highest([_above(x[1]), _above(x[4])]) for x in n.window[-3:]]
    over = n.load_a is not None and max(_above(n.load_a)) > (node.feeder.neutral_a or 0.0)
    low = last[-1] if over else _lowest(last)
    _put(work, low, _highest([low, *window]))


def _above(base: PerPhase) -> PerPhase:
    low = min(base)
    return (base[0] - low, base[1] - low, base[2] - low)


def _lowest(values: list[PerPhase]) -> PerPhase:
    return (min(v[0] for v in values), min(v[1] for v in values), min(v[2] for v in values))


def _highest(values: list[PerPhase]) -> PerPhase:
    return (max(v[0] for v in values), max(v[1] for v in values), max(v[2] for v in values))


def _imbalance(work: Work, node: Node) -> None:
    """Other load less what surely flows on the lowest phase; a car above it is cut, a car on it never."""
    n, fuse = work.nodes[node.index], work.nodes[node.owner]
    drawn, unseen = _drawn(work, node)
    sees = _sees(work, node)
    rests = [_rest(x[3], x[2]) for x in fuse.window if x[0] >= work.at - node.window_s] or [_ZERO]
    last = rests[-1] if sees else _ZERO
    low = min(last[p] + drawn[p] for p in range(3))
    n.lows = (*(x for x in n.lows if work.at - x[0] < RAISE_S), (work.at, low))
    over = is_apart(work, node)
    held = low if over else max(x[1] for x in n.lows if work.at - x[0] < CUT_S)
    sure = min(x[1] for x in n.lows)
    if sees:
        cut, high = last if over else _lowest(rests[-3:]), _highest(rests)
    else:
        a, b, c = (work.base_raise[cell] for cell in work.tree.nodes[node.owner].cells)
        cut = high = (a, b, c)
    _put(work, _less(cut, unseen, held), _less(high, unseen, sure))
    for cell in node.cells:
        work.lent_a[cell] = work.spare_boot_a[cell] = 0.0


def is_apart(work: Work, node: Node) -> bool:
    """Whether the phases lie too far apart by the meter; without one nobody can say that they do not."""
    load = work.nodes[node.owner].load_a
    if not _sees(work, node) or load is None:
        return True
    return max(load) - min(load) > (node.feeder.imbalance_a or 0.0)


def _rest(load: PerPhase, known: PerPhase) -> PerPhase:
    return (load[0] - known[0], load[1] - known[1], load[2] - known[2])


def _less(rest: PerPhase, unseen: PerPhase, low: float) -> PerPhase:
    """Other load above the lowest phase, without what those may draw whose draw nobody tells: they are booked already.

    So the sum is never below what the meter shows, and no car counts twice.
    """
    a, b, c = (max(0.0, rest[p] - unseen[p]) - low for p in range(3))
    return (a, b, c)


def _drawn(work: Work, node: Node) -> tuple[PerPhase, PerPhase]:
    """What the cars that count here truly draw now, phase by phase, and what is booked where nobody tells."""
    drawn, unseen = [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]
    for i in node.below:
        o, w = work.tree.outlets[i], work.watches[i]
        if node.index not in work.routes[i].path:
            continue
        told = w.measured_a if work.at - w.read_at <= FRESH_S else None
        for phase in range(o.phases):
            if told is not None:
                drawn[o.wired[phase]] += told[phase]
            else:
                unseen[o.wired[phase]] += work.booked[i][phase]
    return (drawn[0], drawn[1], drawn[2]), (unseen[0], unseen[1], unseen[2])


def _put(work: Work, cut: PerPhase, high: PerPhase) -> None:
    work.base_cut += cut
    work.base_raise += high
    work.base_last += cut

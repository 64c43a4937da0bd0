"""Raises: only out of room that is free with today's U, at the pace that cars and fuses stand (step 10; R13, B07)."""

from siteward.control.evidence import closed_mask
from siteward.control.flight import top
from siteward.control.reservation import measured_on
from siteward.control.tree import EPS, Outlet, step_down
from siteward.control.unused import reclaims
from siteward.control.work import Wait, Work
from siteward.model.limits import Cause
from siteward.model.wire import WriteKind

RAMP_A_S = 0.5
NODE_RAMP = 0.05
"""Share of a node's rating that all raises below may take in one second; unused room adds up for 5 s."""
SHED_S = 30.0
ROOM_A, ROOM_S = 2.0, 10.0
SETTLE_S = 1.0


def note_room(work: Work) -> None:
    """Since when each node has 2 A to spare on each phase; drain what raises took of the node's ramp."""
    passed = max(0.0, work.at - work.memory.at)
    for node in work.tree.nodes:
        n = work.nodes[node.index]
        a, b, c = (
            None
            if work.raiseline[cell] - work.total_a[cell] < ROOM_A
            else (work.at if n.room_since[p] is None else n.room_since[p])
            for p, cell in enumerate(node.cells)
        )
        n.room_since = (a, b, c)
        n.lifted_a = max(0.0, n.lifted_a - NODE_RAMP * max(node.feeder.rating_a) * passed)


def raise_all(work: Work) -> None:
    """Grant raises in fixed order; each is in U, and out of the room of the next, at once."""
    note_room(work)
    wish = []
    for o in work.tree.outlets:
        more = work.targets[o.index] - top(o, work.watches[o.index]) if work.allocatable[o.index] else 0.0
        if more > EPS:
            wish.append((-more, o.id, o))
    for _, _, o in sorted(wish, key=lambda x: x[:2]):
        wait = _blocked(work, o)
        if wait is None:
            wait = _grant(work, o)
        if wait is not None:
            work.waits[o.index] = wait


def _blocked(work: Work, o: Outlet) -> Wait | None:
    """What holds this outlet's raise back whatever the room."""
    w = work.watches[o.index]
    if work.gap_at is not None:
        return Wait(Cause.CLOCK_GAP)
    for node in o.path:
        if work.frozen[node]:
            return Wait(Cause.METER_STALE, node)
        if work.at - work.nodes[node].shed_at < SHED_S:
            return Wait(Cause.AFTER_SHED, node)
    if w.flights or w.held_a > 0.0:
        return Wait(Cause.CONFIRMING)
    if work.at < w.rests_until and top(o, w) < o.floor_a:
        return Wait(Cause.START_DELAY)
    if work.at - w.last_raise < o.raise_every_s:
        return Wait(Cause.RAMP)
    return None


def _grant(work: Work, o: Outlet) -> Wait | None:
    """Raise as far as target, ramp and today's room allow; says why not."""
    i = o.index
    w = work.watches[i]
    now = top(o, w)
    resuming = now < o.floor_a
    if resuming:
        work.used[i] = closed_mask(o, w, work.at)
    pace = RAMP_A_S * min(max(5.0, o.step_a / RAMP_A_S), max(0.0, work.at - w.last_raise))
    back = reclaims(w, work.at)
    ceiling = work.targets[i] if back else max(o.floor_a, now + pace)
    free = _free(work, o)
    if not (back or work.at < w.promised_until or _room_stood(work, o)):
        return Wait(Cause.FUSE, _tightest(work, o))
    value = step_down(min(work.targets[i], ceiling, free), o.step_a)
    if value < o.floor_a or value <= now + EPS:
        return Wait(Cause.FUSE, _tightest(work, o)) if free < min(ceiling, work.targets[i]) else Wait(Cause.RAMP)
    gain = value - now
    if not back and any(_ramp_full(work, node, gain) for node in o.path):
        return Wait(Cause.RAMP)
    _book(work, o, value)
    for node in o.path:
        work.nodes[node].lifted_a += gain
    w.last_raise = work.at
    if resuming:
        w.phases_known_at = work.at + 10.0
        w.quiet = (None, None, None)
    work.raises.append((gain, work.order(o, value, raises=True)))
    return None


def _tightest(work: Work, o: Outlet) -> int:
    """The node of its path with the least room left."""
    _, cell = min((work.raiseline[cell] - work.total_a[cell], cell) for cells in o.by_phase for cell in cells)
    return cell // 3


def _room_stood(work: Work, o: Outlet) -> bool:
    """Whether 2 A were free for 10 s on every cell of its path."""
    for phase in range(o.phases):
        if not work.used[o.index] >> phase & 1:
            continue
        for node in o.path:
            since = work.nodes[node].room_since[o.wired[phase]]
            if since is None or work.at - since < ROOM_S:
                return False
    return True


def _ramp_full(work: Work, node: int, gain: float) -> bool:
    rating = max(work.tree.nodes[node].feeder.rating_a)
    n = work.nodes[node]
    return n.lifted_a > 0.0 and n.lifted_a + gain > 5.0 * NODE_RAMP * rating


def _free(work: Work, o: Outlet) -> float:
    """Highest U that fits: on used phases under the raiseline, on lent ones under the restart bound (R9, 6c)."""
    i = o.index
    mask, booked, total = work.used[i], work.booked[i], work.total_a
    free = float("inf")
    for phase in range(o.phases):
        used, mine = mask >> phase & 1, booked[phase]
        for cell in o.by_phase[phase]:
            line = work.raiseline[cell] if used else work.lent_line[cell]
            left = line - total[cell]
            if left < -EPS:
                return 0.0
            free = min(free, left + mine if used else left)
    return free


def _book(work: Work, o: Outlet, value: float) -> None:
    """Put the new value into U and into the sums (ledger)."""
    i = o.index
    after = list(work.booked[i])
    for phase in range(o.phases):
        if work.used[i] >> phase & 1:
            after[phase] = max(value, work.u_a[i], measured_on(work.watches[i], phase))
            for cell in o.by_phase[phase]:
                work.total_a[cell] += after[phase] - work.booked[i][phase]
            continue
        for cell in o.by_phase[phase]:
            work.lent_a[cell] = max(work.lent_a[cell], value)
            work.raiseline[cell] = min(work.raiseline[cell], work.lent_line[cell] - work.lent_a[cell])
    work.booked[i] = (after[0], after[1], after[2])
    work.u_a[i] = max(work.u_a[i], value)


def settle_late(work: Work) -> None:
    """Write again what a frame without an answer left open: only a newer answered write can settle it (R4)."""
    for o in work.tree.outlets:
        i = o.index
        w = work.watches[i]
        newest = w.flights[-1] if w.flights else None
        if newest is None or w.conf_a is None or not work.reachable[i] or (o.id, WriteKind.LIMIT) in work.written:
            continue
        if newest.sent_at is None or (newest.answered_at is not None) or work.at - newest.sent_at < SETTLE_S:
            continue
        lifts = newest.value_a > w.conf_a + 0.01
        if lifts and (_jumps(work, o, newest.value_a) or newest.value_a > work.targets[i] or not has_room(work, o)):
            work.cuts.append((0.0, work.order(o, min(w.conf_a, newest.value_a), raises=False)))
        elif lifts:
            work.raises.append((0.0, work.order(o, newest.value_a, raises=True)))
        else:
            work.cuts.append((0.0, work.order(o, newest.value_a, raises=False)))


def _jumps(work: Work, o: Outlet, value_a: float) -> bool:
    """Whether a raise decided before a gap, or before its charger restarted, is now more than one step of the ramp."""
    w = work.watches[o.index]
    known = w.conf_a or 0.0
    step = max(5.0 * RAMP_A_S, o.step_a)
    return work.gap_at is not None or work.at < w.rests_until or value_a > max(o.floor_a, known + step) + EPS


def has_room(work: Work, o: Outlet) -> bool:
    """Whether every fuse on the path is inside its raiseline with what this outlet is booked at."""
    return all(work.raiseline[c] - work.total_a[c] >= -EPS for c in o.cells[work.used[o.index]])

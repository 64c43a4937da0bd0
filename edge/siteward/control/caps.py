"""How much the chargers below each fuse may reserve: cutline, raiseline and the room for targets (turn.md step 6)."""

from siteward.control.tree import REACTION_S, Node, overload, step_down
from siteward.control.work import Work
from siteward.model.limits import Limit, LimitSource, OnLimitExpiry

K10 = overload(REACTION_S)


def draw_lines(work: Work) -> None:
    """Fill cutline, raiseline and the target room of every cell, and the cap of every outlet."""
    _apply_limits(work)
    tree = work.tree
    for cell, rating in enumerate(tree.rating):
        base, high = work.base_cut[cell], work.base_raise[cell]
        line, margin, worst = work.lines_a[cell], tree.margin[cell], tree.worst[cell]
        room_k = K10 * rating - max(work.lent_a[cell], work.spare_boot_a[cell])
        bound = work.dynamic_k[cell] * rating - worst
        strict = tree.bound_k[cell] * rating - worst
        work.lent_line.append(K10 * rating - high)
        work.cutline.append(min(line - base, bound, room_k - base))
        work.raiseline.append(min(line - margin - high, strict, room_k - high))
        work.room_a.append(min(line - margin - base, strict, room_k - base))


def _apply_limits(work: Work) -> None:
    """L = min(In, every limit in force) for each cell; limits on one connector lower its cap (I14)."""
    tree = work.tree
    work.lines_a = list(tree.ceiling)
    work.line_limit = list(tree.ceiling_by)
    work.cap_a = [o.cap_a for o in tree.outlets]
    for limit in work.limits:
        if limit.ends_at is not None and limit.ends_at <= work.at and limit.on_expiry is OnLimitExpiry.RELEASE:
            continue
        node = None if limit.feeder is None else tree.node_of.get(limit.feeder)
        if node is not None:
            amps = _spared(work, tree.nodes[node], limit) if limit.source is LimitSource.DEMAND else limit.limit_a
            for p in range(3):
                if amps[p] < work.lines_a[node * 3 + p]:
                    work.lines_a[node * 3 + p], work.line_limit[node * 3 + p] = amps[p], limit
        outlet = None if limit.connector is None else tree.outlet_of.get(limit.connector)
        if outlet is not None:
            o = tree.outlets[outlet]
            cap = step_down(min(limit.limit_a[p] for p in o.wired), o.step_a)
            if cap < work.cap_a[outlet]:
                work.cap_a[outlet], work.cap_limit[outlet] = cap, limit


def _spared(work: Work, node: Node, limit: Limit) -> tuple[float, ...]:
    """Lines of a demand window: its mean current, shifted to where the other load is; never below the floors.

    A demand costs money, no fuse: who charges goes on at the floor (turn.md 3.10).
    """
    cells = node.cells
    mean = sum(work.base_raise[c] for c in cells) / 3.0
    keep = [work.base_raise[c] + work.tree.margin[c] for c in cells]
    for i in node.below:
        o, w = work.tree.outlets[i], work.watches[i]
        runs = w.conf_a is not None and w.conf_a > 0.0
        amps = (o.floor_a if runs else 0.0) if work.allocatable[i] else work.u_a[i]
        for phase in range(o.phases) if amps > 0.0 else ():
            if work.used[i] >> phase & 1:
                keep[o.wired[phase]] += amps
    return tuple(max(limit.limit_a[p] + work.base_raise[c] - mean, keep[p]) for p, c in enumerate(cells))


def over_cutline(work: Work, cell: int) -> float:
    """By how much sum U of a cell is above its cutline (<= 0: it is not).

    Chargers that were not read yet force nothing at first, unless the meter is above the rating (R14).
    """
    total = work.total_a[cell]
    if not work.over_meter[cell]:
        total -= work.excused_a[cell]
    return total - work.cutline[cell]

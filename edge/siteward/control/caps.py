"""How much the chargers below each fuse may reserve: cutline, raiseline and the room for targets (turn.md step 6)."""

from siteward.control.tree import REACTION_S, overload, step_down
from siteward.control.work import Work
from siteward.model.limits import OnLimitExpiry

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
    work.line_limit = [None] * len(work.lines_a)
    work.cap_a = [o.cap_a for o in tree.outlets]
    for limit in work.limits:
        if limit.ends_at is not None and limit.ends_at <= work.at and limit.on_expiry is OnLimitExpiry.RELEASE:
            continue
        node = None if limit.feeder is None else tree.node_of.get(limit.feeder)
        if node is not None:
            for p in range(3):
                cell, amps = node * 3 + p, limit.limit_a[p]
                # The installer's own limits are in the ceiling already: equal, and the first to be named.
                named = amps == work.lines_a[cell] and work.line_limit[cell] is None and amps < tree.rating[cell]
                if amps < work.lines_a[cell] or named:
                    work.lines_a[cell], work.line_limit[cell] = amps, limit.id
        outlet = None if limit.connector is None else tree.outlet_of.get(limit.connector)
        if outlet is not None:
            o = tree.outlets[outlet]
            amps = min(limit.limit_a[p] for p in o.wired)
            work.cap_a[outlet] = min(work.cap_a[outlet], step_down(amps, o.step_a))


def over_cutline(work: Work, cell: int) -> float:
    """By how much sum U of a cell is above its cutline (<= 0: it is not).

    Chargers that were not read yet force nothing at first, unless the meter is above the rating (R14).
    """
    total = work.total_a[cell]
    if not work.over_meter[cell]:
        total -= work.excused_a[cell]
    return total - work.cutline[cell]

"""Why this current: the grant of each outlet with its chain of causes, from the binding one outwards."""

from siteward.control.flight import top
from siteward.control.lending import lent_bound
from siteward.control.memory import NEVER, Watch
from siteward.control.rotation import worn_out
from siteward.control.tree import Outlet
from siteward.control.waking import dark
from siteward.control.work import Work
from siteward.model.ids import ConnectorId, FeederId
from siteward.model.limits import Cause, CauseStep, Grant


def explain(work: Work) -> dict[ConnectorId, Grant]:
    """Grants of all outlets."""
    return {o.id: _grant(work, o, work.watches[o.index]) for o in work.tree.outlets}


def _grant(work: Work, o: Outlet, w: Watch) -> Grant:
    i = o.index
    newest = w.flights[-1].value_a if w.flights else w.conf_a
    limit = newest if newest is not None else top(o, w)
    return Grant(
        connector=o.id,
        limit_a=limit,
        target_a=work.targets[i],
        confirmed_a=w.conf_a,
        reserved_a=round(max(work.u_a[i], *work.booked[i]), 3),
        reachable=work.reachable[i],
        verified=w.verified or not o.has_watchdog,
        chain=_now(work, o, w, limit) + _target(work, o, w),
    )


def _now(work: Work, o: Outlet, w: Watch, limit: float) -> tuple[CauseStep, ...]:
    """Why the limit is not at its target yet."""
    if not work.allocatable[o.index] or limit >= work.targets[o.index]:
        return ()
    wait = work.waits.get(o.index)
    if wait is None:
        return ()
    feeder = None if wait.node is None else work.tree.nodes[wait.node].id
    return (CauseStep(wait.cause, limit, feeder),)


def _target(work: Work, o: Outlet, w: Watch) -> tuple[CauseStep, ...]:
    """Why the target is what it is."""
    i = o.index
    target, bound = work.targets[i], work.binder[i]
    if not work.allocatable[i]:
        return (CauseStep(_why_not(work, o, w), round(work.u_a[i], 3)),)
    if work.only_down[i]:
        return (CauseStep(Cause.UNVERIFIED, target),)
    if bound <= -10:
        return (CauseStep(Cause.PAUSED_NO_ROOM, 0.0, _feeder(work, -10 - bound)), *_line(work, -10 - bound))
    if bound >= 0:
        return (CauseStep(Cause.FAIR_SHARE, target, _feeder(work, bound)), *_line(work, bound))
    return _own(work, o, w, target)


def _own(work: Work, o: Outlet, w: Watch, target: float) -> tuple[CauseStep, ...]:
    """Bound by its own maximum, by what the session asks, or by a limit on this connector."""
    cap, asked = work.cap_a[o.index], work.demand(o).max_a
    if dark(w, work.at):
        return (CauseStep(Cause.PHASE_SWITCH if w.phasing.held else Cause.WAKING, target),)
    if w.unused.cap_a is not None and w.unused.cap_a < min(cap, asked):
        return (CauseStep(Cause.UNUSED, target),)
    if worn_out(w, work.at):
        return (CauseStep(Cause.PAUSED_OFTEN, target),)
    lent_a, cell = lent_bound(work, o)
    if lent_a < min(cap, asked):
        return (CauseStep(Cause.LENT_PHASE, target, _feeder(work, cell)), *_line(work, cell))
    if cap < min(o.cap_a, asked):
        limit = work.cap_limit[o.index]
        return (CauseStep(Cause.LIMIT, target, limit=limit.id), CauseStep(limit.why, cap, limit=limit.id))
    return (CauseStep(Cause.MAXIMUM, target),)


def _why_not(work: Work, o: Outlet, w: Watch) -> Cause:
    demand = work.demand(o)
    if w.disobeyed_at is not None:
        return Cause.DISOBEDIENT
    if not demand.wants or demand.stop:
        return Cause.NO_DEMAND
    if w.read_at == NEVER and w.misses < 2:
        return Cause.START
    if not work.reachable[o.index]:
        return Cause.UNREACHABLE
    return Cause.CONFIRMING if w.conf_a is None else Cause.UNVERIFIED


def _feeder(work: Work, cell: int) -> FeederId:
    return work.tree.nodes[cell // 3].id


def _line(work: Work, cell: int) -> tuple[CauseStep, ...]:
    """What the node itself was bound by: a lost meter, a limit and its reason, or its fuse."""
    node = work.tree.nodes[cell // 3]
    n = work.nodes[cell // 3]
    amps = round(work.lines_a[cell], 3)
    limit = work.line_limit[cell]
    lost = (CauseStep(Cause.METER_LOST, amps, node.id),) if n.substituted else ()
    if limit is not None:
        told = round(min(limit.limit_a), 3)
        return (*lost, CauseStep(Cause.LIMIT, amps, node.id, limit.id), CauseStep(limit.why, told, node.id, limit.id))
    return lost or (CauseStep(Cause.FUSE, amps, node.id),)

"""Obedience: a charger that draws above its set point, or does not take it, is stopped (turn.md step 9)."""

from siteward.control.memory import Watch
from siteward.control.reservation import measured_on
from siteward.control.tree import Outlet
from siteward.control.work import Work
from siteward.model.alarms import AlarmCode

OVER_S, SETTLE_S = 7.0, 5.0
REFUTED = 2
STILL_DRAWS_S, STILL_DRAWS_A = 10.0, 1.0
TRIP_AGAIN_S = 10.0
FORGIVE_S = 60.0


def judge_obedience(work: Work) -> None:
    """Find the disobedient, stop them, raise the highest alarm where one still draws 10 s later."""
    for o in work.tree.outlets:
        w = work.watches[o.index]
        if w.disobeyed_at is None:
            _watch(work, o, w)
        else:
            _punish(work, o, w)


def _watch(work: Work, o: Outlet, w: Watch) -> None:
    over = _over(work, o, w)
    if not over:
        w.over_since = None
    elif w.over_since is None:
        w.over_since = w.read_at
    long = w.over_since is not None and w.read_at - w.over_since >= OVER_S
    if long or w.refuted >= REFUTED:
        w.disobeyed_at, w.obeys_since = work.at, None
        work.stops.add(o.id)
        work.alarm(AlarmCode.CHARGER_DISOBEYS, str(o.id))
        if work.reachable[o.index]:
            work.cut(o, 0.0)


def _over(work: Work, o: Outlet, w: Watch) -> bool:
    if w.conf_a is None or w.read_at < w.settled_at + o.apply_s + SETTLE_S:
        return False
    return max(measured_on(w, p) for p in range(3)) > w.conf_a + max(1.0, 0.1 * w.conf_a)


def _punish(work: Work, o: Outlet, w: Watch) -> None:
    """Stay stopped until it has obeyed for a minute; read_at carries the judgement, silence forgives nothing."""
    since = w.disobeyed_at if w.disobeyed_at is not None else work.at
    draws = max(measured_on(w, p) for p in range(3)) > STILL_DRAWS_A
    work.stops.add(o.id)
    work.alarm(AlarmCode.CHARGER_DISOBEYS, str(o.id))
    still = draws and work.at - since >= STILL_DRAWS_S
    if still:
        work.alarm(AlarmCode.CHARGER_STILL_DRAWS, str(o.id))
    _trip(work, o, w, since, still)
    if draws or w.conf_a is None or w.conf_a > 0.0:
        w.obeys_since = None
    elif w.obeys_since is None:
        w.obeys_since = w.read_at
    elif w.read_at - w.obeys_since >= FORGIVE_S:
        w.disobeyed_at, w.over_since, w.refuted, w.obeys_since = None, None, 0, None


def _trip(work: Work, o: Outlet, w: Watch, since: float, still: bool) -> None:
    """Switch off the nearest feeder above that has a trip wired; again while later reads show current (fault 27).

    Its alarm outlasts the silence that follows: until the charger was read for a minute and obeyed.
    """
    node = next((work.tree.nodes[i] for i in o.path if work.tree.nodes[i].feeder.trip is not None), None)
    if node is None:
        return
    n = work.nodes[node.index]
    if still and w.read_at - n.tripped_at >= TRIP_AGAIN_S:
        n.tripped_at = work.at
        work.trips.append(node.id)
    if n.tripped_at >= since:
        work.alarm(AlarmCode.FEEDER_TRIPPED, str(node.id))

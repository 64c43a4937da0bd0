"""1p/3p switching: pause, quiet, dead time, switch, verify; only where driver, site and session allow it (B14)."""

from collections.abc import Callable

from siteward.control.bounds import switched
from siteward.control.evidence import PHASE_ON_A, shown_closed
from siteward.control.memory import NEVER, Watch
from siteward.control.phasing import FIRST, ONE, THREE, Phasing, Stage
from siteward.control.tree import EPS, Outlet
from siteward.control.waking import dark
from siteward.control.work import DEADLINE_S, Work
from siteward.model.alarms import AlarmCode
from siteward.model.events import EventType, Fact
from siteward.model.limits import LimitSource
from siteward.model.wire import Write, WriteKind

QUIET_A, QUIET_S = 0.5, 10.0
PAUSE_MOST_S = 60.0
DEAD_S = 30.0
SHOW_S = 10.0
"""For so long after the switch its contactor state may still show the old layout."""
VERIFY_S, SETTLED_S = 60.0, 10.0
"""The car must begin to draw on the phases of the new layout within this time of its offer, and go on for SETTLED_S."""
PER_SESSION, EVERY_S, FAILURES = 4, 600.0, 2
DOWN_AFTER_S, UP_AFTER_S = 60.0, 600.0
SPARE_A = 2.0
GAIN = 1.2
"""Three phases must bring so many times the current of one, before a car goes back to them."""


def switch_phases(work: Work) -> None:
    """Take every switch that is under way one step further, and begin those that were wished for long enough."""
    for o in work.tree.outlets:
        if not o.switchable:
            continue
        w = work.watches[o.index]
        _learn(work, o, w)
        _STAGES[w.phasing.stage](work, o, w)
        if w.phasing.locked and w.plugged:
            work.alarm(AlarmCode.PHASE_SWITCH_LOCKED, str(o.id))


def weigh(work: Work, o: Outlet, room: list[float], need_a: float, high_a: float) -> None:
    """Note since when the other layout would serve better; `room` is what those before it in line left.

    need_a is what it must find there on each phase to go on at its floor, high_a the most that it may be given.
    Never because of a limit: whoever is stopped by one waits until it is gone. A car known to take one phase only
    gains nothing.
    """
    w = work.watches[o.index]
    p = w.phasing
    asked = p.stage is Stage.IDLE and high_a >= o.floor_a and _may(work, o, w)
    goal = _better(work, o, room, need_a, high_a) if asked else None
    if goal is None:
        if p.wished_since is not None:
            w.phasing = p._replace(wished_since=None)
    elif p.wished_since is None or p.goal != goal:
        w.phasing = p._replace(wished_since=work.at, goal=goal)


def _may(work: Work, o: Outlet, w: Watch) -> bool:
    p = w.phasing
    return work.demand(o).may_switch and not p.locked and p.switches < PER_SESSION and p.took != 1


def _better(work: Work, o: Outlet, room: list[float], need_a: float, high_a: float) -> int | None:
    """The layout that serves better here and now, None where the present one is right or unknown."""
    w, fixed = work.watches[o.index], work.fixed_a[o.index]
    closed = shown_closed(w, work.at)
    enough = need_a + SPARE_A - EPS
    if closed == THREE and min(room[c] for c in o.cells[o.all_mask]) < need_a - EPS:
        fits = _left(work, o, room, ONE) >= enough
        return ONE if fits and not _limited(work, o, room, need_a) else None
    if closed == ONE and (three := _left(work, o, room, THREE)) >= enough:
        one = _left(work, o, room, ONE)
        return THREE if THREE * (three + fixed) > GAIN * min(one + fixed, high_a) else None
    return None


def _left(work: Work, o: Outlet, room: list[float], phases: int) -> float:
    """What is left for it on so many phases, above what is booked: in its fuses, its neutral and the imbalance (B13).

    Where it loads nothing yet nothing is booked for it, so that all that it holds comes on top.
    """
    i = o.index
    new = set(switched(o, work.watches[i], phases).cells[FIRST if phases == ONE else o.all_mask])
    loaded = new & {*o.cells[o.all_mask], *work.routes[i].cells[work.used[i]]}
    least = min(room[c] for c in loaded)
    return min([least, *(room[c] - work.fixed_a[i] for c in new - loaded)])


def _limited(work: Work, o: Outlet, room: list[float], need_a: float) -> bool:
    """Whether a limit, not a fuse, or a lost meter leaves it less than its floor somewhere on its path."""
    for c in o.cells[o.all_mask]:
        limit = work.line_limit[c]
        bound = limit is not None and limit.source is not LimitSource.STATIC
        if room[c] < need_a - EPS and (bound or work.nodes[c // 3].substituted):
            return True
    return False


def _learn(work: Work, o: Outlet, w: Watch) -> None:
    """How many phases the car takes, and whether the contactors are where their register says."""
    if not w.drawing or w.measured_a is None or w.read_at <= work.memory.at - 2.0:
        return
    p, drawn = w.phasing, _drawn(w)
    closed = shown_closed(w, work.at)
    if closed == THREE and work.at >= w.phases_known_at and drawn > p.took:
        w.phasing = p = p._replace(took=drawn)
    if closed == ONE and any(a > PHASE_ON_A for a in w.measured_a[1:]) and not p.false_state and not p.held:
        w.phasing = p._replace(false_state=True, failures=FAILURES - 1)
        _fail(work, o, w, "contactor_state_false")


def _drawn(w: Watch) -> int:
    return 0 if w.measured_a is None else sum(a > PHASE_ON_A for a in w.measured_a)


def _idle(work: Work, o: Outlet, w: Watch) -> None:
    p = w.phasing
    if _restorable(work, o, w):
        _go(work, o, w, Stage.PAUSE, p._replace(goal=THREE, quiet_since=None))
        return
    after_s = DOWN_AFTER_S if p.goal == ONE else UP_AFTER_S
    due = p.wished_since is not None and work.at - p.wished_since >= after_s
    if due and work.at - p.last >= EVERY_S and work.allocatable[o.index] and _may(work, o, w):
        _go(work, o, w, Stage.PAUSE, p._replace(wished_since=None, quiet_since=None))


def _restorable(work: Work, o: Outlet, w: Watch) -> bool:
    """Nobody is plugged in and nobody waits: the next car finds the box as it was built."""
    free = not w.plugged and not work.demand(o).wants and work.reachable[o.index] and w.conf_a == 0.0
    return free and shown_closed(w, work.at) == ONE and work.at - w.phasing.last >= EVERY_S


def _pause(work: Work, o: Outlet, w: Watch) -> None:
    """Wait until nothing was drawn on any phase for 10 s."""
    p = w.phasing
    if _broken(work, o, w):
        return _abandon(work, o, w)
    since = (w.read_at if p.quiet_since is None else p.quiet_since) if _quiet(work, w) else None
    w.phasing = p = p._replace(quiet_since=since)
    if since is not None and work.at - since >= QUIET_S:
        return _go(work, o, w, Stage.DEAD, p)
    return _fail(work, o, w, "still_draws") if work.at - p.since >= PAUSE_MOST_S else None


def _dead(work: Work, o: Outlet, w: Watch) -> None:
    """Wait for the dead time, then switch; one sign of current goes back to the start."""
    p = w.phasing
    if _broken(work, o, w):
        return _abandon(work, o, w)
    if not _quiet(work, w):
        return _go(work, o, w, Stage.PAUSE, p._replace(quiet_since=None))
    if work.at - p.since < DEAD_S or work.gap_at is not None:
        return None
    write = Write(o.id, WriteKind.PHASES, float(p.goal), False, work.turn, work.at + DEADLINE_S)
    work.written[o.id, WriteKind.PHASES] = write
    work.failsafes.append(write)
    return _go(work, o, w, Stage.SWITCH, p._replace(switches=p.switches + 1, last=work.at))


def _switch(work: Work, o: Outlet, w: Watch) -> None:
    """Wait until the contactors show the new layout in a read sent after the write had its time."""
    p = w.phasing
    if w.read_at >= p.since + o.apply_s + DEADLINE_S and shown_closed(w, work.at) == p.goal:
        # The dead time replaces the minimum off-time, and nothing is left of the pause for want of room.
        w.room_paused, w.fits_since = False, None
        w.slot = w.slot._replace(rests_until=NEVER)
        return _go(work, o, w, Stage.VERIFY, p._replace(quiet_since=None, offered_since=None))
    return _fail(work, o, w, "not_switched") if work.at - p.since >= SHOW_S + o.apply_s else None


def _verify(work: Work, o: Outlet, w: Watch) -> None:
    """The car must draw on the phases of the new layout within 60 s of its offer."""
    p = w.phasing
    if not work.wants(o):
        return _go(work, o, w, Stage.IDLE, p, "unverified" if w.plugged else "restored")
    if shown_closed(w, work.at) not in (p.goal, None):
        return _fail(work, o, w, "switched_back")
    least = 1 if p.goal == ONE or p.took <= 1 else 2
    drawn = _drawn(w)
    right = w.drawing and drawn >= least and (p.goal == THREE or drawn == ONE)
    w.phasing = p = p._replace(quiet_since=(w.read_at if p.quiet_since is None else p.quiet_since) if right else None)
    if p.quiet_since is not None and w.read_at - p.quiet_since >= SETTLED_S:
        return _go(work, o, w, Stage.IDLE, p._replace(quiet_since=None), "verified")
    if w.conf_a is None or (w.conf_a < o.floor_a and not dark(w, work.at)):
        w.phasing = p._replace(offered_since=None)
    elif p.offered_since is None:
        w.phasing = p._replace(offered_since=work.at)
    elif work.at - p.offered_since >= VERIFY_S and p.quiet_since is None:
        return _fail(work, o, w, "not_drawn_as_switched")
    return None


def _broken(work: Work, o: Outlet, w: Watch) -> bool:
    """Whether a switch that was not written yet has lost its reason or its footing."""
    if not work.reachable[o.index] or w.conf_a is None or w.unread or work.at < w.phasing.known_at:
        return True
    if w.plugged or work.demand(o).wants:
        return not work.wants(o) or not work.demand(o).may_switch
    return w.phasing.goal != THREE


def _quiet(work: Work, w: Watch) -> bool:
    """Paused by a read set point, and less than 0.5 A on every phase by the same fresh read."""
    told = w.conf_a == 0.0 and not w.flights
    return told and w.measured_a is not None and max(w.measured_a) < QUIET_A and work.at - w.read_at <= QUIET_S / 2


def _fail(work: Work, o: Outlet, w: Watch, why: str) -> None:
    p = w.phasing
    failures = p.failures + 1
    locked = failures >= FAILURES
    p = p._replace(failures=failures, locked=p.locked or locked, last=work.at, quiet_since=None, wished_since=None)
    _go(work, o, w, Stage.IDLE, p, "locked" if locked else "failed", why)


def _abandon(work: Work, o: Outlet, w: Watch) -> None:
    _go(work, o, w, Stage.IDLE, w.phasing._replace(quiet_since=None), "abandoned")


def _go(work: Work, o: Outlet, w: Watch, stage: Stage, p: Phasing, step: str = "", why: str = "") -> None:
    """Enter a stage, and tell it."""
    w.phasing = p._replace(stage=stage, held=Stage.PAUSE <= stage <= Stage.SWITCH, since=work.at)
    data: dict[str, object] = {"step": step or stage.name.lower(), "phases": p.goal, "switches": p.switches}
    if why:
        data |= {"reason": why, "failures": p.failures}
    work.facts.append(Fact(EventType.CONNECTOR_PHASES, data, connector=o.id))


_STAGES: dict[Stage, Callable[[Work, Outlet, Watch], None]] = {
    Stage.IDLE: _idle,
    Stage.PAUSE: _pause,
    Stage.DEAD: _dead,
    Stage.SWITCH: _switch,
    Stage.VERIFY: _verify,
}

"""Cars that do not wake after a pause: two short interruptions, then no more pauses for fairness (B10)."""

from siteward.control.memory import NEVER, Watch
from siteward.control.tree import Outlet
from siteward.control.work import Work
from siteward.model.alarms import AlarmCode

ASLEEP_S = 60.0
"""An offer that a car which drew before leaves alone for this long did not wake it."""
DREW_S = 15.0
"""A car that drew this long before its pause was charging then; one that had finished is let sleep."""

DARK_S = 5.0
TOGGLES = 2


def note_sleep(work: Work) -> None:
    """Watch the cars that we paused, interrupt those that sleep, and spare those that do not wake."""
    for o in work.tree.outlets:
        w = work.watches[o.index]
        if not work.wants(o):
            continue
        if w.drawing and w.conf_a:
            if w.waking.slept or w.waking.toggles:
                w.waking = w.waking._replace(slept=False, toggles=0)
        elif w.waking.slept and work.allocatable[o.index]:
            _wake(work, o, w)
        if w.waking.keeps and not w.drawing:
            work.alarm(AlarmCode.VEHICLE_ASLEEP, str(o.id))


def note_slept(w: Watch, at: float) -> None:
    """Its limit was just read back as 0; whether a car that drew until then wakes again is to be seen."""
    if at - w.drew_at <= DREW_S:
        w.waking = w.waking._replace(slept=True)


def _wake(work: Work, o: Outlet, w: Watch) -> None:
    offered = w.conf_a is not None and w.conf_a >= o.floor_a and w.on_since != NEVER
    if not offered or work.at - max(w.on_since, w.waking.dark_until) < ASLEEP_S:
        return
    if w.waking.toggles >= TOGGLES:
        w.waking = w.waking._replace(slept=False, keeps=True)
    else:
        w.waking = w.waking._replace(toggles=w.waking.toggles + 1, dark_until=work.at + DARK_S)


def dark(w: Watch, at: float) -> bool:
    """Whether its offer is interrupted right now: so that the car sees a new one, or to change its phases (B14)."""
    return at < w.waking.dark_until or w.phasing.held

"""Targets: who gets the floor, and how the rest is shared (turn.md step 7; R12, B09, B12)."""

from siteward.control.bounds import awaiting
from siteward.control.fill import Share, fill
from siteward.control.reservation import overdraw
from siteward.control.rotation import RANKS, places, worn_out
from siteward.control.tree import EPS, Outlet, step_down, step_up
from siteward.control.waking import dark
from siteward.control.work import Work
from siteward.model.site import Priority

WEIGHTS = {Priority.EMERGENCY: 8.0, Priority.FLEET: 4.0, Priority.NORMAL: 2.0, Priority.GUEST: 1.0}
"""Share of the current above the floor, by class."""
RESTART_SPARE_A, RESTART_S = 2.0, 60.0
"""A connector that was paused for want of room restarts once floor + 2 A fitted for 60 s, the others at their floor."""

OWN_MAXIMUM, NOT_ADMITTED, NOT_ALLOCATED = -1, -2, -3
"""binder of a target when no cell bound it; NOT_ADMITTED keeps the cell as -10 - cell."""


def allocate(work: Work) -> None:
    """Fill targets (A, whole device steps, 0 = pause) and what bound each."""
    outlets = work.tree.outlets
    work.targets, work.binder = [0.0] * len(outlets), [NOT_ALLOCATED] * len(outlets)
    room = list(work.room_a)
    takers = [o for o in outlets if work.allocatable[o.index]]
    floors = _book_fixed(work, room)
    _relax_grace(work, room, floors)
    admitted: list[Outlet] = []
    shares: list[Share] = []
    for o in places(work, takers):
        share = _admit(work, o, room)
        if share is not None:
            admitted.append(o)
            shares.append(share)
    _serve_departures(work, admitted, shares, room)
    order = sorted(range(len(shares)), key=lambda i: admitted[i].index)
    given, binder = fill([shares[i] for i in order], room)
    for i, at in enumerate(order):
        o = admitted[at]
        value = step_down(given[i], o.step_a)
        work.targets[o.index] = min(value, _highest(work, o))
        work.binder[o.index] = binder[i]


def _book_fixed(work: Work, room: list[float]) -> list[float]:
    """Take out of the room what no target moves: U of the others, and the part of U that stays at any limit.

    Returns per cell what the running takers need at their floor, for the grace of a lost meter.
    """
    floors = [0.0] * len(room)
    for o in work.tree.outlets:
        i = o.index
        mask, fixed, mine = work.used[i], work.fixed_a[i], work.allocatable[i]
        w, route = work.watches[i], work.routes[i]
        running = mine and w.conf_a is not None and w.conf_a > 0.0
        amps = fixed if mine else work.u_a[i]
        for phase in range(o.phases):
            used = mask >> phase & 1
            measured = 0.0 if w.measured_a is None else w.measured_a[phase]
            if mine:
                booked = (fixed if used else 0.0) + overdraw(work, o, phase)
            else:
                booked = max(amps, measured) if used else measured
            if booked <= 0.0 and not running:
                continue
            for cell in route.by_phase[phase]:
                room[cell] -= booked
                if running and used:
                    floors[cell] += max(0.0, o.floor_a - fixed)
    return floors


def _relax_grace(work: Work, room: list[float], floors: list[float]) -> None:
    """A meter lost for 5..15 s: down to the floors that the last good base carried, a pause only after 15 s."""
    for node in work.tree.fuses:
        if not work.grace[node.index]:
            continue
        for cell in node.cells:
            before = room[cell] + work.base_cut[cell] - work.base_last[cell]
            room[cell] = max(room[cell], min(floors[cell], before))


def _highest(work: Work, o: Outlet) -> float:
    """Highest limit that this outlet may be given now."""
    w = work.watches[o.index]
    if dark(w, work.at):
        return 0.0
    high = min(work.cap_a[o.index], work.demand(o).max_a)
    if work.only_down[o.index] and w.conf_a is not None:
        high = min(high, w.conf_a)
    if w.unused.cap_a is not None:
        high = min(high, w.unused.cap_a)
    if worn_out(w, work.at):
        high = min(high, o.floor_a)
    return step_down(high, o.step_a)


def _admit(work: Work, o: Outlet, room: list[float]) -> Share | None:
    """Serve the floor out of the room, or say that it must pause (R12)."""
    i = o.index
    w = work.watches[i]
    high, fixed = _highest(work, o), work.fixed_a[i]
    if high < o.floor_a:
        work.binder[i] = OWN_MAXIMUM
        return None
    low = max(o.floor_a, min(step_down(fixed, o.step_a), high))
    need = max(0.0, low - fixed)
    running = w.conf_a is not None and w.conf_a > 0.0
    cells = work.routes[i].cells[work.used[i] if running else o.all_mask]
    extra = () if running or not work.tree.bounds else awaiting(work, o)
    worst = min(cells, key=lambda c: room[c])
    spare = room[worst] - need
    for c in extra:
        # Nothing is booked there for a paused outlet, so that it needs all of its floor.
        if room[c] - low < spare:
            worst, spare = c, room[c] - low
    if spare < -EPS or not _may_restart(work, o, spare, running):
        work.binder[i] = -10 - worst
        w.room_paused = True
        if w.slot.turn_since is not None or w.slot.node != worst // 3:
            w.slot = w.slot._replace(turn_since=None, node=worst // 3)
        if spare < RESTART_SPARE_A - EPS:
            w.fits_since = None
        return None
    w.room_paused, w.fits_since = False, None
    if w.slot.turn_since is None:
        w.slot = w.slot._replace(turn_since=work.at)
    for c in cells:
        room[c] -= need
    for c in extra:
        room[c] -= low
    return Share(WEIGHTS[work.demand(o).priority], low, high, o.step_a, cells + extra)


def _serve_departures(work: Work, admitted: list[Outlet], shares: list[Share], room: list[float]) -> None:
    """Raise the floor of those who leave at a known time to what they need, by class and then the tightest first."""
    leaving = [(RANKS[work.demand(o).priority], -work.demand(o).need_a, o.id, i) for i, o in enumerate(admitted)]
    for _, need, _, i in sorted(row for row in leaving if row[1] < 0.0):
        share = shares[i]
        more = min(-need, share.high_a) - share.low_a
        more = min(more, *(room[c] for c in share.cells))
        low = step_up(share.low_a + more, share.step_a) if more > 0.0 else share.low_a
        low = min(low, step_down(share.low_a + min(room[c] for c in share.cells), share.step_a), share.high_a)
        if low <= share.low_a:
            continue
        for c in share.cells:
            room[c] -= low - share.low_a
        shares[i] = share._replace(low_a=low)


def _may_restart(work: Work, o: Outlet, spare: float, running: bool) -> bool:
    """B08: a connector paused for want of room waits until it would have fitted, with 2 A to spare, for 60 s."""
    w = work.watches[o.index]
    if running or not w.room_paused:
        return True
    if spare < RESTART_SPARE_A - EPS:
        return False
    if w.fits_since is None:
        w.fits_since = work.at
    rested = work.at >= w.slot.rests_until and not worn_out(w, work.at)
    return rested and work.at - w.fits_since >= RESTART_S

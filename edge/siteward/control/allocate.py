"""Targets: who gets the floor, and how the rest is shared (turn.md step 7; R12, B09, B12)."""

from siteward.control.bounds import awaiting
from siteward.control.evidence import closed_mask
from siteward.control.fill import Share, fill
from siteward.control.lending import lent_bound
from siteward.control.memory import Watch
from siteward.control.phases import weigh
from siteward.control.reservation import overdraw
from siteward.control.rotation import Taker, places, worn_out
from siteward.control.tree import EPS, Outlet, step_down, step_up
from siteward.control.waking import dark
from siteward.control.work import Work
from siteward.model.site import Priority

WEIGHTS = {Priority.EMERGENCY: 8.0, Priority.FLEET: 4.0, Priority.NORMAL: 2.0, Priority.GUEST: 1.0}
"""Share of the current above the floor, by class."""
_WEIGHT_OF_RANK = tuple(WEIGHTS[priority] for priority in Priority)
RESTART_SPARE_A, RESTART_S = 2.0, 60.0
"""A connector that was paused for want of room restarts once floor + 2 A fitted for 60 s, the others at their floor."""

OWN_MAXIMUM, NOT_ADMITTED, NOT_ALLOCATED = -1, -2, -3
"""binder of a target when no cell bound it; NOT_ADMITTED keeps the cell as -10 - cell."""


def allocate(work: Work) -> None:
    """Fill targets (A, whole device steps, 0 = pause) and what bound each."""
    outlets = work.tree.outlets
    work.targets, work.binder = [0.0] * len(outlets), [NOT_ALLOCATED] * len(outlets)
    room = list(work.room_a)
    floors = _book_fixed(work, room)
    _relax_grace(work, room, floors)
    shares: dict[int, Share] = {}
    for taker in places(work):
        share = _admit(work, taker, room)
        if share is not None:
            shares[taker[0].index] = share
    _serve_departures(work, shares, room)
    order = sorted(shares)
    given, binder = fill([shares[i] for i in order], room)
    for i, amps, cell in zip(order, given, binder, strict=True):
        work.targets[i], work.binder[i] = amps, cell


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
        if mine and not running and fixed <= 0.0 and not (w.measured_a and any(w.measured_a)):
            continue
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


def _highest(work: Work, o: Outlet, w: Watch, asked: float) -> float:
    """Highest limit that this outlet may be given now."""
    if dark(w, work.at):
        return 0.0
    # The cap stands in whole steps already; what else bounds it may not.
    high = cap = work.cap_a[o.index]
    if asked < high:
        high = asked
    if work.only_down[o.index] and w.conf_a is not None:
        high = min(high, w.conf_a)
    if w.unused.cap_a is not None:
        high = min(high, w.unused.cap_a)
    if w.slot.pauses and worn_out(w, work.at):
        high = min(high, o.floor_a)
    if work.used[o.index] != o.all_mask:
        high = min(high, lent_bound(work, o)[0])
    return cap if high == cap else step_down(high, o.step_a)


def _admit(work: Work, taker: Taker, room: list[float]) -> Share | None:
    """Serve the floor out of the room, or say that it must pause (R12)."""
    o, w, demand = taker
    i = o.index
    high, fixed = _highest(work, o, w, demand.max_a), work.fixed_a[i]
    low = need = o.floor_a
    if fixed > 0.0:
        low = low if fixed <= low else max(low, min(step_down(fixed, o.step_a), high))
        need = max(0.0, low - fixed)
    if o.switchable:
        weigh(work, o, room, need, high)
    if high < o.floor_a:
        work.binder[i] = OWN_MAXIMUM
        return None
    running = w.conf_a is not None and w.conf_a > 0.0
    closed = work.used[i] if running else closed_mask(o, w, work.at) if o.switchable else o.all_mask
    cells = work.routes[i].cells[closed]
    left = [room[c] - need for c in cells]
    extra: tuple[int, ...] = ()
    if work.tree.bounds and not running:
        extra = awaiting(work, o)
        # Nothing is booked there for a paused outlet, so that it needs all of its floor.
        left += [room[c] - low for c in extra]
    spare = min(left)
    if spare < -EPS or (w.room_paused and not running and not _may_restart(work, o, spare)):
        _refuse(work, o, w, (cells + extra)[left.index(spare)], spare)
        return None
    w.room_paused, w.fits_since = False, None
    if w.slot.turn_since is None:
        w.slot = w.slot._replace(turn_since=work.at)
    for c in cells:
        room[c] -= need
    for c in extra:
        room[c] -= low
    return Share(_WEIGHT_OF_RANK[demand.priority.rank], low, high, o.step_a, cells + extra if extra else cells)


def _refuse(work: Work, o: Outlet, w: Watch, worst: int, spare: float) -> None:
    """Let it pause, and keep which cell has no room for it."""
    work.binder[o.index] = -10 - worst
    w.room_paused = True
    if w.slot.turn_since is not None or w.slot.node != worst // 3:
        w.slot = w.slot._replace(turn_since=None, node=worst // 3)
    if spare < RESTART_SPARE_A - EPS:
        w.fits_since = None


def _serve_departures(work: Work, shares: dict[int, Share], room: list[float]) -> None:
    """Raise the floor of those who leave at a known time to what they need, by class and then the tightest first."""
    outlets = work.tree.outlets
    asked = ((i, work.demand(outlets[i])) for i in shares)
    leaving = [(d.priority.rank, -d.need_a, outlets[i].id, i) for i, d in asked if d.need_a > 0.0]
    for _, need, _, i in sorted(leaving):
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


def _may_restart(work: Work, o: Outlet, spare: float) -> bool:
    """B08: a connector paused for want of room waits until it would have fitted, with 2 A to spare, for 60 s."""
    w = work.watches[o.index]
    if spare < RESTART_SPARE_A - EPS:
        return False
    if w.fits_since is None:
        w.fits_since = work.at
    rested = work.at >= w.slot.rests_until and not worn_out(w, work.at)
    return rested and work.at - w.fits_since >= RESTART_S

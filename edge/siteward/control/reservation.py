"""U: the most that each outlet could draw now, and its sums on every fuse and phase (turn.md steps 3 and 4)."""

from siteward.control.bounds import find_routes
from siteward.control.evidence import BLANK_READS, used_mask
from siteward.control.flight import free_held, top
from siteward.control.memory import NEVER, Watch
from siteward.control.tree import REACTION_S, Outlet, overload
from siteward.control.work import Work

OVERDRAW_AFTER_S = 5.0
UNVERIFIED_PAUSE_S = 10.0
UNREAD_S, BACK_S = 5.0, 3.0


def rest_now(o: Outlet, w: Watch) -> float:
    """What it may hold for ever without us: the hardware maximum where nothing was verified (R3, R8)."""
    return o.rest_a if w.verified or not o.has_watchdog else o.hw_a


def boot_now(o: Outlet, w: Watch) -> float:
    """What it may hold after its own restart (R3, R8)."""
    return o.boot_a if w.verified or not o.has_watchdog else o.hw_a


def starved(w: Watch) -> bool:
    """Whether nothing has surely fed its watchdog since a possible restart, whose own time may be short (R3, R3b)."""
    return w.heard < w.unread_since


def reserve_all(work: Work) -> None:
    """Fill U of every outlet, the sums of every cell, and who may be given current."""
    cells = len(work.tree.rating)
    work.total_a, work.excused_a = [0.0] * cells, [0.0] * cells
    work.lent_a, work.spare_boot_a = [0.0] * cells, [0.0] * cells
    longest = [REACTION_S] * len(work.nodes)
    work.routes = find_routes(work) if work.tree.bounds else work.tree.routes
    for o in work.tree.outlets:
        w = work.watches[o.index]
        free_held(w, work.at)
        _reserve(work, o, w)
        _allow(work, o, w)
        add_to_cells(work, o)
        if work.u_a[o.index] > rest_now(o, w) + 0.01:
            for node in work.routes[o.index].path:
                longest[node] = max(longest[node], 7.0 + o.watch_s)
    work.dynamic_k = [overload(t) for t in longest for _ in range(3)]


def _reserve(work: Work, o: Outlet, w: Watch) -> None:
    """U of one outlet on the phases that count; fixed is what stays even if we cut to nothing."""
    at = work.at
    silence = at - w.answered
    silent = silence > o.min_silence_s
    told = max(top(o, w), w.held_a)
    fixed = 0.0
    unfed = o.has_watchdog and (at - w.heard >= o.tw_s - 10.0 or o.tw_s < 15.0 or starved(w))
    if silent or unfed or w.unread or w.read_at == NEVER:
        fixed = rest_now(o, w)
    if (silent and not o.short_hold) or w.unread:
        fixed = max(fixed, boot_now(o, w))
    if _fell_back(o, w, at, silent):
        told = 0.0
        fixed = max(fixed, rest_now(o, w))
        if silent or w.read_at < w.unread_since:
            w.measured_a = None
    work.fixed_a.append(min(fixed, o.hw_a))
    work.u_a.append(max(told, min(fixed, o.hw_a)))
    work.used.append(used_mask(o, w, at))


def _fell_back(o: Outlet, w: Watch, at: float, silent: bool) -> bool:
    """R2: its old limit leaves only once nothing can have re-armed its verified watchdog for long enough.

    The values count as verified here as long as the silence goes on: step 2 keeps them until the first answer.
    """
    if not o.has_watchdog or not (silent or (w.unread and w.blank < BLANK_READS)):
        return False
    return w.verified and at - w.spoke > o.watch_s + 10.0


def _allow(work: Work, o: Outlet, w: Watch) -> None:
    """Step 3: who can be commanded, who may be given current, who may only be lowered."""
    reachable = w.misses < 2 and w.read_at > NEVER
    can = reachable and w.conf_a is not None and w.disobeyed_at is None and work.wants(o)
    sure = w.verified or not o.has_watchdog
    grace = can and not sure and work.at - w.unverified_since < UNVERIFIED_PAUSE_S
    down = grace and w.conf_a is not None and w.conf_a >= o.floor_a and work.fixed_a[o.index] <= w.conf_a
    work.reachable.append(reachable)
    work.allocatable.append(can and (sure or down))
    work.only_down.append(down)


def measured_on(w: Watch, phase: int) -> float:
    """Last measured current of one charger phase, 0 where nothing is measured (U then is the limit side)."""
    return 0.0 if w.measured_a is None else w.measured_a[phase]


def _phase_amps(work: Work, o: Outlet, w: Watch, phase: int) -> float:
    """U(e,p): max(limit side, measured) on a phase that counts, measured on a lent one; a confirmed pause is 0."""
    u, measured = work.u_a[o.index], measured_on(w, phase)
    if u <= 0.0 and measured < 0.5:
        return 0.0
    return max(u, measured) if work.used[o.index] >> phase & 1 else measured


def add_to_cells(work: Work, o: Outlet) -> None:
    """Add one outlet's U(e,p) to every fuse on its path, and note what it lends and what its restart would add."""
    i = o.index
    w, u, mask = work.watches[i], work.u_a[i], work.used[i]
    booked = [0.0, 0.0, 0.0]
    route = work.routes[i]
    for phase in range(o.phases):
        amps = booked[phase] = _phase_amps(work, o, w, phase)
        if amps > 0.0:
            _add(work.total_a, route.by_phase[phase], amps)
        if not mask >> phase & 1:
            _highest(work.lent_a, route.by_phase[phase], u)
    if route.lends:
        _highest(work.lent_a, route.lends, u)
    work.booked.append((booked[0], booked[1], booked[2]))
    if w.unread:
        _excuse(work, o, w, booked)
    _spare_boot(work, o, boot_now(o, w) - o.floor_a)


def _spare_boot(work: Work, o: Outlet, extra: float) -> None:
    """What the restart of its charger would add (6c): all outlets of a device restart together."""
    if extra <= 0.0:
        return
    cells = o.wide.cells[o.all_mask]
    if o.alone:
        _highest(work.spare_boot_a, cells, extra)
        return
    for cell in cells:
        key = (o.connector.charger, cell)
        device = work.device_boot_a[key] = work.device_boot_a.get(key, 0.0) + extra
        work.spare_boot_a[cell] = max(work.spare_boot_a[cell], device)


def _excuse(work: Work, o: Outlet, w: Watch, booked: list[float]) -> None:
    """R14: not read yet since the start, all of it; back from silence, what a restart would add (6c carries that)."""
    if work.at - work.memory.started_at < UNREAD_S:
        known = 0.0
    elif work.at - w.unread_since < BACK_S:
        known = w.booked_a or 0.0
    else:
        return
    for phase in range(o.phases):
        if booked[phase] > known:
            _add(work.excused_a, work.routes[o.index].by_phase[phase], booked[phase] - known)


def _add(values: list[float], cells: tuple[int, ...], amps: float) -> None:
    for cell in cells:
        values[cell] += amps


def _highest(values: list[float], cells: tuple[int, ...], amps: float) -> None:
    for cell in cells:
        if amps > values[cell]:
            values[cell] = amps


def overdraw(work: Work, o: Outlet, phase: int) -> float:
    """Measured current above the set point that stays: an obedient car may be 10 % over for ever (R6)."""
    w = work.watches[o.index]
    if w.conf_a is None or w.held_a or work.at - w.settled_at < OVERDRAW_AFTER_S + o.apply_s:
        return 0.0
    return max(0.0, measured_on(w, phase) - max(w.conf_a, work.fixed_a[o.index]))

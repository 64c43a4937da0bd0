"""The other load of every feeder, for cuts and raises, and what stands in for a meter (step 5; R10, R11, I3)."""

from math import isfinite

from siteward.control.beside import drawing_known, held_up
from siteward.control.bounds import judge_bounds
from siteward.control.memory import NEVER, NodeWatch
from siteward.control.reservation import measured_on
from siteward.control.tree import Node
from siteward.control.work import Work
from siteward.model.alarms import AlarmCode
from siteward.model.readings import MeterReading
from siteward.model.units import ZERO, PerPhase

FREEZE_S, LOST_S, PAUSE_S = 3.0, 5.0, 15.0
NEGATIVE_A, NEGATIVE_S, NEGATIVE_FREEZE_S = -3.0, 30.0, 5.0
MOVED_A = 3.0
DIGIT_A = 0.5
"""More than the last digit of any meter's current, which may flip now and then over a load that stands still."""
SATURATED = 0.98
HALF_MONTH_S = 15 * 86400.0


def judge_base(work: Work) -> None:
    """Fill the base of every cell, freeze and substitute where a meter is old, frozen or impossible."""
    for node in work.tree.fuses:
        n = work.nodes[node.index]
        reading = work.snapshot.meters.get(node.feeder.meter) if node.feeder.meter else None
        if reading is not None and reading.sent_at > n.meter_at and _usable(reading):
            _take(work, node, n, reading)
        elif n.partial:
            _know_more(work, node, n)
        if node.feeder.meter is None:
            _put(work, node, work.tree.worst[node.cells[0] : node.cells[2] + 1], grace=False, frozen=False)
        else:
            _judge(work, node, n)
    if work.tree.bounds:
        judge_bounds(work)


def _usable(r: MeterReading) -> bool:
    return r.current_a is not None and all(isfinite(x) for x in r.current_a)


def _take(work: Work, node: Node, n: NodeWatch, r: MeterReading) -> None:
    """Book a new meter reading: other load = meter - chargers, lost chargers by R10b."""
    load = r.current_a
    if load is None:
        return
    seen = drawing_known(work, node.below)
    base, known, unknown = _other_load(work, node, load, seen)
    keep = r.sent_at - 2.0 * node.window_s
    cut = held_up(work, n, base, r.sent_at, seen, node.blur_s)
    n.window = (*(x for x in n.window if x[0] >= keep), (r.sent_at, base, known, load, cut))
    n.load_a, n.meter_at = load, r.sent_at
    if seen != n.known:
        # One that is read for the first time, or again, has not moved for that.
        n.known, n.known_from = seen, r.sent_at
    _note_stuck(n, r, load)
    _note_negative(n, node, base, r)
    n.partial = max(unknown) > 0.0
    if not n.partial:
        _note_peak(n, r.sent_at - node.window_s)


def _know_more(work: Work, node: Node, n: NodeWatch) -> None:
    """Chargers heard since the last meter reading were taken for other load in it: correct that (R14, R10b)."""
    seen = drawing_known(work, node.below)
    if set(seen) <= set(n.known):
        return
    at, _, _, load, _ = n.window[-1]
    base, known, unknown = _other_load(work, node, load, seen)
    n.window = (*n.window[:-1], (at, base, known, load, held_up(work, n, base, at, seen, node.blur_s)))
    n.known, n.known_from, n.partial = seen, at, max(unknown) > 0.0


def _other_load(work: Work, node: Node, load: PerPhase, seen: tuple[int, ...]) -> tuple[PerPhase, PerPhase, PerPhase]:
    """Other load in a reading, with the measured draw of the chargers below and U of the unknown ones (R10b)."""
    known, unknown = _chargers(work, node, seen)
    worst = work.tree.worst
    raw = []
    for p in range(3):
        rest = load[p] - known[p]
        raw.append(max(min(rest, worst[node.cells[p]]), rest - unknown[p]) if unknown[p] > 0.0 else rest)
    return (raw[0], raw[1], raw[2]), known, unknown


def _chargers(work: Work, node: Node, seen: tuple[int, ...]) -> tuple[PerPhase, PerPhase]:
    """Measured draw of the chargers below whose draw is known now, and U of the others."""
    outlets, watches = work.tree.outlets, work.watches
    known, unknown = [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]
    for i in seen:
        wired, amps = outlets[i].wired, watches[i].measured_a or ZERO
        for phase in range(outlets[i].phases):
            known[wired[phase]] += amps[phase]
    for i in sorted(set(node.below).difference(seen)) if len(seen) < len(node.below) else ():
        o, w = outlets[i], watches[i]
        for phase in range(o.phases):
            unknown[o.wired[phase]] += max(work.u_a[i], measured_on(w, phase))
    return (known[0], known[1], known[2]), (unknown[0], unknown[1], unknown[2])


def _note_stuck(n: NodeWatch, r: MeterReading, load: PerPhase) -> None:
    """Frozen: 10 identical reads of current, voltage and frequency, or blind to a move of the chargers for 10 s.

    A frozen one is believed once it shows anything else; a blind one once it moves by more than a digit, and where its
    noise proves nothing, by half of what it should have.
    """
    if n.stuck_at is not None and max(abs(a - b) for a, b in zip(load, n.stuck_at, strict=True)) > n.stuck_by_a:
        n.stuck_at, n.stuck_since = None, None
    values = (load, r.voltage_v, r.frequency_hz)
    n.same = n.same + 1 if values == n.same_of and r.voltage_v is not None and r.frequency_hz is not None else 1
    n.same_of = values
    if not _blind(n):
        n.stuck_since = None
    elif n.stuck_since is None:
        n.stuck_since = r.sent_at
    if n.stuck_at is not None:
        return
    if n.same >= 10:
        n.stuck_at, n.stuck_by_a = load, 0.0
    elif n.stuck_since is not None and r.sent_at - n.stuck_since >= 10.0:
        still = all(x[3] == load for x in n.window if x[0] >= n.stuck_since)
        n.stuck_at, n.stuck_by_a = load, DIGIT_A if still else MOVED_A / 2.0


def _blind(n: NodeWatch) -> bool:
    """Whether the chargers moved in the window and the meter shows less than half of it on some phase."""
    window = [x for x in n.window if x[0] >= n.known_from]
    for p in range(3):
        known = [x[2][p] for x in window]
        shown = [x[3][p] for x in window]
        moved = max(known) - min(known)
        if moved > MOVED_A and max(shown) - min(shown) < moved / 2.0:
            return True
    return False


def _note_negative(n: NodeWatch, node: Node, base: PerPhase, r: MeterReading) -> None:
    """A feeder that carries less than its chargers draw: wiring or transformer wrong, unless there is generation."""
    wrong = min(base) < NEGATIVE_A or (r.power_w is not None and r.power_w < 0.0)
    if node.feeder.generation or not wrong:
        n.negative_since = None
    elif n.negative_since is None:
        n.negative_since = r.sent_at


def _note_peak(n: NodeWatch, since: float) -> None:
    """Highest other load of 15 to 30 days that surely was other load (R11)."""
    at = n.window[-1][0]
    if at - n.peak_from > HALF_MONTH_S:
        n.peak_before_a, n.peak_a, n.peak_from = n.peak_a, (0.0, 0.0, 0.0), at
    if n.window[0][0] > since:
        return
    sure = surely(n, since)
    n.peak_a = (max(n.peak_a[0], sure[0]), max(n.peak_a[1], sure[1]), max(n.peak_a[2], sure[2]))


def surely(n: NodeWatch, since: float) -> PerPhase:
    """What surely was other load in every meter reading since then, in A; nothing where there is no reading.

    Chargers show what they draw later than the meter does, so that a ramp of theirs looks like other load. What held
    for a while, less what the chargers moved in it, is none of theirs.
    """
    window = [x for x in n.window if x[0] >= since]
    if not window:
        return ZERO
    known = [x[2] for x in window]
    a, b, c = (min(x[1][p] for x in window) - (max(k[p] for k in known) - min(k[p] for k in known)) for p in range(3))
    return (a, b, c)


def _lowest(n: NodeWatch) -> PerPhase:
    last = [x[4] for x in n.window[-3:]]
    return (min(x[0] for x in last), min(x[1] for x in last), min(x[2] for x in last))


def _judge(work: Work, node: Node, n: NodeWatch) -> None:
    """Base of a metered feeder: measured, frozen at 3 s, substituted at 5 s, paused at 15 s."""
    seen = n.meter_at > NEVER
    age = work.at - (n.meter_at if seen else work.memory.started_at) + node.refresh_s
    saturated = _saturated(node, n)
    distrust = n.stuck_at is not None or (n.negative_since is not None and work.at - n.negative_since >= NEGATIVE_S)
    if age > LOST_S or distrust or (saturated and seen):
        if not n.substituted and seen:
            n.substituted = True
        if age > LOST_S:
            work.alarm(AlarmCode.METER_LOST, str(node.feeder.meter))
        else:
            work.alarm(AlarmCode.METER_IMPLAUSIBLE, str(node.feeder.meter))
        young = age <= PAUSE_S if age > LOST_S else False
        _put(work, node, _substitute(work, node, n), grace=young and not saturated, frozen=False)
        return
    if n.substituted:
        n.substituted = False
        n.shed_at = work.at
    frozen = age > FREEZE_S or not seen or _negative_now(work, n)
    if not seen:
        worst = work.tree.worst[node.cells[0] : node.cells[2] + 1]
        _put(work, node, worst, grace=False, frozen=True)
        for cell in node.cells:
            work.base_cut[cell] = 0.0
        return
    _measured(work, node, n, frozen)


def _saturated(node: Node, n: NodeWatch) -> bool:
    return node.range_a is not None and n.load_a is not None and max(n.load_a) >= SATURATED * node.range_a


def _negative_now(work: Work, n: NodeWatch) -> bool:
    return n.negative_since is not None and work.at - n.negative_since >= NEGATIVE_FREEZE_S


def _measured(work: Work, node: Node, n: NodeWatch, frozen: bool) -> None:
    """R10: raises use the highest of the window, cuts the lowest of three readings, or the last when over the fuse."""
    since = work.at - node.window_s
    window = [x[1] for x in n.window if x[0] >= since] or [n.window[-1][1]]
    low, last = _lowest(n), n.window[-1][4]
    used = []
    load = n.load_a or (0.0, 0.0, 0.0)
    for p, cell in enumerate(node.cells):
        over = load[p] > work.tree.rating[cell]
        cut = max(0.0, last[p] if over else low[p])
        used.append(cut)
        work.base_cut.append(cut)
        # Nor is there more room for a raise than a cut would leave: a base held up for cuts holds for both.
        work.base_raise.append(max(cut, *(x[p] for x in window)))
        work.base_last.append(max(0.0, last[p]))
        work.over_meter.append(over)
    n.cut_a = (used[0], used[1], used[2])
    work.frozen.append(frozen)
    work.grace.append(False)


def _substitute(work: Work, node: Node, n: NodeWatch) -> tuple[float, ...]:
    """R11: never lower than the truth may be; where only chargers hang there is no other load to stand in for."""
    values = []
    if node.feeder.chargers_only:
        return (0.0, 0.0, 0.0)
    for p, cell in enumerate(node.cells):
        value = max(work.tree.worst[cell], 1.1 * max(n.peak_a[p], n.peak_before_a[p]))
        if n.window and work.at - n.window[-1][0] <= 10.0:
            value = max(value, n.window[-1][4][p])
        values.append(value)
    return tuple(values)


def _put(work: Work, node: Node, values: tuple[float, ...], grace: bool, frozen: bool) -> None:
    n = work.nodes[node.index]
    for p in range(3):
        last = n.window[-1][4][p] if n.window else values[p]
        work.base_cut.append(values[p])
        work.base_raise.append(values[p])
        work.base_last.append(max(0.0, last))
        work.over_meter.append(False)
    work.frozen.append(frozen)
    work.grace.append(grace)

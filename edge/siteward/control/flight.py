"""Set points in flight: how a read settles them, and when a late one can no longer arrive (R4, R5, R6)."""

from siteward.control.memory import Flight, Watch
from siteward.control.tree import Outlet
from siteward.model.facts import Readback
from siteward.model.readings import ChargerReading, Pilot

LATE_S = 3.0
"""Longest that a gateway holds a frame back before it still delivers it."""
FREE_WITHOUT_METER_S = 10.0


def top(o: Outlet, w: Watch) -> float:
    """The most that it may have been told: max(conf, flight); unknown is the ledger, else the hardware maximum."""
    value = w.conf_a
    if value is None:
        value = o.hw_a if w.booked_a is None else w.booked_a
    for f in w.flights:
        if f.value_a > value:
            value = f.value_a
    return value


def settle(o: Outlet, w: Watch, r: ChargerReading) -> bool:
    """Judge the set point of a read; returns whether it is a foreign value. Early reads prove nothing (R5)."""
    if r.set_point_a is None:
        return False
    sent = _sent(w, r.sent_at)
    newest = sent[-1] if sent else None
    if _straddled(o, w, r.set_point_a, r.sent_at, newest):
        return False
    if newest is not None:
        done = newest.sent_at if newest.answered_at is None else newest.answered_at
        if done is not None and r.sent_at < done + o.apply_s and not _already(o, w, newest, r.set_point_a):
            return False
    before = top(o, w)
    value, foreign = _judge(o, w, r.set_point_a, sent, _hides_pause(o, r))
    if value is None:
        return False
    known = w.conf_a is not None or w.booked_a is not None
    w.conf_a, w.booked_a, w.unread = value, None, False
    w.flights = _resolve(w, value, r.sent_at)
    after = top(o, w)
    if known and after < before:
        w.held_a, w.held_at = max(w.held_a, before), r.sent_at
    if after != before:
        w.settled_at = r.sent_at
    return foreign


def _sent(w: Watch, until: float) -> list[Flight]:
    """What was sent until then, in the order of sending: what the line does by itself overtakes what waits in it."""
    sent = [(f.sent_at, i, f) for i, f in enumerate(w.flights) if f.sent_at is not None and f.sent_at <= until]
    if len(sent) > 1:
        sent.sort()
    return [f for _, _, f in sent]


def _straddled(o: Outlet, w: Watch, set_point_a: float, read_at: float, newest: Flight | None) -> bool:
    """A poll of several requests that a write overtook: it shows our own value, yet was sent before it.

    The same write again overtakes nothing: a box that takes longer for a poll than its cuts are apart would never be
    believed.
    """
    if newest is not None and newest.answered_at is not None and _near(o, set_point_a, newest.value_a):
        return False
    return any(f.sent_at is not None and f.sent_at > read_at and _near(o, set_point_a, f.value_a) for f in w.flights)


def _already(o: Outlet, w: Watch, newest: Flight, set_point_a: float) -> bool:
    """A first read after start or silence counts at once when it shows the value just written."""
    echo = o.connector.facts.limit.readback is Readback.ECHO
    return w.conf_a is None and echo and _near(o, set_point_a, newest.value_a)


def _near(o: Outlet, a: float, b: float) -> bool:
    return abs(a - b) <= o.step_a / 2 + 0.01


def _hides_pause(o: Outlet, r: ChargerReading) -> bool:
    """Whether it shows the limit behind a pause, since only a car makes the pause visible.

    Nobody knows then whether the pause is in force: it is booked as if it were not, yet nothing is refuted by it.
    """
    return r.pilot is Pilot.A and not o.connector.facts.limit.pause_shows


def _judge(o: Outlet, w: Watch, shown: float, sent: list[Flight], hides: bool) -> tuple[float | None, bool]:
    """The confirmed value and whether a stranger wrote it. An effective register confirms what was WRITTEN.

    That is what the charger answered: an idle one shows nothing, which tells nothing of a write that may be lost.
    """
    newest = sent[-1] if sent else None
    if o.connector.facts.limit.readback is Readback.EFFECTIVE:
        written = next((f.value_a for f in reversed(sent) if f.answered_at is not None), w.conf_a)
        if written is None:
            return None, False
        if shown <= written + o.step_a / 2 + 0.01:
            shown = written
    if newest is not None and _near(o, shown, newest.value_a):
        w.refuted = 0
        return newest.value_a, False
    if hides and (w.conf_a if newest is None else newest.value_a) == 0.0:
        return shown, False
    if newest is not None and newest.answered_at is not None:
        w.refuted += 1
    ours = any(_near(o, shown, f.value_a) for f in sent)
    known = w.conf_a is None or _near(o, shown, w.conf_a)
    return shown, not ours and not known


def _resolve(w: Watch, value: float, read_at: float) -> tuple[Flight, ...]:
    """Flights that are still open after this read; a refuted one that was answered is gone, a late one may come."""
    left = []
    for f in w.flights:
        if f.sent_at is None or f.sent_at > read_at:
            left.append(f)
        elif f.late or f.answered_at is None:
            kept = _late_after(f, w, value, read_at)
            if kept is not None:
                left.append(kept)
    return tuple(left)


def _late_after(f: Flight, w: Watch, value: float, read_at: float) -> Flight | None:
    """R4: a timed-out write leaves after two lower reads LATE_S apart, both sent after a newer write was answered.

    One that is plainly in force leaves too, once no other copy of it can still be under way.
    """
    sent_at = f.sent_at or read_at
    if value >= f.value_a - 0.01:
        arrived = f.sends <= 1 and value <= f.value_a + 0.01
        return None if arrived or read_at - sent_at > LATE_S + 1.0 else f
    overtaken = any(
        g.answered_at is not None and g.sent_at is not None and sent_at < g.sent_at <= read_at for g in w.flights
    )
    if f.low_at is None:
        return f._replace(low_at=read_at) if overtaken else f
    return None if read_at - f.low_at >= LATE_S else f


def drop_dead(w: Watch, at: float) -> None:
    """Take out what was never sent and can never be: its deadline passed."""
    if any(f.sends == 0 and at > f.deadline for f in w.flights):
        w.flights = tuple(f for f in w.flights if f.sends or at <= f.deadline)


def compact(w: Watch) -> None:
    """Join late flights of the same value: repeated writes to a silent charger must not pile up."""
    if len(w.flights) < 3:
        return
    kept: list[Flight] = []
    for f in w.flights:
        same = next((g for g in kept if g.late and f.late and g.value_a == f.value_a), None)
        if same is not None:
            kept.remove(same)
            f = f._replace(sends=f.sends + same.sends)
        kept.append(f)
    w.flights = tuple(kept)


def free_held(w: Watch, at: float) -> None:
    """R6: a cut frees current when read back and measured there, without a charger meter 10 s after the read-back."""
    if not w.held_a or w.conf_a is None:
        return
    if w.conf_a >= w.held_a:
        w.held_a = 0.0
    elif w.measured_a is None:
        if at >= w.held_at + FREE_WITHOUT_METER_S:
            w.held_a = 0.0
    elif w.read_at >= w.held_at and max(w.measured_a) <= w.conf_a + 0.5:
        w.held_a = 0.0


def pending(w: Watch) -> Flight | None:
    """The newest decision that no read has settled."""
    return w.flights[-1] if w.flights else None

"""What is known of an outlet after the wire log and the reads of a turn (turn.md steps 2 and 3; R3b, R4, R5, R8)."""

from hashlib import sha256
from math import isfinite

from siteward.control.bounds import note_uneven
from siteward.control.flight import settle
from siteward.control.memory import Flight, Watch
from siteward.control.phasing import FIRST, ONE
from siteward.control.tree import Outlet
from siteward.model.readings import ChargerReading, Pilot
from siteward.model.units import PerPhase
from siteward.model.wire import FrameKind, FrameStage, WireEvent

VERIFIED_FOR_S = 900.0
"""Verified values that were not read back again for so long are verified no more (re-check every 10 min)."""
BLANK_READS = 2
"""Reads in a row without a set point after which nobody knows it."""
PHASE_ON_A = 1.0
ROSE_A = 1.0
"""More than what two reads of a steady car differ by."""
PHASES_UNKNOWN_S = 10.0
FRESH_S = 5.0
_SENT = (FrameStage.SENT, FrameStage.ANSWERED, FrameStage.FAILED)


def apply_wire(o: Outlet, w: Watch, event: WireEvent) -> None:
    """Take one step of one frame into account: contact, silence, what may have re-armed the watchdog, flights."""
    sent_at = event.at if event.sent_at is None else event.sent_at
    if event.stage in _SENT:
        if _may_feed(o, event):
            w.spoke = max(w.spoke, sent_at)
        if event.stage is FrameStage.ANSWERED and _feeds(o, event.kind):
            w.heard = max(w.heard, sent_at)
        _count(o, w, event, sent_at)
    if event.kind is FrameKind.LIMIT and event.value_a is not None:
        w.flights = _flights_after(w.flights, event, event.value_a, sent_at)
        if event.stage is FrameStage.SENT:
            w.limit_sent = max(w.limit_sent, sent_at)


def _count(o: Outlet, w: Watch, event: WireEvent, sent_at: float) -> None:
    """Answers and misses of its own frames; OTHER may be a neighbour's, which says nothing of this one."""
    if event.kind is FrameKind.OTHER:
        return
    if event.stage is FrameStage.ANSWERED:
        hear(o, w, sent_at)
        w.misses = 0
    elif event.stage is FrameStage.FAILED:
        w.misses += 1


def _may_feed(o: Outlet, event: WireEvent) -> bool:
    """Whether the frame may keep the charger at a limit above its fail-safe current (R2).

    A limit write that is not above it cannot: heard, the limit is no higher; not heard, it feeds nothing.
    """
    if not o.has_watchdog:
        return False
    if event.kind is FrameKind.LIMIT:
        return event.value_a is None or event.value_a > o.fs_a + 0.01
    return event.kind is not FrameKind.READ or o.read_may_feed


def _feeds(o: Outlet, kind: FrameKind) -> bool:
    """Whether an answered frame of this kind re-armed the watchdog for certain."""
    if kind is FrameKind.LIMIT:
        return o.limit_feeds
    if kind is FrameKind.OTHER:
        return o.other_feeds
    return o.read_feeds


def hear(o: Outlet, w: Watch, sent_at: float) -> None:
    """Note an answer; after a silence a restart cannot be excluded, so nothing holds until it is read again (R3b)."""
    if sent_at - w.answered > o.min_silence_s:
        doubt(w, sent_at)
    w.answered = max(w.answered, sent_at)


def doubt(w: Watch, at: float) -> None:
    """Forget what a restart may have undone: set point, fail-safe values, phases."""
    if w.conf_a is not None:
        w.booked_a = w.conf_a
    w.conf_a, w.unread, w.unread_since = None, True, at
    if w.verified:
        w.verified, w.unverified_since = False, at
    w.phases_known_at = at + PHASES_UNKNOWN_S
    w.quiet = (None, None, None)
    w.phasing = w.phasing._replace(known_at=at + PHASES_UNKNOWN_S)


def _flights_after(flights: tuple[Flight, ...], e: WireEvent, value_a: float, sent_at: float) -> tuple[Flight, ...]:
    """Flights after a step of a limit frame; a frame that nobody decided (the line's own) becomes one when sent."""
    at = next((i for i in range(len(flights) - 1, -1, -1) if _is(flights[i], e, value_a)), None)
    if at is None:
        if e.stage not in _SENT:
            return flights
        flights = (*flights, Flight(value_a, -1 if e.turn is None else e.turn, e.at, raises=False, sends=0))
        at = len(flights) - 1
    f = flights[at]
    if e.stage is FrameStage.SENT:
        f = f._replace(sent_at=sent_at, sends=f.sends + 1)
    elif e.stage is FrameStage.ANSWERED:
        f = f._replace(sent_at=sent_at, answered_at=e.at, sends=max(1, f.sends))
    elif e.stage is FrameStage.FAILED:
        f = f._replace(sent_at=sent_at, late=True, sends=max(1, f.sends))
    elif e.stage is FrameStage.WITHDRAWN and not f.sends:
        return flights[:at] + flights[at + 1 :]
    return (*flights[:at], f, *flights[at + 1 :])


def _is(f: Flight, e: WireEvent, value_a: float) -> bool:
    return abs(f.value_a - value_a) < 0.01 and (e.turn is None or f.turn in (e.turn, -1))


def count_misses(w: Watch, misses: int) -> None:
    """Join the poller's count where it grew: who answers, but not as the charger that was asked, is no answer of it."""
    if misses > w.seen_misses:
        w.misses = max(w.misses, misses)
    w.seen_misses = misses


def apply_reading(o: Outlet, w: Watch, r: ChargerReading, at: float) -> bool:
    """Take the latest poll into account; returns whether somebody else changed the set point."""
    if r.sent_at <= w.read_at:
        _expire(o, w, at)
        return False
    hear(o, w, r.sent_at)
    if r.restart_mark is not None:
        if w.mark is not None and w.mark != r.restart_mark:
            doubt(w, r.sent_at)
            w.rests_until = r.sent_at + start_delay_s(o, r.restart_mark)
        w.mark = r.restart_mark
    w.misses, w.seen_misses = 0, 0
    w.reading, w.read_at = r, r.sent_at
    if r.set_point_a is not None:
        w.blank = 0
    if o.has_watchdog and o.read_feeds:
        w.heard = max(w.heard, r.sent_at)
    if o.has_watchdog and o.read_may_feed:
        w.spoke = max(w.spoke, r.sent_at)
    _verify(o, w, r)
    _expire(o, w, at)
    foreign = _lost_sight(o, w, r) if r.set_point_a is None else settle(o, w, r)
    _measure(o, w, r)
    return foreign


def _lost_sight(o: Outlet, w: Watch, r: ChargerReading) -> bool:
    """A set point that no number tells, as where somebody or a restart lifted the limit: it may be any (R5, R8).

    One such read is a slip of the register; two in a row count. Returns whether a known one was lost by that.
    """
    w.blank += 1
    if w.blank != BLANK_READS:
        return False
    known = w.conf_a is not None
    doubt(w, r.sent_at)
    w.booked_a = o.hw_a
    return known


def start_delay_s(o: Outlet, mark: int) -> float:
    """B07: how long it waits after its own restart; spread over the site, and the same again in a replay."""
    chance = sha256(f"{o.start_seed} {mark}".encode()).digest()
    return o.start_delay_s * int.from_bytes(chance[:4], "big") / 0x1_0000_0000


def _verify(o: Outlet, w: Watch, r: ChargerReading) -> None:
    """R8: fail-safe current, time and standby count only as read back."""
    fs = o.connector.facts.failsafe
    if fs is None or r.failsafe_a is None or r.failsafe_timeout_s is None:
        return
    same = abs(r.failsafe_a - o.fs_a) < 0.06 and abs(r.failsafe_timeout_s - o.tw_s) < 0.51
    w.fs_wrong = not same or r.failsafe_timeout_s <= 0.0 or r.standby_off is False
    if w.fs_wrong:
        if w.verified:
            w.unverified_since = r.sent_at
        w.verified = False
    else:
        w.verified, w.verified_at = True, r.sent_at


def _expire(o: Outlet, w: Watch, at: float) -> None:
    """Only of a charger that answers: while it is silent nothing is forgotten, its first answer asks anew (step 2)."""
    answers = at - w.answered <= o.min_silence_s
    if w.verified and answers and at - w.verified_at > VERIFIED_FOR_S:
        w.verified, w.unverified_since = False, at


def _measure(o: Outlet, w: Watch, r: ChargerReading) -> None:
    """Measured currents, and since when each phase draws nothing while another does (R9)."""
    measured = r.measured_a
    idle = r.pilot is not None and r.pilot not in (Pilot.C, Pilot.D) and not r.charging
    if measured is None or not all(isfinite(x) for x in measured):
        measured = (0.0, 0.0, 0.0) if idle else None
    else:
        measured = (max(0.0, measured[0]), max(0.0, measured[1]), max(0.0, measured[2]))
    drawing = measured is not None and max(measured) > PHASE_ON_A
    if drawing:
        w.drew_at = r.sent_at
    plugged = r.pilot is not None and r.pilot.plugged
    if (drawing and not w.drawing) or (plugged and not w.plugged):
        w.phases_known_at = r.sent_at + PHASES_UNKNOWN_S
    if plugged and not w.plugged:
        w.uneven = 0
    _note_rise(w, measured, r.sent_at)
    w.measured_a, w.drawing, w.plugged = measured, drawing, plugged
    if len(o.routes) > 1:
        note_uneven(o, w)
    _note_quiet(o, w, r.sent_at)


def _note_rise(w: Watch, now: PerPhase | None, at: float) -> None:
    """What it drew before a rise of the last seconds: a meter that means over a window may not show all of that yet."""
    before = w.measured_a
    if before is None or now is None:
        w.was_a = None
        return
    if now[0] > before[0] + ROSE_A or now[1] > before[1] + ROSE_A or now[2] > before[2] + ROSE_A:
        a, b, c = w.was_a or before
        w.was_a, w.rose_at = (min(a, before[0]), min(b, before[1]), min(c, before[2])), at
    elif at - w.rose_at > FRESH_S:
        w.was_a = None


def _note_quiet(o: Outlet, w: Watch, sent_at: float) -> None:
    measured = w.measured_a
    if not w.drawing or measured is None or not o.connector.facts.measures_current:
        w.quiet = (None, None, None)
        return
    a, b, c = (
        None if measured[i] > PHASE_ON_A else (sent_at if since is None else since) for i, since in enumerate(w.quiet)
    )
    w.quiet = (a, b, c)


def used_mask(o: Outlet, w: Watch, at: float) -> int:
    """Phases that count: those that may be closed, but those seen quiet for 10 s by a fresh read once known (R9)."""
    closed = closed_mask(o, w, at)
    if at < w.phases_known_at or at - w.read_at > FRESH_S:
        return closed
    mask = 0
    for i in range(o.phases):
        since = w.quiet[i]
        if since is None or at - since < PHASES_UNKNOWN_S:
            mask |= 1 << i
    return mask & closed or closed


def shown_closed(w: Watch, at: float) -> int | None:
    """Phases that its contactors show closed by a fresh read, None where that is not known or was refuted."""
    if w.reading is None or w.unread or at - w.read_at > FRESH_S or at < w.phasing.known_at or w.phasing.false_state:
        return None
    return w.reading.phases_closed


def closed_mask(o: Outlet, w: Watch, at: float) -> int:
    """Phases that may be closed: all wired ones, unless its contactors show one and nothing speaks against it.

    While it switches both layouts count; what is measured on another phase counts besides in any case (R6).
    """
    if not o.switchable or w.phasing.held or shown_closed(w, at) != ONE:
        return o.all_mask
    drawn = w.measured_a is not None and any(amps > PHASE_ON_A for amps in w.measured_a[1:])
    return o.all_mask if drawn else FIRST

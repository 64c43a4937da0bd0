"""Chargers that do not answer, and chargers whose fail-safe values are not certain (turn.md step 11; R2, R8, R16)."""

from siteward.control.evidence import BLANK_READS
from siteward.control.flight import top
from siteward.control.memory import NEVER, Watch
from siteward.control.reservation import starved
from siteward.control.tree import Outlet, step_down
from siteward.control.work import Work
from siteward.model.alarms import AlarmCode
from siteward.model.facts import Readback
from siteward.model.ids import ConnectorId
from siteward.model.wire import Write, WriteKind

MISSES = 2
EACH_S, LINE_S = 5.0, 1.0
LOAD_EVERY_S, LOAD_SLOWLY_S, LOAD_TRIES = 5.0, 60.0, 3
ANCHOR_EVERY_S = 10.0
ALARM_S, START_ALARM_S = 5.0, 8.0


def speak_to_silent(work: Work) -> None:
    """Fail-safe limit to the silent, fail-safe values to the unverified, refresh to those that only a write feeds."""
    for o in work.tree.outlets:
        w = work.watches[o.index]
        silent = w.misses >= MISSES
        if not silent:
            w.silent_since = None
        elif w.silent_since is None:
            w.silent_since = work.at
        if silent:
            _probe(work, o, w)
        elif work.reachable[o.index]:
            _load(work, o, w)
            _anchor(work, o, w)
            _set_again(work, o, w)
            _refresh(work, o, w)
        _alarms(work, o, w)


def failsafe_limit(work: Work, o: Outlet, w: Watch) -> float:
    """R2: min(last limit, fail-safe current), the floor where there is no fail-safe; 0 where nothing is wanted."""
    if not work.wants(o):
        return 0.0
    known = w.conf_a if w.conf_a is not None else w.booked_a
    value = min(x for x in (o.fs_a, known, w.limit_a, work.cap_a[o.index]) if x is not None)
    value = step_down(value, o.step_a)
    return value if value >= o.floor_a else 0.0


def _probe(work: Work, o: Outlet, w: Watch) -> None:
    """One attempt a second per line, each charger at most every 5 s (R16); its answer is the sign of life."""
    if work.at - w.probe_at < EACH_S or work.at - work.probes.get(o.line, NEVER) < LINE_S - 0.05:
        return
    w.probe_at = work.probes[o.line] = work.at
    limit = w.limit_a
    work.failsafes.append(work.order(o, failsafe_limit(work, o, w), raises=False))
    w.limit_a = limit


def _load(work: Work, o: Outlet, w: Watch) -> None:
    """Write fail-safe current and time where the last read does not show them; three tries, then slowly (flash)."""
    fs = o.connector.facts.failsafe
    if w.verified:
        w.failsafe_tries = 0
        return
    if fs is None or not fs.writable or w.unread:
        return
    pause = LOAD_EVERY_S if w.failsafe_tries < LOAD_TRIES else LOAD_SLOWLY_S
    if work.at - w.failsafe_at < pause:
        return
    w.failsafe_at = work.at
    w.failsafe_tries += 1
    write = Write(o.id, WriteKind.FAILSAFE, o.fs_a, False, work.turn, work.at + LOAD_EVERY_S)
    work.written[o.id, WriteKind.FAILSAFE] = write
    work.failsafes.append(write)


def _anchor(work: Work, o: Outlet, w: Watch) -> None:
    """An effective register says nothing of an unknown set point: write what it shows, so that it can confirm (R5)."""
    shown = None if w.reading is None else w.reading.set_point_a
    effective = o.connector.facts.limit.readback is Readback.EFFECTIVE
    if not effective or w.conf_a is not None or shown is None or work.under_way(o, top(o, w)):
        return
    if work.at - w.limit_sent < ANCHOR_EVERY_S:
        # A poll of one value a request takes seconds: the read that confirms is the one after the next.
        return
    value = step_down(min(shown, work.cap_a[o.index]), o.step_a) if work.wants(o) else 0.0
    work.failsafes.append(work.order(o, value if value >= o.floor_a else 0.0, raises=False))


def _set_again(work: Work, o: Outlet, w: Watch) -> None:
    """A register without a set point in it gets one; ever more slowly where it does not take it (flash)."""
    if w.blank < BLANK_READS or w.conf_a is not None or work.under_way(o, w.limit_a or 0.0):
        return
    pause_s = min(LOAD_SLOWLY_S, max(ANCHOR_EVERY_S, (work.at - w.unread_since) / 2.0))
    if w.limit_sent > w.unread_since and work.at - w.limit_sent < pause_s:
        return
    work.failsafes.append(work.order(o, failsafe_limit(work, o, w), raises=False))


def _refresh(work: Work, o: Outlet, w: Watch) -> None:
    """A watchdog that (perhaps) only a limit write feeds gets the same limit again every quarter of its time.

    After a possible restart it gets it at once: the time that it has from its own start may be far shorter.
    """
    if o.refresh_s is None or w.flights or w.conf_a is None:
        return
    if work.at - w.limit_sent < o.refresh_s and not starved(w):
        return
    work.failsafes.append(work.order(o, w.conf_a, raises=False))


def _alarms(work: Work, o: Outlet, w: Watch) -> None:
    """Each within 10 s."""
    started = work.memory.started_at
    never = w.read_at == NEVER and work.at - started >= START_ALARM_S
    if never or (w.silent_since is not None and work.at - w.silent_since >= ALARM_S):
        work.alarm(AlarmCode.CHARGER_UNREACHABLE, str(o.id))
    if o.has_watchdog and not w.verified and work.at - max(w.unverified_since, started) >= START_ALARM_S:
        work.alarm(AlarmCode.FAILSAFE_UNVERIFIED, str(o.id))


def mute(work: Work) -> frozenset[ConnectorId]:
    """Silent chargers that no read may reach: a probe could re-arm the watchdog at the old limit (R2, ruling 2)."""
    return frozenset(
        o.id for o in work.tree.outlets if work.watches[o.index].misses >= MISSES and o.has_watchdog and o.read_may_feed
    )

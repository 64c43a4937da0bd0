"""R2, R8, R16: what is written to the silent and the unverified, how often, and who hears of it."""

from dataclasses import replace

import pytest

from siteward.control.memory import NEVER, Watch
from siteward.control.silent import failsafe_limit, mute, speak_to_silent
from siteward.control.work import Work
from siteward.model.facts import Readback, ResetBy
from siteward.model.ids import LineId
from siteward.model.readings import ChargerReading
from siteward.model.wire import Write, WriteKind
from tests.siteward.control.bench import AT, TURN, alarms, demand, flight, lay, lay_site, watch
from tests.siteward.control.sites import Box, feeder, site

REACHABLE = ("CHARGER_UNREACHABLE", "c00")
CERTAIN = ("FAILSAFE_UNVERIFIED", "c00")


def spoken(seen: Watch, box: Box | None = None) -> Work:
    """One turn in which it is spoken to."""
    work = lay([seen], [box or Box()])
    work.reachable = [seen.misses < 2]
    speak_to_silent(work)
    return work


def values(work: Work) -> list[tuple[WriteKind, float]]:
    """What is written, in order."""
    return [(write.kind, write.value_a) for write in work.failsafes]


@pytest.mark.parametrize(
    ("conf_a", "booked_a", "limit_a", "cap_a", "value_a"),
    [
        (16.0, None, 16.0, 32.0, 10.0),
        (8.04, None, 16.0, 32.0, 8.0),
        (16.0, None, 7.0, 32.0, 7.0),
        (16.0, None, 16.0, 9.0, 9.0),
        (None, 7.5, None, 32.0, 7.5),
        (None, None, None, 32.0, 10.0),
        (9.0, 7.0, None, 32.0, 9.0),
        (6.0, None, 16.0, 32.0, 6.0),
        (5.9, None, 16.0, 32.0, 0.0),
        (0.0, None, 16.0, 32.0, 0.0),
    ],
)
def test_the_least_of_all_that_is_known_is_its_failsafe_limit(
    conf_a: float | None, booked_a: float | None, limit_a: float | None, cap_a: float, value_a: float
) -> None:
    """R2: its fail-safe current of 10 A, what it may hold, what it was told last, its cap; a floor at least or none."""
    seen = watch(conf_a, booked_a=booked_a, limit_a=limit_a)
    work = lay([seen], [Box(fs_a=10.0)])
    work.cap_a = [cap_a]
    assert failsafe_limit(work, work.tree.outlets[0], seen) == value_a


def test_where_nothing_is_wanted_the_failsafe_limit_is_a_pause() -> None:
    """R2: nobody charges there."""
    seen = watch(16.0)
    work = lay([seen], demands=[replace(demand(), wants=False)])
    assert failsafe_limit(work, work.tree.outlets[0], seen) == 0.0


@pytest.mark.parametrize(("misses", "asked"), [(1, False), (2, True)])
def test_two_misses_are_silence(misses: int, asked: bool) -> None:
    """R16: the fail-safe limit is the question; what it was to have stays known."""
    seen = watch(16.0, misses=misses)
    work = spoken(seen)
    assert values(work) == ([(WriteKind.LIMIT, 6.0)] if asked else [])
    assert seen.limit_a == 16.0
    assert seen.silent_since == (AT if asked else None)
    if asked:
        assert work.failsafes[0] == Write(work.tree.outlets[0].id, WriteKind.LIMIT, 6.0, False, TURN, AT + 2.0)
        assert [(f.value_a, f.raises) for f in seen.flights] == [(6.0, False)]
        assert seen.probe_at == work.probes[LineId("bus")] == AT


@pytest.mark.parametrize(
    ("own_s", "line_s", "asked"), [(5.0, 0.95, True), (4.9, 9.0, False), (9.0, 0.94, False), (5.0, 1.0, True)]
)
def test_each_is_asked_every_five_seconds_and_a_line_once_a_second(own_s: float, line_s: float, asked: bool) -> None:
    """R16: a turn may come a little early."""
    seen = watch(16.0, misses=2, probe_at=AT - own_s, silent_since=AT - 3.0)
    work = lay([seen])
    work.probes[LineId("bus")] = AT - line_s
    work.reachable = [False]
    speak_to_silent(work)
    assert bool(work.failsafes) is asked
    assert seen.silent_since == AT - 3.0


def test_one_of_two_silent_on_a_line_is_asked() -> None:
    """R16: and another line has its own second."""
    watches = [watch(misses=2) for _ in range(3)]
    work = lay(watches, [Box(), Box(), Box(line="other")])
    speak_to_silent(work)
    assert [write.connector for write in work.failsafes] == ["c00", "c02"]


def test_an_answer_ends_the_silence() -> None:
    """R16: the next one counts anew."""
    seen = watch(silent_since=AT - 30.0)
    assert alarms(spoken(seen)) == set()
    assert seen.silent_since is None


@pytest.mark.parametrize(("silent_s", "told"), [(4.9, False), (5.0, True)])
def test_five_seconds_of_silence_are_told(silent_s: float, told: bool) -> None:
    """Fault 1: within 10 s."""
    work = spoken(watch(misses=5, silent_since=AT - silent_s, probe_at=AT))
    assert (REACHABLE in alarms(work)) is told


@pytest.mark.parametrize(("since_start_s", "told"), [(7.9, set()), (8.0, {REACHABLE, CERTAIN})])
def test_who_was_never_read_is_told_eight_seconds_after_the_start(since_start_s: float, told: set[object]) -> None:
    """Fault 1, R8: a poll round has to come first, for both alarms."""
    seen = watch(None, read_at=NEVER, unread=True, verified=False)
    work = lay([seen])
    work.memory = replace(work.memory, started_at=AT - since_start_s)
    speak_to_silent(work)
    assert alarms(work) == told


@pytest.mark.parametrize(
    ("unverified_s", "verified", "box", "told"),
    [
        (8.0, False, Box(), True),
        (7.9, False, Box(), False),
        (60.0, True, Box(), False),
        (60.0, False, Box(tw_s=None), False),
    ],
)
def test_values_that_stay_uncertain_are_told(unverified_s: float, verified: bool, box: Box, told: bool) -> None:
    """R8: 8 s after they became so; where there is no watchdog there is nothing to verify."""
    seen = watch(verified=verified, unverified_since=AT - unverified_s, failsafe_at=AT)
    assert alarms(spoken(seen, box)) == ({CERTAIN} if told else set())


@pytest.mark.parametrize(
    ("tries", "passed_s", "tries_after"), [(0, 4.9, 0), (0, 5.0, 1), (2, 5.0, 3), (3, 59.9, 3), (3, 60.0, 4)]
)
def test_failsafe_values_are_tried_three_times_and_then_slowly(tries: int, passed_s: float, tries_after: int) -> None:
    """R8: every 5 s, then every minute: some keep them in flash."""
    seen = watch(verified=False, failsafe_tries=tries, failsafe_at=AT - passed_s, unverified_since=AT)
    work = spoken(seen, Box(fs_a=8.0))
    assert seen.failsafe_tries == tries_after
    if tries_after > tries:
        write = Write(work.tree.outlets[0].id, WriteKind.FAILSAFE, 8.0, False, TURN, AT + 5.0)
        assert work.failsafes == [write]
        assert work.written == {(write.connector, WriteKind.FAILSAFE): write}
        assert seen.failsafe_at == AT
    else:
        assert work.failsafes == []


def test_verified_values_are_left_alone() -> None:
    """R8: and the next time begins with three tries."""
    seen = watch(failsafe_tries=9)
    assert spoken(seen).failsafes == []
    assert seen.failsafe_tries == 0


@pytest.mark.parametrize("why", ["no watchdog", "not read yet", "fixed"])
def test_values_that_cannot_be_written_or_compared_are_not(why: str) -> None:
    """R8: nothing to write, nothing known, or set at the box only."""
    seen = watch(verified=False, unread=why == "not read yet", unverified_since=AT)
    work = lay([seen], [Box(tw_s=None if why == "no watchdog" else 15.0)])
    if why == "fixed":
        built = site([feeder("grid", 63.0)], [Box()])
        charger = built.chargers[0]
        c = charger.connectors[0]
        assert c.facts.failsafe is not None
        fixed = replace(c, facts=replace(c.facts, failsafe=replace(c.facts.failsafe, writable=False)))
        work = lay_site(replace(built, chargers=(replace(charger, connectors=(fixed,)),)), [seen])
    speak_to_silent(work)
    assert work.failsafes == []
    assert seen.failsafe_tries == 0


def effective(shown_a: float | None, conf_a: float | None = None, **more: object) -> Watch:
    """A box whose register shows the current in effect."""
    reading = ChargerReading(lay().tree.outlets[0].id, AT - 0.4, set_point_a=shown_a)
    return watch(conf_a, reading=reading, **more)


EFFECTIVE = Box(readback=Readback.EFFECTIVE)


@pytest.mark.parametrize(("shown_a", "written"), [(8.05, 8.0), (6.0, 6.0), (5.9, 0.0), (40.0, 32.0), (0.0, 0.0)])
def test_what_an_effective_register_shows_is_written_once(shown_a: float, written: float) -> None:
    """R5: only then does it confirm anything."""
    assert values(spoken(effective(shown_a, booked_a=0.0), EFFECTIVE)) == [(WriteKind.LIMIT, written)]


@pytest.mark.parametrize(("ago_s", "again"), [(9.9, False), (10.0, True)])
def test_it_is_written_again_after_ten_seconds(ago_s: float, again: bool) -> None:
    """R5: a poll of one value a request takes long."""
    seen = effective(8.0, booked_a=0.0, limit_sent=AT - ago_s)
    assert bool(spoken(seen, EFFECTIVE).failsafes) is again


@pytest.mark.parametrize("why", ["echo", "known", "shows nothing", "never read", "under way"])
def test_nothing_is_anchored_without_need(why: str) -> None:
    """R5: a register that shows what was written, a known value, none, or a write that may still confirm."""
    seen = effective(None if why == "shows nothing" else 8.0, 8.0 if why == "known" else None, booked_a=0.0)
    if why == "never read":
        seen.reading = None
    if why == "under way":
        seen.flights = (flight(8.0, sent_at=AT - 1.0, sends=1),)
    assert spoken(seen, Box() if why == "echo" else EFFECTIVE).failsafes == []


def test_where_nothing_is_wanted_an_anchor_is_a_pause() -> None:
    """R5, S-31: whatever it shows."""
    seen = effective(16.0, booked_a=0.0)
    work = lay([seen], [EFFECTIVE], demands=[replace(demand(), wants=False)])
    speak_to_silent(work)
    assert values(work) == [(WriteKind.LIMIT, 0.0)]


WRITTEN = Box(reset_by=ResetBy.LIMIT_WRITE, tw_s=60.0)


@pytest.mark.parametrize(("ago_s", "again"), [(14.9, False), (15.0, True)])
def test_a_watchdog_that_a_write_feeds_gets_one_each_quarter_of_its_time(ago_s: float, again: bool) -> None:
    """R2: the same limit once more."""
    work = spoken(watch(9.0, limit_sent=AT - ago_s), WRITTEN)
    assert values(work) == ([(WriteKind.LIMIT, 9.0)] if again else [])
    assert not any(write.raises for write in work.failsafes)


def test_after_a_possible_restart_it_gets_it_at_once() -> None:
    """R3: the time that it has from its own start may be far shorter."""
    assert values(spoken(watch(9.0, limit_sent=AT - 1.0, unread_since=AT - 0.3), WRITTEN)) == [(WriteKind.LIMIT, 9.0)]


@pytest.mark.parametrize("why", ["reads feed it", "under way", "unknown"])
def test_no_refresh_without_need_or_knowledge(why: str) -> None:
    """R2: a poll is enough, a write is under way, or nobody knows what to repeat."""
    seen = watch(None if why == "unknown" else 9.0)
    if why == "under way":
        seen.flights = (flight(8.0),)
    assert spoken(seen, Box() if why == "reads feed it" else WRITTEN).failsafes == []


def test_the_unreachable_are_not_loaded() -> None:
    """R16: one miss is no silence yet, but nothing is written before the first read."""
    seen = watch(9.0, verified=False, read_at=NEVER, misses=1)
    work = lay([seen])
    work.reachable = [False]
    speak_to_silent(work)
    assert work.failsafes == []


@pytest.mark.parametrize(
    ("misses", "box", "muted"),
    [
        (2, Box(), True),
        (1, Box(), False),
        (2, Box(tw_s=None), False),
        (2, Box(reset_by=ResetBy.LIMIT_WRITE), False),
        (2, Box(reset_by=ResetBy.UNKNOWN), True),
    ],
)
def test_no_read_reaches_a_silent_box_whose_watchdog_it_may_feed(misses: int, box: Box, muted: bool) -> None:
    """R2, ruling 2: it could keep the old limit for ever."""
    assert bool(mute(lay([watch(misses=misses)], [box]))) is muted

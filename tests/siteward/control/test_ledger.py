"""R2, R4, R7, R16, ruling 1: who may say what to whom between two turns."""

from dataclasses import replace
from itertools import pairwise

from siteward.control.ledger import Ledger, may_send, may_speak
from siteward.model.facts import ResetBy
from siteward.model.ids import ConnectorId
from siteward.model.wire import FrameKind, FrameStage, Write, WriteKind
from tests.siteward.control.hand import Hand
from tests.siteward.control.sites import Box, feeder, site

C0, C1 = ConnectorId("c00"), ConnectorId("c01")


def write(value: float, turn: int = 1, raises: bool = True, deadline: float = 102.0) -> Write:
    return Write(C0, WriteKind.LIMIT, value, raises, turn, deadline)


def ledger(newest: Write, **more: object) -> Ledger:
    base = Ledger(
        100.0,
        1,
        {(newest.connector, newest.kind): newest},
        frozenset({newest.connector}),
        {newest.connector: 105.0},
        {newest.connector: 5.0},
    )
    return replace(base, **more)  # type: ignore[arg-type]


def test_r4_a_stale_raise_overtaken_by_a_cut_is_withdrawn() -> None:
    """The raise of turn 1 must not go out once turn 2 decided a cut, however late its place in the queue comes."""
    old, new = write(32.0), write(6.0, turn=2, raises=False)
    assert may_send(ledger(old), old, 100.5)
    assert not may_send(ledger(new), old, 100.5)
    assert may_send(ledger(new), new, 100.5)


def test_r4_a_raise_dies_with_its_deadline_its_lease_and_its_room() -> None:
    """2 s, a living lease, and room on the whole path at the instant of sending."""
    raise_ = write(32.0)
    assert not may_send(ledger(raise_), raise_, 102.1)
    assert not may_send(ledger(raise_, lease_until={C0: 100.4}), raise_, 100.5)
    assert not may_send(ledger(raise_, roomy=frozenset()), raise_, 100.5)


def test_r17_a_cut_goes_out_without_a_lease() -> None:
    """Cuts go on while leases are held back; their own deadline proves a living turn."""
    cut = write(6.0, raises=False)
    assert may_send(ledger(cut, lease_until={}, roomy=frozenset()), cut, 101.0)


def test_ruling_1_nothing_is_asked_once_the_turn_is_older_than_the_lease() -> None:
    """A blind controller must let a watchdog that any request feeds run out."""
    book = ledger(write(6.0))
    assert may_speak(book, C0, 104.9)
    assert not may_speak(book, C0, 105.1)
    assert not may_speak(book, C1, 100.1)


def silent_hand(reset: ResetBy) -> Hand:
    hand = Hand(site([feeder("grid", 100)], [Box(reset_by=reset, line="a"), Box(reset_by=reset, line="a")]))
    hand.obey(30)
    for _ in range(2):
        for c in (C0, C1):
            hand.event(c, FrameKind.READ, FrameStage.SENT)
            hand.event(c, FrameKind.READ, FrameStage.FAILED)
        hand.decide()
    return hand


def test_r2_two_misses_mute_a_charger_that_any_request_feeds() -> None:
    """After that only min(last limit, fail-safe) is written; a read could keep it at its old limit."""
    hand = silent_hand(ResetBy.ANY_REQUEST)
    assert not may_speak(hand.out.ledger, C0, hand.at)
    probes = [w for w in hand.out.failsafes if w.kind is WriteKind.LIMIT]
    assert [w.value_a for w in probes] == [6.0]
    assert not probes[0].raises


def test_r2_a_charger_that_reads_cannot_feed_may_be_asked_on() -> None:
    """Only a limit write feeds it: a read tells us that it is back and re-arms nothing."""
    hand = silent_hand(ResetBy.LIMIT_WRITE)
    assert may_speak(hand.out.ledger, C0, hand.at)


def test_r16_one_attempt_a_second_per_line_and_each_every_five() -> None:
    """Two silent chargers on one line take turns."""
    hand = silent_hand(ResetBy.ANY_REQUEST)
    seen = [(hand.turn, w.connector) for w in hand.out.failsafes]
    for _ in range(12):
        hand.decide()
        seen += [(hand.turn, w.connector) for w in hand.out.failsafes]
    assert len({turn for turn, _ in seen}) == len(seen)
    for c in (C0, C1):
        turns = [turn for turn, who in seen if who == c]
        assert min(b - a for a, b in pairwise(turns)) >= 5


def test_r2_the_answer_to_the_fail_safe_limit_ends_the_silence() -> None:
    """It is answered, so reads are allowed again, and nothing counts before they came (R3b)."""
    hand = silent_hand(ResetBy.ANY_REQUEST)
    for _ in range(4):
        hand.decide()
    hand.sent(Write(C0, WriteKind.LIMIT, 6.0, False, hand.turn, 0.0))
    out = hand.decide()
    assert may_speak(out.ledger, C0, hand.at)
    assert out.grants[C0].confirmed_a is None
    assert not out.grants[C0].verified


def test_r7_leases_are_for_all_also_silent_and_paused_ones_and_end_by_half_the_watchdog() -> None:
    """min(5, Tw/2)."""
    hand = Hand(site([feeder("grid", 100)], [Box(tw_s=8.0), Box(tw_s=60.0)]))
    out = hand.decide()
    assert out.leases == {C0, C1}
    assert out.ledger.lease_until[C0] - hand.memory.at == 4.0
    assert out.ledger.lease_until[C1] - hand.memory.at == 5.0

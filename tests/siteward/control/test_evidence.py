"""R3b, R4, R5, R6, R8: what a read, an answer, a silence prove, and what they do not."""

from dataclasses import replace
from itertools import pairwise
from random import Random

from siteward.model.alarms import Alarm, AlarmCode
from siteward.model.facts import Readback, ResetBy
from siteward.model.ids import ConnectorId
from siteward.model.limits import Cause
from siteward.model.recovered import LedgerEntry
from siteward.model.wire import FrameKind, FrameStage, WriteKind
from tests.siteward.control.hand import Hand
from tests.siteward.control.scenes import Scene
from tests.siteward.control.sites import Box, feeder, site

C0, C1 = ConnectorId("c00"), ConnectorId("c01")


def hand(*boxes: Box, rating: float = 100.0, ledger: tuple[LedgerEntry, ...] = ()) -> Hand:
    return Hand(site([feeder("grid", rating)], list(boxes)), ledger)


def test_at_start_u_is_the_hardware_maximum_until_the_first_read() -> None:
    """I4: assume the worst until read; no watchdog value was verified."""
    h = hand(Box(), ledger=(LedgerEntry(C0, 6.0, None),))
    assert h.decide().grants[C0].reserved_a == 32.0
    h.reads("c00", 6.0)
    assert h.decide().grants[C0].reserved_a == 6.0


def test_r8_fail_safe_values_are_written_at_start_until_a_read_shows_them() -> None:
    """Unverified chargers start no session."""
    h = hand(Box())
    h.reads("c00", 0.0, failsafe_a=0.0, failsafe_timeout_s=0.0)
    out = h.decide()
    assert [(w.kind, w.value_a) for w in out.failsafes] == [(WriteKind.FAILSAFE, 6.0)]
    for _ in range(14):
        h.reads("c00", 0.0, failsafe_a=0.0, failsafe_timeout_s=15.0)
        out = h.decide()
        assert not out.raises
    assert Alarm(AlarmCode.FAILSAFE_UNVERIFIED, "c00") in out.alarms
    assert out.grants[C0].chain[0].cause is Cause.UNVERIFIED
    h.obey(14)
    assert h.out.grants[C0].limit_a >= 6.0


def test_r5_a_read_before_apply_s_proves_nothing() -> None:
    """An early read neither confirms nor refutes."""
    h = hand(Box())
    out = h.obey(11)
    while not out.raises:
        h.reads("c00", 0.0)
        out = h.decide()
    h.sent(out.raises[0])
    h.at += 0.1
    h.reads("c00", 0.0)
    h.at -= 0.1
    assert h.decide().grants[C0].confirmed_a == 0.0
    assert h.memory.watches[0].refuted == 0
    h.reads("c00", 6.0)
    assert h.decide().grants[C0].confirmed_a == 6.0


def test_r5_an_effective_register_confirms_the_written_value() -> None:
    """It shows 0 when idle: <= written confirms, and conf is what was WRITTEN; unknown, it is written first."""
    h = hand(Box(readback=Readback.EFFECTIVE))
    h.reads("c00", 12.0, 12.0)
    out = h.decide()
    assert out.grants[C0].confirmed_a is None
    assert out.grants[C0].reserved_a == 32.0
    anchor = [w for w in out.failsafes if w.kind is WriteKind.LIMIT]
    assert [w.value_a for w in anchor] == [12.0]
    h.sent(anchor[0])
    h.decide()
    h.reads("c00", 0.0, 0.0)
    assert h.decide().grants[C0].confirmed_a == 12.0


def test_r5_the_anchoring_write_waits_for_a_slow_poll() -> None:
    """A poll that was sent before the write proves nothing: writing again at each would put off the proof for ever."""
    h = hand(Box(readback=Readback.EFFECTIVE))
    h.reads("c00", 12.0, 12.0)
    anchor = [w for w in h.decide().failsafes if w.kind is WriteKind.LIMIT]
    h.sent(anchor[0])
    again = []
    for _ in range(8):
        again += [w for w in h.decide().failsafes if w.kind is WriteKind.LIMIT]
    assert again == []
    h.reads("c00", 12.0, 12.0)
    assert h.decide().grants[C0].confirmed_a == 12.0


def test_fault_21_a_set_point_refuted_twice_is_disobedience() -> None:
    """U keeps the old value, the session is stopped, an alarm stands."""
    h = hand(Box())
    h.obey(60)
    high = h.out.grants[C0].confirmed_a
    assert high is not None
    assert high > 6.0
    h.demands[C0] = replace(h.demands[C0], max_a=6.0)
    for _ in range(12):
        h.reads("c00", high, high)
        out = h.decide()
        for write in out.cuts:
            h.sent(write)
    assert out.grants[C0].reserved_a >= high
    assert C0 in out.stops
    assert Alarm(AlarmCode.CHARGER_DISOBEYS, "c00") in out.alarms


def test_r4_a_timed_out_raise_stays_in_u_until_two_reads_after_a_newer_answered_write() -> None:
    """Gateways deliver late: a read that shows the old value is not enough."""
    h = hand(Box())
    h.obey(20)
    out = h.out
    while not out.raises:
        out = h.obey(1)
    point = h.chargers[C0].set_point_a
    while True:
        h.reads("c00", point, 0.0)
        out = h.decide()
        if out.raises:
            break
    high = out.raises[0].value_a
    h.sent(out.raises[0], FrameStage.FAILED)
    answered = 0
    for second in range(12):
        h.at += 0.3
        h.reads("c00", point, 0.0)
        h.at -= 0.3
        out = h.decide()
        if answered < 1 or second - answered < 3:
            assert out.grants[C0].reserved_a >= high
        for write in (*out.cuts, *out.raises):
            h.sent(replace(write))
            point = write.value_a
            answered = answered or second
    assert answered > 0


def test_r3b_a_new_restart_mark_makes_everything_unknown_until_the_same_read() -> None:
    """The set point of that very read counts; phases and fail-safe values start again."""
    h = hand(Box())
    h.obey(40)
    h.reads("c00", 16.0, 16.0, restart_mark=2, failsafe_a=0.0)
    out = h.decide()
    assert out.grants[C0].confirmed_a == 16.0
    assert not out.grants[C0].verified
    assert any(w.kind is WriteKind.FAILSAFE for w in out.failsafes)


def test_a_watchdog_fed_by_limit_writes_gets_its_limit_again_in_time() -> None:
    """A quarter of Tw, also for a pause: else it would wake up at its fail-safe current."""
    h = hand(Box(reset_by=ResetBy.LIMIT_WRITE))
    h.demands.clear()
    h.obey(30)
    times = []
    for _ in range(20):
        out = h.obey(1)
        times += [h.turn for w in out.failsafes if w.kind is WriteKind.LIMIT]
    assert len(times) >= 4
    assert max(b - a for a, b in pairwise(times)) <= 5


def test_an_answer_of_a_neighbour_is_no_answer_of_this_one() -> None:
    """R2: traffic that may feed its watchdog is logged for it too; silent it stays, and its old limit stays in U."""
    h = hand(Box(reset_by=ResetBy.ANY_TRAFFIC))
    high = h.obey(60).grants[C0].reserved_a
    for _ in range(60):
        h.event("c00", FrameKind.READ, FrameStage.FAILED)
        h.event("c00", FrameKind.OTHER, FrameStage.SENT)
        h.event("c00", FrameKind.OTHER, FrameStage.ANSWERED)
        out = h.decide()
    assert not out.grants[C0].reachable
    assert out.grants[C0].reserved_a >= high > 6.0


def test_the_turn_is_pure_and_deterministic() -> None:
    """Law 2: the same arguments twice give the same outcome, and the memory given is not changed."""
    scene = Scene(5)
    h = Hand(scene.site)
    h.obey(30)
    rng = Random(2)
    for c in h.site.connectors:
        h.reads(c.id, 6.0, rng.uniform(0.0, 6.0))
    memory, wire, at = h.memory, list(h.wire), h.at
    watches = [w.clone() for w in memory.watches]
    nodes = [n.clone() for n in memory.nodes]
    first = h.decide()
    assert list(memory.watches) == watches
    assert list(memory.nodes) == nodes
    h.memory, h.wire, h.at, h.turn = memory, wire, at, h.turn - 1
    assert h.decide() == first


def test_r2_verified_values_stay_so_for_as_long_as_a_charger_is_silent() -> None:
    """Step 2: while it is silent nothing is forgotten, also after the quarter of an hour that a re-check may take."""
    h = hand(Box(), Box())
    h.obey(60)
    h.misses[ConnectorId("c00")] = 2
    for _ in range(1000):
        h.reads("c01", 16.0, 16.0)
        h.decide()
    grant = h.out.grants[ConnectorId("c00")]
    assert grant.verified
    assert grant.reserved_a == 6.0
    assert Alarm(AlarmCode.FAILSAFE_UNVERIFIED, "c00") not in h.out.alarms


def test_r2_the_controller_before_may_have_fed_the_watchdog_until_this_one_began() -> None:
    """R2, R14: read once after a restart, then silent: the old limit stays booked for its Tw + 10 s."""
    box = Box(tw_s=60.0, reset_by=ResetBy.LIMIT_WRITE, fs_a=6.0, boot_a=0.0, hold_s=8.0)
    hand = Hand(site([feeder("grid", 63.0)], [box]))
    hand.reads("c00", 20.0, 20.0)
    assert hand.decide().grants[ConnectorId("c00")].reserved_a >= 20.0
    for _ in range(60):
        hand.misses[ConnectorId("c00")] = hand.misses.get(ConnectorId("c00"), 0) + 1
        assert hand.decide().grants[ConnectorId("c00")].reserved_a >= 20.0, hand.at
    for _ in range(20):
        out = hand.decide()
    assert out.grants[ConnectorId("c00")].reserved_a == 6.0


def test_r2_who_answers_in_anothers_place_is_asked_no_more() -> None:
    """R2, fault 7: every frame of a refused poll was answered, in each turn it lies in; that is no sign of life."""
    name = ConnectorId("c00")
    hand = Hand(site([feeder("grid", 63.0)], [Box()]))
    hand.obey(20)
    assert name not in hand.out.ledger.mute
    for misses in (0, 1, 1, 2):
        hand.misses[name] = misses
        hand.event(name, FrameKind.READ, FrameStage.SENT)
        hand.event(name, FrameKind.READ, FrameStage.ANSWERED)
        hand.decide()
    assert name in hand.out.ledger.mute

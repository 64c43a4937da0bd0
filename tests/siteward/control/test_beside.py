"""A meter reading beside older or newer draws of the chargers: no base of cuts falls by what cars move (R10, R6)."""

from dataclasses import replace

import pytest

from siteward.model.alarms import AlarmCode
from siteward.model.ids import FeederId
from tests.siteward.control.hand import Hand
from tests.siteward.control.sites import Box, feeder, site

RATING_A, WORST_A, OTHER_A = 100.0, 60.0, 20.0


def _charging(count: int = 2, **more: object) -> Hand:
    """Cars that draw their limits beside other load of 20 A; everything was read again and again."""
    hand = Hand(site([feeder("grid", RATING_A, worst=WORST_A, metered=True)], [Box(**more) for _ in range(count)]))  # type: ignore[arg-type]
    for _ in range(60):
        _second(hand, OTHER_A)
    assert _base(hand) == OTHER_A
    assert sum(_draws(hand)) > 50.0
    return hand


def _second(hand: Hand, other_a: float) -> None:
    """One second in which every car draws what it was told and everything is read."""
    hand.obey(1)
    hand.meter("m-grid", other_a + sum(_draws(hand)))


def _draws(hand: Hand) -> list[float]:
    return [r.measured_a[0] for r in hand.chargers.values() if r.measured_a is not None]


def _base(hand: Hand) -> float:
    return hand.out.feeders[FeederId("grid")].base_a[0]


def _over(hand: Hand, other_a: float) -> float:
    """The meter shows a rise of other load three times, then the cuts are sent. What the cars may draw from now on."""
    hand.meter("m-grid", other_a + sum(_draws(hand)))
    assert hand.decide().cuts
    for _ in range(2):
        hand.meter("m-grid", other_a + sum(_draws(hand)))
        out = hand.decide()
    for write in out.cuts:
        hand.sent(write)
    told = {c: r.set_point_a for c, r in hand.chargers.items()} | {w.connector: w.value_a for w in out.cuts}
    return sum(amps or 0.0 for amps in told.values())


def test_r10_what_cars_give_up_for_a_cut_is_no_other_load_that_fell():
    """R10, R6: the meter sees the cars obey before their chargers are read again; a lower base would cut too little."""
    hand = _charging()
    left = _over(hand, 60.0)
    cuts = hand.out.cuts
    assert _base(hand) == pytest.approx(60.0)
    for _ in range(3):
        hand.meter("m-grid", 60.0 + left)
        hand.decide()
        assert _base(hand) >= 60.0 - 0.01
    told = {w.connector: w.value_a for w in cuts}
    hand.chargers |= {c: replace(hand.chargers[c], set_point_a=amps) for c, amps in told.items()}
    for _ in range(5):
        hand.obey(1)
        hand.meter("m-grid", 60.0 + sum(_draws(hand)))
        assert _base(hand) >= 60.0 - 0.01, "nor does a reading of before linger among the last three"
    assert _base(hand) == pytest.approx(60.0, abs=0.01)


def test_r10_other_load_that_falls_by_more_than_the_cars_can_is_believed_at_once():
    """R10: the base is held up by what the cars below may have moved by, and not by an ampere more."""
    hand = _charging()
    drawn = sum(_draws(hand))
    left = _over(hand, 45.0)
    assert drawn - left < 12.0
    hand.meter("m-grid", 5.0 + left)
    hand.decide()
    assert _base(hand) == pytest.approx(5.0, abs=0.01)


def test_r10_a_rise_that_the_meter_means_over_its_window_is_no_other_load_that_fell():
    """R10: a charger may show a car's rise before a meter does, whose value is a mean of the time before."""
    hand = _charging()
    names = [c.id for c in hand.site.connectors]
    now = dict(zip(names, _draws(hand), strict=True))
    for name in names:
        hand.reads(name, now[name], 8.0)
    hand.meter("m-grid", OTHER_A + 16.0)
    for _ in range(6):
        hand.decide()
        for name in names:
            hand.reads(name, now[name], 8.0)
        hand.meter("m-grid", OTHER_A + 16.0)
    assert _base(hand) == OTHER_A
    for name in names:
        hand.reads(name, now[name], now[name])
    hand.meter("m-grid", OTHER_A + 16.0 + (sum(now.values()) - 16.0) / 2.0)
    hand.decide()
    assert _base(hand) == OTHER_A
    for _ in range(4):
        for name in names:
            hand.reads(name, now[name], now[name])
        hand.meter("m-grid", OTHER_A - 10.0 + sum(now.values()))
        hand.decide()
    assert _base(hand) == pytest.approx(OTHER_A - 10.0, abs=0.01), "a steady car holds nothing up"


def test_r11_a_car_that_stays_above_its_limit_holds_no_base_up_for_ever():
    """R6, R18: after 15 s it is no car on its way any more; what its charger shows is what it draws."""
    hand = _charging()
    names = [c.id for c in hand.site.connectors]
    _over(hand, 45.0)
    points = {w.connector: w.value_a for w in hand.out.cuts}
    for second in range(20):
        for name in names:
            point = points.get(name, hand.chargers[name].set_point_a or 0.0)
            hand.reads(name, point, point + 0.8)
        hand.meter("m-grid", (45.0 if second < 17 else 44.3) + sum(_draws(hand)))
        hand.decide()
        for write in hand.out.cuts:
            hand.sent(write)
            points[write.connector] = write.value_a
    assert _base(hand) == pytest.approx(44.3, abs=0.01)


def test_i3_a_wire_that_comes_back_makes_no_meter_look_blind():
    """I3, turn.md 3.4: chargers of a pulled wire that are read again have not moved by that."""
    hand = _charging(4)
    names = [c.id for c in hand.site.connectors]
    draws = dict(zip(names, _draws(hand), strict=True))
    points = {name: hand.chargers[name].set_point_a for name in names}
    alarms = set()
    for second in range(60):
        lost = names[:2] if second < 10 else []
        for name in names:
            if name in lost:
                hand.misses[name] = second + 1
            else:
                hand.misses[name] = 0
                hand.reads(name, points[name], draws[name])
        # The voltage in it moves, so that this is no frozen meter.
        hand.meter("m-grid", OTHER_A + sum(draws.values()))
        out = hand.decide()
        alarms |= {alarm.code for alarm in out.alarms}
    assert AlarmCode.METER_IMPLAUSIBLE not in alarms


def test_r14_whom_the_reading_met_unread_is_taken_out_of_it_once_he_is_read():
    """R14, R10b: a meter reading of before the first reads took the charging cars for other load until the next one."""
    hand = Hand(site([feeder("grid", 600.0, worst=390.0, metered=True)], [Box() for _ in range(16)]))
    names = [c.id for c in hand.site.connectors]
    hand.meter("m-grid", 16 * 22.0 + OTHER_A)
    for name in names[:3]:
        hand.reads(name, 22.0, 22.0)
    hand.decide()
    assert _base(hand) > 100.0
    for name in names:
        hand.reads(name, 22.0, 22.0)
    hand.decide()
    assert _base(hand) == pytest.approx(OTHER_A)

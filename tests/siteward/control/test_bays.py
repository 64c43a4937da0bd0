"""Bays: who stands there without charging, and locks that go down for whoever was let in (issue 5 point 6, I12)."""

from dataclasses import replace

import pytest

from siteward.control import lock as locks
from siteward.control.arm import Ask, Effect
from siteward.control.bays import LOWER_AGAIN_S
from siteward.control.lock import LockMemory
from siteward.model.access import Contact, Lock, LockKeeps, Motion
from siteward.model.alarms import Alarm, AlarmCode
from siteward.model.bookings import Bay
from siteward.model.events import EventType
from siteward.model.ids import ConnectorId, LockId
from siteward.model.points import InputReading, PointName
from siteward.model.tariff import Pricing
from tests.fixtures.story_rig import Rig, story_site
from tests.fixtures.tariffs import two

A1 = ConnectorId("A1")
SENSOR = "io.input_4"
CONTACT = Contact(PointName(SENSOR), closed_is_yes=False)
MOTION = Motion(PointName("io.open"), PointName("io.close"))
UP, DOWN = Contact(PointName("io.up")), Contact(PointName("io.down"))


def place(keeps: LockKeeps | None = None, sensor: bool = True, pricing: Pricing | None = None) -> Rig:
    """A bay at A1, with a lock where `keeps` says one; nobody stands there."""
    locks = () if keeps is None else (Lock(LockId("lock-1"), "L", MOTION, CONTACT, UP, DOWN, A1, keeps=keeps),)
    bay = Bay("bay-1", A1, CONTACT if sensor else None, blocked_after_s=600.0, fee_rule="idle")
    site = replace(story_site(), timezone="UTC", bays=(bay,), locks=locks, pricing=pricing or Pricing())
    rig = Rig(site)
    rig.inputs[SENSOR] = True
    rig.turns(2)
    return rig


def blocked(rig: Rig) -> bool:
    """Whether the bay's alarm stands."""
    assert rig.chapter is not None
    return Alarm(AlarmCode.BAY_BLOCKED, "bay-1") in {alarm.alarm for alarm in rig.chapter.alarms}


def asks(rig: Rig, seconds: int) -> list[Ask]:
    """What the lock is asked for in that time."""
    found: list[Ask] = []
    for _ in range(seconds):
        found += [ask for _, ask in rig.turn().arms]
    return found


def test_a_car_that_never_charges_is_told_of_after_its_time_and_when_it_leaves() -> None:
    """Issue 5 point 6: an event after a time, with the rule of its fee."""
    rig = place()
    rig.inputs[SENSOR] = False
    rig.turns(599)
    assert not blocked(rig)
    rig.turns(5)
    assert blocked(rig)
    told = rig.log.last(EventType.ACCESS_BAY_BLOCKED)
    assert (told.connector, told.data["bayId"], told.data["feeRule"]) == (A1, "bay-1", "idle")
    rig.turns(100)
    rig.inputs[SENSOR] = True
    rig.turns(1)
    freed = rig.log.last(EventType.ACCESS_BAY_FREED)
    assert freed.data["stood_s"] == pytest.approx(704, abs=3)
    assert freed.data["since"] == told.data["since"]
    rig.turns(20)
    assert not blocked(rig)
    assert rig.log.types("access.bay") == ["access.bay_blocked", "access.bay_freed"]


def test_who_charges_blocks_nothing_and_who_stays_afterwards_does() -> None:
    """The event names the session and the order that the car stayed after, so that a platform can bill it."""
    rig = place(sensor=False)
    session = rig.charging("A1", seconds=900)
    assert rig.log.types("access.bay") == []
    rig.turn(rig.stop(sessionId=session))
    rig.turns(615)
    told = rig.log.last(EventType.ACCESS_BAY_BLOCKED)
    assert (told.session, told.order) == (session, "O-1")


def test_who_waits_for_current_by_our_word_blocks_nothing() -> None:
    """The station that holds a car cannot call it idle."""
    rig = place()
    rig.inputs[SENSOR] = False
    rig["A1"].room_a = 0.0
    rig.charging("A1", seconds=900)
    assert rig.log.types("access.bay") == []


def test_a_full_car_that_stays_blocks_its_bay() -> None:
    """Suspended by the car, the time counts although the session is still open."""
    rig = place()
    rig.inputs[SENSOR] = False
    rig.charging("A1", seconds=30)
    rig["A1"].asks, rig["A1"].wants_a = False, 0.0
    rig.turns(640)
    assert rig.log.types("access.bay") == ["access.bay_blocked"]


def test_a_car_that_stays_under_an_idle_fee_blocks_its_bay_too() -> None:
    """Issue 5 point 6: its session waits for it to leave, and bills the minutes; the next driver waits as well."""
    rig = place(pricing=Pricing(default="SZ-TOU"))
    rig.install(two("UTC", idle={"pricePerMinute": "1", "grace_s": 60, "most_s": 7200}))
    rig.inputs[SENSOR] = False
    rig.charging("A1", order="O-1")
    rig.turn(rig.stop(order="O-1"))
    rig.turns(620)
    assert rig.memory.posts[A1].session is not None
    assert blocked(rig)
    assert rig.log.last(EventType.ACCESS_BAY_BLOCKED).order == "O-1"


@pytest.mark.parametrize("room_a", [16.0, 0.0])
def test_a_car_that_takes_nothing_of_what_it_is_offered_blocks_its_bay(room_a: float) -> None:
    """Issue 5 point 6: authorised and plugged in, yet it never charges; one that is offered nothing waits for us."""
    rig = place()
    rig["A1"].wants_a, rig["A1"].room_a = 0.0, room_a
    rig.inputs[SENSOR] = False
    rig.charging("A1", order="O-1")
    rig.turns(620)
    assert blocked(rig) is (room_a > 0.0)


def test_a_restart_goes_on_counting_and_tells_nothing_twice() -> None:
    """Each restart keeps it: before the time is over, and after."""
    rig = place()
    rig.inputs[SENSOR] = False
    rig.turns(300)
    rig.crash(30)
    rig.turns(250)
    assert rig.log.types("access.bay") == []
    rig.turns(30)
    assert rig.log.types("access.bay") == ["access.bay_blocked"]
    rig.crash()
    rig.turns(5)
    assert blocked(rig)
    rig.inputs[SENSOR] = True
    rig.turns(2)
    assert rig.log.types("access.bay") == ["access.bay_blocked", "access.bay_freed"]
    assert rig.log.kept == {}


def test_a_lock_goes_down_for_whoever_was_let_in_until_the_car_is_there() -> None:
    """S-94 with I12: authorisation first, then the way; asked again, for the board may not have heard."""
    rig = place(LockKeeps.COMMAND)
    assert asks(rig, 60) == []
    rig.turn(rig.start("A1", "s1", order="O-1"))
    found = asks(rig, 30)
    assert found == [Ask.FREE] * round(30.0 / LOWER_AGAIN_S)
    rig["A1"].plugged = True
    rig.turns(2)
    assert asks(rig, 60) == []


def test_a_reserved_bay_is_closed_and_opened_only_by_the_right_start() -> None:
    """Issue 5 point 6: reservation keeps the lock up until the right car is authorised."""
    rig = place(LockKeeps.RESERVED)
    rig.turn(rig.request("RESERVE", "r1", target="A1", order="O-7"))
    assert asks(rig, 120) == [Ask.BLOCK] * 3
    rig.turn(rig.start("A1", "s1", order="O-8"))
    assert rig.log.stages("s1") == ["rejected CONNECTOR_RESERVED"]
    assert asks(rig, 30) == []
    found = [ask for _, ask in rig.turn(rig.start("A1", "s2", order="O-7")).arms]
    assert found == [Ask.FREE]


def test_a_reservation_that_ended_while_nobody_was_in_control_lets_its_bay_go() -> None:
    """Fault 49: the lock was raised by an earlier life; a bay that is kept for nobody is open."""
    rig = place(LockKeeps.RESERVED)
    rig.turn(rig.request("RESERVE", "r1", target="A1", order="O-7", hold_s=120))
    assert asks(rig, 20) == [Ask.BLOCK]
    rig.crash(200)
    assert asks(rig, 20) == [Ask.FREE]


@pytest.mark.parametrize("keeps", [LockKeeps.COMMAND, LockKeeps.FREE])
def test_a_lock_that_is_not_for_reservations_stays_when_one_ends(keeps: LockKeeps) -> None:
    """I12: who raised it by hand finds it so; one that keeps every free bay has nothing to open."""
    rig = place(keeps)
    rig.turns(60)
    rig.turn(rig.request("RESERVE", "r1", target="A1", order="O-7", hold_s=120))
    rig.turn(rig.request("CANCEL_RESERVATION", "x1", target="A1"))
    assert Ask.FREE not in [ask for _, ask in (rig.chapter.arms if rig.chapter else ())] + asks(rig, 60)


@pytest.mark.parametrize("how", ["cancelled", "expired"])
def test_a_reservation_that_ends_unused_lets_its_bay_go(how: str) -> None:
    """A bay that is kept for nobody is open."""
    rig = place(LockKeeps.RESERVED)
    rig.turn(rig.request("RESERVE", "r1", target="A1", order="O-7", hold_s=120))
    assert asks(rig, 20) == [Ask.BLOCK]
    if how == "cancelled":
        rig.turn(rig.request("CANCEL_RESERVATION", "x1", target="A1"))
        assert [ask for _, ask in (rig.chapter.arms if rig.chapter else ())] == [Ask.FREE]
    else:
        assert Ask.FREE in asks(rig, 120)


def test_a_rise_waits_for_an_empty_bay_and_its_tries_are_bounded() -> None:
    """I12, fault 77: nothing is asked while a car or nobody knows what stands there; three tries, then a change."""
    rig = place(LockKeeps.FREE)
    rig.inputs[SENSOR] = False
    assert asks(rig, 60) == []
    del rig.inputs[SENSOR]
    assert asks(rig, 60) == []
    rig.inputs[SENSOR] = True
    assert asks(rig, 300) == [Ask.BLOCK] * 3
    rig.inputs[SENSOR] = False
    rig.turns(5)
    rig.inputs[SENSOR] = True
    assert asks(rig, 10) == [Ask.BLOCK]


def rises_of_a_blade(rig: Rig, minutes: int, lag_s: float | None) -> list[float]:
    """When the blade of the lock was driven up: it moves in 4 s, and a slow sensor may take it for a car."""
    (lock,) = rig.site.locks
    memory, height, way, seen_at = LockMemory(), 0.0, 0.0, 0.0
    driven: list[float] = []
    for _ in range(minutes * 60):
        asked = next((ask for _, ask in rig.turn().arms), None)
        for tenth in range(10):
            at = rig.at + tenth / 10.0
            height = min(1.0, max(0.0, height + way / 40.0))
            seen_at = at if height > 0.3 else seen_at
            rig.inputs[SENSOR] = lag_s is None or at - seen_at > lag_s
            levels = {SENSOR: rig.inputs[SENSOR], "io.up": height == 1.0, "io.down": height == 0.0}
            readings = {PointName(p): InputReading(PointName(p), on, at) for p, on in levels.items()}
            memory, told = locks.step(lock, readings, asked if tenth == 0 else None, memory, at)
            for effect in told.effects:
                way = {Effect.BLOCK: 1.0, Effect.FREE: -1.0}.get(effect, 0.0)
                driven += [rig.at] if effect is Effect.BLOCK else []
    return driven


@pytest.mark.parametrize("keeps", [LockKeeps.FREE, LockKeeps.RESERVED])
@pytest.mark.parametrize(("lag_s", "most"), [(None, 1), (0.0, 6), (2.0, 6), (10.0, 6)])
def test_a_lock_whose_sensor_sees_its_own_blade_is_not_driven_for_ever(
    keeps: LockKeeps, lag_s: float | None, most: int
) -> None:
    """I12, fault 77: three tries with one repetition each, then a person is called, whatever the sensor saw of us."""
    rig = place(keeps)
    rig.turn(rig.request("RESERVE", "r1", target="A1", order="O-7", hold_s=7200))
    driven = rises_of_a_blade(rig, 8, lag_s)
    assert 1 <= len(driven) <= most
    assert driven[-1] - driven[0] < 300.0


def test_a_car_that_comes_while_its_lock_rises_gives_it_new_tries() -> None:
    """I12: what stays longer than a blade could be seen is a car, and when it leaves the bay is another one."""
    rig = place(LockKeeps.FREE)
    assert asks(rig, 75) == [Ask.BLOCK] * 3
    rig.inputs[SENSOR] = False
    rig.turns(120)
    rig.inputs[SENSOR] = True
    assert asks(rig, 100) == [Ask.BLOCK] * 3

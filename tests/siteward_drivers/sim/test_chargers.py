"""Chargers: set point, watchdog by what re-arms it, restart, standby, disobedience, as the profiles declare them."""

from dataclasses import replace

import pytest

from siteward.model.facts import OnExpiry, ResetBy
from siteward.model.ids import ConnectorId
from siteward_drivers.profile_points import Table
from siteward_drivers.profile_watchdog import OnResume
from siteward_drivers.quantities import Quantity
from siteward_drivers.registry import load_profiles
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.charge_point import ChargePoint
from siteward_drivers.sim.faults import Ignores
from siteward_drivers.sim.site import SimSite

from .sites import demo_site, one_row

PROFILES = load_profiles()
CP1 = ConnectorId("cp1")
LIMIT, FAILSAFE, TIMEOUT, STANDBY = 261, 262, 257, 258


def heidelberg(limit_a: float = 16.0, failsafe_a: float = 6.0) -> tuple[SimSite, ChargePoint]:
    """A box under control with a hungry car on it."""
    sim = SimSite.from_site(one_row(), PROFILES)
    box = sim.charger("cp1")
    box.write(FAILSAFE, (round(failsafe_a * 10),), 6)
    box.write(STANDBY, (4,), 6)
    box.write(LIMIT, (round(limit_a * 10),), 6)
    sim.world.plug(CP1, Car("car", capacity_wh=80_000, react_s=1.0))
    poll(sim, 20.0)
    return sim, sim.points[CP1]


def poll(sim: SimSite, seconds: float) -> None:
    """Read the box once a second for a while."""
    box = sim.charger("cp1")
    for _ in range(round(seconds)):
        sim.world.advance(1.0)
        if box.answers:
            box.read(Table.INPUT, 5, 4)


def draw(sim: SimSite) -> float:
    return sim.world.outlets[CP1].draw_a[0]


def test_a_written_limit_is_read_back_at_once_and_flows_after_electronics_and_car() -> None:
    sim, _ = heidelberg()
    assert draw(sim) == 16.0
    sim.charger("cp1").write(LIMIT, (100,), 16)
    assert sim.charger("cp1").read(Table.HOLDING, LIMIT, 2) == [100, 60]
    sim.world.advance(1.9)
    assert draw(sim) == 16.0
    sim.world.advance(0.2)
    assert draw(sim) == 10.0
    sim.world.advance(1.1)
    assert sim.charger("cp1").read(Table.INPUT, 5, 4) == [7, 100, 100, 100]


@pytest.mark.parametrize("raw", [0, 1, 59])
def test_a_limit_below_six_amps_is_a_pause(raw: int) -> None:
    sim, _ = heidelberg()
    sim.charger("cp1").write(LIMIT, (raw,), 6)
    sim.world.advance(5)
    assert draw(sim) == 0.0
    assert sim.charger("cp1").read(Table.INPUT, 5, 1) == [4]


def test_any_request_keeps_a_box_alive_at_its_old_limit_and_silence_brings_the_fail_safe_current() -> None:
    """R2: probes feed an any_request watchdog."""
    sim, point = heidelberg()
    poll(sim, 120)
    assert draw(sim) == 16.0
    sim.world.advance(14.9)
    assert not point.expired
    sim.world.advance(0.2)
    assert point.expired
    sim.world.advance(2.1)
    assert draw(sim) == 6.0


def test_a_box_whose_watchdog_wants_limit_writes_falls_back_although_it_is_polled() -> None:
    sim, point = heidelberg()
    point.habits = replace(point.habits, reset_by=ResetBy.LIMIT_WRITE)
    poll(sim, 18)
    assert draw(sim) == 6.0
    sim.charger("cp1").write(LIMIT, (160,), 6)
    poll(sim, 4)
    assert draw(sim) == 16.0


def test_traffic_for_another_box_keeps_an_any_traffic_watchdog_fed() -> None:
    sim, point = heidelberg()
    point.habits = replace(point.habits, reset_by=ResetBy.ANY_TRAFFIC)
    for _ in range(60):
        sim.world.advance(1.0)
        sim.bank("rs485-1").answer(100, bytes.fromhex("04 0006 0006"))
    assert not point.expired
    sim.world.advance(16)
    assert point.expired


@pytest.mark.parametrize(("on_resume", "after_a"), [(OnResume.OLD_SET_POINT, 16.0), (OnResume.KEEPS_FAILSAFE, 6.0)])
def test_contact_after_expiry_brings_the_old_set_point_or_keeps_the_fail_safe(
    on_resume: OnResume, after_a: float
) -> None:
    sim, point = heidelberg()
    point.habits = replace(point.habits, on_resume=on_resume)
    sim.world.advance(30)
    assert draw(sim) == 6.0
    poll(sim, 5)
    assert draw(sim) == after_a


def test_a_fail_safe_of_zero_stops_and_a_latched_error_needs_a_restart() -> None:
    """Fault 25."""
    sim, point = heidelberg(failsafe_a=0.0)
    sim.world.advance(30)
    assert draw(sim) == 0.0
    sim, point = heidelberg()
    point.habits = replace(point.habits, on_expiry=OnExpiry.ERROR_LATCHED)
    sim.world.advance(30)
    poll(sim, 5)
    assert draw(sim) == 0.0
    assert sim.charger("cp1").read(Table.INPUT, 5, 1) == [9]
    point.restart()
    poll(sim, 15)
    assert draw(sim) == 16.0


def test_the_fail_safe_raises_a_box_that_was_paused() -> None:
    """R7: withholding contact raises every charger granted less than its fail-safe."""
    sim, _ = heidelberg(limit_a=0.0)
    assert draw(sim) == 0.0
    sim.world.advance(40)
    assert draw(sim) == 6.0


def test_a_restart_loses_limit_and_watchdog_and_draws_the_boot_current() -> None:
    """Fault 20: the worst boot current is the hardware maximum; the box is silent meanwhile."""
    sim, point = heidelberg(limit_a=6.0)
    assert draw(sim) == 6.0
    point.restart()
    assert not sim.charger("cp1").answers
    assert sim.bank("rs485-1").answer(1, bytes.fromhex("04 0005 0001")) == (None, 0.0)
    sim.world.advance(5.1)
    assert draw(sim) == 16.0
    assert sim.charger("cp1").read(Table.HOLDING, TIMEOUT, 2) == [15_000, 0]
    assert sim.charger("cp1").read(Table.HOLDING, LIMIT, 2) == [160, 0]
    sim.world.advance(20)
    assert draw(sim) == 0.0


def test_what_persists_survives_a_restart() -> None:
    sim, point = heidelberg(limit_a=8.0)
    failsafe = point.part.failsafe
    assert failsafe is not None
    kept = failsafe.persists.model_copy(update={"limit": True, "failsafe": True, "timeout": True})
    point.part = point.part.model_copy(update={"failsafe": failsafe.model_copy(update={"persists": kept})})
    point.restart()
    poll(sim, 10)
    assert draw(sim) == 8.0
    assert point.scaled(Quantity.FAILSAFE_CURRENT) == pytest.approx(6.0)


def test_a_box_that_boots_at_zero_waits_for_its_master() -> None:
    sim, point = heidelberg()
    point.habits = replace(point.habits, boot_a=0.0)
    point.restart()
    sim.world.advance(10)
    assert draw(sim) == 0.0


def test_standby_makes_an_idle_box_silent_until_a_car_comes_unless_it_is_switched_off() -> None:
    sim = SimSite.from_site(one_row(), PROFILES)
    boxes = sim.charger("cp1"), sim.charger("cp2")
    boxes[1].write(STANDBY, (4,), 6)
    sim.world.advance(719)
    assert [b.answers for b in boxes] == [True, True]
    sim.world.advance(2)
    assert [b.answers for b in boxes] == [False, True]
    sim.world.plug(CP1, Car("car"))
    assert boxes[0].answers


def test_ignored_writes_show_in_the_register_and_ignored_effects_only_in_the_current() -> None:
    """Faults 21 and 23."""
    sim, point = heidelberg()
    box = sim.charger("cp1")
    box.faults.ignores = Ignores.WRITES
    box.write(LIMIT, (60,), 6)
    assert box.read(Table.HOLDING, LIMIT, 1) == [160]
    box.faults.ignores = Ignores.EFFECT
    box.write(LIMIT, (60,), 6)
    assert box.read(Table.HOLDING, LIMIT, 1) == [60]
    sim.world.advance(10)
    assert draw(sim) == 16.0
    box.faults.clear()
    box.refresh()
    sim.world.advance(3)
    assert draw(sim) == 6.0
    assert not point.expired


def test_an_overdrawing_box_takes_ten_per_cent_more_than_its_limit() -> None:
    sim, _ = heidelberg(limit_a=10.0)
    sim.charger("cp1").faults.overdraw = 1.1
    sim.charger("cp1").refresh()
    sim.world.advance(3)
    assert draw(sim) == pytest.approx(11.0)


def test_a_mute_box_hears_and_a_silent_one_does_not() -> None:
    """R2: replies lost, requests still heard."""
    sim, point = heidelberg()
    bank = sim.bank("rs485-1")
    write_limit = bytes.fromhex("06 0105 0050")
    sim.charger("cp1").faults.mute = True
    assert bank.answer(1, write_limit) == (None, 0.0)
    assert point.scaled(Quantity.CURRENT_LIMIT) == pytest.approx(8.0)
    sim.charger("cp1").faults.clear()
    sim.charger("cp1").faults.silent = True
    assert bank.answer(1, bytes.fromhex("06 0105 003c")) == (None, 0.0)
    assert point.scaled(Quantity.CURRENT_LIMIT) == pytest.approx(8.0)


def test_a_broadcast_write_reaches_every_box_and_nobody_answers() -> None:
    sim = SimSite.from_site(one_row(), PROFILES)
    assert sim.bank("rs485-1").answer(0, bytes.fromhex("06 0105 0050")) == (None, 0.0)
    assert [p.scaled(Quantity.CURRENT_LIMIT) for p in sim.points.values()] == pytest.approx([8.0, 8.0])


def test_a_group_is_released_by_its_enable_register_and_each_connector_has_its_own_watchdog() -> None:
    sim = SimSite.from_site(demo_site(), PROFILES)
    group = sim.charger("charx")
    for name in ("c1", "c2"):
        sim.world.plug(ConnectorId(name), Car(name, max_a=32.0, react_s=1.0))
    group.write(1306, (6, 10), 16)
    group.write(1301, (20,), 6)
    sim.world.advance(4)
    assert sim.world.outlets[ConnectorId("c1")].draw_a[0] == 20.0
    assert sim.world.outlets[ConnectorId("c2")].draw_a[0] == 32.0
    group.write(1300, (0,), 6)
    sim.world.advance(4)
    assert sim.world.outlets[ConnectorId("c1")].draw_a[0] == 0.0
    for _ in range(12):
        sim.world.advance(1)
        group.read(Table.HOLDING, 2300, 2)
    # The fail-safe of connector 1 came although connector 2 is polled: what re-arms it is unknown, so limit writes.
    assert sim.points[ConnectorId("c1")].expired
    sim.world.advance(15)
    assert sim.world.outlets[ConnectorId("c1")].draw_a[0] == 6.0
    assert not sim.points[ConnectorId("c2")].expired


def test_a_shorter_watchdog_time_counts_from_its_write_on() -> None:
    sim, point = heidelberg()
    sim.charger("cp1").write(TIMEOUT, (60_000,), 6)
    sim.world.advance(1)
    sim.charger("cp1").write(TIMEOUT, (5_000,), 6)
    sim.world.advance(5.1)
    assert point.expired


def test_a_fault_state_is_shown_and_stops_the_current() -> None:
    sim, point = heidelberg()
    point.set_fault("10")
    sim.world.advance(4)
    assert draw(sim) == 0.0
    assert sim.charger("cp1").read(Table.INPUT, 5, 1) == [10]
    with pytest.raises(ValueError, match="fault states 9, 10, 11"):
        point.set_fault("7")

"""Vehicles at the arms of a simulated site: through the open barrier, in the bay of a connector, kept out by a lock."""

from dataclasses import replace

import pytest

from siteward.model.ids import LockId
from siteward.model.points import PointName
from siteward.model.site import Site
from siteward_drivers.registry import load_profiles
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.control import BadCommand, SimControl
from siteward_drivers.sim.scenario import ArrivalPlan, Scenario, TrafficPlan
from siteward_drivers.sim.site import SimSite
from tests.siteward_drivers.inout import io_site, lock

PROFILES = load_profiles()


def _site() -> Site:
    """A gate, and a lock that keeps the bay of the first connector."""
    site = io_site()
    first = site.connectors[0].id
    return replace(site, locks=(replace(lock(), id=LockId("bay-1"), connector=first),))


def _sim(**more: object) -> SimSite:
    scenario = Scenario(traffic=TrafficPlan(after_s=2.0, stay_s=4.0), **more)
    return SimSite.from_site(_site(), PROFILES, scenario)


def _go(sim: SimSite, seconds: float) -> None:
    for _ in range(round(seconds * 10)):
        sim.world.advance_to(sim.world.now + 0.1)
        sim.settle()


def test_one_vehicle_drives_through_each_opening() -> None:
    """I11: it comes after a while, stands below the arm, and is gone; only the next opening brings another."""
    sim = _sim()
    gate = sim.arms["gate"]
    seen = []
    for _ in range(2):
        gate.relay(gate.motion.free, True, sim.world.now)
        gate.relay(gate.motion.free, False, sim.world.now)
        _go(sim, 3.2)
        assert (gate.position, gate.occupied) == (0.0, False)
        _go(sim, 2.5)
        seen.append(gate.occupied)
        _go(sim, 4.0)
        seen.append(gate.occupied)
        _go(sim, 20.0)
        seen.append(gate.occupied)
        gate.relay(gate.motion.block, True, sim.world.now)
        gate.relay(gate.motion.block, False, sim.world.now)
        _go(sim, 4.0)
        assert gate.position == 1.0
    assert seen == [True, False, False] * 2
    assert gate.truth.onto == 0


def test_a_car_that_is_plugged_in_stands_in_its_bay() -> None:
    """I12: the bay sensor of a lock agrees with the connector that it is tied to."""
    sim = _sim()
    connector = sim.site.connectors[0].id
    bay = sim.arms["bay-1"]
    assert not bay.occupied
    sim.world.plug(connector, Car("c", 60_000.0, 0.3, 3, 16.0, 1.0))
    sim.settle()
    assert bay.occupied
    sim.world.unplug(connector)
    sim.settle()
    assert not bay.occupied


def test_no_car_comes_while_the_lock_is_up() -> None:
    """The simulated driver stays out of a bay whose lock is raised, and comes when it is lowered."""
    sim = _sim(arrivals=ArrivalPlan(first_s=(5.0, 5.0), free_s=(5.0, 5.0)))
    connector = sim.site.connectors[0].id
    bay = sim.arms["bay-1"]
    bay.position = 1.0
    _go(sim, 30.0)
    assert sim.world.outlets[connector].car is None
    bay.position = 0.0
    _go(sim, 6.0)
    assert sim.world.outlets[connector].car is not None
    assert bay.occupied


async def test_hands_put_vehicles_and_fire_at_an_arm() -> None:
    """Control socket: `occupy` and `flag`; a strange arm or role is refused."""
    sim = SimSite.from_site(_site(), PROFILES)
    control = SimControl(sim, {})
    await control.do({"do": "occupy", "arm": "gate", "occupied": True})
    assert sim.arms["gate"].occupied
    fire = sim.wiring.inputs[PointName("guard.input_4")]
    before = fire[0].contact("fire")
    await control.do({"do": "flag", "arm": "gate", "role": "fire", "on": True})
    assert fire[0].contact("fire") is not before
    for wrong in ({"do": "occupy", "arm": "nobody", "occupied": True}, {"do": "flag", "arm": "gate", "role": "x"}):
        with pytest.raises(BadCommand):
            await control.do(wrong)

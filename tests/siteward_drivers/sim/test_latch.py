"""S-52: a simulated socket's lock keeps its own truth: what holds the cable, what shows, what moved under load."""

import pytest

from siteward.model.errors import DeviceRefused
from siteward.model.readings import Cable
from siteward.model.wire import Write, WriteKind
from siteward_drivers.charger_writes import Frame, plan_write
from siteward_drivers.profile_points import Table
from siteward_drivers.profile_verbs import UnlockPart
from siteward_drivers.quantities import Quantity
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.control import BadCommand, SimControl
from siteward_drivers.sim.site import SimSite
from tests.siteward_drivers.profile_bench import BOX, OUTLET, PROFILES, site_of

KEBA = "keba_p30"


def sim_of(name: str = KEBA) -> SimSite:
    """One box, paused."""
    sim = SimSite.from_site(site_of(PROFILES[name]), PROFILES)
    sim.points[OUTLET].do(PROFILES[name].charger.verbs.pause.steps, 0.0)
    sim.world.advance(5.0)
    return sim


def shown(sim: SimSite) -> object:
    """The raw register of the lock."""
    return sim.chargers[BOX].show(Quantity.CABLE_STATE, 1)


def test_a_lock_follows_its_car_and_lets_go_when_told() -> None:
    """KEBA: 7 with a car and locked, 5 let go, 0 when it left; told while it is offered current it stays."""
    sim = sim_of()
    latch = sim.points[OUTLET].latch
    assert (latch.locked, shown(sim)) == (False, 0.0)
    sim.world.plug(OUTLET, Car("car"))
    assert (latch.locked, shown(sim), latch.pull()) == (True, 7.0, False)
    sim.points[OUTLET].write(Quantity.UNLOCK, 0)
    assert latch.locked
    sim.world.advance(2.0)
    assert (latch.locked, shown(sim)) == (False, 5.0)
    sim.world.unplug(OUTLET)
    assert (latch.locked, shown(sim)) == (False, 0.0)


def test_a_command_under_load_is_counted_and_refused() -> None:
    """What a controller must never send is seen by whoever looks at the simulation."""
    sim = sim_of()
    sim.world.plug(OUTLET, Car("car", react_s=1.0))
    sim.points[OUTLET].do(PROFILES[KEBA].charger.verbs.limit.steps, 10.0)
    sim.world.advance(60.0)
    assert min(sim.world.outlets[OUTLET].draw_a) > 6.0
    sim.points[OUTLET].write(Quantity.UNLOCK, 0)
    sim.world.advance(3.0)
    assert (sim.points[OUTLET].latch.hot_moves, sim.points[OUTLET].latch.locked) == (1, True)


async def test_hands_let_a_lock_stick_or_jam() -> None:
    """Control socket: `latch`. Stuck, it stays behind when the car leaves, and goes when told; jammed, never."""
    sim = sim_of()
    control, latch = SimControl(sim, {}), sim.points[OUTLET].latch
    await control.do({"do": "latch", "charger": BOX, "latch": "sticks"})
    sim.world.plug(OUTLET, Car("car"))
    assert latch.locked
    sim.world.unplug(OUTLET)
    assert (latch.locked, shown(sim)) == (True, 3.0)
    await control.do({"do": "latch", "charger": BOX, "latch": "jammed"})
    sim.points[OUTLET].write(Quantity.UNLOCK, 0)
    sim.world.advance(3.0)
    assert latch.locked
    await control.do({"do": "latch", "charger": BOX, "latch": "works"})
    sim.points[OUTLET].write(Quantity.UNLOCK, 0)
    sim.world.advance(3.0)
    assert (latch.locked, shown(sim), latch.pull(), shown(sim)) == (False, 1.0, True, 0.0)
    with pytest.raises(BadCommand):
        await control.do({"do": "latch", "charger": BOX, "latch": "perhaps"})


@pytest.mark.parametrize(
    ("name", "frame"),
    [
        ("abb_terra_ac", Frame(Table.HOLDING, 0x4103, (0,))),
        ("keba_p30", Frame(Table.HOLDING, 5012, (0,))),
        ("keba_p40", Frame(Table.HOLDING, 5012, (0,))),
        ("phoenix_charx_sec", Frame(Table.HOLDING, 1305, (1,))),
    ],
)
def test_the_frame_is_that_of_the_documents(name: str, frame: Frame) -> None:
    """S-72: one command, each charger's own register."""
    write = Write(OUTLET, WriteKind.UNLOCK, 0.0, False, 1, 5.0)
    assert plan_write(PROFILES[name], 1, write).frames == (frame,)


def test_the_second_connector_of_a_gateway_has_its_own_register() -> None:
    """S-72: channel 2 of CHARX lies a thousand registers on; another car's cable stays locked."""
    write = Write(OUTLET, WriteKind.UNLOCK, 0.0, False, 1, 5.0)
    assert plan_write(PROFILES["phoenix_charx_sec"], 2, write).frames == (Frame(Table.HOLDING, 2305, (1,)),)


def test_a_profile_without_one_is_never_written_to() -> None:
    """R19: registers are written only through the verbs of the profile."""
    write = Write(OUTLET, WriteKind.UNLOCK, 0.0, False, 1, 5.0)
    with pytest.raises(DeviceRefused, match="names no way to unlock"):
        plan_write(PROFILES["heidelberg_energy_control"], 1, write)


@pytest.mark.parametrize(("raw", "cable"), [(17, Cable.LOCKED), (257, Cable.UNLOCKED), (0, Cable.NONE), (16, None)])
def test_only_documented_numbers_mean_anything(raw: int, cable: Cable | None) -> None:
    """Law 5: a strange number is unknown, never unlocked."""
    part = PROFILES["abb_terra_ac"].charger.unlock
    assert isinstance(part, UnlockPart)
    assert part.cable(raw) is cable

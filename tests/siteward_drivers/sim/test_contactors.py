"""B14: simulated contactors move where they are told, show what they closed, and tell when they moved under load."""

import pytest

from siteward_drivers.quantities import Quantity
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.control import BadCommand, SimControl
from siteward_drivers.sim.site import SimSite
from tests.siteward_drivers.profile_bench import BOX, OUTLET, PROFILES, site_of

NAME = "mennekes_amtron_compact_2_0s"


def closed(sim: SimSite) -> tuple[int, object]:
    """Phases closed in truth, and the raw register."""
    return sim.world.outlets[OUTLET].closed, sim.chargers[BOX].show(Quantity.PHASES_ACTIVE, 1)


def test_contactors_follow_the_register_and_a_restart_closes_all() -> None:
    """R9: what a restart does is not stated, so the simulation takes the worst."""
    sim = SimSite.from_site(site_of(PROFILES[NAME]), PROFILES)
    assert closed(sim) == (3, 0.0)
    sim.points[OUTLET].write(Quantity.PHASE_SWITCH, 1)
    sim.world.advance(0.5)
    assert closed(sim) == (3, 0.0)
    sim.world.advance(1.0)
    assert closed(sim) == (1, 1.0)
    sim.chargers[BOX].restart()
    sim.world.advance(2.0)
    assert closed(sim) == (3, 0.0)


def test_a_move_under_load_is_counted() -> None:
    """B14: what a controller must never do is seen by whoever looks at the simulation."""
    sim = SimSite.from_site(site_of(PROFILES[NAME]), PROFILES)
    sim.world.plug(OUTLET, Car("car", react_s=1.0))
    sim.world.advance(60.0)
    assert min(sim.world.outlets[OUTLET].draw_a) > 6.0
    sim.points[OUTLET].write(Quantity.PHASE_SWITCH, 1)
    sim.world.advance(2.0)
    assert sim.points[OUTLET].contactors.hot_moves == 1
    assert sim.world.outlets[OUTLET].draw_a[1:] == (0.0, 0.0)


async def test_hands_let_contactors_stick_or_lie() -> None:
    """Control socket: `contactors`; a strange word is refused."""
    sim = SimSite.from_site(site_of(PROFILES[NAME]), PROFILES)
    control = SimControl(sim, {})
    for closes, shown in (("as_before", 0.0), ("says_so", 1.0)):
        await control.do({"do": "contactors", "charger": BOX, "closes": closes})
        sim.points[OUTLET].write(Quantity.PHASE_SWITCH, 0)
        sim.points[OUTLET].write(Quantity.PHASE_SWITCH, 1)
        sim.world.advance(2.0)
        assert closed(sim) == (3, shown)
    with pytest.raises(BadCommand):
        await control.do({"do": "contactors", "charger": BOX, "closes": "perhaps"})

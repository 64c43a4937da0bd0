"""A simulated site as a whole: built from any Site, equal by seed, its demo scenario inside the fault hypothesis."""

from dataclasses import replace
from pathlib import Path

import pytest

from siteward.model.ids import FeederId
from siteward.model.site import Site
from siteward_drivers.registry import load_profiles
from siteward_drivers.sim.scenario import BUSY, load_scenario
from siteward_drivers.sim.site import SimSite

from .sites import demo_site, one_row

PROFILES = load_profiles()
DEMO = Path(__file__).parents[3] / "config" / "demo"


def test_every_line_has_its_devices_by_unit() -> None:
    sim = SimSite.from_site(demo_site(), PROFILES)
    assert sorted(sim.bank("rs485-1").devices) == [1, 2, 3, 4, 100, 101]
    assert sorted(sim.bank("charx").devices) == [1]
    assert len(sim.points) == 12
    assert sim.device("c3").name == "charx"
    with pytest.raises(KeyError):
        sim.device("nothing")
    with pytest.raises(KeyError):
        sim.charger("grid-meter")


def test_two_devices_at_one_unit_are_refused() -> None:
    """Fault 9 is for the wire, not for a site file."""
    site = one_row()
    twice = Site(
        site.id,
        site.name,
        site.timezone,
        230.0,
        site.lines,
        (replace(site.meters[0], unit=1),),
        site.feeders,
        site.chargers,
    )
    with pytest.raises(ValueError, match="unit 1 is both ch1 and grid-meter"):
        SimSite.from_site(twice, PROFILES)


def _quarter(seed: int) -> object:
    sim = SimSite.from_site(demo_site(), PROFILES, BUSY, seed)
    for _ in range(900):
        sim.world.advance(1.0)
        for bank in sim.banks.values():
            for unit in bank.devices:
                bank.answer(unit, bytes.fromhex("04 0006 0002"))
    return sim.truth().as_json()


def test_a_quarter_hour_of_requests_repeats_by_seed() -> None:
    assert _quarter(11) == _quarter(11)
    assert _quarter(11) != _quarter(12)


def test_base_load_set_by_hand_stays_until_it_is_released() -> None:
    sim = SimSite.from_site(demo_site(), PROFILES, BUSY, 2)
    grid = FeederId("grid")
    sim.base_step("grid", 18.0)
    sim.world.advance(600)
    assert sim.world.nodes[grid].base_a == (18.0, 18.0, 18.0)
    sim.base_step("grid", None)
    sim.world.advance(600)
    assert sim.world.nodes[grid].base_a != (18.0, 18.0, 18.0)
    with pytest.raises(KeyError):
        sim.base_step("nowhere", 1.0)


def test_the_demo_scenario_brings_cars_within_a_minute() -> None:
    sim = SimSite.from_site(demo_site(), PROFILES, load_scenario(DEMO / "scenario.toml"), 1)
    sim.world.advance(60)
    assert len(sim.truth().stays) >= 6

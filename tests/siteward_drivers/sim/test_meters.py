"""Meters: what flows through the node, as old as the meter's refresh, or a lie when a fault says so."""

import math
import struct
from dataclasses import replace

import pytest

from siteward.model.ids import ConnectorId, FeederId, MeterId
from siteward.model.site import Site
from siteward_drivers.profile_points import Table
from siteward_drivers.registry import load_profiles
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.faults import Shows
from siteward_drivers.sim.registers import ModbusFault
from siteward_drivers.sim.site import SimSite

from .sites import demo_site, one_row

PROFILES = load_profiles()


def floats(words: list[int]) -> list[float]:
    data = b"".join(w.to_bytes(2, "big") for w in words)
    return [v[0] for v in struct.iter_unpack(">f", data)]


def test_a_feeder_meter_shows_all_that_flows_through_it_chargers_and_children_included() -> None:
    sim = SimSite.from_site(demo_site(), PROFILES)
    sim.world.set_base(FeederId("grid"), (5.0, 6.0, 7.0))
    sim.world.plug(ConnectorId("a1"), Car("car", phases=1, max_a=10.0, react_s=1.0))
    sim.world.advance(12)
    assert floats(sim.meter("grid-meter").read(Table.INPUT, 6, 6)) == pytest.approx([15.0, 6.0, 7.0])
    assert floats(sim.meter("row-a-meter").read(Table.INPUT, 6, 6)) == pytest.approx([10.0, 0.0, 0.0])
    assert floats(sim.meter("row-b-meter").read(Table.INPUT, 6, 6)) == [0.0, 0.0, 0.0]


def test_a_meter_is_as_old_as_its_refresh_and_averages_its_window() -> None:
    sim = SimSite.from_site(one_row(), PROFILES)
    meter = sim.meter("grid-meter")
    sim.world.advance(10.25)
    sim.world.set_base(FeederId("grid"), (20.0, 0.0, 0.0))
    sim.world.advance(0.2)
    assert floats(meter.read(Table.INPUT, 6, 2)) == [0.0]
    sim.world.advance(0.1)
    assert floats(meter.read(Table.INPUT, 6, 2)) == pytest.approx([10.0])
    sim.world.advance(0.5)
    assert floats(meter.read(Table.INPUT, 6, 2)) == pytest.approx([20.0])


def test_energy_is_the_register_difference_of_what_flowed() -> None:
    sim = SimSite.from_site(one_row(), PROFILES)
    meter = sim.meter("grid-meter")
    first = floats(meter.read(Table.INPUT, 72, 2))[0]
    sim.world.set_base(FeederId("grid"), (10.0, 10.0, 10.0))
    sim.world.advance(3600)
    assert floats(meter.read(Table.INPUT, 72, 2))[0] - first == pytest.approx(6.9, abs=0.002)


def test_two_readings_of_a_live_meter_are_never_identical_and_a_frozen_one_is_for_ever() -> None:
    """I3: noise tells a live meter from a frozen one."""
    sim = SimSite.from_site(one_row(), PROFILES)
    meter = sim.meter("grid-meter")
    seen = set()
    for _ in range(20):
        sim.world.advance(1)
        seen.add(tuple(meter.read(Table.INPUT, 0, 6)))
    assert len(seen) == 20
    meter.faults.shows = Shows.FROZEN
    still = meter.read(Table.INPUT, 0, 12)
    sim.world.set_base(FeederId("grid"), (30.0, 30.0, 30.0))
    sim.world.advance(60)
    assert meter.read(Table.INPUT, 0, 12) == still
    meter.faults.clear()
    assert floats(meter.read(Table.INPUT, 6, 2)) == pytest.approx([30.0])


def test_a_meter_can_show_nan_zero_all_ones_and_a_reversed_transformer() -> None:
    """Faults 29, 30 and 33."""
    sim = SimSite.from_site(one_row(), PROFILES)
    meter = sim.meter("grid-meter")
    sim.world.set_base(FeederId("grid"), (12.0, 12.0, 12.0))
    sim.world.advance(5)
    meter.faults.shows = Shows.NAN
    assert all(math.isnan(v) for v in floats(meter.read(Table.INPUT, 6, 6)))
    meter.faults.shows = Shows.ZERO
    assert floats(meter.read(Table.INPUT, 6, 6)) == [0.0, 0.0, 0.0]
    assert floats(meter.read(Table.INPUT, 0, 2))[0] > 200.0
    meter.faults.shows = Shows.ONES
    assert meter.read(Table.INPUT, 6, 2) == [0xFFFF, 0xFFFF]
    meter.faults.clear()
    meter.faults.factor = -1.0
    sim.world.advance(1)
    assert floats(meter.read(Table.INPUT, 6, 2)) == pytest.approx([-12.0])


def test_a_write_to_a_meter_is_refused() -> None:
    sim = SimSite.from_site(one_row(), PROFILES)
    with pytest.raises(ModbusFault):
        sim.meter("grid-meter").write(0, (1, 2), 16)


def test_a_meter_at_an_outlet_counts_the_outlet() -> None:
    site = one_row()
    charger = site.chargers[0]
    billed = replace(charger.connectors[0], meter=MeterId("bill"))
    bill = replace(site.meters[0], id=MeterId("bill"), unit=50)
    with_bill = Site(
        site.id, site.name, site.timezone, 230.0, site.lines, (*site.meters, bill), site.feeders,
        (replace(charger, connectors=(billed,)), *site.chargers[1:]),
    )  # fmt: skip
    sim = SimSite.from_site(with_bill, PROFILES)
    sim.world.plug(ConnectorId("cp1"), Car("car", phases=1, max_a=10.0, react_s=1.0))
    sim.world.advance(12)
    assert floats(sim.meter("bill").read(Table.INPUT, 6, 6)) == pytest.approx([10.0, 0.0, 0.0])


def test_transformers_of_a_meter_can_be_swapped_turned_and_shown_without_sign() -> None:
    """Fault 33: what a step test has to find; power keeps the sign that the current loses."""
    sim = SimSite.from_site(one_row(), PROFILES)
    meter = sim.meter("grid-meter")
    sim.world.set_base(FeederId("grid"), (5.0, 6.0, 7.0))
    meter.faults.clamps = (1, 0, 2)
    meter.faults.signs = (1.0, 1.0, -1.0)
    sim.world.advance(3)
    assert floats(meter.read(Table.INPUT, 6, 6)) == pytest.approx([6.0, 5.0, -7.0])
    meter.faults.unsigned = True
    sim.world.advance(1)
    assert floats(meter.read(Table.INPUT, 6, 6)) == pytest.approx([6.0, 5.0, 7.0])
    assert floats(meter.read(Table.INPUT, 16, 2))[0] < -1500.0
    meter.faults.clear()
    sim.world.advance(1)
    assert floats(meter.read(Table.INPUT, 6, 6)) == pytest.approx([5.0, 6.0, 7.0])

"""The world: fuses by the thermal image of I1, cars by their reaction, energy by what truly flowed, all by seed."""

from random import Random

import pytest

from siteward.model.ids import ConnectorId, FeederId
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.events import Arrivals, BaseLoad, base_budget
from siteward_drivers.sim.fuses import hold_multiple
from siteward_drivers.sim.scenario import ArrivalPlan, BaseLoadPlan
from siteward_drivers.sim.world import World

from .sites import demo_site, one_row

GRID = FeederId("grid")
CP1, CP2 = ConnectorId("cp1"), ConnectorId("cp2")


@pytest.mark.parametrize(
    ("hold_s", "multiple"),
    [(10, 1.67), (15, 1.50), (17, 1.46), (22, 1.38), (27, 1.33), (37, 1.27), (67, 1.19), (127, 1.15)],
)
def test_hold_multiples_are_those_of_the_control_turn(hold_s: float, multiple: float) -> None:
    assert hold_multiple(hold_s) == pytest.approx(multiple, abs=0.006)


@pytest.mark.parametrize("hold_s", [10.0, 37.0, 127.0])
def test_a_hot_fuse_holds_k_times_its_rating_for_that_long_and_no_longer(hold_s: float) -> None:
    """I1: tau 60 s, hot start, trip above 1.13 squared."""
    world = World(one_row(rating_a=40.0))
    load = 40.0 * hold_multiple(hold_s)
    world.set_base(GRID, (load, 0.0, 0.0))
    world.advance(hold_s - 0.01)
    assert world.trips == []
    world.advance(0.02)
    assert [(t.feeder, t.phase) for t in world.trips] == [("grid", 0)]
    assert world.trips[0].at == pytest.approx(hold_s, abs=0.01)


@pytest.mark.parametrize("seed", range(5))
def test_the_image_equals_its_differential_equation_integrated_in_small_steps(seed: int) -> None:
    """I1: tau d(theta)/dt = (I/In)^2 - theta, from 1."""
    random = Random(seed)
    world = World(one_row(rating_a=40.0), fuses_blow=False)
    theta = worst = 1.0
    over = longest = 0.0
    for _ in range(40):
        load = random.uniform(0.0, 60.0)
        world.set_base(GRID, (load, 0.0, 0.0))
        lasts = random.uniform(0.5, 12.0)
        for _ in range(round(lasts / 0.01)):
            theta += 0.01 / 60.0 * ((load / 40.0) ** 2 - theta)
            worst = max(worst, theta)
            over = over + 0.01 if load > 40.0 else 0.0
            longest = max(longest, over)
        world.advance(round(lasts / 0.01) * 0.01)
    truth = world.truth()
    assert truth.worst_theta == pytest.approx(worst, rel=1e-3)
    assert truth.longest_over_s == pytest.approx(longest, abs=0.02)
    assert (len(truth.trips) > 0) == (worst > 1.13**2)


def test_a_long_overload_below_the_bound_never_trips_but_is_counted() -> None:
    world = World(one_row(rating_a=40.0))
    world.set_base(GRID, (0.0, 40.0 * 1.12, 0.0))
    world.advance(3600)
    world.set_base(GRID, (0.0, 40.0, 0.0))
    world.advance(3600)
    truth = world.truth()
    assert truth.trips == ()
    assert truth.longest_over_s == pytest.approx(3600)
    assert truth.worst_theta == pytest.approx(1.12**2, rel=1e-6)


def test_a_cold_pause_between_two_overloads_restarts_the_overload_clock() -> None:
    world = World(one_row(rating_a=40.0))
    for _ in range(3):
        world.set_base(GRID, (42.0, 42.0, 42.0))
        world.advance(7)
        world.set_base(GRID, (10.0, 10.0, 10.0))
        world.advance(5)
    assert world.truth().longest_over_s == pytest.approx(7)


def test_a_blown_fuse_leaves_everything_below_it_dead_until_it_is_closed_again() -> None:
    world = World(demo_site())
    world.plug(ConnectorId("a1"), Car("car", react_s=1.0))
    world.signal(ConnectorId("a1"), 16.0)
    world.advance(5)
    world.set_base(FeederId("row-a"), (200.0, 0.0, 0.0))
    world.advance(60)
    truth = world.truth()
    assert [t.feeder for t in truth.trips] == ["row-a"]
    assert truth.feeder("row-a").current_a == (0.0, 0.0, 0.0)
    assert truth.feeder("grid").current_a == (0.0, 0.0, 0.0)
    world.set_base(FeederId("row-a"), (0.0, 0.0, 0.0))
    world.reset_fuse(FeederId("row-a"))
    assert world.truth().feeder("grid").current_a == pytest.approx((16.0, 16.0, 16.0))


def test_currents_reach_every_ancestor_on_the_phases_of_the_wiring_map() -> None:
    """Fault 34: a 1-phase car on an outlet that is rotated loads another feeder phase."""
    world = World(demo_site())
    for name in ("a1", "a2"):
        world.plug(ConnectorId(name), Car(name, phases=1, react_s=1.0))
        world.signal(ConnectorId(name), 10.0)
    world.set_base(FeederId("garage"), (1.0, 2.0, 3.0))
    world.advance(2)
    truth = world.truth()
    assert truth.feeder("row-a").current_a == (10.0, 10.0, 0.0)
    assert truth.feeder("row-b").current_a == (0.0, 0.0, 0.0)
    assert truth.feeder("grid").current_a == (11.0, 12.0, 3.0)
    assert truth.feeder("grid").base_a == (1.0, 2.0, 3.0)


def test_a_car_follows_after_its_reaction_and_draws_nothing_below_six_amps() -> None:
    world = World(one_row())
    world.plug(CP1, Car("slow", phases=3, max_a=32.0, react_s=4.0))
    world.signal(CP1, 16.0)
    world.advance(3.9)
    assert world.outlets[CP1].draw_a == (0.0, 0.0, 0.0)
    world.advance(0.2)
    assert world.outlets[CP1].draw_a == (16.0, 16.0, 16.0)
    world.signal(CP1, 5.9)
    world.advance(4.1)
    assert world.outlets[CP1].draw_a == (0.0, 0.0, 0.0)


def test_a_contactor_ends_the_current_of_a_car_of_fifteen_seconds_and_an_older_signal_never_comes_back() -> None:
    world = World(one_row())
    world.plug(CP1, Car("lame", react_s=15.0))
    world.signal(CP1, 16.0)
    world.advance(20)
    world.signal(CP1, 10.0)
    world.advance(1)
    world.signal(CP1, 0.0)
    world.advance(5.9)
    assert world.outlets[CP1].drawing
    world.advance(0.2)
    assert not world.outlets[CP1].drawing
    world.advance(60)
    assert not world.outlets[CP1].drawing


def test_a_disobedient_car_draws_ten_per_cent_too_much() -> None:
    """Fault 23."""
    world = World(one_row())
    world.plug(CP1, Car("greedy", max_a=32.0, obeys=1.1))
    world.signal(CP1, 10.0)
    world.advance(10)
    assert world.outlets[CP1].draw_a == pytest.approx((11.0, 11.0, 11.0))


def test_a_battery_fills_with_the_energy_that_flowed_tapers_and_stops_when_full() -> None:
    world = World(one_row(rating_a=63.0))
    world.plug(CP1, Car("e", capacity_wh=50_000, soc=0.5, phases=3, max_a=16.0, react_s=1.0))
    world.signal(CP1, 16.0)
    world.advance(3601)
    assert world.truth().delivered_wh == pytest.approx(3 * 230 * 16)
    world.advance(4 * 3600)
    truth = world.truth()
    assert truth.connector("cp1").soc == 1.0
    assert truth.connector("cp1").pilot == "B"
    assert truth.delivered_wh == pytest.approx(25_000, rel=1e-4)
    stay = world.unplug(CP1)
    assert stay is not None
    assert stay.energy_wh == pytest.approx(truth.connector("cp1").energy_wh)


def test_unplugging_ends_current_at_once_and_a_second_car_needs_a_free_outlet() -> None:
    world = World(one_row())
    world.plug(CP1, Car("one"))
    with pytest.raises(ValueError, match="already has the car one"):
        world.plug(CP1, Car("two"))
    world.signal(CP1, 16.0)
    world.advance(10)
    world.unplug(CP1)
    assert world.truth().feeder("grid").current_a == (0.0, 0.0, 0.0)
    assert world.truth().connector("cp1").pilot == "A"


def test_base_load_moves_but_never_exceeds_the_worst_base_load_of_any_node() -> None:
    """R18: base <= worst_base at every node, children included."""
    world = World(demo_site())
    BaseLoad(world, BaseLoadPlan(share=(0.0, 1.0), step_s=5.0), seed=3)
    seen: set[float] = set()
    for _ in range(600):
        world.advance(2.0)
        for feeder in world.site.feeders:
            base = world.base_a(feeder.id)
            assert all(b <= w + 1e-9 for b, w in zip(base, feeder.worst_base_load_a, strict=True))
        seen.add(world.base_a(GRID)[0])
    assert len(seen) > 100
    assert max(seen) > 25.0


def test_base_budget_scales_children_that_ask_for_more_than_their_parent_has() -> None:
    site = demo_site()
    budget = base_budget(site)
    assert budget[GRID] == (20.0, 20.0, 20.0)
    assert budget[FeederId("garage")] == (10.0, 10.0, 10.0)
    assert budget[FeederId("row-c")] == (0.0, 0.0, 0.0)


def _busy_run(seed: int) -> tuple[object, int]:
    world = World(demo_site(), fuses_blow=False)
    BaseLoad(world, BaseLoadPlan(step_s=20.0), seed)
    Arrivals(world, ArrivalPlan(), seed)
    for _ in range(7200):
        world.advance(1.0)
        for outlet in world.outlets.values():
            world.signal(outlet.connector.id, 6.0 + (world.now // 60) % 10 if outlet.car else 0.0)
    truth = world.truth()
    return truth.as_json(), len(truth.stays)


def test_equal_seeds_give_equal_runs_and_other_seeds_others() -> None:
    first, cars = _busy_run(7)
    assert cars > 12
    assert _busy_run(7)[0] == first
    assert _busy_run(8)[0] != first

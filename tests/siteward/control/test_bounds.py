"""B13, R9: neutral and imbalance as cells like those of a fuse, on random sites with faults inside R18."""

from dataclasses import replace

import pytest

from siteward.control.bounds import note_uneven
from siteward.control.memory import Watch
from siteward.control.proof import prove
from siteward.control.routes import EVEN, UNEVEN, UNKNOWN
from siteward.control.tree import tree_of
from siteward.model.alarms import AlarmCode
from siteward.model.units import Phase
from tests.siteward.control.scenes import Scene
from tests.siteward.control.sites import Box, feeder, site


@pytest.mark.parametrize("seed", [105, 120, 123, *range(200, 206)])
def test_phases_are_never_too_far_apart_for_longer_than_g_unless_an_alarm_says_so(seed: int) -> None:
    """B13, R18: judged by what truly flows; the neutral carries no more than it may, no fuse trips.

    105, 120 and 123 have their phases apart for longer while a line is dead (R1).
    """
    scene = Scene(seed, bounds=True)
    verdict = scene.run(700, faults=60.0)
    assert not scene.broken(), scene.log
    assert verdict.raises > 0


@pytest.mark.parametrize("seed", [1, 5, 9, 13])
def test_uneven_cars_alone_are_always_corrected_and_nobody_cries_wolf(seed: int) -> None:
    """B13: other load is even, so that every imbalance is one of cars: never above the bound for G, never an alarm."""
    scene = Scene(seed, bounds=True)
    truth = scene.truth
    for _ in range(600):
        scene._cars()
        truth.base = {feeder: [min(amps)] * 3 for feeder, amps in truth.base.items()}
        truth.second()
        assert truth.outcome is not None
        assert not any(a.code is AlarmCode.IMBALANCE_UNCORRECTED for a in truth.outcome.alarms)
    assert not scene.broken()
    assert truth.verdict.energy_as > 600 * 6.0


def test_a_site_without_bounds_has_no_cell_more_than_its_fuses() -> None:
    """Goal 15: whoever does not watch neutral or imbalance pays nothing for them."""
    tree = tree_of(site([feeder("grid", 63.0), feeder("row", 40.0, "grid")], [Box(feeder="row")]))
    assert len(tree.rating) == 6
    assert tree.bounds == ()
    assert [len(o.routes) for o in tree.outlets] == [1]


def test_what_an_outlet_loads_follows_what_is_known_of_its_car() -> None:
    """R9: even on three phases nothing besides its fuses, unknown the neutral, uneven the imbalance of its phases."""
    tree = tree_of(site([feeder("grid", 63.0, neutral=32.0, imbalance=20.0)], [Box(wiring="231")]))
    routes = tree.outlets[0].routes
    assert routes[EVEN].cells[0b111] == (1, 2, 0)
    assert routes[EVEN].lends == (4, 5, 3)
    assert routes[UNKNOWN].cells[0b001] == (1, 4)
    assert routes[UNEVEN + 0b001].cells[0b111] == (1, 4, 7, 2, 5, 0, 3)


def test_a_rectifier_loads_no_neutral() -> None:
    """R20: a DC charger on three phases is even whatever its car does."""
    box = Box(dc_min_w=5000.0, max_a=100.0, hw_a=100.0, measures=False)
    tree = tree_of(site([feeder("grid", 200.0, neutral=32.0, imbalance=20.0)], [box]))
    assert len(tree.outlets[0].routes) == 1
    assert [node.below for node in tree.bounds] == [(), ()]


@pytest.mark.parametrize(
    ("drawn", "mask"),
    [((16.0, 16.0, 16.0), 0), ((16.0, 0.2, 0.0), 0b001), ((0.0, 9.0, 9.0), 0b110), ((16.0, 16.0, 11.0), 0b111)],
)
def test_an_uneven_car_is_known_by_the_phases_that_it_draws_on(drawn: tuple[float, float, float], mask: int) -> None:
    """B13: above 1 A counts; up to 10 % of difference is even."""
    outlet = tree_of(site([feeder("grid", 63.0, imbalance=20.0)], [Box()])).outlets[0]
    watch = Watch(measured_a=drawn, drawing=True)
    note_uneven(outlet, watch)
    assert watch.uneven == mask


def test_a_pause_does_not_make_an_uneven_car_even() -> None:
    """B13: it would start again, be seen and be paused again, for ever."""
    outlet = tree_of(site([feeder("grid", 63.0, imbalance=20.0)], [Box()])).outlets[0]
    watch = Watch(measured_a=(0.0, 0.0, 0.0), drawing=False, uneven=0b001)
    note_uneven(outlet, watch)
    assert watch.uneven == 0b001


def test_the_neutral_is_proven_like_a_fuse() -> None:
    """I4, R3: every car on one phase at its fail-safe current, with the other load that may come back through it."""
    wide = feeder("grid", 100.0, worst=20.0, neutral=50.0)
    boxes = [Box(wiring=wiring) for wiring in ("123", "231", "312", "1", "1", "2")]
    assert prove(site([wide], boxes)) == ()
    short = prove(site([replace(wide, neutral_a=45.0)], boxes))
    assert {(s.phase, s.neutral, s.load_a, s.allowed_a) for s in short} == {(Phase.L1, True, 50.0, 45.0)}
    assert prove(site([replace(wide, neutral_a=45.0, neutral_base_a=15.0)], boxes)) == ()

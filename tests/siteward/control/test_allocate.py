"""R12, B09, B12: who gets the floor, and what a known departure raises it to, on room written down by hand."""

from dataclasses import replace

import pytest

from siteward.control.allocate import allocate
from siteward.control.tree import tree_of
from siteward.control.work import Work
from siteward.model.site import Priority
from tests.fixtures.share_scenes import AT, ShareScene, work_of
from tests.siteward.control.sites import Box, feeder, site


def bench(room_a: float, *boxes: Box) -> Work:
    """Connectors below one fuse that has so much left for all of them, on every phase."""
    built = site([feeder("grid", 100_000.0)], list(boxes))
    tree = tree_of(built)
    return work_of(ShareScene(built, tree, (room_a,) * len(tree.rating), tuple(float(n) for n, _ in enumerate(boxes))))


def need(work: Work, *amps: float) -> None:
    """Say what each must get on average to leave with its energy in time."""
    for o, need_a in zip(work.tree.outlets, amps, strict=True):
        work.demands[o.id] = replace(work.demands[o.id], need_a=need_a)


def test_a_floor_that_is_given_begins_a_turn() -> None:
    """B12: the turn counts from the first floor, and a refused outlet has none."""
    work = bench(10.0, Box(boot_a=0.0), Box(boot_a=0.0))
    allocate(work)
    assert [w.slot.turn_since for w in work.watches] == [AT, None]
    assert work.targets == [10.0, 0.0]


def test_who_leaves_soon_goes_before_an_even_share() -> None:
    """B12: the tightest first, and the rest is shared."""
    work = bench(30.0, Box(boot_a=0.0), Box(boot_a=0.0))
    need(work, 0.0, 20.0)
    allocate(work)
    assert work.targets == [10.0, 20.0]


def test_one_who_cannot_be_given_more_does_not_keep_it_from_the_next() -> None:
    """B12: the first is at its maximum already; the second still gets what it needs."""
    small = Box(boot_a=0.0, max_a=6.0, hw_a=6.0, priority=Priority.FLEET)
    work = bench(36.0, small, Box(boot_a=0.0), Box(boot_a=0.0))
    need(work, 30.0, 20.0, 0.0)
    allocate(work)
    assert work.targets == [6.0, 20.0, 10.0]


def test_a_need_below_the_floor_moves_nothing() -> None:
    """B12: the floor carries it already."""
    work = bench(30.0, Box(boot_a=0.0), Box(boot_a=0.0))
    need(work, 3.0, 0.0)
    allocate(work)
    assert work.targets == [15.0, 15.0]


@pytest.mark.parametrize(("step_a", "given"), [(0.1, 13.4), (1.0, 14.0), (2.0, 14.0)])
def test_a_need_is_rounded_up_to_the_step_that_the_device_takes(step_a: float, given: float) -> None:
    """B12, R12: less than it needs would be too late; the other takes what is left, in its own steps."""
    work = bench(24.0, Box(boot_a=0.0, step_a=step_a), Box(boot_a=0.0))
    need(work, 13.4, 0.0)
    allocate(work)
    assert work.targets[0] == given
    assert sum(work.targets) <= 24.0

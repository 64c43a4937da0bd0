"""Step 6 (R10, R12, 6c, I14): how much each fuse leaves, and what a limit takes of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from siteward.control.caps import K10, draw_lines, over_cutline
from siteward.control.lending import lent_bound
from siteward.control.memory import Watch
from siteward.control.work import Work
from siteward.model.ids import ConnectorId, FeederId
from siteward.model.limits import Limit, LimitSource, OnLimitExpiry
from tests.siteward.control.bench import AT, lay, watch
from tests.siteward.control.sites import Box, feeder

GRID, C00 = FeederId("grid"), ConnectorId("c00")


def drawn(*limits: Limit, watches: tuple[Watch, ...] = (), **lists: list[float]) -> Work:
    """A grid of 100 A, with a worst other load of 20 A, once its lines are drawn."""
    found = watches or (watch(),)
    work = lay(found, feeders=[feeder("grid", 100.0, worst=20.0)], limits=limits)
    for name in ("cutline", "raiseline", "lent_line", "room_a"):
        setattr(work, name, [])
    for name, value in lists.items():
        setattr(work, name, value)
    draw_lines(work)
    return work


def lines(work: Work) -> tuple[list[float], list[float], list[float], list[float]]:
    """Cutline, raiseline, room for targets, and the line of what is lent."""
    return work.cutline, work.raiseline, work.room_a, work.lent_line


def test_a_fuse_leaves_its_rating_less_the_other_load_and_a_margin_for_raises() -> None:
    """R10: the lower base for cuts and targets, the higher one for raises."""
    found = lines(drawn(base_cut=[5.0] * 3, base_raise=[8.0] * 3))
    assert found == ([95.0] * 3, [89.0] * 3, [92.0] * 3, pytest.approx([K10 * 100.0 - 8.0] * 3))


def test_each_phase_has_its_own() -> None:
    """R9."""
    found = lines(drawn(base_cut=[5.0, 10.0, 0.0], base_raise=[8.0, 10.0, 4.0]))
    assert found[:3] == ([95.0, 90.0, 100.0], [89.0, 87.0, 93.0], [92.0, 87.0, 97.0])


def test_what_falls_back_late_lowers_them_by_the_heat_of_the_fuse() -> None:
    """R10: k of the longest watchdog that may still hold, and of the longest of all for raises and targets."""
    work = lay([watch()], feeders=[feeder("grid", 100.0, worst=20.0)])
    bound = work.tree.bound_k[0] * 100.0 - 20.0
    assert bound > 100.0
    found = lines(drawn(dynamic_k=[1.1] * 3, base_cut=[0.0] * 3))
    assert found[0] == pytest.approx([90.0] * 3)
    assert found[1] == found[2] == [97.0] * 3


@pytest.mark.parametrize(("lent_a", "boot_a"), [(60.0, 10.0), (10.0, 60.0)])
def test_what_may_come_back_for_ten_seconds_is_left_free(lent_a: float, boot_a: float) -> None:
    """6c: a phase that is lent, or a charger that restarts, whichever is more."""
    room = K10 * 100.0 - 60.0
    found = lines(drawn(lent_a=[lent_a] * 3, spare_boot_a=[boot_a] * 3, base_cut=[70.0] * 3, base_raise=[75.0] * 3))
    assert found[0] == pytest.approx([min(30.0, room - 70.0)] * 3)
    assert found[1] == pytest.approx([min(22.0, room - 75.0)] * 3)
    assert found[2] == pytest.approx([min(27.0, room - 70.0)] * 3)
    assert found[3] == pytest.approx([K10 * 100.0 - 75.0] * 3)


CLOUD = Limit("x", LimitSource.CLOUD, (50.0, 110.0, 60.0), feeder=GRID)


def test_a_limit_lowers_the_phases_that_it_is_below() -> None:
    """I14: the lowest of all, by name; one of another feeder nothing."""
    low = replace(CLOUD, id="y", limit_a=(55.0, 40.0, 60.0))
    work = drawn(CLOUD, low, replace(CLOUD, id="z", feeder=FeederId("elsewhere"), limit_a=(1.0, 1.0, 1.0)))
    assert work.lines_a == [50.0, 40.0, 60.0]
    assert work.line_limit == [CLOUD, low, CLOUD]
    assert work.cutline == [50.0, 40.0, 60.0]
    assert work.cap_a == [32.0]
    assert work.cap_limit == {}


@pytest.mark.parametrize(
    ("ends_at", "on_expiry", "counts"),
    [
        (AT, OnLimitExpiry.RELEASE, False),
        (AT + 0.1, OnLimitExpiry.RELEASE, True),
        (None, OnLimitExpiry.RELEASE, True),
        (AT - 60.0, OnLimitExpiry.KEEP, True),
    ],
)
def test_a_limit_counts_until_its_end_and_the_next_one_all_the_same(
    ends_at: float | None, on_expiry: OnLimitExpiry, counts: bool
) -> None:
    """B15: one that is kept has none."""
    limit = replace(CLOUD, ends_at=ends_at, on_expiry=on_expiry)
    other = Limit("z", LimitSource.CLOUD, (90.0, 90.0, 90.0), feeder=GRID)
    assert drawn(limit, other).lines_a == ([50.0, 90.0, 60.0] if counts else [90.0, 90.0, 90.0])


@pytest.mark.parametrize(
    ("wiring", "amps", "cap_a", "binds"),
    [
        ("123", (20.0, 12.04, 15.0), 12.0, True),
        ("1", (20.0, 12.0, 15.0), 20.0, True),
        ("123", (40.0, 40.0, 32.0), 32.0, False),
    ],
)
def test_a_limit_on_a_connector_is_its_cap(
    wiring: str, amps: tuple[float, float, float], cap_a: float, binds: bool
) -> None:
    """I14: on the phases that it is wired to, in whole steps."""
    limit = Limit("x", LimitSource.HEAT, amps, connector=C00)
    work = lay([watch()], [Box(wiring=wiring)], limits=(limit, replace(limit, id="y", connector=ConnectorId("zz"))))
    draw_lines(work)
    assert work.cap_a == [cap_a]
    assert work.cap_limit == ({0: limit} if binds else {})
    assert work.lines_a == [63.0] * 3


def test_a_demand_bounds_the_mean_of_the_phases() -> None:
    """B15: more where more other load is."""
    limit = Limit("q", LimitSource.DEMAND, (40.0, 40.0, 40.0), feeder=GRID)
    assert drawn(limit, base_raise=[10.0, 4.0, 1.0]).lines_a == [45.0, 39.0, 36.0]


@pytest.mark.parametrize(
    ("conf_a", "mine", "u_a", "used", "keeps"),
    [
        (16.0, True, 16.0, 0b111, [19.0, 19.0, 19.0]),
        (16.0, True, 16.0, 0b001, [19.0, 13.0, 13.0]),
        (0.0, True, 0.0, 0b111, [13.0, 13.0, 13.0]),
        (None, True, 9.0, 0b111, [13.0, 13.0, 13.0]),
        (16.0, False, 9.5, 0b111, [22.5, 22.5, 22.5]),
    ],
)
def test_a_demand_never_takes_a_floor(
    conf_a: float | None, mine: bool, u_a: float, used: int, keeps: list[float]
) -> None:
    """Turn.md 3.10: nor what cannot be lowered; other load and the margin come on top."""
    limit = Limit("q", LimitSource.DEMAND, (0.0, 0.0, 0.0), feeder=GRID)
    work = drawn(limit, watches=(watch(conf_a),), base_raise=[10.0] * 3)
    for name in ("cutline", "raiseline", "lent_line", "room_a"):
        setattr(work, name, [])
    work.allocatable, work.u_a, work.used = [mine], [u_a], [used]
    draw_lines(work)
    assert work.lines_a == keeps


@pytest.mark.parametrize(("meter", "over_a"), [(False, 1.0), (True, 5.0)])
def test_what_is_excused_forces_nothing_unless_the_meter_says_so(meter: bool, over_a: float) -> None:
    """R14."""
    work = lay([watch(16.0)])
    work.cutline, work.excused_a, work.over_meter = [11.0] * 3, [4.0] * 3, [meter] * 3
    assert over_cutline(work, 1) == over_a


@pytest.mark.parametrize(
    ("used", "total_a", "base_a", "bound"),
    [
        (0b111, 0.0, 0.0, (float("inf"), -1)),
        (0b011, 20.0, 10.0, (pytest.approx(K10 * 63.0 - 30.0), 2)),
        (0b011, 99.0, 10.0, (6.0, 2)),
        (0b011, 99.0, 63.0 * K10 - 4.0, (pytest.approx(4.0), 2)),
    ],
)
def test_a_lent_phase_bounds_by_its_fuse(used: int, total_a: float, base_a: float, bound: tuple[float, int]) -> None:
    """R9, R12: others there are cut first, down to a floor; only load that nobody can lower takes that."""
    work = lay([watch(16.0)])
    work.used, work.total_a, work.base_cut = [used], [1.0, 2.0, total_a], [3.0, 4.0, base_a]
    assert lent_bound(work, work.tree.outlets[0]) == bound


def test_the_tightest_lent_fuse_is_named() -> None:
    """R9: of several on its path."""
    work = lay([watch(16.0)], [Box(feeder="row")], [feeder("grid", 100.0), feeder("row", 63.0, "grid")])
    work.used = [0b001]
    work.total_a = [0.0, 90.0, 95.0, 0.0, 30.0, 20.0]
    assert lent_bound(work, work.tree.outlets[0]) == (pytest.approx(K10 * 100.0 - 95.0), 2)
    work.total_a[4] = 40.0
    assert lent_bound(work, work.tree.outlets[0]) == (pytest.approx(K10 * 63.0 - 40.0), 4)

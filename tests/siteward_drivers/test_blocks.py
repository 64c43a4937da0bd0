"""The read plan: documented registers only, within the device's limit, as few requests as that allows (ruling 3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siteward.model.serial import Parity, SerialSettings
from siteward_drivers.blocks import plan_blocks, poll_blocks
from siteward_drivers.catalogue import load_profiles
from siteward_drivers.profile_points import Point
from siteward_drivers.profile_schema import Span, TimingPart
from siteward_drivers.quantities import Quantity
from siteward_drivers.tariff import overhead_registers

PROFILES = load_profiles()


def points(*addresses: int) -> dict[Quantity, Point]:
    names = list(Quantity)
    made = [Point.model_validate({"table": "holding", "address": a, "type": "u16"}) for a in addresses]
    return {names[i]: point for i, point in enumerate(made)}


def spans(*rows: tuple[int, int]) -> list[Span]:
    return [Span.model_validate({"table": "holding", "first": f, "count": c}) for f, c in rows]


def ranges(addresses: tuple[int, ...], documented: list[Span], limit: int, gap: int) -> list[tuple[int, int]]:
    return [(b.first, b.count) for b in plan_blocks(points(*addresses), documented, limit, gap)]


def test_neighbours_join_and_holes_part() -> None:
    assert ranges((1, 2, 3, 10), spans((0, 4), (10, 1)), 125, 50) == [(1, 3), (10, 1)]


def test_documented_registers_that_nobody_wants_are_read_along_when_that_is_cheaper() -> None:
    assert ranges((1, 8), spans((0, 20)), 125, 10) == [(1, 8)]
    assert ranges((1, 18), spans((0, 20)), 125, 10) == [(1, 1), (18, 1)]


def test_the_devices_limit_cuts() -> None:
    assert ranges((0, 1, 2, 3, 4), spans((0, 20)), 2, 10) == [(0, 2), (2, 2), (4, 1)]


def test_what_is_not_documented_cannot_be_read() -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        ranges((5,), spans((0, 4)), 125, 10)


@given(st.sets(st.integers(0, 60), min_size=1, max_size=20), st.integers(1, 20), st.integers(0, 12))
def test_every_plan_covers_each_point_once_and_breaks_no_rule(wanted: set[int], limit: int, gap: int) -> None:
    documented = spans((0, 15), (20, 10), (31, 40))
    inside = tuple(sorted(a for a in wanted if any(s.first <= a < s.first + s.count for s in documented)))
    blocks = plan_blocks(points(*inside), documented, limit, gap)
    assert sorted(p.address for b in blocks for p in b.points.values()) == list(inside)
    for block in blocks:
        assert block.count <= limit
        assert any(s.first <= block.first and block.first + block.count <= s.first + s.count for s in documented)


@pytest.mark.parametrize(
    ("profile", "baud", "requests"),
    [
        ("eastron_sdm630", 9600, [("input", 0, 18), ("input", 70, 4)]),
        (
            "heidelberg_energy_control",
            19200,
            [("holding", 257, 2), ("holding", 261, 2), ("input", 5, 10)],
        ),
        ("phoenix_charx_sec", None, [("holding", 1232, 22), ("holding", 1264, 44)]),
    ],
)
def test_a_poll_of_each_shipped_profile(profile: str, baud: int | None, requests: list[tuple[str, int, int]]) -> None:
    at = None if baud is None else SerialSettings(baud, Parity.NONE, 1)
    blocks = poll_blocks(PROFILES[profile], PROFILES[profile].file.poll.always, 1, at)
    assert [(str(b.table), b.first, b.count) for b in blocks] == requests


def test_a_channel_is_read_at_its_own_offset() -> None:
    profile = PROFILES["phoenix_charx_sec"]
    blocks = poll_blocks(profile, [Quantity.STATUS, Quantity.CONTROLLER_COUNT], 3, None)
    assert [(b.first, b.count) for b in blocks] == [(114, 1), (3299, 1)]
    with pytest.raises(ValueError, match=r"1\.\.12"):
        profile.point(Quantity.STATUS, 13)


@pytest.mark.parametrize(("baud", "registers"), [(9600, 10), (19200, 11), (115200, 35)])
def test_the_gap_that_is_read_along_follows_the_baud_rate(baud: int, registers: int) -> None:
    """Goal 3: ranges join over as many registers as cost less than a transaction at this speed, and over no more."""
    at = SerialSettings(baud, Parity.EVEN, 1)
    slave_s = max(3.5 * 11 / baud, 0.00175) + 0.002
    overhead = overhead_registers(TimingPart(gap_s=0.0, turnaround_s=slave_s), at)
    wide = spans((0, 200))
    near, far = registers + 1, registers + 2
    assert [(b.first, b.count) for b in plan_blocks(points(0, near), wide, 125, overhead)] == [(0, near + 1)]
    assert [(b.first, b.count) for b in plan_blocks(points(0, far), wide, 125, overhead)] == [(0, 1), (far, 1)]


def test_a_slow_device_is_asked_less_often_and_for_more() -> None:
    """Goal 3: silence and thinking time that a device needs count as much as characters do."""
    at = SerialSettings(19200, Parity.EVEN, 1)
    quick = overhead_registers(TimingPart(gap_s=0.0, turnaround_s=0.004), at)
    assert overhead_registers(TimingPart(gap_s=0.05, turnaround_s=0.02), at) > 4 * quick
    assert overhead_registers(TimingPart(), None) == 125


@given(st.sets(st.integers(0, 40), min_size=1, max_size=8), st.integers(3, 30), st.floats(0.5, 20, allow_nan=False))
def test_no_other_cut_is_cheaper(wanted: set[int], limit: int, overhead: float) -> None:
    """Goal 3: among all ways to cut the points, none takes less time on the wire than the plan."""
    addresses = sorted(wanted)

    def price(ranges: list[tuple[int, int]]) -> float:
        return sum(overhead + count for _, count in ranges)

    def cuts(rest: list[int]) -> list[list[tuple[int, int]]]:
        if not rest:
            return [[]]
        fits = [n for n in range(1, len(rest) + 1) if rest[n - 1] - rest[0] < limit]
        return [[(rest[0], rest[n - 1] - rest[0] + 1), *more] for n in fits for more in cuts(rest[n:])]

    planned = [(b.first, b.count) for b in plan_blocks(points(*addresses), spans((0, 50)), limit, overhead)]
    assert price(planned) <= min(price(way) for way in cuts(addresses)) + 1e-6

"""The read plan: documented registers only, within the device's limit, as few requests as that allows (ruling 3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siteward_drivers.blocks import plan_blocks, poll_blocks
from siteward_drivers.catalogue import load_profiles
from siteward_drivers.profile_points import Point
from siteward_drivers.profile_schema import Span, Transport
from siteward_drivers.quantities import Quantity

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
    ("profile", "framing", "requests"),
    [
        ("eastron_sdm630", Transport.RTU, [("input", 0, 18), ("input", 70, 4)]),
        (
            "heidelberg_energy_control",
            Transport.RTU,
            [("holding", 257, 2), ("holding", 261, 2), ("input", 5, 10)],
        ),
        ("phoenix_charx_sec", Transport.TCP, [("holding", 1232, 22), ("holding", 1264, 44)]),
    ],
)
def test_a_poll_of_each_shipped_profile(profile: str, framing: Transport, requests: list[tuple[str, int, int]]) -> None:
    blocks = poll_blocks(PROFILES[profile], PROFILES[profile].file.poll.always, 1, framing)
    assert [(str(b.table), b.first, b.count) for b in blocks] == requests


def test_a_channel_is_read_at_its_own_offset() -> None:
    profile = PROFILES["phoenix_charx_sec"]
    blocks = poll_blocks(profile, [Quantity.STATUS, Quantity.CONTROLLER_COUNT], 3, Transport.TCP)
    assert [(b.first, b.count) for b in blocks] == [(114, 1), (3299, 1)]
    with pytest.raises(ValueError, match=r"1\.\.12"):
        profile.point(Quantity.STATUS, 13)

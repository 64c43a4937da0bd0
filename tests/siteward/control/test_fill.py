"""B12 and goal 10: exact weighted max-min in whole steps, never above a fuse, never below the floor."""

from random import Random

import pytest

from siteward.control.fill import Share, fill


def scene(seed: int) -> tuple[list[Share], list[float]]:
    """A random three-level case."""
    rng = Random(seed)
    count = rng.randint(1, 40)
    shares = []
    for _ in range(count):
        phases = rng.choice(((0, 1, 2), (0,), (1,), (2,)))
        nodes = (0, 1 + rng.randint(0, 2), 4 + rng.randint(0, 5))
        cells = tuple(n * 3 + p for n in nodes for p in phases)
        shares.append(Share(rng.choice((1.0, 2.0, 4.0, 8.0)), 6.0, rng.choice((6.0, 16.0, 32.0)), 0.5, cells))
    return shares, [rng.uniform(0.0, 80.0) for _ in range(30)]


@pytest.mark.parametrize("seed", range(150))
def test_nobody_can_gain_without_taking_from_one_who_has_less_per_weight(seed: int) -> None:
    """Within one step: who is below its maximum sits on a full cell where none of larger share could give."""
    shares, room = scene(seed)
    given, binder = fill(shares, room)
    used = [0.0] * len(room)
    for s, amps in zip(shares, given, strict=True):
        assert s.low_a <= amps <= s.high_a
        assert abs(amps / 0.5 - round(amps / 0.5)) < 1e-6
        for c in s.cells:
            used[c] += amps - s.low_a
    assert all(u <= r + 1e-6 for u, r in zip(used, room, strict=True))
    for i, s in enumerate(shares):
        if given[i] >= s.high_a:
            continue
        cell = binder[i]
        assert cell in s.cells
        members = [j for j, other in enumerate(shares) if cell in other.cells]
        assert room[cell] - used[cell] < 0.5 * len(members) + 1e-6
        level = given[i] / s.weight
        for j in members:
            above_floor = given[j] > shares[j].low_a + 0.5
            assert (
                not above_floor or given[j] / shares[j].weight <= level + 0.5 / shares[j].weight + 0.5 / s.weight + 1e-6
            )


def test_left_over_steps_are_handed_out() -> None:
    """Three takers, 10 A between them in steps of 4 A: two get one step more, nothing is left that a step fits in."""
    shares = [Share(1.0, 8.0, 32.0, 4.0, (0,)) for _ in range(3)]
    given, _ = fill(shares, [10.0])
    assert sorted(given) == [8.0, 12.0, 12.0]


def test_it_is_deterministic_and_does_not_touch_its_input() -> None:
    """The same case gives the same result; room stays as given."""
    shares, room = scene(3)
    before = list(room)
    assert fill(shares, room) == fill(shares, room)
    assert room == before

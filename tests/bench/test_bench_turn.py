"""Goal 15 and goal 9: the bench itself runs and its rows are complete; the figures are judged by make bench."""

from tests.bench import bench_turn


def test_the_site_of_the_bench_turns() -> None:
    """A small one, once."""
    assert bench_turn._time_turns(bench_turn.bench_site(12), 8) > 0.0
    shares, room = bench_turn._shares(10, bench_turn.Random(1))
    assert len(shares) == 10
    assert len(room) >= 12

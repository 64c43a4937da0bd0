"""Goal 15: the bench itself runs; the figures are judged by make bench."""

from tests.bench import bench_turn


def test_the_site_of_the_bench_turns() -> None:
    """A small one, once."""
    assert bench_turn._time_turns(bench_turn.bench_site(12), 8) > 0.0

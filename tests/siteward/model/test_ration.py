"""Fault 52: a flood of refusals fills no disk, and nobody can say that there was none."""

from siteward.model.ration import BURST, REFILL_S, Ration


def test_a_burst_then_one_a_minute_and_the_rest_is_counted() -> None:
    """Thirty at once; what was left out stands in the next one, once."""
    ration = Ration(100.0)
    assert [ration.take(100.0) for _ in range(BURST + 5)] == [True] * BURST + [False] * 5
    assert not ration.take(100.0 + REFILL_S / 2)
    assert ration.take(100.0 + REFILL_S)
    assert (ration.settle(), ration.settle()) == (6, 0)
    assert [ration.take(1e6) for _ in range(BURST + 1)] == [True] * BURST + [False]

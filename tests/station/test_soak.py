"""A few seeds of the soak: every fault of R18 at random on the whole station (I1, I2, I4, R1, R2, R3b, R13, R17)."""

import pytest

from tests.campaigns.seed import run_seed


@pytest.mark.parametrize(("seed", "hours", "frames"), [(52, 0.1, True), (103, 0.2, False), (105, 0.25, False)])
def test_i1_r18_faults_at_random_trip_nothing_and_everything_comes_back(seed, hours, frames):
    verdict = run_seed(seed, hours, frames=frames)
    assert verdict.broken == []
    assert verdict.raises > 10, "without raises this proves nothing"
    assert sum(verdict.faults.values()) > 5
    assert verdict.delivered_kwh > 0.0

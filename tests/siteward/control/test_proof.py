"""R3, I4 before anything runs: which feeder is not safe, by how much, and what would make it so."""

from siteward.control.proof import Proof, prove
from tests.siteward.control.sites import Box, feeder, site


def test_a_site_that_fits_has_no_shortfall() -> None:
    """Four fail-safe currents of 6 A and a base of 20 A under 63 A."""
    assert prove(site([feeder("grid", 63, worst=20)], [Box(boot_a=6.0) for _ in range(4)])) == ()


def test_fail_safe_currents_that_do_not_fit_are_named_with_the_missing_amperes() -> None:
    """8 x 6 A on 40 A: 8 A are missing on each phase."""
    found = prove(site([feeder("grid", 40)], [Box(boot_a=0.0) for _ in range(8)]))
    assert {(s.feeder, s.phase.value, s.proof) for s in found} == {
        ("grid", p, Proof.CONTROLLER_DEAD) for p in ("L1", "L2", "L3")
    }
    assert found[0].missing_a == 8.0
    assert "8.0 A too much" in found[0].proposal


def test_mains_return_counts_boot_currents_against_k_of_the_hold_time() -> None:
    """8 x 16 A on 100 A hold for 15 s (k(22) = 1.38), 8 x 32 A do not; without a known hold time they never do."""
    feeders = [feeder("grid", 100)]
    assert prove(site(feeders, [Box(boot_a=16.0) for _ in range(8)])) == ()
    strong = prove(site(feeders, [Box(boot_a=None) for _ in range(8)]))
    assert {s.proof for s in strong} == {Proof.MAINS_RETURN}
    unknown = prove(site(feeders, [Box(boot_a=16.0, hold_s=None) for _ in range(8)]))
    assert unknown[0].allowed_a == 100.0


def test_a_watchdog_that_is_off_after_power_up_rests_at_the_hardware_maximum() -> None:
    """R3: rest_a is what it may hold for ever without us."""
    found = prove(site([feeder("grid", 40)], [Box(boot_a=6.0, watchdog_at_start=False) for _ in range(2)]))
    assert found[0].load_a == 64.0


def test_each_phase_counts_by_the_wiring_map() -> None:
    """Fault 34: three 1-phase boxes on L1, L2, L3 of a 10 A feeder fit; all on L1 do not."""
    fits = [Box(wiring=p, boot_a=0.0, max_a=10.0) for p in "123"]
    assert prove(site([feeder("grid", 10)], fits)) == ()
    assert [s.phase.value for s in prove(site([feeder("grid", 10)], [Box(wiring="1", boot_a=0.0)] * 3))] == ["L1"]

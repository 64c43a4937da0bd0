"""R3, I4 before anything runs: which feeder is not safe, by how much, and what would make it so."""

from dataclasses import replace

from siteward.control.proof import Proof, Shortfall, prove
from siteward.model.ids import FeederId
from siteward.model.units import Phase
from tests.fixtures.bounds import k
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


def test_a_shortfall_says_all_of_it() -> None:
    """Goal 2: which phase, how much of what, and what to do; to the milliampere."""
    boxes = [Box(wiring="2", fs_a=12.0, boot_a=25.0), Box(wiring="2", fs_a=12.0, boot_a=20.00049)]
    rest, boot = prove(site([feeder("grid", (40.0, 23.0, 40.0), worst=4.0)], boxes))
    assert rest == Shortfall(FeederId("grid"), Phase.L2, Proof.CONTROLLER_DEAD, 28.0, 23.0, rest.proposal)
    assert rest.proposal == (
        "5.0 A too much when the controller is dead: let the lowest priorities stop as their fail-safe, "
        "lower fail-safe currents (the largest is c01), or put a group behind a contactor with its own watchdog"
    )
    allowed_a = round(k(22.0) * 23.0, 3)
    assert boot == Shortfall(FeederId("grid"), Phase.L2, Proof.MAINS_RETURN, 49.0, allowed_a, boot.proposal)
    assert boot.missing_a == round(49.0 - allowed_a, 3)
    assert boot.proposal == (
        f"{49.00049 - k(22.0) * 23.0:.1f} A too much when the mains return and every charger restarts: "
        "set the chargers' hardware switch lower (hardware_max_a), delay the supply of a group, or put it behind a "
        "contactor"
    )


def test_one_charger_whose_hold_is_unknown_takes_the_warmth_of_the_fuse_from_all() -> None:
    """R3: and the longest of those that are known counts for all."""
    grid = [feeder("grid", 40.0)]
    short, long = Box(boot_a=25.0, hold_s=5.0, fs_a=0.0), Box(boot_a=25.0, hold_s=53.0, fs_a=0.0)
    assert prove(site(grid, [short, short])) == ()
    assert {s.allowed_a for s in prove(site(grid, [short, long]))} == {round(k(60.0) * 40.0, 3)}
    assert {s.allowed_a for s in prove(site(grid, [short, replace(short, hold_s=None)]))} == {40.0}


def test_the_largest_fail_safe_current_is_named() -> None:
    """Goal 2: whoever is to lower one looks there first."""
    boxes = [Box(fs_a=12.0, boot_a=0.0), Box(fs_a=14.0, boot_a=0.0), Box(fs_a=6.0, boot_a=0.0)]
    assert "(the largest is c01)" in prove(site([feeder("grid", 30.0)], boxes))[0].proposal

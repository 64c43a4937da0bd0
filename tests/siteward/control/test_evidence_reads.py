"""Step 3 (R3b, R5, R8, R9, B13): what one read changes of what is known, field by field."""

from __future__ import annotations

from dataclasses import fields, replace
from math import inf, nan

import pytest

from siteward.control.evidence import (
    apply_reading,
    closed_mask,
    shown_closed,
    start_delay_s,
    used_mask,
)
from siteward.control.memory import NEVER, Watch
from siteward.control.phasing import AS_BUILT
from siteward.control.tree import Outlet, tree_of
from siteward.model.facts import ResetBy
from siteward.model.readings import ChargerReading, Pilot
from siteward.model.units import PerPhase
from tests.siteward.control.bench import AT, watch
from tests.siteward.control.sites import Box, feeder, site

ZERO: PerPhase = (0.0, 0.0, 0.0)


def outlet(box: Box | None = None) -> Outlet:
    """A box that rests at 6 A."""
    return tree_of(site([feeder("grid", 63.0)], [box or Box()])).outlets[0]


def changed(before: Watch, after: Watch) -> dict[str, object]:
    """What is different."""
    names = [f.name for f in fields(Watch)]
    return {n: getattr(after, n) for n in names if getattr(after, n) != getattr(before, n)}


def read(seen: Watch, box: Box | None = None, **more: object) -> bool:
    """A poll sent a tenth of a second ago, that shows what was confirmed and a car at 16 A; was it foreign?"""
    o = outlet(box)
    known: dict[str, object] = {
        "sent_at": AT - 0.1,
        "pilot": Pilot.C,
        "charging": True,
        "set_point_a": 16.0,
        "failsafe_a": 6.0,
        "failsafe_timeout_s": 15.0,
        "standby_off": True,
        "measured_a": (16.0, 16.0, 16.0),
        "restart_mark": 1,
    }
    return apply_reading(o, seen, ChargerReading(o.id, **(known | more)), AT)  # type: ignore[arg-type]


def test_a_read_is_taken_once() -> None:
    """R5: only a newer one."""
    seen = watch(16.0, misses=3, seen_misses=3)
    assert read(seen) is False
    assert (seen.read_at, seen.answered, seen.heard, seen.spoke) == (AT - 0.1,) * 4
    assert (seen.misses, seen.seen_misses, seen.mark) == (0, 0, 1)
    before = seen.clone()
    read(seen, set_point_a=9.0)
    assert changed(before, seen) == {}


@pytest.mark.parametrize(
    ("reset_by", "heard", "spoke"), [(ResetBy.LIMIT_WRITE, False, False), (ResetBy.UNKNOWN, False, True)]
)
def test_a_read_feeds_what_reads_feed(reset_by: ResetBy, heard: bool, spoke: bool) -> None:
    """R2."""
    seen = watch(16.0)
    read(seen, Box(reset_by=reset_by))
    assert (seen.heard == AT - 0.1, seen.spoke == AT - 0.1) == (heard, spoke)


@pytest.mark.parametrize(
    ("mark", "before", "restarts"), [(2, 1, True), (1, 1, False), (1, None, False), (None, 1, False)]
)
def test_a_new_mark_is_a_restart(mark: int | None, before: int | None, restarts: bool) -> None:
    """R3b, B07: it rests for its own while; the same read confirms what it shows."""
    seen = watch(16.0, mark=before)
    read(seen, restart_mark=mark)
    assert seen.mark == (mark or before)
    assert (seen.rests_until > NEVER) is restarts
    assert seen.conf_a == 16.0
    if restarts:
        assert seen.rests_until == AT - 0.1 + start_delay_s(outlet(), 2)
        assert seen.unread_since == AT - 0.1


def test_start_delays_are_spread_and_the_same_again() -> None:
    """B07: by name and restart, within the site's longest."""
    o = replace(outlet(), start_delay_s=30.0)
    found = [start_delay_s(o, mark) for mark in range(50)]
    assert found == [start_delay_s(o, mark) for mark in range(50)]
    assert 0.0 <= min(found) < 6.0
    assert 24.0 < max(found) < 30.0
    assert start_delay_s(replace(o, start_seed="else"), 1) != found[1]


@pytest.mark.parametrize(
    ("more", "verified"),
    [
        ({}, True),
        ({"failsafe_a": 6.05}, True),
        ({"failsafe_a": 6.07}, False),
        ({"failsafe_timeout_s": 15.5}, True),
        ({"failsafe_timeout_s": 15.6}, False),
        ({"standby_off": None}, True),
        ({"standby_off": False}, False),
    ],
)
def test_fail_safe_values_count_as_read(more: dict[str, object], verified: bool) -> None:
    """R8: current, time and standby."""
    for before in (True, False):
        seen = watch(16.0, verified=before, verified_at=5.0, unverified_since=7.0)
        seen.answered = AT - 1.0
        seen.verified_at = AT - 60.0
        read(seen, **more)
        assert (seen.verified, seen.fs_wrong) == (verified, not verified)
        assert seen.verified_at == (AT - 0.1 if verified else AT - 60.0)
        assert seen.unverified_since == (AT - 0.1 if before and not verified else 7.0)


@pytest.mark.parametrize("missing", ["failsafe_a", "failsafe_timeout_s"])
def test_a_read_without_them_says_nothing_of_them(missing: str) -> None:
    """R8: not every poll asks for all."""
    seen = watch(16.0, verified_at=AT - 60.0)
    read(seen, **{missing: None})
    assert (seen.verified, seen.verified_at) == (True, AT - 60.0)


@pytest.mark.parametrize(("age_s", "verified"), [(900.0, True), (900.1, False)])
def test_verified_values_last_a_quarter_of_an_hour(age_s: float, verified: bool) -> None:
    """R8: while it answers, with a read or without."""
    for more in ({}, {"sent_at": AT - 0.4}):
        seen = watch(16.0, verified_at=AT - age_s)
        read(seen, failsafe_a=None, **more)
        assert seen.verified is verified
        assert seen.unverified_since == (NEVER if verified else AT)


@pytest.mark.parametrize(
    ("more", "measured", "drawing"),
    [
        ({}, (16.0, 16.0, 16.0), True),
        ({"measured_a": (1.0, 0.0, 0.0)}, (1.0, 0.0, 0.0), False),
        ({"measured_a": (1.1, 0.0, -2.0)}, (1.1, 0.0, 0.0), True),
        ({"measured_a": None}, None, False),
        ({"measured_a": (nan, 0.0, 0.0)}, None, False),
        ({"measured_a": (0.0, inf, 0.0), "charging": False, "pilot": Pilot.B}, ZERO, False),
        ({"measured_a": None, "charging": False, "pilot": Pilot.A}, ZERO, False),
        ({"measured_a": None, "charging": False, "pilot": Pilot.C}, None, False),
        ({"measured_a": None, "charging": False, "pilot": Pilot.D}, None, False),
        ({"measured_a": None, "charging": True, "pilot": Pilot.B}, None, False),
        ({"measured_a": None, "charging": False, "pilot": None}, None, False),
    ],
)
def test_what_is_measured(more: dict[str, object], measured: PerPhase | None, drawing: bool) -> None:
    """R6, R9: above an ampere it draws; an idle pilot without a meter draws nothing."""
    seen = watch(16.0, drew_at=5.0)
    read(seen, **more)
    assert (seen.measured_a, seen.drawing) == (measured, drawing)
    assert seen.drew_at == (AT - 0.1 if drawing else 5.0)


@pytest.mark.parametrize(
    ("drawing", "plugged", "more", "known_at", "uneven"),
    [
        (True, True, {}, 5.0, 3),
        (False, True, {}, AT + 9.9, 3),
        (True, False, {}, AT + 9.9, 0),
        (False, True, {"measured_a": ZERO}, 5.0, 3),
        (True, True, {"pilot": Pilot.A, "measured_a": ZERO}, 5.0, 3),
    ],
)
def test_phases_are_unknown_for_ten_seconds_after_a_car_came_or_began(
    drawing: bool, plugged: bool, more: dict[str, object], known_at: float, uneven: int
) -> None:
    """R9, B13: what is known of the last car is forgotten with the next."""
    seen = watch(16.0, drawing=drawing, plugged=plugged, phases_known_at=5.0, uneven=3)
    read(seen, **more)
    assert (seen.phases_known_at, seen.uneven) == (known_at, uneven)


@pytest.mark.parametrize(
    ("measured", "box", "quiet"),
    [
        ((16.0, 1.0, 0.0), Box(), (None, 7.0, AT - 0.1)),
        ((16.0, 1.1, 16.0), Box(), (None, None, None)),
        (ZERO, Box(), (None, None, None)),
        (None, Box(), (None, None, None)),
        ((16.0, 0.0, 0.0), Box(measures=False), (None, None, None)),
    ],
)
def test_a_phase_is_quiet_while_another_draws(
    measured: PerPhase | None, box: Box, quiet: tuple[float | None, float | None, float | None]
) -> None:
    """R9: since its first such read."""
    seen = watch(16.0, quiet=(6.0, 7.0, None))
    read(seen, box, measured_a=measured)
    assert seen.quiet == quiet


@pytest.mark.parametrize(
    ("more", "mask"),
    [
        ({}, 0b001),
        ({"phases_known_at": AT}, 0b001),
        ({"phases_known_at": AT + 0.1}, 0b111),
        ({"read_at": AT - 5.0}, 0b001),
        ({"read_at": AT - 5.1}, 0b111),
        ({"quiet": (None, AT - 9.9, AT - 10.0)}, 0b011),
        ({"quiet": (AT - 60.0, AT - 60.0, AT - 60.0)}, 0b111),
    ],
)
def test_a_phase_is_lent_after_ten_quiet_seconds(more: dict[str, object], mask: int) -> None:
    """R9: by a fresh read; one that is quiet everywhere says nothing."""
    known = {"quiet": (None, AT - 60.0, AT - 60.0), "phases_known_at": AT - 60.0}
    assert used_mask(outlet(), watch(16.0, **(known | more)), AT) == mask


@pytest.mark.parametrize(
    ("more", "shown"),
    [
        ({}, 1),
        ({"read_at": AT - 5.0}, 1),
        ({"read_at": AT - 5.1}, None),
        ({"unread": True}, None),
        ({"reading": None}, None),
        ({"phasing": AS_BUILT._replace(known_at=AT)}, 1),
        ({"phasing": AS_BUILT._replace(known_at=AT + 0.1)}, None),
        ({"phasing": AS_BUILT._replace(false_state=True)}, None),
    ],
)
def test_contactors_are_where_a_fresh_read_shows_them(more: dict[str, object], shown: int | None) -> None:
    """B14: unless they were refuted."""
    o = outlet(Box(phase_switching=True))
    known = {"reading": ChargerReading(o.id, AT - 0.4, phases_closed=1), "measured_a": (16.0, 1.0, 1.0)}
    seen = watch(16.0, **(known | more))
    assert shown_closed(seen, AT) == shown
    assert closed_mask(o, seen, AT) == (0b001 if shown else 0b111)
    assert closed_mask(outlet(), seen, AT) == 0b111
    seen.measured_a = (16.0, 0.0, 1.1)
    assert closed_mask(o, seen, AT) == 0b111
    seen.measured_a = None
    assert closed_mask(o, seen, AT) == (0b001 if shown else 0b111)

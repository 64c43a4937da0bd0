"""U (R2, R3, R6, R8, R9, R14, 6c): what each outlet is booked at, on what grounds, and to the second."""

from __future__ import annotations

from dataclasses import replace

import pytest

from siteward.control.memory import NEVER, Watch
from siteward.control.phasing import AS_BUILT
from siteward.control.reservation import overdraw, reserve_all, starved
from siteward.control.tree import REACTION_S, overload
from siteward.control.work import Work
from siteward.model.facts import ResetBy
from siteward.model.readings import ChargerReading
from siteward.model.units import PerPhase
from tests.siteward.control.bench import AT, demand, flight, lay, lay_site, watch
from tests.siteward.control.sites import Box, feeder, site

WIDE = Box(fs_a=10.0, boot_a=13.0)
"""Rests at 10 A when its watchdog of 15 s fires, at 13 A after its own restart; silent from 3 s."""

LISTS = ("routes", "used", "booked", "u_a", "fixed_a", "reachable", "allocatable", "only_down")


def reserved(seen: Watch, box: Box = WIDE, started_s: float = 500.0, said: dict[str, object] | None = None) -> Work:
    """One turn's reservation of one outlet."""
    work = lay([seen], [box], demands=[replace(demand(), **(said or {}))])  # type: ignore[arg-type]
    work.memory = replace(work.memory, started_at=AT - started_s)
    for name in LISTS:
        setattr(work, name, [])
    reserve_all(work)
    return work


@pytest.mark.parametrize(
    ("seen", "u_a", "fixed_a"),
    [
        (watch(16.0), 16.0, 0.0),
        (watch(6.0, flights=(flight(20.0), flight(8.0))), 20.0, 0.0),
        (watch(6.0, held_a=18.0, held_at=AT), 18.0, 0.0),
        (watch(16.0, answered=AT - 3.0), 16.0, 0.0),
        (watch(16.0, answered=AT - 3.1), 16.0, 13.0),
        (watch(6.0, answered=AT - 3.1, spoke=AT - 25.0), 13.0, 13.0),
        (watch(16.0, heard=AT - 4.9), 16.0, 0.0),
        (watch(16.0, heard=AT - 5.0), 16.0, 10.0),
        (watch(16.0, heard=AT - 5.0, verified=False), 16.0, 32.0),
        (watch(6.0, read_at=NEVER), 10.0, 10.0),
        (watch(None, booked_a=9.0, unread=True, unread_since=NEVER), 13.0, 13.0),
        (watch(None, unread=True), 32.0, 13.0),
        (watch(16.0, heard=AT - 2.0, unread_since=AT - 1.0), 16.0, 10.0),
    ],
)
def test_what_may_flow_is_the_highest_of_all_that_it_may_hold(seen: Watch, u_a: float, fixed_a: float) -> None:
    """R2, R3, R3b, R8: told, held, fallen back, restarted; fixed is what no cut can take."""
    work = reserved(seen)
    expected = (max(u_a, fixed_a), fixed_a)
    assert (work.u_a[0], work.fixed_a[0]) == expected


@pytest.mark.parametrize(
    ("box", "fixed_a"),
    [
        (replace(WIDE, tw_s=14.9), 10.0),
        (replace(WIDE, tw_s=15.0), 0.0),
        (replace(WIDE, tw_s=None), 0.0),
    ],
)
def test_a_short_watchdog_may_fire_between_two_polls(box: Box, fixed_a: float) -> None:
    """R2: below 15 s it always counts."""
    assert reserved(watch(6.0), box).fixed_a == [fixed_a]


@pytest.mark.parametrize(
    ("spoke_s", "answered_s", "verified", "unread", "u_a"),
    [
        (25.1, 25.1, True, False, 13.0),
        (25.0, 25.1, True, False, 20.0),
        (25.1, 25.1, False, False, 32.0),
        (25.1, 0.4, True, False, 20.0),
        (25.1, 0.4, True, True, 13.0),
    ],
)
def test_an_old_limit_leaves_once_its_watchdog_has_surely_fired(
    spoke_s: float, answered_s: float, verified: bool, unread: bool, u_a: float
) -> None:
    """R2: its time and ten seconds more, since anything may have fed it; what it measured then says nothing."""
    seen = watch(20.0, spoke=AT - spoke_s, answered=AT - answered_s, verified=verified, unread=unread)
    seen.measured_a, seen.read_at = (20.0, 20.0, 20.0), AT - spoke_s
    seen.unread_since = AT - answered_s if unread else NEVER
    work = reserved(seen)
    assert work.u_a == [u_a]
    assert (seen.measured_a is None) is (u_a == 13.0)


def test_one_that_is_back_may_have_fallen_back_until_its_set_point_was_read() -> None:
    """R3: whatever it restarts with; nobody knows which of the two it did."""
    seen = watch(None, booked_a=0.0, unread=True, unread_since=AT - 1.0)
    assert reserved(seen, replace(WIDE, boot_a=0.0)).u_a == [10.0]


def test_what_is_measured_after_the_silence_counts() -> None:
    """R6: a charger that is back says itself whether its watchdog fired."""
    seen = watch(20.0, spoke=AT - 25.1, verified=True, unread=True, unread_since=AT - 0.4, read_at=AT - 0.4)
    seen.measured_a = (20.0, 20.0, 20.0)
    work = reserved(seen)
    assert work.u_a == [13.0]
    assert work.total_a[0] == 20.0


@pytest.mark.parametrize(
    ("seen", "reach", "give", "down"),
    [
        (watch(), True, True, False),
        (watch(misses=1), True, True, False),
        (watch(misses=2), False, False, False),
        (watch(read_at=NEVER), False, False, False),
        (watch(None), True, False, False),
        (watch(disobeyed_at=AT), True, False, False),
        (watch(verified=False, unverified_since=AT - 9.9), True, True, True),
        (watch(verified=False, unverified_since=AT - 10.0), True, False, False),
        (watch(5.9, verified=False, unverified_since=AT), True, False, False),
        (watch(6.0, verified=False, unverified_since=AT), True, True, True),
        (watch(16.0, verified=False, unverified_since=AT, heard=AT - 6.0), True, False, False),
    ],
)
def test_who_can_be_commanded_and_who_may_be_given_current(seen: Watch, reach: bool, give: bool, down: bool) -> None:
    """R8: the newly unverified may go on for ten seconds, but only down, and not where a fall-back would be higher."""
    work = reserved(seen)
    assert (work.reachable, work.allocatable, work.only_down) == ([reach], [give], [down])


def test_who_wants_nothing_is_given_nothing() -> None:
    """I13."""
    for said in ({"wants": False}, {"stop": True}):
        assert reserved(watch(), said=said).allocatable == [False]


@pytest.mark.parametrize(
    ("measured", "u_a", "booked"),
    [
        ((17.0, 2.0, 0.0), 16.0, (17.0, 16.0, 16.0)),
        ((0.4, 0.5, 0.6), 0.0, (0.0, 0.5, 0.6)),
        (None, 16.0, (16.0, 16.0, 16.0)),
        (None, 0.0, (0.0, 0.0, 0.0)),
    ],
)
def test_each_phase_is_booked_at_the_higher_of_limit_and_measurement(
    measured: PerPhase | None, u_a: float, booked: PerPhase
) -> None:
    """R6: below half an ampere a confirmed pause is one."""
    work = reserved(watch(u_a, measured_a=measured))
    assert work.booked == [booked]
    assert work.total_a == list(booked)


def test_a_phase_that_the_car_leaves_is_lent() -> None:
    """R9: seen quiet for ten seconds; what is measured there is booked all the same."""
    seen = watch(16.0, measured_a=(16.0, 0.7, 0.0), quiet=(None, AT - 10.0, AT - 10.0))
    work = reserved(seen)
    assert work.used == [0b001]
    assert work.total_a == [16.0, 0.7, 0.0]
    assert work.lent_a == [0.0, 16.0, 16.0]


def test_all_outlets_of_a_fuse_add_up_by_their_wiring() -> None:
    """R9: on every node of their paths."""
    feeders = [feeder("grid", 100.0), feeder("row", 63.0, "grid")]
    boxes = [Box(wiring="231", feeder="row"), Box(wiring="2")]
    work = lay([watch(10.0, measured_a=(10.0, 11.0, 12.0)), watch(7.0)], boxes, feeders)
    for name in LISTS:
        setattr(work, name, [])
    reserve_all(work)
    assert work.total_a == [12.0, 17.0, 11.0, 12.0, 10.0, 11.0]


@pytest.mark.parametrize(
    ("u_a", "tw_s", "k_s"),
    [(10.0, 60.0, REACTION_S), (10.01, 60.0, REACTION_S), (10.1, 60.0, 67.0), (10.1, 2.0, REACTION_S)],
)
def test_what_a_watchdog_will_take_back_lasts_so_long(u_a: float, tw_s: float, k_s: float) -> None:
    """R10: current above what may flow for ever counts until it fires, seven seconds after its time."""
    work = reserved(watch(u_a), replace(WIDE, tw_s=tw_s))
    assert work.dynamic_k == [overload(k_s)] * 3


@pytest.mark.parametrize(
    ("unread", "started_s", "back_s", "booked_a", "excused_a"),
    [
        (True, 4.9, 60.0, 9.0, 13.0),
        (True, 5.0, 60.0, 9.0, 0.0),
        (True, 5.0, 2.9, 9.0, 4.0),
        (True, 5.0, 3.0, 9.0, 0.0),
        (True, 5.0, 2.9, 0.0, 13.0),
        (True, 5.0, 2.9, 20.0, 0.0),
        (False, 4.9, 2.9, 9.0, 0.0),
    ],
)
def test_what_was_not_read_yet_is_excused_for_a_moment(
    unread: bool, started_s: float, back_s: float, booked_a: float, excused_a: float
) -> None:
    """R14: five seconds after the start all of it, three after a silence what a restart would add."""
    seen = watch(None, unread=unread, booked_a=booked_a, unread_since=AT - back_s, heard=AT)
    assert reserved(seen, started_s=started_s).excused_a == pytest.approx([excused_a] * 3)


@pytest.mark.parametrize(("boot_a", "verified", "spare_a"), [(13.0, True, 7.0), (6.0, True, 0.0), (13.0, False, 26.0)])
def test_a_restart_adds_what_is_above_a_floor(boot_a: float, verified: bool, spare_a: float) -> None:
    """6c: nothing is known of one that was not verified."""
    assert reserved(watch(16.0, verified=verified), replace(WIDE, boot_a=boot_a)).spare_boot_a == [spare_a] * 3


def test_all_outlets_of_a_device_restart_together() -> None:
    """6c: their additions are one, those of two devices are not."""
    built = site([feeder("grid", 100.0)], [WIDE, replace(WIDE, boot_a=12.0), replace(WIDE, boot_a=17.0)])
    one, two, three = built.chargers
    both = replace(one, connectors=(*one.connectors, replace(two.connectors[0], charger=one.id)))
    for chargers, spare_a in (((both, three), 13.0), ((both,), 13.0), ((one, three), 11.0)):
        made = replace(built, chargers=chargers)
        work = lay_site(made, [watch(16.0) for _ in made.connectors])
        for name in LISTS:
            setattr(work, name, [])
        reserve_all(work)
        assert work.spare_boot_a == [spare_a] * 3


@pytest.mark.parametrize(
    ("more", "fixed_a", "over_a"),
    [
        ({"settled_at": AT - 5.2}, 0.0, 1.5),
        ({"settled_at": AT - 5.1}, 0.0, 0.0),
        ({"held_a": 20.0}, 0.0, 0.0),
        ({"conf_a": None}, 0.0, 0.0),
        ({}, 17.0, 0.5),
        ({}, 18.0, 0.0),
        ({"measured_a": None}, 0.0, 0.0),
        ({"measured_a": (15.0, 15.0, 15.0)}, 0.0, 0.0),
    ],
)
def test_a_car_may_be_a_little_above_its_limit_for_ever(more: dict[str, object], fixed_a: float, over_a: float) -> None:
    """R6: five seconds after a new limit that counts as load which nobody can lower."""
    seen = watch(**({"conf_a": 16.0, "measured_a": (17.5, 0.0, 0.0)} | more))  # type: ignore[arg-type]
    work = lay([seen])
    work.fixed_a = [fixed_a]
    assert overdraw(work, work.tree.outlets[0], 0) == over_a
    assert overdraw(work, work.tree.outlets[0], 1) == 0.0


@pytest.mark.parametrize(("heard_s", "hungry"), [(1.0, False), (1.1, True), (0.9, False)])
def test_nothing_fed_it_since_its_possible_restart(heard_s: float, hungry: bool) -> None:
    """R3: its own time may be short."""
    assert starved(watch(heard=AT - heard_s, unread_since=AT - 1.0)) is hungry


@pytest.mark.parametrize(
    ("shown", "held", "drawn", "used"),
    [
        (1, False, 0.0, 0b001),
        (3, False, 0.0, 0b111),
        (1, True, 0.0, 0b111),
        (1, False, 1.1, 0b111),
        (1, False, 1.0, 0b001),
    ],
)
def test_a_box_on_one_phase_is_booked_on_one(shown: int, held: bool, drawn: float, used: int) -> None:
    """R9, B14: unless it is being switched, or draws on another."""
    box = Box(phase_switching=True)
    seen = watch(16.0, measured_a=(16.0, drawn, 0.0), phasing=AS_BUILT._replace(held=held), phases_known_at=AT + 1.0)
    seen.reading = ChargerReading(lay().tree.outlets[0].id, AT - 0.4, phases_closed=shown)
    assert reserved(seen, box).used == [used]


def test_a_watchdog_that_reads_do_not_feed_is_booked_before_it_fires() -> None:
    """R2: ten seconds before its time."""
    box = replace(WIDE, reset_by=ResetBy.LIMIT_WRITE, tw_s=60.0)
    assert reserved(watch(6.0, heard=AT - 49.9), box).fixed_a == [0.0]
    assert reserved(watch(6.0, heard=AT - 50.0), box).fixed_a == [10.0]

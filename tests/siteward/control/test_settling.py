"""R4, R5, R6, R16: which writes a read settles, what is held back, and what repeated writes come to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from siteward.control.flight import compact, free_held, settle
from siteward.control.memory import NEVER, Watch
from siteward.control.tree import Outlet, tree_of
from siteward.model.facts import Readback
from siteward.model.readings import ChargerReading, Pilot
from siteward.model.units import PerPhase
from tests.siteward.control.bench import AT, flight, watch
from tests.siteward.control.sites import Box, feeder, site

ZERO: PerPhase = (0.0, 0.0, 0.0)


def outlet(box: Box | None = None) -> Outlet:
    """A box that rests at 6 A."""
    return tree_of(site([feeder("grid", 63.0)], [box or Box()])).outlets[0]


def settled(seen: Watch, shown_a: float | None, box: Box | None = None, sent_at: float = AT) -> bool:
    """A read of the set point; was it foreign?"""
    o = outlet(box)
    return settle(o, seen, ChargerReading(o.id, sent_at, set_point_a=shown_a))


def pausing(shows: bool) -> Outlet:
    """Its pause shows without a car, or only with one."""
    o = outlet()
    facts = replace(o.connector.facts, limit=replace(o.connector.facts.limit, pause_shows=shows))
    return replace(o, connector=replace(o.connector, facts=facts))


GONE = {"sent_at": AT - 9.0, "answered_at": AT - 9.0, "sends": 1}


@pytest.mark.parametrize(
    ("shown_a", "conf_a", "refuted", "foreign"),
    [
        (8.0, 8.0, 0, False),
        (8.05, 8.0, 0, False),
        (8.07, 8.07, 2, True),
        (16.0, 16.0, 2, False),
        (20.0, 20.0, 2, False),
        (12.0, 12.0, 2, True),
    ],
)
def test_a_read_confirms_refutes_or_shows_a_stranger(
    shown_a: float, conf_a: float, refuted: int, foreign: bool
) -> None:
    """R5, fault 21: half a step is the same; an older write of ours or the old value is no stranger."""
    late = flight(20.0, sent_at=AT - 12.0, late=True, sends=1)
    seen = watch(16.0, flights=(late, flight(8.0, **GONE)), refuted=1)
    assert settled(seen, shown_a) is foreign
    assert (seen.conf_a, seen.refuted, seen.unread, seen.booked_a) == (conf_a, refuted, False, None)


@pytest.mark.parametrize(
    ("written_a", "pilot", "shows", "refuted"),
    [
        (0.0, Pilot.A, False, 0),
        (0.0, Pilot.B, False, 1),
        (0.0, None, False, 1),
        (0.0, Pilot.A, True, 1),
        (8.0, Pilot.A, False, 1),
    ],
)
def test_the_limit_behind_a_pause_that_needs_a_car_to_show_refutes_nothing(
    written_a: float, pilot: Pilot | None, shows: bool, refuted: int
) -> None:
    """Fault 21, R5: it is booked all the same."""
    seen = watch(16.0, flights=(flight(written_a, **GONE),))
    foreign = settle(pausing(shows), seen, ChargerReading(outlet().id, AT, pilot=pilot, set_point_a=16.0))
    assert (foreign, seen.conf_a, seen.refuted, seen.flights) == (False, 16.0, refuted, ())


@pytest.mark.parametrize(
    ("conf_a", "pilot", "shows", "foreign"),
    [
        (0.0, Pilot.A, False, False),
        (0.0, Pilot.B, False, True),
        (0.0, Pilot.A, True, True),
        (8.0, Pilot.A, False, True),
    ],
)
def test_a_limit_that_comes_to_light_as_a_paused_car_leaves_is_no_strangers(
    conf_a: float, pilot: Pilot, shows: bool, foreign: bool
) -> None:
    """R5: only a paused charger that has just lost its car hid it."""
    seen = watch(conf_a)
    reading = ChargerReading(outlet().id, AT, pilot=pilot, set_point_a=16.0)
    assert settle(pausing(shows), seen, reading) is foreign
    assert seen.conf_a == 16.0


def test_a_write_without_an_answer_is_not_refuted() -> None:
    """R5: it may never have arrived."""
    seen = watch(16.0, flights=(flight(8.0, sent_at=AT - 9.0, late=True, sends=1),), refuted=1)
    assert settled(seen, 16.0) is False
    assert seen.refuted == 1


@pytest.mark.parametrize(
    ("shown_a", "newest", "conf_a", "after"),
    [
        (3.0, 8.0, 16.0, 8.0),
        (8.06, 8.0, 16.0, 8.0),
        (9.0, 8.0, 16.0, 9.0),
        (3.0, None, 16.0, 16.0),
        (17.0, None, 16.0, 17.0),
        (3.0, None, None, None),
    ],
)
def test_an_effective_register_confirms_what_was_written(
    shown_a: float, newest: float | None, conf_a: float | None, after: float | None
) -> None:
    """R5: it shows what flows; unknown it says nothing."""
    flights = () if newest is None else (flight(newest, **GONE),)
    seen = watch(conf_a, flights=flights, unread=True)
    settled(seen, shown_a, Box(readback=Readback.EFFECTIVE))
    assert seen.conf_a == after
    assert seen.unread is (after is None)


@pytest.mark.parametrize(
    ("conf_a", "booked_a", "shown_a", "held_a", "settled_at"),
    [
        (16.0, None, 8.0, 16.0, AT),
        (None, 12.0, 8.0, 12.0, AT),
        (None, None, 8.0, 0.0, AT),
        (8.0, None, 16.0, 0.0, AT),
        (16.0, None, 16.0, 0.0, 5.0),
    ],
)
def test_what_was_higher_is_held_until_it_was_measured_lower(
    conf_a: float | None, booked_a: float | None, shown_a: float, held_a: float, settled_at: float
) -> None:
    """R6: but for what nobody ever knew."""
    seen = watch(conf_a, booked_a=booked_a, settled_at=5.0)
    settled(seen, shown_a)
    assert (seen.held_a, seen.held_at) == (held_a, AT if held_a else NEVER)
    assert seen.settled_at == settled_at
    higher = watch(16.0, held_a=30.0)
    settled(higher, 8.0)
    assert higher.held_a == 30.0


@pytest.mark.parametrize(
    ("seen", "at", "held_a"),
    [
        (watch(8.0, held_a=8.0), AT, 0.0),
        (watch(8.0, held_a=16.0, held_at=AT - 9.9), AT, 16.0),
        (watch(8.0, held_a=16.0, held_at=AT - 10.0), AT, 0.0),
        (watch(None, held_a=16.0, held_at=AT - 60.0), AT, 16.0),
        (watch(8.0, held_a=16.0, held_at=AT - 0.4, measured_a=(8.5, 0.0, 0.0)), AT, 0.0),
        (watch(8.0, held_a=16.0, held_at=AT - 0.4, measured_a=(8.6, 0.0, 0.0)), AT, 16.0),
        (watch(8.0, held_a=16.0, held_at=AT - 0.3, measured_a=ZERO), AT, 16.0),
    ],
)
def test_a_cut_frees_current_when_it_was_seen_there(seen: Watch, at: float, held_a: float) -> None:
    """R6: by a read after it, half an ampere above at most; without a meter ten seconds later."""
    free_held(seen, at)
    assert seen.held_a == held_a


def test_late_writes_of_one_value_are_one() -> None:
    """R16: with all their sendings, in the place of the newest; others stay."""
    late = [flight(6.0, turn=n, late=True, sends=n) for n in (1, 2, 3)]
    other = flight(8.0, turn=4, late=True, sends=1)
    seen = watch(16.0, flights=(late[0], other, late[1], flight(6.0, turn=5)))
    compact(seen)
    assert seen.flights == (other, late[1]._replace(sends=3), flight(6.0, turn=5))
    two = watch(16.0, flights=(late[0], late[1]))
    compact(two)
    assert two.flights == (late[0], late[1])

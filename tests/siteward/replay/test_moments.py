"""What a replay makes of a record: other load between two polls, and what a car would have taken (R10, B11)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from siteward.control.record import Recorded
from siteward.model.events import ClockQuality
from siteward.model.ids import ConnectorId, FeederId, MeterId
from siteward.model.readings import ChargerReading, MeterReading, Pilot
from siteward.model.snapshot import Snapshot
from siteward.model.units import PerPhase
from siteward.replay.moments import ALL_IT_MAY, Moment, moments
from tests.siteward.control.sites import Box, feeder, site

SITE = site([feeder("grid", 63.0, worst=20.0, metered=True)], [Box("grid"), Box("grid", wiring="231")])
CAR = ConnectorId("c00")
BEGAN = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)


def turn(second: int, limit: float, draws: PerPhase, load: float = 20.0, pilot: Pilot = Pilot.C) -> Recorded:
    """One recorded second: car at c00, nothing at c01."""
    at = 1000.0 + second
    idle = ChargerReading(ConnectorId("c01"), at - 0.3, Pilot.A, set_point_a=0.0, measured_a=(0.0, 0.0, 0.0))
    car = ChargerReading(CAR, at - 0.4, pilot, max(draws) > 0.0, limit, measured_a=draws)
    meter = MeterReading(MeterId("m-grid"), at - 0.2, (load + draws[0], load + draws[1], load + draws[2]))
    return Recorded(
        Snapshot(
            at,
            BEGAN + timedelta(seconds=second),
            ClockQuality.NTP,
            second + 1,
            {MeterId("m-grid"): meter},
            {CAR: car, ConnectorId("c01"): idle},
        ),
        {},
    )


def ready(turns: Sequence[Recorded]) -> list[Moment]:
    """The moments of a record under SITE."""
    return list(moments([(recorded, SITE) for recorded in turns]))


@pytest.mark.parametrize("seconds", [5, 40])
def test_a_car_at_its_limit_would_have_taken_more(seconds: int) -> None:
    """Nobody knows how much: all that it may."""
    found = ready([turn(i, 10.0, (9.8, 9.8, 9.8)) for i in range(seconds)])
    assert [m.wants_a[CAR] for m in found] == [(ALL_IT_MAY,) * 3] * seconds


def test_a_car_below_its_limit_is_at_its_own_maximum_once_it_has_settled() -> None:
    """While it ramps up it may still want more; a later lower limit does not make it forget its own maximum."""
    found = ready(
        [
            *(turn(i, 32.0, (11.0, 11.0, 11.0)) for i in range(15)),
            *(turn(i, 8.0, (8.0, 8.0, 8.0)) for i in range(15, 30)),
        ]
    )
    assert found[5].wants_a[CAR] == (ALL_IT_MAY,) * 3
    assert found[12].wants_a[CAR] == (11.0, 11.0, 11.0)
    assert found[29].wants_a[CAR] == (11.0, 11.0, 11.0)


def test_a_full_car_wants_nothing_and_the_next_one_is_another() -> None:
    """It draws nothing although it may: a replay that gave it current would invent energy."""
    found = ready(
        [
            *(turn(i, 16.0, (0.0, 0.0, 0.0), pilot=Pilot.B) for i in range(20)),
            turn(20, 0.0, (0.0, 0.0, 0.0), pilot=Pilot.A),
            *(turn(i, 0.0, (0.0, 0.0, 0.0), pilot=Pilot.B) for i in range(21, 24)),
        ]
    )
    assert found[15].wants_a[CAR] == (0.0, 0.0, 0.0)
    assert found[23].wants_a[CAR] == (ALL_IT_MAY,) * 3


def test_a_car_wants_only_the_phases_that_it_was_seen_to_use() -> None:
    """R9: one phase was drawn, one phase is replayed."""
    found = ready([turn(i, 16.0, (16.0, 0.0, 0.0)) for i in range(3)])
    assert found[-1].wants_a[CAR] == (ALL_IT_MAY, 0.0, 0.0)


def test_a_drop_between_two_polls_is_no_other_load() -> None:
    """R10: the meter shows the car's drop two seconds before its charger is polled again."""
    turns = [turn(i, 16.0, (16.0, 16.0, 16.0)) for i in range(10)]
    late = [turn(i, 6.0, (6.0, 6.0, 6.0)) for i in (10, 11)]
    late = [replace(t, snapshot=replace(t.snapshot, chargers=turns[-1].snapshot.chargers)) for t in late]
    found = ready([*turns, *late, *(turn(i, 6.0, (6.0, 6.0, 6.0)) for i in range(12, 20))])
    assert {m.base_a[FeederId("grid")] for m in found} == {(20.0, 20.0, 20.0)}


def test_other_load_is_never_below_nothing_but_where_there_is_generation() -> None:
    """R10: base >= 0."""
    found = ready([turn(i, 16.0, (16.0, 16.0, 16.0), load=-4.0) for i in range(8)])
    assert found[-1].base_a[FeederId("grid")] == (0.0, 0.0, 0.0)


def test_an_old_meter_reading_says_nothing() -> None:
    """Law 5: a meter that was lost is lost in the replay, too."""
    old = turn(0, 16.0, (16.0, 16.0, 16.0))
    later = [turn(i, 16.0, (16.0, 16.0, 16.0)) for i in range(8)]
    stale = [replace(t, snapshot=replace(t.snapshot, meters=old.snapshot.meters)) for t in later]
    found = ready(stale)
    assert FeederId("grid") in found[3].base_a
    assert FeederId("grid") not in found[7].base_a
    assert FeederId("grid") not in found[7].load_a


def test_a_car_that_left_wants_nothing_although_its_session_is_still_open() -> None:
    """The story ends a session a turn later; its connector must not be played as a hungry three-phase car meanwhile."""
    found = ready(
        [
            *(turn(i, 14.0, (14.0, 0.0, 0.0)) for i in range(8)),
            *(turn(i, 14.0, (0.0, 0.0, 0.0), pilot=Pilot.A) for i in range(8, 12)),
        ]
    )
    assert found[7].wants_a[CAR] == (ALL_IT_MAY, 0.0, 0.0)
    assert {m.wants_a[CAR] for m in found[8:]} == {(0.0, 0.0, 0.0)}


def test_a_car_sleeps_until_it_woke_in_the_record() -> None:
    """B10: allowed and not yet drawing is asleep; paused by us and not drawing may be as hungry as any."""
    found = ready(
        [
            *(turn(i, 0.0, (0.0, 0.0, 0.0), pilot=Pilot.B) for i in range(5)),
            *(turn(i, 6.0, (0.0, 0.0, 0.0), pilot=Pilot.B) for i in range(5, 12)),
            *(turn(i, 6.0, (6.0, 0.0, 0.0)) for i in range(12, 20)),
        ]
    )
    assert found[4].wants_a[CAR] == (ALL_IT_MAY,) * 3
    assert found[8].wants_a[CAR] == (0.0, 0.0, 0.0)
    assert found[19].wants_a[CAR] == (ALL_IT_MAY, 0.0, 0.0)

"""Whose current stood above its grant on the recorded day, by the measure of turn.md step 9."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from siteward.control.record import Recorded
from siteward.model.events import ClockQuality
from siteward.model.ids import ConnectorId
from siteward.model.limits import Cause, CauseStep, Grant
from siteward.model.readings import ChargerReading, Pilot
from siteward.model.snapshot import Snapshot
from siteward.replay.obedience import Disobedience, Obedience
from tests.fixtures.station import demo_site

NAME, SITE = ConnectorId("A01-1"), demo_site()
ZERO_HOUR = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
Second = tuple[float, float, float | None]
"""Amperes drawn, amperes of the set point shown, and a grant that was decided in this second, if one was."""


def granted(amps: float) -> Grant:
    """A grant as the trace keeps it when it changes."""
    return Grant(NAME, amps, amps, amps, amps, True, True, (CauseStep(Cause.LIMIT, amps),))


def watch(seconds: Iterable[Second], silent: range = range(0)) -> Disobedience | None:
    """What is found of one charger in turns a second apart."""
    obedience = Obedience()
    for i, (drawn_a, shown_a, grant_a) in enumerate(seconds):
        at = 100.0 + i
        reading = ChargerReading(NAME, at - 0.2, Pilot.C, set_point_a=shown_a, measured_a=(drawn_a,) * 3)
        snapshot = Snapshot(
            at=at,
            wall=ZERO_HOUR + timedelta(seconds=i),
            clock=ClockQuality.NTP,
            turn=i,
            meters={},
            chargers={NAME: reading},
            misses={NAME: 5 if i in silent else 0},
        )
        why = {NAME: granted(grant_a)} if grant_a is not None else {}
        obedience.note(Recorded(snapshot, why=why), SITE, i == 0, 0.0 if i == 0 else 1.0)
    assert set(obedience.found) <= {NAME}
    return obedience.found.get(NAME)


def then(first: Second, *stretches: tuple[int, float, float | None]) -> list[Second]:
    """A first second, then stretches of (seconds, drawn, grant decided in their first second)."""
    found = [first]
    for length, drawn_a, grant_a in stretches:
        found += [(drawn_a, 16.0, grant_a if i == 0 else None) for i in range(length)]
    return found


START: Second = (16.0, 16.0, 16.0)


def test_a_charger_that_takes_a_lower_limit_and_draws_on_is_counted_from_its_time_to_follow() -> None:
    """Step 9: register and car have their seconds, then each second above counts, and the farthest is told."""
    found = watch(then(START, (30, 16.0, None), (60, 16.0, 10.0), (5, 17.0, None), (20, 10.0, None)))
    assert found is not None
    assert 50 <= found.over_s <= 60
    assert found.longest_s == found.over_s
    assert (found.most_a, found.granted_a) == (7.0, 10.0)
    assert ZERO_HOUR + timedelta(seconds=36) <= found.first <= ZERO_HOUR + timedelta(seconds=45)


def test_two_stretches_are_joined_and_the_longest_is_told() -> None:
    """Per charger one line: all its seconds, and the longest in a row."""
    found = watch(then(START, (30, 16.0, None), (10, 20.0, None), (10, 16.0, None), (20, 20.0, None)))
    assert found is not None
    assert (found.over_s, found.longest_s, found.most_a, found.granted_a) == (30.0, 20.0, 4.0, 16.0)
    assert found.first == ZERO_HOUR + timedelta(seconds=31)


@pytest.mark.parametrize(
    "seconds",
    [
        then(START, (30, 17.5, None)),
        then(START, (30, 16.0, None), (6, 20.0, None), (30, 16.0, None)),
        then(START, (30, 16.0, None), (5, 16.0, 10.0), (30, 10.0, None)),
        then(START, (30, 10.0, 10.0), (30, 16.0, 16.0)),
    ],
    ids=["within 10 %", "shorter than 7 s", "on its way down", "raised"],
)
def test_what_core_would_not_call_disobedience_is_none(seconds: list[Second]) -> None:
    """Step 9 names how far and how long; a replay must not accuse a charger of less."""
    assert watch(seconds) is None


def test_a_silent_charger_is_not_accused() -> None:
    """What it drew at its last answer is not what it draws."""
    assert watch(then(START, (60, 25.0, None)), range(1, 61)) is None


def test_an_old_trace_without_grants_is_judged_by_the_set_point_shown() -> None:
    """A program that kept no grants: the register says what the charger was told."""
    found = watch([(16.0, 16.0, None), *(((24.0, 16.0, None),) * 40)])
    assert found is not None
    assert (found.most_a, found.granted_a) == (8.0, 16.0)


def test_a_start_of_core_begins_anew() -> None:
    """Nothing is known across a gap: a new stretch has the time to follow again."""
    obedience = Obedience()
    reading = ChargerReading(NAME, 99.8, Pilot.C, set_point_a=6.0, measured_a=(16.0,) * 3)
    snapshot = Snapshot(100.0, ZERO_HOUR, ClockQuality.NTP, 1, {}, {NAME: reading}, {})
    for i in range(40):
        later = replace(reading, sent_at=99.8 + i)
        now = replace(snapshot, at=100.0 + i, chargers={NAME: later})
        obedience.note(Recorded(now), SITE, i % 5 == 0, 1.0)
    assert obedience.found == {}

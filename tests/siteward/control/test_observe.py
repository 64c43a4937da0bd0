"""What a turn sees at a connector, and what it must not conclude (step 3; R19, fault 30)."""

from dataclasses import replace

import pytest

from siteward.control.observe import STALE_S, Seen, see
from siteward.model.ids import ConnectorId
from siteward.model.readings import ChargerReading, Pilot
from siteward.model.snapshot import Snapshot
from tests.fixtures.story_rig import Rig

A1 = ConnectorId("A1")
NOTHING = Seen(False, False, None, None, False, None, None, None, None)


def look(reading: ChargerReading | None, misses: int = 0) -> Seen:
    """One look at A1."""
    snapshot: Snapshot = replace(
        Rig().snapshot(), chargers={} if reading is None else {A1: reading}, misses={A1: misses} if misses else {}
    )
    return see(snapshot, A1)


def reading(age_s: float = 0.1, **more: object) -> ChargerReading:
    """A poll of A1 that long ago."""
    return ChargerReading(A1, sent_at=Rig().snapshot().at - age_s, **more)  # type: ignore[arg-type]


def test_silence_tells_nothing_but_that_it_is_silent() -> None:
    """Two misses in a row, or a reading too old; who never answered is not known at all."""
    assert look(None) == NOTHING
    assert look(None, 1) == NOTHING
    assert look(None, 2) == replace_known(NOTHING)
    assert look(reading(pilot=Pilot.C), 2) == replace_known(NOTHING)
    assert look(reading(STALE_S + 0.1, pilot=Pilot.C)) == replace_known(NOTHING)
    assert look(reading(STALE_S - 0.1, pilot=Pilot.C)).online
    assert look(reading(pilot=Pilot.C), 1).online


def replace_known(seen: Seen) -> Seen:
    """The same, of one who was heard of."""
    return seen._replace(known=True)


@pytest.mark.parametrize(
    ("pilot", "amps", "plugged", "asks"),
    [
        (Pilot.A, 0.0, False, False),
        (Pilot.B, 0.0, True, False),
        (Pilot.C, 0.0, True, True),
        (Pilot.D, 9.0, True, True),
        (Pilot.E, 0.0, None, False),
        (Pilot.E, 0.5, True, False),
        (Pilot.F, 0.4, None, False),
        (None, 0.6, True, False),
        (None, 0.0, None, False),
    ],
)
def test_the_pilot_tells_of_the_plug_where_it_can_and_current_where_it_cannot(
    pilot: Pilot | None, amps: float, plugged: bool | None, asks: bool
) -> None:
    """E passes by itself, F is no plug; half an ampere is a car."""
    seen = look(reading(pilot=pilot, measured_a=(0.0, amps, 0.1), soc_percent=40.0))
    assert (seen.online, seen.known, seen.plugged, seen.asks) == (True, True, plugged, asks)
    assert (seen.amps, seen.flows) == (max(amps, 0.1), amps >= 0.5)
    assert seen.soc_percent == (None if plugged is False else 40.0), "no battery without a car"
    assert seen.fault == ("pilot F" if pilot is Pilot.F else None)
    assert seen.sent_at == Rig().snapshot().at - 0.1


@pytest.mark.parametrize("charging", [True, False])
def test_without_a_meter_the_charger_says_whether_current_flows(charging: bool) -> None:
    """Its word, for want of a measurement; the vendor's own error before that of the pilot."""
    seen = look(reading(pilot=Pilot.F, charging=charging, fault="E7"))
    assert (seen.amps, seen.flows, seen.fault) == (None, charging, "E7")
    assert seen.plugged is (True if charging else None)

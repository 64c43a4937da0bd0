"""What a turn sees at one connector: plug, current, fault and reach, each None when it cannot be told."""

from typing import NamedTuple

from siteward.model.ids import ConnectorId
from siteward.model.readings import ChargerReading, Pilot
from siteward.model.snapshot import Snapshot

FLOW_A = 0.5
"""Current below which nothing flows (turn.md R19)."""

STALE_S = 15.0
"""Age at which the last good reading no longer tells what a connector does."""

_MISSES = 2
"""Polls without an answer, in a row, that make a connector unreachable (turn.md step 3)."""


class Seen(NamedTuple):
    """One connector now. plugged and flows are None when unknown; sent_at is the reading's, None without one."""

    online: bool
    known: bool
    plugged: bool | None
    flows: bool | None
    asks: bool
    fault: str | None
    amps: float | None
    soc_percent: float | None
    sent_at: float | None


def see(snapshot: Snapshot, connector: ConnectorId) -> Seen:
    """Read one connector out of a snapshot; `known` is False until it answered or missed for the first time."""
    reading = snapshot.chargers.get(connector)
    missed = snapshot.misses.get(connector, 0) >= _MISSES
    if reading is None or missed or snapshot.at - reading.sent_at > STALE_S:
        known = reading is not None or missed
        return Seen(False, known, None, None, False, None, None, None, None)
    amps = max(reading.measured_a) if reading.measured_a is not None else None
    flows = amps >= FLOW_A if amps is not None else reading.charging
    plugged = _plugged(reading, flows)
    return Seen(
        online=True,
        known=True,
        plugged=plugged,
        flows=flows,
        asks=reading.pilot in (Pilot.C, Pilot.D),
        fault=_fault(reading),
        amps=amps,
        # Without a car chargers show 0 %, which is the battery of nobody.
        soc_percent=None if plugged is False else reading.soc_percent,
        sent_at=reading.sent_at,
    )


def _plugged(reading: ChargerReading, flows: bool) -> bool | None:
    """Pilot E passes and tells nothing of the plug; a charger that shows no pilot shows a car by its current."""
    if reading.pilot is None or reading.pilot in (Pilot.E, Pilot.F):
        return True if flows else None
    return reading.pilot.plugged


def _fault(reading: ChargerReading) -> str | None:
    """The vendor's error, or the pilot's own way of saying that the outlet is out of order."""
    if reading.fault is not None:
        return reading.fault
    return "pilot F" if reading.pilot is Pilot.F else None

"""The process image: everything that one turn may know, frozen before it decides."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from siteward.model.alarms import Alarm
from siteward.model.events import ClockQuality
from siteward.model.ids import ConnectorId, MeterId, SessionId
from siteward.model.points import InputReading, PointName
from siteward.model.readings import ChargerReading, MeterReading
from siteward.model.requests import Request
from siteward.model.signed import SignResult
from siteward.model.watch import Remark
from siteward.model.wire import WireEvent


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Inputs of one turn. `at` is CLOCK_BOOTTIME in s; `wall` is UTC.

    meters and chargers hold the latest good reading of each; misses counts polls without a usable answer in a row;
    wire is the log since the last turn, oldest first; line_alarms is what the lines themselves found wrong;
    commit_age_s is the age of the oldest batch that the store has not committed (0 = all durable); requests are new
    inbox rows, each given to exactly one turn; settled are finished sessions that the platform has acknowledged, each
    told once; entropy is 10 random bytes for new session ids, so that deciding stays deterministic; standing are the
    alarms of barriers, locks, their boards and the records; inputs are the newest readings of the contacts that limits
    hang on; watched are the alarms of the rules over figures; signed is what meters handed over since the last turn.
    """

    at: float
    wall: datetime
    clock: ClockQuality
    turn: int
    meters: Mapping[MeterId, MeterReading] = field(default_factory=dict)
    chargers: Mapping[ConnectorId, ChargerReading] = field(default_factory=dict)
    misses: Mapping[ConnectorId, int] = field(default_factory=dict)
    meter_misses: Mapping[MeterId, int] = field(default_factory=dict)
    wire: tuple[WireEvent, ...] = ()
    line_alarms: frozenset[Alarm] = frozenset()
    requests: tuple[Request, ...] = ()
    settled: tuple[SessionId, ...] = ()
    commit_age_s: float = 0.0
    standing: frozenset[Alarm] = frozenset()
    entropy: bytes = bytes(10)
    inputs: Mapping[PointName, InputReading] = field(default_factory=dict)
    watched: tuple[tuple[Alarm, Remark], ...] = ()
    signed: tuple[SignResult, ...] = ()

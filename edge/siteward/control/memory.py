"""What the load turn remembers from one turn to the next: copied at the start of each, never shared between two."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from math import inf
from operator import attrgetter
from typing import NamedTuple

from siteward.control.ledger import Ledger
from siteward.control.phasing import AS_BUILT, Phasing
from siteward.model.ids import ConnectorId, LineId
from siteward.model.readings import ChargerReading
from siteward.model.recovered import LedgerEntry
from siteward.model.units import PerPhase

NEVER = -inf


class Flight(NamedTuple):
    """A limit that was decided and that no read-back has settled yet (R4).

    late: a frame with it was sent and not answered, so that it may still arrive; low_at: sent_at of the first read
    after a newer answered write that showed something lower.
    """

    value_a: float
    turn: int
    deadline: float
    raises: bool
    sent_at: float | None = None
    answered_at: float | None = None
    late: bool = False
    sends: int = 0
    low_at: float | None = None


class Unused(NamedTuple):
    """What an outlet leaves of its offer (B11): since when, the wait before it is lowered, the lowered offer, its end.

    cap_a is None while the whole offer stands; after_s doubles with each car that took its current back.
    """

    since: float | None = None
    after_s: float = 60.0
    cap_a: float | None = None
    reclaimed_at: float = NEVER


class Slot(NamedTuple):
    """An outlet's place where not all floors fit (B08, B12): off_since its last pause, pauses those of the last hour.

    turn_since: when it was admitted, None while it waits; rests_until: end of a pause for fairness; node is the feeder
    that had no room for it (-1: none); favoured_since: it waited an hour and goes before its class.
    """

    turn_since: float | None = None
    rests_until: float = NEVER
    off_since: float = NEVER
    pauses: tuple[float, ...] = ()
    node: int = -1
    favoured_since: float | None = None


class Waking(NamedTuple):
    """A car that drew current before our pause (B10): slept until it draws again, toggled so often, dark until then.

    keeps marks a car that did not wake: it is not paused for fairness again in this session.
    """

    slept: bool = False
    toggles: int = 0
    dark_until: float = NEVER
    keeps: bool = False


_WHOLE, _NO_PAST, _AWAKE = Unused(), Slot(), Waking()


@dataclass(slots=True)
class Watch:
    """Everything known of one outlet; times are sending times on the boot-time clock, NEVER = not yet.

    conf_a: last set point READ (None unknown); booked_a: the most that it could have been told while conf_a is
    unknown (None: nothing known, the hardware maximum); heard: last answered frame that feeds its watchdog; spoke:
    last frame that may have fed it at a limit above its fail-safe current; held_a: value before a cut, until R6;
    session_at: when the session began that unused, slot and waking tell of; drew_at: last read with current;
    bound: the feeder that held its target down last turn, -1 none; rests_until: start delay after its restart (B07);
    was_a, rose_at: draw before a rise of it in the last 5 s, and its latest read that was higher than the one before;
    uneven: bit mask of the phases its car draws on where those are not all three alike, 0 otherwise (B13);
    blank: reads in a row that showed no set point.
    """

    conf_a: float | None = None
    booked_a: float | None = None
    flights: tuple[Flight, ...] = ()
    answered: float = NEVER
    heard: float = NEVER
    spoke: float = NEVER
    misses: int = 0
    seen_misses: int = 0
    reading: ChargerReading | None = None
    read_at: float = NEVER
    unread: bool = True
    unread_since: float = NEVER
    mark: int | None = None
    verified: bool = False
    verified_at: float = NEVER
    unverified_since: float = NEVER
    fs_wrong: bool = False
    held_a: float = 0.0
    held_at: float = NEVER
    settled_at: float = NEVER
    refuted: int = 0
    over_since: float | None = None
    disobeyed_at: float | None = None
    obeys_since: float | None = None
    measured_a: PerPhase | None = None
    was_a: PerPhase | None = None
    rose_at: float = NEVER
    drawing: bool = False
    plugged: bool = False
    phases_known_at: float = NEVER
    quiet: tuple[float | None, float | None, float | None] = (None, None, None)
    on_since: float = NEVER
    limit_a: float | None = None
    limit_sent: float = NEVER
    last_raise: float = NEVER
    fair_cut_at: float = NEVER
    promised_until: float = NEVER
    room_paused: bool = False
    fits_since: float | None = None
    foreign_at: float = NEVER
    failsafe_at: float = NEVER
    failsafe_tries: int = 0
    probe_at: float = NEVER
    silent_since: float | None = None
    session_at: float = NEVER
    unused: Unused = _WHOLE
    slot: Slot = _NO_PAST
    waking: Waking = _AWAKE
    drew_at: float = NEVER
    bound: int = -1
    rests_until: float = NEVER
    uneven: int = 0
    blank: int = 0
    phasing: Phasing = AS_BUILT

    def clone(self) -> "Watch":
        """Copy for the next turn."""
        return Watch(*_WATCH(self))


_WATCH = attrgetter(*(f.name for f in fields(Watch)))


@dataclass(slots=True)
class NodeWatch:
    """Everything known of one feeder.

    window: (sent_at, other load, chargers' measured sum, meter current, other load for cuts) of the latest meter
    readings; cut_a: what cuts were last made of while the meter was believed (R10); stuck_at: currents that are not
    believed until they move by more than stuck_by_a; peaks: highest other load of this and of the previous 15 days
    (R11); known: the chargers below whose draw is known, since when the same ones; partial: the last reading met one
    that was not; room_since per phase: since when 2 A are free; short: how many below wanted more than it could give,
    last turn; lows: (at, lowest phase) of an imbalance, last 10 s.
    """

    meter_at: float = NEVER
    load_a: PerPhase | None = None
    window: tuple[tuple[float, PerPhase, PerPhase, PerPhase, PerPhase], ...] = ()
    cut_a: PerPhase = (0.0, 0.0, 0.0)
    peak_a: PerPhase = (0.0, 0.0, 0.0)
    peak_before_a: PerPhase = (0.0, 0.0, 0.0)
    peak_from: float = NEVER
    same: int = 0
    same_of: tuple[object, ...] | None = None
    stuck_since: float | None = None
    stuck_at: PerPhase | None = None
    stuck_by_a: float = 0.0
    known: tuple[int, ...] = ()
    known_from: float = NEVER
    partial: bool = False
    negative_since: float | None = None
    substituted: bool = False
    high_since: float | None = None
    over_since: float | None = None
    unproven_since: float | None = None
    shed_at: float = NEVER
    room_since: tuple[float | None, float | None, float | None] = (None, None, None)
    lifted_a: float = 0.0
    tripped_at: float = NEVER
    short: int = 0
    lows: tuple[tuple[float, float], ...] = ()

    def clone(self) -> "NodeWatch":
        """Copy for the next turn."""
        return NodeWatch(*_NODE(self))


_NODE = attrgetter(*(f.name for f in fields(NodeWatch)))


@dataclass(frozen=True, slots=True)
class LoadMemory:
    """State of the load turn; opaque to everybody else. gap_at: R17 waits for a poll round begun after it."""

    started_at: float
    at: float
    wall: datetime | None
    watches: tuple[Watch, ...]
    nodes: tuple[NodeWatch, ...]
    ledger: Ledger
    gap_at: float | None = None
    gap_alarm_at: float = NEVER
    rows: Mapping[ConnectorId, LedgerEntry] = field(default_factory=dict)
    probes: Mapping[LineId, float] = field(default_factory=dict)

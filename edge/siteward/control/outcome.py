"""What a load turn hands out: writes in order, leases, books, alarms, ledger, the next memory (steps 12 to 14)."""

from collections.abc import Mapping
from dataclasses import dataclass

from siteward.control.flight import top
from siteward.control.ledger import Ledger
from siteward.control.memory import LoadMemory
from siteward.control.raises import has_room
from siteward.control.reservation import rest_now
from siteward.control.silent import mute
from siteward.control.tree import EPS, Node
from siteward.control.work import Work
from siteward.model.alarms import Alarm, AlarmCode
from siteward.model.events import Fact
from siteward.model.ids import ConnectorId, FeederId
from siteward.model.limits import Grant
from siteward.model.recovered import LedgerEntry
from siteward.model.units import PerPhase
from siteward.model.wire import Write, WriteKind

UNPROVEN_S = 6.0


@dataclass(frozen=True, slots=True)
class FeederBook:
    """A fuse as booked this turn: sum U, other load as used for cuts, last measured load, age of the meter in s."""

    reserved_a: PerPhase
    base_a: PerPhase
    load_a: PerPhase | None
    meter_age_s: float | None


@dataclass(frozen=True, slots=True)
class LoadOutcome:
    """Result of a load turn.

    cuts, raises and failsafes are in the order of sending; raises wait for the commit (R14); stops are connectors
    whose session must end; trips are feeders to be switched off now; leases are the connectors whose lease this turn
    renews; failsafes holds fail-safe values for the unverified, fail-safe limits for the silent (R2) and watchdog
    refreshes.
    """

    cuts: tuple[Write, ...]
    raises: tuple[Write, ...]
    failsafes: tuple[Write, ...]
    stops: frozenset[ConnectorId]
    leases: frozenset[ConnectorId]
    grants: Mapping[ConnectorId, Grant]
    feeders: Mapping[FeederId, FeederBook]
    alarms: frozenset[Alarm]
    facts: tuple[Fact, ...]
    ledger: Ledger
    ledger_rows: tuple[LedgerEntry, ...]
    memory: LoadMemory
    trips: tuple[FeederId, ...] = ()


def close(work: Work, grants: dict[ConnectorId, Grant]) -> LoadOutcome:
    """Put the outcome together."""
    _prove_death(work)
    rows, changed = _rows(work)
    ledger = _ledger(work)
    memory = LoadMemory(
        started_at=work.memory.started_at,
        at=work.at,
        wall=work.snapshot.wall,
        watches=tuple(work.watches),
        nodes=tuple(work.nodes),
        ledger=ledger,
        gap_at=work.gap_at,
        gap_alarm_at=work.at if work.gap else work.memory.gap_alarm_at,
        rows=rows,
        probes=work.probes,
    )
    return LoadOutcome(
        cuts=_ordered(work.cuts),
        raises=_ordered(work.raises),
        failsafes=tuple(work.failsafes),
        stops=frozenset(work.stops),
        leases=frozenset() if work.gap_at is not None else frozenset(o.id for o in work.tree.outlets),
        grants=grants,
        feeders={node.id: _book(work, node) for node in work.tree.fuses},
        alarms=frozenset(work.alarms),
        facts=tuple(work.facts),
        ledger=ledger,
        ledger_rows=changed,
        memory=memory,
        trips=tuple(work.trips),
    )


def _ordered(writes: list[tuple[float, Write]]) -> tuple[Write, ...]:
    """Biggest change first, then by name; only the newest of a connector."""
    newest = {write.connector: write for _, write in writes}
    kept = [(amps, write) for amps, write in writes if newest[write.connector] is write]
    return tuple(write for _, write in sorted(kept, key=lambda x: (-x[0], x[1].connector)))


def _ledger(work: Work) -> Ledger:
    """Step 13 and the right to send of step 14."""
    newest: dict[tuple[ConnectorId, WriteKind], Write] = {
        key: write
        for key, write in work.memory.ledger.newest.items()
        if write.deadline >= work.at and not (work.gap and write.raises)
    } | work.written
    lease = dict(work.memory.ledger.lease_until)
    lease_s = {o.id: o.lease_s for o in work.tree.outlets}
    if work.gap_at is None:
        lease = {o.id: work.at + o.lease_s for o in work.tree.outlets}
    roomy = frozenset(
        o.id
        for o in work.tree.outlets
        if (o.id, WriteKind.LIMIT) in newest
        and newest[o.id, WriteKind.LIMIT].raises
        and work.reachable[o.index]
        and has_room(work, o)
    )
    return Ledger(work.at, work.turn, newest, roomy, lease, lease_s, mute(work))


def _rows(work: Work) -> tuple[dict[ConnectorId, LedgerEntry], tuple[LedgerEntry, ...]]:
    """Ledger rows for the journal: what may be in force, and which of them changed.

    A flight that is not above the confirmed value changes nothing of that, nor does one at a charger that was never
    read: repeated writes to a silent charger would cost a commit each for as long as it is silent (ruling 17).
    """
    before = work.memory.rows
    rows, changed = dict(before), []
    for o in work.tree.outlets:
        w = work.watches[o.index]
        told = top(o, w)
        conf = w.conf_a if w.conf_a is not None else w.booked_a
        old = before.get(o.id)
        flight = told if w.flights and conf is not None and told > conf else None
        if old is None or old.confirmed_a != conf or old.highest_in_flight_a != flight:
            rows[o.id] = LedgerEntry(o.id, conf, flight)
            changed.append(rows[o.id])
    return rows, tuple(changed)


def _prove_death(work: Work) -> None:
    """I4 with the values verified now: would every fuse hold for ever if the controller died?"""
    tree = work.tree
    total = [0.0] * len(tree.rating)
    for o in tree.outlets:
        rest = rest_now(o, work.watches[o.index])
        for cell in o.wide.cells[o.all_mask]:
            total[cell] += rest
    for node in tree.nodes:
        n = work.nodes[node.index]
        if all(total[c] + tree.worst[c] <= tree.rating[c] + EPS for c in node.cells if total[c] > 0.0):
            n.unproven_since = None
            continue
        if n.unproven_since is None:
            n.unproven_since = work.at
        if work.at - n.unproven_since >= UNPROVEN_S:
            work.alarm(AlarmCode.FEEDER_UNPROVEN, str(node.id))


def _book(work: Work, node: Node) -> FeederBook:
    n = work.nodes[node.index]
    a, b, c = node.cells
    total, base = work.total_a, work.base_cut
    return FeederBook(
        reserved_a=(round(total[a], 3), round(total[b], 3), round(total[c], 3)),
        base_a=(round(base[a], 3), round(base[b], 3), round(base[c], 3)),
        load_a=n.load_a if not n.substituted else None,
        meter_age_s=work.at - n.meter_at if n.load_a is not None else None,
    )

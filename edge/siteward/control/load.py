"""The load turn: the fourteen steps of turn.md in their order, from a snapshot and a memory to writes and leases."""

from collections.abc import Mapping

from siteward.control.allocate import allocate
from siteward.control.base import judge_base
from siteward.control.caps import draw_lines
from siteward.control.cuts import cut
from siteward.control.demand import Demand
from siteward.control.evidence import apply_reading, apply_wire, count_misses
from siteward.control.flight import compact, drop_dead
from siteward.control.grants import explain
from siteward.control.ledger import Ledger
from siteward.control.memory import NEVER, LoadMemory, NodeWatch, Slot, Unused, Waking, Watch
from siteward.control.obey import judge_obedience
from siteward.control.outcome import FeederBook, LoadOutcome, close
from siteward.control.phases import switch_phases
from siteward.control.raises import raise_all, settle_late
from siteward.control.reservation import reserve_all
from siteward.control.rotation import note_pause
from siteward.control.silent import speak_to_silent
from siteward.control.timing import judge_time
from siteward.control.tree import Outlet, tree_of
from siteward.control.unused import note_short, note_unused
from siteward.control.waking import dark, note_sleep, note_slept
from siteward.control.work import Work
from siteward.model.alarms import AlarmCode
from siteward.model.events import EventType, Fact
from siteward.model.ids import ConnectorId
from siteward.model.limits import Limit
from siteward.model.recovered import Recovered
from siteward.model.site import Site
from siteward.model.snapshot import Snapshot
from siteward.model.wire import WireEvent

__all__ = ["FeederBook", "LoadMemory", "LoadOutcome", "load_turn", "start_memory"]

FOREIGN_ALARM_S = 60.0


def start_memory(site: Site, recovered: Recovered, at: float) -> LoadMemory:
    """Memory of a controller that just started: nothing read, the journal's ledger is what may be in force (R14).

    The controller before this one may have fed every watchdog until this very instant (R2).
    """
    tree = tree_of(site)
    booked: dict[ConnectorId, float] = {}
    for row in recovered.ledger:
        known = [x for x in (row.confirmed_a, row.highest_in_flight_a) if x is not None]
        if known and row.confirmed_a is not None:
            booked[row.connector] = max(known)
    watches = tuple(
        Watch(booked_a=booked.get(o.id), limit_a=booked.get(o.id), unverified_since=at, spoke=at) for o in tree.outlets
    )
    return LoadMemory(
        started_at=at,
        at=at,
        wall=None,
        watches=watches,
        nodes=tuple(NodeWatch() for _ in tree.nodes),
        ledger=Ledger(at=NEVER, turn=-1),
        rows={row.connector: row for row in recovered.ledger},
    )


def load_turn(
    site: Site,
    snapshot: Snapshot,
    demands: Mapping[ConnectorId, Demand],
    limits: tuple[Limit, ...],
    memory: LoadMemory,
) -> LoadOutcome:
    """Decide one turn; pure: the same arguments give the same outcome, the memory given is not changed."""
    work = Work(
        tree=tree_of(site),
        snapshot=snapshot,
        at=snapshot.at,
        turn=snapshot.turn,
        memory=memory,
        demands=demands,
        limits=limits,
        watches=[w.clone() for w in memory.watches],
        nodes=[n.clone() for n in memory.nodes],
        probes=dict(memory.probes),
    )
    _gather(work)
    judge_time(work)
    reserve_all(work)
    judge_base(work)
    draw_lines(work)
    note_unused(work)
    note_sleep(work)
    switch_phases(work)
    allocate(work)
    note_short(work)
    cut(work)
    judge_obedience(work)
    raise_all(work)
    settle_late(work)
    speak_to_silent(work)
    return close(work, explain(work))


def _gather(work: Work) -> None:
    """Steps 2 and 3: the wire log in its order, then the latest reads."""
    log: dict[ConnectorId, list[WireEvent]] = {}
    for event in work.snapshot.wire:
        log.setdefault(event.connector, []).append(event)
    readings, misses = work.snapshot.chargers, work.snapshot.misses
    for o in work.tree.outlets:
        w = work.watches[o.index]
        for event in log.get(o.id, ()):
            apply_wire(o, w, event)
        count_misses(w, misses.get(o.id, 0))
        reading = readings.get(o.id)
        if reading is not None and apply_reading(o, w, reading, work.at):
            w.foreign_at = work.at
            data = {"set_point_a": w.conf_a, "limit_a": w.limit_a}
            work.facts.append(Fact(EventType.AUDIT_FOREIGN_WRITE, data, connector=o.id))
        drop_dead(w, work.at)
        compact(w)
        _note_life(work, o, w)
        if work.at - w.foreign_at < FOREIGN_ALARM_S:
            work.alarm(AlarmCode.FOREIGN_WRITE, str(o.id))


def _note_life(work: Work, o: Outlet, w: Watch) -> None:
    """When it was switched on and off, and what a new session does not take over from the last."""
    demand = work.demand(o)
    if demand.wants and demand.waiting_since != w.session_at:
        w.session_at = demand.waiting_since
        w.unused, w.slot, w.waking = Unused(), Slot(off_since=w.slot.off_since), Waking()
        w.room_paused = False
        if o.switchable:
            w.phasing = w.phasing.renewed()
    if w.conf_a:
        if w.on_since == NEVER:
            w.on_since = work.at
    elif w.on_since != NEVER:
        w.on_since = NEVER
        if not dark(w, work.at):
            note_pause(w, work.at, work.wants(o))
            note_slept(w, work.at)

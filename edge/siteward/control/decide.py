"""The decision of one turn: the story asks, the fuses answer, the story goes on (architecture section 1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from siteward.control.alarms import StandingAlarm
from siteward.control.arm import Ask
from siteward.control.compose import Answer, ConnectorNow, ask, conclude
from siteward.control.demand import Demand
from siteward.control.draft import StoryMemory
from siteward.control.ledger import Ledger
from siteward.control.load import FeederBook, LoadMemory, LoadOutcome, load_turn, start_memory
from siteward.control.recover import recall
from siteward.model.batch import Batch
from siteward.model.ids import ConnectorId, FeederId
from siteward.model.limits import Grant, Limit
from siteward.model.recovered import Recovered
from siteward.model.signed import SignOrder
from siteward.model.site import Site
from siteward.model.snapshot import Snapshot
from siteward.model.units import add
from siteward.model.wire import Write

__all__ = ["ConnectorNow", "Decision", "Memory", "StandingAlarm", "decide", "restore"]


@dataclass(frozen=True, slots=True)
class Memory:
    """All that deciding carries from one turn to the next."""

    story: StoryMemory
    load: LoadMemory


@dataclass(frozen=True, slots=True)
class Decision:
    """What shall happen: writes in their order, leases to renew, what to journal, and what to show.

    demands and limits are what the fuses were asked for; limits are those in force; arms are
    what the locks are asked for, signings what meters are; unlocks are writes that let a cable go, after the commit
    (law 4).
    """

    cuts: tuple[Write, ...]
    raises: tuple[Write, ...]
    failsafes: tuple[Write, ...]
    leases: frozenset[ConnectorId]
    grants: Mapping[ConnectorId, Grant]
    feeders: Mapping[FeederId, FeederBook]
    batch: Batch
    alarms: tuple[StandingAlarm, ...]
    connectors: Mapping[ConnectorId, ConnectorNow]
    ledger: Ledger
    memory: Memory
    demands: Mapping[ConnectorId, Demand]
    limits: tuple[Limit, ...]
    trips: tuple[FeederId, ...] = ()
    arms: tuple[tuple[str, Ask], ...] = ()
    signings: tuple[SignOrder, ...] = ()
    unlocks: tuple[Write, ...] = ()


def decide(site: Site, snapshot: Snapshot, memory: Memory) -> Decision:
    """Decide one turn. Pure: same inputs, same decision; never raises for anything that a device or a person sent."""
    asked = ask(site, snapshot, memory.story)
    load = load_turn(site, snapshot, asked.demands, asked.limits, memory.load)
    chapter = conclude(asked, memory.story, _answer(load))
    draft = chapter.draft
    return Decision(
        cuts=load.cuts,
        raises=load.raises,
        failsafes=load.failsafes,
        leases=load.leases,
        grants=load.grants,
        feeders=load.feeders,
        batch=Batch(
            clock=snapshot.clock,
            facts=tuple(draft.facts),
            replies=tuple(draft.replies),
            sessions=tuple(draft.rows.values()),
            ledger=load.ledger_rows,
            limits=draft.stored_limits(),
            kept=tuple(draft.kept),
        ),
        alarms=chapter.alarms,
        connectors=chapter.connectors,
        ledger=_ledger(load.ledger, draft.unlocks),
        memory=Memory(chapter.memory, load.memory),
        demands=asked.demands,
        limits=asked.limits,
        trips=load.trips,
        arms=chapter.arms,
        signings=chapter.signings,
        unlocks=tuple(write for write in draft.unlocks if write.turn == snapshot.turn),
    )


def _ledger(ledger: Ledger, unlocks: Sequence[Write]) -> Ledger:
    """The ledger of the fuses with what may let a cable go; anew each turn, so that it ends with its reasons."""
    if not unlocks:
        return ledger
    return replace(ledger, newest={**ledger.newest, **{(w.connector, w.kind): w for w in unlocks}})


def restore(site: Site, recovered: Recovered, at: float, wall: datetime) -> Memory:
    """Memory to start with, from the journal: sessions and limits as they were, currents from the worst case."""
    return Memory(recall(site, recovered, at, wall), start_memory(site, recovered, at))


def _answer(load: LoadOutcome) -> Answer:
    return Answer(
        grants=load.grants,
        booked={name: add(book.reserved_a, book.base_a) for name, book in load.feeders.items()},
        stops=load.stops,
        alarms=load.alarms,
        facts=load.facts,
    )

"""The turn: freeze what is known, decide, act; once a second and at each reading of a limit meter."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from siteward.control.decide import Decision, Memory, decide
from siteward.model.ports import Clock
from siteward.model.site import Site
from siteward.model.snapshot import Snapshot
from siteward.runtime.access import AccessLoop
from siteward.runtime.actuate import Actuator, MeterActuator
from siteward.runtime.alarm_watch import AlarmWatch
from siteward.runtime.committer import Committer
from siteward.runtime.gate import LedgerGate
from siteward.runtime.inbox import Inbox
from siteward.runtime.leases import LeaseWatch
from siteward.runtime.poller import Poller
from siteward.runtime.reach import Reach

TURN_S = 1.0
_SHORTEST_S = 0.1


@dataclass(frozen=True, slots=True)
class TurnParts:
    """What a turn works with."""

    site: Site
    clock: Clock
    poller: Poller
    actuator: Actuator
    committer: Committer
    gate: LedgerGate
    inbox: Inbox
    leases: LeaseWatch
    access: AccessLoop
    watch: AlarmWatch
    signing: MeterActuator
    entropy: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class TurnDone:
    """A completed turn, for the live view, the trace and the watchdog; took_s is the time spent deciding."""

    snapshot: Snapshot
    decision: Decision
    took_s: float


class Turn:
    """Runs the decision; `on_done` is called after each turn and must not block."""

    def __init__(self, parts: TurnParts, memory: Memory, on_done: Callable[[TurnDone], None]) -> None:
        self._parts = parts
        self._memory = memory
        self._on_done = on_done
        self._wake = asyncio.Event()
        self._hurry = asyncio.Event()
        self._number = 0
        self._reach = Reach(parts.site)

    def wake(self, hurry: bool = False) -> None:
        """Run a turn soon: 0.1 s after the last one at the earliest, or at once, but never twice at once in a row."""
        self._wake.set()
        if hurry:
            self._hurry.set()

    async def run(self) -> None:
        """Turn for ever; an error in a decision ends the process, which the chargers' watchdogs outlive."""
        clock = self._parts.clock
        hurried = False
        while True:
            started = clock.now()
            self._wake.clear()
            self._hurry.clear()
            self.step()
            await _within(self._wake, max(_SHORTEST_S, started + TURN_S - clock.now()))
            rest_s = started + _SHORTEST_S - clock.now()
            if hurried and rest_s > 0:
                await clock.sleep(rest_s)
            elif rest_s > 0:
                await _within(self._hurry, rest_s)
            hurried = not hurried and self._hurry.is_set()

    def step(self) -> TurnDone:
        """One turn: cuts reach the lines before disk is touched, raises wait for their commit (law 3)."""
        parts = self._parts
        snapshot = self._freeze()
        decision = decide(parts.site, snapshot, self._memory)
        self._memory = decision.memory
        parts.gate.renew(decision.ledger)
        parts.leases.renew(decision.leases, decision.grants, snapshot.turn, snapshot.at)
        parts.actuator.send((*decision.cuts, *decision.failsafes))
        parts.access.trip(decision.trips)
        parts.signing.ask(decision.signings)
        parts.poller.watch(self._reach.within(decision.feeders, snapshot.chargers))
        parts.committer.put(decision.batch, (*decision.raises, *decision.unlocks))
        done = TurnDone(snapshot, decision, parts.clock.now() - snapshot.at)
        self._on_done(done)
        return done

    def _freeze(self) -> Snapshot:
        parts = self._parts
        self._number += 1
        requests = parts.inbox.drain()
        parts.access.take([request for request in requests if parts.access.takes(request)])
        return Snapshot(
            at=parts.clock.now(),
            wall=parts.clock.wall(),
            clock=parts.clock.quality(),
            turn=self._number,
            meters=parts.poller.meters,
            chargers=parts.poller.chargers,
            misses=parts.poller.misses,
            meter_misses=parts.poller.meter_misses,
            wire=parts.actuator.drain(),
            line_alarms=parts.poller.line_alarms,
            requests=tuple(request for request in requests if not parts.access.takes(request)),
            settled=parts.inbox.drain_settled(),
            commit_age_s=parts.committer.age_s,
            standing=parts.access.alarms | parts.committer.alarms | parts.watch.failing,
            entropy=parts.entropy(),
            inputs=parts.access.inputs,
            watched=tuple(parts.watch.alarms.items()),
            signed=parts.signing.drain(),
        )


async def _within(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, at most that long."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return

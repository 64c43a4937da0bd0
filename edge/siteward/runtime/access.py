"""Runs barriers and locks: reads inputs, steps tables, hands effects, facts and answers on; drives feeders' trips."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence

from siteward.control.access import (
    ASKS,
    Arm,
    ArmMemory,
    Phase,
    Wish,
    arms_of,
    commands,
    fresh_memory,
    judge,
    outcome,
    step,
    view,
    watchful,
)
from siteward.control.arm import Ask, Told
from siteward.control.letting import Let
from siteward.control.sight import FRESH_S, MOVING_S
from siteward.model.access import Lock
from siteward.model.alarms import Alarm, AlarmCode
from siteward.model.batch import Batch
from siteward.model.events import Fact
from siteward.model.ids import FeederId
from siteward.model.live import ArmView
from siteward.model.points import Drive, InputReading, PointName, device_of
from siteward.model.ports import Clock, PointDevice
from siteward.model.refusals import REFUSALS, Refusal
from siteward.model.requests import Reply, Request, Stage
from siteward.model.site import Site
from siteward.runtime.actuate import OutputActuator
from siteward.runtime.arm_gate import ArmGate
from siteward.runtime.points import TRIP_PULSE_S, Keeper, plans, refresh_all

IDLE_S = 1.0
"""Period of reading while nothing moves."""

_WITHIN_S = 0.15


class _Runner:
    """One arm: its memory, the wishes that wait, and those that were accepted and owe an answer."""

    def __init__(self, arm: Arm, keepers: Sequence[Keeper]) -> None:
        self.arm = arm
        self.keepers = tuple(keepers)
        self.points = frozenset(contact.point for contact in arm.contacts)
        self.memory: ArmMemory = fresh_memory(arm)
        self.waiting: deque[tuple[Request | None, Ask]] = deque()
        self.pending: list[tuple[Request, Ask]] = []
        self.alarms: frozenset[Alarm] = frozenset()
        self.wake = asyncio.Event()

    @property
    def readings(self) -> dict[PointName, InputReading]:
        """The newest readings of its devices."""
        return {point: reading for keeper in self.keepers for point, reading in keeper.readings.items()}

    @property
    def hurry(self) -> bool:
        """Whether to read every 100 ms."""
        return watchful(self.memory) or bool(self.waiting)


class AccessLoop:
    """All arms of a site, each in its own task, so that a dead board holds up only its own arms."""

    def __init__(
        self,
        site: Site,
        devices: Mapping[str, PointDevice],
        clock: Clock,
        gate: ArmGate,
        put: Callable[[Batch], None],
        wake: Callable[[], None],
        guard: Callable[[Request], Let] = lambda _: Let(),
        more_alarms: Callable[[], frozenset[Alarm]] = frozenset,
    ) -> None:
        """`guard` says who may move an arm, `more_alarms` what else stands at the doors of the site."""
        self._site = site
        self._guard = guard
        self._more_alarms = more_alarms
        self._clock = clock
        self._gate = gate
        self._put = put
        self._wake = wake
        self._keepers = {name: Keeper(devices[name], plan, clock) for name, plan in plans(site).items()}
        self._outputs = OutputActuator(self._keepers, clock)
        self._watched_points = site.watched_points
        self._stops = [stop.contact.point for stop in site.emergencies]
        self._trips = site.trips
        self._runners: dict[str, _Runner] = {arm.id: self._runner(arm) for arm in arms_of(site)}

    def _runner(self, arm: Arm) -> _Runner:
        names = {device_of(contact.point) for contact in arm.contacts}
        return _Runner(arm, [self._keepers[name] for name in sorted(names)])

    @property
    def alarms(self) -> frozenset[Alarm]:
        """What stands now."""
        at = self._clock.now()
        silent = {Alarm(AlarmCode.IO_UNREACHABLE, k.id) for k in self._keepers.values() if k.lost(at)}
        return self._more_alarms().union(silent, *(runner.alarms for runner in self._runners.values()))

    @property
    def inputs(self) -> dict[PointName, InputReading]:
        """The newest readings of the contacts that a turn looks at."""
        if not self._watched_points:
            return {}
        all_of_them = (k.readings.items() for k in self._keepers.values())
        return {point: r for readings in all_of_them for point, r in readings if point in self._watched_points}

    @property
    def views(self) -> tuple[ArmView, ...]:
        """Every arm as it is now, barriers first."""
        at = self._clock.now()
        return tuple(view(runner.arm, runner.memory, at) for runner in self._runners.values())

    def memory(self, arm: str) -> ArmMemory:
        """The newest memory of an arm. KeyError for a strange one."""
        return self._runners[arm].memory

    def takes(self, request: Request) -> bool:
        """Whether a request belongs here: its command does, and the site has arms at all."""
        return request.name in ASKS and bool(self._runners)

    def take(self, requests: Sequence[Request]) -> None:
        """Judge requests at once; those let through wait for their arm's next look at its inputs."""
        trusted = self._clock.quality().trusted
        for request in requests:
            verdict = judge(self._site, request, self._clock.now(), trusted)
            let = self._guard(request) if isinstance(verdict, Wish) else Let()
            if let.facts:
                self._put(Batch(self._clock.quality(), facts=let.facts))
            if isinstance(verdict, Wish) and let.refusal is None:
                runner = self._runners[verdict.arm]
                runner.waiting.append((request, verdict.ask))
                runner.wake.set()
                continue
            code = let.refusal if isinstance(verdict, Wish) else verdict
            stage = Stage.EXPIRED if code is Refusal.EXPIRED else Stage.REJECTED
            self._put(Batch(self._clock.quality(), replies=(_reply(request, stage, code),)))

    def ask(self, wishes: Iterable[tuple[str, Ask]]) -> None:
        """Have locks go up or down by what their connectors need; each judges by its own sensors, as always."""
        for arm, ask in wishes:
            runner = self._runners[arm]
            runner.waiting.append((None, ask))
            runner.wake.set()

    def trip(self, feeders: Iterable[FeederId]) -> None:
        """Switch feeders off at once; each command is repeated until its board took it."""
        for name in feeders:
            drive = Drive(self._trips[name], on=True, pulse_s=TRIP_PULSE_S)
            self._outputs.send(f"trip of {name}", [drive])

    def loops(self) -> list[Coroutine[None, None, None]]:
        """One endless coroutine for each arm, and one for each device whose inputs no arm reads every second."""
        arms = {keeper.id for runner in self._runners.values() for keeper in runner.keepers}
        limits = {device_of(point) for point in self._watched_points}
        idle = [keeper for name, keeper in self._keepers.items() if name in limits or name not in arms]
        loops = [self._run(runner) for runner in self._runners.values()]
        return [*loops, *(self._poll(keeper) for keeper in idle)]

    async def close(self) -> None:
        """End reads and writes under way; outputs end by themselves."""
        await self._outputs.close()
        for keeper in self._keepers.values():
            await keeper.close()

    async def _poll(self, keeper: Keeper) -> None:
        while True:
            before = self._stop_states()
            await refresh_all([keeper], urgent=False, within_s=IDLE_S)
            if self._stop_states() != before:
                # An emergency stop waits for no turn.
                self._wake()
            await self._clock.sleep(IDLE_S)

    def _stop_states(self) -> list[bool | None]:
        readings = self.inputs if self._stops else {}
        return [readings[point].on if point in readings else None for point in self._stops]

    async def _run(self, runner: _Runner) -> None:
        while True:
            began = self._clock.now()
            hurry = runner.hurry
            within_s = _WITHIN_S if watchful(runner.memory) else IDLE_S
            await refresh_all(runner.keepers, hurry, within_s, runner.points)
            self._step(runner)
            rest_s = began + (MOVING_S if runner.hurry else IDLE_S) - self._clock.now()
            try:
                async with asyncio.timeout(max(0.0, rest_s)):
                    await runner.wake.wait()
            except TimeoutError:
                pass
            runner.wake.clear()

    def _step(self, runner: _Runner) -> None:
        at = self._clock.now()
        request, ask = runner.waiting.popleft() if runner.waiting else (None, None)
        readings, before = runner.readings, runner.memory
        runner.memory, told = step(runner.arm, readings, ask, runner.memory, at)
        self._gate.renew(runner.arm, runner.memory)
        if runner.memory.state is not before.state:
            # Who watches a page, and the alarms, must not be a whole turn behind an arm that turned round.
            self._wake()
        runner.alarms = told.alarms
        if told.effects:
            # What blocks the way must leave while the readings that allowed it are young.
            motion = runner.arm.motion
            self._outputs.send(runner.arm.id, commands(motion, told.effects, at - before.since, at + FRESH_S))
        replies = self._answer(runner, request, ask, told)
        connector = runner.arm.connector if isinstance(runner.arm, Lock) else None
        facts = tuple(Fact(f.type, f.data, connector, occurred_at=self._clock.wall()) for f in told.facts)
        if facts or replies:
            self._put(Batch(self._clock.quality(), facts=facts, replies=replies))

    def _answer(self, runner: _Runner, request: Request | None, ask: Ask | None, told: Told) -> tuple[Reply, ...]:
        replies = []
        if request is not None and ask is not None:
            if told.refusal is not None:
                replies.append(_reply(request, Stage.REJECTED, told.refusal))
            else:
                replies.append(_reply(request, Stage.ACCEPTED))
                runner.pending.append((request, ask))
        still = []
        for waiting, wanted in runner.pending:
            phase, code = outcome(wanted, runner.memory)
            if phase is Phase.UNDER_WAY:
                still.append((waiting, wanted))
                continue
            stage = Stage.DONE if phase is Phase.DONE else Stage.FAILED
            replies.append(_reply(waiting, stage, code, {"state": runner.memory.state.value}))
        runner.pending = still
        return tuple(replies)


def _reply(
    request: Request, stage: Stage, code: Refusal | None = None, result: Mapping[str, object] | None = None
) -> Reply:
    message = None if code is None else REFUSALS[code].en
    return Reply(request.id, stage, None if code is None else code.value, message, result)

"""The parking lock as ONE table: what each event does in each state, and what is driven with it (I12)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from siteward.control.arm import EMERGENCY_TRIES, ArmFact, Ask, Effect, Told
from siteward.control.sight import (
    FRESH_S,
    IDLE_STALE_S,
    Readings,
    Watched,
    alarmed,
    frees_way,
    lost,
    power_back,
    value,
    watch_all,
)
from siteward.model.access import Lock
from siteward.model.alarms import Alarm, AlarmCode
from siteward.model.events import EventType
from siteward.model.refusals import Refusal

SETTLED_S = 5.0
"""How long the bay must have been known and empty without a change before a rise (I12)."""

RETRIES = 1
"""Rises after an obstruction, then a person is called (I12)."""

RETRY_WITHIN_S = 120.0
"""How long the bay may take to become free for the one retry."""


class LockState(StrEnum):
    """Where the lock is; `unknown` until the inputs were read for the first time."""

    UNKNOWN = "unknown"
    DOWN = "down"
    RAISING = "raising"
    UP = "up"
    LOWERING = "lowering"
    STOPPED = "stopped"
    FAILED = "failed"


class LockEvent(StrEnum):
    """What can happen to it, the most urgent first."""

    EMERGENCY = "emergency"
    BLOCKED = "blocked"
    FAULT = "fault"
    AT_UP = "at_up"
    AT_DOWN = "at_down"
    BETWEEN = "between"
    TIMEOUT = "timeout"
    ASK_LOWER = "ask_lower"
    ASK_RAISE = "ask_raise"
    RETRY = "retry"


_S, _E, _F = LockState, LockEvent, Effect
Row = tuple[LockState, LockEvent, LockState, tuple[Effect, ...]]

TABLE: tuple[Row, ...] = (
    (_S.UNKNOWN, _E.EMERGENCY, _S.LOWERING, (_F.FREE,)),
    (_S.UNKNOWN, _E.AT_UP, _S.UP, ()),
    (_S.UNKNOWN, _E.AT_DOWN, _S.DOWN, ()),
    (_S.UNKNOWN, _E.BETWEEN, _S.STOPPED, ()),
    (_S.UNKNOWN, _E.ASK_LOWER, _S.LOWERING, (_F.FREE,)),
    (_S.DOWN, _E.AT_UP, _S.UP, ()),
    (_S.DOWN, _E.BETWEEN, _S.STOPPED, ()),
    (_S.DOWN, _E.ASK_RAISE, _S.RAISING, (_F.BLOCK,)),
    (_S.DOWN, _E.RETRY, _S.RAISING, (_F.BLOCK,)),
    (_S.RAISING, _E.EMERGENCY, _S.LOWERING, (_F.STOP, _F.FREE)),
    (_S.RAISING, _E.BLOCKED, _S.LOWERING, (_F.STOP, _F.FREE)),
    (_S.RAISING, _E.FAULT, _S.LOWERING, (_F.STOP, _F.FREE)),
    (_S.RAISING, _E.AT_UP, _S.UP, (_F.REST,)),
    (_S.RAISING, _E.TIMEOUT, _S.LOWERING, (_F.STOP, _F.FREE)),
    (_S.RAISING, _E.ASK_LOWER, _S.LOWERING, (_F.STOP, _F.FREE)),
    (_S.UP, _E.EMERGENCY, _S.LOWERING, (_F.FREE,)),
    (_S.UP, _E.AT_DOWN, _S.DOWN, ()),
    (_S.UP, _E.BETWEEN, _S.STOPPED, ()),
    (_S.UP, _E.ASK_LOWER, _S.LOWERING, (_F.FREE,)),
    (_S.LOWERING, _E.FAULT, _S.FAILED, (_F.STOP,)),
    (_S.LOWERING, _E.AT_DOWN, _S.DOWN, (_F.REST,)),
    (_S.LOWERING, _E.TIMEOUT, _S.FAILED, (_F.STOP,)),
    (_S.STOPPED, _E.EMERGENCY, _S.LOWERING, (_F.FREE,)),
    (_S.STOPPED, _E.AT_UP, _S.UP, ()),
    (_S.STOPPED, _E.AT_DOWN, _S.DOWN, ()),
    (_S.STOPPED, _E.ASK_LOWER, _S.LOWERING, (_F.FREE,)),
    (_S.STOPPED, _E.ASK_RAISE, _S.RAISING, (_F.BLOCK,)),
    (_S.FAILED, _E.EMERGENCY, _S.LOWERING, (_F.FREE,)),
    (_S.FAILED, _E.ASK_LOWER, _S.LOWERING, (_F.FREE,)),
)
"""Every move there is; an event without a row changes nothing. A jam while rising lowers, one while lowering stops."""

_ROWS = {(state, event): (after, effects) for state, event, after, effects in TABLE}
_MOVING = (LockState.RAISING, LockState.LOWERING)
_HINDERED = (LockEvent.BLOCKED, LockEvent.FAULT, LockEvent.TIMEOUT)
_WHY = {
    LockEvent.EMERGENCY: Refusal.EMERGENCY,
    LockEvent.BLOCKED: Refusal.OBSTRUCTED,
    LockEvent.FAULT: Refusal.ARM_FAULTED,
    LockEvent.TIMEOUT: Refusal.ARM_TIMEOUT,
}


@dataclass(frozen=True, slots=True)
class LockMemory:
    """State from step to step.

    `wanted_up` lives from a rise's acceptance to its end, `hindered` counts its obstructions, `gave_up` keeps the alarm
    until the lock was moved with success.
    """

    state: LockState = LockState.UNKNOWN
    since: float = 0.0
    sights: Mapping[str, Watched] = field(default_factory=dict)
    why: Refusal | None = None
    wanted_up: bool = False
    wanted_at: float = 0.0
    hindered: int = 0
    gave_up: bool = False
    emergency: bool = False
    tries: int = 0

    @property
    def moving(self) -> bool:
        """Whether the arm is on its way, so that its inputs are read every 100 ms."""
        return self.state in _MOVING


def may_raise(memory: LockMemory, at: float) -> bool:
    """Whether the bay is known to be free at this very instant (I12); asked again as a rise goes out."""
    return _rise_refusal(memory, at) is None


def _rise_refusal(memory: LockMemory, at: float) -> Refusal | None:
    bay = memory.sights.get("bay", Watched())
    if bay.value is None:
        return Refusal.SENSOR_UNKNOWN
    if bay.value or bay.held_s(False, at) < SETTLED_S:
        return Refusal.BAY_NOT_FREE
    if alarmed(memory.sights):
        return Refusal.EMERGENCY
    return Refusal.ARM_FAULTED if _faulty(memory.sights) else None


def _both_ends(sights: Mapping[str, Watched]) -> bool:
    return value(sights, "arm_up") is True and value(sights, "arm_down") is True


def _faulty(sights: Mapping[str, Watched]) -> bool:
    return _both_ends(sights) or ("fault" in sights and sights["fault"].value is not False)


def step(lock: Lock, readings: Readings, ask: Ask | None, before: LockMemory, at: float) -> tuple[LockMemory, Told]:
    """One look at the inputs with at most one wish; deterministic. The most urgent event with a row wins."""
    stale_s = FRESH_S if before.moving or before.wanted_up or ask is Ask.BLOCK else IDLE_STALE_S
    roles = {
        "bay": lock.bay,
        "arm_up": lock.arm_up,
        "arm_down": lock.arm_down,
        "fault": lock.fault,
        "fire": lock.fire,
        "power": lock.power,
    }
    memory = replace(before, sights=watch_all(roles, readings, before.sights, at, stale_s))
    lasts = memory.emergency and alarmed(memory.sights)
    tries = memory.tries if lasts and not power_back(before.sights, memory.sights) else 0
    memory = replace(memory, emergency=lasts, tries=tries)
    if ask is Ask.FREE:
        memory = replace(memory, wanted_up=False, hindered=0, gave_up=False, why=None)
    elif frees_way(lock, memory.sights):
        # Also a lock that is down and has nothing to do: it must not rise by itself when the fire is out.
        memory = replace(memory, wanted_up=False, hindered=0)
    refusal = refused(memory, ask, at)
    memory, given_up = _give_up(lock, memory, at)
    for event in _events(lock, memory, None if refusal else ask, at):
        row = _ROWS.get((memory.state, event))
        if row is not None:
            moved = _move(memory, event, row[0], at)
            facts = (*given_up, *_facts(lock, memory, event, moved))
            return moved, Told(row[1], facts, _alarms(lock, moved, at), refusal)
    return memory, Told(facts=given_up, alarms=_alarms(lock, memory, at), refusal=refusal)


def _give_up(lock: Lock, memory: LockMemory, at: float) -> tuple[LockMemory, tuple[ArmFact, ...]]:
    """A retry whose bay never became free is none."""
    if not memory.wanted_up or not memory.hindered or memory.moving or at - memory.wanted_at < RETRY_WITHIN_S:
        return memory, ()
    data = {"lockId": lock.id, "from": memory.state.value, "to": memory.state.value, "cause": _E.RETRY.value}
    return replace(memory, wanted_up=False, gave_up=True), (ArmFact(EventType.ACCESS_FAILED, data),)


def refused(memory: LockMemory, ask: Ask | None, at: float) -> Refusal | None:
    """Why a wish is refused at this instant; None when it may be tried, or is there already."""
    if ask is not Ask.BLOCK or memory.state in (LockState.UP, LockState.RAISING):
        return None
    if memory.state is LockState.LOWERING:
        return Refusal.ARM_MOVING
    if memory.state is LockState.FAILED:
        return Refusal.ARM_FAULTED
    if memory.state is LockState.UNKNOWN:
        return Refusal.SENSOR_UNKNOWN
    return _rise_refusal(memory, at)


def _events(lock: Lock, memory: LockMemory, ask: Ask | None, at: float) -> list[LockEvent]:
    sights = memory.sights
    bay = sights.get("bay", Watched())
    up, down = value(sights, "arm_up"), value(sights, "arm_down")
    found = {
        _E.EMERGENCY: frees_way(lock, sights) and memory.tries < EMERGENCY_TRIES,
        _E.BLOCKED: bay.value is not False or bay.held_s(False, at) < SETTLED_S,
        _E.FAULT: value(sights, "fault") is True or _both_ends(sights),
        _E.AT_UP: up is True and down is not True,
        _E.AT_DOWN: down is True and up is not True,
        _E.BETWEEN: up is False and down is False,
        _E.TIMEOUT: at - memory.since >= lock.motion.travel_s,
        _E.ASK_LOWER: ask is Ask.FREE,
        _E.ASK_RAISE: ask is Ask.BLOCK,
        _E.RETRY: memory.wanted_up and 0 < memory.hindered <= RETRIES and may_raise(memory, at),
    }
    return [event for event in LockEvent if found[event]]


def _move(memory: LockMemory, event: LockEvent, after: LockState, at: float) -> LockMemory:
    moved = replace(memory, state=after, since=at)
    if event in _WHY:
        moved = replace(moved, why=_WHY[event])
    if event is _E.ASK_RAISE:
        moved = replace(moved, why=None, wanted_up=True, wanted_at=at, hindered=0, gave_up=False)
    if event is _E.EMERGENCY:
        moved = replace(moved, emergency=True, tries=memory.tries + 1)
    if memory.state is LockState.RAISING and event in _HINDERED:
        hindered = memory.hindered + 1
        beaten = hindered > RETRIES
        moved = replace(moved, hindered=hindered, wanted_up=memory.wanted_up and not beaten, wanted_at=at)
        moved = replace(moved, gave_up=beaten)
    if after is LockState.UP:
        moved = replace(moved, wanted_up=False, hindered=0, gave_up=False, why=None)
    if after is LockState.FAILED:
        moved = replace(moved, wanted_up=False)
    return moved


_TOLD: dict[tuple[LockState, LockState], EventType] = {
    (_S.RAISING, _S.UP): EventType.ACCESS_RAISED,
    (_S.LOWERING, _S.DOWN): EventType.ACCESS_LOWERED,
    (_S.UP, _S.STOPPED): EventType.ACCESS_FORCED,
    (_S.UP, _S.DOWN): EventType.ACCESS_FORCED,
    (_S.DOWN, _S.STOPPED): EventType.ACCESS_FORCED,
    (_S.DOWN, _S.UP): EventType.ACCESS_FORCED,
}


def _facts(lock: Lock, before: LockMemory, event: LockEvent, after: LockMemory) -> tuple[ArmFact, ...]:
    kind = _TOLD.get((before.state, after.state))
    if event is _E.EMERGENCY:
        kind = EventType.ACCESS_EMERGENCY
    elif after.state is LockState.FAILED:
        kind = EventType.ACCESS_FAILED
    elif event in _HINDERED:
        kind = EventType.ACCESS_OBSTRUCTED
    if kind is None:
        return ()
    data: dict[str, object] = {"lockId": lock.id, "from": before.state.value, "to": after.state.value}
    if event in _WHY:
        data["cause"] = event.value
    return (ArmFact(kind, data),)


def _alarms(lock: Lock, memory: LockMemory, at: float) -> frozenset[Alarm]:
    sights = memory.sights
    found = {
        AlarmCode.BAY_SENSOR_LOST: lost(sights, "bay", at),
        AlarmCode.LOCK_OBSTRUCTED: memory.gave_up,
        AlarmCode.LOCK_FAULT: memory.state is LockState.FAILED
        or value(sights, "fault") is True
        or _both_ends(sights)
        or lost(sights, "arm_up", at)
        or lost(sights, "arm_down", at),
        AlarmCode.ACCESS_EMERGENCY: value(sights, "fire") is True or value(sights, "power") is False,
    }
    return frozenset(Alarm(code, lock.id) for code, stands in found.items() if stands)


def outcome(ask: Ask, memory: LockMemory) -> Refusal | bool:
    """What became of an accepted wish: True done, False under way (a retry included), or why it failed."""
    if ask is Ask.BLOCK:
        if memory.state is LockState.UP:
            return True
        under_way = memory.wanted_up or memory.state is LockState.RAISING
    else:
        if memory.state is LockState.DOWN:
            return True
        under_way = memory.state is LockState.LOWERING
    return False if under_way else memory.why or Refusal.SUPERSEDED

"""The boom barrier as ONE table: what each event does in each state, and what is driven with it (I11)."""

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
from siteward.model.access import Barrier
from siteward.model.alarms import Alarm, AlarmCode
from siteward.model.events import EventType
from siteward.model.refusals import Refusal

CLEAR_S = 1.0
"""How long the loop must have been free before a close: the gap between a car and its trailer."""


class BarrierState(StrEnum):
    """Where the arm is; `unknown` until the inputs were read for the first time."""

    UNKNOWN = "unknown"
    CLOSED = "closed"
    OPENING = "opening"
    OPEN = "open"
    CLOSING = "closing"
    STOPPED = "stopped"
    FAILED = "failed"


class BarrierEvent(StrEnum):
    """What can happen to it, the most urgent first."""

    EMERGENCY = "emergency"
    BLOCKED = "blocked"
    FAULT = "fault"
    AT_OPEN = "at_open"
    AT_CLOSED = "at_closed"
    BETWEEN = "between"
    TIMEOUT = "timeout"
    ASK_OPEN = "ask_open"
    ASK_CLOSE = "ask_close"


_S, _E, _F = BarrierState, BarrierEvent, Effect
Row = tuple[BarrierState, BarrierEvent, BarrierState, tuple[Effect, ...]]

TABLE: tuple[Row, ...] = (
    (_S.UNKNOWN, _E.EMERGENCY, _S.OPENING, (_F.FREE,)),
    (_S.UNKNOWN, _E.AT_OPEN, _S.OPEN, ()),
    (_S.UNKNOWN, _E.AT_CLOSED, _S.CLOSED, ()),
    (_S.UNKNOWN, _E.BETWEEN, _S.STOPPED, ()),
    (_S.UNKNOWN, _E.ASK_OPEN, _S.OPENING, (_F.FREE,)),
    (_S.CLOSED, _E.EMERGENCY, _S.OPENING, (_F.FREE,)),
    (_S.CLOSED, _E.AT_OPEN, _S.OPEN, ()),
    (_S.CLOSED, _E.BETWEEN, _S.STOPPED, ()),
    (_S.CLOSED, _E.ASK_OPEN, _S.OPENING, (_F.FREE,)),
    (_S.OPENING, _E.FAULT, _S.FAILED, (_F.STOP,)),
    (_S.OPENING, _E.AT_OPEN, _S.OPEN, (_F.REST,)),
    (_S.OPENING, _E.TIMEOUT, _S.FAILED, (_F.STOP,)),
    (_S.OPEN, _E.AT_CLOSED, _S.CLOSED, ()),
    (_S.OPEN, _E.BETWEEN, _S.STOPPED, ()),
    (_S.OPEN, _E.ASK_CLOSE, _S.CLOSING, (_F.BLOCK,)),
    (_S.CLOSING, _E.EMERGENCY, _S.OPENING, (_F.STOP, _F.FREE)),
    (_S.CLOSING, _E.BLOCKED, _S.OPENING, (_F.STOP, _F.FREE)),
    (_S.CLOSING, _E.FAULT, _S.FAILED, (_F.STOP,)),
    (_S.CLOSING, _E.AT_CLOSED, _S.CLOSED, (_F.REST,)),
    (_S.CLOSING, _E.TIMEOUT, _S.FAILED, (_F.STOP,)),
    (_S.CLOSING, _E.ASK_OPEN, _S.OPENING, (_F.STOP, _F.FREE)),
    (_S.STOPPED, _E.EMERGENCY, _S.OPENING, (_F.FREE,)),
    (_S.STOPPED, _E.AT_OPEN, _S.OPEN, ()),
    (_S.STOPPED, _E.AT_CLOSED, _S.CLOSED, ()),
    (_S.STOPPED, _E.ASK_OPEN, _S.OPENING, (_F.FREE,)),
    (_S.STOPPED, _E.ASK_CLOSE, _S.CLOSING, (_F.BLOCK,)),
    (_S.FAILED, _E.EMERGENCY, _S.OPENING, (_F.FREE,)),
    (_S.FAILED, _E.ASK_OPEN, _S.OPENING, (_F.FREE,)),
)
"""Every move there is; an event without a row changes nothing. A failed arm waits for a person (fault 77)."""

_ROWS = {(state, event): (after, effects) for state, event, after, effects in TABLE}
_MOVING = (BarrierState.OPENING, BarrierState.CLOSING)
_WHY = {
    BarrierEvent.EMERGENCY: Refusal.EMERGENCY,
    BarrierEvent.BLOCKED: Refusal.OBSTRUCTED,
    BarrierEvent.FAULT: Refusal.ARM_FAULTED,
    BarrierEvent.TIMEOUT: Refusal.ARM_TIMEOUT,
}


@dataclass(frozen=True, slots=True)
class BarrierMemory:
    """State from step to step. `unproven` counts closings in a row during which the loop never saw a vehicle."""

    state: BarrierState = BarrierState.UNKNOWN
    since: float = 0.0
    sights: Mapping[str, Watched] = field(default_factory=dict)
    why: Refusal | None = None
    unproven: int = 0
    vehicle_seen: bool = False
    emergency: bool = False
    tries: int = 0

    @property
    def moving(self) -> bool:
        """Whether the arm is on its way, so that its inputs are read every 100 ms."""
        return self.state in _MOVING


def may_close(barrier: Barrier, memory: BarrierMemory, at: float) -> bool:
    """Whether the way is known to be free at this very instant (I11); asked again as a close goes out."""
    return _close_refusal(barrier, memory, at) is None


def _close_refusal(barrier: Barrier, memory: BarrierMemory, at: float) -> Refusal | None:
    sights = memory.sights
    loop = sights.get("loop", Watched())
    if loop.value is None or _self_test_failed(barrier, memory):
        return Refusal.SENSOR_UNKNOWN
    if loop.value or loop.held_s(False, at) < CLEAR_S:
        return Refusal.LOOP_NOT_FREE
    if alarmed(sights):
        return Refusal.EMERGENCY
    return Refusal.ARM_FAULTED if _faulty(sights) else None


def _self_test_failed(barrier: Barrier, memory: BarrierMemory) -> bool:
    """The detector's own fault output, or closing after closing without a single vehicle seen (stuck off)."""
    fault = barrier.loop_fault is not None and value(memory.sights, "loop_fault") is not False
    return fault or 0 < barrier.proof_cycles <= memory.unproven


def _faulty(sights: Mapping[str, Watched]) -> bool:
    both_ends = value(sights, "arm_open") is True and value(sights, "arm_closed") is True
    return both_ends or ("fault" in sights and sights["fault"].value is not False)


def step(
    barrier: Barrier, readings: Readings, ask: Ask | None, before: BarrierMemory, at: float
) -> tuple[BarrierMemory, Told]:
    """One look at the inputs with at most one wish; deterministic. The most urgent event with a row wins."""
    stale_s = FRESH_S if before.moving or ask is Ask.BLOCK else IDLE_STALE_S
    roles = {
        "loop": barrier.loop,
        "loop_fault": barrier.loop_fault,
        "arm_closed": barrier.arm_closed,
        "arm_open": barrier.arm_open,
        "fault": barrier.fault,
        "fire": barrier.fire,
        "power": barrier.power,
    }
    memory = replace(before, sights=watch_all(roles, readings, before.sights, at, stale_s))
    memory = _prove(memory)
    if memory.tries and power_back(before.sights, memory.sights):
        memory = replace(memory, tries=0)
    refusal = refused(barrier, memory, ask, at)
    for event in _events(barrier, memory, None if refusal else ask, at):
        row = _ROWS.get((memory.state, event))
        if row is not None:
            moved = _move(memory, event, row[0], at)
            told = Told(row[1], _facts(barrier, memory, event, moved), _alarms(barrier, moved, at), refusal)
            return moved, told
    return memory, Told(alarms=_alarms(barrier, memory, at), refusal=refusal)


def _prove(memory: BarrierMemory) -> BarrierMemory:
    """A vehicle on the loop proves that it can see one."""
    emergency = memory.emergency and alarmed(memory.sights)
    memory = replace(memory, emergency=emergency, tries=memory.tries if emergency else 0)
    if value(memory.sights, "loop") is True:
        return replace(memory, vehicle_seen=True, unproven=0)
    return memory


def refused(barrier: Barrier, memory: BarrierMemory, ask: Ask | None, at: float) -> Refusal | None:
    """Why a wish is refused at this instant; None when it may be tried, or is there already."""
    if ask is not Ask.BLOCK or memory.state in (BarrierState.CLOSED, BarrierState.CLOSING):
        return None
    if memory.state is BarrierState.OPENING:
        return Refusal.ARM_MOVING
    if memory.state is BarrierState.FAILED:
        return Refusal.ARM_FAULTED
    if memory.state is BarrierState.UNKNOWN:
        return Refusal.SENSOR_UNKNOWN
    return _close_refusal(barrier, memory, at)


def _events(barrier: Barrier, memory: BarrierMemory, ask: Ask | None, at: float) -> list[BarrierEvent]:
    sights = memory.sights
    loop = sights.get("loop", Watched())
    found = {
        _E.EMERGENCY: frees_way(barrier, sights) and memory.tries < EMERGENCY_TRIES,
        # A change seen since the movement began is a vehicle too, even when it is gone again.
        _E.BLOCKED: loop.value is not False or loop.since > memory.since or _self_test_failed(barrier, memory),
        _E.FAULT: value(sights, "fault") is True or _faulty_ends(sights),
        _E.AT_OPEN: _at_open(barrier, memory, at),
        _E.AT_CLOSED: value(sights, "arm_closed") is True and value(sights, "arm_open") is not True,
        _E.BETWEEN: value(sights, "arm_closed") is False and value(sights, "arm_open") is not True,
        _E.TIMEOUT: at - memory.since >= barrier.motion.travel_s,
        _E.ASK_OPEN: ask is Ask.FREE,
        _E.ASK_CLOSE: ask is Ask.BLOCK,
    }
    if barrier.arm_open is None and memory.state is BarrierState.OPEN:
        found[_E.BETWEEN] = False
    if barrier.arm_open is not None and value(sights, "arm_open") is None:
        found[_E.BETWEEN] = False
    return [event for event in BarrierEvent if found[event]]


def _faulty_ends(sights: Mapping[str, Watched]) -> bool:
    return value(sights, "arm_open") is True and value(sights, "arm_closed") is True


def _at_open(barrier: Barrier, memory: BarrierMemory, at: float) -> bool:
    """The switch says so; without a switch, the arm has left its end and had the time that it takes."""
    closed = value(memory.sights, "arm_closed")
    if barrier.arm_open is not None:
        return value(memory.sights, "arm_open") is True and closed is not True
    had_time = memory.state is BarrierState.OPENING and at - memory.since >= barrier.motion.travel_s
    return had_time and closed is False


def _move(memory: BarrierMemory, event: BarrierEvent, after: BarrierState, at: float) -> BarrierMemory:
    moved = replace(memory, state=after, since=at)
    if after in (BarrierState.OPEN, BarrierState.CLOSED) and memory.moving:
        moved = replace(moved, why=None)
    if event in _WHY:
        moved = replace(moved, why=_WHY[event])
    elif event in (_E.ASK_OPEN, _E.ASK_CLOSE):
        moved = replace(moved, why=None)
    if event is _E.EMERGENCY:
        moved = replace(moved, emergency=True, tries=memory.tries + 1)
    if event is _E.AT_CLOSED and memory.state is BarrierState.CLOSING:
        unproven = 0 if memory.vehicle_seen else memory.unproven + 1
        moved = replace(moved, unproven=unproven, vehicle_seen=False)
    return moved


_TOLD: dict[tuple[BarrierState, BarrierState], EventType] = {
    (_S.OPENING, _S.OPEN): EventType.ACCESS_OPENED,
    (_S.CLOSING, _S.CLOSED): EventType.ACCESS_CLOSED,
    (_S.CLOSED, _S.OPEN): EventType.ACCESS_FORCED,
    (_S.CLOSED, _S.STOPPED): EventType.ACCESS_FORCED,
    (_S.OPEN, _S.CLOSED): EventType.ACCESS_FORCED,
}


def _facts(barrier: Barrier, before: BarrierMemory, event: BarrierEvent, after: BarrierMemory) -> tuple[ArmFact, ...]:
    kind = _TOLD.get((before.state, after.state))
    if event is _E.EMERGENCY:
        kind = EventType.ACCESS_EMERGENCY
    elif event is _E.BLOCKED:
        kind = EventType.ACCESS_OBSTRUCTED
    elif after.state is BarrierState.FAILED:
        kind = EventType.ACCESS_FAILED
    if kind is None:
        return ()
    data: dict[str, object] = {"barrierId": barrier.id, "from": before.state.value, "to": after.state.value}
    if event in _WHY:
        data["cause"] = event.value
    return (ArmFact(kind, data),)


def _alarms(barrier: Barrier, memory: BarrierMemory, at: float) -> frozenset[Alarm]:
    sights = memory.sights
    loop = sights.get("loop", Watched())
    found = {
        AlarmCode.LOOP_LOST: lost(sights, "loop", at) or value(sights, "loop_fault") is True,
        AlarmCode.LOOP_STUCK: loop.held_s(True, at) >= barrier.stuck_s or 0 < barrier.proof_cycles <= memory.unproven,
        AlarmCode.BARRIER_FAULT: memory.state is BarrierState.FAILED
        or value(sights, "fault") is True
        or _faulty_ends(sights)
        or lost(sights, "arm_closed", at),
        AlarmCode.ACCESS_EMERGENCY: value(sights, "fire") is True or value(sights, "power") is False,
    }
    return frozenset(Alarm(code, barrier.id) for code, stands in found.items() if stands)


def outcome(ask: Ask, memory: BarrierMemory) -> Refusal | bool:
    """What became of an accepted wish: True done, False under way, or why it failed."""
    aims = {
        Ask.FREE: (BarrierState.OPEN, BarrierState.OPENING),
        Ask.BLOCK: (BarrierState.CLOSED, BarrierState.CLOSING),
    }
    end, way = aims[ask]
    if memory.state is end:
        return True
    return False if memory.state is way else memory.why or Refusal.SUPERSEDED

"""The parking lock's table row by row, and what I12 and fault 78 ask of it."""

from dataclasses import replace

import pytest

from siteward.control.arm import EMERGENCY_TRIES, Ask, Effect, Told
from siteward.control.lock import (
    RETRY_WITHIN_S,
    SETTLED_S,
    TABLE,
    LockEvent,
    LockMemory,
    LockState,
    Row,
    may_raise,
    outcome,
    step,
)
from siteward.model.alarms import Alarm, AlarmCode
from siteward.model.events import EventType
from siteward.model.refusals import Refusal

from .arms import AT, LOCK, look, settled

S, E = LockState, LockEvent
QUIET: dict[str, bool | None] = {"bay": False, "fault": False, "fire": False, "power": True}

ENDS: dict[S, dict[str, bool | None]] = {
    S.UP: {"arm_up": True, "arm_down": False},
    S.DOWN: {"arm_up": False, "arm_down": True},
    S.STOPPED: {"arm_up": False, "arm_down": False},
    S.UNKNOWN: {"arm_up": None, "arm_down": None},
    S.RAISING: {"arm_up": False, "arm_down": False},
    S.LOWERING: {"arm_up": False, "arm_down": False},
    S.FAILED: {"arm_up": None, "arm_down": None},
}
CHANGES: dict[E, dict[str, bool | None]] = {
    E.EMERGENCY: {"fire": True},
    E.BLOCKED: {"bay": True},
    E.FAULT: {"fault": True},
    E.AT_UP: ENDS[S.UP],
    E.AT_DOWN: ENDS[S.DOWN],
    E.BETWEEN: ENDS[S.STOPPED],
}
ASKS = {E.ASK_LOWER: Ask.FREE, E.ASK_RAISE: Ask.BLOCK}


def happen(state: S, event: E) -> tuple[LockMemory, Told]:
    """Let exactly one event happen in a state whose inputs are quiet otherwise."""
    values = {**QUIET, **ENDS[state], **CHANGES.get(event, {})}
    since = AT - 8.0 if event is E.TIMEOUT else AT - 2.0
    hindered = 1 if event is E.RETRY else 0
    before = LockMemory(
        state, since, settled({**QUIET, **ENDS[state]}), wanted_up=hindered > 0, wanted_at=AT - 9, hindered=hindered
    )
    return step(LOCK, look(LOCK, values), ASKS.get(event), before, AT)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[0]}-{row[1]}")
def test_every_row_of_the_table(row: Row) -> None:
    """I12: state and event lead where the table says, with its effects in their order."""
    after, told = happen(row[0], row[1])
    assert (after.state, told.effects) == (row[2], row[3])


NO_ROW = [(s, e) for s in S for e in E if (s, e) not in {(row[0], row[1]) for row in TABLE}]


@pytest.mark.parametrize(("state", "event"), NO_ROW, ids=lambda v: str(v))
def test_an_event_without_a_row_drives_nothing(state: S, event: E) -> None:
    """I12: what the table does not say does not happen."""
    after, told = happen(state, event)
    assert (after.state, told.effects) == (state, ())


DOWN = LockMemory(S.DOWN, AT - 60.0, settled({**QUIET, **ENDS[S.DOWN]}))
RAISING = LockMemory(S.RAISING, AT - 1.0, settled({**QUIET, **ENDS[S.RAISING]}), wanted_up=True, wanted_at=AT - 1.0)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"bay": True}, Refusal.BAY_NOT_FREE),
        ({"bay": None}, Refusal.SENSOR_UNKNOWN),
        ({"fire": True}, Refusal.EMERGENCY),
        ({"fire": None}, Refusal.EMERGENCY),
        ({"fault": None}, Refusal.ARM_FAULTED),
    ],
)
def test_no_rise_unless_the_bay_is_known_to_be_empty(values: dict[str, bool | None], code: Refusal) -> None:
    """I12: car or unknown; and nothing else wrong either."""
    after, told = step(LOCK, look(LOCK, {**QUIET, **ENDS[S.DOWN], **values}), Ask.BLOCK, DOWN, AT)
    assert told.refusal is code
    assert Effect.BLOCK not in told.effects
    assert not may_raise(after, AT)


def test_no_rise_within_five_seconds_of_a_change() -> None:
    """I12: a sensor that just became free may flicker under a car that is still leaving."""
    sights = settled({**QUIET, **ENDS[S.DOWN], "bay": True})
    memory, _ = step(LOCK, look(LOCK, {**QUIET, **ENDS[S.DOWN]}), None, replace(DOWN, sights=sights), AT)
    early, late = AT + SETTLED_S - 0.1, AT + SETTLED_S
    _, told = step(LOCK, look(LOCK, {**QUIET, **ENDS[S.DOWN]}, early), Ask.BLOCK, memory, early)
    assert told.refusal is Refusal.BAY_NOT_FREE
    after, told = step(LOCK, look(LOCK, {**QUIET, **ENDS[S.DOWN]}, late), Ask.BLOCK, memory, late)
    assert (after.state, told.refusal, told.effects) == (S.RAISING, None, (Effect.BLOCK,))


def test_after_a_restart_the_bay_is_watched_for_five_seconds_first() -> None:
    """I12: nobody knows when it last changed."""
    memory, told = step(LOCK, look(LOCK, {**QUIET, **ENDS[S.DOWN]}), None, LockMemory(), AT)
    assert (memory.state, told.effects) == (S.DOWN, ())
    _, told = step(LOCK, look(LOCK, {**QUIET, **ENDS[S.DOWN]}, AT + 4), Ask.BLOCK, memory, AT + 4)
    assert told.refusal is Refusal.BAY_NOT_FREE


@pytest.mark.parametrize("bay", [True, None])
def test_a_rising_lock_is_lowered_at_once(bay: bool | None) -> None:
    """I12: car, or a sensor not known any more, while rising."""
    after, told = step(LOCK, look(LOCK, {**QUIET, **ENDS[S.RAISING], "bay": bay}), None, RAISING, AT)
    assert (after.state, told.effects) == (S.LOWERING, (Effect.STOP, Effect.FREE))
    assert [fact.type for fact in told.facts] == [EventType.ACCESS_OBSTRUCTED]


def test_one_retry_then_a_person_is_called() -> None:
    """I12, fault 78: a lock that meets something half-way twice stays down; the alarm goes with the next success."""
    memory, at = RAISING, AT
    jam = {**QUIET, **ENDS[S.RAISING], "fault": True}
    rises = 1
    for _ in range(60):
        at += 1.0
        values = jam if memory.state is S.RAISING else {**QUIET, **ENDS[S.DOWN]}
        memory, told = step(LOCK, look(LOCK, values, at), None, memory, at)
        rises += Effect.BLOCK in told.effects
    assert (rises, memory.state, memory.wanted_up) == (2, S.DOWN, False)
    assert Alarm(AlarmCode.LOCK_OBSTRUCTED, "bay-1") in told.alarms
    assert outcome(Ask.BLOCK, memory) is Refusal.ARM_FAULTED
    memory, _ = step(LOCK, look(LOCK, {**QUIET, **ENDS[S.DOWN]}, at + 1), Ask.BLOCK, memory, at + 1)
    memory, told = step(LOCK, look(LOCK, {**QUIET, **ENDS[S.UP]}, at + 3), None, memory, at + 3)
    assert (memory.state, told.alarms) == (S.UP, frozenset())
    assert outcome(Ask.BLOCK, memory) is True


def test_the_retry_waits_for_the_bay_and_not_for_ever() -> None:
    """I12, fault 78: while a car stands there the wish waits; after two minutes it ends with the alarm."""
    memory, _ = step(LOCK, look(LOCK, {**QUIET, **ENDS[S.RAISING], "bay": True}), None, RAISING, AT)
    at = AT
    while at < AT + RETRY_WITHIN_S + 1.0:
        at += 1.0
        memory, told = step(LOCK, look(LOCK, {**QUIET, **ENDS[S.DOWN], "bay": True}, at), None, memory, at)
        assert Effect.BLOCK not in told.effects
    assert (memory.wanted_up, memory.gave_up) == (False, True)
    assert outcome(Ask.BLOCK, memory) is Refusal.OBSTRUCTED


@pytest.mark.parametrize("by", ["a person", "fire"])
def test_a_retry_that_was_called_off_never_comes(by: str) -> None:
    """I12: who lowers a lock that is down already, or a fire meanwhile, takes the waiting rise back for good."""
    memory, _ = step(LOCK, look(LOCK, {**QUIET, **ENDS[S.RAISING], "bay": True}), None, RAISING, AT)
    down = {**QUIET, **ENDS[S.DOWN]}
    memory, _ = step(LOCK, look(LOCK, {**down, "bay": True}, AT + 3), None, memory, AT + 3)
    assert (memory.state, memory.wanted_up) == (S.DOWN, True)
    ask, values = (Ask.FREE, down) if by == "a person" else (None, {**down, "fire": True})
    memory, _ = step(LOCK, look(LOCK, values, AT + 4), ask, memory, AT + 4)
    for later in range(5, 60):
        memory, told = step(LOCK, look(LOCK, down, AT + later), None, memory, AT + later)
        assert told.effects == ()
    assert (memory.state, memory.wanted_up, outcome(Ask.FREE, memory)) == (S.DOWN, False, True)


def test_a_dirty_sensor_is_told() -> None:
    """Fault 78: unknown for three seconds is an alarm."""
    memory = DOWN
    for second in range(5):
        now = AT + second
        memory, told = step(LOCK, look(LOCK, {**QUIET, **ENDS[S.DOWN], "bay": None}, now), None, memory, now)
    assert Alarm(AlarmCode.BAY_SENSOR_LOST, "bay-1") in told.alarms


def test_a_jam_while_lowering_stops_and_calls_somebody() -> None:
    """Fault 77: no retry loop; only a person's wish drives it again."""
    lowering = LockMemory(S.LOWERING, AT - 8.0, settled({**QUIET, **ENDS[S.LOWERING]}))
    memory, told = step(LOCK, look(LOCK, {**QUIET, **ENDS[S.LOWERING]}), None, lowering, AT)
    assert (memory.state, told.effects) == (S.FAILED, (Effect.STOP,))
    assert Alarm(AlarmCode.LOCK_FAULT, "bay-1") in told.alarms
    assert outcome(Ask.FREE, memory) is Refusal.ARM_TIMEOUT


def test_an_emergency_drives_a_dead_motor_a_few_times_only_and_is_told() -> None:
    """Fault 77 in a fire: tries are counted, and each of them is an event; a new emergency counts anew."""
    values: dict[str, bool | None] = {**QUIET, **ENDS[S.UP]}
    memory, at, driven = LockMemory(S.UP, AT, settled(values)), AT, 0
    for _ in range(400):
        at += 0.5
        memory, told = step(LOCK, look(LOCK, {**values, "fire": True}, at), None, memory, at)
        driven += Effect.FREE in told.effects
        if Effect.FREE in told.effects:
            assert [fact.type for fact in told.facts] == [EventType.ACCESS_EMERGENCY]
    assert driven == EMERGENCY_TRIES
    memory, _ = step(LOCK, look(LOCK, values, at + 1), None, memory, at + 1)
    memory, told = step(LOCK, look(LOCK, {**values, "fire": True}, at + 2), None, memory, at + 2)
    assert told.effects == (Effect.FREE,)


def test_a_wish_is_remembered_from_its_own_instant() -> None:
    """I12: the two minutes for a retry count from the wish, not from an older one."""
    before = replace(DOWN, wanted_at=AT - 1000.0)
    memory, _ = step(LOCK, look(LOCK, {**QUIET, **ENDS[S.DOWN]}), Ask.BLOCK, before, AT)
    assert (memory.state, memory.wanted_up, memory.wanted_at) == (S.RAISING, True, AT)

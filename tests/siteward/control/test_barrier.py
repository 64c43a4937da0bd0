"""The barrier's table row by row, and what I11 and faults 76, 77 ask of it."""

from dataclasses import replace

import pytest

from siteward.control.arm import EMERGENCY_TRIES, Ask, Effect, Told
from siteward.control.barrier import (
    TABLE,
    BarrierEvent,
    BarrierMemory,
    BarrierState,
    Row,
    may_close,
    outcome,
    step,
)
from siteward.control.sight import CHATTER_EDGES, LOST_AFTER_S
from siteward.model.access import OnEmergency
from siteward.model.alarms import Alarm, AlarmCode
from siteward.model.events import EventType
from siteward.model.refusals import Refusal

from .arms import AT, BARRIER, QUIET, look, settled, without

S, E = BarrierState, BarrierEvent

ENDS: dict[S, dict[str, bool | None]] = {
    S.OPEN: {"arm_open": True, "arm_closed": False},
    S.CLOSED: {"arm_open": False, "arm_closed": True},
    S.STOPPED: {"arm_open": False, "arm_closed": False},
    S.UNKNOWN: {"arm_open": None, "arm_closed": None},
    S.OPENING: {"arm_open": False, "arm_closed": False},
    S.CLOSING: {"arm_open": False, "arm_closed": False},
    S.FAILED: {"arm_open": None, "arm_closed": None},
}
"""What the switches say in a state in which nothing happens."""

CHANGES: dict[E, dict[str, bool | None]] = {
    E.EMERGENCY: {"fire": True},
    E.BLOCKED: {"loop": True},
    E.FAULT: {"fault": True},
    E.AT_OPEN: ENDS[S.OPEN],
    E.AT_CLOSED: ENDS[S.CLOSED],
    E.BETWEEN: ENDS[S.STOPPED],
    E.TIMEOUT: {},
    E.ASK_OPEN: {},
    E.ASK_CLOSE: {},
}
ASKS = {E.ASK_OPEN: Ask.FREE, E.ASK_CLOSE: Ask.BLOCK}


def happen(state: S, event: E) -> tuple[BarrierMemory, Told]:
    """Let exactly one event happen in a state whose inputs are quiet otherwise."""
    values: dict[str, bool | None] = {"loop": False, **QUIET, **ENDS[state], **CHANGES[event]}
    since = AT - 8.0 if event is E.TIMEOUT else AT - 2.0
    before = BarrierMemory(state, since, settled({"loop": False, **QUIET, **ENDS[state]}))
    return step(BARRIER, look(BARRIER, values), ASKS.get(event), before, AT)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row[0]}-{row[1]}")
def test_every_row_of_the_table(row: Row) -> None:
    """I11: state and event lead where the table says, with its effects in their order."""
    after, told = happen(row[0], row[1])
    assert (after.state, told.effects) == (row[2], row[3])
    assert after.since == AT


NO_ROW = [(s, e) for s in S for e in E if (s, e) not in {(row[0], row[1]) for row in TABLE}]


@pytest.mark.parametrize(("state", "event"), NO_ROW, ids=lambda v: str(v))
def test_an_event_without_a_row_drives_nothing(state: S, event: E) -> None:
    """I11: what the table does not say does not happen."""
    after, told = happen(state, event)
    assert (after.state, told.effects) == (state, ())


def test_only_a_close_drives_into_the_way_and_only_from_rest() -> None:
    """I11: one effect, two rows."""
    into = [(row[0], row[1]) for row in TABLE if Effect.BLOCK in row[3]]
    assert into == [(S.OPEN, E.ASK_CLOSE), (S.STOPPED, E.ASK_CLOSE)]


OPEN = BarrierMemory(S.OPEN, AT - 60.0, settled({"loop": False, **QUIET, **ENDS[S.OPEN]}))


def close(values: dict[str, bool | None], before: BarrierMemory = OPEN) -> tuple[BarrierMemory, Told]:
    return step(BARRIER, look(BARRIER, {"loop": False, **QUIET, **ENDS[S.OPEN], **values}), Ask.BLOCK, before, AT)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"loop": True}, Refusal.LOOP_NOT_FREE),
        ({"loop": None}, Refusal.SENSOR_UNKNOWN),
        ({"loop_fault": True}, Refusal.SENSOR_UNKNOWN),
        ({"loop_fault": None}, Refusal.SENSOR_UNKNOWN),
        ({"fire": None}, Refusal.EMERGENCY),
        ({"power": None}, Refusal.EMERGENCY),
        ({"fault": True}, Refusal.ARM_FAULTED),
        ({"fault": None}, Refusal.ARM_FAULTED),
    ],
)
def test_no_close_unless_the_way_is_known_to_be_free(values: dict[str, bool | None], code: Refusal) -> None:
    """I11, fault 76: occupied, unknown, failed self-test; and nothing else wrong either."""
    after, told = close(values)
    assert told.refusal is code
    assert Effect.BLOCK not in told.effects
    assert not may_close(BARRIER, after, AT)


def test_no_close_on_an_old_reading() -> None:
    """I11: stale is unknown; 0.3 s is the most that a close may rest on."""
    readings = look(BARRIER, {"loop": False, **QUIET, **ENDS[S.OPEN]}, at=AT - 0.31)
    _, told = step(BARRIER, readings, Ask.BLOCK, OPEN, AT)
    assert told.refusal is Refusal.SENSOR_UNKNOWN


def test_no_close_in_the_gap_between_car_and_trailer() -> None:
    """I11: the loop must have been free for a second."""
    sights = settled({"loop": True, **QUIET, **ENDS[S.OPEN]})
    _, told = close({"loop": False}, replace(OPEN, sights=sights))
    assert told.refusal is Refusal.LOOP_NOT_FREE


CLOSING = BarrierMemory(S.CLOSING, AT - 1.0, settled({"loop": False, **QUIET, **ENDS[S.CLOSING]}))


@pytest.mark.parametrize("values", [{"loop": True}, {"loop": None}, {"loop_fault": True}])
def test_a_closing_arm_turns_round_at_once(values: dict[str, bool | None]) -> None:
    """I11: occupied or not known any more while closing: stop and open, in the same step."""
    after, told = step(BARRIER, look(BARRIER, {"loop": False, **QUIET, **ENDS[S.CLOSING], **values}), None, CLOSING, AT)
    assert (after.state, told.effects) == (S.OPENING, (Effect.STOP, Effect.FREE))
    assert [fact.type for fact in told.facts] == [EventType.ACCESS_OBSTRUCTED]
    assert outcome(Ask.BLOCK, after) is Refusal.OBSTRUCTED


def test_a_vehicle_that_no_poll_saw_turns_it_round_too() -> None:
    """I11, fault 76: two edges between two polls are a vehicle."""
    readings = look(BARRIER, {"loop": False, **QUIET, **ENDS[S.CLOSING]})
    point = BARRIER.loop.point
    readings[point] = replace(readings[point], edges=2)
    after, told = step(BARRIER, readings, None, CLOSING, AT)
    assert (after.state, told.effects) == (S.OPENING, (Effect.STOP, Effect.FREE))


def test_sensors_not_read_yet_are_not_lost_at_once() -> None:
    """Fault 76: unknown is told after 3 s; the first turns of a start come before the first answer of the inputs."""
    memory, told = step(BARRIER, {}, None, BarrierMemory(), AT)
    assert told.alarms == frozenset()
    _, told = step(BARRIER, {}, None, memory, AT + LOST_AFTER_S)
    assert {alarm.code for alarm in told.alarms} >= {AlarmCode.LOOP_LOST, AlarmCode.BARRIER_FAULT}


def test_a_chattering_loop_is_unknown() -> None:
    """Fault 76: ten changes in ten seconds are no vehicle; the alarm comes and no close is accepted."""
    memory, at = OPEN, AT
    for edges in range(1, CHATTER_EDGES + 40):
        at += 0.2
        readings = look(BARRIER, {"loop": edges % 2 == 1, **QUIET, **ENDS[S.OPEN]}, at)
        readings[BARRIER.loop.point] = replace(readings[BARRIER.loop.point], edges=edges)
        memory, told = step(BARRIER, readings, Ask.BLOCK, memory, at)
        assert told.refusal is not None
    assert memory.sights["loop"].value is None
    assert Alarm(AlarmCode.LOOP_LOST, "gate") in told.alarms


def test_a_cut_cable_of_a_normally_closed_loop_says_occupied() -> None:
    """Fault 76: an open contact is a vehicle."""
    assert not BARRIER.loop.closed_is_yes
    _, told = close({"loop": True})
    assert told.refusal is Refusal.LOOP_NOT_FREE


def test_a_loop_that_never_sees_a_vehicle_is_doubted() -> None:
    """Fault 76, stuck off: ten closings without one fail the self-test until one is seen."""
    memory = replace(OPEN, unproven=BARRIER.proof_cycles)
    after, told = close({}, memory)
    assert told.refusal is Refusal.SENSOR_UNKNOWN
    assert Alarm(AlarmCode.LOOP_STUCK, "gate") in told.alarms
    seen, _ = step(BARRIER, look(BARRIER, {"loop": True, **QUIET, **ENDS[S.OPEN]}), None, after, AT + 1)
    assert seen.unproven == 0


def test_closings_without_a_vehicle_are_counted() -> None:
    """Fault 76: one that saw a vehicle starts the count anew."""
    arrived = look(BARRIER, {"loop": False, **QUIET, **ENDS[S.CLOSED]})
    after, _ = step(BARRIER, arrived, None, replace(CLOSING, unproven=3), AT)
    assert (after.state, after.unproven) == (S.CLOSED, 4)
    after, _ = step(BARRIER, arrived, None, replace(CLOSING, unproven=3, vehicle_seen=True), AT)
    assert (after.unproven, after.vehicle_seen) == (0, False)


def test_a_loop_occupied_for_very_long_is_told() -> None:
    """Fault 76, stuck on."""
    memory = replace(OPEN, sights=settled({"loop": True, **QUIET, **ENDS[S.OPEN]}, for_s=600.0))
    _, told = step(BARRIER, look(BARRIER, {"loop": True, **QUIET, **ENDS[S.OPEN]}), None, memory, AT)
    assert Alarm(AlarmCode.LOOP_STUCK, "gate") in told.alarms


def test_after_a_restart_the_arm_is_left_as_it_is_until_inputs_are_read() -> None:
    """I11: no reading, no effect, whatever the arm does; even a close is refused."""
    memory, told = step(BARRIER, {}, None, BarrierMemory(), AT)
    assert (memory.state, told.effects) == (S.UNKNOWN, ())
    memory, told = step(BARRIER, {}, Ask.BLOCK, memory, AT + 1)
    assert (memory.state, told.effects, told.refusal) == (S.UNKNOWN, (), Refusal.SENSOR_UNKNOWN)


def test_a_missing_limit_switch_stops_and_calls_somebody_without_a_retry_loop() -> None:
    """Fault 77: the travel time ends the movement, the alarm stands, and nothing moves until a person asks."""
    late = replace(CLOSING, since=AT - 8.0)
    between = look(BARRIER, {"loop": False, **QUIET, **ENDS[S.CLOSING]})
    memory, told = step(BARRIER, between, None, late, AT)
    assert (memory.state, told.effects) == (S.FAILED, (Effect.STOP,))
    assert outcome(Ask.BLOCK, memory) is Refusal.ARM_TIMEOUT
    for second in range(1, 100):
        now = AT + second
        memory, told = step(BARRIER, look(BARRIER, {"loop": False, **QUIET, **ENDS[S.STOPPED]}, now), None, memory, now)
        assert told.effects == ()
        assert Alarm(AlarmCode.BARRIER_FAULT, "gate") in told.alarms
    _, told = close({}, replace(memory, since=AT))
    assert told.refusal is Refusal.ARM_FAULTED


def test_both_switches_at_once_are_a_fault() -> None:
    """Fault 77: an arm cannot be at both ends."""
    both = look(BARRIER, {"loop": False, **QUIET, "arm_open": True, "arm_closed": True})
    memory, told = step(BARRIER, both, None, CLOSING, AT)
    assert (memory.state, told.effects) == (S.FAILED, (Effect.STOP,))


@pytest.mark.parametrize("values", [{"fire": True}, {"power": False}])
def test_fire_or_loss_of_power_opens_as_configured(values: dict[str, bool | None]) -> None:
    """I11: default open; `stay` moves nothing; no close either way; the highest alarm stands."""
    readings = look(BARRIER, {"loop": False, **QUIET, **ENDS[S.CLOSED], **values})
    closed = BarrierMemory(S.CLOSED, AT - 60.0, settled({"loop": False, **QUIET, **ENDS[S.CLOSED]}))
    memory, told = step(BARRIER, readings, None, closed, AT)
    assert (memory.state, told.effects) == (S.OPENING, (Effect.FREE,))
    assert Alarm(AlarmCode.ACCESS_EMERGENCY, "gate") in told.alarms
    stays = replace(BARRIER, on_fire=OnEmergency.STAY, on_power_loss=OnEmergency.STAY)
    memory, told = step(stays, readings, None, closed, AT)
    assert (memory.state, told.effects) == (S.CLOSED, ())
    _, told = step(stays, look(BARRIER, {"loop": False, **QUIET, **ENDS[S.OPEN], **values}), Ask.BLOCK, OPEN, AT)
    assert told.refusal is Refusal.EMERGENCY


def test_an_emergency_drives_a_dead_motor_a_few_times_only() -> None:
    """Fault 77 in a fire: tries are counted; a new emergency counts anew."""
    values: dict[str, bool | None] = {"loop": False, **QUIET, **ENDS[S.CLOSED]}
    memory, at, driven = BarrierMemory(S.CLOSED, AT, settled(values)), AT, 0
    for _ in range(400):
        at += 0.5
        memory, told = step(BARRIER, look(BARRIER, {**values, "fire": True}, at), None, memory, at)
        driven += Effect.FREE in told.effects
    assert driven == EMERGENCY_TRIES
    memory, _ = step(BARRIER, look(BARRIER, values, at + 1), None, memory, at + 1)
    memory, told = step(BARRIER, look(BARRIER, {**values, "fire": True}, at + 2), None, memory, at + 2)
    assert told.effects == (Effect.FREE,)


def test_only_an_emergency_counts_as_one() -> None:
    """Fault 77: a wish leaves the tries of a fire alone; the fire's first drive is the first of them."""
    values: dict[str, bool | None] = {"loop": False, **QUIET, **ENDS[S.CLOSED]}
    before = BarrierMemory(S.CLOSED, AT, settled(values))
    wished, _ = step(BARRIER, look(BARRIER, values), Ask.FREE, before, AT)
    fired, _ = step(BARRIER, look(BARRIER, {**values, "fire": True}), None, before, AT)
    assert (wished.state, wished.emergency, wished.tries) == (S.OPENING, False, 0)
    assert (fired.state, fired.emergency, fired.tries) == (S.OPENING, True, 1)


def test_a_detector_that_reports_its_own_fault_is_lost() -> None:
    """Fault 78: its output alone raises the alarm, whatever the loop says."""
    values: dict[str, bool | None] = {"loop": False, **QUIET, **ENDS[S.CLOSED], "loop_fault": True}
    _, told = step(BARRIER, look(BARRIER, values), None, BarrierMemory(S.CLOSED, AT, settled(values)), AT)
    assert {alarm.code for alarm in told.alarms} == {AlarmCode.LOOP_LOST}


def test_without_an_open_switch_the_travel_time_says_when_it_is_open() -> None:
    """Fault 77: but only when the arm has left its closed end."""
    bare = without(BARRIER, arm_open=None)
    values: dict[str, bool | None] = {"loop": False, **QUIET}
    opening = BarrierMemory(S.OPENING, AT - 7.9, settled({**values, "arm_closed": False}))
    memory, _ = step(bare, look(bare, {**values, "arm_closed": False}), None, opening, AT)
    assert memory.state is S.OPENING
    memory, _ = step(bare, look(bare, {**values, "arm_closed": False}, AT + 0.2), None, memory, AT + 0.2)
    assert memory.state is S.OPEN
    memory, _ = step(bare, look(bare, {**values, "arm_closed": False}, AT + 1), None, memory, AT + 1)
    assert memory.state is S.OPEN
    stuck, told = step(bare, look(bare, {**values, "arm_closed": True}), None, replace(opening, since=AT - 8), AT)
    assert (stuck.state, told.effects) == (S.FAILED, (Effect.STOP,))


def test_a_wish_is_done_under_way_or_superseded() -> None:
    """Contract of commands: done means seen by a switch, and a later wish ends an earlier one."""
    assert outcome(Ask.FREE, OPEN) is True
    assert outcome(Ask.BLOCK, CLOSING) is False
    assert outcome(Ask.FREE, replace(CLOSING, why=None)) is Refusal.SUPERSEDED
    _, told = happen(S.OPENING, E.ASK_CLOSE)
    assert told.refusal is Refusal.ARM_MOVING


def test_a_fault_of_the_drive_alone_calls_somebody() -> None:
    """Fault 77: its contact says so although both ends are well."""
    quiet: dict[str, bool | None] = {"loop": False, **QUIET, **ENDS[S.OPEN]}
    before = BarrierMemory(S.OPEN, AT - 60.0, settled(quiet))
    _, told = step(BARRIER, look(BARRIER, quiet), None, before, AT)
    assert Alarm(AlarmCode.BARRIER_FAULT, "gate") not in told.alarms
    _, told = step(BARRIER, look(BARRIER, {**quiet, "fault": True}), None, before, AT)
    assert Alarm(AlarmCode.BARRIER_FAULT, "gate") in told.alarms


def test_what_turned_an_arm_round_is_told_with_its_cause() -> None:
    """Fault 76: from where to where, and why."""
    _, told = happen(S.CLOSING, E.BLOCKED)
    (fact,) = told.facts
    assert fact.type is EventType.ACCESS_OBSTRUCTED
    assert dict(fact.data) == {"barrierId": "gate", "from": "closing", "to": "opening", "cause": "blocked"}
    _, told = happen(S.OPENING, E.AT_OPEN)
    (fact,) = told.facts
    assert (fact.type, dict(fact.data)) == (
        EventType.ACCESS_OPENED,
        {"barrierId": "gate", "from": "opening", "to": "open"},
    )

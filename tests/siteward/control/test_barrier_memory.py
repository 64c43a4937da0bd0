"""I11, faults 76, 77: what each event leaves in the memory of a barrier, and what is told of it, field by field."""

from __future__ import annotations

import pytest

from siteward.control.arm import ArmFact, Ask
from siteward.control.barrier import BarrierMemory, BarrierState
from siteward.control.barrier import outcome as barrier_outcome
from siteward.control.barrier import step as barrier_step
from siteward.control.sight import Watched
from siteward.model.alarms import AlarmCode
from siteward.model.events import EventType
from siteward.model.refusals import Refusal
from tests.siteward.control.arms import AT, BARRIER, QUIET, Left, left, look, settled

Values = dict[str, bool | None]
B = BarrierState
FIRE: Values = {"fire": True}
FREE_LOOP: Values = QUIET | {"loop": False, "arm_open": False, "arm_closed": False}
OPEN: Values = {"arm_open": True}
CLOSED: Values = {"arm_closed": True}


NOW = {"since": AT}


def barred(state: BarrierState, now: Values | None = None, ask: Ask | None = None, **more: object) -> Left:
    """What one look left of a barrier that has been so for 2 s."""
    before = BarrierMemory(state, AT - 2.0, settled(FREE_LOOP), **more)  # type: ignore[arg-type]
    return left(before, *barrier_step(BARRIER, look(BARRIER, FREE_LOOP | (now or {})), ask, before, AT))


def barrier_fact(kind: EventType, before: BarrierState, after: BarrierState, **more: object) -> tuple[ArmFact, ...]:
    """A fact of the barrier."""
    return (ArmFact(kind, {"barrierId": "gate", "from": before.value, "to": after.value} | more),)


BARRIER_MOVES: list[
    tuple[BarrierState, Values, Ask | None, dict[str, object], dict[str, object], tuple[ArmFact, ...]]
] = [
    (B.UNKNOWN, CLOSED, None, {"why": Refusal.OBSTRUCTED}, {"state": B.CLOSED} | NOW, ()),
    (B.CLOSED, OPEN, None, {}, {"state": B.OPEN} | NOW, barrier_fact(EventType.ACCESS_FORCED, B.CLOSED, B.OPEN)),
    (B.CLOSED, {}, None, {}, {"state": B.STOPPED} | NOW, barrier_fact(EventType.ACCESS_FORCED, B.CLOSED, B.STOPPED)),
    (B.OPEN, CLOSED, None, {}, {"state": B.CLOSED} | NOW, barrier_fact(EventType.ACCESS_FORCED, B.OPEN, B.CLOSED)),
    (B.OPEN, {}, None, {"why": Refusal.OBSTRUCTED}, {"state": B.STOPPED} | NOW, ()),
    (B.OPEN, OPEN, Ask.BLOCK, {"why": Refusal.OBSTRUCTED}, {"state": B.CLOSING, "why": None} | NOW, ()),
    (B.CLOSED, CLOSED, Ask.FREE, {"why": Refusal.OBSTRUCTED}, {"state": B.OPENING, "why": None} | NOW, ()),
    (
        B.OPENING,
        OPEN,
        None,
        {"why": Refusal.OBSTRUCTED},
        {"state": B.OPEN, "why": None} | NOW,
        barrier_fact(EventType.ACCESS_OPENED, B.OPENING, B.OPEN),
    ),
    (
        B.CLOSING,
        CLOSED,
        None,
        {"unproven": 2, "why": Refusal.OBSTRUCTED},
        {"state": B.CLOSED, "unproven": 3, "why": None} | NOW,
        barrier_fact(EventType.ACCESS_CLOSED, B.CLOSING, B.CLOSED),
    ),
    (
        B.CLOSING,
        CLOSED,
        None,
        {"unproven": 2, "vehicle_seen": True},
        {"state": B.CLOSED, "unproven": 0, "vehicle_seen": False} | NOW,
        barrier_fact(EventType.ACCESS_CLOSED, B.CLOSING, B.CLOSED),
    ),
    (
        B.CLOSING,
        {"loop": True},
        None,
        {"unproven": 2},
        {"state": B.OPENING, "why": Refusal.OBSTRUCTED, "unproven": 0, "vehicle_seen": True} | NOW,
        barrier_fact(EventType.ACCESS_OBSTRUCTED, B.CLOSING, B.OPENING, cause="blocked"),
    ),
    (
        B.CLOSING,
        {"fault": True},
        None,
        {},
        {"state": B.FAILED, "why": Refusal.ARM_FAULTED} | NOW,
        barrier_fact(EventType.ACCESS_FAILED, B.CLOSING, B.FAILED, cause="fault"),
    ),
    (
        B.CLOSED,
        CLOSED | FIRE,
        None,
        {},
        {"state": B.OPENING, "why": Refusal.EMERGENCY, "emergency": True, "tries": 1} | NOW,
        barrier_fact(EventType.ACCESS_EMERGENCY, B.CLOSED, B.OPENING, cause="emergency"),
    ),
    (
        B.FAILED,
        FIRE,
        None,
        {"emergency": True, "tries": 2},
        {"state": B.OPENING, "why": Refusal.EMERGENCY, "tries": 3} | NOW,
        barrier_fact(EventType.ACCESS_EMERGENCY, B.FAILED, B.OPENING, cause="emergency"),
    ),
    (B.FAILED, FIRE, None, {"emergency": True, "tries": 3}, {"state": B.FAILED}, ()),
    (B.FAILED, {}, None, {"emergency": True, "tries": 3}, {"state": B.FAILED, "emergency": False, "tries": 0}, ()),
    (B.OPEN, OPEN | {"loop": True}, None, {"unproven": 4}, {"state": B.OPEN, "unproven": 0, "vehicle_seen": True}, ()),
    (B.OPEN, OPEN, None, {"unproven": 4, "why": Refusal.OBSTRUCTED}, {"state": B.OPEN}, ()),
]


@pytest.mark.parametrize(
    ("state", "now", "code"),
    [
        (B.OPEN, OPEN | {"fault": True}, AlarmCode.BARRIER_FAULT),
        (B.OPEN, OPEN | CLOSED, AlarmCode.BARRIER_FAULT),
        (B.FAILED, {}, AlarmCode.BARRIER_FAULT),
        (B.OPEN, OPEN | {"power": False}, AlarmCode.ACCESS_EMERGENCY),
        (B.OPEN, OPEN | FIRE, AlarmCode.ACCESS_EMERGENCY),
        (B.OPEN, OPEN | {"loop_fault": True}, AlarmCode.LOOP_LOST),
        (B.OPEN, OPEN, None),
        (B.OPEN, OPEN | {"fire": None, "power": None, "fault": None, "loop_fault": None}, None),
    ],
)
def test_what_stands_at_a_barrier(state: BarrierState, now: Values, code: AlarmCode | None) -> None:
    """S-20: only what is known to be wrong."""
    assert barred(state, now)[2] == ({code} if code else set())


@pytest.mark.parametrize(("role", "code"), [("loop", AlarmCode.LOOP_LOST), ("arm_closed", AlarmCode.BARRIER_FAULT)])
@pytest.mark.parametrize(("for_s", "told"), [(3.0, True), (2.9, False)])
def test_a_sensor_of_a_barrier_is_lost_after_three_seconds(
    role: str, code: AlarmCode, for_s: float, told: bool
) -> None:
    """Fault 76: one lost frame is none; its name stands with the alarm."""
    sights = settled(FREE_LOOP | OPEN) | {role: Watched(None, AT - for_s, 0)}
    before = BarrierMemory(B.OPEN, AT - 2.0, sights)
    _, found = barrier_step(BARRIER, look(BARRIER, FREE_LOOP | OPEN | {role: None}), None, before, AT)
    assert {(alarm.code, alarm.subject) for alarm in found.alarms} == ({(code, "gate")} if told else set())


@pytest.mark.parametrize(("for_s", "told"), [(BARRIER.stuck_s, True), (BARRIER.stuck_s - 0.1, False)])
def test_a_loop_that_is_occupied_for_too_long_is_stuck(for_s: float, told: bool) -> None:
    """Fault 76: nobody stands there for ever."""
    sights = settled(FREE_LOOP | OPEN) | {"loop": Watched(True, AT - for_s, 0)}
    before = BarrierMemory(B.OPEN, AT - 2.0, sights)
    _, found = barrier_step(BARRIER, look(BARRIER, FREE_LOOP | OPEN | {"loop": True}), None, before, AT)
    assert {alarm.code for alarm in found.alarms} == ({AlarmCode.LOOP_STUCK} if told else set())


@pytest.mark.parametrize(
    ("ask", "state", "result"),
    [
        (Ask.BLOCK, B.CLOSED, True),
        (Ask.BLOCK, B.CLOSING, False),
        (Ask.BLOCK, B.OPENING, Refusal.OBSTRUCTED),
        (Ask.FREE, B.OPEN, True),
        (Ask.FREE, B.OPENING, False),
        (Ask.FREE, B.CLOSED, Refusal.OBSTRUCTED),
    ],
)
def test_what_became_of_a_wish_at_a_barrier(ask: Ask, state: BarrierState, result: Refusal | bool) -> None:
    """I10: without a reason of its own another wish came between."""
    assert barrier_outcome(ask, BarrierMemory(state, why=Refusal.OBSTRUCTED)) == result
    bare = barrier_outcome(ask, BarrierMemory(state))
    assert bare == (Refusal.SUPERSEDED if result is Refusal.OBSTRUCTED else result)

"""I12, faults 76 to 78: what each event leaves in the memory of a lock, and what is told of it, field by field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from siteward.control.arm import ArmFact, Ask
from siteward.control.barrier import BarrierMemory, BarrierState
from siteward.control.barrier import step as barrier_step
from siteward.control.lock import LockMemory, LockState
from siteward.control.lock import outcome as lock_outcome
from siteward.control.lock import step as lock_step
from siteward.control.sight import Watched
from siteward.model.access import OnEmergency
from siteward.model.alarms import AlarmCode
from siteward.model.events import EventType
from siteward.model.refusals import Refusal
from tests.siteward.control.arms import AT, BARRIER, LOCK, QUIET, Left, left, look, settled
from tests.siteward.control.test_barrier_memory import BARRIER_MOVES, barred

Values = dict[str, bool | None]
L, B = LockState, BarrierState
FIRE: Values = {"fire": True}
FREE_BAY: Values = {"fault": False, "fire": False, "power": True, "bay": False, "arm_up": False, "arm_down": False}
FREE_LOOP: Values = QUIET | {"loop": False, "arm_open": False, "arm_closed": False}
UP: Values = {"arm_up": True}
DOWN: Values = {"arm_down": True}
CLOSED: Values = {"arm_closed": True}


def locked(state: LockState, now: Values | None = None, ask: Ask | None = None, **more: object) -> Left:
    """What one look left of a lock that has been so for 2 s."""
    before = LockMemory(state, AT - 2.0, settled(FREE_BAY), **more)  # type: ignore[arg-type]
    return left(before, *lock_step(LOCK, look(LOCK, FREE_BAY | (now or {})), ask, before, AT))


def lock_fact(kind: EventType, before: LockState, after: LockState, **more: object) -> tuple[ArmFact, ...]:
    """A fact of the lock."""
    return (ArmFact(kind, {"lockId": "bay-1", "from": before.value, "to": after.value} | more),)


WISH = {"wanted_up": True, "wanted_at": AT - 9.0}
NOW = {"since": AT}

LOCK_MOVES: list[tuple[LockState, Values, Ask | None, dict[str, object], dict[str, object], tuple[ArmFact, ...]]] = [
    (L.UNKNOWN, UP, None, {"why": Refusal.ARM_TIMEOUT}, {"state": L.UP, "since": AT, "why": None}, ()),
    (L.DOWN, {}, None, {}, {"state": L.STOPPED} | NOW, lock_fact(EventType.ACCESS_FORCED, L.DOWN, L.STOPPED)),
    (L.DOWN, UP, None, {}, {"state": L.UP} | NOW, lock_fact(EventType.ACCESS_FORCED, L.DOWN, L.UP)),
    (L.UP, DOWN, None, {}, {"state": L.DOWN} | NOW, lock_fact(EventType.ACCESS_FORCED, L.UP, L.DOWN)),
    (L.UP, {}, None, {}, {"state": L.STOPPED} | NOW, lock_fact(EventType.ACCESS_FORCED, L.UP, L.STOPPED)),
    (L.STOPPED, UP, None, {}, {"state": L.UP} | NOW, ()),
    (L.STOPPED, DOWN, None, {}, {"state": L.DOWN} | NOW, ()),
    (
        L.DOWN,
        DOWN,
        Ask.BLOCK,
        {"why": Refusal.OBSTRUCTED, "hindered": 2, "gave_up": True, "wanted_at": 5.0},
        {"state": L.RAISING, "why": None, "hindered": 0, "gave_up": False, "wanted_up": True, "wanted_at": AT} | NOW,
        (),
    ),
    (
        L.DOWN,
        DOWN,
        None,
        WISH | {"hindered": 1, "why": Refusal.OBSTRUCTED},
        {"state": L.RAISING} | NOW,
        (),
    ),
    (
        L.RAISING,
        UP,
        None,
        WISH | {"hindered": 1, "gave_up": True, "why": Refusal.OBSTRUCTED},
        {"state": L.UP, "wanted_up": False, "hindered": 0, "gave_up": False, "why": None} | NOW,
        lock_fact(EventType.ACCESS_RAISED, L.RAISING, L.UP),
    ),
    (
        L.RAISING,
        {"bay": True},
        None,
        WISH,
        {"state": L.LOWERING, "why": Refusal.OBSTRUCTED, "wanted_at": AT, "hindered": 1} | NOW,
        lock_fact(EventType.ACCESS_OBSTRUCTED, L.RAISING, L.LOWERING, cause="blocked"),
    ),
    (
        L.RAISING,
        {"bay": True},
        None,
        WISH | {"hindered": 1},
        {"state": L.LOWERING, "why": Refusal.OBSTRUCTED, "wanted_at": AT, "hindered": 2}
        | {"wanted_up": False, "gave_up": True}
        | NOW,
        lock_fact(EventType.ACCESS_OBSTRUCTED, L.RAISING, L.LOWERING, cause="blocked"),
    ),
    (
        L.RAISING,
        {"fault": True},
        None,
        WISH | {"gave_up": True},
        {"state": L.LOWERING, "why": Refusal.ARM_FAULTED, "wanted_at": AT, "hindered": 1, "gave_up": False} | NOW,
        lock_fact(EventType.ACCESS_OBSTRUCTED, L.RAISING, L.LOWERING, cause="fault"),
    ),
    (
        L.RAISING,
        {},
        Ask.FREE,
        WISH | {"hindered": 1, "gave_up": True, "why": Refusal.OBSTRUCTED},
        {"state": L.LOWERING, "wanted_up": False, "hindered": 0, "gave_up": False, "why": None} | NOW,
        (),
    ),
    (
        L.LOWERING,
        DOWN,
        None,
        WISH | {"hindered": 1, "why": Refusal.OBSTRUCTED},
        {"state": L.DOWN} | NOW,
        lock_fact(EventType.ACCESS_LOWERED, L.LOWERING, L.DOWN),
    ),
    (
        L.LOWERING,
        {"fault": True},
        None,
        WISH | {"hindered": 1},
        {"state": L.FAILED, "why": Refusal.ARM_FAULTED, "wanted_up": False} | NOW,
        lock_fact(EventType.ACCESS_FAILED, L.LOWERING, L.FAILED, cause="fault"),
    ),
    (
        L.UP,
        UP | FIRE,
        None,
        {"why": Refusal.OBSTRUCTED},
        {"state": L.LOWERING, "why": Refusal.EMERGENCY, "emergency": True, "tries": 1} | NOW,
        lock_fact(EventType.ACCESS_EMERGENCY, L.UP, L.LOWERING, cause="emergency"),
    ),
    (
        L.FAILED,
        FIRE,
        None,
        {"emergency": True, "tries": 1},
        {"state": L.LOWERING, "why": Refusal.EMERGENCY, "tries": 2} | NOW,
        lock_fact(EventType.ACCESS_EMERGENCY, L.FAILED, L.LOWERING, cause="emergency"),
    ),
    (L.DOWN, DOWN | FIRE, None, WISH | {"hindered": 1}, {"state": L.DOWN, "wanted_up": False, "hindered": 0}, ()),
    (L.FAILED, FIRE, None, {"emergency": True, "tries": 3}, {"state": L.FAILED}, ()),
    (L.FAILED, {}, None, {"emergency": True, "tries": 3}, {"state": L.FAILED, "emergency": False, "tries": 0}, ()),
    (L.FAILED, {}, None, {"emergency": False, "tries": 3}, {"state": L.FAILED, "tries": 0}, ()),
    (L.FAILED, {}, None, {"why": Refusal.ARM_TIMEOUT}, {"state": L.FAILED}, ()),
]


MOVES = [*((barred, *move) for move in BARRIER_MOVES), *((locked, *move) for move in LOCK_MOVES)]


@pytest.mark.parametrize(("seen", "state", "now", "ask", "held", "after", "facts"), MOVES)
def test_what_an_event_leaves_of_an_arm(
    seen: Callable[..., Left],
    state: BarrierState | LockState,
    now: Values,
    ask: Ask | None,
    held: dict[str, object],
    after: dict[str, object],
    facts: tuple[ArmFact, ...],
) -> None:
    """I11, I12: what its loop proved, its wish, its hindrances, why it is where it is, and one fact at most."""
    changed, told, _ = seen(state, now, ask, **held)
    assert (changed, told) == (after, facts)


@pytest.mark.parametrize(
    ("hindered", "wanted_s", "wanted", "state", "gives_up"),
    [
        (1, 120.0, True, L.STOPPED, True),
        (1, 119.9, True, L.STOPPED, False),
        (0, 300.0, True, L.STOPPED, False),
        (1, 300.0, False, L.STOPPED, False),
        (1, 300.0, True, L.LOWERING, False),
    ],
)
def test_a_retry_whose_bay_never_is_free_is_given_up(
    hindered: int, wanted_s: float, wanted: bool, state: LockState, gives_up: bool
) -> None:
    """I12: two minutes after its last hindrance, told as such."""
    more = {"hindered": hindered, "wanted_up": wanted, "wanted_at": AT - wanted_s}
    changed, facts, alarms = locked(state, {"bay": True}, **more)
    assert changed == ({"state": state, "wanted_up": False, "gave_up": True} if gives_up else {"state": state})
    assert facts == (lock_fact(EventType.ACCESS_FAILED, state, state, cause="retry") if gives_up else ())
    assert (AlarmCode.LOCK_OBSTRUCTED in alarms) is gives_up


def test_giving_up_is_told_before_what_happens_in_the_same_look() -> None:
    """I12: both are facts."""
    more = {"hindered": 1, "wanted_up": True, "wanted_at": AT - 200.0}
    _, facts, _ = locked(L.UP, DOWN, **more)
    assert [fact.type for fact in facts] == [EventType.ACCESS_FAILED, EventType.ACCESS_FORCED]


@pytest.mark.parametrize(
    ("state", "now", "code"),
    [
        (L.UP, UP | {"fault": True}, AlarmCode.LOCK_FAULT),
        (L.UP, UP | DOWN, AlarmCode.LOCK_FAULT),
        (L.FAILED, {}, AlarmCode.LOCK_FAULT),
        (L.DOWN, DOWN | {"power": False}, AlarmCode.ACCESS_EMERGENCY),
        (L.DOWN, DOWN | FIRE, AlarmCode.ACCESS_EMERGENCY),
        (L.DOWN, DOWN, None),
        (L.DOWN, DOWN | {"fire": None, "power": None, "fault": None}, None),
    ],
)
def test_what_stands_at_a_lock(state: LockState, now: Values, code: AlarmCode | None) -> None:
    """S-20: only what is known to be wrong."""
    assert locked(state, now)[2] == ({code} if code else set())


LOST = [
    ("bay", AlarmCode.BAY_SENSOR_LOST),
    ("arm_up", AlarmCode.LOCK_FAULT),
    ("arm_down", AlarmCode.LOCK_FAULT),
    ("fault", None),
]


@pytest.mark.parametrize(("role", "code"), LOST)
@pytest.mark.parametrize(("for_s", "told"), [(3.0, True), (2.9, False)])
def test_a_sensor_is_lost_after_three_seconds(role: str, code: AlarmCode | None, for_s: float, told: bool) -> None:
    """Fault 76: an unknown reading alone is none."""
    sights = settled(FREE_BAY | DOWN) | {role: Watched(None, AT - for_s, 0)}
    after, found = lock_step(
        LOCK, look(LOCK, FREE_BAY | DOWN | {role: None}), None, LockMemory(L.STOPPED, AT - 2.0, sights), AT
    )
    assert after.sights[role].value is None
    assert {alarm.code for alarm in found.alarms} == ({code} if told and code else set())
    assert all(alarm.subject == "bay-1" for alarm in found.alarms)


@pytest.mark.parametrize(
    ("ask", "state", "wanted", "result"),
    [
        (Ask.BLOCK, L.UP, False, True),
        (Ask.BLOCK, L.RAISING, False, False),
        (Ask.BLOCK, L.DOWN, True, False),
        (Ask.BLOCK, L.DOWN, False, Refusal.OBSTRUCTED),
        (Ask.FREE, L.DOWN, False, True),
        (Ask.FREE, L.LOWERING, False, False),
        (Ask.FREE, L.STOPPED, True, Refusal.OBSTRUCTED),
    ],
)
def test_what_became_of_a_wish_at_a_lock(ask: Ask, state: LockState, wanted: bool, result: Refusal | bool) -> None:
    """I10: without a reason of its own another wish came between."""
    memory = LockMemory(state, wanted_up=wanted, why=Refusal.OBSTRUCTED)
    assert lock_outcome(ask, memory) == result
    bare = lock_outcome(ask, replace(memory, why=None))
    assert bare == (Refusal.SUPERSEDED if result is Refusal.OBSTRUCTED else result)


@pytest.mark.parametrize("on_fire", list(OnEmergency))
@pytest.mark.parametrize("on_power_loss", list(OnEmergency))
def test_each_arm_answers_an_emergency_as_configured(on_fire: OnEmergency, on_power_loss: OnEmergency) -> None:
    """Fault 78: fire and power each by its own word."""
    for now, word in ((FIRE, on_fire), ({"power": False}, on_power_loss)):
        frees = word is OnEmergency.FREE
        lock = replace(LOCK, on_fire=on_fire, on_power_loss=on_power_loss)
        after, _ = lock_step(
            lock, look(lock, FREE_BAY | UP | now), None, LockMemory(L.UP, AT - 2.0, settled(FREE_BAY | UP)), AT
        )
        assert (after.state is L.LOWERING) is frees
        gate = replace(BARRIER, on_fire=on_fire, on_power_loss=on_power_loss)
        held = BarrierMemory(B.CLOSED, AT - 2.0, settled(FREE_LOOP | CLOSED))
        opened, _ = barrier_step(gate, look(gate, FREE_LOOP | CLOSED | now), None, held, AT)
        assert (opened.state is B.OPENING) is frees

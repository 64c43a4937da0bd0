"""Arms under any sequence of vehicles, lost readings, broken cables and wishes, judged by the simulator (I11, I12)."""

from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from siteward.control import barrier, lock
from siteward.control.arm import Ask, Effect
from siteward.model.points import InputReading, PointName
from siteward_drivers.sim.arms import SimArm, barrier_arm, lock_arm

from .arms import BARRIER, LOCK

POLL_S = 0.1
WRITE_S = 0.05
LIMIT_S = 0.3


@dataclass(frozen=True, slots=True)
class Happening:
    """What the world does for some time: who stands there, what is cut, whether readings come, who asks."""

    for_s: float
    occupied: bool
    cut: frozenset[str]
    silent: bool
    ask: Ask | None
    fire: bool
    jammed: bool


HAPPENINGS = st.lists(
    st.builds(
        Happening,
        for_s=st.sampled_from([0.1, 0.2, 0.5, 1.1, 2.5, 5.5]),
        occupied=st.booleans(),
        cut=st.frozensets(st.sampled_from(["loop", "bay", "arm_closed", "arm_up"]), max_size=1),
        silent=st.sampled_from([False, False, False, True]),
        ask=st.sampled_from([None, Ask.FREE, Ask.BLOCK, Ask.BLOCK]),
        fire=st.sampled_from([False, False, False, True]),
        jammed=st.sampled_from([False, False, True]),
    ),
    min_size=3,
    max_size=15,
)


def readings(arm: SimArm, at: float) -> dict[PointName, InputReading]:
    """What a poll finds now."""
    return {c.point: InputReading(c.point, arm.contact(role), at) for role, c in arm.contacts.items()}


def drive(arm: SimArm, effects: tuple[Effect, ...], at: float) -> None:
    """Pulses as an output makes them, one write after the other."""
    points = {Effect.STOP: arm.motion.stop, Effect.FREE: arm.motion.free, Effect.BLOCK: arm.motion.block}
    for effect in effects:
        point = points.get(effect)
        if point is not None:
            at += WRITE_S
            arm.relay(point, True, at)
            arm.relay(point, False, at)


@settings(max_examples=100, deadline=None)
@given(HAPPENINGS)
def test_no_barrier_ever_goes_on_closing_onto_a_vehicle(story: list[Happening]) -> None:
    """I11: nothing begins onto an occupied loop, and what comes below a closing arm is free again within 0.3 s."""
    arm, memory, at = barrier_arm(BARRIER, travel_s=3.0), barrier.BarrierMemory(), 100.0
    seen: dict[PointName, InputReading] = {}
    for part in story:
        arm.occupy(part.occupied, at)
        arm.cut, arm.flags["fire"] = set(part.cut) & set(arm.contacts), part.fire
        arm.jammed_at = 0.5 if part.jammed else None
        ask, until = part.ask, at + part.for_s
        while at < until:
            arm.advance(at)
            if not part.silent:
                seen = readings(arm, at)
            memory, told = barrier.step(BARRIER, seen, ask, memory, at)
            if Effect.BLOCK in told.effects:
                # Who comes in the age of a reading is met like who comes right after the start.
                assert part.silent or not arm.occupied
                assert at - seen[BARRIER.loop.point].sent_at <= LIMIT_S
            drive(arm, told.effects, at)
            at, ask = at + POLL_S, None
    arm.advance(at)
    bound = LIMIT_S if not any(p.silent for p in story) else LIMIT_S + LIMIT_S + POLL_S + 2 * WRITE_S
    assert arm.truth.onto_s <= bound
    assert arm.truth.both == 0


QUIET = Happening(6.0, False, frozenset(), False, None, False, False)
RISES = st.builds(
    lambda rising_s, story: [QUIET, replace(QUIET, for_s=rising_s, ask=Ask.BLOCK), *story],
    st.sampled_from([0.3, 0.9, 1.7, 2.5]),
    HAPPENINGS,
)
"""An empty bay for long enough, a rise, and then anything: else a lock would hardly ever be on its way."""


@settings(max_examples=100, deadline=None)
@given(RISES)
def test_no_lock_ever_goes_on_rising_under_a_car(story: list[Happening]) -> None:
    """I12: no rise within 5 s of a change, lowered within 0.3 s, and never more than two rises a wish."""
    arm, memory, at = lock_arm(LOCK, travel_s=3.0), lock.LockMemory(), 100.0
    seen: dict[PointName, InputReading] = {}
    changed_at, rises, shown = at, 0, arm.occupied
    for part in story:
        arm.occupy(part.occupied, at)
        arm.cut, arm.flags["fire"] = set(part.cut) & set(arm.contacts), part.fire
        arm.jammed_at = 0.5 if part.jammed else None
        ask, until = part.ask, at + part.for_s
        rises = 0 if ask is Ask.BLOCK else rises
        while at < until:
            arm.advance(at)
            if not part.silent:
                seen = readings(arm, at)
                # A change counts from when the sensor showed it: what came and went unseen nobody could have told.
                changed_at, shown = (changed_at if shown is arm.occupied else at), arm.occupied
            memory, told = lock.step(LOCK, seen, ask, memory, at)
            if Effect.BLOCK in told.effects:
                rises += 1
                assert part.silent or (not arm.occupied and at - changed_at >= lock.SETTLED_S - 1e-6)
                assert at - seen[LOCK.bay.point].sent_at <= LIMIT_S
            assert rises <= 1 + lock.RETRIES
            drive(arm, told.effects, at)
            at, ask = at + POLL_S, None
    arm.advance(at)
    bound = LIMIT_S if not any(p.silent for p in story) else LIMIT_S + LIMIT_S + POLL_S + 2 * WRITE_S
    assert arm.truth.onto_s <= bound


@settings(max_examples=50, deadline=None)
@given(HAPPENINGS)
def test_the_tables_are_deterministic(story: list[Happening]) -> None:
    """Law 2: the same inputs lead to the same effects."""
    runs = []
    for _ in range(2):
        arm, memory, at, told = barrier_arm(BARRIER), barrier.BarrierMemory(), 100.0, []
        for part in story:
            arm.occupy(part.occupied, at)
            memory, step = barrier.step(replace(BARRIER), readings(arm, at), part.ask, memory, at)
            drive(arm, step.effects, at)
            told.append(step)
            at += part.for_s
        runs.append((memory, told))
    assert runs[0] == runs[1]

"""Barriers and locks side by side: who may ask for what, a step of any arm, what its effects mean at the outputs."""

from dataclasses import dataclass
from enum import StrEnum

from siteward.control import barrier as barriers
from siteward.control import lock as locks
from siteward.control.arm import Ask, Effect, Told
from siteward.control.barrier import BarrierMemory
from siteward.control.lock import LockMemory
from siteward.control.sight import FRESH_S, Readings, value
from siteward.model.access import Barrier, DriveKind, Lock, Motion
from siteward.model.live import ArmKind, ArmView
from siteward.model.points import Drive
from siteward.model.refusals import Refusal
from siteward.model.requests import CommandName, Request, Role, Source
from siteward.model.site import Site

Arm = Barrier | Lock
ArmMemory = BarrierMemory | LockMemory

ASKS: dict[CommandName, Ask] = {
    CommandName.OPEN_BARRIER: Ask.FREE,
    CommandName.CLOSE_BARRIER: Ask.BLOCK,
    CommandName.LOWER_LOCK: Ask.FREE,
    CommandName.RAISE_LOCK: Ask.BLOCK,
}
"""The commands of this room and what they want."""

_BARRIERS = (CommandName.OPEN_BARRIER, CommandName.CLOSE_BARRIER)


class Phase(StrEnum):
    """How far a wish got after a step."""

    UNDER_WAY = "under_way"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Wish:
    """A request that was let through: the arm's id and what is wanted of it."""

    arm: str
    ask: Ask


def arms_of(site: Site) -> tuple[Arm, ...]:
    """Every arm of the site, barriers first."""
    return (*site.barriers, *site.locks)


def judge(site: Site, request: Request, at: float, clock_trusted: bool) -> Wish | Refusal:
    """Whether a request may be tried at all; `at` is boot-time s. The sensors are asked in the arm's own step."""
    if request.deadline is not None:
        if at >= request.deadline:
            return Refusal.EXPIRED
        if request.source is Source.CLOUD and not clock_trusted:
            return Refusal.CLOCK_UNTRUSTED
    if request.actor is not None and request.actor.role is Role.VIEWER:
        return Refusal.NOT_AUTHORISED
    if request.target is None:
        return Refusal.BAD_PARAMS
    arm = _target(site, request.name, request.target)
    return Refusal.UNKNOWN_TARGET if arm is None else Wish(arm, ASKS[request.name])


def _target(site: Site, name: CommandName, target: str) -> str | None:
    """A barrier by its id; a lock by its own or by that of its connector."""
    if name in _BARRIERS:
        return next((b.id for b in site.barriers if b.id == target), None)
    return next((k.id for k in site.locks if target in (k.id, k.connector)), None)


def fresh_memory(arm: Arm) -> ArmMemory:
    """What is known of an arm after a start: nothing (I11)."""
    return BarrierMemory() if isinstance(arm, Barrier) else LockMemory()


def step(arm: Arm, readings: Readings, ask: Ask | None, memory: ArmMemory, at: float) -> tuple[ArmMemory, Told]:
    """One step of an arm's own table."""
    if isinstance(arm, Barrier) and isinstance(memory, BarrierMemory):
        return barriers.step(arm, readings, ask, memory, at)
    if isinstance(arm, Lock) and isinstance(memory, LockMemory):
        return locks.step(arm, readings, ask, memory, at)
    raise TypeError(f"{arm.id} and its memory are of different kinds")


def may_block(arm: Arm, memory: ArmMemory, at: float) -> bool:
    """Whether the arm is still on its way into the way and the way still free, by the newest step."""
    if isinstance(arm, Barrier) and isinstance(memory, BarrierMemory):
        return memory.state is barriers.BarrierState.CLOSING and barriers.may_close(arm, memory, at)
    if isinstance(memory, LockMemory):
        return memory.state is locks.LockState.RAISING and locks.may_raise(memory, at)
    return False


def watchful(memory: ArmMemory) -> bool:
    """Whether the inputs are to be read every 100 ms: something moves, or waits to."""
    return memory.moving or (isinstance(memory, LockMemory) and memory.wanted_up)


def view(arm: Arm, memory: ArmMemory, at: float) -> ArmView:
    """The arm as people and platforms see it at an instant (boot-time s)."""
    sights = memory.sights
    return ArmView(
        id=arm.id,
        name=arm.name,
        kind=ArmKind.BARRIER if isinstance(arm, Barrier) else ArmKind.LOCK,
        state=memory.state.value,
        occupied=value(sights, "loop" if isinstance(arm, Barrier) else "bay"),
        blocked=_blocked(arm, memory, at),
        why=memory.why,
        waits=isinstance(memory, LockMemory) and memory.wanted_up and not memory.moving,
        emergency=value(sights, "fire") is True or value(sights, "power") is False,
        connector=arm.connector if isinstance(arm, Lock) else None,
    )


def _blocked(arm: Arm, memory: ArmMemory, at: float) -> Refusal | None:
    if isinstance(arm, Barrier) and isinstance(memory, BarrierMemory):
        return barriers.refused(arm, memory, Ask.BLOCK, at)
    return locks.refused(memory, Ask.BLOCK, at) if isinstance(memory, LockMemory) else None


def outcome(ask: Ask, memory: ArmMemory) -> tuple[Phase, Refusal | None]:
    """What became of an accepted wish, with the code of a failure."""
    found = barriers.outcome(ask, memory) if isinstance(memory, BarrierMemory) else locks.outcome(ask, memory)
    if isinstance(found, Refusal):
        return Phase.FAILED, found
    return (Phase.DONE if found else Phase.UNDER_WAY), None


def commands(motion: Motion, effects: tuple[Effect, ...], since_s: float, deadline: float) -> tuple[Drive, ...]:
    """The output commands of a step's effects; `since_s` is how long the state before them lasted.

    An arm that turns round early still hears the pulse that blocks: it is ended before the one that frees begins, for
    no drive may be told both at once.
    """
    found: list[Drive] = []
    turns = effects == (Effect.STOP, Effect.FREE) and motion.kind is DriveKind.PULSE
    for effect in effects:
        if turns and effect is Effect.FREE and since_s < motion.pulse_s + FRESH_S:
            found.append(Drive(motion.block, on=False))
        found += drives(motion, effect, deadline)
    return tuple(found)


def drives(motion: Motion, effect: Effect, deadline: float) -> tuple[Drive, ...]:
    """The output commands of an effect, in order; only the one into the way is risky and ends at the deadline."""
    if motion.kind is DriveKind.PULSE:
        return _pulses(motion, effect, deadline)
    off_free, off_block = Drive(motion.free, on=False), Drive(motion.block, on=False)
    if effect is Effect.FREE:
        return off_block, Drive(motion.free, on=True)
    if effect is Effect.BLOCK:
        return off_free, Drive(motion.block, on=True, risky=True, deadline=deadline)
    halt = () if motion.stop is None or effect is Effect.REST else (Drive(motion.stop, True, motion.pulse_s),)
    return off_block, off_free, *halt


def _pulses(motion: Motion, effect: Effect, deadline: float) -> tuple[Drive, ...]:
    if effect is Effect.FREE:
        return (Drive(motion.free, on=True, pulse_s=motion.pulse_s),)
    if effect is Effect.BLOCK:
        return (Drive(motion.block, on=True, pulse_s=motion.pulse_s, risky=True, deadline=deadline),)
    if effect is Effect.STOP and motion.stop is not None:
        return (Drive(motion.stop, on=True, pulse_s=motion.pulse_s),)
    return ()

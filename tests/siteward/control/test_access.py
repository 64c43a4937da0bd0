"""Who may ask an arm for what, and what its effects mean at the outputs: order, interlock, risk (I11, law 1)."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from siteward.control.access import Wish, commands, drives, fresh_memory, judge, may_block, step, view
from siteward.control.arm import Ask, Effect
from siteward.control.barrier import BarrierMemory, BarrierState
from siteward.control.lock import LockMemory, LockState
from siteward.model.access import DriveKind
from siteward.model.ids import CommandId, ConnectorId
from siteward.model.live import ArmKind
from siteward.model.points import Drive, InputReading
from siteward.model.refusals import Refusal
from siteward.model.requests import Actor, CommandName, Request, Role, Source
from siteward_drivers.sim.arms import barrier_arm, lock_arm
from tests.fixtures.sites import two_connector_site

from .arms import AT, BARRIER, LOCK, MOTION, QUIET, look, settled

BAY = replace(LOCK, connector=ConnectorId("A1"))
SITE = replace(two_connector_site(), barriers=(BARRIER,), locks=(BAY,))
TURN = (Effect.STOP, Effect.FREE)


def request(name: CommandName = CommandName.OPEN_BARRIER, target: str | None = "gate") -> Request:
    """What the platform would send, without an expiry."""
    return Request(CommandId("c1"), name, Source.CLOUD, AT, datetime(2026, 3, 1, tzinfo=UTC), target)


@pytest.mark.parametrize(
    ("name", "target", "wish"),
    [
        (CommandName.OPEN_BARRIER, "gate", Wish("gate", Ask.FREE)),
        (CommandName.CLOSE_BARRIER, "gate", Wish("gate", Ask.BLOCK)),
        (CommandName.LOWER_LOCK, "bay-1", Wish("bay-1", Ask.FREE)),
        (CommandName.RAISE_LOCK, "A1", Wish("bay-1", Ask.BLOCK)),
        (CommandName.RAISE_LOCK, "gate", Refusal.UNKNOWN_TARGET),
        (CommandName.OPEN_BARRIER, "A1", Refusal.UNKNOWN_TARGET),
        (CommandName.OPEN_BARRIER, None, Refusal.BAD_PARAMS),
    ],
)
def test_a_target_is_a_barrier_a_lock_or_the_connector_of_a_lock(
    name: CommandName, target: str | None, wish: Wish | Refusal
) -> None:
    """Contract of commands: a name means one thing."""
    assert judge(SITE, request(name, target), AT, clock_trusted=True) == wish


def test_late_untrusted_and_unentitled_requests_are_refused() -> None:
    """I9, ruling 10: no effect after the expiry, none by an expiry that our clock cannot judge, none by a viewer."""
    ends = replace(request(), deadline=AT + 5)
    assert judge(SITE, ends, AT, clock_trusted=True) == Wish("gate", Ask.FREE)
    assert judge(SITE, ends, AT + 5, clock_trusted=True) is Refusal.EXPIRED
    assert judge(SITE, ends, AT, clock_trusted=False) is Refusal.CLOCK_UNTRUSTED
    assert judge(SITE, request(), AT, clock_trusted=False) == Wish("gate", Ask.FREE)
    viewer = replace(request(), actor=Actor("eve", Role.VIEWER))
    assert judge(SITE, viewer, AT, clock_trusted=True) is Refusal.NOT_AUTHORISED


def test_only_what_blocks_the_way_is_risky_and_ends_at_its_deadline() -> None:
    """Law 1, I11: by pulses and by levels."""
    for motion in (MOTION, replace(MOTION, kind=DriveKind.LEVEL)):
        for effect in Effect:
            for drive in commands(motion, (effect,), 60.0, AT):
                blocks = drive.point == motion.block and drive.on
                assert drive.risky is blocks
                assert (drive.deadline == AT) is blocks


def test_an_early_turn_ends_the_blocking_pulse_first() -> None:
    """I11: no drive is told both ways at once; a late turn needs no such frame."""
    off = Drive(MOTION.block, on=False)
    halt, free = Drive(MOTION.stop or MOTION.free, True, 0.3), Drive(MOTION.free, True, 0.3)
    assert commands(MOTION, TURN, 0.4, AT) == (halt, off, free)
    assert commands(MOTION, TURN, 0.7, AT) == (halt, free)
    assert commands(replace(MOTION, stop=None), TURN, 0.7, AT) == (free,)


def test_a_level_is_off_one_way_before_it_is_on_the_other() -> None:
    """I11: and off both ways at rest."""
    level = replace(MOTION, kind=DriveKind.LEVEL, stop=None)
    off_free, off_block = Drive(MOTION.free, on=False), Drive(MOTION.block, on=False)
    assert commands(level, (Effect.REST,), 9.0, AT) == (off_block, off_free)
    assert commands(level, (Effect.FREE,), 9.0, AT) == (off_block, Drive(MOTION.free, on=True))
    assert commands(level, (Effect.BLOCK,), 9.0, AT)[0] == off_free


def test_a_drive_by_levels_that_can_be_halted_is_halted_after_both_levels_fell() -> None:
    """I11: the halt is a pulse of its own; at rest nothing needs it."""
    level = replace(MOTION, kind=DriveKind.LEVEL)
    both_off = (Drive(MOTION.block, on=False), Drive(MOTION.free, on=False))
    assert MOTION.stop is not None
    assert commands(level, (Effect.STOP,), 9.0, AT) == (*both_off, Drive(MOTION.stop, True, MOTION.pulse_s))
    assert commands(level, (Effect.REST,), 9.0, AT) == both_off


def test_the_right_to_block_ends_with_the_movement_and_with_the_free_way() -> None:
    """I11: asked as the frame goes out."""
    quiet: dict[str, bool | None] = {
        "loop": False,
        "loop_fault": False,
        "fault": False,
        "fire": False,
        "power": True,
    }
    closing = BarrierMemory(BarrierState.CLOSING, AT, settled(quiet))
    assert may_block(BARRIER, closing, AT)
    assert not may_block(BARRIER, replace(closing, state=BarrierState.OPENING), AT)
    assert not may_block(BARRIER, replace(closing, sights=settled({**quiet, "loop": True})), AT)
    assert not may_block(BARRIER, fresh_memory(BARRIER), AT)


def test_an_arm_with_the_memory_of_another_kind_is_our_own_fault() -> None:
    """Law 2: told, never guessed."""
    with pytest.raises(TypeError, match="different kinds"):
        step(BARRIER, {}, None, LockMemory(), AT)


def test_the_right_to_raise_a_lock_needs_a_bay_known_to_be_free() -> None:
    """I12: asked as the frame goes out, of a lock on its way up only."""
    free: dict[str, bool | None] = {"bay": False, **QUIET}
    raising = LockMemory(LockState.RAISING, AT - 1.0, settled(free))
    assert may_block(BAY, raising, AT)
    assert not may_block(BAY, replace(raising, sights=settled({**free, "bay": True})), AT)
    assert not may_block(BAY, replace(raising, state=LockState.LOWERING), AT)


def test_a_wish_reaches_the_table_of_its_kind_from_a_fresh_memory() -> None:
    """I11, I12: an arm of which nothing is known may be freed at once, and a lock knows nothing of barriers."""
    quiet: dict[str, bool | None] = {"bay": False, "fault": False, "fire": False, "power": True}
    after, told = step(BAY, look(BAY, quiet), Ask.FREE, fresh_memory(BAY), AT)
    assert isinstance(after, LockMemory)
    assert (after.state, told.effects[-1]) == (LockState.LOWERING, Effect.FREE)
    after, told = step(BARRIER, look(BARRIER, {"loop": False, **QUIET}), Ask.FREE, fresh_memory(BARRIER), AT)
    assert isinstance(after, BarrierMemory)
    assert (after.state, told.effects[-1]) == (BarrierState.OPENING, Effect.FREE)


@pytest.mark.parametrize("occupied", [True, False, None])
@pytest.mark.parametrize(("fire", "power"), [(False, True), (True, True), (False, False), (None, None)])
def test_an_arm_is_shown_as_its_sensors_say(occupied: bool | None, fire: bool | None, power: bool | None) -> None:
    """Fault 76: people see what stands in the way, what is not known, and an emergency."""
    seen: dict[str, bool | None] = {**QUIET, "fire": fire, "power": power, "loop": occupied, "bay": occupied}
    gate = view(BARRIER, BarrierMemory(BarrierState.OPEN, AT - 60.0, settled(seen)), AT)
    bay = view(BAY, LockMemory(LockState.DOWN, AT - 60.0, settled(seen)), AT)
    assert (gate.id, gate.name, gate.kind, gate.state) == ("gate", "Gate", ArmKind.BARRIER, "open")
    assert (bay.id, bay.name, bay.kind, bay.state) == ("bay-1", "Bay 1", ArmKind.LOCK, "down")
    assert (gate.connector, bay.connector) == (None, "A1")
    for shown in (gate, bay):
        assert shown.occupied is occupied
        assert shown.emergency is (fire is True or power is False)
        assert (shown.blocked is None) is (occupied is False and not shown.emergency and fire is not None)


def test_a_lock_that_waits_for_its_bay_says_so_until_it_moves() -> None:
    """I12: it rises by itself as soon as its bay is free."""
    waiting = replace(LockMemory(LockState.DOWN, AT - 60.0, settled({"bay": True, **QUIET})), wanted_up=True)
    assert view(BAY, waiting, AT).waits
    assert not view(BAY, replace(waiting, wanted_up=False), AT).waits
    assert not view(BAY, replace(waiting, state=LockState.RAISING), AT).waits


@pytest.mark.parametrize(("dark_s", "board_too"), [(20, False), (60, False), (60, True)])
@pytest.mark.parametrize("kind", ["barrier", "lock"])
def test_power_that_comes_back_in_a_fire_frees_the_way(kind: str, dark_s: int, board_too: bool) -> None:
    """I11, I12, fault 77: a motor that had no power was not tried at all; with it, it has its tries."""
    arm, sim = (BARRIER, barrier_arm(BARRIER, 4.0)) if kind == "barrier" else (BAY, lock_arm(BAY, 4.0))
    sim.position = 1.0
    memory = fresh_memory(arm)
    for tenth in range((dark_s + 60) * 10):
        at = AT + tenth / 10.0
        dark = 50 <= tenth < dark_s * 10
        sim.flags |= {"fire": tenth >= 50, "power": not dark}
        sim.dead_motor = dark
        sim.advance(at)
        unread = dark and board_too
        found = {
            c.point: InputReading(c.point, None if unread else sim.contact(r), at) for r, c in sim.contacts.items()
        }
        memory, told = step(arm, found, None, memory, at)
        for effect in () if unread else told.effects:
            for drive in drives(arm.motion, effect, at + 1.0):
                sim.relay(drive.point, drive.on, at)
                sim.relay(drive.point, False, at)
    assert sim.position == 0.0
    assert sim.truth.onto == 0

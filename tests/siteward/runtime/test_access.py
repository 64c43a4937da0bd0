"""Barriers and locks in a whole station on simulated frames, judged by what the arms truly did (I11, I12)."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from siteward.model.access import DriveKind
from siteward.model.events import EventType
from siteward.model.refusals import Refusal
from siteward.model.requests import CommandName, Reply, Stage
from siteward.model.site import Site
from siteward_drivers.sim.arms import SimArm
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.fixtures.station import VirtualStation
from tests.siteward_drivers.inout import barrier, io_site, lock

LIMIT_S = 0.3
OPEN, CLOSE = CommandName.OPEN_BARRIER, CommandName.CLOSE_BARRIER
RAISE, LOWER = CommandName.RAISE_LOCK, CommandName.LOWER_LOCK


class Gatehouse:
    """A running station with a gate and a bay, and what a test asks about them."""

    def __init__(self, station: VirtualStation) -> None:
        self.station = station
        self.sim = station.sim

    @property
    def gate(self) -> SimArm:
        self.sim.settle()
        return self.sim.arms["gate"]

    @property
    def bay(self) -> SimArm:
        self.sim.settle()
        return self.sim.arms["bay-1"]

    async def wait(self, seconds: float) -> None:
        await self.station.run_for(seconds)

    async def ask(self, name: CommandName, target: str) -> str:
        return (await self.station.ask(name, target)).command

    def replies(self, command: str) -> list[Reply]:
        return [r for batch in self.station.journal.batches for r in batch.replies if r.command == command]

    def last(self, command: str) -> tuple[Stage, str | None]:
        replies = self.replies(command)
        return replies[-1].stage, replies[-1].code

    def facts(self) -> list[EventType]:
        found = [fact.type for batch in self.station.journal.batches for fact in batch.facts]
        return [kind for kind in found if kind.startswith("access.")]

    def alarms(self) -> set[tuple[str, str]]:
        live = self.station.station.live
        assert live is not None
        return {(alarm.code, alarm.subject) for alarm in live.alarms}


def at_the_gate(folder: Path, body: Callable[[Gatehouse], Awaitable[None]], site: Site | None = None) -> None:
    async def main(clock: VirtualClock) -> None:
        station = VirtualStation(clock, folder, site=site or io_site(), frames=True)
        await station.start(drivers=False)
        await station.run_for(8.0)
        house = Gatehouse(station)
        await body(house)
        assert house.gate.truth.both == 0
        await station.stop()

    run_virtual(main)


async def opened(house: Gatehouse) -> None:
    await house.ask(OPEN, "gate")
    await house.wait(6.0)
    assert house.gate.position == 0.0


def test_a_gate_opens_and_closes_and_says_so(tmp_path: Path) -> None:
    """Contract of commands: accepted, then done when a switch has seen it; the journal tells it."""

    async def body(house: Gatehouse) -> None:
        command = await house.ask(OPEN, "gate")
        await house.wait(6.0)
        assert [r.stage for r in house.replies(command)] == [Stage.ACCEPTED, Stage.DONE]
        assert house.gate.position == 0.0
        command = await house.ask(CLOSE, "gate")
        await house.wait(6.0)
        assert [r.stage for r in house.replies(command)] == [Stage.ACCEPTED, Stage.DONE]
        assert house.gate.position == 1.0
        assert house.facts() == [EventType.ACCESS_OPENED, EventType.ACCESS_CLOSED]

    at_the_gate(tmp_path, body)


@pytest.mark.parametrize("after_s", [0.0, 0.07, 0.21, 0.37, 0.55, 0.94, 1.18, 1.5, 2.03])
@pytest.mark.parametrize("latency_s", [0.0, 0.01])
def test_a_vehicle_below_a_closing_arm_turns_it_round_in_time(tmp_path: Path, after_s: float, latency_s: float) -> None:
    """I11: stop and open within 0.3 s of the input, on frames at 9600 baud with slow boards; the arm is the judge."""

    async def body(house: Gatehouse) -> None:
        await opened(house)
        for board in house.sim.boards.values():
            board.faults.latency_s = latency_s
        command = await house.ask(CLOSE, "gate")
        await house.wait(after_s + 2 * LIMIT_S)
        assert house.gate.direction == 1
        house.sim.occupy("gate", True)
        await house.wait(8.0)
        assert house.gate.truth.onto_s <= LIMIT_S
        assert house.gate.position == 0.0
        assert house.last(command) == (Stage.FAILED, Refusal.OBSTRUCTED.value)
        assert EventType.ACCESS_OBSTRUCTED in house.facts()

    at_the_gate(tmp_path, body)


def test_no_close_onto_an_occupied_or_unknown_loop(tmp_path: Path) -> None:
    """I11, fault 76: refused with its reason; the arm has not moved; a cut cable is an occupied loop."""

    async def body(house: Gatehouse) -> None:
        await opened(house)
        house.sim.occupy("gate", True)
        command = await house.ask(CLOSE, "gate")
        await house.wait(3.0)
        assert house.last(command) == (Stage.REJECTED, Refusal.LOOP_NOT_FREE.value)
        house.sim.occupy("gate", False)
        house.gate.cut.add("loop")
        command = await house.ask(CLOSE, "gate")
        await house.wait(3.0)
        assert house.last(command) == (Stage.REJECTED, Refusal.LOOP_NOT_FREE.value)
        house.sim.boards["guard"].faults.silent = True
        command = await house.ask(CLOSE, "gate")
        await house.wait(10.0)
        assert house.last(command) == (Stage.REJECTED, Refusal.SENSOR_UNKNOWN.value)
        assert {("IO_UNREACHABLE", "guard"), ("LOOP_LOST", "gate")} <= house.alarms()
        assert house.gate.position == 0.0
        assert house.gate.truth.onto == 0

    at_the_gate(tmp_path, body)


def test_inputs_lost_while_closing_open_the_gate(tmp_path: Path) -> None:
    """I11: stale is unknown; the outputs hang on another board and still work."""

    async def body(house: Gatehouse) -> None:
        await opened(house)
        await house.ask(CLOSE, "gate")
        await house.wait(1.5)
        assert house.gate.direction == 1
        house.sim.boards["guard"].faults.silent = True
        await house.wait(0.8)
        assert house.gate.direction == -1

    at_the_gate(tmp_path, body)


def test_what_frees_the_way_is_repeated_until_it_is_taken(tmp_path: Path) -> None:
    """I11: a board that was gone for a moment gets the open as soon as it answers."""

    async def body(house: Gatehouse) -> None:
        await opened(house)
        await house.ask(CLOSE, "gate")
        await house.wait(1.0)
        for board in house.sim.boards.values():
            board.faults.silent = True
        house.sim.occupy("gate", True)
        await house.wait(0.7)
        for board in house.sim.boards.values():
            board.faults.silent = False
        await house.wait(8.0)
        assert house.gate.position == 0.0

    at_the_gate(tmp_path, body)


def test_a_dead_motor_fails_the_command_and_is_not_tried_again(tmp_path: Path) -> None:
    """Fault 77: motor time-out: stop, alarm, no retry loop; the next success clears the alarm."""

    async def body(house: Gatehouse) -> None:
        house.gate.dead_motor = True
        command = await house.ask(OPEN, "gate")
        await house.wait(60.0)
        assert house.last(command) == (Stage.FAILED, Refusal.ARM_TIMEOUT.value)
        assert ("BARRIER_FAULT", "gate") in house.alarms()
        opens = [h for h in house.sim.boards["ways"].heard if h[2] == 512]
        assert len(opens) == 1
        house.gate.dead_motor = False
        await house.ask(OPEN, "gate")
        await house.wait(15.0)
        assert ("BARRIER_FAULT", "gate") not in house.alarms()

    at_the_gate(tmp_path, body)


def test_fire_opens_the_gate_and_keeps_it_open(tmp_path: Path) -> None:
    """I11: default open; no close while it lasts; the highest alarm stands."""

    async def body(house: Gatehouse) -> None:
        house.gate.flags["fire"] = True
        await house.wait(8.0)
        assert house.gate.position == 0.0
        assert ("ACCESS_EMERGENCY", "gate") in house.alarms()
        command = await house.ask(CLOSE, "gate")
        await house.wait(2.0)
        assert house.last(command) == (Stage.REJECTED, Refusal.EMERGENCY.value)
        assert house.gate.position == 0.0

    at_the_gate(tmp_path, body)


def test_a_restart_leaves_the_arm_as_it_is_and_its_command_unknown(tmp_path: Path) -> None:
    """I11, I8: nothing is driven before the inputs are read, off comes first, and no command is repeated."""

    async def main(clock: VirtualClock) -> None:
        first = VirtualStation(clock, tmp_path, site=io_site(), frames=True)
        await first.start(drivers=False)
        await first.run_for(8.0)
        house = Gatehouse(first)
        await opened(house)
        command = await house.ask(CLOSE, "gate")
        await first.run_for(0.5)
        await first.kill()
        moves = house.gate.truth.moves
        heard = len(house.sim.boards["ways"].heard)
        second = VirtualStation(clock, tmp_path, site=first.site, frames=True, journal=first.journal, sim=first.sim)
        await second.start(drivers=False)
        await second.run_for(30.0)
        assert house.gate.truth.moves == moves
        written = house.sim.boards["ways"].heard[heard:]
        assert written
        assert all(value == 0 for _, _, _, value in written)
        assert house.last(command) == (Stage.FAILED, Refusal.OUTCOME_UNKNOWN.value)
        await second.stop()

    run_virtual(main)


@pytest.mark.parametrize("kind", list(DriveKind))
@pytest.mark.parametrize("after_s", [0.4, 0.83, 1.31, 2.2])
def test_a_car_over_a_rising_lock_lowers_it_in_time(tmp_path: Path, kind: DriveKind, after_s: float) -> None:
    """I12: lowered within 0.3 s of the input, by pulses and by levels; the one retry waits for the bay."""

    async def body(house: Gatehouse) -> None:
        command = await house.ask(RAISE, "bay-1")
        await house.wait(after_s)
        house.sim.occupy("bay-1", True)
        await house.wait(10.0)
        assert house.bay.truth.onto == 1
        assert house.bay.truth.onto_s <= LIMIT_S
        assert house.bay.position == 0.0
        assert [r.stage for r in house.replies(command)] == [Stage.ACCEPTED]
        house.sim.occupy("bay-1", False)
        await house.wait(12.0)
        assert house.bay.position == 1.0
        assert house.last(command) == (Stage.DONE, None)
        assert house.bay.truth.onto == 1

    at_the_gate(tmp_path, body, io_site(locks=(lock(kind),)))


def test_a_lock_that_meets_something_twice_stays_down(tmp_path: Path) -> None:
    """I12, fault 78: at most one retry, then the alarm and the failed command."""

    async def body(house: Gatehouse) -> None:
        house.bay.jammed_at = 0.5
        command = await house.ask(RAISE, "bay-1")
        await house.wait(60.0)
        assert house.last(command) == (Stage.FAILED, Refusal.ARM_TIMEOUT.value)
        assert ("LOCK_OBSTRUCTED", "bay-1") in house.alarms()
        assert house.bay.position == 0.0
        assert house.bay.truth.moves == 4

    at_the_gate(tmp_path, body)


def test_requests_that_cannot_be_tried_are_refused_at_once(tmp_path: Path) -> None:
    """Contract of commands: an unknown target, and the wrong command for it."""

    async def body(house: Gatehouse) -> None:
        commands = [await house.ask(OPEN, "bay-1"), await house.ask(LOWER, "gate"), await house.ask(RAISE, "nobody")]
        await house.wait(3.0)
        for command in commands:
            assert house.last(command) == (Stage.REJECTED, Refusal.UNKNOWN_TARGET.value)

    at_the_gate(tmp_path, body)


def test_an_interlocked_pair_drives_a_gate_as_well(tmp_path: Path) -> None:
    """I11 on a board that knows pairs: the same bound without a stop output of its own."""

    async def body(house: Gatehouse) -> None:
        await opened(house)
        await house.ask(CLOSE, "gate")
        await house.wait(1.2)
        assert house.gate.direction == 1
        house.sim.occupy("gate", True)
        await house.wait(6.0)
        assert house.gate.truth.onto_s <= LIMIT_S
        assert house.gate.position == 0.0

    at_the_gate(tmp_path, body, io_site(barriers=(barrier("guard.open_1", "guard.close_1", None),)))


def test_a_site_without_arms_cannot_open_any(tmp_path: Path) -> None:
    """Contract of commands: what a station has not is not supported."""

    async def body(house: Gatehouse) -> None:
        command = await house.ask(OPEN, "gate")
        await house.wait(3.0)
        assert house.last(command) == (Stage.REJECTED, Refusal.NOT_SUPPORTED.value)

    async def main(clock: VirtualClock) -> None:
        site = replace(io_site((), ()), relays=())
        station = VirtualStation(clock, tmp_path, site=site, frames=True)
        await station.start(drivers=False)
        await station.run_for(5.0)
        await body(Gatehouse(station))
        await station.stop()

    run_virtual(main)

"""How long an arm goes on into the way after an input said stop, by the wires that it hangs on (I11, I12)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import inf

from siteward.control.access import Arm, arms_of, commands
from siteward.control.arm import Effect
from siteward.control.sight import FRESH_S, MOVING_S
from siteward.model.access import DriveKind
from siteward.model.points import GPIO_PREFIX, Drive, PointName, device_of, local_of
from siteward.model.site import Line, RelayBoard, Site
from siteward_drivers.catalogue import Profiles
from siteward_drivers.modbus import Request
from siteward_drivers.plan import WireTime, cuts_s, longest_s
from siteward_drivers.relay_profile import input_runs

BOUND_S = FRESH_S
"""Longest time from the input to the stop, and to the movement out of the way (I11, I12)."""

_REQUEST_BYTES = 8
_WRITE_REPLY_BYTES = 8


@dataclass(frozen=True, slots=True)
class ArmPlan:
    """One arm, in seconds from a change of an input (vehicle, car, fire) to what an output does about it.

    `stop_s`: nothing drives into the way any more; `free_s`: it is driven out of it. Both hold while every device
    answers and no other arm moves. `worst_s` is the stop when besides a device of its wires has died, every other arm
    there turns round and every charger there is cut at the same instant. `lines` are its wires, none for the computer's
    own lines.
    """

    arm: str
    lines: tuple[str, ...]
    stop_s: float
    free_s: float
    worst_s: float

    @property
    def too_late(self) -> bool:
        """Whether even the stop breaks the bound."""
        return self.stop_s > BOUND_S


def plan_arms(site: Site, profiles: Profiles) -> tuple[ArmPlan, ...]:
    """Every arm of the site, barriers first. Raises ConfigError for unknown profiles and strange ports."""
    return tuple(_Arm(site, profiles, arm).plan() for arm in arms_of(site))


class _Arm:
    """The frames of one arm on the wires of its boards."""

    def __init__(self, site: Site, profiles: Profiles, arm: Arm) -> None:
        self._site, self._profiles, self._arm = site, profiles, arm
        self._boards: dict[str, RelayBoard] = {board.id: board for board in site.relays}
        self._wires = {line.id: WireTime(line) for line in site.lines}
        self._turn = commands(arm.motion, (Effect.STOP, Effect.FREE), 0.0, inf)

    def plan(self) -> ArmPlan:
        lines = self.lines()
        # The change may come just after its sample was taken. What is on a wire then is waited for once: an urgent
        # frame that is asked for while the line waits for silence goes first (line owner).
        seen_s = max(MOVING_S, self.read_s()) + self._after_sample_s() + sum(map(self._longest_answered_s, lines))
        stops, frees = self._marks()
        stop_s = seen_s + self._until_s(stops)
        return ArmPlan(
            arm=self._arm.id,
            lines=tuple(line.id for line in lines),
            stop_s=stop_s,
            free_s=seen_s + self._until_s(frees),
            worst_s=stop_s + sum(self._trouble_s(line) for line in lines),
        )

    def _marks(self) -> tuple[int, int]:
        """Places of the command that ends the movement into the way, and of the one out of it."""
        motion = self._arm.motion
        frees = next(i for i, d in enumerate(self._turn) if d.point == motion.free and d.on)
        if motion.kind is DriveKind.LEVEL:
            return next(i for i, d in enumerate(self._turn) if d.point == motion.block and not d.on), frees
        stops = [i for i, d in enumerate(self._turn) if d.point == motion.stop]
        # Without a stop of its own, a drive on pulses turns round only when it hears the other one.
        return (stops[0] if stops else frees), frees

    def _board(self, point: PointName) -> RelayBoard | None:
        return None if point.startswith(GPIO_PREFIX) else self._boards[device_of(point)]

    def _inputs(self) -> list[RelayBoard]:
        return _once(self._board(contact.point) for contact in self._arm.contacts)

    def _outputs(self) -> list[RelayBoard]:
        return _once(self._board(drive.point) for drive in self._turn)

    def lines(self) -> list[Line]:
        """The wires of its boards, in the order of the site."""
        mine = {board.line for board in (*self._inputs(), *self._outputs())}
        return [line for line in self._site.lines if line.id in mine]

    def read_s(self) -> float:
        """One look at all inputs: boards of one wire after each other, wires beside each other."""
        by_line: dict[str, float] = {}
        for board in self._inputs():
            names = [local_of(c.point) for c in self._arm.contacts if device_of(c.point) == board.id]
            by_line[board.line] = by_line.get(board.line, 0.0) + sum(self._runs_s(board, names))
        return max(by_line.values(), default=0.0)

    def _after_sample_s(self) -> float:
        """From the sample of the input that is read first to the end of the whole look."""
        samples = [
            self._wires[board.line].exchange(self._profiles.relays[board.profile], _REQUEST_BYTES, 0)
            for board in self._inputs()
        ]
        return self.read_s() - min(samples, default=0.0)

    def _runs_s(self, board: RelayBoard, names: list[str]) -> list[float]:
        profile = self._profiles.relays[board.profile]
        asks = [
            Request(board.unit, run.table.read_function, run.first, run.count) for run in input_runs(profile, names)
        ]
        return [self._wires[board.line].exchange(profile, _REQUEST_BYTES, ask.reply_length) for ask in asks]

    def _until_s(self, mark: int) -> float:
        """Commands one after the other until the marked one acts; a board acts before it answers."""
        return sum(self._drive_s(d) for d in self._turn[:mark]) + self._drive_s(self._turn[mark], answered=False)

    def _drive_s(self, drive: Drive, *, answered: bool = True) -> float:
        board = self._board(drive.point)
        if board is None:
            return 0.0
        profile = self._profiles.relays[board.profile]
        return self._wires[board.line].exchange(profile, _REQUEST_BYTES, _WRITE_REPLY_BYTES if answered else 0)

    def turn_s(self) -> float:
        """All that it has to say to turn round."""
        return sum(self._drive_s(drive) for drive in self._turn)

    def _longest_answered_s(self, line: Line) -> float:
        """The longest exchange of somebody else that may be under way on a wire."""
        wire, site = self._wires[line.id], self._site
        found = [0.0]
        for meter in (m for m in site.meters if m.line == line.id):
            poll = self._profiles[meter.profile].file.poll
            own = WireTime(line, meter.serial)
            found += own.reads(self._profiles[meter.profile], (*poll.always, *poll.slow), 1)
        for charger in (c for c in site.chargers if c.line == line.id):
            poll = self._profiles[charger.profile].file.poll
            for connector in charger.connectors:
                found += wire.reads(self._profiles[charger.profile], (*poll.always, *poll.slow), connector.channel)
        for board in (b for b in site.relays if b.line == line.id):
            found += self._runs_s(board, self._read_by_others(board))
        return max(found)

    def _read_by_others(self, board: RelayBoard) -> list[str]:
        """Inputs of a board that another arm looks at; without any, its watchdog is fed by reading an output."""
        others = [arm for arm in arms_of(self._site) if arm.id != self._arm.id]
        return [local_of(c.point) for arm in others for c in arm.contacts if device_of(c.point) == board.id]

    def _trouble_s(self, line: Line) -> float:
        """What comes on top on a bad day: a time-out, the cuts of all chargers, the turns of all other arms."""
        site = self._site
        mine = {board.id for board in (*self._inputs(), *self._outputs())}
        strangers = replace(site, relays=tuple(board for board in site.relays if board.id not in mine))
        others = (_Arm(site, self._profiles, arm) for arm in arms_of(site) if arm.id != self._arm.id)
        arms_s = sum(arm.read_s() + arm.turn_s() for arm in others if line in arm.lines())
        chargers = [charger for charger in site.chargers if charger.line == line.id]
        return longest_s(strangers, line, self._profiles) + cuts_s(line, chargers, self._profiles) + arms_s


def _once(boards: Iterable[RelayBoard | None]) -> list[RelayBoard]:
    return list({board.id: board for board in boards if board is not None}.values())

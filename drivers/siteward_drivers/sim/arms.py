"""Simulated arms: what a barrier or a lock truly does, what stands in its way, and what it hit."""

from dataclasses import dataclass, field

from siteward.model.access import Barrier, Contact, DriveKind, Lock, Motion
from siteward.model.points import PointName

_END = 0.02


@dataclass(slots=True)
class ArmTruth:
    """What nobody on the wire can deny.

    `onto_s` is the longest time that the arm moved into the way without a break while something stood there, `onto`
    how often such a movement began or went on; `both` counts instants with both directions driven.
    """

    onto_s: float = 0.0
    onto: int = 0
    both: int = 0
    moves: int = 0


class SimArm:
    """One arm. `position` 0 is free (open, down), 1 blocks (closed, up); times are those of the board."""

    def __init__(self, motion: Motion, contacts: dict[str, Contact], travel_s: float, position: float) -> None:
        self.motion = motion
        self.contacts = contacts
        self.travel_s = travel_s
        self.position = position
        self.truth = ArmTruth()
        self.jammed_at: float | None = None
        self.dead_motor = False
        self.cut: set[str] = set()
        self.flags: dict[str, bool] = {"power": True}
        self._direction = 0
        self._on: set[PointName] = set()
        self._at = 0.0
        self._occupied = False
        self._onto_since: float | None = None

    @property
    def occupied(self) -> bool:
        """Whether something stands in the way."""
        return self._occupied

    @property
    def direction(self) -> int:
        """+1 into the way, -1 out of it, 0 at rest."""
        return self._direction

    def occupy(self, occupied: bool, at: float) -> None:
        """A vehicle comes or goes."""
        self.advance(at)
        self._occupied = occupied
        self._judge(at)

    def relay(self, point: PointName, on: bool, at: float) -> None:
        """An output of the arm switches."""
        self.advance(at)
        rises = on and point not in self._on
        self._on = self._on | {point} if on else self._on - {point}
        self.truth.both += {self.motion.free, self.motion.block} <= self._on
        if self.motion.kind is DriveKind.LEVEL:
            self._turn((self.motion.block in self._on) - (self.motion.free in self._on), at)
        elif rises:
            self._turn({self.motion.free: -1, self.motion.block: 1}.get(point, 0), at)

    def _turn(self, direction: int, at: float) -> None:
        if self.dead_motor:
            direction = 0
        if direction != self._direction and direction:
            self.truth.moves += 1
        self._direction = direction
        self._judge(at)

    def advance(self, at: float) -> None:
        """Move on to an instant."""
        step = max(0.0, at - self._at)
        self._at = max(at, self._at)
        if not self._direction or step == 0.0:
            return
        end = 1.0 if self._direction > 0 else 0.0
        if self._direction > 0 and self.jammed_at is not None:
            end = min(end, self.jammed_at)
        needs_s = abs(end - self.position) * self.travel_s
        if step < needs_s:
            self.position += self._direction * step / self.travel_s
            self._judge(at)
            return
        self.position = end
        self._judge(at - step + needs_s)
        if self.motion.kind is DriveKind.PULSE and end in (0.0, 1.0):
            self._direction = 0
        self._onto_since = None

    def _judge(self, at: float) -> None:
        onto = self._direction > 0 and self._occupied and self.position < 1.0
        if onto and self._onto_since is None:
            self._onto_since = at
            self.truth.onto += 1
        if self._onto_since is not None:
            self.truth.onto_s = max(self.truth.onto_s, at - self._onto_since)
        if not onto:
            self._onto_since = None

    def contact(self, role: str) -> bool:
        """Whether the contact of a role is closed now."""
        wired = self.contacts[role]
        if role in self.cut:
            return False
        return self._says(role) is wired.closed_is_yes

    def _says(self, role: str) -> bool:
        if role in ("loop", "bay"):
            return self._occupied
        if role in ("arm_open", "arm_down"):
            return self.position <= _END
        if role in ("arm_closed", "arm_up"):
            return self.position >= 1.0 - _END
        return self.flags.get(role, False)


@dataclass(slots=True)
class Wiring:
    """Which arm and role an input belongs to, which arm an output drives, and the single contacts that are closed."""

    inputs: dict[PointName, tuple[SimArm, str]] = field(default_factory=dict)
    outputs: dict[PointName, SimArm] = field(default_factory=dict)
    closed: set[PointName] = field(default_factory=set)

    def add(self, arm: SimArm) -> None:
        """Wire an arm."""
        for role, contact in arm.contacts.items():
            self.inputs[contact.point] = (arm, role)
        for point in arm.motion.outputs:
            self.outputs[point] = arm


def barrier_arm(barrier: Barrier, travel_s: float = 3.0) -> SimArm:
    """The arm of a barrier, closed."""
    names = ("loop", "arm_closed", "arm_open", "loop_fault", "fault", "fire", "power")
    return SimArm(barrier.motion, _contacts(barrier, names), travel_s, 1.0)


def lock_arm(lock: Lock, travel_s: float = 3.0) -> SimArm:
    """The arm of a parking lock, down."""
    names = ("bay", "arm_up", "arm_down", "fault", "fire", "power")
    return SimArm(lock.motion, _contacts(lock, names), travel_s, 0.0)


def _contacts(arm: Barrier | Lock, names: tuple[str, ...]) -> dict[str, Contact]:
    found = {name: getattr(arm, name) for name in names}
    return {name: contact for name, contact in found.items() if contact is not None}

"""Boom barriers and parking locks as roles over any outputs and inputs, as configured."""

from dataclasses import dataclass
from enum import StrEnum

from siteward.model.ids import BarrierId, ConnectorId, LockId, ReaderId
from siteward.model.points import PointName


class DriveKind(StrEnum):
    """How an output moves the arm: by a pulse that the drive's own control ends, or by a level while it moves."""

    PULSE = "pulse"
    LEVEL = "level"


class OnEmergency(StrEnum):
    """What happens at fire or loss of power: the way is freed (open, lower), or nothing is moved."""

    FREE = "free"
    STAY = "stay"


class LockKeeps(StrEnum):
    """When a parking lock keeps a bay closed by itself: never, while its connector is reserved, while it is free."""

    COMMAND = "command"
    RESERVED = "reserved"
    FREE = "free"


@dataclass(frozen=True, slots=True)
class Contact:
    """An input in its role; `closed_is_yes` False is a normally closed contact, whose cut cable says yes."""

    point: PointName
    closed_is_yes: bool = True


@dataclass(frozen=True, slots=True)
class Motion:
    """How an arm is driven: outputs away from and into the way, and times in s.

    `free` opens or lowers, `block` closes or raises; `pulse_s` is the length of a pulse, `travel_s` the longest time
    from end to end.
    """

    free: PointName
    block: PointName
    stop: PointName | None = None
    kind: DriveKind = DriveKind.PULSE
    pulse_s: float = 0.3
    travel_s: float = 10.0

    @property
    def outputs(self) -> tuple[PointName, ...]:
        """Every output of the arm."""
        return (self.free, self.block) if self.stop is None else (self.free, self.block, self.stop)


@dataclass(frozen=True, slots=True)
class Barrier:
    """A boom barrier; `loop` says whether something stands below the arm.

    arm_open None = the arm counts as open when the travel time is over and the closed switch is off. `loop_fault` is
    the detector's own fault output; `proof_cycles` closings without any vehicle seen make the loop doubtful (0 = off).
    """

    id: BarrierId
    name: str
    motion: Motion
    loop: Contact
    arm_closed: Contact
    arm_open: Contact | None = None
    loop_fault: Contact | None = None
    fault: Contact | None = None
    fire: Contact | None = None
    power: Contact | None = None
    on_fire: OnEmergency = OnEmergency.FREE
    on_power_loss: OnEmergency = OnEmergency.FREE
    proof_cycles: int = 10
    stuck_s: float = 600.0

    @property
    def contacts(self) -> tuple[Contact, ...]:
        """Every input of the barrier."""
        found = (self.loop, self.arm_closed, self.arm_open, self.loop_fault, self.fault, self.fire, self.power)
        return tuple(c for c in found if c is not None)


@dataclass(frozen=True, slots=True)
class Lock:
    """A parking lock in front of one connector's bay; `bay` says whether a car stands there."""

    id: LockId
    name: str
    motion: Motion
    bay: Contact
    arm_up: Contact
    arm_down: Contact
    connector: ConnectorId | None = None
    fault: Contact | None = None
    fire: Contact | None = None
    power: Contact | None = None
    on_fire: OnEmergency = OnEmergency.FREE
    on_power_loss: OnEmergency = OnEmergency.FREE
    keeps: LockKeeps = LockKeeps.COMMAND

    @property
    def contacts(self) -> tuple[Contact, ...]:
        """Every input of the lock."""
        found = (self.bay, self.arm_up, self.arm_down, self.fault, self.fire, self.power)
        return tuple(c for c in found if c is not None)


class ReaderKind(StrEnum):
    """How a card reader speaks: text over a serial port, or keys like a keyboard."""

    SERIAL = "serial"
    KEYS = "keys"


@dataclass(frozen=True, slots=True)
class Reader:
    """A card reader at connectors, or at a barrier; `port` is a serial port or an input device of the computer."""

    id: ReaderId
    port: str
    kind: ReaderKind = ReaderKind.SERIAL
    baud: int = 9600
    connectors: tuple[ConnectorId, ...] = ()
    barrier: BarrierId | None = None

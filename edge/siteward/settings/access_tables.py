"""The tables of site.toml for relay boards, boom barriers and parking locks; each key says unit, default and reason."""

from typing import Annotated, Any, Literal

from pydantic import Field

from siteward.settings.keys import MISSING, Id, Table, key, name_key

_POINT = "`board.point` of a relay board, `gpio:pi/17` (Raspberry header, BCM number) or `gpio:gpiochip0/17` (PC line)"
Point = Annotated[str, Field(min_length=3, max_length=80)]
Emergency = Literal["free", "stay"]


def _output(what: str, reason: str, default: Any = MISSING) -> Any:
    return key(default, f"Output that {what}: {_POINT}.", reason=reason)


def _input(what: str, reason: str, default: Any = MISSING) -> Any:
    return key(default, f"Input that says {what}, named like an output.", reason=reason)


class RelayTable(Table):
    """[[relay]]: a board of relays and inputs on a wire; barriers and locks name its points."""

    id: Id = key(MISSING, "Id of the board.", reason="Points are named after it, such as `board.relay_1`.")
    line: Id = key(MISSING, "The wire that it hangs on.", reason="One task owns each wire.")
    unit: int = key(
        MISSING,
        "Modbus unit id (slave address).",
        reason="Two devices of one wire must not share it.",
        ge=0,
        le=255,
    )
    profile: str = key(MISSING, "Device profile.", reason="Registers are data, one file for each kind of device.")
    pairs: list[int] = key(
        [],
        "Numbers (from 1) of the output pairs that the board itself interlocks as open and close.",
        reason="A board that knows pairs never drives both ways, whatever we write.",
        max_length=16,
        span="pairs of the profile",
    )
    watchdog_s: int = key(
        10,
        "Time without a poll after which the board switches its outputs off, where it can.",
        unit="s",
        reason="It is polled every second; ten missed polls mean that nobody is in control.",
        ge=2,
        le=60,
    )


class ArmTable(Table):
    """What barriers and locks have in common; no table of its own."""

    id: Id = key(MISSING, "Id, as commands and alarms name it.", reason="A command must mean one thing.")
    name: str | None = name_key()
    stop: Point | None = _output("halts the arm", "Wire it: a drive that can be halted is halted first.", None)
    drive: Literal["pulse", "level"] = key(
        "pulse",
        "Whether the drive takes pulses, or an output that stays on while the arm moves.",
        reason="A pulse ends without us; a level is taken only on a board with a watchdog of its own.",
    )
    pulse_s: float = key(
        0.3,
        "Length of a pulse.",
        unit="s",
        reason="Below 0.3 s some drives hear nothing, above 1 s some take it for another command. Short turns sooner.",
        ge=0.2,
        le=2.0,
    )
    travel_s: float = key(
        10.0,
        "Longest time from one end to the other.",
        unit="s",
        reason="An arm that has not arrived by then is stopped and told; measure it and add a third.",
        ge=2.0,
        le=60.0,
    )
    fault: Point | None = _input("that the drive reports a fault", "A jam is known before the time is over.", None)
    fire: Point | None = _input("that the fire alarm is on", "Escape and fire brigade come before everything.", None)
    power: Point | None = _input("that the mains are there", "A cut cable then means no power: the way is freed.", None)
    on_fire: Emergency = key(
        "free",
        "What happens at fire: the way is freed, or nothing moves.",
        reason="Open for escape is the default; theft protection must be chosen by name.",
    )
    on_power_loss: Emergency = key(
        "free",
        "What happens at loss of power: the way is freed while the supply lasts, or nothing moves.",
        reason="A closed arm without power is a locked door.",
    )


class BarrierTable(ArmTable):
    """[[barrier]]: a boom barrier, driven by outputs and watched by a loop and position switches."""

    open: Point = _output("opens", "The first duty of a barrier.")
    close: Point = _output("closes", "It is driven only while the loop is known to be free.")
    loop: Point = _input("that a vehicle stands below the arm", "Without it no close is ever safe.")
    arm_closed: Point = _input("that the arm is closed", "A barrier without feedback cannot be checked.")
    arm_open: Point | None = _input(
        "that the arm is open", "Without it the travel time says so, once the arm has left its closed end.", None
    )
    loop_fault: Point | None = _input(
        "that the loop detector failed its own test", "A detector that knows that it is blind must not be asked.", None
    )
    normally_closed: list[Literal["loop", "arm_closed", "arm_open", "loop_fault", "fault", "fire", "power"]] = key(
        ["loop", "fire"],
        "Inputs whose contact is closed while they have nothing to say.",
        reason="Then a cut cable says occupied, or fire. A loop wired the other way shows at once: it never closes.",
        max_length=7,
        span="names of inputs",
    )
    proof_cycles: int = key(
        10,
        "Closings in a row without any vehicle seen after which the loop counts as blind; 0 switches this off.",
        reason="A detector that is stuck says free for ever; nobody else would notice.",
        ge=0,
        le=1000,
    )
    stuck_s: float = key(
        600.0,
        "How long the loop may be occupied before it is told.",
        unit="s",
        reason="A vehicle that broke down and a stuck detector look alike; somebody must look.",
        ge=10.0,
        le=86400.0,
    )


class LockTable(ArmTable):
    """[[lock]]: a parking lock in front of a bay, with the sensor of that bay."""

    connector: Id | None = key(
        None,
        "The connector whose bay it keeps.",
        reason="Pages and sessions know which bay belongs to which outlet.",
    )
    up: Point = _output("raises the lock", "It is driven only while the bay is known to be empty.")
    down: Point = _output("lowers the lock", "Always allowed.")
    bay: Point = _input("that a car stands in the bay", "Without it no rise is ever safe.")
    arm_up: Point = _input("that the lock is up", "A lock without feedback cannot be checked.")
    arm_down: Point = _input("that the lock is down", "A lock without feedback cannot be checked.")
    normally_closed: list[Literal["bay", "arm_up", "arm_down", "fault", "fire", "power"]] = key(
        ["bay", "fire"],
        "Inputs whose contact is closed while they have nothing to say.",
        reason="Then a cut cable says car, or fire. A sensor wired the other way shows at once: it never rises.",
        max_length=6,
        span="names of inputs",
    )
    keeps: Literal["command", "reserved", "free"] = key(
        "command",
        "When it keeps the bay closed by itself: never, while its connector is reserved, or while it is free at all.",
        reason="It goes down for whoever was let in at its connector, and rises only over a bay known to be empty.",
    )

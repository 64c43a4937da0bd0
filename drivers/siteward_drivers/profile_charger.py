"""Schema of what a charger profile declares for the reservation of current (turn.md section 5); unknown = worst."""

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from siteward.model.facts import Readback, ResetBy
from siteward.model.readings import Pilot
from siteward_drivers.profile_points import Part
from siteward_drivers.profile_states import StatusPart
from siteward_drivers.profile_watchdog import FailsafePart, HeartbeatPart
from siteward_drivers.quantities import Quantity, Unit


class Side(StrEnum):
    """Which side of the charger a limit counts on."""

    AC = "ac"
    DC = "dc"


class Scope(StrEnum):
    """What one limit register governs."""

    CONNECTOR = "connector"
    DEVICE = "device"
    STATION = "station"


class BelowMin(StrEnum):
    """What a set point between 0 and min_a means to the device."""

    PAUSE = "pause"
    UNKNOWN = "unknown"


_LOWEST_SHARE = 0.9
"""Of the nominal voltage: the least at which the same W may draw the A that were granted (ruling 13)."""


class LimitPart(Part):
    """The set point: quantity `current_limit`; step and hold are the device's own, all of them in A.

    A device that is limited in W gets A * `phases` * 0.9 * nominal voltage (ruling 13): `phases` are those over which
    it surely spreads its power, 1 unless its documents say more. `no_limit_code` is a raw number that lifts the limit
    instead of setting one: it is never written, and read it means that nothing is known.
    `write_hold_s` keeps raises apart (ruling 7), never cuts; `write_budget` is the number of writes that its flash
    stands, None where writes do not wear; `late_write_s` is how late a gateway may still deliver a write.
    """

    unit: Unit = Unit.A
    phases: int = Field(default=1, ge=1, le=3)
    side: Side = Side.AC
    scope: Scope = Scope.CONNECTOR
    min_a: float = Field(default=6.0, gt=0)
    max_a: float = Field(gt=0)
    step_a: float = Field(gt=0)
    no_limit_code: float | None = None
    below_min: BelowMin = BelowMin.UNKNOWN
    volatile: bool = False
    write_hold_s: float = Field(default=0.0, ge=0)
    raise_interval_s: float = Field(default=5.0, ge=0)
    write_budget: int | None = None
    late_write_s: float = Field(default=3.0, ge=0)

    @model_validator(mode="after")
    def _supported(self) -> Self:
        if self.unit not in (Unit.A, Unit.W) or self.side is not Side.AC:
            raise ValueError("only AC limits in A or W are driven so far")
        if self.max_a < self.min_a:
            raise ValueError("max_a is below min_a")
        return self

    def per_amp(self, unit: Unit, nominal_v: float) -> float:
        """What one A of this limit is in a register of that unit."""
        return self.phases * _LOWEST_SHARE * nominal_v if unit is Unit.W else 1.0


class Step(Part):
    """One register of a verb: `raw` as it is, or the limit itself where `raw` is left out."""

    quantity: Quantity
    raw: int | None = None


class Verb(Part):
    """Registers written for a verb, in order; neighbours on the wire go out in one frame."""

    steps: tuple[Step, ...] = Field(min_length=1)
    reversible: bool = True


class Condition(Part):
    """A register that shows a raw number."""

    quantity: Quantity
    raw: int


class Verbs(Part):
    """How the device is limited, paused, resumed and stopped (R19: nothing else is ever written).

    `paused_when`: register contents that show the pause verb in force, besides a set point of 0.
    """

    limit: Verb
    pause: Verb
    resume: Verb
    stop: Verb
    paused_when: tuple[Condition, ...] = ()

    @property
    def pause_raw(self) -> int | None:
        """Raw set point that is the pause, None where another register pauses."""
        return next((s.raw for s in self.pause.steps if s.quantity is Quantity.CURRENT_LIMIT), None)


class ReadbackPart(Part):
    """Where a written limit is seen again, and how soon (R5). An empty `valid_in` = in every state."""

    quantity: Quantity
    kind: Readback
    valid_in: tuple[Pilot, ...] = ()
    tolerance_a: float = Field(default=0.05, ge=0)
    apply_s: float = Field(ge=0)


class BootPart(Part):
    """What the device does after its own restart; a left-out number is unknown and counts as the hardware maximum.

    `restart_mark` is the quantity that changes with a restart; `standby_off` the register content that keeps the
    device from falling silent when idle.
    """

    boot_a: float | None = None
    rest_a: float | None = None
    hold_s: float | None = None
    watchdog_at_start: bool = False
    charges_before_answer: bool = True
    min_silence_s: float = 3.0
    max_boot_s: float | None = None
    restart_mark: Quantity | None = None
    standby_silent: bool = False
    standby_off: Condition | None = None


class HardwareMaxPart(Part):
    """Where the hardware maximum is set: a register, a switch, or only the rating plate."""

    quantity: Quantity | None = None
    switch: str = ""
    verified: bool = False


class ReactPart(Part):
    """Seconds from a write to its effect: new PWM, stop, resume."""

    pwm_s: float = Field(ge=0)
    stop_s: float = Field(ge=0)
    resume_s: float = Field(ge=0)


class MeasuredPart(Part):
    """The charger's own measuring: 0 phases = none."""

    phases: int = Field(ge=0, le=3)
    lag_s: float = Field(default=1.0, ge=0)
    accuracy_percent: float = 2.0
    valid_in: tuple[Pilot, ...] = ()


THREE = 3


class PhasesPart(Part):
    """Phases of the device and whether it can switch between one and three.

    It is switched by us only where its file says how (`one`, `all`) and where its contactors show what they did
    (`contactor_state` with the raw numbers `shows_one` and `shows_all`): a register that only repeats what was written
    proves nothing (R9).
    """

    wired: int = Field(ge=1, le=3)
    switchable: bool = False
    contactor_state: Quantity | None = None
    one: Verb | None = None
    all: Verb | None = None
    shows_one: int | None = None
    shows_all: int | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        parts = (self.one, self.all, self.contactor_state, self.shows_one, self.shows_all)
        given = [part is not None for part in parts]
        if any(given) and not all(given):
            raise ValueError("switching needs one, all, contactor_state, shows_one and shows_all together")
        if any(given) and (not self.switchable or self.wired != THREE):
            raise ValueError("only a device of three phases that is switchable can be switched")
        if self.one is not None and self.all is not None:
            if self.contactor_state in {step.quantity for verb in (self.one, self.all) for step in verb.steps}:
                raise ValueError("contactor_state is what was written, not what the contactors did")
            if any(step.raw is None for verb in (self.one, self.all) for step in verb.steps):
                raise ValueError("steps of one and all need raw")
        return self

    @property
    def switched(self) -> bool:
        """Whether we can switch it."""
        return self.one is not None

    @property
    def named(self) -> tuple[Quantity, ...]:
        """Registers that switching needs."""
        if self.one is None or self.all is None or self.contactor_state is None:
            return ()
        return (self.contactor_state, *(step.quantity for verb in (self.one, self.all) for step in verb.steps))


class ChargerPart(Part):
    """Everything about charging; `common_mode` = one fault takes several connectors with it (gateway, controller)."""

    rated_a: float = Field(gt=0)
    bills_energy: bool = False
    common_mode: bool = False
    other_writers: tuple[str, ...] = ()
    status: StatusPart
    limit: LimitPart
    verbs: Verbs
    readback: ReadbackPart
    failsafe: FailsafePart | None = None
    heartbeat: HeartbeatPart | None = None
    boot: BootPart = BootPart()
    hw_max: HardwareMaxPart = HardwareMaxPart()
    react: ReactPart
    measured: MeasuredPart
    phases: PhasesPart

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.failsafe is not None and self.failsafe.reset_by is ResetBy.HEARTBEAT and self.heartbeat is None:
            raise ValueError("reset_by heartbeat needs the part heartbeat")
        lifted = self.limit.no_limit_code
        for verb in (self.verbs.pause, self.verbs.stop):
            if lifted is not None and any(s.quantity is Quantity.CURRENT_LIMIT and s.raw == lifted for s in verb.steps):
                raise ValueError(f"{lifted:g} lifts the limit, so it can neither pause nor stop")
        return self

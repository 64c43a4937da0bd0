"""Schema of what a charger profile declares for the reservation of current (turn.md section 5); unknown = worst."""

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from siteward.model.facts import PowerFacts, Readback, ResetBy
from siteward.model.readings import Pilot
from siteward_drivers.profile_points import Part
from siteward_drivers.profile_states import StatusPart
from siteward_drivers.profile_verbs import Condition, UnlockPart, Verb, Verbs
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
        if self.unit not in (Unit.A, Unit.W) or (self.side is Side.DC and self.unit is not Unit.W):
            raise ValueError("only AC limits in A or W, and DC limits in W are driven so far")
        if self.max_a < self.min_a:
            raise ValueError("max_a is below min_a")
        return self


class DcPart(Part):
    """A charger with a rectifier: least power in W, worst efficiency and power factor, own need in W.

    eta_min is for limits on the DC side only: on the AC side the losses are in the limit. `pause_ends_session`: after
    a pause the car must be plugged in anew, so that the least power is kept as long as anybody else can be paused.
    """

    min_w: float = Field(gt=0)
    eta_min: float = Field(default=1.0, gt=0.5, le=1)
    pf_min: float = Field(default=1.0, gt=0.5, le=1)
    aux_w: float = Field(default=0.0, ge=0)
    pause_ends_session: bool = False


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
    dc: DcPart | None = None
    verbs: Verbs
    readback: ReadbackPart
    failsafe: FailsafePart | None = None
    heartbeat: HeartbeatPart | None = None
    boot: BootPart = BootPart()
    hw_max: HardwareMaxPart = HardwareMaxPart()
    react: ReactPart
    measured: MeasuredPart
    phases: PhasesPart
    unlock: UnlockPart | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.failsafe is not None and self.failsafe.reset_by is ResetBy.HEARTBEAT and self.heartbeat is None:
            raise ValueError("reset_by heartbeat needs the part heartbeat")
        if self.dc is not None and self.limit.unit is not Unit.W:
            raise ValueError("the part dc is for limits in W")
        if self.limit.side is Side.DC and (self.dc is None or self.dc.eta_min == 1.0):
            raise ValueError("a limit on the DC side needs the part dc with an eta_min below 1")
        if self.limit.side is Side.AC and self.dc is not None and self.dc.eta_min != 1.0:
            raise ValueError("on the AC side the losses are in the limit: leave eta_min out")
        lifted = self.limit.no_limit_code
        for verb in (self.verbs.pause, self.verbs.stop):
            if lifted is not None and any(s.quantity is Quantity.CURRENT_LIMIT and s.raw == lifted for s in verb.steps):
                raise ValueError(f"{lifted:g} lifts the limit, so it can neither pause nor stop")
        return self

    @property
    def power(self) -> PowerFacts:
        """How a limit in W becomes A (R20); meaningless for a limit in A."""
        dc, phases = self.dc, self.limit.phases
        if dc is None:
            return PowerFacts(phases)
        return PowerFacts(phases, dc.min_w, dc.eta_min, dc.pf_min, dc.aux_w, dc.pause_ends_session)

    @property
    def pause_shows(self) -> bool:
        """Whether a pause can be read back without a car: by the set point, or a register or state that needs none."""
        seen = self.verbs.paused_when
        if not seen or self.verbs.pause_raw is not None:
            return True
        return any(c.quantity is not Quantity.STATUS or self.status.map.get(str(c.raw)) is Pilot.A for c in seen)

    def least_a(self, nominal_v: float) -> float:
        """Least current that it can be given, A on each phase."""
        return self.limit.min_a if self.dc is None else self.power.amps(self.dc.min_w, nominal_v)

    def in_register(self, unit: Unit, current_a: float, nominal_v: float) -> float:
        """What a current is in a register of that unit."""
        return self.power.watts(current_a, nominal_v) if unit is Unit.W else current_a

    def in_amps(self, unit: Unit, value: float, nominal_v: float) -> float:
        """What a register of that unit allows, in A on each phase."""
        return self.power.amps(value, nominal_v) if unit is Unit.W else value

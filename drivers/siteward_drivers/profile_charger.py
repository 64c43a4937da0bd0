"""Schema of what a charger profile declares for the reservation of current (turn.md section 5); unknown = worst."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from siteward.model.facts import OnExpiry, Readback, ResetBy
from siteward.model.readings import Pilot
from siteward_drivers.profile_points import Part
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


class OnResume(StrEnum):
    """Which limit holds after contact came back."""

    KEEPS_FAILSAFE = "keeps_fs"
    OLD_SET_POINT = "old_set_point"
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


class Persists(Part):
    """What survives a restart of the device."""

    limit: bool
    failsafe: bool
    timeout: bool


class FailsafePart(Part):
    """The charger's own watchdog: quantities `failsafe_current` and `watchdog_timeout`, written in `order`.

    `timeout_s` is what we write, or what the device has built in (`timeout_fixed`). `off_code` is the raw time-out that
    switches it off, `off_current` the raw current that does, `encode_stop` the raw current that means stop on expiry
    (None: it cannot). `fixed` are further registers of `order` with the raw number that the watchdog needs in them;
    any other content counts as switched off. `shown_current` and `shown_timeout` are read to verify; a time that
    `counts_down` verifies as long as it is not above `timeout_s`.
    """

    timeout_s: float = Field(gt=0)
    timeout_range_s: tuple[float, float]
    tolerance: float = Field(default=0.0, ge=0)
    min_a: float = Field(gt=0)
    max_a: float = Field(gt=0)
    encode_stop: int | None = None
    off_code: int | None = None
    off_current: int | None = None
    reset_by: ResetBy
    on_expiry: OnExpiry
    on_resume: OnResume = OnResume.UNKNOWN
    recovery: str = ""
    writable: bool = True
    persists: Persists
    timeout_fixed: bool = False
    counts_down: bool = False
    fixed: dict[Quantity, int] = Field(default_factory=dict)
    shown_current: Quantity = Quantity.FAILSAFE_CURRENT
    shown_timeout: Quantity = Quantity.WATCHDOG_TIMEOUT
    order: tuple[Quantity, ...] = (Quantity.FAILSAFE_CURRENT, Quantity.WATCHDOG_TIMEOUT)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        low, high = self.timeout_range_s
        if not low <= self.timeout_s <= high:
            raise ValueError("timeout_s lies outside timeout_range_s")
        if self.writable and not self._asked() <= set(self.order):
            raise ValueError(f"order must name {' and '.join(sorted(self._asked()))}")
        if self.encode_stop is not None and self.encode_stop == self.off_current:
            raise ValueError("encode_stop and off_current are the same number")
        return self

    def _asked(self) -> set[Quantity]:
        timed = set() if self.timeout_fixed else {Quantity.WATCHDOG_TIMEOUT}
        return {Quantity.FAILSAFE_CURRENT, *timed, *self.fixed}

    @property
    def shown(self) -> tuple[Quantity, ...]:
        """Registers that must be read for the watchdog to be verified."""
        timed = () if self.timeout_fixed else (self.shown_timeout,)
        return (self.shown_current, *timed, *self.fixed)


class HeartbeatPart(Part):
    """A life bit: `raw` is written into `quantity` with a poll at least every `every_s`, while there is a lease."""

    quantity: Quantity = Quantity.HEARTBEAT
    raw: int
    every_s: float = Field(gt=0)


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


class PhasesPart(Part):
    """Phases of the device and whether it can switch between one and three."""

    wired: int = Field(ge=1, le=3)
    switchable: bool = False
    contactor_state: Quantity | None = None


class StatusRule(Part):
    """Raw numbers of another register that tell the pilot whatever `status` says; `charging`: energy flows."""

    quantity: Quantity
    raw: tuple[int, ...] = Field(min_length=1)
    pilot: Pilot
    charging: bool = False


class StatusPart(Part):
    """Raw states of quantity `status`: pilot by IEC 61851-1, those in which energy flows, those that are faults.

    The first of `rules` that applies goes before the map, faults excepted.
    """

    map: dict[str, Pilot]
    charging: tuple[str, ...] = ()
    faults: dict[str, str] = Field(default_factory=dict)
    rules: tuple[StatusRule, ...] = ()

    @model_validator(mode="after")
    def _known(self) -> Self:
        strange = (set(self.charging) | set(self.faults)) - set(self.map)
        if strange:
            raise ValueError(f"states not in map: {', '.join(sorted(strange))}")
        if not self.charging and not any(rule.charging for rule in self.rules):
            raise ValueError("no state in which energy flows")
        return self

    def judge(self, state: str, others: Mapping[Quantity, object]) -> tuple[Pilot, bool]:
        """Pilot, and whether energy flows, by a known state and the other registers. KeyError for a strange state."""
        if state not in self.faults:
            for rule in self.rules:
                if others.get(rule.quantity) in rule.raw:
                    return rule.pilot, rule.charging
        return self.map[state], state in self.charging


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

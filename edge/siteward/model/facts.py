"""What a profile declares about a kind of device, as far as deciding needs it; unknown always means worst."""

from dataclasses import dataclass, replace
from enum import StrEnum

from siteward.model.serial import SerialSettings
from siteward.model.units import booked_amps, charger_limit_watts


class ResetBy(StrEnum):
    """What re-arms a charger's own watchdog."""

    ANY_TRAFFIC = "any_traffic"
    ANY_REQUEST = "any_request"
    LIMIT_WRITE = "limit_write"
    HEARTBEAT = "heartbeat"
    UNKNOWN = "unknown"


class OnExpiry(StrEnum):
    """What the charger does when its watchdog ends."""

    FAILSAFE = "failsafe"
    PAUSE = "pause"
    ERROR_LATCHED = "error_latched"


class Readback(StrEnum):
    """What the set-point register shows: the value written, or the current now in effect (R5)."""

    ECHO = "echo"
    EFFECTIVE = "effective"


@dataclass(frozen=True, slots=True)
class FailsafeFacts:
    """A charger's own watchdog: timeout_s is the value that we write; it fires by timeout_s * (1 + tolerance)."""

    timeout_s: float
    tolerance: float
    reset_by: ResetBy
    on_expiry: OnExpiry
    writable: bool
    persists: bool


@dataclass(frozen=True, slots=True)
class BootFacts:
    """What a charger does after its own restart; None is unknown and counts as the hardware maximum (R3)."""

    boot_a: float | None
    hold_s: float | None
    watchdog_at_start: bool
    min_silence_s: float = 3.0


@dataclass(frozen=True, slots=True)
class LimitFacts:
    """The set point of one connector, in A.

    pause_shows: also without a car; otherwise a pause is seen only in the state of a charger that has one.
    """

    min_a: float
    max_a: float
    step_a: float
    readback: Readback
    apply_s: float
    raise_interval_s: float
    write_hold_s: float = 0.0
    pause_shows: bool = True


@dataclass(frozen=True, slots=True)
class PowerFacts:
    """A charger that is limited in W: how a limit becomes the most that it may draw in A on each phase (R20).

    Behind its rectifier a limit leaves out the losses (eta_min) and what the charger itself needs (aux_w); on the AC
    side both are in it. pf_min is its worst power factor; phases are those over which it surely spreads its power.
    Below min_w it gives nothing; pause_ends_session: once paused, the car must be plugged in anew.
    """

    phases: int
    min_w: float = 0.0
    eta_min: float = 1.0
    pf_min: float = 1.0
    aux_w: float = 0.0
    pause_ends_session: bool = False

    @property
    def balanced(self) -> bool:
        """Whether it loads three phases alike, whatever the car does."""
        return self.phases == 3

    def amps(self, limit_w: float, nominal_v: float) -> float:
        """The most that it draws on each phase at this limit, at 0.9 of the nominal voltage; 0 W is 0 A."""
        if limit_w <= 0.0:
            return 0.0
        return booked_amps(limit_w / self.eta_min + self.aux_w, self.phases, nominal_v, self.pf_min)

    def watts(self, current_a: float, nominal_v: float) -> float:
        """The limit at which it surely draws no more than that on each phase."""
        power_w = charger_limit_watts(current_a, self.phases, nominal_v, self.pf_min)
        return max(0.0, power_w - self.aux_w) * self.eta_min


@dataclass(frozen=True, slots=True)
class UnlockFacts:
    """A charger whose cable can be let go by a write: whether it shows its lock afterwards, and how soon."""

    shows: bool
    within_s: float


@dataclass(frozen=True, slots=True)
class ChargerFacts:
    """What control must know of one kind of charger; hardware maximum = rated_a unless the site says otherwise.

    power is that of a DC charger, None for every AC one, whatever its limit is written in.
    switches_phases: it can be told to close one or three phases, and shows which its contactors have closed. unlock is
    None where its documents name no way to let a cable go.
    """

    profile: str
    rated_a: float
    limit: LimitFacts
    failsafe: FailsafeFacts | None
    boot: BootFacts
    measures_current: bool
    measure_lag_s: float
    pwm_s: float
    bills_energy: bool
    common_mode: bool
    power: PowerFacts | None = None
    switches_phases: bool = False
    unlock: UnlockFacts | None = None

    def at_voltage(self, nominal_v: float) -> "ChargerFacts":
        """The same at a site's phase voltage: the least that a DC charger can give, in A."""
        if self.power is None:
            return self
        return replace(self, limit=replace(self.limit, min_a=self.power.amps(self.power.min_w, nominal_v)))


@dataclass(frozen=True, slots=True)
class MeterFacts:
    """What control must know of one kind of meter; `phases`: those whose currents it shows apart, 0 = totals only.

    rollover_wh: where its import register begins at 0 again, None where nobody said; signs: it hands over signed
    values.
    """

    profile: str
    refresh_s: float
    window_s: float
    range_a: float | None
    bills_energy: bool
    phases: int = 3
    rollover_wh: int | None = None
    signs: bool = False


@dataclass(frozen=True, slots=True)
class WireFacts:
    """How a kind of device can be wired: transports "rtu" and "tcp", serial settings it supports, channels served.

    `protocol` is "modbus", "dlt645" or "dlt698"; `serial` are the factory settings, None where it has no serial port.
    """

    transports: tuple[str, ...]
    bauds: tuple[int, ...]
    parities: tuple[str, ...]
    stop_bits: tuple[int, ...]
    channels: int
    protocol: str = "modbus"
    serial: SerialSettings | None = None


@dataclass(frozen=True, slots=True)
class RelayFacts:
    """What a kind of relay board offers: names of inputs and outputs, interlocked pairs as (open, close).

    pulses: the board ends a pulse by itself; watchdog: it switches its outputs off when nobody polls it any more.
    """

    profile: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    pulses: bool
    watchdog: bool

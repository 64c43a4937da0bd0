"""What a profile declares about a kind of device, as far as deciding needs it; unknown always means worst."""

from dataclasses import dataclass
from enum import StrEnum

from siteward.model.serial import SerialSettings


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
    """The set point of one connector, in A."""

    min_a: float
    max_a: float
    step_a: float
    readback: Readback
    apply_s: float
    raise_interval_s: float
    write_hold_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ChargerFacts:
    """What control must know of one kind of charger; hardware maximum = rated_a unless the site says otherwise.

    switches_phases: it can be told to close one or three phases, and shows which its contactors have closed.
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
    switches_phases: bool = False


@dataclass(frozen=True, slots=True)
class MeterFacts:
    """What control must know of one kind of meter; `phases`: those whose currents it shows apart, 0 = totals only.

    rollover_wh: where its import register begins at 0 again, None where nobody said.
    """

    profile: str
    refresh_s: float
    window_s: float
    range_a: float | None
    bills_energy: bool
    phases: int = 3
    rollover_wh: int | None = None


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

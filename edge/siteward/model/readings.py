"""What devices said: values with the instant at which the request was SENT; what is not known is None, never zero."""

from dataclasses import dataclass
from enum import StrEnum

from siteward.model.ids import ConnectorId, MeterId
from siteward.model.units import PerPhase


class Pilot(StrEnum):
    """Control pilot state by IEC 61851-1."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"
    F = "F"

    @property
    def plugged(self) -> bool:
        """Whether a vehicle is connected."""
        return self in (Pilot.B, Pilot.C, Pilot.D)


class Cable(StrEnum):
    """The cable in a charger's socket, by the charger's own sensors."""

    NONE = "none"
    UNLOCKED = "unlocked"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class MeterReading:
    """One good poll of a meter; energy is the import register in Wh; `energy_is_active` False means VAh."""

    meter: MeterId
    sent_at: float
    current_a: PerPhase | None = None
    voltage_v: PerPhase | None = None
    power_w: float | None = None
    frequency_hz: float | None = None
    energy_wh: int | None = None
    serial: str | None = None
    rejected: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChargerReading:
    """One good poll of a connector; currents by the charger's own phases 1..3, before the wiring map.

    set_point_a is the register's value in A, 0.0 when the profile's pause verb is in force; restart_mark changes
    when the charger restarted; fault is the vendor's error text or number, None when there is none; phases_closed is
    how many phases its contactors show closed, 1 or 3, None where it does not say; cable is None where the charger does
    not show its lock; energy_at is when the register was asked for, None = with the poll.
    """

    connector: ConnectorId
    sent_at: float
    pilot: Pilot | None = None
    charging: bool = False
    set_point_a: float | None = None
    failsafe_a: float | None = None
    failsafe_timeout_s: float | None = None
    standby_off: bool | None = None
    hardware_max_a: float | None = None
    measured_a: PerPhase | None = None
    voltage_v: PerPhase | None = None
    power_w: float | None = None
    energy_wh: int | None = None
    energy_at: float | None = None
    energy_vah: int | None = None
    temperature_c: float | None = None
    soc_percent: float | None = None
    restart_mark: int | None = None
    fault: str | None = None
    rejected: tuple[str, ...] = ()
    phases_closed: int | None = None
    cable: Cable | None = None

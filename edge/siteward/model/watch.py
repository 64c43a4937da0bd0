"""Rules of alarms: which figure of which kind of device may be how high, for how long, and how bad it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from siteward.model.alarms import AlarmCode, Severity


class Watched(StrEnum):
    """What a rule is about: `charger` stands for each of its connectors."""

    CHARGER = "charger"
    METER = "meter"
    FEEDER = "feeder"
    STATION = "station"
    UPLINK = "uplink"


class Figure(StrEnum):
    """What is watched. silent_s counts since the last good answer; drift_percent is that of `energy.reconciled`."""

    TEMPERATURE_C = "temperature_c"
    VOLTAGE_V = "voltage_v"
    FREQUENCY_HZ = "frequency_hz"
    SILENT_S = "silent_s"
    SILENT_PERCENT = "silent_percent"
    CPU_PERCENT = "cpu_percent"
    MEMORY_PERCENT = "memory_percent"
    DISK_PERCENT = "disk_percent"
    TURN_MS = "turn_ms"
    BACKLOG_EVENTS = "backlog_events"
    DRIFT_PERCENT = "drift_percent"


UNITS: Mapping[Figure, str] = {
    Figure.TEMPERATURE_C: "°C",
    Figure.VOLTAGE_V: "V",
    Figure.FREQUENCY_HZ: "Hz",
    Figure.SILENT_S: "s",
    Figure.SILENT_PERCENT: "%",
    Figure.CPU_PERCENT: "%",
    Figure.MEMORY_PERCENT: "%",
    Figure.DISK_PERCENT: "%",
    Figure.TURN_MS: "ms",
    Figure.BACKLOG_EVENTS: "",
    Figure.DRIFT_PERCENT: "%",
}
"""Unit of each figure as people write it."""


@dataclass(frozen=True, slots=True)
class Codes:
    """The alarm of a figure that is too high, and of one that is too low where that means anything."""

    above: AlarmCode
    below: AlarmCode | None = None


CODES: Mapping[tuple[Watched, Figure], Codes] = {
    (Watched.CHARGER, Figure.TEMPERATURE_C): Codes(AlarmCode.TEMPERATURE_HIGH),
    (Watched.CHARGER, Figure.VOLTAGE_V): Codes(AlarmCode.VOLTAGE_HIGH, AlarmCode.VOLTAGE_LOW),
    (Watched.CHARGER, Figure.SILENT_S): Codes(AlarmCode.CHARGER_OFFLINE),
    (Watched.METER, Figure.VOLTAGE_V): Codes(AlarmCode.VOLTAGE_HIGH, AlarmCode.VOLTAGE_LOW),
    (Watched.METER, Figure.FREQUENCY_HZ): Codes(AlarmCode.FREQUENCY_HIGH, AlarmCode.FREQUENCY_LOW),
    (Watched.METER, Figure.SILENT_S): Codes(AlarmCode.METER_OFFLINE),
    (Watched.FEEDER, Figure.DRIFT_PERCENT): Codes(AlarmCode.ENERGY_DRIFT),
    (Watched.STATION, Figure.SILENT_PERCENT): Codes(AlarmCode.MASS_DISCONNECTION),
    (Watched.STATION, Figure.CPU_PERCENT): Codes(AlarmCode.CPU_HIGH),
    (Watched.STATION, Figure.MEMORY_PERCENT): Codes(AlarmCode.MEMORY_HIGH),
    (Watched.STATION, Figure.DISK_PERCENT): Codes(AlarmCode.DISK_HIGH),
    (Watched.STATION, Figure.TURN_MS): Codes(AlarmCode.TURN_SLOW),
    (Watched.UPLINK, Figure.SILENT_S): Codes(AlarmCode.UPLINK_LOST),
    (Watched.UPLINK, Figure.BACKLOG_EVENTS): Codes(AlarmCode.UPLINK_BACKLOG),
}
"""What can be watched at all, and which alarm it becomes."""


class Supply(StrEnum):
    """What a charger gives the car."""

    AC = "ac"
    DC = "dc"


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """One rule. Higher than `above` or lower than `below` for `after_s` raises; it ends when back by `hysteresis`.

    profile, device and supply narrow it to a kind of device, one device (charger, connector, meter or feeder id), or
    chargers of one supply; where a narrower rule is about the same figure, the wider one does not count for that
    device. `least`: so many devices (silent_percent) or Wh (drift_percent) must be concerned. `clear_after_s`: how long
    the figure must have been good. `latched`: stands until a person clears it. `own`: the installer's.
    """

    id: str
    on: Watched
    what: Figure
    severity: Severity
    above: float | None = None
    below: float | None = None
    hysteresis: float = 0.0
    after_s: float = 0.0
    clear_after_s: float = 0.0
    least: float = 0.0
    profile: str | None = None
    device: str | None = None
    supply: Supply | None = None
    latched: bool = False
    own: bool = False

    @property
    def narrowness(self) -> tuple[int, bool]:
        """How much it knows of its device, then whether the installer wrote it: the highest counts."""
        rank = 3 if self.device is not None else 2 if self.profile is not None else 1 if self.supply is not None else 0
        return rank, self.own


@dataclass(frozen=True, slots=True)
class Remark:
    """What a rule adds to its alarm: how bad, the figure when it rose, the bound that it passed, and the rule."""

    severity: Severity
    value: float
    bound: float
    what: Figure
    rule: str
    latched: bool = False

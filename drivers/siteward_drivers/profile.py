"""A loaded device profile: the file's numbers, checked, with the facts that settings and control need."""

from dataclasses import dataclass
from pathlib import Path

from siteward.model.facts import BootFacts, ChargerFacts, FailsafeFacts, LimitFacts, MeterFacts, UnlockFacts, WireFacts
from siteward.model.serial import SerialSettings
from siteward_drivers.profile_charger import ChargerPart
from siteward_drivers.profile_files import read_file
from siteward_drivers.profile_points import Point
from siteward_drivers.profile_schema import Kind, ProfileFile, Span
from siteward_drivers.profile_watchdog import FailsafePart
from siteward_drivers.quantities import Quantity

_NOMINAL_V = 230.0
"""Phase voltage for facts that no site asks for yet; a site converts them to its own."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of device. `id` is the file's name without ending, `file` the numbers as written."""

    id: str
    file: ProfileFile

    @property
    def kind(self) -> Kind:
        """Class of the device."""
        return self.file.kind

    def point(self, quantity: Quantity, channel: int = 1) -> Point:
        """The point of a quantity for a channel (from 1), moved by its stride. KeyError if there is none."""
        point = self.file.points[quantity]
        shift = self.shift(channel) if point.per_channel else 0
        return point.model_copy(update={"address": point.address + shift}) if shift else point

    def spans(self, channel: int = 1) -> tuple[Span, ...]:
        """Documented registers, those of a channel moved by its stride."""
        shift = self.shift(channel)
        return tuple(
            span.model_copy(update={"first": span.first + shift}) if span.per_channel and shift else span
            for span in self.file.documented
        )

    def shift(self, channel: int) -> int:
        """Registers that a channel lies above channel 1. ValueError for a channel that the device has not."""
        channels = self.file.channels
        if not 1 <= channel <= channels.count:
            raise ValueError(f"profile {self.id} has channels 1..{channels.count}, not {channel}")
        return (channel - 1) * channels.stride

    @property
    def charger(self) -> ChargerPart:
        """The charger's part. TypeError for another kind of device."""
        if self.file.charger is None:
            raise TypeError(f"profile {self.id} is no charger")
        return self.file.charger

    def charger_facts(self) -> ChargerFacts:
        """What control must know of it (turn.md section 5). TypeError for another kind of device."""
        part = self.charger
        limit = LimitFacts(
            min_a=part.limit.min_a,
            max_a=part.limit.max_a,
            step_a=part.limit.step_a,
            readback=part.readback.kind,
            apply_s=part.readback.apply_s,
            raise_interval_s=part.limit.raise_interval_s,
            write_hold_s=part.limit.write_hold_s,
            pause_shows=part.pause_shows,
        )
        boot = BootFacts(part.boot.boot_a, part.boot.hold_s, part.boot.watchdog_at_start, part.boot.min_silence_s)
        return ChargerFacts(
            profile=self.id,
            rated_a=part.rated_a,
            limit=limit,
            failsafe=_failsafe_facts(part.failsafe),
            boot=boot,
            measures_current=part.measured.phases > 0,
            measure_lag_s=part.measured.lag_s,
            pwm_s=part.react.pwm_s,
            bills_energy=part.bills_energy,
            common_mode=part.common_mode,
            power=None if part.dc is None else part.power,
            switches_phases=part.phases.switched,
            unlock=None if part.unlock is None else UnlockFacts(part.unlock.shows is not None, part.unlock.within_s),
        ).at_voltage(_NOMINAL_V)

    def meter_facts(self) -> MeterFacts:
        """What control must know of a meter. TypeError for another kind of device."""
        part = self.file.meter
        if part is None:
            raise TypeError(f"profile {self.id} is no meter")
        return MeterFacts(
            self.id,
            part.refresh_s,
            part.window_s,
            part.range_a,
            part.bills_energy,
            part.phases,
            part.rollover_wh,
            part.signing is not None,
        )

    def wire_facts(self) -> WireFacts:
        """How the device can be wired."""
        wire = self.file.wire
        serial = wire.serial
        return WireFacts(
            transports=tuple(str(t) for t in wire.transports),
            bauds=serial.bauds if serial else (),
            parities=tuple(str(p) for p in serial.parities) if serial else (),
            stop_bits=tuple(int(s) for s in serial.stop_bits_supported) if serial else (),
            channels=self.file.channels.count,
            protocol=str(self.file.protocol),
            serial=None if serial is None else SerialSettings(serial.baud, serial.parity, serial.stop_bits),
        )


def _failsafe_facts(part: FailsafePart | None) -> FailsafeFacts | None:
    if part is None:
        return None
    kept = part.persists
    return FailsafeFacts(
        timeout_s=part.timeout_s,
        tolerance=part.tolerance,
        reset_by=part.reset_by,
        on_expiry=part.on_expiry,
        writable=part.writable,
        persists=kept.limit and kept.failsafe and kept.timeout,
    )


def load_profile(path: Path) -> Profile:
    """Read and check one profile file. Raises ConfigError whose text is `file: key: what is wrong`."""
    return Profile(path.stem, read_file(path, ProfileFile))

"""A simulated meter: currents, power and energy of what it is clamped around, as old as its own refresh makes them."""

import math
from collections.abc import Sequence
from random import Random

from siteward.model.site import Meter
from siteward.model.units import ZERO, PerPhase, add
from siteward_drivers.profile import Profile
from siteward_drivers.profile_points import RegisterType, Table
from siteward_drivers.quantities import Quantity
from siteward_drivers.sim.chargers import constants
from siteward_drivers.sim.devices import Ripple
from siteward_drivers.sim.faults import DeviceFaults, Shows
from siteward_drivers.sim.history import CurrentHistory
from siteward_drivers.sim.registers import ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, ModbusFault, Place, RegisterMap, Value
from siteward_drivers.sim.signing import SimSigner
from siteward_drivers.sim.world import World

_CURRENTS = (Quantity.CURRENT_L1, Quantity.CURRENT_L2, Quantity.CURRENT_L3)
_VOLTAGES = (Quantity.VOLTAGE_L1, Quantity.VOLTAGE_L2, Quantity.VOLTAGE_L3)
_POWERS = (Quantity.ACTIVE_POWER_L1, Quantity.ACTIVE_POWER_L2, Quantity.ACTIVE_POWER_L3)
_PLATE_DIGITS = 12
_ALIVE = frozenset({*_VOLTAGES, Quantity.FREQUENCY})

_STRANGE = {Shows.NAN: math.nan, Shows.INFINITE: math.inf}


class SimMeter:
    """A meter around feeders or outlets; a feeder's meter counts all that flows through it. Implements SimDevice."""

    def __init__(self, world: World, meter: Meter, profile: Profile, random: Random) -> None:
        self.meter = meter
        self.profile = profile
        self.faults = DeviceFaults()
        self._world = world
        self._sources = _sources(world, meter)
        self._map = RegisterMap(profile)
        part = profile.file.meter
        self._refresh_s = part.refresh_s if part is not None else 1.0
        self._window_s = part.window_s if part is not None else 1.0
        self._ripple = Ripple(random, world.voltage_v)
        self._register_offset_wh = random.randrange(100_000, 900_000)
        self._constants = constants(profile.file, 1)
        self._constants[Quantity.SERIAL_NUMBER] = _serial(profile, random.randrange(1_000_000, 9_000_000))
        for condition in part.valid_when if part is not None else ():
            self._constants[condition.quantity] = condition.raw * profile.file.points[condition.quantity].scale
        self.signer: SimSigner | None = None
        if part is not None and part.signing is not None:
            serial = str(self._constants[Quantity.SERIAL_NUMBER])
            self.signer = SimSigner(part.signing, serial, self._counted_wh, lambda: world.now, random)
        self._frozen: dict[Quantity, Value] = {}
        self._seen: tuple[float, dict[Quantity, Value]] = (-math.inf, {})

    @property
    def name(self) -> str:
        """The meter's id in the site."""
        return self.meter.id

    @property
    def answers(self) -> bool:
        """Meters are always up."""
        return True

    @property
    def think_s(self) -> float:
        """Turnaround by its profile, and the latency put on it."""
        return self.profile.file.timing.turnaround_s + self.faults.latency_s

    def overhear(self) -> None:
        """Meters have no watchdog."""

    def read(self, table: Table, address: int, count: int) -> list[int]:
        """Words of registers. Raises ModbusFault."""
        if self.signer is not None and table is Table.HOLDING and self.signer.has(address):
            return self.signer.read(address, count)
        words = self._map.read(table, address, count, self._show)
        if self.faults.shows is Shows.SWAPPED:
            # Whole pairs as this project's meters lie: an odd count keeps its last word.
            pairs = [word for n in range(0, len(words) - 1, 2) for word in (words[n + 1], words[n])]
            return pairs + words[len(pairs) :]
        return [0xFFFF] * len(words) if self.faults.shows is Shows.ONES else words

    def write(self, address: int, words: Sequence[int], function: int) -> None:
        """Only what signs is ever written: any other writable register would be a mistake of ours."""
        if self.signer is not None and self.signer.has(address):
            self.signer.write(address, words)
            return
        raise ModbusFault(ILLEGAL_FUNCTION if not self.profile.file.timing.write_functions else ILLEGAL_ADDRESS)

    def set_constant(self, quantity: Quantity, value: float) -> None:
        """Put a value into a register that nothing moves, such as a transformer ratio."""
        self._constants[quantity] = value
        self._seen = (-math.inf, {})

    def _show(self, place: Place) -> Value:
        return self.show(place.quantity)

    def show(self, quantity: Quantity) -> Value:
        """What the display shows of a quantity, faults included (all ones exist on the wire only)."""
        shows = self.faults.shows
        if shows is Shows.FROZEN:
            if not self._frozen:
                self._frozen = dict(self.values())
            return self._frozen.get(quantity, 0.0)
        self._frozen = {}
        point = self.profile.file.points.get(quantity)
        strange = _STRANGE.get(shows)
        if strange is not None and point is not None and point.type is RegisterType.F32:
            return strange
        if shows is Shows.ZERO and quantity not in _ALIVE:
            return 0.0
        return self.values().get(quantity, 0.0)

    def values(self) -> dict[Quantity, Value]:
        """All quantities as of the meter's last refresh."""
        slot = math.floor(self._world.now / self._refresh_s + 1e-9)
        at = slot * self._refresh_s
        if self._seen[0] != at:
            self._ripple.sample(slot)
            self._seen = (at, self._measure(at))
        return self._seen[1]

    def _counted_wh(self) -> float:
        """The import register, for what is signed: at this very moment."""
        charge = sum(sum(history.charge_as(self._world.now)) for history in self._sources)
        return math.floor(charge * self._world.voltage_v / 3600.0 + self._register_offset_wh)

    def _measure(self, at: float) -> dict[Quantity, Value]:
        amps, charge = ZERO, ZERO
        for history in self._sources:
            amps = add(amps, history.mean_a(at - self._window_s, at))
            charge = add(charge, history.charge_as(at))
        amps = self._transformed(amps)
        volts = self._ripple.volts
        watts = tuple(a * v for a, v in zip(amps, volts, strict=True))
        energy_wh = sum(charge) * self._world.voltage_v / 3600.0 + self._register_offset_wh
        shown: dict[Quantity, Value] = dict(self._constants)
        signed = not self.faults.unsigned
        shown.update(zip(_CURRENTS, amps if signed else map(abs, amps), strict=True))
        shown.update(zip(_VOLTAGES, volts, strict=True))
        shown.update(zip(_POWERS, watts, strict=True))
        shown[Quantity.ACTIVE_POWER_TOTAL] = shown[Quantity.APPARENT_POWER_TOTAL] = sum(watts)
        shown[Quantity.POWER_FACTOR_TOTAL] = 1.0
        shown[Quantity.FREQUENCY] = self._ripple.hertz
        shown[Quantity.ENERGY_IMPORT_TOTAL] = shown[Quantity.APPARENT_ENERGY_TOTAL] = float(math.floor(energy_wh))
        return shown

    def _transformed(self, amps: PerPhase) -> PerPhase:
        """Currents as the transformers of the meter sit."""
        faults = self.faults
        a, b, c = (amps[n] * sign * faults.factor for n, sign in zip(faults.clamps, faults.signs, strict=True))
        return (a, b, c)


def _serial(profile: Profile, number: int) -> Value:
    """A meter's number as its profile has it: a number, or a text of so many digits."""
    register = profile.file.points.get(Quantity.SERIAL_NUMBER)
    if register is not None and register.type is RegisterType.STRING:
        return str(number)
    point = profile.file.data.get(Quantity.SERIAL_NUMBER)
    if Quantity.SERIAL_NUMBER in profile.file.objects:
        return str(number).rjust(_PLATE_DIGITS, "0")
    return float(number) if point is None or not point.digits else str(number).rjust(2 * point.bytes, "0")


def _sources(world: World, meter: Meter) -> list[CurrentHistory]:
    """What the meter is clamped around; a connector's billing meter counts the connector's own phases 1..3."""
    found = [node.history for node in world.nodes.values() if node.feeder.meter == meter.id]
    return found + [o.history for o in world.outlets.values() if o.connector.meter == meter.id]

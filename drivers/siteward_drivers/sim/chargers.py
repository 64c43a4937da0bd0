"""A simulated charging device: one address, one or more charge points, registers as its profile lays them out."""

import math
from collections.abc import Sequence
from random import Random

from siteward.model.facts import ResetBy
from siteward.model.site import Charger
from siteward_drivers.profile import Profile
from siteward_drivers.profile_points import Table
from siteward_drivers.profile_schema import ProfileFile
from siteward_drivers.quantities import Quantity
from siteward_drivers.sim.charge_point import ChargePoint
from siteward_drivers.sim.devices import Ripple
from siteward_drivers.sim.faults import DeviceFaults
from siteward_drivers.sim.registers import ILLEGAL_FUNCTION, ModbusFault, Place, RegisterMap, Value
from siteward_drivers.sim.world import World

_CURRENTS = {Quantity.CURRENT_L1: 0, Quantity.CURRENT_L2: 1, Quantity.CURRENT_L3: 2}
_VOLTAGES = {Quantity.VOLTAGE_L1: 0, Quantity.VOLTAGE_L2: 1, Quantity.VOLTAGE_L3: 2}
_MIRRORS = {
    Quantity.CURRENT_LIMIT_ECHO: Quantity.CURRENT_LIMIT,
    Quantity.FAILSAFE_CURRENT_ACTUAL: Quantity.FAILSAFE_CURRENT,
}
"""Registers that show what was written into another one."""
_POWERS = {Quantity.ACTIVE_POWER_TOTAL, Quantity.APPARENT_POWER_TOTAL}
_ENERGIES = {Quantity.ENERGY_IMPORT_TOTAL, Quantity.APPARENT_ENERGY_TOTAL}


class SimCharger:
    """A charging device with all its connectors; implements SimDevice."""

    def __init__(self, world: World, charger: Charger, profile: Profile, random: Random) -> None:
        self.charger = charger
        self.profile = profile
        self.faults = DeviceFaults()
        self.points = {c.channel: ChargePoint(world, c, profile, self.faults) for c in charger.connectors}
        self._world = world
        self._map = RegisterMap(profile, tuple(self.points))
        self._ripple = Ripple(random, world.voltage_v)
        self._lag_s = max(0.05, profile.charger.measured.lag_s)
        self._register_offset_wh = {channel: random.randrange(10_000, 900_000) for channel in self.points}
        self._measured_phases = profile.charger.measured.phases
        self._scale = {q: p.scale for q, p in profile.file.points.items()}
        self._constants = constants(profile.file, len(self.points))
        self._state_quantities = {Quantity.STATUS, *(rule.quantity for rule in profile.charger.status.rules)}

    @property
    def name(self) -> str:
        """The charger's id in the site."""
        return self.charger.id

    @property
    def answers(self) -> bool:
        """Whether it is up; a device of several connectors boots and sleeps as one."""
        return any(p.answers for p in self.points.values())

    @property
    def think_s(self) -> float:
        """Turnaround by its profile, and the latency put on it."""
        return self.profile.file.timing.turnaround_s + self.faults.latency_s

    def overhear(self) -> None:
        """Traffic for others on its line re-arms a watchdog that counts any traffic."""
        for point in self.points.values():
            if point.habits.reset_by is ResetBy.ANY_TRAFFIC:
                point.feed(limit_write=False)

    def read(self, table: Table, address: int, count: int) -> list[int]:
        """Words of registers; feeds every watchdog that counts requests. Raises ModbusFault."""
        self.heard()
        return self._map.read(table, address, count, self._show)

    def write(self, address: int, words: Sequence[int], function: int) -> None:
        """Write registers with function 6 or 16. Raises ModbusFault, then nothing changed."""
        self.heard()
        if function not in self.profile.file.timing.write_functions:
            raise ModbusFault(ILLEGAL_FUNCTION)
        failsafe = self.profile.charger.failsafe
        writes = self._map.resolve(address, words, failsafe.off_code if failsafe is not None else None)
        for place, raw in writes:
            if place.channel in self.points:
                point = self.points[place.channel]
                point.write(place.quantity, raw)
                point.feed(limit_write=place.quantity in self.limit_quantities, heartbeat=self._is_beat(place, raw))

    def _is_beat(self, place: Place, raw: float) -> bool:
        part = self.profile.charger.heartbeat
        return part is not None and place.quantity is part.quantity and raw == part.raw

    @property
    def nominal_v(self) -> float:
        """Nominal phase voltage of its site."""
        return self._world.voltage_v

    def heard(self) -> None:
        """A request to this address arrived."""
        for point in self.points.values():
            point.feed(limit_write=False)

    @property
    def limit_quantities(self) -> frozenset[Quantity]:
        """Registers whose write counts as writing the limit."""
        verbs = self.profile.charger.verbs
        return frozenset(s.quantity for verb in (verbs.limit, verbs.pause) for s in verb.steps)

    def restart(self) -> None:
        """Restart the whole device."""
        for point in self.points.values():
            point.restart()

    def new_firmware(self, layout: float) -> None:
        """Another firmware: it restarts and names another version of its register map (fault 26)."""
        self._constants = {**self._constants, Quantity.LAYOUT_VERSION: layout}
        self.restart()

    def refresh(self) -> None:
        """Act again on the present registers, after a fault was changed."""
        for point in self.points.values():
            point.refresh()

    def _show(self, place: Place) -> Value:
        return self.show(place.quantity, place.channel)

    def show(self, quantity: Quantity, channel: int) -> Value:
        """What a register shows now, in its unit: measured values are as old as the device's lag makes them."""
        point = self.points[channel]
        latch = point.latch.shown(quantity)
        if latch is not None:
            return latch * self._scale[quantity]
        if quantity in self._state_quantities:
            key = point.states().get(quantity, "0")
            return float(key) if key.isdecimal() else key
        if quantity in point.held:
            return point.held[quantity] * self._scale[quantity]
        contactors = point.contactors.shown(quantity)
        if contactors is not None:
            return contactors * self._scale[quantity]
        if quantity in _MIRRORS:
            return point.scaled(_MIRRORS[quantity])
        if quantity is Quantity.WATCHDOG_TIMEOUT_ACTUAL:
            return point.shown_timeout_s()
        now = self._world.now
        measured_at = math.floor(now / self._lag_s) * self._lag_s
        self._ripple.sample(int(measured_at / self._lag_s))
        return self._measure(quantity, point, measured_at)

    def _measure(self, quantity: Quantity, point: ChargePoint, at: float) -> Value:
        draw, volts = point.outlet.history.value_a(at), self._ripple.volts
        if quantity in _CURRENTS:
            phase = _CURRENTS[quantity]
            return draw[phase] if phase < self._measured_phases else None
        if quantity in _VOLTAGES:
            return volts[_VOLTAGES[quantity]]
        if quantity in _POWERS:
            return draw[0] * volts[0] + draw[1] * volts[1] + draw[2] * volts[2]
        if quantity in _ENERGIES:
            return float(math.floor(point.outlet.energy_wh(at) + self._register_offset_wh[point.connector.channel]))
        return self._rare(quantity, point, at)

    def _rare(self, quantity: Quantity, point: ChargePoint, at: float) -> Value:
        outlet = point.outlet
        if quantity is Quantity.ENERGY_SESSION:
            return math.floor(outlet.energy_wh(at) - outlet.stay.start_wh) if outlet.stay is not None else 0.0
        if quantity is Quantity.STATE_OF_CHARGE:
            return None if outlet.car is None else outlet.car.soc * 100.0
        if quantity is Quantity.CURRENT_LIMIT_ACTUAL:
            return outlet.signalled_a
        if quantity in (Quantity.ACTIVE_POWER_L1, Quantity.ACTIVE_POWER_L2, Quantity.ACTIVE_POWER_L3):
            phase = (Quantity.ACTIVE_POWER_L1, Quantity.ACTIVE_POWER_L2, Quantity.ACTIVE_POWER_L3).index(quantity)
            return outlet.history.value_a(at)[phase] * self._ripple.volts[phase]
        if quantity is Quantity.CURRENT_MAX_HW:
            return point.connector.hardware_max_a
        if quantity is Quantity.UPTIME:
            return self._world.now - point.started_at
        return self._constants.get(quantity, 0.0)


def constants(file: ProfileFile, channels: int) -> dict[Quantity, Value]:
    """What identity and state registers show that nothing moves: the values its own probe looks for."""
    known: dict[Quantity, Value] = {
        Quantity.TEMPERATURE: 31.0,
        Quantity.CURRENT_MIN_HW: 6.0,
        Quantity.FIRMWARE_VERSION: "1.0",
        Quantity.SERIAL_NUMBER: 1.0,
    }
    for quantity, point in file.points.items():
        if point.access == "r" and point.values:
            known.setdefault(quantity, float(list(point.values)[-1]))
    for probe in file.identify:
        known[probe.quantity] = probe.begins if probe.range is None else probe.range[0]
    known[Quantity.CONTROLLER_COUNT] = float(channels)
    return known

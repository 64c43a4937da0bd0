"""A Modbus meter as the port of the model sees it, made from its profile."""

from dataclasses import replace

from siteward.model.errors import Withdrawn
from siteward.model.ids import MeterId
from siteward.model.ports import Clock
from siteward.model.readings import MeterReading
from siteward.model.serial import SerialSettings
from siteward.model.site import Meter
from siteward.model.wire import FrameStage
from siteward_drivers.blocks import poll_blocks, sentinel_blocks
from siteward_drivers.feeding import Feeding
from siteward_drivers.line_job import Rank, no_trace
from siteward_drivers.modbus_device import FedBy, Guard, RegisterDevice, Terms, Values
from siteward_drivers.quantities import Quantity
from siteward_drivers.slave import Role, Slave
from siteward_drivers.slow import SlowBlocks

_ANOTHER_LAYOUT = 2
_CURRENTS = (Quantity.CURRENT_L1, Quantity.CURRENT_L2, Quantity.CURRENT_L3)


class ModbusMeter:
    """One meter; implements model.ports.Meter and QuickMeter."""

    def __init__(
        self,
        meter: Meter,
        device: RegisterDevice,
        at: SerialSettings | None,
        clock: Clock,
        guard: Guard,
        feeds: Feeding,
    ) -> None:
        poll = device.profile.file.poll
        self._meter = meter
        self._device = device
        self._clock = clock
        self._at = at
        self._blocks = poll_blocks(device.profile, poll.always, 1, at)
        self._blocks += sentinel_blocks(device.profile, 1, at)
        self._slow = SlowBlocks(device, poll_blocks(device.profile, poll.slow, 1, at))
        terms = meter_terms(device.slave, guard, feeds)
        part = device.profile.file.meter
        self._valid_when = () if part is None else tuple(part.valid_when)
        self._exponent = None if part is None else part.energy_exponent
        self._noise = frozenset[Quantity]() if part is None else frozenset(part.noise)
        # Frames that no watchdog hears are of interest to nobody.
        self._terms = terms if feeds.anybody else replace(terms, trace=no_trace)
        self._glance = poll_blocks(device.profile, [q for q in _CURRENTS if q in poll.always], 1, at)
        self._idly = replace(self._terms, rank=Rank.GLANCE)

    @property
    def id(self) -> MeterId:
        """Its name in site.toml."""
        return self._meter.id

    async def read(self) -> MeterReading:
        """Poll once. Raises DeviceUnreachable, DeviceRefused, Withdrawn."""
        device = self._device
        if not device.known:
            await device.meet(self._terms, self._at)
        values = await device.read(self._blocks, self._terms)
        device.check_sentinel(values)
        if not device.known:
            await device.meet(self._terms, self._at)
        if self._slow.any:
            await self._slow.refresh(self._clock.now(), self._terms)
            self._slow.show(values)
        device.judge(values)
        self._judge(values)
        return reading(self._meter.id, values)

    async def glance(self) -> MeterReading:
        """Read the currents only. Raises DeviceUnreachable, DeviceRefused, Withdrawn."""
        if not self._device.known:
            raise Withdrawn(f"{self._meter.id} must tell who it is first")
        values = await self._device.read(self._glance, self._idly)
        if self._slow.any:
            self._slow.show(values)
        self._judge(values)
        return reading(self._meter.id, values)

    def _judge(self, values: Values) -> None:
        """Reject all where a register (a transformer ratio) is not as the profile needs it, or is not known.

        So do two voltages or frequencies that no grid has: one may be a slip of the meter, two are another layout of
        its registers, by the order of words perhaps, and then its currents are no currents either (fault 30).
        """
        if self._exponent is not None:
            _raise_to(values, self._exponent)
        unsure = self._valid_when and any(values.raw.get(c.quantity) != c.raw for c in self._valid_when)
        slipped = values.impossible and sum(q in self._noise for q in values.impossible) >= _ANOTHER_LAYOUT
        if unsure or slipped:
            values.rejected.extend(q for q in values.values if q not in values.rejected)
            values.values.clear()


def _raise_to(values: Values, exponent: Quantity) -> None:
    """Multiply the import register by the power of ten that the meter says; without that it says nothing."""
    energy = values.values.pop(Quantity.ENERGY_IMPORT_TOTAL, None)
    power = values.number(exponent)
    if energy is None or isinstance(energy, str):
        return
    if power is None:
        values.rejected.append(Quantity.ENERGY_IMPORT_TOTAL)
    else:
        values.values[Quantity.ENERGY_IMPORT_TOTAL] = float(f"{energy}e{power:.0f}")


def meter_terms(slave: Slave, guard: Guard, feeds: FedBy) -> Terms:
    """On what terms a meter is read: the meter of a fuse before all others (ruling 3)."""
    rank = Rank.LIMIT_METER if slave.role is Role.LIMIT_METER else Rank.REST

    def trace(stage: FrameStage, at: float, sent_at: float | None, reason: str) -> None:
        feeds(stage, at, sent_at)

    return Terms(rank, guard=guard, trace=trace)


def reading(meter: MeterId, values: Values) -> MeterReading:
    """The values of a poll as the model's reading of a meter."""
    serial = values.values.get(Quantity.SERIAL_NUMBER)
    return MeterReading(
        meter=meter,
        sent_at=values.sent_at,
        current_a=values.phases(Quantity.CURRENT_L1, Quantity.CURRENT_L2, Quantity.CURRENT_L3),
        voltage_v=values.phases(Quantity.VOLTAGE_L1, Quantity.VOLTAGE_L2, Quantity.VOLTAGE_L3),
        power_w=power_w(values),
        frequency_hz=values.number(Quantity.FREQUENCY),
        energy_wh=values.count(Quantity.ENERGY_IMPORT_TOTAL),
        serial=None if serial is None else str(serial),
        rejected=tuple(map(str, values.rejected)) if values.rejected else (),
    )


def power_w(values: Values) -> float | None:
    """Active power: the device's total, else the sum of its phases, else not known."""
    total = values.number(Quantity.ACTIVE_POWER_TOTAL)
    if total is not None or Quantity.ACTIVE_POWER_TOTAL in values.rejected:
        return total
    phases = values.phases(Quantity.ACTIVE_POWER_L1, Quantity.ACTIVE_POWER_L2, Quantity.ACTIVE_POWER_L3)
    return None if phases is None else sum(phases)

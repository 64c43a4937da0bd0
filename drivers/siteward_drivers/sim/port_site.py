"""Port fidelity: the Lines, Meter and Charger ports of a simulated site straight on its world, without frames."""

import math
from collections.abc import Sequence

from siteward.model.errors import DeviceUnreachable
from siteward.model.ids import ConnectorId, LineId, MeterId
from siteward.model.live import LineView
from siteward.model.ports import Charger, Clock, Gate, Meter, WireLog
from siteward.model.readings import MeterReading
from siteward.model.units import PerPhase
from siteward_drivers.profile_points import Point
from siteward_drivers.quantities import Quantity
from siteward_drivers.sim.faults import Shows
from siteward_drivers.sim.meters import SimMeter
from siteward_drivers.sim.port_charger import Currents, PortCharger, Voltages
from siteward_drivers.sim.port_wire import PortWire, Urgency
from siteward_drivers.sim.registers import Value
from siteward_drivers.sim.site import SimSite


class PortMeter:
    """One meter; implements model.ports.Meter on a SimMeter."""

    def __init__(self, device: SimMeter, wire: PortWire, clock: Clock) -> None:
        self._device, self._wire, self._clock = device, wire, clock

    @property
    def id(self) -> MeterId:
        """Its name in site.toml."""
        return self._device.meter.id

    async def read(self) -> MeterReading:
        """Poll once. Raises DeviceUnreachable."""
        async with self._wire.turn(Urgency.METER):
            sent_at = self._clock.now()
            if not await self._wire.exchange(self._device, _nothing):
                raise DeviceUnreachable(f"{self.id} does not answer")
            return self._look(sent_at)

    def _look(self, sent_at: float) -> MeterReading:
        rejected: list[str] = []

        def value(quantity: Quantity) -> float | None:
            point = self._device.profile.file.points.get(quantity)
            if point is None:
                return None
            shown = self._device.show(quantity)
            if self._device.faults.shows is Shows.ONES or not _true(point, shown):
                rejected.append(quantity.value)
                return None
            return shown if isinstance(shown, float) else None

        energy_wh, serial = value(Quantity.ENERGY_IMPORT_TOTAL), value(Quantity.SERIAL_NUMBER)
        return MeterReading(
            meter=self.id,
            sent_at=sent_at,
            current_a=_three(*(value(q) for q in Currents)),
            voltage_v=_three(*(value(q) for q in Voltages)),
            power_w=value(Quantity.ACTIVE_POWER_TOTAL),
            frequency_hz=value(Quantity.FREQUENCY),
            energy_wh=None if energy_wh is None else int(energy_wh),
            serial=None if serial is None else str(int(serial)),
            rejected=tuple(rejected),
        )


class PortLines:
    """All wires of a simulated site at port fidelity; implements model.ports.Lines.

    `wires` gives their pace and time-outs, `sim` everything that can be taken away.
    """

    def __init__(self, sim: SimSite, clock: Clock, gate: Gate, log: WireLog, timeout_s: float = 0.5) -> None:
        self.sim = sim
        site = sim.site
        self.wires = {line.id: PortWire(line, sim.banks[line.id], clock, timeout_s) for line in site.lines}
        self._line_of = {c.id: charger.line for charger in site.chargers for c in charger.connectors}
        self._meters = [PortMeter(sim.meters[m.id], self.wires[m.line], clock) for m in site.meters]
        self._chargers = [
            PortCharger(c, sim.chargers[charger.id], self.wires[charger.line], clock, gate, log)
            for charger in site.chargers
            for c in charger.connectors
        ]

    @property
    def meters(self) -> Sequence[Meter]:
        """Meters in the order of site.toml."""
        return self._meters

    @property
    def chargers(self) -> Sequence[Charger]:
        """Connectors in the order of site.toml."""
        return self._chargers

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    def views(self) -> tuple[LineView, ...]:
        """Statistics of every line; a wire without frames has none of single addresses."""
        elapsed = max(1.0, self.sim.world.now - self.sim.started_at)
        return tuple(
            LineView(str(w.line.id), w.line.port, w.plugged, min(1.0, w.busy_s / elapsed), 0, ())
            for w in self.wires.values()
        )

    def line_of(self, connector: ConnectorId) -> LineId:
        """The wire that a connector hangs on. Raises KeyError."""
        return self._line_of[connector]


def _nothing() -> None:
    """A meter does nothing when it is read."""


def _true(point: Point, value: Value) -> bool:
    if not isinstance(value, float):
        return True
    if point.range is None:
        return not math.isnan(value)
    low, high = point.range
    return low <= value <= high


def _three(a: float | None, b: float | None, c: float | None) -> PerPhase | None:
    return None if a is None or b is None or c is None else (a, b, c)

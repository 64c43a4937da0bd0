"""Port fidelity: the Lines, Meter and Charger ports of a simulated site straight on its world, without frames."""

from collections.abc import Mapping, Sequence

from siteward.model.alarms import Alarm
from siteward.model.errors import DeviceUnreachable
from siteward.model.frames import FrameFormat
from siteward.model.ids import ConnectorId, LineId, MeterId
from siteward.model.live import LineView
from siteward.model.ports import Charger, Clock, DriveGate, Gate, Meter, PointDevice, WireLog
from siteward.model.readings import MeterReading
from siteward.model.site import Charger as ChargerSpec
from siteward.model.site import Site
from siteward.model.visit import WireCall, WireHeard
from siteward_drivers.closed_gate import ClosedGate
from siteward_drivers.gpio_names import gpio_names
from siteward_drivers.modbus_meter import reading
from siteward_drivers.sim.faults import Shows
from siteward_drivers.sim.meters import SimMeter
from siteward_drivers.sim.observe import Observer
from siteward_drivers.sim.port_charger import PortCharger
from siteward_drivers.sim.port_points import PortPoints
from siteward_drivers.sim.port_wire import PortWire, Urgency
from siteward_drivers.sim.site import SimSite


class PortMeter:
    """One meter; implements model.ports.Meter on a SimMeter."""

    def __init__(self, device: SimMeter, wire: PortWire, clock: Clock) -> None:
        self._device, self._wire, self._clock = device, wire, clock
        self._observer = Observer(device.profile)

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
        device = self._device
        lies = device.faults.shows is Shows.ONES
        values = self._observer.nothing(sent_at) if lies else self._observer.look(device.show, sent_at)
        return reading(self.id, values)


class PortLines:
    """All wires of a simulated site at port fidelity; implements model.ports.Lines.

    `wires` gives their pace and time-outs, `sim` everything that can be taken away. Without a `drive_gate` nothing
    risky is ever driven.
    """

    def __init__(
        self,
        sim: SimSite,
        clock: Clock,
        gate: Gate,
        log: WireLog,
        timeout_s: float = 0.5,
        drive_gate: DriveGate | None = None,
    ) -> None:
        self.sim = sim
        site = sim.site
        self.wires = {line.id: PortWire(line, sim.banks[line.id], clock, timeout_s) for line in site.lines}
        self._line_of = {c.id: charger.line for charger in site.chargers for c in charger.connectors}
        self._meters = [PortMeter(sim.meters[m.id], self.wires[m.line], clock) for m in site.meters]
        self._chargers = [
            PortCharger(
                c, sim.chargers[charger.id], _on(site, charger.line), self.wires[charger.line], clock, gate, log
            )
            for charger in site.chargers
            for c in charger.connectors
        ]

        may_drive = drive_gate or ClosedGate()
        boards = [
            PortPoints(b.id, sim.wiring, clock, may_drive, self.wires[b.line], sim.boards[b.id]) for b in site.relays
        ]
        chips = [PortPoints(name, sim.wiring, clock, may_drive) for name in gpio_names(site)]
        self._points = {device.id: device for device in (*boards, *chips)}

    @property
    def meters(self) -> Sequence[Meter]:
        """Meters in the order of site.toml."""
        return self._meters

    @property
    def chargers(self) -> Sequence[Charger]:
        """Connectors in the order of site.toml."""
        return self._chargers

    @property
    def points(self) -> Mapping[str, PointDevice]:
        """Relay boards and the computer's own lines by id."""
        return self._points

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Let the outputs go."""
        for device in self._points.values():
            await device.close()

    def views(self) -> tuple[LineView, ...]:
        """Statistics of every line; a wire without frames has none of single addresses."""
        elapsed = max(1.0, self.sim.world.now - self.sim.started_at)
        return tuple(
            LineView(str(w.line.id), w.line.port, w.plugged, min(1.0, w.busy_s / elapsed), 0, ())
            for w in self.wires.values()
        )

    def alarms(self) -> frozenset[Alarm]:
        """What is wrong with the wires themselves, now."""
        return frozenset()

    async def frames(self, line: LineId, form: FrameFormat, last_s: float) -> bytes | None:
        """None: nothing travels here in frames."""
        return None

    async def call(self, line: LineId, call: WireCall) -> WireHeard | None:
        """None: nobody can be called where nothing travels in frames."""
        return None

    def line_of(self, connector: ConnectorId) -> LineId:
        """The wire that a connector hangs on. Raises KeyError."""
        return self._line_of[connector]


def _on(site: Site, line: LineId) -> tuple[ChargerSpec, ...]:
    return tuple(c for c in site.chargers if c.line == line)


def _nothing() -> None:
    """A meter does nothing when it is read."""

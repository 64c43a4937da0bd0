"""A simulated connector straight behind the Charger port: same devices, gate and wire log, no frames."""

from siteward.model.errors import DeviceUnreachable, Withdrawn
from siteward.model.facts import ResetBy
from siteward.model.ids import ConnectorId
from siteward.model.ports import Clock, Gate, WireLog
from siteward.model.readings import ChargerReading, Pilot
from siteward.model.site import Connector
from siteward.model.units import PerPhase
from siteward.model.wire import FrameKind, FrameStage, WireEvent, Write, WriteKind
from siteward_drivers.profile_charger import BootPart
from siteward_drivers.quantities import Quantity
from siteward_drivers.sim.chargers import SimCharger
from siteward_drivers.sim.port_wire import PortWire, Urgency

Voltages = (Quantity.VOLTAGE_L1, Quantity.VOLTAGE_L2, Quantity.VOLTAGE_L3)
Currents = (Quantity.CURRENT_L1, Quantity.CURRENT_L2, Quantity.CURRENT_L3)


class PortCharger:
    """One connector; implements model.ports.Charger on a SimCharger."""

    def __init__(
        self, connector: Connector, device: SimCharger, wire: PortWire, clock: Clock, gate: Gate, log: WireLog
    ) -> None:
        self._connector, self._device, self._wire = connector, device, wire
        self._clock, self._gate, self._log = clock, gate, log
        self._point = device.points[connector.channel]
        shared = device.profile.charger.failsafe
        feeds_all = shared is not None and shared.reset_by is ResetBy.ANY_REQUEST
        self._logged = tuple(device.charger.connectors) if feeds_all else (connector,)

    @property
    def id(self) -> ConnectorId:
        """The connector's name in site.toml."""
        return self._connector.id

    async def read(self) -> ChargerReading:
        """Poll once. Raises DeviceUnreachable, Withdrawn."""
        async with self._wire.turn(Urgency.POLL):
            sent_at = self._clock.now()
            if not self._gate.may_speak(self.id, sent_at):
                raise self._withdrawn(FrameKind.READ, None, "gate")
            reading = await self._exchange(FrameKind.READ, None)
            if not reading:
                raise DeviceUnreachable(f"{self.id} does not answer")
            return self._look(sent_at)

    async def write(self, write: Write) -> None:
        """Perform one write by the profile's verbs. Raises DeviceUnreachable, Withdrawn."""
        kind = FrameKind.LIMIT if write.kind is WriteKind.LIMIT else FrameKind.FAILSAFE
        self._tell(kind, FrameStage.QUEUED, write)
        async with self._wire.turn(Urgency.RAISE if write.raises else Urgency.CUT):
            if not self._gate.may_send(write, self._clock.now()):
                raise self._withdrawn(kind, write, "gate")
            if not await self._exchange(kind, write):
                raise DeviceUnreachable(f"{self.id} does not answer")

    async def _exchange(self, kind: FrameKind, write: Write | None) -> bool:
        """Send; the device acts half-way through if it hears. False when no answer came in time."""
        sent_at = self._clock.now()
        self._tell(kind, FrameStage.SENT, write, sent_at)
        answered = await self._wire.exchange(self._device, lambda: self._act(write))
        stage = FrameStage.ANSWERED if answered else FrameStage.FAILED
        self._tell(kind, stage, write, sent_at)
        return answered

    def _act(self, write: Write | None) -> None:
        self._device.heard()
        if write is None:
            return
        point, verbs = self._point, self._point.part.verbs
        if write.kind is WriteKind.LIMIT:
            point.do((verbs.limit if write.value_a > 0 else verbs.pause).steps, write.value_a)
            point.feed(limit_write=True)
            return
        self._load_watchdog(write.value_a)

    def _load_watchdog(self, value_a: float) -> None:
        point, part = self._point, self._point.part
        if part.failsafe is None:
            return
        for quantity in part.failsafe.order:
            if quantity is Quantity.FAILSAFE_CURRENT:
                point.write_scaled(quantity, value_a)
            elif quantity is Quantity.WATCHDOG_TIMEOUT:
                point.write_scaled(quantity, part.failsafe.timeout_s)
            elif part.boot.standby_off is not None and quantity is part.boot.standby_off.quantity:
                point.write(quantity, part.boot.standby_off.raw)

    def _look(self, sent_at: float) -> ChargerReading:
        point, show, channel = self._point, self._device.show, self._connector.channel
        part = point.part
        status = part.status
        key = point.status_key()
        amps = _three(tuple(show(q, channel) for q in Currents))
        volts = _three(tuple(show(q, channel) for q in Voltages))
        energy = show(Quantity.ENERGY_IMPORT_TOTAL, channel)
        has_failsafe = part.failsafe is not None
        return ChargerReading(
            connector=self.id,
            sent_at=sent_at,
            pilot=Pilot(status.map[key]),
            charging=key in status.charging,
            set_point_a=0.0 if point.paused else point.scaled(Quantity.CURRENT_LIMIT),
            failsafe_a=point.scaled(Quantity.FAILSAFE_CURRENT) if has_failsafe else None,
            failsafe_timeout_s=point.timeout_s,
            standby_off=_standby_off(part.boot, point.held),
            hardware_max_a=self._connector.hardware_max_a,
            measured_a=amps,
            voltage_v=volts,
            power_w=None if amps is None or volts is None else sum(a * v for a, v in zip(amps, volts, strict=True)),
            energy_wh=int(energy) if part.bills_energy and isinstance(energy, float) else None,
            energy_vah=None if part.bills_energy or not isinstance(energy, float) else int(energy),
            soc_percent=self._soc(),
            restart_mark=int(point.started_at * 1000) if part.boot.restart_mark is not None else None,
            fault=status.faults.get(key),
        )

    def _soc(self) -> float | None:
        if Quantity.STATE_OF_CHARGE not in self._device.profile.file.points:
            return None
        value = self._device.show(Quantity.STATE_OF_CHARGE, self._connector.channel)
        return value if isinstance(value, float) else None

    def _withdrawn(self, kind: FrameKind, write: Write | None, reason: str) -> Withdrawn:
        self._tell(kind, FrameStage.WITHDRAWN, write, reason=reason)
        return Withdrawn(f"{self.id}: {reason}")

    def _tell(
        self, kind: FrameKind, stage: FrameStage, write: Write | None, sent_at: float | None = None, reason: str = ""
    ) -> None:
        at = self._clock.now()
        value_a = None if write is None else write.value_a
        turn = None if write is None else write.turn
        for connector in self._logged:
            own = connector is self._connector
            self._log(
                WireEvent(
                    connector=connector.id,
                    kind=kind if own else FrameKind.OTHER,
                    stage=stage,
                    at=at,
                    value_a=value_a if own else None,
                    sent_at=sent_at,
                    turn=turn if own else None,
                    reason=reason,
                )
            )


def _three(values: tuple[object, ...]) -> PerPhase | None:
    a, b, c = values
    if isinstance(a, float) and isinstance(b, float) and isinstance(c, float):
        return (a, b, c)
    return None


def _standby_off(boot: BootPart, held: dict[Quantity, int]) -> bool | None:
    return None if boot.standby_off is None else held.get(boot.standby_off.quantity) == boot.standby_off.raw

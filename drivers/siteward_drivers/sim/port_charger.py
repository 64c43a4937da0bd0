"""A simulated connector straight behind the Charger port: same devices, gate and wire log, no frames."""

import math
from collections.abc import Callable, Sequence
from functools import partial

from siteward.model.errors import DeviceRefused, DeviceUnreachable, Withdrawn
from siteward.model.ids import ConnectorId
from siteward.model.ports import Clock, Gate, WireLog
from siteward.model.readings import ChargerReading
from siteward.model.site import Charger, Connector
from siteward.model.wire import FrameKind, FrameStage, WireEvent, Write
from siteward_drivers.charger_reading import charger_reading
from siteward_drivers.charger_writes import Frame, heartbeat_frames, plan_write
from siteward_drivers.feeding import Feeding, also_fed
from siteward_drivers.modbus_device import write_function
from siteward_drivers.quantities import Quantity
from siteward_drivers.sim.chargers import SimCharger
from siteward_drivers.sim.observe import Observer
from siteward_drivers.sim.port_wire import PortWire, Urgency
from siteward_drivers.sim.registers import ModbusFault, Value

Action = Callable[[], None]


class PortCharger:
    """One connector; implements model.ports.Charger on a SimCharger."""

    def __init__(
        self,
        connector: Connector,
        device: SimCharger,
        neighbours: Sequence[Charger],
        wire: PortWire,
        clock: Clock,
        gate: Gate,
        log: WireLog,
    ) -> None:
        self._connector, self._device, self._wire = connector, device, wire
        self._clock, self._gate, self._log = clock, gate, log
        self._observer = Observer(device.profile)
        self._beat_at = -math.inf
        self._feeding = Feeding(also_fed(connector, device.charger, neighbours), log)

    @property
    def id(self) -> ConnectorId:
        """The connector's name in site.toml."""
        return self._connector.id

    async def read(self) -> ChargerReading:
        """Poll once. Raises DeviceUnreachable, Withdrawn."""
        self._tell(FrameKind.READ, FrameStage.QUEUED, None, None)
        async with self._wire.turn(Urgency.POLL):
            sent_at = self._clock.now()
            if not self._gate.may_speak(self.id, sent_at):
                raise self._withdrawn(FrameKind.READ, None, None)
            await self._exchange(FrameKind.READ, None, None, self._device.heard)
            values = self._observer.look(self._show, sent_at)
        await self._beat()
        return charger_reading(self.id, self._device.profile, values, self._device.nominal_v)

    async def _beat(self) -> None:
        """The life bit, where the device wants one and it is due."""
        part = self._device.profile.charger.heartbeat
        if part is None or self._clock.now() < self._beat_at + part.every_s:
            return
        for frame in heartbeat_frames(self._device.profile, self._connector.channel):
            async with self._wire.turn(Urgency.POLL):
                if not self._gate.may_speak(self.id, self._clock.now()):
                    raise self._withdrawn(FrameKind.OTHER, None, None)
                await self._exchange(FrameKind.OTHER, None, None, partial(self._act, frame))
        self._beat_at = self._clock.now()

    def _show(self, quantity: Quantity) -> Value:
        return self._device.show(quantity, self._connector.channel)

    async def write(self, write: Write) -> None:
        """Perform one write by the profile's verbs. Raises DeviceUnreachable, DeviceRefused, Withdrawn."""
        kind = FrameKind(write.kind)
        plan = plan_write(self._device.profile, self._connector.channel, write, self._device.nominal_v)
        urgency = Urgency.RAISE if write.raises else Urgency.CUT
        for frame in plan.frames:
            self._tell(kind, FrameStage.QUEUED, plan.value_a, write.turn)
            async with self._wire.turn(urgency):
                if not self._gate.may_send(write, self._clock.now()):
                    raise self._withdrawn(kind, plan.value_a, write.turn)
                await self._exchange(kind, plan.value_a, write.turn, partial(self._act, frame))

    async def _exchange(self, kind: FrameKind, value_a: float | None, turn: int | None, act: Action) -> None:
        """Send; the device acts half-way through if it hears. Raises DeviceUnreachable, DeviceRefused."""
        sent_at = self._clock.now()
        self._tell(kind, FrameStage.SENT, value_a, turn, sent_at)
        try:
            answered = await self._wire.exchange(self._device, act)
        except ModbusFault as fault:
            self._tell(kind, FrameStage.FAILED, value_a, turn, sent_at, f"refused with {fault.code}")
            raise DeviceRefused(f"{self.id} refuses with exception {fault.code}", fault.code) from fault
        self._tell(kind, FrameStage.ANSWERED if answered else FrameStage.FAILED, value_a, turn, sent_at)
        if not answered:
            raise DeviceUnreachable(f"{self.id} does not answer")

    def _act(self, frame: Frame) -> None:
        function = write_function(self._device.profile, frame.table, len(frame.words))
        self._device.write(frame.address, frame.words, function)

    def _withdrawn(self, kind: FrameKind, value_a: float | None, turn: int | None) -> Withdrawn:
        self._tell(kind, FrameStage.WITHDRAWN, value_a, turn, reason="gate")
        return Withdrawn(f"{self.id}: the gate is closed")

    def _tell(
        self,
        kind: FrameKind,
        stage: FrameStage,
        value_a: float | None,
        turn: int | None,
        sent_at: float | None = None,
        reason: str = "",
    ) -> None:
        at = self._clock.now()
        self._log(WireEvent(self.id, kind, stage, at, value_a, sent_at, turn, reason))
        self._feeding(stage, at, sent_at)

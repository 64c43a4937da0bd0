"""One connector of a Modbus charger as the port of the model sees it, made from its profile."""

import math

from siteward.model.errors import DeviceUnreachable
from siteward.model.ids import ConnectorId
from siteward.model.ports import Clock, Gate, WireLog
from siteward.model.readings import ChargerReading
from siteward.model.serial import SerialSettings
from siteward.model.site import Connector
from siteward.model.wire import FrameKind, FrameStage, WireEvent, Write, WriteKind
from siteward_drivers.blocks import poll_blocks, sentinel_blocks
from siteward_drivers.charger_reading import charger_reading
from siteward_drivers.charger_writes import heartbeat_frames, plan_write
from siteward_drivers.line_job import Rank
from siteward_drivers.modbus_device import FedBy, RegisterDevice, Terms, Trace
from siteward_drivers.slow import COUNT_S, SlowBlocks, counted_part, slow_part


class ModbusCharger:
    """One connector; implements model.ports.Charger."""

    def __init__(
        self,
        connector: Connector,
        device: RegisterDevice,
        at: SerialSettings | None,
        clock: Clock,
        gate: Gate,
        log: WireLog,
        feeds: FedBy,
        nominal_v: float = 230.0,
    ) -> None:
        poll = device.profile.file.poll
        self._connector = connector
        self._device = device
        self._clock = clock
        self._gate = gate
        self._log = log
        self._feeds = feeds
        self._blocks = poll_blocks(device.profile, poll.always, connector.channel, at)
        self._last = sentinel_blocks(device.profile, connector.channel, at)
        slow, counted = slow_part(device.profile), counted_part(device.profile)
        self._slow = SlowBlocks(device, poll_blocks(device.profile, slow, connector.channel, at))
        self._counted = SlowBlocks(device, poll_blocks(device.profile, counted, connector.channel, at), COUNT_S)
        self._read_back = False
        self._at = at
        self._nominal_v = nominal_v
        self._heartbeat = heartbeat_frames(device.profile, connector.channel)
        self._beat_at = -math.inf

    @property
    def id(self) -> ConnectorId:
        """The connector's name in site.toml."""
        return self._connector.id

    async def read(self) -> ChargerReading:
        """Poll once; right after a write it is a read-back and goes before other polls.

        Raises DeviceUnreachable, DeviceRefused, Withdrawn.
        """
        trace = self._trace(FrameKind.READ, None, None)
        read_back, self._read_back = self._read_back, False
        rank = Rank.CONTROL if read_back else Rank.REST
        terms = Terms(rank, guard=self._may_speak, trace=trace)
        try:
            await self._device.meet(terms, self._at)
            values = await self._device.read((*self._blocks, *self._last), terms)
            self._device.check_sentinel(values)
            await self._device.meet(terms, self._at)
        except DeviceUnreachable:
            # The lost answer may still come late and would pass for one to the same block: asking for another block
            # first need not wait for that, so that the silence stays provably short (R3b).
            self._blocks = (*self._blocks[1:], *self._blocks[:1])
            raise
        rest = Terms(Rank.REST, guard=self._may_speak, trace=trace)
        # What is billed is read also while writes are read back: where a session ends they follow each other.
        await self._counted.refresh(self._clock.now(), rest)
        if not read_back:
            await self._slow.refresh(self._clock.now(), rest)
        self._slow.show(values)
        self._counted.show(values)
        self._device.judge(values)
        await self._beat()
        return charger_reading(self._connector.id, self._device.profile, values, self._nominal_v)

    async def _beat(self) -> None:
        """Write the life bit when it is due: it stops with the lease, so that a blind controller lets go (R7)."""
        part = self._device.profile.charger.heartbeat
        if part is None or self._clock.now() < self._beat_at + part.every_s:
            return
        terms = Terms(Rank.CONTROL, guard=self._may_speak, trace=self._trace(FrameKind.OTHER, None, None))
        for frame in self._heartbeat:
            await self._device.write(frame.table, frame.address, frame.words, terms)
        self._beat_at = self._clock.now()

    async def write(self, write: Write) -> None:
        """Perform one write by the profile's verbs. Raises DeviceUnreachable, DeviceRefused, Withdrawn."""
        self._device.accept(cut=not write.raises)
        plan = plan_write(self._device.profile, self._connector.channel, write, self._nominal_v)
        cut = write.kind is WriteKind.LIMIT and not write.raises
        trace = self._trace(FrameKind(write.kind), plan.value_a, write.turn)
        for number, frame in enumerate(plan.frames):
            terms = Terms(
                Rank.CUT if cut else Rank.CONTROL,
                retries=1,
                guard=lambda at: self._may_write(write, at),
                trace=trace,
                key=(self._connector.id, write.kind, number),
                deadline=write.deadline if write.raises else None,
            )
            await self._device.write(frame.table, frame.address, frame.words, terms)
        self._read_back = True

    def _may_write(self, write: Write, at: float) -> str:
        if write.raises and not self._device.known:
            return "nobody knows yet who answers since the port was opened"
        return "" if self._gate.may_send(write, at) else "no longer allowed at sending"

    def _may_speak(self, at: float) -> str:
        return "" if self._gate.may_speak(self._connector.id, at) else "no lease to speak"

    def _trace(self, kind: FrameKind, value_a: float | None, turn: int | None) -> Trace:
        def trace(stage: FrameStage, at: float, sent_at: float | None, reason: str) -> None:
            self._log(WireEvent(self._connector.id, kind, stage, at, value_a, sent_at, turn, reason))
            self._feeds(stage, at, sent_at)

        return trace

"""A DL/T 645 meter as the port of the model sees it, made from its profile."""

from siteward.model.ids import MeterId
from siteward.model.ports import Clock
from siteward.model.readings import MeterReading
from siteward.model.site import Meter
from siteward.model.wire import FrameStage
from siteward_drivers.dlt645_blocks import data_blocks
from siteward_drivers.dlt645_device import DataDevice
from siteward_drivers.line_job import Rank
from siteward_drivers.modbus_device import FedBy, Guard, Terms
from siteward_drivers.modbus_meter import reading
from siteward_drivers.slave import Role
from siteward_drivers.slow import SlowBlocks


class Dlt645Meter:
    """One meter; implements model.ports.Meter. It is read, and told nothing unless somebody asks for a freeze."""

    def __init__(self, meter: Meter, device: DataDevice, clock: Clock, guard: Guard, feeds: FedBy) -> None:
        poll = device.profile.file.poll
        self._meter = meter
        self._device = device
        self._clock = clock
        self._blocks = data_blocks(device.profile, poll.always)
        self._slow = SlowBlocks(device, data_blocks(device.profile, poll.slow))
        rank = Rank.LIMIT_METER if device.slave.role is Role.LIMIT_METER else Rank.REST

        def trace(stage: FrameStage, at: float, sent_at: float | None, reason: str) -> None:
            feeds(stage, at, sent_at)

        self._terms = Terms(rank, guard=guard, trace=trace)

    @property
    def id(self) -> MeterId:
        """Its name in site.toml."""
        return self._meter.id

    async def read(self) -> MeterReading:
        """Poll once. Raises DeviceUnreachable, DeviceRefused, Withdrawn."""
        values = await self._device.read(self._blocks, self._terms)
        await self._slow.refresh(self._clock.now(), self._terms)
        self._slow.show(values)
        self._device.slave.accept()
        return reading(self._meter.id, values)

    async def freeze_line(self) -> None:
        """Tell ALL meters of this wire to keep their present counts. Raises DeviceUnreachable, Withdrawn."""
        await self._device.freeze_line(self._terms)

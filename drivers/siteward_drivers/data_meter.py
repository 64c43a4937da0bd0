"""A meter that is called by its own address (DL/T), as the port of the model sees it, made from its profile."""

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from siteward.model.ids import MeterId
from siteward.model.ports import Clock
from siteward.model.readings import MeterReading
from siteward.model.site import Meter
from siteward_drivers.modbus_device import FedBy, Guard
from siteward_drivers.modbus_meter import meter_terms, reading
from siteward_drivers.profile import Profile
from siteward_drivers.quantities import Quantity
from siteward_drivers.slow import BlockDevice, ReadBlock, SlowBlocks

_B = TypeVar("_B", bound=ReadBlock)


class AddressedMeter(Generic[_B]):
    """One meter; implements model.ports.Meter. It is only read; `plan` says by which requests."""

    def __init__(
        self,
        meter: Meter,
        device: BlockDevice[_B],
        plan: Callable[[Profile, Iterable[Quantity]], Sequence[_B]],
        clock: Clock,
        guard: Guard,
        feeds: FedBy,
    ) -> None:
        poll = device.profile.file.poll
        self._meter = meter
        self._device = device
        self._clock = clock
        self._blocks = plan(device.profile, poll.always)
        self._slow = SlowBlocks(device, plan(device.profile, poll.slow))
        self._terms = meter_terms(device.slave, guard, feeds)

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

"""A DL/T 645 meter as the port of the model sees it, made from its profile."""

from siteward.model.ports import Clock
from siteward.model.site import Meter
from siteward_drivers.data_meter import AddressedMeter
from siteward_drivers.dlt645_blocks import DataBlock, data_blocks
from siteward_drivers.dlt645_device import DataDevice
from siteward_drivers.modbus_device import FedBy, Guard


class Dlt645Meter(AddressedMeter[DataBlock]):
    """One meter. It is read, and told nothing unless somebody asks for a freeze."""

    def __init__(self, meter: Meter, device: DataDevice, clock: Clock, guard: Guard, feeds: FedBy) -> None:
        super().__init__(meter, device, data_blocks, clock, guard, feeds)
        self._everybody = device

    async def freeze_line(self) -> None:
        """Tell ALL meters of this wire to keep their present counts. Raises DeviceUnreachable, Withdrawn."""
        await self._everybody.freeze_line(self._terms)

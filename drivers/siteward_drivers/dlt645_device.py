"""A DL/T 645 meter's address on a line: reads data ids of its profile, follow-on frames included."""

from collections.abc import Sequence

from siteward.model.errors import DeviceRefused, DeviceUnreachable
from siteward_drivers.decode import Decoded
from siteward_drivers.dlt645 import follow, freeze, read
from siteward_drivers.dlt645_blocks import DataBlock, decode
from siteward_drivers.line import LineOwner
from siteward_drivers.modbus_device import Terms, Values
from siteward_drivers.profile import Profile
from siteward_drivers.slave import Role, Slave

_MOST_PARTS = 16


class DataDevice:
    """One meter address with a profile, as its meter uses it."""

    def __init__(self, owner: LineOwner, slave: Slave, profile: Profile, address: str) -> None:
        self.profile = profile
        self.slave = slave
        self._owner = owner
        self._address = address
        self._refused: set[str] = set()
        # Nobody answers a broadcast, so it says nothing about this one meter's health.
        self._everybody = Slave("all meters", 0, Role.OTHER, slave.timing, slave.settings)

    async def read(self, blocks: Sequence[DataBlock], terms: Terms) -> Values:
        """Read data one after the other. Raises DeviceUnreachable, DeviceRefused, Withdrawn.

        A meter that refuses a block of several quantities is asked for them one by one from then on.
        """
        result = Values()
        sent: list[float] = []
        noted = terms.noting(sent)
        for block in blocks:
            for part in await self._parts(block, noted):
                result.add(part)
        result.sent_at = sent[0] if sent else 0.0
        return result

    async def freeze_line(self, terms: Terms) -> None:
        """Tell ALL meters of the wire to keep their present counts. Nobody answers; raises as `read` does."""
        await self._owner.perform(terms.job(self._everybody, freeze()))

    async def _parts(self, block: DataBlock, terms: Terms) -> list[Decoded]:
        if block.id not in self._refused:
            try:
                return [decode(block, await self._whole(block, terms))]
            except DeviceRefused:
                if len(block.points) == 1:
                    raise
                self._refused.add(block.id)
        return [decode(part, await self._whole(part, terms)) for part in block.singles()]

    async def _whole(self, block: DataBlock, terms: Terms) -> bytes:
        answer = await self._owner.perform(terms.job(self.slave, read(self._address, block.id, block.count)))
        data = bytes(answer.values)
        part = 0
        while answer.more:
            part += 1
            if part > _MOST_PARTS:
                raise DeviceUnreachable(f"{self.slave.device}: data id {block.id} never ends")
            answer = await self._owner.perform(terms.job(self.slave, follow(self._address, block.id, part)))
            data += bytes(answer.values)
        if len(data) != block.count:
            raise DeviceUnreachable(f"{self.slave.device}: data id {block.id} has {len(data)} bytes, not {block.count}")
        return data

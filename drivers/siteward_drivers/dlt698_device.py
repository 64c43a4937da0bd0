"""A DL/T 698.45 meter's address on a line: reads objects of its profile, many in one request."""

from collections.abc import Iterator, Sequence

from siteward.model.errors import DeviceRefused, DeviceUnreachable
from siteward_drivers.dlt698 import MOST_OBJECTS, PIIDS, get, results
from siteward_drivers.dlt698_blocks import ObjectBlock, decode, nothing
from siteward_drivers.line import LineOwner
from siteward_drivers.modbus_device import Terms, Values
from siteward_drivers.profile import Profile
from siteward_drivers.slave import Slave


class ObjectDevice:
    """One meter address with a profile, as its meter uses it."""

    def __init__(self, owner: LineOwner, slave: Slave, profile: Profile, address: str) -> None:
        self.profile = profile
        self.slave = slave
        self._owner = owner
        self._address = address
        self._piid = 0

    async def read(self, blocks: Sequence[ObjectBlock], terms: Terms) -> Values:
        """Read objects. Raises DeviceUnreachable, DeviceRefused (it has none of them), Withdrawn.

        What the meter refuses of several objects is rejected in the values; the others stand.
        """
        result = Values()
        sent: list[float] = []
        for part in requests(blocks):
            await self._ask(part, terms.noting(sent), result)
        result.sent_at = sent[0] if sent else 0.0
        return result

    async def _ask(self, blocks: Sequence[ObjectBlock], terms: Terms, result: Values) -> None:
        oads, data_bytes = tuple(block.id for block in blocks), sum(block.data_bytes for block in blocks)
        # Two numbers for one question: a try again must not take the late answer to the first try for its own.
        first, second = (get(self._address, self._next(), oads, data_bytes) for _ in range(2))
        answer = await self._owner.perform(terms.job(self.slave, first, other=second))
        try:
            told = results(bytes(answer.values))
        except ValueError as error:
            raise DeviceUnreachable(f"{self.slave.device}: {error}") from error
        refusals = [part for part in told if isinstance(part, int)]
        if len(refusals) == len(told):
            raise DeviceRefused(f"{self.slave.device} refused {first}: access result {refusals[0]}", refusals[0])
        for block, part in zip(blocks, told, strict=True):
            result.add(nothing(block) if isinstance(part, int) else decode(block, part))

    def _next(self) -> int:
        self._piid = (self._piid + 1) % PIIDS
        return self._piid


def requests(blocks: Sequence[ObjectBlock]) -> Iterator[Sequence[ObjectBlock]]:
    """The blocks as each request asks for them."""
    for at in range(0, len(blocks), MOST_OBJECTS):
        yield blocks[at : at + MOST_OBJECTS]

"""A simulated wire inside the process: a link whose far end is a bank of devices, paced on the loop's own time."""

import asyncio

from siteward.model.ids import LineId
from siteward.model.serial import SerialSettings
from siteward.model.site import Line
from siteward_drivers.errors import LinkDown
from siteward_drivers.link import Inbox, Link
from siteward_drivers.sim.bank import Bank
from siteward_drivers.sim.paced import FarEnd, PacedLine, TcpLine
from siteward_drivers.sim.site import SimSite

_WHOLE_FRAME = 256


class SimLink:
    """A Link to a simulated wire; works on real and on virtual loops. `plug(False)` pulls the adapter or the cable."""

    def __init__(self, line: Line, bank: Bank, chunk: int = _WHOLE_FRAME) -> None:
        self.line, self.bank = line, bank
        self._chunk = chunk
        self._inbox: Inbox | None = None
        self._far: FarEnd | None = None
        self._plugged = True

    @property
    def name(self) -> str:
        """The line's id, marked as simulated."""
        return f"sim:{self.line.id}"

    @property
    def is_open(self) -> bool:
        """Whether bytes can be written now."""
        return self._inbox is not None and not self._inbox.lost

    def plug(self, plugged: bool) -> None:
        """Put the adapter in or pull it: while pulled every use raises LinkDown."""
        self._plugged = plugged
        if not plugged and self._inbox is not None:
            self._inbox.connection_lost(None)

    def put(self, bank: Bank) -> None:
        """Hang other devices on the wire, at once and without anybody noticing."""
        self.bank = bank
        if isinstance(self._far, PacedLine):
            self._far.put(bank)

    async def open(self) -> None:
        """Open it; nothing happens when it is open. Raises LinkDown while it is pulled."""
        if not self._plugged:
            raise LinkDown(f"{self.name}: unplugged")
        if self.is_open:
            return
        loop = asyncio.get_running_loop()
        self._inbox = inbox = Inbox()
        if self.line.port.startswith("tcp://"):
            self._far = TcpLine(loop, self.bank, inbox.data_received)
        else:
            self._far = PacedLine(loop, self.bank, self.line, inbox.data_received, self._chunk)

    async def close(self) -> None:
        """Close it and forget unread bytes."""
        self._inbox = self._far = None

    def tune(self, settings: SerialSettings) -> None:
        """Change the settings of our end; a wire in memory takes any."""
        if isinstance(self._far, PacedLine):
            self._far.tune(settings)

    def write(self, data: bytes) -> None:
        """Send bytes to the devices. Raises LinkDown."""
        if not self.is_open or self._far is None:
            raise LinkDown(f"{self.name}: not open")
        try:
            self._far.receive(data)
        except ValueError as error:
            raise LinkDown(f"{self.name}: the device hung up: {error}") from error

    async def read(self, deadline: float) -> bytes:
        """Bytes as soon as there are any, b"" when there were none by the deadline. Raises LinkDown."""
        if self._inbox is None:
            raise LinkDown(f"{self.name}: not open")
        return await self._inbox.take(deadline)


def sim_links(sim: SimSite) -> dict[LineId, Link]:
    """A link for every line of a simulated site, for `build_lines(..., links=...)`."""
    return {line.id: SimLink(line, sim.banks[line.id]) for line in sim.site.lines}

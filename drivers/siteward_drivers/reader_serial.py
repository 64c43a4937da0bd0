"""A card reader at a serial port that sends a line of text for each card."""

import asyncio

from siteward.model.errors import DeviceUnreachable
from siteward.model.ids import ReaderId
from siteward.model.ports import Shown
from siteward_drivers.errors import LinkDown
from siteward_drivers.link import Link
from siteward_drivers.reader_text import TokenText

LISTEN_S = 5.0
"""How long one wait for bytes lasts; a port that is gone is seen at the latest then."""


class SerialReader:
    """model.ports.TokenSource over a link; asked again after a loss, it opens the port anew."""

    def __init__(self, reader: ReaderId, link: Link) -> None:
        self._id = reader
        self._link = link
        self._text = TokenText()
        self._waiting: list[str] = []

    @property
    def id(self) -> ReaderId:
        """Its name in site.toml."""
        return self._id

    async def shown(self) -> Shown:
        """The next card. Raises DeviceUnreachable."""
        try:
            await self._link.open()
            while not self._waiting:
                data = await self._link.read(asyncio.get_running_loop().time() + LISTEN_S)
                self._waiting += self._text.feed(data)
        except LinkDown as down:
            self._text.forget()
            await self._link.close()
            raise DeviceUnreachable(f"reader {self._id}: {down}") from down
        return Shown(self._waiting.pop(0))

    async def close(self) -> None:
        """Let the port go."""
        await self._link.close()

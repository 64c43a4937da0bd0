"""What every link on an asyncio transport shares: one inbox, and the refusal of what is closed."""

import asyncio

from siteward_drivers.errors import LinkDown
from siteward_drivers.link import Inbox


class TransportLink:
    """A link whose bytes travel through a transport; how that is opened, and what it is called, its kind says."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._inbox: Inbox | None = None

    @property
    def name(self) -> str:
        """Where the bytes go, for people."""
        return self._name

    @property
    def is_open(self) -> bool:
        """Whether bytes can be written now."""
        return self._inbox is not None and not self._inbox.lost

    async def close(self) -> None:
        """Close at once and forget unread bytes; nothing happens when it is closed."""
        inbox, self._inbox = self._inbox, None
        transport = inbox.transport if inbox is not None else None
        if isinstance(transport, asyncio.WriteTransport):
            if not transport.is_closing():
                transport.abort()
            await self._gone(transport)

    async def _gone(self, transport: asyncio.WriteTransport) -> None:
        """Wait until the transport gave the port back, which most do in a callback of the loop."""
        await asyncio.sleep(0)

    def _transport(self) -> asyncio.WriteTransport:
        """The open transport. Raises LinkDown."""
        transport = self._inbox.transport if self._inbox is not None and not self._inbox.lost else None
        if not isinstance(transport, asyncio.WriteTransport) or transport.is_closing():
            raise LinkDown(f"{self.name}: not open")
        return transport

    def _judge(self) -> None:
        """Raise LinkDown when the open port must not be written to."""

    def write(self, data: bytes) -> None:
        """Send bytes. Raises LinkDown."""
        transport = self._transport()
        self._judge()
        try:
            transport.write(data)
        except OSError as error:
            raise LinkDown(f"{self.name}: {error}") from error

    async def read(self, deadline: float) -> bytes:
        """Bytes by the deadline. Raises LinkDown."""
        if self._inbox is None:
            raise LinkDown(f"{self.name}: not open")
        return await self._inbox.take(deadline)

"""A TCP connection as a link: Modbus TCP devices and serial gateways."""

import asyncio
import socket

from siteward_drivers.errors import LinkDown
from siteward_drivers.link import Inbox

CONNECT_TIMEOUT_S = 3.0


class TcpLink:
    """A client connection with TCP_NODELAY, so that a small request never waits for an acknowledgement."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._inbox: Inbox | None = None

    @property
    def name(self) -> str:
        """Host and port."""
        return f"{self._host}:{self._port}"

    @property
    def is_open(self) -> bool:
        """Whether bytes can be written now."""
        return self._inbox is not None and not self._inbox.lost

    async def open(self) -> None:
        """Connect. Raises LinkDown."""
        if self.is_open:
            return
        await self.close()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                transport, inbox = await loop.create_connection(Inbox, self._host, self._port)
        except OSError as error:
            raise LinkDown(f"{self.name}: {error or 'no connection in time'}") from error
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._inbox = inbox

    async def close(self) -> None:
        """Close at once and forget unread bytes."""
        inbox, self._inbox = self._inbox, None
        if inbox is not None and isinstance(inbox.transport, asyncio.WriteTransport):
            inbox.transport.abort()
            await asyncio.sleep(0)

    def write(self, data: bytes) -> None:
        """Send bytes. Raises LinkDown."""
        inbox = self._inbox
        if inbox is None or inbox.lost or not isinstance(inbox.transport, asyncio.WriteTransport):
            raise LinkDown(f"{self.name}: not connected")
        inbox.transport.write(data)

    async def read(self, deadline: float) -> bytes:
        """Bytes by the deadline. Raises LinkDown."""
        if self._inbox is None:
            raise LinkDown(f"{self.name}: not connected")
        return await self._inbox.take(deadline)

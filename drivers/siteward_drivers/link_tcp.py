"""A TCP connection as a link: Modbus TCP devices and serial gateways."""

import asyncio
import socket

from siteward_drivers.errors import LinkDown
from siteward_drivers.link import Inbox
from siteward_drivers.link_transport import TransportLink

CONNECT_TIMEOUT_S = 3.0


class TcpLink(TransportLink):
    """A client connection with TCP_NODELAY, so that a small request never waits for an acknowledgement."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"{host}:{port}")
        self._host = host
        self._port = port

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

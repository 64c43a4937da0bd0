"""A TCP connection as a link: Modbus TCP devices and serial gateways."""

import asyncio
import socket
from collections.abc import Callable

from siteward_drivers.errors import LinkDown
from siteward_drivers.link import Inbox

CONNECT_TIMEOUT_S = 3.0


class Outbox:
    """Sends what many connections have to say in one burst, at the end of the loop's round in which it was written.

    Each frame alone would wake the other side, and ourselves for its answer; a burst does that once (goal 8).
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[asyncio.WriteTransport, bytes]] = []

    def put(self, transport: asyncio.WriteTransport, data: bytes) -> None:
        """Send soon; bytes of a connection that ends before are lost, as they would be behind the kernel's door."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._flush)
        self._waiting.append((transport, data))

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        for transport, data in waiting:
            transport.write(data)


class TcpLink:
    """A client connection with TCP_NODELAY, so that a small request never waits for an acknowledgement."""

    def __init__(self, host: str, port: int, outbox: Outbox | None = None) -> None:
        self._outbox = outbox or Outbox()
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
        self._outbox.put(inbox.transport, data)

    async def read(self, deadline: float) -> bytes:
        """Bytes by the deadline. Raises LinkDown."""
        return await self._opened().take(deadline)

    def listen(self, heard: Callable[[], None] | None) -> None:
        """Have `heard` called when bytes or the end came. Raises LinkDown."""
        self._opened().heard = heard

    def take_now(self) -> bytes:
        """Bytes that are there. Raises LinkDown."""
        return self._opened().take_now()

    def _opened(self) -> Inbox:
        if self._inbox is None:
            raise LinkDown(f"{self.name}: not connected")
        return self._inbox

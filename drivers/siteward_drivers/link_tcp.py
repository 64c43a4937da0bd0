"""A TCP connection as a link: Modbus TCP devices and serial gateways."""

import asyncio
import socket
from collections.abc import Callable

from siteward_drivers.errors import LinkDown
from siteward_drivers.link import Cancels, Inbox
from siteward_drivers.tcp_pool import Connection, TcpPool

CONNECT_TIMEOUT_S = 3.0


class TcpLink:
    """A client connection with TCP_NODELAY, so that a small request never waits for an acknowledgement.

    Links that share a pool share their wake-ups.
    """

    def __init__(self, host: str, port: int, pool: TcpPool | None = None) -> None:
        self._host = host
        self._port = port
        self._pool = pool or TcpPool()
        self._connection: Connection | None = None

    @property
    def name(self) -> str:
        """Host and port."""
        return f"{self._host}:{self._port}"

    @property
    def is_open(self) -> bool:
        """Whether bytes can be written now."""
        connection = self._connection
        return connection is not None and not connection.inbox.lost

    async def open(self) -> None:
        """Connect. Raises LinkDown."""
        if self.is_open:
            return
        await self.close()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                sock = await self._connect()
        except OSError as error:
            raise LinkDown(f"{self.name}: {error or 'no connection in time'}") from error
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._connection = self._pool.add(sock)

    async def _connect(self) -> socket.socket:
        """The first address of the host that takes us. Raises OSError."""
        loop = asyncio.get_running_loop()
        failed = OSError("no address")
        for family, kind, protocol, _, address in await loop.getaddrinfo(
            self._host, self._port, type=socket.SOCK_STREAM
        ):
            sock = socket.socket(family, kind, protocol)
            connected = False
            try:
                sock.setblocking(False)
                await loop.sock_connect(sock, address)
                connected = True
            except OSError as error:
                failed = error
            finally:
                if not connected:
                    sock.close()
            if connected:
                return sock
        raise failed

    async def close(self) -> None:
        """Close at once and forget unread bytes."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._pool.drop(connection)
            # The peer gets its turn, as after the closing of any other link.
            await asyncio.sleep(0)

    def write(self, data: bytes) -> None:
        """Send bytes. Raises LinkDown."""
        connection = self._connection
        if connection is None or connection.inbox.lost:
            raise LinkDown(f"{self.name}: not connected")
        self._pool.put(connection, data)

    async def read(self, deadline: float) -> bytes:
        """Bytes by the deadline. Raises LinkDown."""
        return await self._opened().take(deadline)

    def listen(self, heard: Callable[[], None] | None) -> None:
        """Have `heard` called when bytes or the end came. Raises LinkDown."""
        self._opened().heard = heard

    def take_now(self) -> bytes:
        """Bytes that are there. Raises LinkDown."""
        return self._opened().take_now()

    def call_at(self, when: float, late: Callable[[], None]) -> Cancels:
        """Call at that time of the loop or up to a tick later, together with other links of the pool."""
        return self._pool.deadlines.call_at(when, late)

    def _opened(self) -> Inbox:
        if self._connection is None:
            raise LinkDown(f"{self.name}: not connected")
        return self._connection.inbox

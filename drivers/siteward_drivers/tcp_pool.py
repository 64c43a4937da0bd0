"""The TCP connections of a site on one epoll: sent to in bursts, read in gatherings, so that wake-ups are shared."""

import asyncio
import select
import socket
from dataclasses import dataclass

from siteward_drivers.deadlines import Deadlines
from siteward_drivers.link import Inbox

GATHER_S = 0.002
"""How long after a burst, or after the first bytes that come, the bytes of all connections are read together."""

_MOST = 65536


def _never() -> None:
    """What is called when an epoll becomes writable."""


@dataclass(frozen=True, slots=True, eq=False)
class Connection:
    """An open connection and the inbox that its bytes go to."""

    sock: socket.socket
    inbox: Inbox


class TcpPool:
    """What moves the bytes of many connections, on the loop that runs when the first is added (goal 8).

    A transport of asyncio each would cost a wake-up for every answer, and one for every frame at the other side.
    """

    def __init__(self) -> None:
        self._epoll: select.epoll | None = None
        self._open: dict[int, Connection] = {}
        self.deadlines = Deadlines()
        self._gathering = False
        self._waiting: list[tuple[Connection, bytes]] = []

    def add(self, sock: socket.socket) -> Connection:
        """Take over a connected socket that does not block."""
        if self._epoll is None:
            self._epoll = select.epoll()
            # An epoll is never writable. Being waited for keeps it registered: the kernel walks through all
            # connections whenever an epoll is registered with another.
            asyncio.get_running_loop().add_writer(self._epoll.fileno(), _never)
            self._listen(self._epoll)
        connection = Connection(sock, Inbox())
        self._open[sock.fileno()] = connection
        self._epoll.register(sock, select.EPOLLIN)
        return connection

    def drop(self, connection: Connection) -> None:
        """Close a connection; nothing happens when it was closed. What waits to be sent on it is lost."""
        file = connection.sock.fileno()
        if self._epoll is None or file not in self._open:
            return
        del self._open[file]
        self._epoll.unregister(file)
        connection.sock.close()
        if not self._open:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._epoll.fileno())
            loop.remove_writer(self._epoll.fileno())
            self._epoll.close()
            self._epoll = None

    def put(self, connection: Connection, data: bytes) -> None:
        """Send at the end of the loop's round, together with what other connections have to say in it."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._flush)
        self._waiting.append((connection, data))

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        for connection, data in waiting:
            if connection.sock.fileno() < 0:
                continue
            try:
                if connection.sock.send(data) != len(data):
                    self._lose(connection, OSError("the peer takes no more bytes"))
            except OSError as error:
                self._lose(connection, error)
        if self._epoll is not None:
            self._ready(self._epoll)

    def _listen(self, epoll: select.epoll) -> None:
        self._gathering = False
        asyncio.get_running_loop().add_reader(epoll.fileno(), self._ready, epoll)

    def _ready(self, epoll: select.epoll) -> None:
        if self._gathering:
            return
        self._gathering = True
        loop = asyncio.get_running_loop()
        loop.remove_reader(epoll.fileno())
        loop.call_later(GATHER_S, self._drain, epoll)

    def _drain(self, epoll: select.epoll) -> None:
        if epoll.closed:
            return
        for file, _ in epoll.poll(0, len(self._open)):
            connection = self._open.get(file)
            if connection is not None:
                self._read(connection)
        if not epoll.closed:
            self._listen(epoll)

    def _read(self, connection: Connection) -> None:
        try:
            data = connection.sock.recv(_MOST)
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(connection, error)
            return
        if data:
            connection.inbox.data_received(data)
        else:
            self._lose(connection, None)

    def _lose(self, connection: Connection, error: OSError | None) -> None:
        self.drop(connection)
        connection.inbox.connection_lost(error)

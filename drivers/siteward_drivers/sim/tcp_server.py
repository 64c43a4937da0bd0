"""A simulated TCP port: Modbus TCP devices, or a serial gateway that carries RTU frames over its socket."""

import asyncio

from siteward.model.site import Line
from siteward_drivers.sim.bank import Bank
from siteward_drivers.sim.paced import Deliver, FarEnd, PacedLine, TcpLine


class _Connection(asyncio.Protocol):
    """One master's connection."""

    def __init__(self, server: "TcpServer") -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._far: FarEnd | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - narrows the type that asyncio promises
        self._transport = transport
        self._far = self._server.far_end(self._deliver)
        self._server.connections.add(transport)

    def data_received(self, data: bytes) -> None:
        if self._far is None or self._transport is None:
            return
        try:
            self._far.receive(data)
        except ValueError:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._server.connections.discard(self._transport)
        self._transport = None

    def _deliver(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)


class TcpServer:
    """One listening port of a simulated line; closing it is switching the device off."""

    def __init__(self, line: Line, bank: Bank, host: str = "127.0.0.1", port: int = 0) -> None:
        self.line, self.bank = line, bank
        self.host, self.port = host, port
        self.connections: set[asyncio.Transport] = set()
        self._rtu = line.port.startswith("rtu+tcp://")
        self._server: asyncio.Server | None = None

    @property
    def is_open(self) -> bool:
        """Whether it listens."""
        return self._server is not None

    async def open(self) -> None:
        """Listen; `port` then is the real one. Nothing happens when it is open. Raises OSError."""
        if self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(lambda: _Connection(self), self.host, self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        if self._server is None:
            return
        self._server.close()
        for transport in tuple(self.connections):
            transport.abort()
        await self._server.wait_closed()
        self._server = None

    def far_end(self, deliver: Deliver) -> FarEnd:
        """The device side for a new connection."""
        loop = asyncio.get_running_loop()
        if self._rtu:
            return PacedLine(loop, self.bank, self.line, deliver)
        return TcpLine(loop, self.bank, deliver)

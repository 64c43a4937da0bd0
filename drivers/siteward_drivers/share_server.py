"""The Modbus TCP server of a shared station: bounded in connections and in requests a second, blind to the wires."""

import asyncio
from collections.abc import Awaitable, Callable, Collection

from siteward.model.errors import ConfigError
from siteward_drivers.share_map import NoSuchRegister, ShareMap

CONNECTIONS_MAX = 4
"""Clients at the same time; one more is hung up on."""

PACE_S = 0.02
"""Shortest time between two answers on one connection."""

STALE_S = 5.0
"""Age of the picture from which reads are refused instead of answered."""

_IDLE_S = 60.0
_MBAP = 7
_LONGEST = 260
_ILLEGAL_FUNCTION, _ILLEGAL_ADDRESS, _ILLEGAL_VALUE, _BUSY, _NO_ANSWER = 1, 2, 3, 6, 11

Wish = Callable[[str, float], Awaitable[bool]]
"""Hands a limit of the third party to the station; False when it was refused."""


class _Refusal(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class ShareServer:
    """Serves a ShareMap; `age` tells how old the picture is, `wish` takes writes, one at a time."""

    def __init__(self, shown: ShareMap, clients: Collection[str], age: Callable[[], float], wish: Wish) -> None:
        self._map = shown
        self._clients = frozenset(clients)
        self._age = age
        self._wish = wish
        self._wishing = False
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port. Raises ConfigError when the address cannot be had."""
        try:
            self._server = await asyncio.start_server(self._serve, host, port)
        except OSError as error:
            raise ConfigError(f"[share] listen: {host}:{port}: {error.strerror}") from error
        listening: int = self._server.sockets[0].getsockname()[1]
        return listening

    async def close(self) -> None:
        """Hang up on everybody."""
        if self._server is not None:
            self._server.close()
        for writer in tuple(self._open):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = str(writer.get_extra_info("peername", ("",))[0])
        if len(self._open) >= CONNECTIONS_MAX or peer not in self._clients:
            writer.transport.abort()
            return
        self._open.add(writer)
        try:
            await self._talk(reader, writer)
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            # The client went, or says nothing: its connection is free for another.
            return
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            async with asyncio.timeout(_IDLE_S):
                head = await reader.readexactly(_MBAP)
                length = int.from_bytes(head[4:6], "big")
                if head[2:4] != b"\0\0" or not 2 < length <= _LONGEST - 6:
                    return
                pdu = await reader.readexactly(length - 1)
            try:
                answer = await self._answer(pdu)
            except _Refusal as refusal:
                answer = bytes((pdu[0] | 0x80, refusal.code))
            writer.write(head[:4] + (len(answer) + 1).to_bytes(2, "big") + head[6:7] + answer)
            await writer.drain()
            await asyncio.sleep(PACE_S)

    async def _answer(self, pdu: bytes) -> bytes:
        function = pdu[0]
        if function not in (3, 4, 6, 16):
            raise _Refusal(_ILLEGAL_FUNCTION)
        if len(pdu) < 5:
            raise _Refusal(_ILLEGAL_VALUE)
        address, word = int.from_bytes(pdu[1:3], "big"), int.from_bytes(pdu[3:5], "big")
        if function in (3, 4):
            return self._read(function, address, word)
        if function == 16:
            if word != 1 or len(pdu) != 8 or pdu[5] != 2:
                # Each writable register stands alone.
                raise _Refusal(_ILLEGAL_ADDRESS if word > 1 else _ILLEGAL_VALUE)
            word = int.from_bytes(pdu[6:8], "big")
        await self._write(address, word)
        return pdu[:5]

    def _read(self, function: int, first: int, count: int) -> bytes:
        if not 1 <= count <= 125:
            raise _Refusal(_ILLEGAL_VALUE)
        age_s = self._age()
        if age_s > STALE_S:
            raise _Refusal(_NO_ANSWER)
        try:
            words = self._map.read(first, count, age_s)
        except NoSuchRegister as error:
            raise _Refusal(_ILLEGAL_ADDRESS) from error
        return bytes((function, 2 * count)) + b"".join(word.to_bytes(2, "big") for word in words)

    async def _write(self, address: int, word: int) -> None:
        try:
            name, limit_a = self._map.wish(address, word)
        except NoSuchRegister as error:
            raise _Refusal(_ILLEGAL_ADDRESS) from error
        except ValueError as error:
            raise _Refusal(_ILLEGAL_VALUE) from error
        if self._wishing:
            raise _Refusal(_BUSY)
        self._wishing = True
        try:
            taken = await self._wish(name, limit_a)
        finally:
            self._wishing = False
        if not taken:
            raise _Refusal(_ILLEGAL_VALUE)
        self._map.keep(name, limit_a)

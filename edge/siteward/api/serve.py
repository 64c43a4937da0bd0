"""Opens core's sockets and serves the API on them until told to stop."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from siteward.api.app import build_app
from siteward.api.asgi import Config, H11Protocol, Server
from siteward.api.backend import Backend
from siteward.api.door import Door
from siteward.api.rights import SOCKETS
from siteward.model.errors import ConfigError
from siteward.model.ports import Clock

CONNECTIONS_MAX = 8
"""Connections of one socket; a further one is closed at once, so that a flood costs no file descriptors."""

GRACE_S = 1
"""How long calls under way may finish after stop; with uvicorn's own ticks the stop stays below 2 s."""


_PASSES = 3
"""Passes of the loop from an accepted socket to its connection: the task, the transport, the call."""


async def run_api(backend: Backend, run_dir: Path, clock: Clock, stop: asyncio.Event, door: Door | None = None) -> None:
    """Serve RUN/{cli,panel,sync,field}.sock until stop is set, then remove them. Raises ConfigError for a bad folder.

    The caller holds the instance lock: whatever lies at these paths is a leftover and is replaced.
    """
    sockets: list[socket.socket] = []
    try:
        sockets.extend(open_socket(run_dir / f"{name}.sock") for name in SOCKETS)
        async with asyncio.TaskGroup() as group:
            for caller, listener in zip(SOCKETS.values(), sockets, strict=True):
                group.create_task(_serve(build_app(backend, caller, clock, stop, door), listener, stop))
    finally:
        for listener in sockets:
            listener.close()
        for name in SOCKETS:
            (run_dir / f"{name}.sock").unlink(missing_ok=True)


def open_socket(path: Path) -> socket.socket:
    """A listening Unix socket of mode 0660, never wider, not even for an instant."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o117)
    try:
        path.unlink(missing_ok=True)
        listener.bind(str(path))
        path.chmod(0o660)
        listener.listen(CONNECTIONS_MAX)
        listener.setblocking(False)
    except OSError as wrong:
        listener.close()
        raise ConfigError(
            f"{path}: cannot open the API socket ({wrong}); use a short path that core may write"
        ) from wrong
    finally:
        os.umask(before)
    return listener


async def _serve(app: object, listener: socket.socket, stop: asyncio.Event) -> None:
    config = Config(
        app,  # type: ignore[arg-type]
        http=_Protocol,
        loop="none",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=GRACE_S,
    )
    await _Server(config, stop).serve(sockets=[listener])


class _Server(Server):
    """A server that leaves the process's signals alone, because the supervisor owns them, and sleeps until stop."""

    def __init__(self, config: Config, stop: asyncio.Event) -> None:
        super().__init__(config)
        self._stop = stop

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Install nothing."""
        yield

    async def main_loop(self) -> None:
        """Wait for stop; uvicorn's own loop would wake the idle core ten times a second to ask whether it is set."""
        await self.on_tick(0)
        await self._stop.wait()
        await self._shut_the_door()

    async def _shut_the_door(self) -> None:
        """Accept nobody more, and let those in who were accepted: asyncio drops them unclosed from a closed server."""
        loop = asyncio.get_running_loop()
        for server in self.servers:
            for listener in server.sockets:
                loop.remove_reader(listener)
        for _ in range(_PASSES):
            await asyncio.sleep(0)


class _Protocol(H11Protocol):
    """HTTP with a cap on connections at the door."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, or close it when the socket has its full number."""
        if len(self.connections) >= CONNECTIONS_MAX:
            transport.abort()
            return
        super().connection_made(transport)

"""Runs the panel: one client to core, the live hub, the first login, and the HTTPS server as a task."""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from siteward.client.client import Client
from siteward.client.errors import ClientError
from siteward.model.ports import Clock
from siteward.panel.accounts import Accounts, FirstLogin
from siteward.panel.app import build_app
from siteward.panel.connection import DeadlineProtocol
from siteward.panel.core import Core
from siteward.panel.desk import Desk
from siteward.panel.errors import PanelError
from siteward.panel.identity import Identity, identify, own_names
from siteward.panel.live import LiveHub

_FIRST_LOGIN_RETRY_S = 1.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PanelOptions:
    """How to serve. `socket` is core's socket for the panel; `state` the panel's own folder (first login, TLS files).

    tls = (certificate, key) or None for a self-signed pair; hosts are further names the panel answers to; port 0 takes
    a free one; language is shown to browsers that ask for neither.
    """

    socket: Path
    state: Path
    listen: str = "127.0.0.1"
    port: int = 8443
    tls: tuple[Path, Path] | None = None
    hosts: tuple[str, ...] = ()
    language: str = "en"
    metrics_token: str | None = None


@dataclass(frozen=True, slots=True)
class PanelReady:
    """Where the panel is reached, and the SHA-256 fingerprint of its certificate."""

    url: str
    fingerprint: str


async def run_panel(
    options: PanelOptions,
    clock: Clock,
    stop: asyncio.Event,
    ready: Callable[[PanelReady], None] | None = None,
    first_login: Callable[[FirstLogin], None] | None = None,
) -> None:
    """Serve until `stop` is set, then end within 3 s, browsers attached or not. Raises PanelError.

    `ready` is called once when the address answers; `first_login` when a new station got its first user, which is also
    written to STATE/first-login.txt (mode 0600) until its password was changed.
    """
    async with Client(options.socket) as client:
        await serve_panel(client, options, clock, stop, ready, first_login)


async def serve_panel(
    core: Core,
    options: PanelOptions,
    clock: Clock,
    stop: asyncio.Event,
    ready: Callable[[PanelReady], None] | None = None,
    first_login: Callable[[FirstLogin], None] | None = None,
) -> None:
    """Same as run_panel on any core."""
    names = own_names(options.listen)
    identity = identify(options.state, options.tls, names, clock)
    accounts = Accounts(core, clock, options.state)
    hub = LiveHub(core, clock)
    app = build_app(Desk(core, hub, accounts, clock, options.language), (*names, *options.hosts), options.metrics_token)
    listening = _listen(options.listen, options.port)
    server = _Server(_config(app, identity))
    tasks = [
        asyncio.create_task(hub.run(), name="panel live hub"),
        asyncio.create_task(_first_login(accounts, first_login), name="panel first login"),
    ]
    serving = asyncio.create_task(server.serve([listening]), name="panel server")
    stopping = asyncio.create_task(stop.wait(), name="panel stop")
    try:
        if ready is not None:
            ready(PanelReady(_url(options.listen, listening), identity.fingerprint))
        await asyncio.wait({serving, stopping, tasks[0]}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        server.should_exit = True
        await hub.close()
        for task in (*tasks, stopping):
            task.cancel()
        ended = await asyncio.gather(serving, *tasks, stopping, return_exceptions=True)
        listening.close()
    for error in ended:
        if isinstance(error, Exception):
            raise error


class _Server(uvicorn.Server):
    """uvicorn without signal handlers: whoever runs the panel owns the signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _config(app: object, identity: Identity) -> uvicorn.Config:
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]
        loop="none",
        http=DeadlineProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=True,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=2,
        h11_max_incomplete_event_size=16 * 1024,
        ssl_certfile=identity.certificate,
        ssl_keyfile=identity.key,
    )
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        raise PanelError(f"{identity.certificate}: certificate and key do not serve: {error}") from error
    return config


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise PanelError(f"panel.listen {host}:{port}: {error.strerror}; choose another port or address") from error
    listening.setblocking(False)
    return listening


def _url(host: str, listening: socket.socket) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"https://{shown}:{listening.getsockname()[1]}/"


async def _first_login(accounts: Accounts, report: Callable[[FirstLogin], None] | None) -> None:
    """Make the first user as soon as core answers; then there is nothing left to do."""
    while True:
        try:
            first = await accounts.ensure_first()
        except ClientError as error:
            _log.info("first login waits for core: %s", error)
            await asyncio.sleep(_FIRST_LOGIN_RETRY_S)
            continue
        if first is not None and report is not None:
            report(first)
        return

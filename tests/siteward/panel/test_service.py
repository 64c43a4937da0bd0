"""The served panel over real TLS: it stops in time whoever listens, lives through slow clients, keeps its key."""

import asyncio
import socket
import ssl
import stat
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from siteward.panel.accounts import FirstLogin
from siteward.panel.errors import PanelError
from siteward.panel.identity import identify, own_names
from siteward.panel.service import PanelOptions, PanelReady, serve_panel
from siteward.trust.crypto import BUILT, CertificateError, fingerprint, self_sign, usable
from tests.fixtures.clock import RealClock
from tests.fixtures.depot import Depot
from tests.siteward.panel.conftest import HandClock, token_in

pytestmark = pytest.mark.station


class Running:
    """A served panel, its core, and how long its stop took."""

    def __init__(self, core: Depot, ready: PanelReady, first: FirstLogin, certificate: Path) -> None:
        self.core = core
        self.ready = ready
        self.first = first
        self.certificate = certificate
        self.stop_s = 0.0

    @property
    def port(self) -> int:
        return int(self.ready.url.rsplit(":", 1)[1].strip("/"))

    def client(self) -> httpx.AsyncClient:
        """A client that believes this very certificate only."""
        trust = ssl.create_default_context(cafile=str(self.certificate))
        origin = self.ready.url.rstrip("/")
        return httpx.AsyncClient(verify=trust, base_url=origin, headers={"origin": origin}, trust_env=False)


@asynccontextmanager
async def served(tmp_path: Path) -> AsyncIterator[Running]:
    core, clock, stop = Depot(), RealClock(), asyncio.Event()
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[PanelReady] = loop.create_future()
    first: asyncio.Future[FirstLogin] = loop.create_future()
    options = PanelOptions(tmp_path / "none.sock", tmp_path, port=0)
    task = asyncio.create_task(serve_panel(core, options, clock, stop, ready.set_result, first.set_result))
    running = Running(core, await ready, await first, tmp_path / "tls" / "certificate.pem")
    try:
        yield running
    finally:
        began = loop.time()
        stop.set()
        await task
        running.stop_s = loop.time() - began


async def _enter(client: httpx.AsyncClient, first: FirstLogin) -> None:
    token = token_in((await client.get("/login")).text)
    await client.post("/login", data={"csrf": token, "user": first.user, "password": first.password})
    token = token_in((await client.get("/password")).text)
    new = "a good new one 1"
    await client.post("/password", data={"csrf": token, "old": first.password, "new": new, "repeat": new})


def _dawdle(running: Running, count: int) -> list[ssl.SSLSocket]:
    """Connections that have sent half a request head."""
    trust = ssl.create_default_context(cafile=str(running.certificate))
    made = []
    for _ in range(count):
        plain = socket.create_connection(("127.0.0.1", running.port))
        made.append(trust.wrap_socket(plain, server_hostname="localhost"))
        made[-1].send(b"GET / HTTP/1.1\r\nHost: local")
    return made


async def test_stops_within_three_seconds_with_browsers_attached(tmp_path: Path) -> None:
    """Finding 13: uvicorn alone never stops while a stream is open."""
    heard = asyncio.Semaphore(0)

    async def listen(client: httpx.AsyncClient) -> None:
        with suppress(httpx.HTTPError):
            async with client.stream("GET", "/live?page=overview") as answer:
                async for line in answer.aiter_lines():
                    if line == "event: pulse":
                        heard.release()

    async with AsyncExitStack() as after:
        async with served(tmp_path) as running:
            client = await after.enter_async_context(running.client())
            await _enter(client, running.first)
            streams = [asyncio.create_task(listen(client)) for _ in range(4)]
            async with asyncio.timeout(10):
                for _ in streams:
                    await heard.acquire()
            assert running.core.subscriptions == 1
            assert not any(task.done() for task in streams)
        await asyncio.gather(*streams)
    assert running.stop_s < 3.0
    assert running.core.subscriptions == 0


async def test_slow_clients_do_not_keep_others_out(tmp_path: Path) -> None:
    """Fault 74: 200 connections that never finish a request head; a page still comes at once."""
    async with served(tmp_path) as running:
        slow = await asyncio.to_thread(_dawdle, running, 200)
        async with running.client() as client, asyncio.timeout(3):
            assert (await client.get("/login")).status_code == 200
        for connection in slow:
            connection.close()
    assert running.stop_s < 3.0


async def test_plain_http_and_old_tls_get_no_page(tmp_path: Path) -> None:
    """ETSI EN 303 645 5.5: nothing but TLS 1.2 and newer."""
    async with served(tmp_path) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(b"GET /login HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"200" not in await reader.read()
        writer.close()


async def test_key_is_private_and_kept(tmp_path: Path) -> None:
    """One certificate per station: a second start shows the same fingerprint."""
    async with served(tmp_path) as running:
        first = running.ready.fingerprint
    key = tmp_path / "tls" / "key.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    assert identify(tmp_path, None, own_names(""), RealClock()).fingerprint == first


async def test_a_taken_port_and_bad_files_are_told(tmp_path: Path) -> None:
    """PanelError with what to do, no traceback from inside."""
    async with served(tmp_path / "one") as running:
        options = PanelOptions(tmp_path / "none.sock", tmp_path, port=running.port)
        with pytest.raises(PanelError, match=r"panel.listen .*choose another"):
            await serve_panel(Depot(), options, RealClock(), asyncio.Event())
    odd = tmp_path / "odd.pem"
    odd.write_text("nonsense")
    for given in ((odd, odd), (tmp_path / "none", odd)):
        with pytest.raises(PanelError, match="PEM certificate"):
            identify(tmp_path, given, (), RealClock())


def test_certificates_name_the_host_and_survive_a_dead_clock() -> None:
    """Ruling 10: a computer that starts in 1970 still gets a certificate that is valid later."""
    dead = datetime(1970, 1, 1, tzinfo=UTC)
    issued = self_sign("siteward panel", ("localhost", "127.0.0.1", "::1"), dead)
    assert usable(issued.certificate, dead)
    assert usable(issued.certificate, BUILT + timedelta(days=700))
    assert not usable(issued.certificate, BUILT + timedelta(days=800))
    assert len(fingerprint(issued.certificate).split(":")) == 32
    with pytest.raises(CertificateError):
        fingerprint(b"nonsense")


def test_an_ending_certificate_is_renewed(tmp_path: Path) -> None:
    """At start, 30 days before its end."""
    clock = HandClock()
    first = identify(tmp_path, None, own_names(""), clock).fingerprint
    clock.at += 700 * 86400
    assert identify(tmp_path, None, own_names(""), clock).fingerprint == first
    clock.at += 100 * 86400
    assert identify(tmp_path, None, own_names(""), clock).fingerprint != first

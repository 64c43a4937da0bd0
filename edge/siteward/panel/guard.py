"""The gate in front of every page: Host allow-list, Origin, size of bodies, headers that fence the browser in."""

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BODY = 16 * 1024
"""Largest accepted request body in bytes; the largest form of the panel needs under 1 kB."""

HEADERS = {
    "content-security-policy": "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
_SAFE = frozenset({"GET", "HEAD"})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Guard:
    """ASGI middleware (fault 73, 74). `hosts` are the names that the panel answers to, besides loopback and the very
    address that a connection came in on; any other Host is what DNS rebinding looks like and gets 421.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str]) -> None:
        self._app = app
        self._hosts = _LOOPBACK | {host.lower().rstrip(".") for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Judge one request."""
        if scope["type"] != "http":
            return
        refused = self._refusal(scope)
        if refused is not None:
            await refused(scope, receive, _fenced(send, scope))
            return
        body = _Body(receive)
        try:
            await self._app(scope, body.receive, _fenced(send, scope))
        except _TooLarge:
            await PlainTextResponse("too large", 413)(scope, receive, _fenced(send, scope))

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._ours(hosts[0], scope):
            return PlainTextResponse("this panel has another name", 421)
        if scope["method"] not in _SAFE and headers.get("origin") != f"{scope['scheme']}://{hosts[0]}":
            return PlainTextResponse("refused: not sent by a page of this panel", 403)
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit() or int(length) > MOST_BODY:
            return PlainTextResponse("too large", 413, headers={"connection": "close"})
        return None

    def _ours(self, host: str, scope: Scope) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name.rstrip(".") in self._hosts or _same_address(name, scope.get("server"))


class _TooLarge(Exception):
    """A body grew past the limit."""


class _Body:
    """Counts a body as it comes in: a chunked one announces no length."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._size = 0

    async def receive(self) -> Message:
        """The next message of the client."""
        message = await self._receive()
        self._size += len(message.get("body", b""))
        if self._size > MOST_BODY:
            raise _TooLarge
        return message


def _same_address(name: str, server: tuple[str, int | None] | None) -> bool:
    try:
        return server is not None and ipaddress.ip_address(name) == ipaddress.ip_address(server[0])
    except ValueError:
        return False


def _fenced(send: Send, scope: Scope) -> Send:
    async def fenced(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            if scope["path"].startswith("/static/"):
                headers["cache-control"] = "public, max-age=86400"
            else:
                headers["cache-control"] = "no-store"
        await send(message)

    return fenced

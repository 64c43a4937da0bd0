"""The local API of one caller: Starlette's routes behind its exception handlers, and nothing more (goal 14)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import cast

from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ExceptionHandler, Receive, Scope, Send

from siteward.api import answers
from siteward.api.answers import Denied
from siteward.api.backend import Backend
from siteward.api.calls import Calls
from siteward.api.curves import Curves
from siteward.api.door import Door
from siteward.api.entry import EntryCalls
from siteward.api.frames import Frames
from siteward.api.live import LiveText
from siteward.api.people import People
from siteward.api.records import Reads
from siteward.api.rights import RIGHTS, Right
from siteward.api.submit import Requests
from siteward.api.tariffs import Bills
from siteward.api.uplink import Uplink
from siteward.api.watch import Watch
from siteward.model.errors import StoreError
from siteward.model.ports import Clock
from siteward.model.refusals import Refusal
from siteward.model.requests import Source

Endpoint = Callable[[Request], Awaitable[Response]]


class Api:
    """The ASGI application; a fault of ours surfaces at the server, which answers 500 and reports it."""

    def __init__(self, routes: Sequence[Route], handlers: Mapping[type[Exception], ExceptionHandler]) -> None:
        self._stack = ExceptionMiddleware(Router(routes=routes), handlers=dict(handlers))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        # The router raises what our handlers answer only where it finds itself inside an application.
        scope["app"] = self
        await self._stack(scope, receive, send)


def build_app(
    backend: Backend, caller: Source, clock: Clock, stop: asyncio.Event | None = None, door: Door | None = None
) -> Api:
    """The API as this caller may use it; setting stop ends its streams and long polls.

    `door` judges signatures; without one no key is known and unsigned commands are taken.
    """
    ending = stop or asyncio.Event()
    watch, reads = Watch(backend, LiveText(), ending), Reads(backend, ending)
    entry = EntryCalls(backend)
    requests, people = Requests(backend, caller, clock, ending, door or Door()), People(backend, caller)
    bills = Bills(backend)

    def route(path: str, endpoint: Endpoint, right: Right, method: str = "GET") -> Route:
        return Route(path, _capped(endpoint, right, caller), methods=[method])

    return Api(
        routes=[
            route("/v1/site", watch.site, Right.READ),
            route("/v1/live", watch.live, Right.READ),
            route("/v1/live/stream", watch.stream, Right.READ),
            route("/v1/alarms", watch.alarms, Right.READ),
            route("/v1/alarms/log", reads.alarms, Right.READ),
            route("/v1/lines", watch.lines, Right.READ),
            route("/v1/lines/{id}/frames", Frames(backend).export, Right.READ),
            route("/v1/lines/{id}/call", Calls(backend).call, Right.WIRE, "POST"),
            route("/v1/health", watch.health, Right.READ),
            route("/metrics", watch.metrics, Right.READ),
            route("/v1/sessions", reads.sessions, Right.READ),
            route("/v1/sessions/{id}", reads.session, Right.READ),
            route("/v1/sessions/{id}/bill", bills.evidence, Right.READ),
            route("/v1/sessions/{id}/curve", Curves(backend).curve, Right.READ),
            route("/v1/tariffs", bills.tariffs, Right.READ),
            route("/v1/events", reads.events, Right.EVENTS),
            route("/v1/auth", entry.auth_list, Right.USERS),
            route("/v1/outbox/ack", reads.ack, Right.ACK, "POST"),
            route("/v1/uplink", Uplink(backend).report, Right.ACK, "POST"),
            route("/v1/requests", requests.post, Right.REQUEST, "POST"),
            route("/v1/requests/{id}", requests.get, Right.READ),
            route("/v1/keys", requests.keys, Right.USERS),
            route("/v1/users", people.users, Right.USERS),
            route("/v1/users/{name}", people.put, Right.USERS, "PUT"),
            route("/v1/audit", people.audit, Right.AUDIT, "POST"),
        ],
        handlers={
            Denied: cast(ExceptionHandler, _denied),
            StoreError: cast(ExceptionHandler, _store_failed),
            HTTPException: cast(ExceptionHandler, _no_such_call),
        },
    )


def _capped(endpoint: Endpoint, right: Right, caller: Source) -> Endpoint:
    """The endpoint behind the caller's rights."""

    async def call(request: Request) -> Response:
        if right not in RIGHTS[caller]:
            raise Denied(Refusal.NOT_AUTHORISED, f"not on the socket of {caller}")
        return await endpoint(request)

    return call


async def _denied(_: Request, error: Denied) -> Response:
    return answers.refusal(error.refusal, error.detail)


async def _store_failed(_: Request, error: StoreError) -> Response:
    return answers.refusal(Refusal.STORE_FAILED, str(error))


async def _no_such_call(_: Request, error: HTTPException) -> Response:
    return answers.refusal(Refusal.NOT_SUPPORTED, f"{error.status_code} {error.detail}")

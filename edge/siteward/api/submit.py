"""Calls that hand in requests and ask what became of them."""

import asyncio
from dataclasses import replace

from starlette.requests import Request as Call
from starlette.responses import Response

from siteward.api.admit import judge, to_request
from siteward.api.answers import Denied, body, message, number, parse, reply_message
from siteward.api.backend import Backend
from siteward.api.door import Door, whole
from siteward.api.records import WAIT_MAX_S
from siteward.api.rights import may_request
from siteward.api.tariffs import NoTariff, tariff_of
from siteward.api.waits import unless
from siteward.client.messages import KeysMessage, RequestMessage
from siteward.model.events import EventType
from siteward.model.ids import CommandId, OrderId
from siteward.model.ports import Clock
from siteward.model.refusals import REFUSALS, Refusal
from siteward.model.requests import CommandName, Reply, Request, Source, Stage

_OF_NEW_ORDERS = frozenset({CommandName.START_CHARGE, CommandName.RESERVE})
"""Verbs that begin something for an order which must not have been charged before."""


class Requests:
    """Endpoints of the inbox."""

    def __init__(self, backend: Backend, caller: Source, clock: Clock, stop: asyncio.Event, door: Door) -> None:
        self._backend = backend
        self._door = door
        self._caller = caller
        self._clock = clock
        self._stop = stop

    async def post(self, call: Call) -> Response:
        """POST /v1/requests: answered when the inbox row is committed."""
        raw = await body(call)
        asked, signed = await self._read(raw)
        command = CommandId(asked.command_id)
        known = await self._backend.request(command, 0)
        if known is not None:
            return message(reply_message(known))
        try:
            # An answer that is kept for an id belongs to whoever proves that the id is his: this one is not kept.
            if not signed and self._caller is Source.CLOUD and self._door.required:
                raise Denied(Refusal.UNSIGNED)
            if signed:
                whole(asked, self._clock)
            request = to_request(asked, self._caller, self._backend.site().id, self._clock)
            await self._check_person(request)
        except Denied as denied:
            return await self._refused(command, denied)
        final = judge(asked, request, self._clock.quality().trusted)
        if final is None and request.name is CommandName.SET_TARIFF:
            try:
                request = replace(request, tariff=tariff_of(asked.params, self._backend.site().pricing.signer))
            except NoTariff as no:
                final = Reply(request.id, Stage.REJECTED, no.code.value, f"{REFUSALS[no.code].en} {no}")
        if final is None:
            final = await self._used(request)
        if final is not None:
            return message(reply_message(await self._backend.refuse(request, raw, final)))
        return message(reply_message(await self._backend.submit(request, raw)))

    async def _read(self, raw: bytes) -> tuple[RequestMessage, bool]:
        """The command in a body, and whether it is signed; what is not proven is on record without an id."""
        if self._caller is not Source.CLOUD:
            return parse(RequestMessage, raw), False
        try:
            return await self._door.command(raw)
        except Denied as denied:
            if denied.refusal is Refusal.BAD_SIGNATURE:
                data = {"code": denied.refusal.value, "detail": denied.detail}
                await self._backend.audit(EventType.AUDIT_REFUSED, data, None, self._caller)
            raise
        finally:
            if self._door.news:
                await self._keys()

    async def keys(self, _: Call) -> Response:
        """GET /v1/keys: whose commands are taken now."""
        return message(await self._keys())

    async def _keys(self) -> KeysMessage:
        """The keys in force; a change of the file is on record as soon as it is seen."""
        found, news = await self._door.keys()
        if news:
            data = {"required": found.required, "keys": {k.kid: k.thumbprint for k in found.keys}}
            if found.problem is not None:
                data["problem"] = found.problem
            await self._backend.audit(EventType.AUDIT_KEYS, data, None, self._caller)
        return found

    async def get(self, call: Call) -> Response:
        """GET /v1/requests/{id}: its latest stage, after at most `wait` seconds its final one."""
        command = CommandId(call.path_params["id"])
        wait_s = number(call, "wait", 0, 0, WAIT_MAX_S)
        reply = await unless(self._stop, self._backend.request(command, wait_s))
        if reply is None:
            raise Denied(Refusal.UNKNOWN_TARGET, "no such request")
        return message(reply_message(reply))

    async def _used(self, request: Request) -> Reply | None:
        """The answer to who would charge an order again, however long ago that was: a turn knows only the latest."""
        if request.name not in _OF_NEW_ORDERS or request.order is None:
            return None
        session = await self._backend.charged(OrderId(request.order))
        if session is None:
            return None
        code = Refusal.ORDER_USED
        return Reply(request.id, Stage.REJECTED, code.value, f"{REFUSALS[code].en} session {session}")

    async def _check_person(self, request: Request) -> None:
        if not may_request(self._caller, request.actor, await self._backend.users()):
            raise Denied(Refusal.NOT_AUTHORISED)

    async def _refused(self, command: CommandId, denied: Denied) -> Response:
        """Every refusal at the door is on record; an unknown name is a reply, for the rest the caller is wrong."""
        data = {"commandId": command, "code": denied.refusal.value, "detail": denied.detail}
        await self._backend.audit(EventType.AUDIT_REFUSED, data, None, self._caller)
        if denied.refusal is not Refusal.UNKNOWN_COMMAND:
            raise denied
        code = denied.refusal
        return message(reply_message(Reply(command, Stage.REJECTED, code.value, REFUSALS[code].en)))

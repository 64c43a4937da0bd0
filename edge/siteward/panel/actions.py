"""Buttons: every one becomes a request to core with the person behind it, and shows what becomes of it."""

import secrets
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from siteward.client.errors import CoreDown, Refused
from siteward.client.messages import ReplyMessage, RequestMessage
from siteward.model.ids import is_id, ulid
from siteward.model.refusals import Refusal
from siteward.model.requests import CommandName, Role, Stage
from siteward.panel.arms import VERBS
from siteward.panel.desk import Desk, Forbidden
from siteward.panel.forms import WrongForm, params_of
from siteward.panel.sessions import WebSession
from siteward.panel.words import WORDS


class Actions:
    """Handlers of the forms that ask core for something."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def start(self, request: Request) -> Response:
        """POST /connectors/{id}/start, with or without a departure."""
        return await self._ask(request, CommandName.START_CHARGE)

    async def stop(self, request: Request) -> Response:
        """POST /connectors/{id}/stop: names the session that the person saw, so that it never ends another one."""
        return await self._ask(request, CommandName.STOP_CHARGE)

    async def move(self, request: Request) -> Response:
        """POST /access/{id}/{open|close|raise|lower}."""
        name = VERBS.get(request.path_params["verb"])
        if name is None:
            raise HTTPException(404)
        return await self._ask(request, name, "arm", "need_technician_access")

    async def service(self, request: Request) -> Response:
        """POST /connectors/{id}/service: out of service after the running session, or back into it."""
        return await self._ask(request, CommandName.SET_AVAILABILITY)

    async def reserve(self, request: Request) -> Response:
        """POST /connectors/{id}/reserve: keep it for a card, for somebody, or for whoever is sent there."""
        return await self._ask(request, CommandName.RESERVE)

    async def release(self, request: Request) -> Response:
        """POST /connectors/{id}/release: let its reservation go."""
        return await self._ask(request, CommandName.CANCEL_RESERVATION)

    async def unlock(self, request: Request) -> Response:
        """POST /connectors/{id}/unlock: let the cable go."""
        return await self._ask(request, CommandName.UNLOCK_CONNECTOR)

    async def reset(self, request: Request) -> Response:
        """POST /emergencies/{id}/reset: acknowledge an emergency stop whose cause is gone."""
        return await self._ask(request, CommandName.RESET, "emergency", "need_technician_reset")

    async def outcome(self, request: Request) -> Response:
        """GET /requests/{id}: how far one of this session's requests is."""
        session = self._desk.who(request, touch=False)
        command = request.path_params["command"]
        if command not in session.requests:
            raise HTTPException(404)
        try:
            reply = await self._desk.core.request(command)
        except CoreDown:
            # Still open: core keeps the request in its inbox, and the browser asks again.
            reply = ReplyMessage(command_id=command, stage=Stage.RECEIVED)
        return self.answer(request, reply or _refused(command, Refusal.OUTCOME_UNKNOWN))

    async def _ask(
        self, request: Request, name: CommandName, thing: str = "connector", needs: str = "need_technician"
    ) -> Response:
        """Ask core for something of the thing in the path; `needs` is the sentence for those who may not."""
        session = self._desk.who(request)
        fields = await self._desk.form(request, session)
        if not session.may(Role.TECHNICIAN):
            raise Forbidden(needs)
        target = request.path_params[thing]
        seen = fields.get("session")
        if not is_id(target) or (seen is not None and not is_id(seen)):
            raise HTTPException(404)
        try:
            params = params_of(name, fields)
        except WrongForm as wrong:
            return self.answer(request, _not_sent(wrong))
        return self.answer(request, await self.submit(session, name, target, params or None))

    async def submit(
        self, session: WebSession, name: CommandName, target: str, params: dict[str, Any] | None
    ) -> ReplyMessage:
        """Hand in a request in the name of the person; what core says, or why it says nothing."""
        wall = self._desk.clock.wall()
        command = "panel-" + ulid(max(0, int(wall.timestamp() * 1000)), secrets.token_bytes(10))
        asked = RequestMessage(
            command_id=command, name=name.value, target=target, params=params, issued_at=wall, actor=session.actor
        )
        session.requests.append(command)
        try:
            return await self._desk.core.submit(asked)
        except CoreDown:
            return _refused(command, Refusal.CORE_DOWN)
        except Refused as no:
            return ReplyMessage(
                command_id=command, stage=Stage.REJECTED, code=no.code, message=no.message, message_zh=no.message_zh
            )

    def answer(self, request: Request, reply: ReplyMessage) -> Response:
        """How far a request is, as a part of the page that asks again by itself."""
        stage = Stage(reply.stage)
        html = self._desk.pages.render(
            "live/reply.html", self._desk.speak(request), reply=reply, final=stage.final, good=stage is Stage.DONE
        )
        return HTMLResponse(html)


def _not_sent(wrong: WrongForm) -> ReplyMessage:
    """What is said of a form that core never saw."""
    sentence = WORDS[wrong.key]
    return ReplyMessage(
        command_id="none", stage=Stage.REJECTED, code=wrong.code, message=sentence.en, message_zh=sentence.zh
    )


def _refused(command: str, code: Refusal) -> ReplyMessage:
    return ReplyMessage(command_id=command, stage=Stage.FAILED, code=code.value)

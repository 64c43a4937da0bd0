"""The alarm pages: what stands, each alarm with its handling record and its form, and the history with durations."""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from siteward.client.errors import ClientError
from siteward.client.messages import AlarmMessage
from siteward.model.events import EventType
from siteward.model.requests import CommandName, Role
from siteward.panel.actions import Actions
from siteward.panel.desk import Desk, Forbidden

HISTORY = 50
"""Records of one page."""

VERBS = {"ack": CommandName.ACK_ALARM, "clear": CommandName.CLEAR_ALARM}


class AlarmSheets:
    """Handlers of the alarm pages; every role may read them, technicians act."""

    def __init__(self, desk: Desk, actions: Actions) -> None:
        self._desk = desk
        self._actions = actions

    async def listed(self, request: Request) -> Response:
        """GET /alarms?before=NUMBER: what stands now, and what was."""
        session = self._desk.who(request)
        before = _number(request.query_params.get("before"))
        try:
            rows = list(await self._desk.core.alarm_log(limit=HISTORY + 1, before=before))
            down = False
        except ClientError:
            rows, down = [], True
        older = rows[HISTORY - 1].number if len(rows) > HISTORY else None
        past = [row for row in rows[:HISTORY] if row.cleared_at is not None]
        values: dict[str, Any] = {"past": past, "older": older, "down": down, "before": before}
        return self._desk.page(request, session, "alarms", **values)

    async def one(self, request: Request) -> Response:
        """GET /alarms/{code}/{subject}: one standing alarm, who took it on, and the form."""
        session = self._desk.who(request)
        alarm = self._standing(request)
        if alarm is None:
            return RedirectResponse("/alarms", 303)
        return self._desk.page(request, session, "alarm", alarm=alarm, live_page=f"alarm:{alarm.code}.{alarm.subject}")

    async def act(self, request: Request) -> Response:
        """POST /alarms/{code}/{subject}/{ack|clear}: becomes a request to core with the person behind it."""
        session = self._desk.who(request)
        fields = await self._desk.form(request, session)
        if not session.may(Role.TECHNICIAN):
            raise Forbidden("need_technician_alarm")
        name = VERBS.get(request.path_params["verb"])
        if name is None:
            raise HTTPException(404)
        params: dict[str, Any] = {"code": request.path_params["code"], "subject": request.path_params["subject"]}
        params["note"] = fields.get("note", "")[:500]
        if fields.get("raised"):
            params["raisedAt"] = fields["raised"]
        return self._actions.answer(request, await self._actions.submit(session, name, "station", params))

    async def test(self, request: Request) -> Response:
        """POST /outputs/test: ask sync to send a test through every output; its outcome stands among the events."""
        session = self._desk.who(request)
        await self._desk.form(request, session)
        if not session.may(Role.TECHNICIAN):
            raise Forbidden("need_technician_alarm")
        try:
            await self._desk.core.audit(EventType.AUDIT_OUTPUT_TEST.value, {}, session.actor)
            key = "outputs_asked"
        except ClientError:
            key = "core_never"
        return HTMLResponse(self._desk.pages.render("live/asked.html", self._desk.speak(request), key=key))

    def _standing(self, request: Request) -> AlarmMessage | None:
        live = self._desk.hub.frame.view
        code, subject = request.path_params["code"], request.path_params["subject"]
        rows = () if live is None else live.alarms
        return next((row for row in rows if (row.code, row.subject) == (code, subject)), None)


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and 0 < len(text) <= 15 else None

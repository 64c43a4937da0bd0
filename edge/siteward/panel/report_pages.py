"""The report page: a day judged from the journal, and the differences that people handle."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from siteward.client.errors import ClientError
from siteward.model.events import EventType
from siteward.model.ids import is_id
from siteward.model.requests import Role
from siteward.panel.desk import Desk, Forbidden
from siteward.report.days import read_day
from siteward.report.differences import State
from siteward.report.gather import gather, wish_of
from siteward.report.page import difference, page, summary
from siteward.report.sheet import sheet


class ReportSheets:
    """Handlers of the report; every role may read, technicians handle differences."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def day(self, request: Request) -> Response:
        """GET /report?day=2026-03-01&as=html|csv."""
        session = self._desk.who(request)
        language = self._desk.speak(request)
        try:
            site = await self._desk.core.site()
            wish = wish_of(site, _day(request.query_params.get("day")), self._desk.clock.wall())
            done = await gather(self._desk.core, wish)
        except ClientError:
            return self._desk.page(request, session, "report", report=None, live_page="report")
        zone = ZoneInfo(str(site["timezone"]))
        form = request.query_params.get("as")
        if form in ("html", "csv"):
            text = page(done, zone, language) if form == "html" else sheet(done)
            name = f"{done.site}-{done.day.isoformat()}.{form}"
            kind = "text/html" if form == "html" else "text/csv"
            headers = {"content-disposition": f'attachment; filename="{name}"'}
            return Response(text, media_type=f"{kind}; charset=utf-8", headers=headers)
        today = self._desk.clock.wall().astimezone(zone).date()
        return self._desk.page(
            request,
            session,
            "report",
            live_page="report",
            report=done,
            summary="\n".join(summary(done, zone, language)),
            rows=[(row, difference(row, zone, language)) for row in done.differences],
            before=(done.day - timedelta(days=1)).isoformat(),
            after=(done.day + timedelta(days=1)).isoformat() if done.day < today else None,
            today=today.isoformat() if done.day != today else None,
            states=[state.value for state in (State.EXPLAINED, State.CLOSED, State.OPEN)],
        )

    async def handle(self, request: Request) -> Response:
        """POST /differences/{id}: what became of it, with the person behind it."""
        session = self._desk.who(request)
        fields = await self._desk.form(request, session)
        if not session.may(Role.TECHNICIAN):
            raise Forbidden("need_technician_report")
        name, state = request.path_params["difference"], fields.get("state", "")
        if not is_id(name) or state not in set(State):
            raise Forbidden("form_stale")
        note = " ".join(fields.get("note", "")[:500].split())
        data = {"difference": name, "state": state, "note": note}
        try:
            await self._desk.core.audit(EventType.AUDIT_DIFFERENCE.value, data, session.actor)
        except ClientError:
            text = self._desk.pages.render("live/refused.html", self._desk.speak(request), key="core_down")
            return HTMLResponse(text, 503)
        return RedirectResponse(f"/report?day={_day(fields.get('day')) or ''}", 303)


def _day(text: str | None) -> date | None:
    try:
        return read_day(text) if text else None
    except ValueError:
        return None

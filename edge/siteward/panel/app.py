"""The web application: routes and answers to what goes wrong. The one file that knows FastAPI."""

from collections.abc import Awaitable, Callable, Iterable

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from siteward.panel.actions import Actions
from siteward.panel.alarm_pages import AlarmSheets
from siteward.panel.bills import Bills
from siteward.panel.desk import Desk, Forbidden, NeedChange, NeedLogin, local_path
from siteward.panel.entry import Entry
from siteward.panel.guard import Guard
from siteward.panel.probes import Probes
from siteward.panel.render import HERE
from siteward.panel.report_pages import ReportSheets
from siteward.panel.sheets import Sheets
from siteward.panel.signatures import Signatures
from siteward.panel.stream import Streams

Handler = Callable[[Request], Awaitable[Response]]
_WORDS = {404: "not_found", 405: "wrong_method", 413: "too_large"}


def build_app(desk: Desk, hosts: Iterable[str] = (), metrics_token: str | None = None) -> FastAPI:
    """The panel's application. `hosts` are the names it answers to besides loopback and its own address."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, title="siteward panel")
    entry, sheets, actions = Entry(desk), Sheets(desk), Actions(desk)
    alarms = AlarmSheets(desk, actions)
    reports = ReportSheets(desk)
    probes = Probes(desk, metrics_token)
    routes: tuple[tuple[str, str, Handler], ...] = (
        ("GET", "/login", entry.login_form),
        ("POST", "/login", entry.login),
        ("POST", "/logout", entry.logout),
        ("GET", "/password", entry.password_form),
        ("POST", "/password", entry.password),
        ("GET", "/language/{language}", entry.language),
        ("GET", "/", sheets.overview),
        ("GET", "/connectors/{connector}", sheets.connector),
        ("POST", "/connectors/{connector}/start", actions.start),
        ("POST", "/connectors/{connector}/stop", actions.stop),
        ("POST", "/connectors/{connector}/service", actions.service),
        ("POST", "/connectors/{connector}/reserve", actions.reserve),
        ("POST", "/connectors/{connector}/release", actions.release),
        ("POST", "/connectors/{connector}/unlock", actions.unlock),
        ("POST", "/emergencies/{emergency}/reset", actions.reset),
        ("POST", "/access/{arm}/{verb}", actions.move),
        ("GET", "/requests/{command}", actions.outcome),
        ("GET", "/sessions/{session}", Bills(desk).session),
        ("GET", "/sessions/{session}/signed.xml", Signatures(desk).container),
        ("GET", "/access", sheets.access),
        ("GET", "/alarms", alarms.listed),
        ("GET", "/alarms/{code}/{subject}", alarms.one),
        ("POST", "/alarms/{code}/{subject}/{verb}", alarms.act),
        ("POST", "/outputs/test", alarms.test),
        ("GET", "/report", reports.day),
        ("POST", "/differences/{difference}", reports.handle),
        ("GET", "/lines", sheets.lines),
        ("GET", "/events", sheets.events),
        ("GET", "/live", Streams(desk).live),
        ("GET", "/healthz", probes.healthz),
        ("GET", "/readyz", probes.readyz),
        ("GET", "/metrics", probes.metrics),
    )
    for method, path, handler in routes:
        app.add_api_route(path, handler, methods=[method], response_model=None, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=HERE / "static"))
    _answer_errors(app, desk, entry)
    app.add_middleware(Guard, hosts=tuple(hosts))
    return app


def _answer_errors(app: FastAPI, desk: Desk, entry: Entry) -> None:
    async def need_login(request: Request, _: Exception) -> Response:
        if request.headers.get("hx-request") == "true":
            return PlainTextResponse("log in again", 401, headers={"hx-redirect": "/login"})
        if request.method != "GET" or request.url.path == "/live":
            return PlainTextResponse("log in first", 401)
        return entry.ask(request, 401, local_path(request.url.path))

    async def need_change(request: Request, _: Exception) -> Response:
        if request.method != "GET" or request.url.path == "/live":
            return PlainTextResponse("change the password first", 403)
        return RedirectResponse("/password", 303)

    async def forbidden(request: Request, error: Exception) -> Response:
        key = error.key if isinstance(error, Forbidden) else "forbidden"
        if request.headers.get("hx-request") == "true":
            return HTMLResponse(desk.pages.render("live/refused.html", desk.speak(request), key=key), 403)
        return desk.plain(request, "message.html", 403, key=key)

    async def failed(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        key = _WORDS.get(status, "forbidden" if status < 500 else "went_wrong")
        return desk.plain(request, "message.html", status, key=key)

    app.add_exception_handler(NeedLogin, need_login)
    app.add_exception_handler(NeedChange, need_change)
    app.add_exception_handler(Forbidden, forbidden)
    app.add_exception_handler(HTTPException, failed)

"""What every page needs: who asks, in which language, with which rights; and how a page is put together."""

import hmac
import secrets
from dataclasses import dataclass, field
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from siteward.model.ports import Clock
from siteward.model.requests import Role
from siteward.panel.accounts import Accounts
from siteward.panel.core import Core
from siteward.panel.fragments import Audience, rendered
from siteward.panel.live import LiveHub
from siteward.panel.render import Pages
from siteward.panel.sessions import WebSession, WebSessions
from siteward.panel.words import LANGUAGES

SESSION_COOKIE = "__Host-siteward"
FORM_COOKIE = "__Host-siteward-form"
LANGUAGE_COOKIE = "__Host-siteward-lang"
MENU = (
    ("overview", "/"),
    ("alarms", "/alarms"),
    ("access", "/access"),
    ("lines", "/lines"),
    ("events", "/events"),
    ("report", "/report"),
)
"""Pages in the menu; access only where the site has a barrier, a lock or an emergency stop."""


class NeedLogin(Exception):
    """Nobody is logged in, or the session ended: 401."""


class NeedChange(Exception):
    """The first login must be changed before anything else: 403, or the form."""


class Forbidden(Exception):
    """Token or role does not allow this: 403. `key` is the sentence."""

    def __init__(self, key: str = "forbidden") -> None:
        super().__init__(key)
        self.key = key


@dataclass(frozen=True, slots=True)
class Desk:
    """The parts that all handlers share; `language` is the one for browsers that ask for neither."""

    core: Core
    hub: LiveHub
    accounts: Accounts
    clock: Clock
    language: str = "en"
    sessions: WebSessions = field(default_factory=WebSessions)
    pages: Pages = field(default_factory=Pages)
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def speak(self, request: Request) -> str:
        """Language of a request: its cookie, else what the browser asks for, else the panel's own."""
        chosen = request.cookies.get(LANGUAGE_COOKIE)
        if chosen in LANGUAGES:
            return chosen
        for part in request.headers.get("accept-language", "").split(",")[:8]:
            asked = part.split(";")[0].strip().lower()[:2]
            if asked in LANGUAGES:
                return asked
        return self.language

    def who(self, request: Request, touch: bool = True, unchanged: bool = False) -> WebSession:
        """The session of a request. Raises NeedLogin, and NeedChange unless `unchanged` passwords may come here."""
        session = self.sessions.find(request.cookies.get(SESSION_COOKIE), self.clock.now(), touch)
        if session is None:
            raise NeedLogin
        if session.must_change and not unchanged:
            raise NeedChange
        return session

    async def form(self, request: Request, session: WebSession) -> dict[str, str]:
        """Fields of a posted form after its token was checked. Raises Forbidden."""
        fields = await fields_of(request)
        sent = request.headers.get("x-csrf-token") or fields.get("csrf", "")
        if not hmac.compare_digest(sent.encode(), session.csrf.encode()):
            raise Forbidden("form_stale")
        return fields

    def form_token(self, nonce: str) -> str:
        """Token of a form before login, bound to the nonce in the browser's cookie."""
        return hmac.new(self.secret, nonce.encode(), "sha256").hexdigest()

    def page(self, request: Request, session: WebSession, name: str, **values: Any) -> Response:
        """A page in the shell; `live_page` (default: its name) says which living parts its stream carries."""
        language = self.speak(request)
        live_page = values.pop("live_page", name)
        frame = self.hub.frame
        may_act = session.may(Role.TECHNICIAN)
        shell = {
            "session": session,
            "menu": [
                row
                for row in MENU
                if row[0] != "access" or (frame.view and (frame.view.arms or frame.view.emergencies))
            ],
            "here": name,
            "path": request.url.path,
            "frame": frame,
            "site": frame.view,
            "may_act": may_act,
            "live": rendered(self.pages, frame, Audience(live_page, language, may_act)),
            "live_page": live_page,
        }
        status = values.pop("status", 200)
        return HTMLResponse(self.pages.render(f"{name}.html", language, **shell, **values), status)

    def plain(self, request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        """A page for people who are not logged in (login, refusals)."""
        shell = {"path": request.url.path, "site": self.hub.frame.view}
        return HTMLResponse(self.pages.render(template, self.speak(request), **shell, **values), status)


async def fields_of(request: Request) -> dict[str, str]:
    """Text fields of a posted form. Ours come in one way; the other one lets the sender choose how texts are read."""
    if request.headers.get("content-type", "").lower().startswith("multipart/"):
        raise HTTPException(400)
    form = await request.form(max_files=0, max_fields=12)
    return {name: value for name, value in form.items() if isinstance(value, str)}


def address_of(request: Request) -> str:
    """Address of the other end of the connection; forwarded headers are not believed."""
    return request.client.host if request.client else ""


def local_path(text: str | None) -> str:
    """A path on this panel to go on to; anything that could lead elsewhere becomes the overview."""
    if not text or not text.startswith("/") or text.startswith("//") or not text.isascii() or not text.isprintable():
        return "/"
    return "/" if "\\" in text or len(text) > 200 else text

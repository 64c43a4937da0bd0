"""Coming and going: login, forced change of the first password, logout, choice of language."""

import hmac
import secrets

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from siteward.client.errors import ClientError
from siteward.model.requests import Role
from siteward.panel.desk import FORM_COOKIE, LANGUAGE_COOKIE, SESSION_COOKIE, Desk, address_of, fields_of, local_path
from siteward.panel.errors import LoginRefused, PasswordUnfit
from siteward.panel.words import LANGUAGES

_YEAR_S = 31_536_000


class Entry:
    """Handlers of /login, /logout, /password and /language."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def login_form(self, request: Request) -> Response:
        """GET /login."""
        return self.ask(request, 200, local_path(request.query_params.get("next")))

    def ask(self, request: Request, status: int, onward: str, error: str | None = None, user: str = "") -> Response:
        """The login page, with a form token bound to this browser."""
        nonce = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(32)
        token = self._desk.form_token(nonce)
        page = self._desk.plain(request, "login.html", status, onward=onward, error=error, token=token, user=user)
        if FORM_COOKIE not in request.cookies:
            _cookie(page, FORM_COOKIE, nonce)
        return page

    async def login(self, request: Request) -> Response:
        """POST /login."""
        fields = await fields_of(request)
        onward = local_path(fields.get("next"))
        name = fields.get("user", "").strip()[:64]
        token = self._desk.form_token(request.cookies.get(FORM_COOKIE, ""))
        if not hmac.compare_digest(fields.get("csrf", "").encode(), token.encode()):
            return self.ask(request, 403, onward, "form_stale", name)
        try:
            user = await self._desk.accounts.login(name, fields.get("password", ""), address_of(request))
        except LoginRefused:
            return self.ask(request, 401, onward, "login_refused", name)
        except ClientError:
            return self.ask(request, 503, onward, "core_down", name)
        self._desk.sessions.close(request.cookies.get(SESSION_COOKIE))
        return self._enter(request, user.name, Role(user.role), user.must_change, onward)

    def _enter(self, request: Request, user: str, role: Role, must_change: bool, onward: str) -> Response:
        now = self._desk.clock.now()
        token = self._desk.sessions.open(user, role, must_change, address_of(request), now)
        answer = RedirectResponse("/password" if must_change else onward, 303)
        _cookie(answer, SESSION_COOKIE, token)
        answer.delete_cookie(FORM_COOKIE, path="/", secure=True, httponly=True, samesite="strict")
        return answer

    async def logout(self, request: Request) -> Response:
        """POST /logout."""
        session = self._desk.who(request, unchanged=True)
        await self._desk.form(request, session)
        self._desk.sessions.close(request.cookies.get(SESSION_COOKIE))
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(SESSION_COOKIE, path="/", secure=True, httponly=True, samesite="strict")
        return answer

    async def password_form(self, request: Request) -> Response:
        """GET /password."""
        session = self._desk.who(request, unchanged=True)
        return self._desk.plain(request, "password.html", session=session, error=None)

    async def password(self, request: Request) -> Response:
        """POST /password: change it, end every other session of the user, and go on in a new one."""
        session = self._desk.who(request, unchanged=True)
        fields = await self._desk.form(request, session)
        new = fields.get("new", "")
        error, status = "password_repeat", 422
        if new == fields.get("repeat"):
            try:
                user = await self._desk.accounts.change(session.user, fields.get("old", ""), new, session.actor)
            except PasswordUnfit as unfit:
                error = unfit.rule
            except LoginRefused:
                error = "password_wrong"
            except ClientError:
                error, status = "core_down", 503
            else:
                self._desk.sessions.close_user(user.name)
                return self._enter(request, user.name, Role(user.role), False, "/")
        return self._desk.plain(request, "password.html", status, session=session, error=error)

    async def language(self, request: Request) -> Response:
        """GET /language/{language}: remember the choice for a year and go back."""
        answer = RedirectResponse(local_path(request.query_params.get("next")), 303)
        chosen = request.path_params["language"]
        if chosen in LANGUAGES:
            _cookie(answer, LANGUAGE_COOKIE, chosen, _YEAR_S)
        return answer


def _cookie(answer: Response, name: str, value: str, max_age: int | None = None) -> None:
    answer.set_cookie(name, value, max_age=max_age, path="/", secure=True, httponly=True, samesite="strict")

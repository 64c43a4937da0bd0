"""Server-sent events: the hub's frames as changed parts of a page, one task per browser, paced, bounded."""

import asyncio
import re
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from siteward.model.requests import Role
from siteward.panel.desk import Desk
from siteward.panel.fragments import Audience, changes, event_text, rendered, shape
from siteward.panel.live import HubClosed
from siteward.panel.sessions import WebSession

MOST_STREAMS = 64
MOST_STREAMS_EACH = 6
PULSE_S = 3.0
PACE_S = 1.0
_PAGE = re.compile(r"[a-z]{1,16}(:[A-Za-z0-9._-]{1,160})?", re.ASCII)


class Streams:
    """Handler of /live. A browser gets at most one frame a second, and a pulse every 3 s when there is no news."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._open = 0

    async def live(self, request: Request) -> Response:
        """GET /live?page=NAME: endless; ends when the session does."""
        session = self._desk.who(request, touch=False)
        page = request.query_params.get("page", "")
        if _PAGE.fullmatch(page) is None:
            return PlainTextResponse("no such page", 404)
        if self._open >= MOST_STREAMS or session.streams >= MOST_STREAMS_EACH:
            return PlainTextResponse("too many open pages", 503, headers={"retry-after": "5"})
        audience = Audience(page, self._desk.speak(request), session.may(Role.TECHNICIAN))
        return StreamingResponse(self._counted(session, audience), media_type="text/event-stream")

    async def _counted(self, session: WebSession, audience: Audience) -> AsyncIterator[str]:
        self._open += 1
        session.streams += 1
        try:
            async for text in self._events(session, audience):
                yield text
        except HubClosed:
            return
        finally:
            self._open -= 1
            session.streams -= 1

    async def _events(self, session: WebSession, audience: Audience) -> AsyncIterator[str]:
        sent: dict[str, str] = {}
        version = -1
        known = shape(self._desk.hub.frame)
        while True:
            try:
                async with asyncio.timeout(PULSE_S):
                    frame = await self._desk.hub.newer(version)
            except TimeoutError:
                frame = self._desk.hub.frame
            if not self._desk.sessions.holds(session, self._desk.clock.now()):
                yield event_text("gone", "")
                return
            if shape(frame) != known:
                yield event_text("reload", "")
                return
            version = frame.version
            now = rendered(self._desk.pages, frame, audience)
            news = "".join(event_text(name, html) for name, html in changes(sent, now))
            sent = now
            yield event_text("pulse", str(version)) + news
            await self._desk.hub.pause(PACE_S)

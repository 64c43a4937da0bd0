"""The pages behind the login: overview, connector, access, lines, events."""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from siteward.client.errors import ClientError
from siteward.panel import view
from siteward.panel.desk import Desk

PAGE_EVENTS = 50
_LOOK_BACK = 500
FILTERS = ("all", "session", "command", "alarm", "access", "audit")


class Sheets:
    """Handlers of the reading pages; every role may read them."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def overview(self, request: Request) -> Response:
        """GET /: totals, fuse tree, connectors."""
        session = self._desk.who(request)
        live = self._desk.hub.frame.view
        return self._desk.page(request, session, "overview", tree=view.tree(live) if live else ())

    async def connector(self, request: Request) -> Response:
        """GET /connectors/{id}: one connector, its cause chain and its sessions."""
        session = self._desk.who(request)
        name = request.path_params["connector"]
        live = self._desk.hub.frame.view
        if live is not None and name not in {c.id for c in live.connectors}:
            raise HTTPException(404)
        try:
            past = [s for s in await self._desk.core.sessions(limit=100) if s.connector == name][:10]
        except ClientError:
            past = []
        return self._desk.page(
            request, session, "connector", connector_id=name, past=past, live_page=f"connector:{name}"
        )

    async def access(self, request: Request) -> Response:
        """GET /access: barriers and parking locks."""
        return self._desk.page(request, self._desk.who(request), "access")

    async def lines(self, request: Request) -> Response:
        """GET /lines: wires, devices, and core's own figures."""
        session = self._desk.who(request)
        live = self._desk.hub.frame.view
        return self._desk.page(request, session, "lines", wires=live.lines if live else ())

    async def events(self, request: Request) -> Response:
        """GET /events?before=SEQ&only=KIND: the journal, newest first."""
        session = self._desk.who(request)
        only = request.query_params.get("only", "all")
        only = only if only in FILTERS else "all"
        before = _sequence(request.query_params.get("before"))
        found, down, older = await self._journal(before, only)
        return self._desk.page(
            request, session, "events", events=found, down=down, older=older, only=only, filters=FILTERS, before=before
        )

    async def _journal(self, before: int | None, only: str) -> tuple[list[dict[str, Any]], bool, int | None]:
        """Events below `before`, whether core was away, and where the next page starts."""
        try:
            end = before
            if end is None:
                end = (await self._desk.core.events(after=0, limit=1)).last_seq + 1
            start = max(0, end - 1 - (PAGE_EVENTS if only == "all" else _LOOK_BACK))
            page = await self._desk.core.events(after=start, limit=max(1, end - 1 - start)) if end > 1 else None
        except ClientError:
            return [], True, None
        chosen = [
            event
            for event in reversed(page.events if page else ())
            if event["seq"] < end and (only == "all" or str(event["type"]).startswith(f"{only}."))
        ]
        cut = chosen[:PAGE_EVENTS]
        rest = int(cut[-1]["seq"]) if len(chosen) > PAGE_EVENTS else start + 1
        return cut, False, rest if rest > 1 else None


def _sequence(text: str | None) -> int | None:
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 15:
        return None
    return max(1, int(text))

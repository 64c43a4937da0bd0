"""Requests on their way into a turn: durable first, then handed to exactly one snapshot."""

from collections.abc import Callable

from siteward.model.errors import StoreError
from siteward.model.ids import CommandId, SessionId
from siteward.model.ports import Journal
from siteward.model.requests import Reply, Request, Stage


class Inbox:
    """Commits requests and keeps those that the next turn has not seen yet."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._journal: Journal | None = None
        self._waiting: list[Request] = []
        self._settled: list[SessionId] = []

    def attach(self, journal: Journal) -> None:
        """Accept requests into this journal from now on."""
        self._journal = journal

    @property
    def open(self) -> bool:
        """Whether requests can be made durable at all."""
        return self._journal is not None

    async def submit(self, request: Request, raw: bytes) -> Reply:
        """Commit the inbox row and hand the request to the next turn; a known id gets its stored reply again."""
        if self._journal is None:
            raise StoreError("the journal is not open yet")
        known = await self._journal.accept(request, raw)
        if known is not None:
            return known
        self._waiting.append(request)
        self._wake()
        return Reply(CommandId(request.id), Stage.RECEIVED)

    def settle(self, sessions: tuple[SessionId, ...]) -> None:
        """Tell the next turn which finished sessions the platform has acknowledged."""
        self._settled.extend(sessions)
        self._wake()

    def drain(self) -> tuple[Request, ...]:
        """Requests since the last call, in order of arrival."""
        waiting = tuple(self._waiting)
        self._waiting.clear()
        return waiting

    def drain_settled(self) -> tuple[SessionId, ...]:
        """Acknowledged sessions since the last call."""
        settled = tuple(self._settled)
        self._settled.clear()
        return settled

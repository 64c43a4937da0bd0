"""The newest live view of core, and how long the station has stood still."""

import asyncio

from siteward.client.client import Client
from siteward.client.errors import CoreDown, Refused
from siteward.client.messages import LiveMessage
from siteward.model.ports import Clock

STALE_S = 5.0
"""A live view older than this is not told to anybody (flows.md)."""

GONE_S = 10.0
"""Core counts as gone when nothing has moved for so long (contract section 4)."""

_RETRY_S = 0.5


class LiveFeed:
    """Reads the stream for ever. What counts is the turn number: a core that repeats itself is not alive."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._view: LiveMessage | None = None
        self._moved_at = clock.now()
        self._age_then_s = 0.0
        self.first = asyncio.Event()
        """Set with the first view."""

    async def run(self) -> None:
        """Never ends by itself."""
        while True:
            try:
                async for view in self._client.stream():
                    self._take(view)
            except (CoreDown, Refused):
                await self._clock.sleep(_RETRY_S)

    def _take(self, view: LiveMessage) -> None:
        known = self._view
        if known is None or (view.health.turn, view.health.journal) != (known.health.turn, known.health.journal):
            self._moved_at = self._clock.now()
            self._age_then_s = max(0.0, view.health.turn_age_s)
        self._view = view
        self.first.set()

    def still_s(self) -> float:
        """Seconds since the station last moved; since the start when it never did."""
        return self._clock.now() - self._moved_at + self._age_then_s

    def fresh(self) -> LiveMessage | None:
        """The newest view, None when it is older than 5 s."""
        return self._view if self._view is not None and self.still_s() <= STALE_S else None

"""The live hub: ONE subscription to core's live stream, fanned out to every browser; knows when the view is old."""

import asyncio
from dataclasses import dataclass, field

from siteward.client.errors import ClientError
from siteward.client.messages import LiveMessage
from siteward.model.ports import Clock
from siteward.panel.core import Core

OLD_AFTER_S = 6.0
RETRY_S = 1.0


class HubClosed(Exception):
    """The panel is stopping: no newer frame will come."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One state of the view. `view` None = never seen; `old` = core does not answer and the view is history.

    received_at is boot-time seconds; caches are kept per frame object, so a new frame never shows old text.
    """

    version: int
    view: LiveMessage | None
    old: bool
    received_at: float
    cache: dict[object, object] = field(default_factory=dict)


class LiveHub:
    """Holds the latest frame and wakes everybody who waits for a newer one; a slow reader only misses frames."""

    def __init__(self, core: Core, clock: Clock) -> None:
        self._core = core
        self._clock = clock
        self._frame = Frame(0, None, True, clock.now())
        self._news = asyncio.Condition()
        self._closed = asyncio.Event()

    @property
    def frame(self) -> Frame:
        """The latest frame."""
        return self._frame

    async def newer(self, version: int) -> Frame:
        """Wait until there is a frame newer than `version` and return the latest. Raises HubClosed."""
        async with self._news:
            await self._news.wait_for(lambda: self._closed.is_set() or self._frame.version > version)
            if self._closed.is_set():
                raise HubClosed
            return self._frame

    async def pause(self, seconds: float) -> None:
        """Wait that long. Raises HubClosed as soon as the hub closes."""
        try:
            async with asyncio.timeout(seconds):
                await self._closed.wait()
        except TimeoutError:
            return
        raise HubClosed

    async def close(self) -> None:
        """Let everybody who waits go."""
        async with self._news:
            self._closed.set()
            self._news.notify_all()

    async def run(self) -> None:
        """Subscribe, and subscribe again for ever; ends only by cancellation."""
        while True:
            try:
                await self._follow()
            except (ClientError, TimeoutError):
                await self._publish(self._frame.view, True)
            await asyncio.sleep(RETRY_S)

    async def _follow(self) -> None:
        """Publish what comes; a stream that falls silent is as bad as one that ended."""
        stream = self._core.stream()
        while True:
            async with asyncio.timeout(OLD_AFTER_S):
                try:
                    view = await anext(stream)
                except StopAsyncIteration:
                    raise TimeoutError("core closed the stream") from None
            await self._publish(view, False)

    async def _publish(self, view: LiveMessage | None, old: bool) -> None:
        if old and self._frame.old and self._frame.view is view and self._frame.version:
            return
        received = self._frame.received_at if old else self._clock.now()
        async with self._news:
            self._frame = Frame(self._frame.version + 1, view, old, received)
            self._news.notify_all()

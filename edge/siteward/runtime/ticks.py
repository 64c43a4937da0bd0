"""A timer wheel: what is due within the same 20 ms wakes together, so that many devices cost few wake-ups (goal 8)."""

import asyncio
import math

from siteward.model.ports import Clock

TICK_S = 0.02
"""Length of a tick; every tick begins at a multiple of it on the Clock."""

_SLACK = 1e-6


class Ticks:
    """The wheel: one timer of the loop for each tick that anybody waits for, however many do."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[int, list[asyncio.Future[None]]] = {}

    def at(self, when: float) -> asyncio.Future[None]:
        """A future that is done at the first tick not before that instant (Clock)."""
        loop = asyncio.get_running_loop()
        tick = math.ceil(when / TICK_S - _SLACK)
        waiting = self._waiting.get(tick)
        if waiting is None:
            waiting = self._waiting[tick] = []
            loop.call_later(tick * TICK_S - self._clock.now(), self._fire, tick)
        future: asyncio.Future[None] = loop.create_future()
        waiting.append(future)
        return future

    def _fire(self, tick: int) -> None:
        for future in self._waiting.pop(tick):
            if not future.done():
                future.set_result(None)


class Nap:
    """One sleeper on the wheel, whom a poke wakes early; a poke while awake shortens the next sleep to nothing."""

    def __init__(self, ticks: Ticks) -> None:
        self._ticks = ticks
        self._future: asyncio.Future[None] | None = None
        self._poked = False

    def poke(self) -> None:
        """Wake the sleeper."""
        self._poked = True
        if self._future is not None and not self._future.done():
            self._future.set_result(None)

    async def until(self, when: float) -> bool:
        """Sleep until the tick of an instant (Clock); True when it was a poke that ended it."""
        if not self._poked:
            self._future = self._ticks.at(when)
            try:
                await self._future
            finally:
                self._future = None
        poked, self._poked = self._poked, False
        return poked


def floor(when: float, step: float = TICK_S) -> float:
    """The last multiple of a step that is not after the instant: for what may come early and must not come late.

    A step of several ticks brings more sleepers together.
    """
    return math.floor(when / step + _SLACK) * step

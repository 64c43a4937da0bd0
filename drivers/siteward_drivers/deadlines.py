"""A timer wheel for time-outs, most of which never come: those of one 20 ms tick share one timer of the loop."""

import asyncio
import math
from collections.abc import Callable

TICK_S = 0.02
"""Length of a tick: a time-out comes up to this much late."""


class Deadline:
    """One time-out that is set; `cancel` forgets it."""

    __slots__ = ("_tick", "late")

    def __init__(self, tick: "_Tick", late: Callable[[], None]) -> None:
        self._tick = tick
        self.late = late
        tick.waiting.add(self)

    def cancel(self) -> None:
        """Forget it; nothing happens when it has come or was forgotten."""
        self._tick.waiting.discard(self)
        if not self._tick.waiting:
            self._tick.end()


class _Tick:
    """The time-outs of one tick, with the timer that they share."""

    def __init__(self, ticks: "dict[int, _Tick]", number: int) -> None:
        self._ticks = ticks
        self._number = number
        self._timer = asyncio.get_running_loop().call_at(number * TICK_S, self._fire)
        self.waiting: set[Deadline] = set()

    def end(self) -> None:
        """Take the tick, of which nothing is left, off the wheel."""
        self._timer.cancel()
        if self._ticks.get(self._number) is self:
            del self._ticks[self._number]

    def _fire(self) -> None:
        self.end()
        while self.waiting:
            self.waiting.pop().late()


class Deadlines:
    """The wheel; times are the loop's."""

    def __init__(self) -> None:
        self._ticks: dict[int, _Tick] = {}

    def call_at(self, when: float, late: Callable[[], None]) -> Deadline:
        """Call `late` at the first tick not before that instant."""
        number = math.ceil(when / TICK_S)
        tick = self._ticks.get(number)
        if tick is None:
            tick = self._ticks[number] = _Tick(self._ticks, number)
        return Deadline(tick, late)

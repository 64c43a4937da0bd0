"""Virtual time: an event loop that never sleeps but jumps to its next timer, and the Clock that reads it."""

import asyncio
import math
import selectors
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, TypeVarTuple

from siteward.model.errors import WeAreWrong
from siteward.model.events import ClockQuality

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

_REAL_WAIT_S = 1.0

START_WALL = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
"""Default wall-clock instant at which a virtual run starts: a Monday morning."""


class VirtualDeadlock(WeAreWrong):
    """Every task of a virtual loop waits for something that no timer can bring; nothing would ever happen again."""


class _JumpingSelector(selectors.BaseSelector):
    """A selector that polls the real files without waiting and passes waiting time to a callback instead."""

    def __init__(self, jump: Callable[[float | None], None]) -> None:
        self._real = selectors.DefaultSelector()
        self._jump = jump
        self.outside = 0

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            # Callbacks are ready: no time passes, and virtual runs own no file that could need service.
            return []
        # Work outside (a thread) wakes the loop through its own pipe; until then virtual time stands still.
        ready = self._real.select(_REAL_WAIT_S if self.outside else 0)
        if not ready and not self.outside:
            self._jump(timeout)
        return ready

    def close(self) -> None:
        self._real.close()

    def get_map(self) -> Any:
        return self._real.get_map()


class VirtualLoop(asyncio.SelectorEventLoop):
    """An asyncio loop whose `time()` is virtual: it starts at `start_s` and only ever jumps to the next timer.

    In-memory links, queues, events and timers are what belongs here. Work in an executor (asyncio.to_thread) stops
    virtual time until it is done; for threads of others (a database's) say so with `outside`. Sockets do not fit: a
    wait for one alone raises VirtualDeadlock.
    """

    def __init__(self, start_s: float = 1000.0) -> None:
        self._now = start_s
        self._waits = _JumpingSelector(self._jump)
        super().__init__(self._waits)

    @contextmanager
    def outside(self) -> Iterator[None]:
        """While inside this context virtual time stands still and the loop waits for real threads."""
        self._waits.outside += 1
        try:
            yield
        finally:
            self._waits.outside -= 1

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*_Ts], _T], *args: *_Ts
    ) -> "asyncio.Future[_T]":
        """Run in a thread; virtual time stands still meanwhile."""
        future = super().run_in_executor(executor, func, *args)
        self._waits.outside += 1
        future.add_done_callback(self._came_back)
        return future

    async def shutdown_default_executor(self, *args: Any) -> None:
        """Wait for the executor's threads, in real time."""
        with self.outside():
            await super().shutdown_default_executor(*args)

    def _came_back(self, _: "asyncio.Future[Any]") -> None:
        self._waits.outside -= 1

    def time(self) -> float:
        """Virtual seconds."""
        return self._now

    def stall(self, seconds: float) -> None:
        """Stand still for so long, as a blocked process or a paused machine does: every timer comes late (R17)."""
        self._now += seconds

    def _jump(self, timeout: float | None) -> None:
        if timeout is None:
            raise VirtualDeadlock(f"no timer and nothing ready at {self._now:.3f} s: {_waiting(self)}")
        # Guard against a time-out so small that adding it changes nothing: the loop would spin for ever.
        self._now = max(self._now + timeout, math.nextafter(self._now, math.inf))


def _waiting(loop: asyncio.AbstractEventLoop) -> str:
    names = sorted(f"{task.get_name()} ({task.get_coro()!r})" for task in asyncio.all_tasks(loop))
    return "waiting: " + "; ".join(names) if names else "no task is left"


class VirtualClock:
    """The model's Clock on a loop's time; wall time runs with it and can be moved, as a tampered clock would."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop | None = None,
        start_wall: datetime = START_WALL,
        quality: ClockQuality = ClockQuality.NTP,
    ) -> None:
        self._loop = loop
        self._origin: float | None = loop.time() if loop is not None else None
        self._wall = start_wall
        self._quality = quality

    def now(self) -> float:
        """CLOCK_BOOTTIME stand-in: the loop's virtual seconds."""
        return self._running().time()

    def wall(self) -> datetime:
        """UTC wall-clock time: the start plus what has passed, plus every `jump_wall`."""
        loop = self._running()
        origin = loop.time() if self._origin is None else self._origin
        return self._wall + timedelta(seconds=loop.time() - origin)

    def quality(self) -> ClockQuality:
        """How far `wall` may be trusted, as set."""
        return self._quality

    def set_quality(self, quality: ClockQuality) -> None:
        """Change what `quality` answers."""
        self._quality = quality

    def jump_wall(self, seconds: float) -> None:
        """Move wall time only, as a synchronisation or a wrong hand would; `now` stays."""
        self._wall += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        """Return after that much of `now` has passed."""
        await asyncio.sleep(seconds)

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        if self._origin is None:
            self._origin = self._loop.time()
        return self._loop


def run_virtual(main: Callable[[VirtualClock], Coroutine[Any, Any, _T]], *, start_wall: datetime = START_WALL) -> _T:
    """Run `main(clock)` to its end in virtual time and return its result; tasks left over are cancelled.

    Raises VirtualDeadlock when everything waits for something that no timer brings.
    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main(VirtualClock(runner.get_loop(), start_wall)))

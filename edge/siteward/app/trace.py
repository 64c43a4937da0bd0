"""Writes the trace: what control saw and decided in each turn, in its own file, never in the turn's way."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path

from siteward.model.errors import StoreError
from siteward.model.ports import Clock
from siteward.runtime.turn import TurnDone
from siteward.store.trace import Trace

_EVERY_S = 1.0
_KEPT = 64


class TraceWriter:
    """Keeps at most one turn a second and hands them to the ring; a disk that fails costs trace, never control."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._trace = Trace(path)
        self._clock = clock
        self._next = 0.0
        self._queue: asyncio.Queue[TurnDone] = asyncio.Queue(_KEPT)
        self._task: asyncio.Task[None] | None = None

    def put(self, done: TurnDone) -> None:
        """Take a turn, if the last one kept is a second old and the queue has room."""
        if done.snapshot.at < self._next or self._queue.full():
            return
        self._next = done.snapshot.at + _EVERY_S
        self._queue.put_nowait(done)
        if self._task is None:
            self._task = asyncio.create_task(self._run())

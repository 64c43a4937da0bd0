"""Carries batches to the journal without ever holding up the turn, and lets raises go once they are durable."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from siteward.model.alarms import Alarm
from siteward.model.batch import Batch
from siteward.model.errors import StoreError
from siteward.model.ports import Clock, Journal
from siteward.model.wire import Write

BATCH_S = 1.0
STORE_FAILED_S = 2.0
_RETRY_S = 0.5
_KEPT_BATCHES = 20_000


@dataclass(frozen=True, slots=True)
class _Pending:
    batch: Batch
    raises: tuple[Write, ...]
    since: float


class Committer:
    """Queue of batches; `send_raises` is called with the raises of a batch after its commit (R14)."""

    def __init__(self, clock: Clock, send_raises: Callable[[tuple[Write, ...]], None]) -> None:
        self._clock = clock
        self._send_raises = send_raises
        self._queue: deque[_Pending] = deque()
        self._wake = asyncio.Event()
        self._last_commit = clock.now()
        self._journal: Journal | None = None
        self.last_error = ""

    def attach(self, journal: Journal) -> None:
        """Use this journal from now on; until then batches wait in memory."""
        self._journal = journal
        self._wake.set()

    @property
    def alarms(self) -> frozenset[Alarm]:
        """What the journal knows to be wrong with itself."""
        return frozenset() if self._journal is None else self._journal.alarms

    @property
    def age_s(self) -> float:
        """Age of the oldest batch that is not durable, 0 when everything is."""
        if self._queue:
            return max(0.0, self._clock.now() - self._queue[0].since)
        return 0.0

    @property
    def failed(self) -> bool:
        """Whether the store counts as failed: raises no longer wait for it."""
        return self._journal is None or self.age_s > STORE_FAILED_S

    def put(self, batch: Batch, raises: tuple[Write, ...]) -> None:
        """Queue a turn's batch; its raises go out after the commit, at once where the store has failed."""
        if raises and self.failed:
            self._send_raises(raises)
            raises = ()
        if batch.empty:
            if raises:
                self._send_raises(raises)
            return
        if len(self._queue) >= _KEPT_BATCHES and not batch.urgent:
            return
        self._queue.append(_Pending(batch, raises, self._clock.now()))
        if batch.urgent or raises:
            self._wake.set()

    async def run(self) -> None:
        """Commit for ever; a StoreError is retried, the batches stay in order."""
        while True:
            try:
                async with asyncio.timeout(BATCH_S):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            await self._drain()

    async def flush(self, seconds: float) -> None:
        """Commit what is queued before a stop, at most that long."""
        try:
            async with asyncio.timeout(seconds):
                await self._drain()
        except TimeoutError:
            return

    async def _drain(self) -> None:
        while self._queue and self._journal is not None:
            pending = self._queue[0]
            try:
                await self._journal.commit(pending.batch)
            except StoreError as error:
                self.last_error = str(error)
                await self._clock.sleep(_RETRY_S)
                return
            self._queue.popleft()
            if pending.raises:
                self._send_raises(pending.raises)

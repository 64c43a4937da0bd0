"""The only room that writes to a device (law 1): hands writes to the lines and keeps the log of what became of them."""

import asyncio
from collections.abc import Callable, Iterable, Mapping

from siteward.model.errors import DeviceRefused, DeviceUnreachable, Withdrawn
from siteward.model.ids import ConnectorId
from siteward.model.ports import Charger
from siteward.model.wire import WireEvent, Write


class Actuator:
    """Starts every write at once, each on its own line; the turn never waits for a wire."""

    def __init__(self, poke: Callable[[ConnectorId], None]) -> None:
        self._poke = poke
        self._chargers: Mapping[ConnectorId, Charger] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._log: list[WireEvent] = []

    def attach(self, chargers: Iterable[Charger]) -> None:
        """Know the chargers; the lines need the log before they exist, hence two steps."""
        self._chargers = {charger.id: charger for charger in chargers}

    def log(self, event: WireEvent) -> None:
        """Take one step of one frame (model.ports.WireLog)."""
        self._log.append(event)

    def drain(self) -> tuple[WireEvent, ...]:
        """Return what happened on the wires since the last call, oldest first."""
        events = tuple(self._log)
        self._log.clear()
        return events

    def send(self, writes: Iterable[Write]) -> None:
        """Start these writes in order; their outcome comes back through the log."""
        for write in writes:
            task = asyncio.create_task(self._perform(write))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def finish(self, seconds: float) -> None:
        """Wait for what was started to come to its end, at most that long."""
        if self._running:
            await asyncio.wait(tuple(self._running), timeout=seconds)

    async def _perform(self, write: Write) -> None:
        try:
            await self._chargers[write.connector].write(write)
        except (DeviceUnreachable, DeviceRefused, Withdrawn):
            # The wire log tells the next turn, which decides what follows.
            return
        self._poke(write.connector)

    async def close(self) -> None:
        """Give up on writes that are still waiting for their line."""
        running = tuple(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

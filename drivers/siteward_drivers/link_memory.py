"""A wire inside the process: two ends of which a test or the simulator holds one."""

import asyncio
from collections.abc import Callable
from typing import Self

from siteward.model.site import SerialSettings
from siteward_drivers.errors import LinkDown
from siteward_drivers.link import Inbox


class _Wire:
    """What the two ends share: whether it is plugged, and each end's inbox."""

    def __init__(self) -> None:
        self.plugged = True
        self.inboxes: list[Inbox | None] = [None, None]

    def deliver(self, end: int, data: bytes) -> None:
        inbox = self.inboxes[end]
        if inbox is not None and not inbox.lost:
            inbox.data_received(data)


class MemoryLink:
    """One end of a wire in memory; bytes written here are read at the other end, one loop step later.

    The end itself sets no pace: whoever plays the device decides when its bytes are written. `plug(False)` takes the
    wire away, as when an adapter is pulled: both ends are down until it is plugged again and opened.
    """

    def __init__(self, name: str, wire: _Wire, end: int) -> None:
        self._name = name
        self._wire = wire
        self._end = end
        self.tuned: SerialSettings | None = None

    @classmethod
    def pair(cls, name: str = "memory") -> tuple[Self, Self]:
        """Two joined ends, both closed: ours and the device's."""
        wire = _Wire()
        return cls(name, wire, 0), cls(f"{name}/device", wire, 1)

    @property
    def name(self) -> str:
        """Name given at making."""
        return self._name

    @property
    def is_open(self) -> bool:
        """Whether bytes can be written now."""
        inbox = self._wire.inboxes[self._end]
        return inbox is not None and not inbox.lost

    def plug(self, plugged: bool) -> None:
        """Put the wire in or take it away, seen from both ends."""
        self._wire.plugged = plugged
        if plugged:
            return
        for inbox in self._wire.inboxes:
            if inbox is not None:
                inbox.connection_lost(None)

    async def open(self) -> None:
        """Open this end. Raises LinkDown while the wire is taken away."""
        if not self._wire.plugged:
            raise LinkDown(f"{self._name}: unplugged")
        if not self.is_open:
            self._wire.inboxes[self._end] = Inbox()

    async def close(self) -> None:
        """Close this end and forget unread bytes."""
        self._wire.inboxes[self._end] = None

    def tune(self, settings: SerialSettings) -> None:
        """Remember the settings, for whoever plays the device; a wire in memory takes any."""
        self.tuned = settings

    def write(self, data: bytes) -> None:
        """Send bytes to the other end; they vanish when that is closed. Raises LinkDown."""
        if not self.is_open:
            raise LinkDown(f"{self._name}: not open")
        asyncio.get_running_loop().call_soon(self._wire.deliver, 1 - self._end, data)

    async def read(self, deadline: float) -> bytes:
        """Bytes by the deadline. Raises LinkDown."""
        return await self._opened().take(deadline)

    def listen(self, heard: Callable[[], None] | None) -> None:
        """Have `heard` called when bytes or the end came. Raises LinkDown."""
        self._opened().heard = heard

    def take_now(self) -> bytes:
        """Bytes that are there. Raises LinkDown."""
        return self._opened().take_now()

    def call_at(self, when: float, late: Callable[[], None]) -> asyncio.TimerHandle:
        """Call at that time of the loop."""
        return asyncio.get_running_loop().call_at(when, late)

    def _opened(self) -> Inbox:
        inbox = self._wire.inboxes[self._end]
        if inbox is None:
            raise LinkDown(f"{self._name}: not open")
        return inbox

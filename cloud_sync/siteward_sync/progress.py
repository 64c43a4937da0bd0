"""What the event loop knows of one MQTT connection: how far it got, what it waits for, why it ended."""

import asyncio
from dataclasses import dataclass
from typing import Any

from siteward_sync.errors import LinkDown, PublishRefused

WINDOW = 20
"""Most QoS 1 messages on the way at once, whatever the broker would allow."""

_FAILURE = 128


@dataclass(frozen=True, slots=True)
class Received:
    """A message from the broker; epoch and mid name it for `Link.ack`, and are good for one connection only."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    mid: int
    epoch: int


class Progress:
    """Futures of one connection; every method belongs to the event loop's thread."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.accepted: asyncio.Future[int] = loop.create_future()
        """The broker took us; its largest packet in bytes."""
        self.subscribed: asyncio.Future[None] = loop.create_future()
        """The broker confirmed every subscription."""
        self.ended: asyncio.Future[None] = loop.create_future()
        """The connection is over; `why` says why."""
        self.why: LinkDown | None = None
        self.window = asyncio.Semaphore(1)
        """Room for QoS 1 messages."""
        self._waiting: dict[int, tuple[str, asyncio.Future[None]]] = {}

    def accept(self, window: int, largest: int) -> None:
        """The broker took us. The MQTT library ignores the broker's window; sending more would end the connection."""
        self.window = asyncio.Semaphore(min(WINDOW, window))
        settle(self.accepted, None, largest)

    def end(self, why: LinkDown) -> None:
        """The connection is over: nobody waits any longer."""
        if self.ended.done():
            return
        self.why = why
        self.ended.set_result(None)
        for future in (self.accepted, self.subscribed):
            if not future.done():
                future.set_exception(why)
                future.exception()  # nobody may be waiting any more: mark it as seen
        for _, done in tuple(self._waiting.values()):
            settle(done, why)

    async def confirmed(self, mid: int, topic: str) -> None:
        """Wait until message `mid` is confirmed. Raises LinkDown, PublishRefused."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[mid] = (topic, done)
        try:
            await done
        finally:
            self._waiting.pop(mid, None)

    def published(self, mid: int, reason: int, text: str) -> None:
        """The broker confirmed or refused message `mid`."""
        topic, done = self._waiting.get(mid, ("", None))
        if done is not None:
            settle(done, PublishRefused(topic, reason, text) if reason >= _FAILURE else None)


def settle(future: "asyncio.Future[Any]", error: Exception | None, value: Any = None) -> None:
    """Finish a future that may have been finished or abandoned already."""
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(value)

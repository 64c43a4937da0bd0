"""The port of a wire: bytes out, bytes in until a deadline; what lies behind it is a link of some kind."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from siteward.model.site import SerialSettings
from siteward_drivers.errors import LinkDown


class Link(Protocol):
    """A way for bytes. One reader at a time; deadlines are in the running loop's time."""

    @property
    def name(self) -> str:
        """Where the bytes go, for people."""
        ...

    @property
    def is_open(self) -> bool:
        """Whether bytes can be written now."""
        ...

    async def open(self) -> None:
        """Open it; nothing happens when it is open. Raises LinkDown."""
        ...

    async def close(self) -> None:
        """Close it and forget unread bytes; nothing happens when it is closed."""
        ...

    def write(self, data: bytes) -> None:
        """Send bytes. Raises LinkDown."""
        ...

    async def read(self, deadline: float) -> bytes:
        """Bytes as soon as there are any, b"" when there were none by the deadline. Raises LinkDown."""
        ...


@runtime_checkable
class Tunable(Protocol):
    """A link whose serial settings the line's owner may change between two exchanges; opening sets the line's own."""

    def tune(self, settings: SerialSettings) -> None:
        """Change the settings. Raises SettingsRefused, with the old ones still set, or LinkDown."""
        ...


class Cancels(Protocol):
    """Something that is to happen, and can be called off."""

    def cancel(self) -> None:
        """Call it off."""
        ...


@runtime_checkable
class Prompt(Protocol):
    """A link that calls back when bytes or the end came, so that nobody must wait for them in a coroutine."""

    def listen(self, heard: Callable[[], None] | None) -> None:
        """Have `heard` called from now on, until the link is closed. Raises LinkDown when it is not open."""
        ...

    def take_now(self) -> bytes:
        """Bytes that are there, b"" when there are none. Raises LinkDown."""
        ...

    def call_at(self, when: float, late: Callable[[], None]) -> Cancels:
        """Call `late` at a time of the loop or soon after: as exactly as this link's answers need it."""
        ...


@dataclass(frozen=True, slots=True)
class Frame:
    """What a line knows of a frame before it goes out; times are the loop's.

    It must not go out before `send_at`, nor when bytes come before that. An answer to it has `length` bytes or more,
    `char_s` each, hardly begins before `begins`, and is read for directly behind the write; with a length of 0 that is
    all open. Nothing goes out within `silence_s` behind the answer.
    """

    send_at: float
    length: int
    begins: float
    char_s: float
    silence_s: float = 0.0


@runtime_checkable
class Timed(Protocol):
    """A link with a clockwork of its own, closer than a loop's: the line tells it what is due."""

    @property
    def lead_s(self) -> float:
        """How long before the instant of sending it takes the frame."""
        ...

    def heard_at(self) -> float:
        """When the bytes came that were read last. Raises LinkDown."""
        ...

    def expect(self, frame: Frame) -> None:
        """Before each write. The next read returns when the answer is whole, when it breaks off, or at its deadline.

        It raises Disturbed when bytes came before `send_at`: nothing was sent then.
        """
        ...


def bare(link: Link) -> Link:
    """The link inside a wrapped one: to be asked whether it is Tunable or Timed."""
    inside: Link = getattr(link, "bare", link)
    return inside


class Inbox(asyncio.Protocol):
    """Receiving half that all links share: keeps bytes until the one reader takes them."""

    def __init__(self) -> None:
        self._bytes = b""
        self._waiter: asyncio.Future[None] | None = None
        self._lost: str | None = None
        self.transport: asyncio.BaseTransport | None = None
        self.heard: Callable[[], None] | None = None

    @property
    def lost(self) -> bool:
        """Whether the connection ended."""
        return self._lost is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport, for the link that owns this inbox."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Keep the bytes and wake the reader."""
        self._bytes += data
        self.wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Remember the end and wake the reader."""
        self._lost = str(exc) if exc is not None else "closed by the peer"
        self.wake()

    def wake(self) -> None:
        """Have the reader look: bytes came, the end came, or its time is over."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        if self.heard is not None:
            self.heard()

    async def take(self, deadline: float) -> bytes:
        """All bytes that are there, waiting for the first until the deadline. Raises LinkDown once it ended."""
        if not self._bytes and self._lost is None:
            await self._wait(deadline)
        return self.take_now()

    def take_now(self) -> bytes:
        """All bytes that are there. Raises LinkDown when there are none and it ended."""
        if self._bytes:
            data, self._bytes = self._bytes, b""
            return data
        if self._lost is not None:
            raise LinkDown(self._lost)
        return b""

    async def _wait(self, deadline: float) -> None:
        loop = asyncio.get_running_loop()
        waiter = loop.create_future()
        self._waiter = waiter
        timer = loop.call_at(deadline, self.wake)
        try:
            await waiter
        finally:
            timer.cancel()
            self._waiter = None

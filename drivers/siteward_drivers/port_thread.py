"""The thread behind a serial port: it waits to the microsecond, sleeps through what must come, and reads the rest."""

import asyncio
import contextlib
import os
import select
import threading
from dataclasses import dataclass

from siteward_drivers.link import Inbox

REAL_TIME_PRIORITY = 1
"""Priority of the thread where it may run before all ordinary programs; more would not help it."""

_PIECE = 4096
_MOST_FILES = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Wish:
    """What the reader waits for: times are the loop's.

    Nothing is looked at before `asleep_until`; then bytes are collected until there are `length`, the port was silent
    for `gap_s` behind some, or the deadline is there.
    """

    deadline: float
    asleep_until: float = 0.0
    length: int = 1
    gap_s: float = 0.0


class ThreadInbox(Inbox):
    """An inbox whose reader waits for the thread, not for a timer of the loop, which is coarser than a character."""

    def __init__(self, file: int, real_time: bool) -> None:
        super().__init__()
        self.hint: Wish | None = None
        self._port = PortThread(file, self, real_time)
        self.connection_made(self._port)
        self._port.start()

    async def _wait(self, deadline: float) -> None:
        hint, self.hint = self.hint, None
        wish = Wish(deadline)
        if hint is not None:
            wish = Wish(deadline, min(hint.asleep_until, deadline), hint.length, hint.gap_s)
        waiter = asyncio.get_running_loop().create_future()
        self._waiter = waiter
        self._port.ask(wish)
        try:
            await waiter
        finally:
            self._waiter = None


class PortThread(asyncio.Transport):
    """An open port and its thread. The thread only reads; the owner's loop writes, at the instant it decided to."""

    def __init__(self, file: int, inbox: Inbox, real_time: bool) -> None:
        super().__init__()
        if file >= _MOST_FILES:
            raise OSError("too many open files for a port with a thread")
        self.file = file
        self.is_real_time = False
        self._inbox = inbox
        self._want_real_time = real_time
        self._loop = asyncio.get_running_loop()
        self._bell = os.eventfd(0, os.EFD_CLOEXEC)
        self._wish: Wish | None = None
        self._open = True
        self._thread = threading.Thread(target=self._run, name="siteward port", daemon=True)

    def start(self) -> None:
        """Start reading for whoever asks."""
        self._thread.start()

    def ask(self, wish: Wish) -> None:
        """Have the inbox woken when the wish is fulfilled or over; an older wish is void."""
        self._wish = wish
        os.eventfd_write(self._bell, 1)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes at once. Raises OSError when the port does not take them whole."""
        try:
            sent = os.write(self.file, data)
        except OSError as error:
            self._lost(error)
            raise
        if sent < len(data):
            raise OSError(f"the port took {sent} of {len(data)} bytes")

    def is_closing(self) -> bool:
        """Whether it is closed."""
        return not self._open

    def abort(self) -> None:
        """Stop the thread and give the port back."""
        if not self._open:
            return
        self._open = False
        os.eventfd_write(self._bell, 1)
        self._thread.join()
        os.close(self._bell)
        os.close(self.file)

    def _lost(self, error: OSError) -> None:
        if not self._inbox.lost:
            self._inbox.connection_lost(error)

    def _run(self) -> None:
        if self._want_real_time:
            # Where the system does not allow it the thread runs like any other; only its waiting is less exact.
            with contextlib.suppress(OSError):
                os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(REAL_TIME_PRIORITY))
                self.is_real_time = True
        while True:
            os.eventfd_read(self._bell)
            if not self._open:
                return
            wish = self._wish
            if wish is not None:
                self._serve(wish)

    def _serve(self, wish: Wish) -> None:
        got = bytearray()
        error: OSError | None = None
        over = True
        try:
            over = self._collect(wish, got)
        except OSError as found:
            error = found
        if over or got:
            # A loop that is closed has nobody left who waits.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._deliver, wish, bytes(got), error)

    def _collect(self, wish: Wish, got: bytearray) -> bool:
        """Fill `got`; False when the bell rang meanwhile: what is wished now has to be looked up."""
        now = self._loop.time
        asleep_s = wish.asleep_until - now()
        if asleep_s > 0 and select.select([self._bell], [], [], asleep_s)[0]:
            return False
        until = wish.deadline
        while len(got) < wish.length:
            ready, _, _ = select.select([self.file, self._bell], [], [], max(0.0, until - now()))
            if self._bell in ready:
                return False
            if not ready:
                break
            with contextlib.suppress(BlockingIOError):
                piece = os.read(self.file, _PIECE)
                if not piece:
                    raise OSError("the port is gone")
                got += piece
                until = min(wish.deadline, now() + wish.gap_s)
        return True

    def _deliver(self, wish: Wish, data: bytes, error: OSError | None) -> None:
        if not self._open:
            return
        if data:
            self._inbox.data_received(data)
        if error is not None:
            self._lost(error)
        if wish is self._wish:
            self._inbox.wake()

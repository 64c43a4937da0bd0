"""The thread behind a serial port: it sends at the instant, sleeps through what must come, and reads the rest."""

import asyncio
import contextlib
import os
import select
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVarTuple, Unpack

from siteward_drivers.errors import Disturbed
from siteward_drivers.link import Frame, Inbox

_Ts = TypeVarTuple("_Ts")

REAL_TIME_PRIORITY = 1
"""Priority of the thread where it may run before all ordinary programs; more would not help it."""

_PIECE = 4096
_MOST_FILES = 1024
_EARLY_CHARS = 1
_AWAKE_CHARS = 4
_GAP_CHARS = 4
_GAP_S = 0.002


@dataclass(frozen=True, slots=True, eq=False)
class Wish:
    """What the reader waits for; times are the loop's.

    Nothing is looked at before `asleep_until`; then bytes of `char_s` each are collected until there are `length`, the
    port was silent for a while behind some, or the deadline is there. Nobody sends within `silence_s` behind them.
    """

    deadline: float
    asleep_until: float = 0.0
    length: int = 1
    char_s: float = 0.0
    silence_s: float = 0.0

    @property
    def gap_s(self) -> float:
        """Silence that ends an answer which is shorter."""
        return _GAP_CHARS * self.char_s + _GAP_S

    def nap_s(self, length: int) -> float:
        """How long no look is worth it, with so many bytes there: only the very last ones surely come one by one."""
        missing = self.length - length
        return (missing - 1) * self.char_s if missing <= _AWAKE_CHARS else 0.0


class ThreadInbox(Inbox):
    """An inbox whose reader waits for the thread, not for a timer of the loop, which is coarser than a character."""

    def __init__(self, file: int, real_time: bool) -> None:
        super().__init__()
        self._frame: Frame | None = None
        self._held_back = False
        self._port = PortThread(file, self, real_time)
        self.connection_made(self._port)
        self._port.start()

    def expect(self, frame: Frame) -> None:
        """Take what is known about the next bytes that are written, and about the answer to them."""
        self._frame = frame if frame.length else None
        self._port.send_at = frame.send_at
        self._port.read_follows = frame.length > 0

    async def _wait(self, deadline: float) -> None:
        loop = asyncio.get_running_loop()
        if deadline <= loop.time():
            self._look()
            return
        waiter = loop.create_future()
        self._waiter = waiter
        self._port.ask(self._wish(deadline))
        try:
            await waiter
        finally:
            self._waiter = None
        if self._held_back:
            self._held_back = False
            raise Disturbed("bytes came before the frame")

    def hold_back(self) -> None:
        """Have the reader told that its frame was not sent."""
        self._held_back = self._waiter is not None
        self.wake()

    def _look(self) -> None:
        """Take what is there already; that needs no thread."""
        try:
            if select.select([self._port.file], [], [], 0)[0]:
                self._bytes += self._port.read()
        except OSError as error:
            self.connection_lost(error)

    def _wish(self, deadline: float) -> Wish:
        frame, self._frame = self._frame, None
        if frame is None:
            return Wish(deadline)
        # Not to the end of it: a device that is quicker than ever before must be seen to be.
        asleep_until = frame.begins + (frame.length - _EARLY_CHARS) * frame.char_s
        return Wish(deadline, min(asleep_until, deadline), frame.length, frame.char_s, frame.silence_s)


class PortThread(asyncio.Transport):
    """An open port and its thread; whoever owns the port lives on the loop and speaks to the thread by a bell."""

    def __init__(self, file: int, inbox: ThreadInbox, real_time: bool) -> None:
        super().__init__()
        if file >= _MOST_FILES:
            raise OSError("too many open files for a port with a thread")
        self.file = file
        self.send_at = 0.0
        self.read_follows = False
        self.heard_at = 0.0
        self.is_real_time = False
        self._inbox = inbox
        self._want_real_time = real_time
        self._loop = asyncio.get_running_loop()
        self._bell = os.eventfd(0, os.EFD_CLOEXEC)
        self._back = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._told: deque[Callable[[], None]] = deque()
        self._outgoing: tuple[bytes, float, bool] | None = None
        self._wish: Wish | None = None
        self._open = True
        self._thread = threading.Thread(target=self._run, name="siteward port", daemon=True)

    def start(self) -> None:
        """Start reading for whoever asks."""
        self._loop.add_reader(self._back, self._hear)
        self._thread.start()

    def ask(self, wish: Wish) -> None:
        """Have the inbox woken when the wish is fulfilled or over; an older wish is void."""
        self._wish = wish
        os.eventfd_write(self._bell, 1)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes at `send_at`, or at once where that has passed; the bell of the read behind them is enough.

        Raises OSError when the port does not take them.
        """
        if self.send_at <= self._loop.time():
            self._send(data)
            return
        self._outgoing = (bytes(data), self.send_at, self.read_follows)
        if not self.read_follows:
            os.eventfd_write(self._bell, 1)

    def _send(self, data: bytes | bytearray | memoryview) -> None:
        sent = os.write(self.file, data)
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
        self._loop.remove_reader(self._back)
        os.close(self._back)
        os.close(self._bell)
        os.close(self.file)

    def _run(self) -> None:
        if self._want_real_time:
            # Where the system does not allow it the thread runs like any other; only its waiting is less exact.
            with contextlib.suppress(OSError):
                os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(REAL_TIME_PRIORITY))
                self.is_real_time = True
        served: Wish | None = None
        while True:
            os.eventfd_read(self._bell)
            if not self._open:
                return
            wish = self._wish
            if self._flush() and wish is not None and wish is not served and self._serve(wish):
                served = wish
                self._hush(wish)

    def _hush(self, wish: Wish) -> None:
        """Sleep through the silence behind an answer: a frame that is handed in meanwhile leaves as it ends."""
        left_s = self.heard_at + wish.silence_s - self._loop.time()
        if left_s > 0:
            select.select([], [], [], left_s)

    def _flush(self) -> bool:
        """Send what is to be sent; False when the silence before it was broken, or the port is gone."""
        outgoing, self._outgoing = self._outgoing, None
        if outgoing is None:
            return True
        data, at, read_follows = outgoing
        early_s = at - self._loop.time()
        if select.select([self.file] if read_follows else [], [], [], max(0.0, early_s))[0]:
            self._call(self._inbox.hold_back)
            return False
        try:
            self._send(data)
        except OSError as error:
            self._call(self._deliver, None, b"", error)
            return False
        return True

    def _serve(self, wish: Wish) -> bool:
        """Fulfil a wish; False when the bell rang meanwhile: what is wished now has to be looked up."""
        got = bytearray()
        error: OSError | None = None
        over = True
        try:
            over = self._collect(wish, got)
        except OSError as found:
            error = found
        if over or got:
            self._call(self._deliver, wish if over else None, bytes(got), error)
        return over

    def _collect(self, wish: Wish, got: bytearray) -> bool:
        now = self._loop.time
        asleep_s = wish.asleep_until - now()
        until = wish.deadline
        while True:
            if asleep_s > 0 and select.select([self._bell], [], [], asleep_s)[0]:
                return False
            ready, _, _ = select.select([self.file, self._bell], [], [], max(0.0, until - now()))
            if self._bell in ready:
                return False
            if not ready:
                return True
            got += self.read()
            self.heard_at = now()
            if len(got) >= wish.length:
                return True
            until = min(wish.deadline, self.heard_at + wish.gap_s)
            asleep_s = wish.nap_s(len(got))

    def read(self) -> bytes:
        """Bytes that are there. Raises OSError when the port is gone."""
        try:
            piece = os.read(self.file, _PIECE)
        except BlockingIOError:
            return b""
        if not piece:
            raise OSError("the port is gone")
        return piece

    def _call(self, told: Callable[[Unpack[_Ts]], None], *about: *_Ts) -> None:
        """Have something called on the loop; a counter that wakes it is cheaper than the loop's own way."""
        self._told.append(partial(told, *about))
        os.eventfd_write(self._back, 1)

    def _hear(self) -> None:
        os.eventfd_read(self._back)
        while self._told:
            self._told.popleft()()

    def _deliver(self, wish: Wish | None, data: bytes, error: OSError | None) -> None:
        if data:
            self._inbox.data_received(data)
        if error is not None and not self._inbox.lost:
            self._inbox.connection_lost(error)
        if wish is not None and wish is self._wish:
            self._inbox.wake()

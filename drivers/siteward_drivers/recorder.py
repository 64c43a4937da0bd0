"""The recorder of a line: every byte of its last minutes in bounded memory, taken where bytes enter and leave."""

import math
import struct
from dataclasses import dataclass

from siteward.model.ports import Clock
from siteward_drivers.link import Link, Prompt

KEEP_S = 300.0
"""How long a frame is kept."""

MEMORY_MAX = 1 << 20
"""Most bytes that the frames of one line take, with what is kept of each besides its bytes."""

SITE_MAX = 16 << 20
"""The same of all lines of a site: many lines have a smaller ring each (goal 8)."""

_HEAD = struct.Struct("<ddI?")
"""Before the bytes of each frame: when it began and ended (Clock), their number, whether they were ours."""

_PACK = _HEAD.pack
_LATE_S = 10.0
_TOGETHER_S = 0.02
_LONGEST = 512


@dataclass(frozen=True, slots=True)
class Seen:
    """Bytes that travelled together: `at` (Clock) is their beginning as we saw it, `sent` whether they were ours."""

    at: float
    sent: bool
    data: bytes
    last_at: float


def room(lines: int) -> int:
    """The share of each of so many lines in the memory of their site."""
    return min(MEMORY_MAX, SITE_MAX // max(lines, 1))


class Recorder:
    """The ring of one line, oldest first: one run of bytes, since an object a frame costs six times the memory."""

    def __init__(self, clock: Clock, room: int = MEMORY_MAX) -> None:
        self._clock = clock
        self._room = room
        self._ring = bytearray()
        self._last = 0
        self._may_join = False
        self._forget_at = math.inf

    def note(self, sent: bool, data: bytes) -> None:
        """Keep bytes; pieces of one answer that come within 20 ms of each other are one frame."""
        now = self._clock.now()
        ring = self._ring
        if sent or not self._may_join or not self._join(data, now):
            if not data:
                return
            self._last = len(ring)
            ring += _PACK(now, now, len(data), sent)
            ring += data
            self._may_join = not sent
            if not self._last:
                self._forget_at = now + KEEP_S + _LATE_S
        if now > self._forget_at or len(ring) > self._room:
            self._forget(now - KEEP_S)

    def _join(self, data: bytes, now: float) -> bool:
        """Add bytes to the last frame where they belong to it."""
        at, last_at, begun, _ = _HEAD.unpack_from(self._ring, self._last)
        if now - last_at > _TOGETHER_S or begun + len(data) > _LONGEST:
            return False
        _HEAD.pack_into(self._ring, self._last, at, now, begun + len(data), False)
        self._ring += data
        return True

    def _forget(self, since: float) -> None:
        ring, cut, end = self._ring, 0, len(self._ring)
        self._forget_at = math.inf
        while cut < end:
            at, _, size, _ = _HEAD.unpack_from(ring, cut)
            if at >= since and end - cut <= self._room:
                # What is too old is forgotten a little late, many frames at a time.
                self._forget_at = at + KEEP_S + _LATE_S
                break
            cut += _HEAD.size + size
        del ring[:cut]
        self._last -= cut
        self._may_join = self._may_join and bool(ring)

    def frames(self, last_s: float = KEEP_S) -> tuple[Seen, ...]:
        """The frames of the last seconds, oldest first."""
        since = self._clock.now() - last_s
        ring, start, found = bytes(self._ring), 0, []
        while start < len(ring):
            at, last_at, size, sent = _HEAD.unpack_from(ring, start)
            start += _HEAD.size + size
            if at >= since:
                found.append(Seen(at, sent, ring[start - size : start], last_at))
        return tuple(found)


class RecordedLink:
    """A link whose bytes are noted on their way; what else it can do is asked of the `bare` one."""

    def __init__(self, link: Link, recorder: Recorder) -> None:
        self._link = self.bare = link
        self._prompt = link if isinstance(link, Prompt) else None
        self._recorder = recorder

    @property
    def name(self) -> str:
        """Where the bytes go, for people."""
        return self._link.name

    @property
    def is_open(self) -> bool:
        """Whether bytes can be written now."""
        return self._link.is_open

    async def open(self) -> None:
        """Open it. Raises LinkDown."""
        await self._link.open()

    async def close(self) -> None:
        """Close it and forget unread bytes."""
        await self._link.close()

    def write(self, data: bytes) -> None:
        """Send bytes. Raises LinkDown."""
        self._link.write(data)
        self._recorder.note(True, data)

    def take_now(self) -> bytes:
        """Bytes that are there, of a link that is Prompt. Raises LinkDown."""
        data = self._prompt.take_now() if self._prompt is not None else b""
        if data:
            self._recorder.note(False, data)
        return data

    async def read(self, deadline: float) -> bytes:
        """Bytes by the deadline. Raises LinkDown."""
        data = await self._link.read(deadline)
        if data:
            self._recorder.note(False, data)
        return data

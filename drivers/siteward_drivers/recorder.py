"""The recorder of a line: every byte of its last minutes in bounded memory, taken where bytes enter and leave."""

from collections import deque
from dataclasses import dataclass

from siteward.model.ports import Clock
from siteward_drivers.link import Link, Prompt

KEEP_S = 300.0
"""How long a frame is kept."""

MEMORY_MAX = 1 << 20
"""Most bytes that the frames of one line take, what Python needs for each of them included."""

_EACH = 200
_TOGETHER_S = 0.02
_LONGEST = 512


@dataclass(frozen=True, slots=True)
class Seen:
    """Bytes that travelled together: `at` (Clock) is their beginning as we saw it, `sent` whether they were ours."""

    at: float
    sent: bool
    data: bytes
    last_at: float


class Recorder:
    """The ring of one line, oldest first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # Plain tuples of plain values are no concern of the garbage collector, however many there are (goal 8).
        self._ring: deque[tuple[float, bool, bytes, float]] = deque()
        self._bytes = 0

    def note(self, sent: bool, data: bytes) -> None:
        """Keep bytes; pieces of one answer that come within 20 ms of each other are one frame."""
        now = self._clock.now()
        ring = self._ring
        size = len(data)
        if ring and not sent:
            at, was_sent, begun, last_at = ring[-1]
            if not was_sent and now - last_at <= _TOGETHER_S and len(begun) + size <= _LONGEST:
                ring[-1] = (at, False, begun + data, now)
                self._bytes += size
                size = 0
        if size:
            ring.append((now, sent, data, now))
            self._bytes += size + _EACH
        while ring and (self._bytes > MEMORY_MAX or ring[0][0] < now - KEEP_S):
            self._bytes -= len(ring.popleft()[2]) + _EACH

    def frames(self, last_s: float = KEEP_S) -> tuple[Seen, ...]:
        """The frames of the last seconds, oldest first."""
        since = self._clock.now() - last_s
        return tuple(Seen(*frame) for frame in self._ring if frame[0] >= since)


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

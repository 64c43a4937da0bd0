"""The recorder of a line: every byte of its last minutes in bounded memory, taken where bytes enter and leave."""

from collections import deque
from dataclasses import dataclass

from siteward.model.ports import Clock
from siteward_drivers.link import Link

KEEP_S = 300.0
"""How long a frame is kept."""

MEMORY_MAX = 1 << 20
"""Most bytes that the frames of one line take, what Python needs for each of them included."""

_EACH = 200
_TOGETHER_S = 0.02
_LONGEST = 512


@dataclass(slots=True)
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
        self._ring: deque[Seen] = deque()
        self._bytes = 0

    def note(self, sent: bool, data: bytes) -> None:
        """Keep bytes; pieces of one answer that come within 20 ms of each other are one frame."""
        now = self._clock.now()
        last = self._ring[-1] if self._ring else None
        if (
            last is not None
            and not sent
            and not last.sent
            and now - last.last_at <= _TOGETHER_S
            and len(last.data) + len(data) <= _LONGEST
        ):
            last.data += data
            last.last_at = now
            self._bytes += len(data)
        else:
            self._ring.append(Seen(now, sent, data, now))
            self._bytes += len(data) + _EACH
        while self._bytes > MEMORY_MAX or self._ring[0].at < now - KEEP_S:
            self._bytes -= len(self._ring.popleft().data) + _EACH

    def frames(self, last_s: float = KEEP_S) -> tuple[Seen, ...]:
        """The frames of the last seconds, oldest first."""
        since = self._clock.now() - last_s
        return tuple(frame for frame in self._ring if frame.at >= since)


class RecordedLink:
    """A link whose bytes are noted on their way; what else it can do is asked of the `bare` one."""

    def __init__(self, link: Link, recorder: Recorder) -> None:
        self._link = self.bare = link
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

    async def read(self, deadline: float) -> bytes:
        """Bytes by the deadline. Raises LinkDown."""
        data = await self._link.read(deadline)
        if data:
            self._recorder.note(False, data)
        return data

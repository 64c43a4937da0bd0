"""Which events are the platform's by its own word, and which are on the way: the arithmetic of the uplink."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

WINDOW = 1000
"""Most events on the way without the platform's acknowledgement (contract section 4)."""

BATCH_EVENTS = 500
"""Most events of one batch (ruling 20)."""


ENVELOPE = 512
"""Bytes of a message for what stands around a batch."""


class Window:
    """Positions in one journal; times are the clock's `now`."""

    def __init__(self, journal: str, acked: int, at: float) -> None:
        self.journal = journal
        self.acked = acked
        self.sent = acked
        self._moved_at = at

    @property
    def room(self) -> int:
        """How many more events may be sent now."""
        return max(0, WINDOW - (self.sent - self.acked))

    def pushed(self, last_seq: int, at: float) -> None:
        """Events up to last_seq were handed over."""
        if self.sent == self.acked:
            self._moved_at = at
        self.sent = max(self.sent, last_seq)

    def acknowledged(self, seq: int, at: float) -> None:
        """The platform has everything up to seq."""
        if seq > self.acked:
            self.acked = seq
            self.sent = max(self.sent, seq)
            self._moved_at = at

    def left_s(self, resend_s: float, at: float) -> float:
        """Seconds until everything unacknowledged is sent again; resend_s when nothing waits."""
        return resend_s if self.sent == self.acked else self._moved_at + resend_s - at

    def rewind(self, at: float) -> None:
        """Start again behind the last acknowledged event."""
        self.sent = self.acked
        self._moved_at = at


def batches(events: Sequence[Mapping[str, Any]], largest: int) -> Iterator[tuple[int, bytes]]:
    """Cut events into JSON arrays of at most 500 events and `largest` bytes, each with its last seq.

    An event that is larger alone goes alone.
    """
    parts: list[bytes] = []
    size, last = 2, 0
    for event in events:
        text = json.dumps(event, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
        if parts and (size + len(text) + 1 > largest or len(parts) == BATCH_EVENTS):
            yield last, b"[" + b",".join(parts) + b"]"
            parts, size = [], 2
        parts.append(text)
        size += len(text) + 1
        last = int(event["seq"])
    if parts:
        yield last, b"[" + b",".join(parts) + b"]"

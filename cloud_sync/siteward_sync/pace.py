"""How much backfill may be on the way at once: full speed on a good line, small pieces on a bad one."""

FLIGHT = 8
"""Batches on the way at once on a good line (ruling 20)."""

_SMALLEST = 2 * 1024
_SLOW_S = 1.0
_QUICK_S = 0.3


class Pace:
    """Learns from how long the broker takes to confirm a batch.

    Behind a slow line commands, replies and heartbeats wait for what is already written to the socket; so the pieces
    shrink until one takes less than a second (fault 41). share 0..1 is the part of the time that backfill may use.
    """

    def __init__(self, largest: int, share: float = 1.0) -> None:
        self._largest = largest
        self._share = share
        self.batch_bytes = largest
        """Largest batch now."""

    @property
    def flight(self) -> int:
        """Batches on the way at once, now."""
        return FLIGHT if self.batch_bytes == self._largest and self._share >= 1 else 1

    def confirmed(self, took_s: float) -> float:
        """Take note of a confirmed batch; return how long to rest before the next one, in seconds."""
        if took_s > _SLOW_S:
            self.batch_bytes = max(_SMALLEST, self.batch_bytes // 2)
        elif took_s < _QUICK_S:
            self.batch_bytes = min(self._largest, self.batch_bytes * 2)
        return took_s * (1.0 / self._share - 1.0)

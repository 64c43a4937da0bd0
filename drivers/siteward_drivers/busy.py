"""The busy share of a wire over the last minute."""

_SECONDS = 60


class Busy:
    """Busy time by second, over one minute; times are the loop's."""

    def __init__(self) -> None:
        self._busy = [0.0] * _SECONDS
        self._second = [-1] * _SECONDS
        self._first: float | None = None

    def add(self, began: float, ended: float) -> None:
        """Note that the wire was taken from `began` to `ended`."""
        if self._first is None:
            self._first = began
        second = int(ended)
        slot = second % _SECONDS
        if self._second[slot] != second:
            self._second[slot], self._busy[slot] = second, 0.0
        self._busy[slot] += ended - began

    def share(self, now: float) -> float:
        """Busy share of the last minute, 0..1; shorter where the line is younger."""
        if self._first is None:
            return 0.0
        span = min(float(_SECONDS), max(now - self._first, 1.0))
        recent = sum(b for b, s in zip(self._busy, self._second, strict=True) if now - _SECONDS < s <= now)
        return min(1.0, recent / span)

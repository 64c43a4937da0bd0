"""Whether the platform can be reached, by the word of sync; silence is a no."""

from siteward.model.ports import Clock

FRESH_S = 60.0
"""A word older than this says nothing: sync repeats it three times in that time."""


class Uplink:
    """The last word of sync."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._online_at: float | None = None

    def heard(self, online: bool) -> None:
        """Take sync's word."""
        self._online_at = self._clock.now() if online else None

    @property
    def online(self) -> bool:
        """Whether the platform could be reached lately."""
        return self._online_at is not None and self._clock.now() - self._online_at <= FRESH_S

"""How long a line has not been silent: after half a second frames go out all the same, lest callers wait for ever."""

_LONGEST_S = 0.5


class Babble:
    """Noise on one line, as its silences are waited for (fault 8); times are the loop's."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._before: float | None = None

    def may_send(self, silent: bool, now: float) -> bool:
        """Whether a frame may go out: the line is silent, or has been noisy for too long."""
        self._before = self._since
        if silent:
            self._since = None
            return True
        if self._since is None:
            self._since = now
        return now - self._since > _LONGEST_S

    def not_silent(self, now: float) -> None:
        """The last silence was none after all."""
        self._since = now if self._before is None else self._before

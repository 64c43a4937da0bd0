"""When a line's port may be opened next: soon after a lasting loss, ever more rarely while nothing good comes of it."""

from random import Random

from siteward.model.site import Line

_SERIAL_S = (0.25, 2.0)
_SOCKET_S = (1.0, 10.0)
_JITTER = 0.3
_DEAF_FRAMES = 3
_DEAF_SERIAL_S = 15.0
_DEAF_SOCKET_S = 3.0


class Reopening:
    """Paces the openings of one port; times are the loop's.

    A serial port is looked for every two seconds at the latest, so that an adapter that comes back is used within five
    (fault 6). A gateway sees at most one try a second, with jitter, and fewer when it hangs up on us each time
    (fault 18).
    """

    def __init__(self, line: Line) -> None:
        self._first_s, self._last_s = _SERIAL_S if line.is_serial else _SOCKET_S
        self._delay_s = self._first_s
        # Lines that lost the same gateway at once must not come back at once; each has its own, repeatable dice.
        self._dice = Random(f"{line.id} {line.port}")  # noqa: S311
        self._deaf_s = _DEAF_SERIAL_S if line.is_serial else _DEAF_SOCKET_S
        self._unheard = 0
        self._heard_at = 0.0
        self.next_at = 0.0

    def tried(self, now: float) -> None:
        """An opening was tried: it failed, or what it brought has yet to prove itself."""
        self.next_at = now + self._delay_s * (1.0 + _JITTER * self._dice.random())
        self._delay_s = min(self._delay_s * 2, self._last_s)

    def opened(self, now: float) -> None:
        """The port is open; nobody was asked yet."""
        self._unheard, self._heard_at = 0, now

    def heard(self, now: float) -> None:
        """A device answered: the connection is worth the next one."""
        self._unheard, self._heard_at = 0, now
        self._delay_s = self._first_s

    def deaf(self, now: float) -> bool:
        """Count a frame that nobody answered; whether the port should be opened anew, since nobody at all answers."""
        self._unheard += 1
        return self._unheard >= _DEAF_FRAMES and now - self._heard_at > self._deaf_s

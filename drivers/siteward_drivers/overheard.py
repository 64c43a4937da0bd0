"""What a serial wire carries besides the answers to us: the echo of our own frames, and other masters."""

from siteward_drivers.modbus import reads_in

FOREIGN_ALARM_S = 60.0
"""How long a foreign request is told after it was heard."""

_LISTEN_MAX = 2048


class Overheard:
    """Ears of one wire; times are the loop's.

    An adapter that hears itself is known by a read whose answer begins with the read itself: no device says that. From
    then on each frame is taken off the answer to it, since the echo of a write would pass for its acknowledgement
    (fault 4). A read request that is not ours was sent by somebody else (fault 5).
    """

    def __init__(self) -> None:
        self.echo = False
        self.foreign = 0
        self.foreign_at: float | None = None
        self._frame = b""
        self._waits_for_echo = False

    def sent(self, frame: bytes) -> None:
        """Our frame goes out."""
        self._frame = frame
        self._waits_for_echo = True

    def strip(self, is_read: bool, buffer: bytearray) -> bool:
        """Take the echo off what came since our frame; False while it may still be incomplete."""
        if not self._waits_for_echo or not (self.echo or is_read):
            return True
        length = len(self._frame)
        if buffer[:length] != self._frame[: len(buffer)]:
            return True
        if len(buffer) < length:
            return False
        del buffer[:length]
        self._waits_for_echo = False
        self.echo = True
        return True

    def answered(self, is_read: bool) -> None:
        """A read was answered: without an echo before it, there is none any more."""
        if is_read and self._waits_for_echo:
            self.echo = False

    def listen(self, data: bytes, now: float) -> None:
        """Judge bytes that answered nothing."""
        found = [frame for frame in reads_in(data[-_LISTEN_MAX:]) if frame != self._frame]
        if found:
            self.foreign += len(found)
            self.foreign_at = now

    def foreign_lately(self, now: float) -> bool:
        """Whether another master spoke within the last minute."""
        return self.foreign_at is not None and now - self.foreign_at <= FOREIGN_ALARM_S

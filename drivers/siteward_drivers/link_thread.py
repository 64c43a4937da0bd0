"""A serial port as a link with a thread of its own: silences and answers are timed closer than a loop can."""

import fcntl
import os
import termios

from siteward.model.site import Parity, SerialSettings
from siteward_drivers.errors import LinkDown
from siteward_drivers.link import Inbox
from siteward_drivers.link_tty import TtyLink
from siteward_drivers.port_thread import PortThread, ThreadInbox, Wish

_SLEEP_SHARE = 0.9
_GAP_CHARS = 4
_GAP_S = 0.002
_PARITY = {Parity.NONE: 0, Parity.EVEN: termios.PARENB, Parity.ODD: termios.PARENB | termios.PARODD}


class ThreadLink(TtyLink):
    """A raw port: the thread sleeps through 90 % of an answer whose length is known, instead of waking at each byte.

    Not to the end of it: bytes come in pieces of a UART's FIFO, and the last one may be early (goal 2). `real_time` asks
    that the thread runs before ordinary programs; where that is not allowed it runs all the same.
    """

    def __init__(
        self,
        port: str,
        baud: int,
        parity: Parity,
        stop_bits: int,
        simulated: bool = False,
        rs485: bool = False,
        real_time: bool = False,
    ) -> None:
        super().__init__(port, baud, parity, stop_bits, simulated, rs485)
        self._real_time = real_time

    @property
    def is_real_time(self) -> bool:
        """Whether the thread runs before ordinary programs."""
        return self.is_open and self._thread().is_real_time

    async def _connect(self, settings: SerialSettings) -> Inbox:
        file = os.open(self.name, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            make_raw(file, settings)
            termios.tcflush(file, termios.TCIOFLUSH)
            return ThreadInbox(file, self._real_time)
        except (OSError, termios.error):
            os.close(file)
            raise

    def _file(self) -> int:
        return self._thread().file

    def _apply(self, settings: SerialSettings) -> None:
        make_raw(self._file(), settings)

    def _thread(self) -> PortThread:
        transport = self._transport()
        if not isinstance(transport, PortThread):
            raise LinkDown(f"{self.name}: not open")
        return transport

    def write(self, data: bytes) -> None:
        """Send bytes. Raises LinkDown."""
        if isinstance(self._inbox, ThreadInbox):
            self._inbox.hint = None
        super().write(data)

    def expect(self, length: int, begins: float, char_s: float) -> None:
        """Let the next read sleep through most of an answer and then collect the whole of it."""
        if isinstance(self._inbox, ThreadInbox):
            asleep_until = begins + _SLEEP_SHARE * length * char_s
            self._inbox.hint = Wish(0.0, asleep_until, length, _GAP_CHARS * char_s + _GAP_S)


def make_raw(file: int, settings: SerialSettings) -> None:
    """Set a port to plain bytes under the settings. Raises OSError and termios.error for what it cannot do."""
    speed: int = getattr(termios, f"B{settings.baud}")
    two = termios.CSTOPB if settings.stop_bits == 2 else 0
    control = termios.CS8 | termios.CREAD | termios.CLOCAL | two | _PARITY[settings.parity]
    attributes = termios.tcgetattr(file)
    attributes[:6] = [0, 0, control, 0, speed, speed]
    # At least one byte a read: none at all then means that the port has gone, and not that nothing has come.
    attributes[6][termios.VMIN], attributes[6][termios.VTIME] = 1, 0
    termios.tcsetattr(file, termios.TCSANOW, attributes)

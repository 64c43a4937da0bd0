"""A serial port as a link with a thread of its own: silences and answers are timed closer than a loop can."""

import fcntl
import os
import termios

from siteward.model.site import Parity, SerialSettings
from siteward_drivers.errors import LinkDown
from siteward_drivers.link import Frame, Inbox
from siteward_drivers.link_tty import TtyLink
from siteward_drivers.port_thread import PortThread, ThreadInbox

_LEAD_S = 0.002
_PARITY = {Parity.NONE: 0, Parity.EVEN: termios.PARENB, Parity.ODD: termios.PARENB | termios.PARODD}


class ThreadLink(TtyLink):
    """A raw port whose thread sends at the end of the silence, and sleeps where it knows that nothing is due.

    `real_time` asks that the thread runs before ordinary programs; where that is not allowed it runs all the same.
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

    @property
    def lead_s(self) -> float:
        """How long before the instant of sending the thread takes a frame, and listens to the rest of the silence.

        A timer of the loop and a change of thread fit into it.
        """
        return _LEAD_S

    def heard_at(self) -> float:
        """When the thread read the last bytes (loop's time). Raises LinkDown."""
        return self._thread().heard_at

    def expect(self, frame: Frame) -> None:
        """Send the next bytes at their instant, and sleep through most of the answer."""
        if isinstance(self._inbox, ThreadInbox):
            self._inbox.expect(frame)


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

"""A serial port of the kernel as a link, whichever library moves its bytes: settings, direction, the same adapter."""

import array
import asyncio
import fcntl
import math
import termios
from abc import abstractmethod
from dataclasses import replace
from pathlib import Path

from siteward.model.site import Parity, SerialSettings
from siteward_drivers.errors import LinkDown, SettingsRefused
from siteward_drivers.link import Inbox
from siteward_drivers.link_transport import TransportLink

_TIOCGRS485, _TIOCSRS485 = 0x542E, 0x542F
_LOOK_EVERY_S = 0.1
_RS485_ON, _RTS_WHILE_SENDING, _RTS_AFTER = 1, 2, 4


class TtyLink(TransportLink):
    """An RS485 adapter, a UART or a pseudo-terminal, locked against other programs while it is open.

    A pseudo-terminal takes no other parity than none (ruling 8): on a `simulated` line none is asked of it.
    """

    def __init__(
        self, port: str, baud: int, parity: Parity, stop_bits: int, simulated: bool = False, rs485: bool = False
    ) -> None:
        super().__init__(port)
        self._path = Path(port)
        self._simulated = simulated
        self._rs485 = rs485
        self._home = self._settings = self._possible(SerialSettings(baud, parity, stop_bits))
        self._device: int | None = None
        self._looked_at = -math.inf

    @abstractmethod
    async def _connect(self, settings: SerialSettings) -> Inbox:
        """Open the port, locked, under the settings. Raises OSError, ValueError and termios.error."""

    @abstractmethod
    def _file(self) -> int:
        """Number of the open file. Raises LinkDown."""

    @abstractmethod
    def _apply(self, settings: SerialSettings) -> None:
        """Set the open port. Raises OSError, ValueError and termios.error for what it cannot do."""

    async def open(self) -> None:
        """Open the port. Raises LinkDown when it is missing, in use or refuses the settings."""
        if self.is_open:
            return
        await self.close()
        self._settings = self._home
        try:
            self._inbox = await self._connect(self._home)
            if self._rs485:
                self._direct()
            self._judge_parity(self._home)
        except (OSError, ValueError, termios.error) as error:
            await self.close()
            raise LinkDown(f"{self.name}: {error}") from error
        except LinkDown:
            await self.close()
            raise
        self._device = _device(self._path)

    def _direct(self) -> None:
        try:
            direct_by_rts(self._file())
        except OSError as error:
            why = f"the port's driver cannot switch RS485 direction; take rs485 out of its [[line]] ({error})"
            raise LinkDown(f"{self.name}: {why}") from error

    def tune(self, settings: SerialSettings) -> None:
        """Change the settings of the open port. Raises SettingsRefused, with the old ones still set, or LinkDown."""
        wanted = self._possible(settings)
        self._file()
        try:
            self._take(wanted)
        except (OSError, ValueError, termios.error) as error:
            self._go_back()
            raise SettingsRefused(f"{self.name} refuses {settings}: {error}") from error
        self._settings = wanted

    def _go_back(self) -> None:
        try:
            self._take(self._settings)
        except (OSError, ValueError, termios.error) as error:
            raise LinkDown(f"{self.name}: {error}") from error

    def _take(self, settings: SerialSettings) -> None:
        self._apply(settings)
        self._judge_parity(settings)

    def _judge_parity(self, settings: SerialSettings) -> None:
        # Some ports (a pseudo-terminal is one) take other parities without a word and do not have them.
        wanted = settings.parity is not Parity.NONE
        if bool(termios.tcgetattr(self._file())[2] & termios.PARENB) != wanted:
            raise ValueError("the port has no parity")
        if wanted:
            drop_bad_bytes(self._file())

    def _possible(self, settings: SerialSettings) -> SerialSettings:
        return replace(settings, parity=Parity.NONE) if self._simulated else settings

    def _judge(self) -> None:
        # The file stays the adapter that was opened; its name only says where the next opening would lead.
        now = asyncio.get_running_loop().time()
        if now - self._looked_at < _LOOK_EVERY_S:
            return
        self._looked_at = now
        if _device(self._path) != self._device:
            raise LinkDown(f"{self.name}: is another adapter now")


def drop_bad_bytes(file: int) -> None:
    """Have the kernel drop bytes whose parity is wrong, which the libraries hand on as good ones.

    The checksum of DL/T 645 is a sum: two wrong bits in two bytes may cancel each other, and only parity shows them.
    Raises OSError and termios.error.
    """
    attributes = termios.tcgetattr(file)
    attributes[0] |= termios.INPCK | termios.IGNPAR
    termios.tcsetattr(file, termios.TCSANOW, attributes)


def direct_by_rts(file: int) -> None:
    """Have the kernel raise RTS while it sends and lower it behind (linux/serial.h). Raises OSError where it cannot."""
    words = array.array("I", [0] * 8)
    fcntl.ioctl(file, _TIOCGRS485, words)
    words[0] = (words[0] | _RS485_ON | _RTS_WHILE_SENDING) & ~_RTS_AFTER
    words[1] = words[2] = 0
    fcntl.ioctl(file, _TIOCSRS485, words)


def _device(path: Path) -> int | None:
    """Number of the device behind a path, None when there is none: a stable path may come to name another one."""
    try:
        return path.stat().st_rdev
    except OSError:
        return None

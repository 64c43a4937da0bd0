"""A serial port as a link, by pyserial-asyncio: the one file that imports it."""

import asyncio
import os
import termios
from pathlib import Path

import serial
import serial.rs485
import serial_asyncio

from siteward.model.site import Parity, SerialSettings
from siteward_drivers.errors import LinkDown, SettingsRefused
from siteward_drivers.link import Inbox

_NO_PARITY: str = serial.PARITY_NONE
_PARITY: dict[Parity, str] = {Parity.NONE: _NO_PARITY, Parity.EVEN: serial.PARITY_EVEN, Parity.ODD: serial.PARITY_ODD}


class SerialLink:
    """An RS485 adapter, a UART or a pseudo-terminal, locked against other programs while it is open.

    A pseudo-terminal takes no other parity than none (ruling 8): on a `simulated` line none is asked of it.
    """

    def __init__(
        self, port: str, baud: int, parity: Parity, stop_bits: int, simulated: bool = False, rs485: bool = False
    ) -> None:
        self._port = port
        self._settings = SerialSettings(baud, parity, stop_bits)
        self._simulated = simulated
        self._rs485 = rs485
        self._inbox: Inbox | None = None
        self._device: int | None = None

    @property
    def name(self) -> str:
        """The port's path."""
        return self._port

    @property
    def is_open(self) -> bool:
        """Whether bytes can be written now."""
        return self._inbox is not None and not self._inbox.lost

    async def open(self) -> None:
        """Open the port. Raises LinkDown when it is missing, in use or refuses the settings."""
        if self.is_open:
            return
        await self.close()
        loop = asyncio.get_running_loop()
        try:
            transport, inbox = await serial_asyncio.create_serial_connection(
                loop,
                Inbox,
                self._port,
                baudrate=self._settings.baud,
                bytesize=serial.EIGHTBITS,
                parity=self._parity(self._settings),
                stopbits=self._settings.stop_bits,
                exclusive=True,
            )
        except (OSError, ValueError, termios.error) as error:
            # serial.SerialException is an OSError; refused settings come as ValueError or termios.error.
            raise LinkDown(f"{self._port}: {error}") from error
        # The library hands the transport to the protocol one step of the loop later.
        await asyncio.sleep(0)
        if inbox.lost or transport.serial is None:
            raise LinkDown(f"{self._port}: gone as soon as it was open")
        self._inbox = inbox
        if self._rs485:
            await self._direct(transport.serial)
        if self._parity(self._settings) != _NO_PARITY and isinstance(inbox.transport, serial_asyncio.SerialTransport):
            try:
                drop_bad_bytes(inbox.transport.serial)
            except (OSError, termios.error) as error:
                await self.close()
                raise LinkDown(f"{self._port}: gone as soon as it was open: {error}") from error
        self._device = os.fstat(transport.serial.fileno()).st_rdev

    async def _direct(self, port: serial.Serial) -> None:
        """Have the kernel raise RTS while it sends. Raises LinkDown where the port's driver cannot."""
        try:
            port.rs485_mode = serial.rs485.RS485Settings()
        except (OSError, ValueError) as error:
            await self.close()
            why = f"the port's driver cannot switch RS485 direction; take rs485 out of its [[line]] ({error})"
            raise LinkDown(f"{self._port}: {why}") from error

    def tune(self, settings: SerialSettings) -> None:
        """Change the settings of the open port. Raises SettingsRefused, with the old ones still set, or LinkDown."""
        inbox = self._inbox
        if inbox is None or inbox.lost or not isinstance(inbox.transport, serial_asyncio.SerialTransport):
            raise LinkDown(f"{self._port}: not open")
        port = inbox.transport.serial
        old = port.get_settings()
        try:
            self._apply(port, settings)
        except (OSError, ValueError, termios.error) as error:
            self._go_back(port, old)
            raise SettingsRefused(f"{self._port} refuses {settings}: {error}") from error

    def _apply(self, port: serial.Serial, settings: SerialSettings) -> None:
        parity = self._parity(settings)
        port.apply_settings({"baudrate": settings.baud, "parity": parity, "stopbits": settings.stop_bits})
        # Some ports (a pseudo-terminal is one) take other parities without a word and do not have them.
        if bool(termios.tcgetattr(port.fd)[2] & termios.PARENB) != (parity != _NO_PARITY):
            raise ValueError("the port has no parity")
        if parity != _NO_PARITY:
            drop_bad_bytes(port)

    def _go_back(self, port: serial.Serial, old: dict[str, object]) -> None:
        try:
            port.apply_settings(old)
        except (OSError, ValueError, termios.error) as error:
            raise LinkDown(f"{self._port}: {error}") from error

    def _parity(self, settings: SerialSettings) -> str:
        return _NO_PARITY if self._simulated else _PARITY[settings.parity]

    async def close(self) -> None:
        """Close the port and forget unread bytes."""
        inbox, self._inbox = self._inbox, None
        transport = inbox.transport if inbox is not None else None
        if isinstance(transport, asyncio.WriteTransport) and not transport.is_closing():
            transport.abort()
        # The transport gives the port back in a callback of the loop.
        await asyncio.sleep(0)

    def write(self, data: bytes) -> None:
        """Send bytes. Raises LinkDown."""
        inbox = self._inbox
        if inbox is None or inbox.lost or not isinstance(inbox.transport, asyncio.WriteTransport):
            raise LinkDown(f"{self._port}: not open")
        if _device(self._port) != self._device:
            raise LinkDown(f"{self._port}: is another adapter now")
        inbox.transport.write(data)

    async def read(self, deadline: float) -> bytes:
        """Bytes by the deadline. Raises LinkDown."""
        if self._inbox is None:
            raise LinkDown(f"{self._port}: not open")
        return await self._inbox.take(deadline)


def _device(port: str) -> int | None:
    """Number of the device behind a path, None when there is none: a stable path may come to name another one."""
    try:
        return Path(port).stat().st_rdev
    except OSError:
        return None


def drop_bad_bytes(port: serial.Serial | None) -> None:
    """Have the kernel drop bytes whose parity is wrong, which the library hands on as good ones.

    The checksum of DL/T 645 is a sum: two wrong bits in two bytes may cancel each other, and only parity shows them.
    Raises OSError and termios.error.
    """
    if port is None or not port.is_open:
        raise OSError("the port is closed")
    attributes = termios.tcgetattr(port.fd)
    attributes[0] |= termios.INPCK | termios.IGNPAR
    termios.tcsetattr(port.fd, termios.TCSANOW, attributes)

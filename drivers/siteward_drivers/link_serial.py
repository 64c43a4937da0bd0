"""A serial port as a link, by pyserial-asyncio: the one file that imports it."""

import asyncio
import os
from pathlib import Path

import serial
import serial.rs485
import serial_asyncio

from siteward.model.site import Parity
from siteward_drivers.errors import LinkDown
from siteward_drivers.link import Inbox

_PARITY = {Parity.NONE: serial.PARITY_NONE, Parity.EVEN: serial.PARITY_EVEN, Parity.ODD: serial.PARITY_ODD}


class SerialLink:
    """An RS485 adapter, a UART or a pseudo-terminal, locked against other programs while it is open.

    A pseudo-terminal takes no other parity than none (ruling 8).
    """

    def __init__(self, port: str, baud: int, parity: Parity, stop_bits: int, rs485: bool = False) -> None:
        self._port = port
        self._baud = baud
        self._parity = parity
        self._stop_bits = stop_bits
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
                baudrate=self._baud,
                bytesize=serial.EIGHTBITS,
                parity=_PARITY[self._parity],
                stopbits=self._stop_bits,
                exclusive=True,
            )
        except (OSError, ValueError) as error:
            # serial.SerialException is an OSError; refused settings come as ValueError or termios.error.
            raise LinkDown(f"{self._port}: {error}") from error
        # The library hands the transport to the protocol one step of the loop later.
        await asyncio.sleep(0)
        if inbox.lost or transport.serial is None:
            raise LinkDown(f"{self._port}: gone as soon as it was open")
        self._inbox = inbox
        if self._rs485:
            await self._direct(transport.serial)
        self._device = os.fstat(transport.serial.fileno()).st_rdev

    async def _direct(self, port: serial.Serial) -> None:
        """Have the kernel raise RTS while it sends. Raises LinkDown where the port's driver cannot."""
        try:
            port.rs485_mode = serial.rs485.RS485Settings()
        except (OSError, ValueError) as error:
            await self.close()
            why = f"the port's driver cannot switch RS485 direction; take rs485 out of its [[line]] ({error})"
            raise LinkDown(f"{self._port}: {why}") from error

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

"""A serial port as a link, by pyserial-asyncio: the one file that imports it."""

import asyncio

import serial
import serial_asyncio

from siteward.model.site import Parity, SerialSettings
from siteward_drivers.errors import LinkDown
from siteward_drivers.link import Inbox
from siteward_drivers.link_tty import TtyLink

_PARITY: dict[Parity, str] = {
    Parity.NONE: serial.PARITY_NONE,
    Parity.EVEN: serial.PARITY_EVEN,
    Parity.ODD: serial.PARITY_ODD,
}


class SerialLink(TtyLink):
    """A port by the library that the project names as its default (ruling 6)."""

    async def _connect(self, settings: SerialSettings) -> Inbox:
        transport, inbox = await serial_asyncio.create_serial_connection(
            asyncio.get_running_loop(),
            Inbox,
            self.name,
            baudrate=settings.baud,
            bytesize=serial.EIGHTBITS,
            parity=_PARITY[settings.parity],
            stopbits=settings.stop_bits,
            exclusive=True,
        )
        # The library hands the transport to the protocol one step of the loop later.
        await asyncio.sleep(0)
        if inbox.lost or transport.serial is None:
            raise LinkDown(f"{self.name}: gone as soon as it was open")
        made: Inbox = inbox
        return made

    def _file(self) -> int:
        file = self._port().fd
        if not isinstance(file, int):
            raise LinkDown(f"{self.name}: not open")
        return file

    def _apply(self, settings: SerialSettings) -> None:
        parity = _PARITY[settings.parity]
        self._port().apply_settings({"baudrate": settings.baud, "parity": parity, "stopbits": settings.stop_bits})

    def _port(self) -> serial.Serial:
        return self._transport().get_extra_info("serial")

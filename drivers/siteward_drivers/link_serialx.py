"""A serial port as a link, by serialx (optional): the one file that imports it."""

import asyncio

import serialx

from siteward.model.site import Parity, SerialSettings
from siteward_drivers.errors import LinkDown
from siteward_drivers.link import Inbox
from siteward_drivers.link_tty import TtyLink

_PARITY = {
    Parity.NONE: serialx.Parity.NONE,
    Parity.EVEN: serialx.Parity.EVEN,
    Parity.ODD: serialx.Parity.ODD,
}


class SerialxLink(TtyLink):
    """A port by a library that is still maintained, sends at once and asks the driver for low latency.

    The driver's latency timer is what holds back answers behind some USB adapters, by 16 ms each.
    """

    async def _connect(self, settings: SerialSettings) -> Inbox:
        inbox = Inbox()
        try:
            await serialx.create_serial_connection(
                asyncio.get_running_loop(),
                lambda: inbox,
                f"device://{self.name}",
                baudrate=settings.baud,
                parity=_PARITY[settings.parity],
                stopbits=serialx.StopBits(settings.stop_bits),
                exclusive=True,
            )
        except serialx.SerialException as error:
            raise LinkDown(f"{self.name}: {error}") from error
        return inbox

    async def _gone(self, transport: asyncio.WriteTransport) -> None:
        # The library closes the file in a thread: opened anew before that, the port would still be locked.
        if isinstance(transport, serialx.BaseSerialTransport):
            await transport.wait_closed()

    def _file(self) -> int:
        file: int = self._port().fileno()
        return file

    def _apply(self, settings: SerialSettings) -> None:
        parity, stop_bits = _PARITY[settings.parity], serialx.StopBits(settings.stop_bits)
        try:
            self._port().reconfigure_port(baudrate=settings.baud, parity=parity, stopbits=stop_bits)
        except serialx.SerialException as error:
            raise ValueError(str(error)) from error

    def _port(self) -> serialx.BaseSerial:
        transport = self._transport()
        if not isinstance(transport, serialx.BaseSerialTransport):
            raise LinkDown(f"{self.name}: not open")
        return transport.serial

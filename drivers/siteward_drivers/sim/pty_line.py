"""A simulated serial line as a pseudo-terminal: any program opens its path as it would open an adapter."""

import asyncio
import os
import termios
import tty
from pathlib import Path

from siteward.model.serial import Parity, SerialSettings
from siteward.model.site import Line
from siteward_drivers.sim.bank import Bank, settings_with_baud
from siteward_drivers.sim.paced import PacedLine

_READ_BYTES = 4096
_BAUDS = {getattr(termios, f"B{n}"): n for n in (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)}


class PtyLine:
    """One paced pseudo-terminal at `path` (a symbolic link); closing it is pulling the adapter."""

    def __init__(self, line: Line, bank: Bank, path: Path, chunk: int = 8) -> None:
        self.line, self.bank, self.path = line, bank, path
        self._chunk = chunk
        self._ours = self._theirs = -1
        self._far: PacedLine | None = None

    @property
    def is_open(self) -> bool:
        """Whether the adapter is plugged in."""
        return self._ours >= 0

    def open(self) -> None:
        """Make the pseudo-terminal and its link; nothing happens when it is open. Raises OSError."""
        if self.is_open:
            return
        loop = asyncio.get_running_loop()
        # The far side stays open here too, so that a program that closes it does not hang up the wire.
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._ours)
        tty.setraw(self._theirs)
        os.set_blocking(self._ours, False)
        self._far = PacedLine(loop, self.bank, self.line, self._deliver, self._chunk)
        loop.add_reader(self._ours, self._readable)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(self._theirs))

    def close(self) -> None:
        """Take link and pseudo-terminal away; programs that have it open get an error."""
        if not self.is_open:
            return
        asyncio.get_running_loop().remove_reader(self._ours)
        self.path.unlink(missing_ok=True)
        os.close(self._theirs)
        os.close(self._ours)
        self._ours = self._theirs = -1
        self._far = None

    def _readable(self) -> None:
        try:
            data = os.read(self._ours, _READ_BYTES)
        except BlockingIOError:
            return
        if self._far is not None:
            self._follow_settings(self._far)
            self._far.receive(data)

    def _follow_settings(self, far: PacedLine) -> None:
        """Where devices of several speeds hang on the wire, hear the program's; parity cannot be heard."""
        meters = self.bank.meters
        if not meters:
            return
        baud = _BAUDS.get(termios.tcgetattr(self._theirs)[5], 0)
        settings = settings_with_baud(baud, self.line.settings, meters)
        far.tune(settings or SerialSettings(baud or 1, Parity.NONE, 1))

    def _deliver(self, data: bytes) -> None:
        if not self.is_open:
            return
        try:
            os.write(self._ours, data)
        except BlockingIOError:
            # Nobody reads and the buffer is full: on a wire these bytes would be gone too.
            return

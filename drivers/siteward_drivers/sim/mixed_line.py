"""A simulated pair on which devices are set to different speeds, or share a number: what only a scan ever meets."""

import asyncio
import os
import termios
from collections.abc import Callable, Mapping
from pathlib import Path

from siteward_drivers.link import Link
from siteward_drivers.scan_plan import Setting
from siteward_drivers.sim.bank import Bank
from siteward_drivers.sim.chance import stream
from siteward_drivers.sim.devices import SimDevice
from siteward_drivers.sim.memory_line import SimLink
from siteward_drivers.sim.paced import Deliver, PacedLine
from siteward_drivers.sim.pty_line import PtyLine
from siteward_drivers.sim.slave import execute, rtu_frame

_READ_BYTES = 4096
_BAUDS = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)


def _nobody() -> Bank:
    return Bank({}, lambda: None, stream(0, "nobody"))


class TwinBank(Bank):
    """A bank in which second devices bear numbers that are taken (fault 9).

    Both answer at once, or `behind` in turn: the second one speaks when the first has ended.
    """

    def __init__(self, bank: Bank, twins: Mapping[int, SimDevice], behind: bool = False) -> None:
        super().__init__(bank.devices, bank.settle, bank.random, bank.meters)
        self.faults, self.count = bank.faults, bank.count
        self.twins = dict(twins)
        self._behind = behind
        self._clash = b""

    def answer(self, unit: int, pdu: bytes) -> tuple[bytes | None, float]:
        """The first device's answer; the second's is kept for the frame to collide with."""
        twin = self.twins.get(unit)
        self._clash = rtu_frame(unit, execute(twin, pdu)) if twin is not None else b""
        return super().answer(unit, pdu)

    def spoil(self, frame: bytes) -> bytes:
        """Two drivers on one pair: a zero of either pulls the line down."""
        frame = super().spoil(frame)
        if not self._clash:
            return frame
        if self._behind:
            return frame + self._clash
        longer, shorter = sorted((frame, self._clash), key=len, reverse=True)
        return bytes(a & b for a, b in zip(longer, shorter, strict=False)) + longer[len(shorter) :]


class MixedFar:
    """The far end of a mixed pair. `tuned` says how the master's port is set now."""

    def __init__(self, banks: Mapping[Setting, Bank], deliver: Deliver, tuned: Callable[[], Setting]) -> None:
        loop = asyncio.get_running_loop()
        self._tuned = tuned
        self._parts = {s: PacedLine(loop, bank, s.line("mixed"), deliver) for s, bank in banks.items()}

    def receive(self, data: bytes) -> None:
        """The master wrote bytes; devices of another setting hear none of them."""
        part = self._parts.get(self._tuned())
        if part is not None:
            part.receive(data)


class MixedPty(PtyLine):
    """A pseudo-terminal with devices of several speeds, all without parity: it knows none."""

    def __init__(self, banks: Mapping[Setting, Bank], path: Path) -> None:
        super().__init__(Setting().line(str(path)), _nobody(), path)
        self._banks = banks
        self._mixed: MixedFar | None = None

    def open(self) -> None:
        """Make the pseudo-terminal and its link. Raises OSError."""
        super().open()
        self._mixed = MixedFar(self._banks, self._deliver, self._setting)

    def _setting(self) -> Setting:
        code = termios.tcgetattr(self._ours)[5]
        return Setting(next((baud for baud in _BAUDS if getattr(termios, f"B{baud}") == code), 0))

    def _readable(self) -> None:
        try:
            data = os.read(self._ours, _READ_BYTES)
        except BlockingIOError:
            return
        if self._mixed is not None:
            self._mixed.receive(data)


def mixed_links(banks: Mapping[Setting, Bank]) -> Callable[[Setting], Link]:
    """The same inside the process, with parity: a link for each setting that a port is opened with."""
    return lambda setting: SimLink(setting.line("mixed"), banks.get(setting) or _nobody())

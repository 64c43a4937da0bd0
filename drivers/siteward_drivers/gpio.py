"""The computer's own inputs and outputs: which backend serves which chip, and what both have in common."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from siteward.model.errors import DeviceUnreachable, Withdrawn
from siteward.model.points import GPIO_PREFIX, Drive, InputReading, PointName, PointPlan, local_of
from siteward.model.ports import Clock, DriveGate
from siteward_drivers.gpio_chip import ChipPins
from siteward_drivers.point_edges import Edges

PI = "pi"
"""The chip's name that means the header of a Raspberry Pi, counted as on its own drawings (BCM)."""


class Pins(Protocol):
    """A backend: lines by number; `on_edge` hears changes on the loop's thread. Raises DeviceUnreachable."""

    def claim(self, inputs: Iterable[int], outputs: Iterable[int]) -> None:
        """Own these lines, every output off from the first instant on; what was owned before is let go."""
        ...

    def get(self, line: int) -> bool:
        """Whether the contact of an input is closed."""
        ...

    def set(self, line: int, on: bool) -> None:
        """Switch an output."""
        ...

    def release(self) -> None:
        """Let all lines go, outputs off."""
        ...


class GpioDevice:
    """The lines of one chip; implements model.ports.PointDevice."""

    def __init__(self, name: str, pins: Pins, clock: Clock, gate: DriveGate) -> None:
        self._name = name
        self._pins = pins
        self._clock = clock
        self._gate = gate
        self._edges = Edges()
        self._inputs: dict[PointName, int] = {}
        self._ready = False
        self._off: dict[PointName, asyncio.TimerHandle] = {}

    @property
    def id(self) -> str:
        """`gpio:chip`."""
        return self._name

    async def prepare(self, plan: PointPlan) -> None:
        """Claim the lines; outputs are off as they are claimed (fault 79). Raises DeviceUnreachable."""
        await self.close()
        inputs = {point: int(local_of(point)) for point in plan.inputs}
        self._pins.claim(inputs.values(), [int(local_of(point)) for point in plan.outputs])
        self._inputs, self._ready = inputs, True

    async def read(self, urgent: bool, wanted: Collection[PointName] = ()) -> Mapping[PointName, InputReading]:
        """Read the planned inputs. Raises DeviceUnreachable."""
        self._must_be_ready()
        at = self._clock.now()
        return {point: self._edges.reading(point, self._pins.get(line), at, at) for point, line in self._inputs.items()}

    def edge(self, line: int, on: bool) -> None:
        """Take a change from the backend, on the loop's thread: it counts even when no poll ever sees it."""
        point = next((p for p, n in self._inputs.items() if n == line), None)
        if point is not None:
            self._edges.note(point, on, self._clock.now())

    async def drive(self, drive: Drive) -> None:
        """Switch an output; a pulse is ended by the loop. Raises DeviceUnreachable, Withdrawn."""
        self._must_be_ready()
        at = self._clock.now()
        late = drive.deadline is not None and at > drive.deadline
        if drive.risky and (late or not self._gate.may_drive(drive, at)):
            raise Withdrawn("the reason to move is gone")
        line = int(local_of(drive.point))
        running = self._off.pop(drive.point, None)
        if running is not None:
            running.cancel()
        self._pins.set(line, drive.on)
        if drive.on and drive.pulse_s is not None:
            loop = asyncio.get_running_loop()
            self._off[drive.point] = loop.call_later(drive.pulse_s, self._end_pulse, drive.point, line)

    def _end_pulse(self, point: PointName, line: int) -> None:
        self._off.pop(point, None)
        try:
            self._pins.set(line, False)
        except DeviceUnreachable:
            # A line that cannot be switched off is claimed anew, which switches it off first.
            self._ready = False

    async def close(self) -> None:
        """Let the lines go, outputs off."""
        for handle in self._off.values():
            handle.cancel()
        self._off.clear()
        self._ready = False
        self._pins.release()

    def _must_be_ready(self) -> None:
        if not self._ready:
            raise DeviceUnreachable(f"{self._name} is not prepared")


def gpio_device(name: str, clock: Clock, gate: DriveGate) -> GpioDevice:
    """The device of `gpio:chip`, nothing claimed yet."""
    chip = name.removeprefix(GPIO_PREFIX)

    def edge(line: int, on: bool) -> None:
        device.edge(line, on)

    pins: Pins
    if chip == PI:
        # The library is heavy, and most stations have no such header.
        from siteward_drivers.gpio_pi import PiPins

        pins = PiPins(edge)
    else:
        pins = ChipPins(chip, edge)
    device = GpioDevice(name, pins, clock, gate)
    return device

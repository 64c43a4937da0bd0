"""The header of a Raspberry Pi through gpiozero: the one file that imports it."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial

from gpiozero import DigitalInputDevice, DigitalOutputDevice, GPIOZeroError

from siteward.model.errors import DeviceUnreachable


class PiPins:
    """Lines by BCM number. A contact closes to ground against the pin's own pull-up: a cut cable is an open contact."""

    def __init__(self, on_edge: Callable[[int, bool], None]) -> None:
        self._on_edge = on_edge
        self._inputs: dict[int, DigitalInputDevice] = {}
        self._outputs: dict[int, DigitalOutputDevice] = {}

    def claim(self, inputs: Iterable[int], outputs: Iterable[int]) -> None:
        """Outputs first, off from the first instant. Raises DeviceUnreachable."""
        loop = asyncio.get_running_loop()
        try:
            for line in outputs:
                self._outputs[line] = DigitalOutputDevice(line, initial_value=False)
            for line in inputs:
                device = DigitalInputDevice(line, pull_up=True)
                self._inputs[line] = device
                # Changes are told on a thread of the library; the loop takes them over.
                device.when_activated = partial(loop.call_soon_threadsafe, self._on_edge, line, True)
                device.when_deactivated = partial(loop.call_soon_threadsafe, self._on_edge, line, False)
        except (GPIOZeroError, OSError) as error:
            self.release()
            raise DeviceUnreachable(f"gpio:pi: {error}") from error

    def get(self, line: int) -> bool:
        """Whether the contact is closed. Raises DeviceUnreachable."""
        try:
            return bool(self._inputs[line].is_active)
        except (GPIOZeroError, OSError) as error:
            raise DeviceUnreachable(f"gpio:pi/{line}: {error}") from error

    def set(self, line: int, on: bool) -> None:
        """Switch an output. Raises DeviceUnreachable."""
        try:
            self._outputs[line].value = on
        except (GPIOZeroError, OSError) as error:
            raise DeviceUnreachable(f"gpio:pi/{line}: {error}") from error

    def release(self) -> None:
        """Switch the outputs off and let all lines go."""
        for output in self._outputs.values():
            with suppress(GPIOZeroError, OSError):
                output.off()
        for device in (*self._inputs.values(), *self._outputs.values()):
            with suppress(GPIOZeroError, OSError):
                device.close()
        self._inputs.clear()
        self._outputs.clear()

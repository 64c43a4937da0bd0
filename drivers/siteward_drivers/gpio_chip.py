"""Lines of a Linux GPIO chip through gpiod 2, for industrial PCs: the one file that imports it, when one is used."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from siteward.model.errors import DeviceUnreachable

_CONSUMER = "siteward"


class ChipPins:
    """Lines of `/dev/<chip>` by offset; an input is on while its line is high."""

    def __init__(self, chip: str, on_edge: Callable[[int, bool], None]) -> None:
        self._chip = chip
        self._on_edge = on_edge
        self._request: Any = None
        self._outputs: tuple[int, ...] = ()

    def claim(self, inputs: Iterable[int], outputs: Iterable[int]) -> None:
        """One request for all lines, outputs off as it is granted. Raises DeviceUnreachable."""
        try:
            import gpiod
            from gpiod.line import Direction, Edge, Value
        except ImportError as error:
            raise DeviceUnreachable(f"gpio:{self._chip}: the Python package gpiod 2 is not installed") from error
        self._value, self._rising = Value, gpiod.EdgeEvent.Type.RISING_EDGE
        self._outputs = tuple(outputs)
        config: dict[int, Any] = {
            line: gpiod.LineSettings(direction=Direction.OUTPUT, output_value=Value.INACTIVE) for line in self._outputs
        }
        config |= {line: gpiod.LineSettings(direction=Direction.INPUT, edge_detection=Edge.BOTH) for line in inputs}
        try:
            self._request = gpiod.request_lines(f"/dev/{self._chip}", consumer=_CONSUMER, config=config)
        except (OSError, ValueError) as error:
            raise DeviceUnreachable(f"gpio:{self._chip}: {error}") from error
        asyncio.get_running_loop().add_reader(self._request.fd, self._take_edges)

    def _take_edges(self) -> None:
        try:
            events = self._request.read_edge_events()
        except OSError:
            # The chip is gone: reading says so to whoever asks next.
            asyncio.get_running_loop().remove_reader(self._request.fd)
            return
        for event in events:
            self._on_edge(event.line_offset, event.event_type is self._rising)

    def get(self, line: int) -> bool:
        """Whether the line is high. Raises DeviceUnreachable."""
        try:
            return bool(self._request.get_value(line) is self._value.ACTIVE)
        except OSError as error:
            raise DeviceUnreachable(f"gpio:{self._chip}/{line}: {error}") from error

    def set(self, line: int, on: bool) -> None:
        """Switch an output. Raises DeviceUnreachable."""
        try:
            self._request.set_value(line, self._value.ACTIVE if on else self._value.INACTIVE)
        except OSError as error:
            raise DeviceUnreachable(f"gpio:{self._chip}/{line}: {error}") from error

    def release(self) -> None:
        """Switch the outputs off and let the chip go."""
        request, self._request = self._request, None
        if request is None:
            return
        asyncio.get_running_loop().remove_reader(request.fd)
        for line in self._outputs:
            with suppress(OSError):
                request.set_value(line, self._value.INACTIVE)
        request.release()

"""The live view as JSON, once per turn, and as a stream of lines that a slow reader can never hold up."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

from siteward.api.backend import Station
from siteward.api.waits import unless
from siteward.client.messages import LiveMessage
from siteward.model.live import LiveView

STREAM_PERIOD_S = 0.5
"""At most 2 lines a second."""

SILENCE_S = 4.0
"""With no new turn for so long the last view is sent again with its present age: the line is never silent."""


class LiveText:
    """Encodes each view once, however many ask for it."""

    def __init__(self) -> None:
        self._view: LiveView | None = None
        self._text = b""

    def of(self, view: LiveView) -> bytes:
        """JSON text of the view."""
        if view is not self._view:
            self._text = LiveMessage.model_validate(view).to_json().encode()
            self._view = view
        return self._text


async def stream(station: Station, texts: LiveText, stop: asyncio.Event) -> AsyncIterator[bytes]:
    """JSON lines, latest wins, until stop is set or the reader goes; the reader's pace is the only queue."""
    turn = -1
    while not stop.is_set():
        view = await unless(stop, station.next_live(turn, SILENCE_S))
        if view is None:
            view = _standing(station)
        if view is None or stop.is_set():
            continue
        turn = view.health.turn
        yield texts.of(view) + b"\n"
        await unless(stop, asyncio.sleep(STREAM_PERIOD_S))


def _standing(station: Station) -> LiveView | None:
    """The last view with core's present figures."""
    view = station.live()
    return None if view is None else replace(view, health=station.health())

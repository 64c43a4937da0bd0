"""Tells core whether the platform can be reached (B17), and which outputs of alarms fail (S-89)."""

from collections.abc import Callable

from siteward.client.client import Client
from siteward.client.errors import CoreDown, Refused
from siteward.client.messages import UplinkMessage
from siteward.model.ports import Clock

AGAIN_S = 20.0
"""Core believes a word for three times as long."""

_LOOK_S = 0.5


class Reach:
    """Says it at each change, and again and again; a core that is gone hears it when it is back."""

    def __init__(
        self, client: Client, connected: Callable[[], bool], failing: Callable[[], tuple[str, ...]], clock: Clock
    ) -> None:
        self._client = client
        self._connected = connected
        self._failing = failing
        self._clock = clock
        self._told: UplinkMessage | None = None
        self._told_at = 0.0

    async def run(self) -> None:
        """Never ends by itself."""
        while True:
            word, now = UplinkMessage(connected=self._connected(), failing=self._failing()), self._clock.now()
            if word != self._told or now - self._told_at >= AGAIN_S:
                await self._tell(word, now)
            await self._clock.sleep(_LOOK_S)

    async def _tell(self, word: UplinkMessage, now: float) -> None:
        try:
            await self._client.uplink(word)
        except (CoreDown, Refused):
            # Asked again at the next look: a core that starts must not take silence for an outage for long.
            self._told = None
            return
        self._told, self._told_at = word, now

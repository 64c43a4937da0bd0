"""Tells core whether the platform can be reached: cards are judged otherwise while it cannot (B17)."""

from siteward.client.client import Client
from siteward.client.errors import CoreDown, Refused
from siteward.client.messages import UplinkMessage
from siteward.model.ports import Clock
from siteward_sync.link import Link

AGAIN_S = 20.0
"""Core believes a word for three times as long."""

_LOOK_S = 0.5


class Reach:
    """Says it at each change, and again and again; a core that is gone hears it when it is back."""

    def __init__(self, client: Client, link: Link, clock: Clock) -> None:
        self._client = client
        self._link = link
        self._clock = clock
        self._told: bool | None = None
        self._told_at = 0.0

    async def run(self) -> None:
        """Never ends by itself."""
        while True:
            online, now = self._link.up, self._clock.now()
            if online is not self._told or now - self._told_at >= AGAIN_S:
                await self._tell(online, now)
            await self._clock.sleep(_LOOK_S)

    async def _tell(self, online: bool, now: float) -> None:
        try:
            await self._client.uplink(UplinkMessage(connected=online))
        except (CoreDown, Refused):
            # Asked again at the next look: a core that starts must not take silence for an outage for long.
            self._told = None
            return
        self._told, self._told_at = online, now

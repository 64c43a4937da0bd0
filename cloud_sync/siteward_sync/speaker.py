"""Puts payloads into envelopes and sends them, once or until the broker has them."""

import secrets

from siteward.model.ids import ulid
from siteward.model.ports import Clock
from siteward_sync.codec import seal
from siteward_sync.errors import LinkDown
from siteward_sync.link import Link
from siteward_sync.topics import topic


def envelope(station: str, payload: bytes, clock: Clock) -> bytes:
    """Bytes of a message made now."""
    wall = clock.wall()
    return seal(station, ulid(int(wall.timestamp() * 1000), secrets.token_bytes(10)), wall, payload)


class Speaker:
    """The voice of one station (or, on the other side, of the platform towards stations)."""

    def __init__(self, link: Link, clock: Clock) -> None:
        self._link = link
        self._clock = clock

    async def say(
        self,
        station: str,
        leaf: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        expiry_s: int | None = None,
    ) -> None:
        """Send once. Raises LinkDown, PublishRefused."""
        data = envelope(station, payload, self._clock)
        await self._link.publish(topic(station, leaf), data, qos=qos, retain=retain, expiry_s=expiry_s)

    async def tell(self, station: str, leaf: str, payload: bytes) -> None:
        """Send until a broker has it, over as many connections as it takes. Raises PublishRefused."""
        while True:
            await self._link.until_up()
            try:
                await self.say(station, leaf, payload)
            except LinkDown:
                continue
            return

"""`up/status` and `up/site`: birth, "core is gone", farewell; both retained, sent again at every connection."""

from siteward.client.client import Client
from siteward.client.errors import CoreDown, Refused
from siteward.client.messages import LiveMessage
from siteward.model.ports import Clock
from siteward_sync.audit import Auditor
from siteward_sync.errors import LinkDown, PublishRefused
from siteward_sync.inventory import inventory
from siteward_sync.link import Link
from siteward_sync.live import GONE_S, LiveFeed
from siteward_sync.protocol.v1 import Status
from siteward_sync.speaker import Speaker
from siteward_sync.topics import SITE, STATUS

_LOOK_S = 0.2

LAST_WILL = Status(online=False)
"""What the broker says when we are gone."""


class Presence:
    """Keeps the retained picture of the station true."""

    def __init__(
        self, feed: LiveFeed, link: Link, speaker: Speaker, client: Client, auditor: Auditor, clock: Clock, station: str
    ) -> None:
        self._feed = feed
        self._link = link
        self._speaker = speaker
        self._client = client
        self._auditor = auditor
        self._clock = clock
        self._station = station
        self._since = clock.wall()
        self._told: tuple[object, ...] = ()

    async def run(self) -> None:
        """Never ends by itself."""
        while True:
            await self._link.until_up()
            try:
                await self._look()
            except (LinkDown, CoreDown, Refused):
                await self._clock.sleep(_LOOK_S)
            except PublishRefused as no:
                await self._auditor.refused(topic=no.topic, reason=no.reason)
                await self._clock.sleep(GONE_S)
            await self._clock.sleep(_LOOK_S)

    async def _look(self) -> None:
        """Tell what is not told yet on this connection."""
        view = self._feed.fresh()
        if view is not None:
            now: tuple[object, ...] = (self._link.epoch, view.health.journal, view.site_hash, view.software)
            if now != self._told:
                await self._birth(view)
                self._told = now
        elif self._feed.still_s() >= GONE_S and self._told != (self._link.epoch, "core"):
            await self._status(Status(online=False, since=self._clock.wall(), reason="core"))
            self._told = (self._link.epoch, "core")

    async def _birth(self, view: LiveMessage) -> None:
        if self._told[1:] == ("core",):
            self._since = self._clock.wall()
        site = inventory(await self._client.site(), view.software)
        await self._status(
            Status(
                online=True,
                since=self._since,
                software=view.software,
                journal_id=view.health.journal,
                last_seq=view.health.last_seq,
                site_hash=view.site_hash,
            )
        )
        await self._speaker.say(self._station, SITE, site.to_json(), retain=True)

    async def farewell(self) -> None:
        """Say that the station was taken down on purpose. Raises LinkDown, PublishRefused."""
        await self._status(Status(online=False, since=self._clock.wall(), reason="stopped"))

    async def _status(self, status: Status) -> None:
        await self._speaker.say(self._station, STATUS, status.to_json(), retain=True)

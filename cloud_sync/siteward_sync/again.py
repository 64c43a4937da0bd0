"""`up/events` once more: kept events that a platform has acknowledged and lost, asked for with REPORT_NOW (fromSeq)."""

import asyncio

from siteward.client.client import Client
from siteward.client.errors import CoreDown, Refused
from siteward.model.ports import Clock
from siteward_sync.audit import Auditor
from siteward_sync.codec import DOWN_LIMIT
from siteward_sync.errors import LinkDown, PublishRefused
from siteward_sync.link import Link
from siteward_sync.pace import Pace
from siteward_sync.speaker import Speaker
from siteward_sync.topics import EVENTS
from siteward_sync.window import BATCH_EVENTS, ENVELOPE, batches

_RETRY_S = 0.5


class Again:
    """Beside the uplink and one batch at a time: what is new never waits for what is old.

    Keeps no position over a restart; who still misses something asks again.
    """

    def __init__(
        self, client: Client, link: Link, speaker: Speaker, auditor: Auditor, clock: Clock, station: str, share: float
    ) -> None:
        self._client = client
        self._link = link
        self._speaker = speaker
        self._auditor = auditor
        self._clock = clock
        self._station = station
        self._share = share
        self._next: int | None = None
        self._asked = asyncio.Event()

    def ask(self, from_seq: int) -> None:
        """Send the events from a seq on, up to what is acknowledged; what is beyond comes by itself."""
        begin = max(1, from_seq)
        self._next = begin if self._next is None else min(begin, self._next)
        self._asked.set()

    async def run(self) -> None:
        """Never ends by itself."""
        while True:
            await self._asked.wait()
            await self._link.until_up()
            try:
                await self._send()
            except LinkDown:
                continue
            except PublishRefused as no:
                await self._auditor.refused(topic=no.topic, reason=no.reason)
                self._done()
            except (CoreDown, Refused):
                await self._clock.sleep(_RETRY_S)

    def _done(self) -> None:
        self._next = None
        self._asked.clear()

    async def _send(self) -> None:
        """Send until nothing of what was asked for is left, or the journal is another one."""
        health = await self._client.health()
        pace = Pace(min(DOWN_LIMIT, self._link.max_packet) - ENVELOPE, self._share)
        while (first := self._next) is not None and first <= health.acked_seq:
            page = await self._client.events(first - 1, min(BATCH_EVENTS, health.acked_seq - first + 1))
            if page.journal_id != health.journal or not page.events:
                break
            last, events = next(batches(page.events, pace.batch_bytes))
            head = f'{{"journalId":"{page.journal_id}","ackedSeq":{page.acked_seq},"events":'
            began = self._clock.now()
            await self._speaker.say(self._station, EVENTS, head.encode() + events + b"}")
            # Who asked meanwhile for what lies before it gets that as well.
            self._next = last + 1 if self._next == first else self._next
            await self._clock.sleep(pace.confirmed(self._clock.now() - began))
        self._done()

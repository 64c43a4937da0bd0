"""`up/events`: the journal from the last acknowledged event on, in order, until the platform says that it has it."""

import asyncio

from siteward.client.client import Client
from siteward.client.errors import CoreDown, Refused
from siteward.client.messages import AckMessage, EventsMessage
from siteward.model.ports import Clock
from siteward_sync.audit import Auditor
from siteward_sync.codec import DOWN_LIMIT
from siteward_sync.errors import LinkDown, PublishRefused
from siteward_sync.link import Link
from siteward_sync.pace import Pace
from siteward_sync.protocol.v1 import Ack
from siteward_sync.speaker import Speaker
from siteward_sync.topics import EVENTS
from siteward_sync.window import BATCH_EVENTS, ENVELOPE, Window, batches

_POLL_S = 20.0
_CORE_RETRY_S = 0.5


class Uplink:
    """Keeps no position of its own that it could lose: core keeps the acknowledged seq."""

    def __init__(
        self,
        client: Client,
        link: Link,
        speaker: Speaker,
        auditor: Auditor,
        clock: Clock,
        station: str,
        *,
        resend_s: float = 30.0,
        share: float = 1.0,
    ) -> None:
        self._client = client
        self._link = link
        self._speaker = speaker
        self._auditor = auditor
        self._clock = clock
        self._station = station
        self._resend_s = resend_s
        self._share = share
        self._window: Window | None = None
        self._moved = asyncio.Event()

    async def run(self) -> None:
        """Never ends by itself; each connection and each journal starts behind the last acknowledged event."""
        while True:
            await self._link.until_up()
            try:
                await self._one_connection()
            except LinkDown:
                continue
            except (CoreDown, Refused):
                await self._clock.sleep(_CORE_RETRY_S)

    async def acknowledged(self, ack: Ack) -> None:
        """Take the platform's word to core; the window opens once core has it on disk. Raises CoreDown.

        An ack of another journal is the echo of an earlier life of this station: dropped. Core refuses one beyond
        its last event.
        """
        window = self._window
        if window is not None and ack.journal_id != window.journal:
            return
        try:
            await self._client.ack(AckMessage(journal_id=ack.journal_id, seq=ack.seq))
        except Refused as no:
            await self._auditor.refused(code=no.code, ack={"journalId": ack.journal_id, "seq": ack.seq})
            return
        if window is not None:
            window.acknowledged(ack.seq, self._clock.now())
            self._moved.set()

    async def _one_connection(self) -> None:
        """Send until the connection, core or the journal changes. Raises LinkDown, CoreDown, Refused."""
        health = await self._client.health()
        window = self._window = Window(health.journal, health.acked_seq, self._clock.now())
        largest = min(DOWN_LIMIT, self._link.max_packet) - ENVELOPE
        pace = Pace(largest, self._share)
        flights: set[asyncio.Task[None]] = set()
        try:
            while True:
                flights = await self._landed(flights)
                if window.left_s(self._resend_s, self._clock.now()) <= 0:
                    window.rewind(self._clock.now())
                if len(flights) >= pace.flight or window.room == 0:
                    await self._wait(flights, window)
                    continue
                page = await self._page(window, flights)
                if page is None or page.journal_id != window.journal:
                    return
                window.acknowledged(page.acked_seq, self._clock.now())
                for last, events in batches(page.events, pace.batch_bytes):
                    flights.add(asyncio.create_task(self._fly(window, pace, events)))
                    window.pushed(last, self._clock.now())
                    if len(flights) >= pace.flight:
                        break
        finally:
            for flight in flights:
                flight.cancel()
            await asyncio.gather(*flights, return_exceptions=True)

    async def _page(self, window: Window, flights: set[asyncio.Task[None]]) -> EventsMessage | None:
        """Next events, waiting for the first; None when the connection ended meanwhile."""
        wait_s = min(_POLL_S, max(0.0, window.left_s(self._resend_s, self._clock.now())))
        limit = min(BATCH_EVENTS, window.room)
        poll = asyncio.ensure_future(self._client.events(window.sent, limit, wait_s))
        down = asyncio.ensure_future(self._link.until_down())
        try:
            await asyncio.wait({poll, down}, return_when=asyncio.FIRST_COMPLETED)
            return poll.result() if poll.done() else None
        finally:
            for task in (poll, down):
                task.cancel()
            await asyncio.gather(poll, down, return_exceptions=True)

    async def _fly(self, window: Window, pace: Pace, events: bytes) -> None:
        """Publish one batch and rest as the pace says."""
        payload = f'{{"journalId":"{window.journal}","ackedSeq":{window.acked},"events":'.encode() + events + b"}"
        began = self._clock.now()
        await self._speaker.say(self._station, EVENTS, payload)
        await self._clock.sleep(pace.confirmed(self._clock.now() - began))

    async def _landed(self, flights: set[asyncio.Task[None]]) -> set[asyncio.Task[None]]:
        """Flights that are still on the way; a refused one is noted and comes again with the next rewind."""
        for flight in (flight for flight in flights if flight.done()):
            try:
                flight.result()
            except PublishRefused as no:
                await self._auditor.refused(topic=no.topic, reason=no.reason)
        return {flight for flight in flights if not flight.done()}

    async def _wait(self, flights: set[asyncio.Task[None]], window: Window) -> None:
        """Wait for a confirmation, an acknowledgement, the end of the connection, or the time to send again."""
        self._moved.clear()
        moved = asyncio.ensure_future(self._moved.wait())
        down = asyncio.ensure_future(self._link.until_down())
        timeout = max(0.0, window.left_s(self._resend_s, self._clock.now()))
        try:
            await asyncio.wait({moved, down, *flights}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if down.done():
                raise LinkDown("the connection ended")
        finally:
            for task in (moved, down):
                task.cancel()
            await asyncio.gather(moved, down, return_exceptions=True)

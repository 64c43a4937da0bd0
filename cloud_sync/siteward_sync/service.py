"""The uplink process: one link, one client of core, and the tasks that live between them."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from siteward.client.client import Client
from siteward.model.ports import Clock
from siteward_sync.again import Again
from siteward_sync.audit import Auditor
from siteward_sync.downlink import Downlink, Mailbox
from siteward_sync.errors import LinkDown, PublishRefused
from siteward_sync.heartbeat import Heartbeats
from siteward_sync.link import Link
from siteward_sync.link_options import LinkOptions, TlsFiles, Will
from siteward_sync.live import LiveFeed
from siteward_sync.outputs.options import OutputOptions
from siteward_sync.outputs.service import Outputs
from siteward_sync.reach import Reach
from siteward_sync.replies import Order, Replies
from siteward_sync.speaker import Speaker, envelope
from siteward_sync.status import LAST_WILL, Presence
from siteward_sync.topics import ACKS, COMMANDS, STATUS, topic
from siteward_sync.uplink import Uplink

_FAREWELL_S = 1.0


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """Everything that the uplink of one station needs; core is the path of core's socket for sync.

    tls None = plain TCP, to this machine only unless insecure. backfill_share 0..1 is the part of the time that old
    events may use. The last three are for tests and for lines with long delays. outputs are those of alarms.
    """

    station: str
    core: Path
    host: str
    port: int
    tls: TlsFiles | None = None
    insecure: bool = False
    heartbeat_s: float = 10.0
    backfill_share: float = 1.0
    resend_s: float = 30.0
    retry_first_s: float = 2.0
    will_delay_s: int = 5
    outputs: tuple[OutputOptions, ...] = ()

    def link(self, will: bytes) -> LinkOptions:
        """Options of the connection: client id = station id, so that a second uplink of the same station is seen."""
        return LinkOptions(
            client_id=self.station,
            host=self.host,
            port=self.port,
            subscriptions=(topic(self.station, COMMANDS), topic(self.station, ACKS)),
            will=Will(topic(self.station, STATUS), will),
            will_delay_s=self.will_delay_s,
            tls=self.tls,
            insecure=self.insecure,
            retry_first_s=self.retry_first_s,
        )


async def run_sync(options: SyncOptions, clock: Clock, stop: asyncio.Event) -> None:
    """Run until stop is set, then say farewell (at most a second). Raises UnsafeLink before anything is sent."""
    mailbox = Mailbox()
    will = envelope(options.station, LAST_WILL.to_json(), clock)
    link = Link(options.link(will), mailbox.take)
    async with Client(options.core) as client, asyncio.TaskGroup() as tasks:
        hang_up = asyncio.Event()
        linked = tasks.create_task(link.run(hang_up))
        presence, working = _start(tasks, options, clock, link, mailbox, client)
        halted = tasks.create_task(stop.wait())
        await asyncio.wait({halted, linked}, return_when=asyncio.FIRST_COMPLETED)
        for task in working:
            task.cancel()
        halted.cancel()
        try:
            async with asyncio.timeout(_FAREWELL_S):
                await presence.farewell()
        except (LinkDown, PublishRefused, TimeoutError):
            pass  # the last will says it for us
        hang_up.set()


async def run_outputs(core: Path, options: tuple[OutputOptions, ...], clock: Clock, stop: asyncio.Event) -> None:
    """Deliver alarms of a station that works without a platform, until stop is set."""
    async with Client(core) as client, asyncio.TaskGroup() as tasks:
        outputs = Outputs(client, clock, options)
        reach = Reach(client, lambda: False, lambda: outputs.failing, clock)
        working = [tasks.create_task(run) for run in (outputs.run(), reach.run())]
        await stop.wait()
        for task in working:
            task.cancel()


def _start(
    tasks: asyncio.TaskGroup, options: SyncOptions, clock: Clock, link: Link, mailbox: Mailbox, client: Client
) -> tuple[Presence, list["asyncio.Task[None]"]]:
    """Wire the parts and start them."""
    station = options.station
    speaker, auditor, feed, order = Speaker(link, clock), Auditor(client, clock), LiveFeed(client, clock), Order()
    presence = Presence(feed, link, speaker, client, auditor, clock, station)
    uplink = Uplink(
        client, link, speaker, auditor, clock, station, resend_s=options.resend_s, share=options.backfill_share
    )
    again = Again(client, link, speaker, auditor, clock, station, options.backfill_share)
    downlink = Downlink(mailbox, client, link, speaker, auditor, uplink, order, clock, station)
    outputs = Outputs(client, clock, options.outputs)
    runs = (
        feed.run(),
        presence.run(),
        Heartbeats(feed, link, speaker, clock, station, options.heartbeat_s).run(),
        uplink.run(),
        Replies(client, speaker, auditor, order, clock, station, again.ask).run(),
        again.run(),
        downlink.run_commands(),
        downlink.run_acks(),
        outputs.run(),
        Reach(client, lambda: link.up, lambda: outputs.failing, clock).run(),
    )
    return presence, [tasks.create_task(run) for run in runs]

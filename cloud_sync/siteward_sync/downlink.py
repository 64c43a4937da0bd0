"""`down/commands` and `down/acks`: handed to core as they came, answered, and only then the broker may forget them."""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime

from siteward.client.client import Client
from siteward.client.errors import CoreDown, CoreFailed, Refused
from siteward.client.jws import BadToken, take_apart
from siteward.client.messages import ReplyMessage
from siteward.model.ids import is_id
from siteward.model.ports import Clock
from siteward.model.refusals import Refusal
from siteward.model.requests import Stage
from siteward_sync.audit import Auditor
from siteward_sync.codec import Opened, open_envelope, read_payload, read_text
from siteward_sync.errors import BadMessage, PublishRefused
from siteward_sync.link import Link, Received
from siteward_sync.protocol.v1 import Ack, Command, Reply, SignedCommand
from siteward_sync.replies import Order, from_core, spoken
from siteward_sync.speaker import Speaker
from siteward_sync.topics import ACKS, COMMANDS, REPLIES, split
from siteward_sync.uplink import Uplink

HELD = 100
"""Most commands that wait for core; the broker keeps the rest (flows.md)."""

TRIES = 3
"""How often a command is handed to a core that has a fault of its own with it."""

_LOOK_S = 0.5


class Mailbox:
    """Takes messages from the link, commands and acks apart: an ack must not wait behind a held command."""

    def __init__(self) -> None:
        self.commands: asyncio.Queue[Received] = asyncio.Queue()
        self.acks: asyncio.Queue[Received] = asyncio.Queue()

    def take(self, message: Received) -> None:
        """Put in; what comes without QoS 1 in a flood is dropped, the rest is bounded by what the broker may send."""
        box = self.acks if (split(message.topic) or ("", ""))[1] == ACKS else self.commands
        if message.qos > 0 or box.qsize() < HELD:
            box.put_nowait(message)


@dataclass(slots=True)
class Held:
    """A good command on its way to core. tried: core may have it already, although it never said so.

    key tells it from others: a signed one by all of its bytes, for anybody may claim the id of another.
    """

    key: str
    source: Received
    message_id: str
    command_id: str
    raw: bytes
    expires_at: datetime | None
    tried: bool = False
    failures: int = 0


class Downlink:
    """One reader of each box."""

    def __init__(
        self,
        mailbox: Mailbox,
        client: Client,
        link: Link,
        speaker: Speaker,
        auditor: Auditor,
        uplink: Uplink,
        order: Order,
        clock: Clock,
        station: str,
    ) -> None:
        self._mailbox = mailbox
        self._client = client
        self._link = link
        self._speaker = speaker
        self._auditor = auditor
        self._uplink = uplink
        self._order = order
        self._clock = clock
        self._station = station
        self.held: dict[str, Held] = {}
        """Commands that wait for core, in order of arrival."""

    async def run_acks(self) -> None:
        """Take acks to core, for ever. With core gone an ack is dropped: it comes again with the next batch."""
        while True:
            message = await self._mailbox.acks.get()
            try:
                opened = self._open(message)
                await self._uplink.acknowledged(read_payload(opened, Ack))
            except BadMessage as bad:
                await self._refuse(message, bad)
            except CoreDown:
                self._link.ack(message)
            else:
                self._link.ack(message)

    async def run_commands(self) -> None:
        """Take commands to core, for ever."""
        while True:
            if len(self.held) < HELD:
                await self._next_command()
            else:
                await self._clock.sleep(_LOOK_S)
            await self._expire()
            await self._hand_in()

    async def _next_command(self) -> None:
        """Wait for a command; with some held, only for a moment."""
        try:
            async with asyncio.timeout(_LOOK_S if self.held else None):
                message = await self._mailbox.commands.get()
        except TimeoutError:
            return
        try:
            held = self._command(message)
        except BadMessage as bad:
            await self._refuse(message, bad)
            return
        known = self.held.get(held.key)
        if known is not None and known.raw == held.raw:
            known.source = message  # the broker sent it again over a new connection: only this one can be acked
        elif known is None:
            self.held[held.key] = held
            self._order.begin(held.command_id)
        else:
            why = "this commandId is on its way already with another content"
            await self._refuse(message, BadMessage(Refusal.MALFORMED, why, message_id=held.message_id))

    def _open(self, message: Received) -> Opened:
        """Envelope of a message meant for us. Raises BadMessage."""
        opened = open_envelope(message.payload)
        command = opened.value.get("commandId")
        command_id = command if isinstance(command, str) and is_id(command) else None
        if message.retain:
            why = "a stored message is never executed"
            raise BadMessage(Refusal.RETAINED, why, message_id=opened.head.message_id, command_id=command_id)
        if opened.head.station_id != self._station or split(message.topic) is None:
            why = f"for station {opened.head.station_id}"
            raise BadMessage(Refusal.WRONG_STATION, why, message_id=opened.head.message_id, command_id=command_id)
        return opened

    def _command(self, message: Received) -> Held:
        """Check a command's form; what it means is core's affair. Raises BadMessage."""
        if (split(message.topic) or ("", ""))[1] != COMMANDS:
            raise BadMessage(Refusal.MALFORMED, "not a topic of commands")
        opened = self._open(message)
        message_id = opened.head.message_id
        if "jws" in opened.value:
            command = _claimed(read_payload(opened, SignedCommand).jws, message_id)
            key = hashlib.sha256(opened.raw).hexdigest()
        else:
            command = read_payload(opened, Command)
            key = command.command_id
        return Held(key, message, message_id, command.command_id, opened.raw, command.expires_at)

    async def _hand_in(self) -> None:
        """Give core what is held, oldest first, until it is gone."""
        for key, held in tuple(self.held.items()):
            try:
                await self._client.health()  # a core that is gone is seen here, with nothing sent and nothing in doubt
                held.tried = True
                reply = from_core(await self._client.submit_raw(held.raw), held.message_id)
            except Refused as no:
                reply = await self._denied(held, no)
            except CoreFailed as failed:
                held.failures += 1
                if held.failures < TRIES:
                    continue
                reply = await self._indigestible(held, failed)
            except CoreDown:
                return
            await self._answer(held, key, reply)

    async def _indigestible(self, held: Held, failed: CoreFailed) -> Reply:
        """End a command that core has a fault with, again and again: it must not hold up what is behind it (S-99)."""
        await self._auditor.refused(code=Refusal.OUTCOME_UNKNOWN.value, commandId=held.command_id, detail=str(failed))
        known = await self._known(held.command_id)
        if known is not None:
            return from_core(known, held.message_id)
        return spoken(held.command_id, Stage.FAILED, Refusal.OUTCOME_UNKNOWN, None, None, held.message_id)

    async def _known(self, command: str) -> ReplyMessage | None:
        """What core knows of a command, if it can be asked."""
        try:
            return await self._client.request(command)
        except (CoreDown, Refused):
            return None

    async def _denied(self, held: Held, no: Refused) -> Reply:
        """Core's refusal; whoever only claims the id of a command gets that one's outcome told once more."""
        known = await self._known(held.command_id) if no.code == Refusal.BAD_SIGNATURE else None
        if known is not None:
            return from_core(known, held.message_id)
        return spoken(held.command_id, Stage.REJECTED, no.code, no.message, None, held.message_id)

    async def _expire(self) -> None:
        """Answer what ran out while core was gone; never what core may have taken, never by a clock in doubt."""
        if not self._clock.quality().trusted:
            return
        wall = self._clock.wall()
        due = [(key, h) for key, h in self.held.items() if h.expires_at and h.expires_at <= wall and not h.tried]
        if not due or await self._core_is_up():
            return
        for key, held in due:
            reply = spoken(held.command_id, Stage.EXPIRED, Refusal.EXPIRED, None, None, held.message_id)
            await self._answer(held, key, reply)

    async def _core_is_up(self) -> bool:
        try:
            await self._client.health()
        except CoreDown:
            return False
        except Refused:
            return True
        return True

    async def _answer(self, held: Held, key: str, reply: Reply) -> None:
        """Publish, then let the broker forget: a crash in between repeats the command, which core knows by its id."""
        await self._tell(reply)
        self.held.pop(key, None)
        self._order.end(held.command_id)
        self._link.ack(held.source)

    async def _refuse(self, message: Received, bad: BadMessage) -> None:
        """Answer a message that cannot be accepted, note it, and let the broker forget it."""
        await self._auditor.refused(code=bad.code.value, topic=message.topic[:128], detail=str(bad)[:200])
        await self._tell(await self._refusal(bad))
        self._link.ack(message)

    async def _refusal(self, bad: BadMessage) -> Reply:
        """The error reply; for an id that core knows it repeats core's outcome, so that no command ever has two."""
        command = bad.command_id
        if command is not None:
            try:
                known = await self._client.request(command)
            except (CoreDown, Refused):
                command, known = None, None
            if known is not None:
                return from_core(known, bad.message_id or command or "")
        return spoken(command, Stage.REJECTED, bad.code, None, None, bad.message_id)

    async def _tell(self, reply: Reply) -> None:
        try:
            await self._speaker.tell(self._station, REPLIES, reply.to_json())
        except PublishRefused as no:
            await self._auditor.refused(topic=no.topic, reason=no.reason, commandId=reply.command_id)


def _claimed(token: str, message_id: str) -> Command:
    """What a signed command says it is: for its order, end and answer; the proof is core's. Raises BadMessage."""
    try:
        return read_text(take_apart(token).payload, Command, message_id)
    except BadToken as bad:
        raise BadMessage(Refusal.BAD_SIGNATURE, str(bad), message_id=message_id) from bad

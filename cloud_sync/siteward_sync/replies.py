"""`up/replies` out of the journal's command.* events: newest first in line, none forgotten by a restart."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, get_args

from siteward.client.client import Client
from siteward.client.errors import CoreDown, Refused
from siteward.client.messages import ReplyMessage
from siteward.model.ids import is_id
from siteward.model.ports import Clock
from siteward.model.refusals import REFUSALS, Refusal
from siteward.model.requests import Source, Stage
from siteward_sync.audit import Auditor
from siteward_sync.errors import PublishRefused
from siteward_sync.protocol.v1 import Reply
from siteward_sync.protocol.v1.commands import StageWord
from siteward_sync.speaker import Speaker
from siteward_sync.topics import REPLIES

_POLL_S = 20.0
_RETRY_S = 0.5
_STAGES = frozenset(get_args(StageWord))


def from_event(event: Mapping[str, Any]) -> Reply | None:
    """Reply that a journal event stands for; None for other events and for commands that did not come from here."""
    family, _, stage = str(event.get("type", "")).partition(".")
    data = event.get("data")
    if family != "command" or stage not in _STAGES or not isinstance(data, Mapping):
        return None
    command = data.get("commandId")
    if not isinstance(command, str) or not is_id(command) or data.get("source", Source.CLOUD) != Source.CLOUD:
        return None
    return spoken(command, stage, data.get("code"), data.get("message"), data.get("result"))


def asked_again(reply: Reply) -> int | None:
    """From which seq on the platform wants kept events once more (REPORT_NOW), None where it does not."""
    seq = (reply.result or {}).get("fromSeq")
    return seq if isinstance(seq, int) and Stage(reply.stage) is Stage.DONE else None


def from_core(reply: ReplyMessage, in_reply_to: str) -> Reply:
    """Reply that core gave to a command handed in."""
    return spoken(reply.command_id, reply.stage, reply.code, reply.message, reply.result, in_reply_to)


def spoken(
    command: str | None, stage: str, code: Any, message: Any, result: Any, in_reply_to: str | None = None
) -> Reply:
    """Reply with the sentences of its code in both languages."""
    known = REFUSALS[Refusal(code)] if code in set(Refusal) else None
    return Reply.model_validate(
        {
            "command_id": command,
            "stage": stage,
            "code": code,
            "message": message or (known.en if known else None),
            "message_zh": known.zh if known else None,
            "result": dict(result) if isinstance(result, Mapping) else None,
            "in_reply_to": in_reply_to,
        }
    )


class Order:
    """Keeps `received` in front of what follows it, although the two come by different roads."""

    def __init__(self) -> None:
        self._open: dict[str, asyncio.Event] = {}

    def begin(self, command: str) -> None:
        """A command is being handed in: what core says of it waits."""
        self._open.setdefault(command, asyncio.Event())

    def end(self, command: str) -> None:
        """Its first reply is out."""
        event = self._open.pop(command, None)
        if event is not None:
            event.set()

    async def turn_of(self, command: str | None) -> None:
        """Return once nothing of this command has to go first."""
        event = self._open.get(command or "")
        if event is not None:
            await event.wait()


class Replies:
    """Two readers: one from now on, so that a live command never waits behind a week of history, one for the past.

    The past starts at the last acknowledged event: everything after it may never have been told. `again` is called with
    the seq from which on a platform wants kept events once more.
    """

    def __init__(
        self,
        client: Client,
        speaker: Speaker,
        auditor: Auditor,
        order: Order,
        clock: Clock,
        station: str,
        again: Callable[[int], None],
    ) -> None:
        self._client = client
        self._speaker = speaker
        self._auditor = auditor
        self._order = order
        self._clock = clock
        self._station = station
        self._again = again

    async def run(self) -> None:
        """Never ends by itself; a new journal starts anew."""
        while True:
            try:
                health = await self._client.health()
            except (CoreDown, Refused):
                await self._clock.sleep(_RETRY_S)
                continue
            past = asyncio.create_task(self._read(health.journal, health.acked_seq, health.last_seq))
            try:
                await self._read(health.journal, health.last_seq, None)
            finally:
                past.cancel()
                await asyncio.gather(past, return_exceptions=True)

    async def _read(self, journal: str, after: int, until: int | None) -> None:
        """Publish the replies of (after, until]; returns there, or when the journal is another one."""
        while until is None or after < until:
            try:
                page = await self._client.events(after, 500, _POLL_S if until is None else 0.0)
            except (CoreDown, Refused):
                if await self._journal() != journal:
                    return
                continue
            if page.journal_id != journal or page.last_seq < after:
                return
            for event in page.events:
                after = int(event["seq"])
                if until is not None and after > until:
                    return
                reply = from_event(event)
                if reply is not None:
                    await self._order.turn_of(reply.command_id)
                    await self._publish(reply)
                    if (seq := asked_again(reply)) is not None:
                        self._again(seq)
            if until is not None and not page.events:
                return

    async def _journal(self) -> str:
        """Wait for core to be back and return its journal: after a restart it may be another one."""
        while True:
            await self._clock.sleep(_RETRY_S)
            try:
                return (await self._client.health()).journal
            except (CoreDown, Refused):
                continue

    async def _publish(self, reply: Reply) -> None:
        try:
            await self._speaker.tell(self._station, REPLIES, reply.to_json())
        except PublishRefused as no:
            await self._auditor.refused(topic=no.topic, reason=no.reason, commandId=reply.command_id)

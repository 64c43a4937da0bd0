"""Follows the journal for alarms and hands them to the outputs; the journal itself remembers what was delivered."""

import asyncio
import random
from collections.abc import Mapping
from typing import Any

from siteward.client.client import Client
from siteward.client.errors import CoreDown, Refused
from siteward.model.events import EventType
from siteward.model.ports import Clock
from siteward_sync.errors import NotDelivered
from siteward_sync.outputs.box import Box
from siteward_sync.outputs.digest import Station
from siteward_sync.outputs.options import OutputOptions
from siteward_sync.outputs.senders import deliver

LOOK_BACK = 100_000
"""Most events to look back through at a start for how far each output is."""

MARK_EVERY = 1000
"""After so many events an output with nothing to tell says how far it is, so that a start need not look far back."""

_RECORDS = 200

_POLL_S, _RETRY_S = 20.0, 2.0
_PAGE = 500


class Outputs:
    """All outputs of a station, each with its own task: one that hangs holds up no other."""

    def __init__(self, client: Client, clock: Clock, options: tuple[OutputOptions, ...]) -> None:
        self._client = client
        self._clock = clock
        self._boxes = {one.id: Box(one) for one in options}
        self._news = {one.id: asyncio.Event() for one in options}
        self._after: dict[str, int] = {}
        self._marked: dict[str, int] = {}
        self._station = Station("", "")
        self._trying: asyncio.Future[None] | None = None
        self._dice = random.Random()  # noqa: S311

    @property
    def failing(self) -> tuple[str, ...]:
        """Outputs through which nothing gets at the moment."""
        return tuple(name for name, box in self._boxes.items() if box.failing)

    async def run(self) -> None:
        """Follow the journal for ever."""
        if not self._boxes:
            return
        async with asyncio.TaskGroup() as tasks:
            for name in self._boxes:
                tasks.create_task(self._serve(name))
            tasks.create_task(self._follow())

    async def _follow(self) -> None:
        seq: int | None = None
        while True:
            try:
                if seq is None:
                    seq = await self._begin()
                page = await self._client.events(after=seq, limit=_PAGE, wait_s=_POLL_S)
            except (CoreDown, Refused):
                await self._clock.sleep(_RETRY_S)
                continue
            if page.journal_id != self._station.journal:
                seq = None
                continue
            for event in page.events:
                seq = int(event["seq"])
                self._take(event)
            await self._marks(seq)

    async def _begin(self) -> int:
        """Where each output goes on: behind what it delivered last; a new one begins now. Raises CoreDown, Refused."""
        site = await self._client.site()
        head = await self._client.events(after=0, limit=1)
        self._station = Station(str(site["id"]), str(site["name"]), head.journal_id)
        found = await self._delivered(head.last_seq)
        rows = await self._client.alarm_log(_RECORDS)
        self._after = {name: found.get(name, head.last_seq) for name in self._boxes}
        self._marked = dict(self._after)
        for name, box in self._boxes.items():
            if name in found:
                box.recall(rows)
            else:
                await self._mark(name, head.last_seq)
        return min(self._after.values())

    async def _delivered(self, last_seq: int) -> dict[str, int]:
        """How far each output is by its own last word, looked for from the end of the journal."""
        found: dict[str, int] = {}
        low = last_seq
        while low > max(0, last_seq - LOOK_BACK) and not found.keys() >= self._boxes.keys():
            high, low = low, max(0, low - _PAGE)
            page = await self._client.events(after=low, limit=high - low)
            for event in reversed(page.events):
                data = dict(event.get("data") or {})
                if event["type"] == EventType.AUDIT_NOTIFIED and "upTo" in data:
                    found.setdefault(str(data.get("output")), int(data["upTo"]))
        return found

    async def _mark(self, name: str, seq: int) -> None:
        self._marked[name] = seq
        await self._note(name, {"ok": True, "notices": 0, "upTo": seq})

    async def _marks(self, seq: int) -> None:
        """Outputs that are through with everything up to seq say so now and then."""
        for name, box in self._boxes.items():
            if not box.waiting and seq - max(self._after[name], self._marked[name]) >= MARK_EVERY:
                await self._mark(name, seq)

    def _take(self, event: Mapping[str, Any]) -> None:
        if event["type"] == EventType.AUDIT_OUTPUT_TEST:
            if int(event["seq"]) > max(self._after.values()):
                self._trying = asyncio.ensure_future(self._try_out(dict(event.get("data") or {})))
            return
        for name, box in self._boxes.items():
            if int(event["seq"]) > self._after[name]:
                box.put(event, self._clock.now())
                self._news[name].set()

    async def _serve(self, name: str) -> None:
        """Send what waits for one output, when its time has come."""
        box, news = self._boxes[name], self._news[name]
        while True:
            wait_s = box.wait_s(self._clock.now())
            if wait_s is None or wait_s > 0.0:
                news.clear()
                try:
                    async with asyncio.timeout(wait_s):
                        await news.wait()
                except TimeoutError:
                    pass
                continue
            batch, left_out = box.batch(), box.left_out
            try:
                missed = await deliver(box.options, self._station, batch, left_out, self._clock.wall())
            except NotDelivered as error:
                first = box.tries == 0
                box.failed(str(error), self._clock.now(), self._dice.random())
                if first:
                    await self._note(name, {"ok": False, "error": box.error, "notices": len(batch)})
                continue
            box.sent(batch, self._clock.now())
            told = {"ok": True, "notices": len(batch), "upTo": batch[-1].seq}
            self._marked[name] = batch[-1].seq
            await self._note(name, {**told, **({"error": missed} if missed else {})})

    async def _try_out(self, asked: Mapping[str, Any]) -> None:
        """One test through each output that is meant, side by side; the outcome of each is journalled."""
        wanted = asked.get("output")
        chosen = [box for name, box in self._boxes.items() if wanted in (None, name)]
        tests = (self._test(box, str(asked.get("test", "")), len(chosen)) for box in chosen)
        await asyncio.gather(*tests)

    async def _test(self, box: Box, mark: str, count: int) -> None:
        note: dict[str, Any] = {"test": mark, "of": count, "ok": True}
        try:
            if missed := await deliver(box.options, self._station, (), 0, self._clock.wall(), mark):
                note |= {"ok": False, "error": missed}
        except NotDelivered as error:
            note |= {"ok": False, "error": str(error)}
        await self._note(box.options.id, note)

    async def _note(self, name: str, data: Mapping[str, Any]) -> None:
        """Journal the outcome; without core there is nothing to write it to, and a repetition is the lesser evil."""
        try:
            await self._client.audit(EventType.AUDIT_NOTIFIED.value, {"output": name, **data})
        except (CoreDown, Refused):
            return

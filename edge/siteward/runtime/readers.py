"""Listens to card readers: each card becomes one request on the road of all requests, or nothing at all."""

import json
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from typing import Protocol

from siteward.control.authorise import Moment, authorise, token_of
from siteward.control.decide import Decision
from siteward.control.tap import Place, Tap, read_card
from siteward.model.access import Reader
from siteward.model.alarms import Alarm, AlarmCode
from siteward.model.errors import DeviceUnreachable, StoreError
from siteward.model.ids import CommandId, ConnectorId, ReaderId, is_id, ulid
from siteward.model.ports import Clock, Shown, TokenSource
from siteward.model.ration import Ration
from siteward.model.readings import ChargerReading
from siteward.model.refusals import Refusal
from siteward.model.requests import CommandName, Reply, Request, Source
from siteward.model.site import Site

SAME_CARD_S = 3.0
"""A card that lies at the reader is read again and again; within this time it is the same gesture."""

LOST_S = 10.0
"""How long a reader may be gone until somebody is told."""

_BACK_OFF_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)


class Looks(Protocol):
    """What is known of the station when a card is read."""

    @property
    def decision(self) -> Decision | None:
        """The last decision, None before the first turn."""
        ...

    @property
    def chargers(self) -> Mapping[ConnectorId, ChargerReading]:
        """The newest reading of each connector."""
        ...

    @property
    def online(self) -> bool:
        """Whether the platform can be reached."""
        ...


class ReaderLoop:
    """All readers of a site, each in its own task; a reader that is gone is looked for with growing pauses."""

    def __init__(
        self,
        site: Site,
        sources: Iterable[TokenSource],
        clock: Clock,
        submit: Callable[[Request, bytes], Awaitable[Reply]],
        looks: Looks,
        entropy: Callable[[], bytes],
    ) -> None:
        self._site = site
        self._readers = {reader.id: reader for reader in site.readers}
        self._sources = tuple(sources)
        self._clock = clock
        self._submit = submit
        self._looks = looks
        self._entropy = entropy
        self._gone_since: dict[ReaderId, float] = {}
        self._last: dict[ReaderId, tuple[str, float]] = {}
        self._rations: dict[ReaderId, Ration] = {}
        self.lost = 0
        """Cards that no disk could take down, and strange ones beyond their ration."""

    @property
    def alarms(self) -> frozenset[Alarm]:
        """Readers that are gone."""
        now = self._clock.now()
        gone = (name for name, since in self._gone_since.items() if now - since >= LOST_S)
        return frozenset(Alarm(AlarmCode.READER_LOST, name) for name in gone)

    def loops(self) -> list[Coroutine[None, None, None]]:
        """One endless coroutine for each reader."""
        return [self._run(source) for source in self._sources]

    async def close(self) -> None:
        """Let every reader go."""
        for source in self._sources:
            await source.close()

    async def _run(self, source: TokenSource) -> None:
        tries = 0
        while True:
            try:
                shown = await source.shown()
            except DeviceUnreachable:
                self._gone_since.setdefault(source.id, self._clock.now())
                await self._clock.sleep(_BACK_OFF_S[min(tries, len(_BACK_OFF_S) - 1)])
                tries += 1
                continue
            tries = 0
            self._gone_since.pop(source.id, None)
            await self._take(source.id, shown)

    async def _take(self, reader: ReaderId, shown: Shown) -> None:
        """Make the request that a card stands for; its id is new, so that the same gesture is made only once."""
        token, now = token_of(shown.token), self._clock.now()
        before = self._last.get(reader)
        self._last[reader] = (token, now)
        if not is_id(token) or (before is not None and before[0] == token and now - before[1] < SAME_CARD_S):
            return
        tap = self._meaning(reader, token, shown.connector)
        if tap is None or not self._may_ask(reader, token, tap):
            return
        request = self._request(tap)
        try:
            await self._submit(request, json.dumps({"name": request.name, **dict(tap.params)}).encode())
        except StoreError:
            # Without a disk no session may start anyway (ruling 18), and its alarm stands.
            self.lost += 1

    def _meaning(self, name: ReaderId, token: str, connector: ConnectorId | None) -> Tap | None:
        decision, reader = self._looks.decision, self._readers[name]
        if decision is None:
            return None
        if connector is not None:
            reader = Reader(reader.id, reader.port, connectors=(connector,))
        tap = read_card(reader, token, self._places(decision, reader))
        if isinstance(tap, Refusal):
            # It is asked for all the same, so that the refusal stands in the journal like every other.
            return Tap(CommandName.START_CHARGE, "", {"token": token, "reader": name})
        return tap

    def _places(self, decision: Decision, reader: Reader) -> dict[ConnectorId, Place]:
        held, chargers = decision.memory.story.book.reservations, self._looks.chargers
        found = {}
        for name in reader.connectors:
            reading, kept = chargers.get(name), held.get(name)
            pilot = None if reading is None else reading.pilot
            found[name] = Place(
                decision.connectors[name].session,
                None if pilot is None else pilot.plugged,
                None if kept is None else kept.reservation.token or "",
            )
        return found

    def _may_ask(self, reader: ReaderId, token: str, tap: Tap) -> bool:
        """Cards that would be let in always; of the others only so many that nobody fills the journal with them."""
        decision = self._looks.decision
        if decision is None:
            return False
        moment = Moment(self._clock.wall(), self._clock.quality().trusted, self._looks.online)
        book = decision.memory.story.book
        if not isinstance(authorise(self._site, book, token, (tap.target,), moment), Refusal):
            return True
        ration = self._rations.setdefault(reader, Ration(self._clock.now()))
        taken = ration.take(self._clock.now())
        self.lost += not taken
        return taken

    def _request(self, tap: Tap) -> Request:
        now, wall = self._clock.now(), self._clock.wall()
        return Request(
            id=CommandId("card-" + ulid(max(0, round(wall.timestamp() * 1000)), self._entropy())),
            name=tap.name,
            source=Source.CARD,
            received_at=now,
            received_wall=wall,
            target=tap.target or None,
            params=tap.params,
            issued_at=wall,
            online=self._looks.online,
        )

"""Cards, reservations, locks and emergency stops at a whole station, killed in the middle (issue 5 points 5 and 6)."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from siteward.model.errors import DeviceUnreachable
from siteward.model.events import EventType
from siteward.model.ids import CommandId, ReaderId
from siteward.model.live import ConnectorView
from siteward.model.points import PointName
from siteward.model.ports import Shown
from siteward.model.requests import Actor, CommandName, Request, Role, Source
from siteward.model.sessions import OrderState
from siteward.model.site import Site
from siteward.settings.load import load_site
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.fixtures.memory_journal import MemoryJournal
from tests.fixtures.station import PROFILES, ROOT, VirtualStation

BUTTON = PointName("panic.input_1")
TABLES = """
[[relay]]
id = "panic"
line = "rs485-1"
unit = 61
profile = "waveshare_relay_d_8ch"

[auth]
offline_sessions = 2

[[access]]
id = "staff"
opens = ["gate"]
groups = ["staff"]

[[reader]]
id = "row"
port = "/dev/row"
connectors = ["A01-1", "C01-4"]

[[reader]]
id = "entrance"
port = "/dev/entrance"
barrier = "gate"

[[emergency]]
id = "panic-button"
input = "panic.input_1"
connectors = ["A01-1"]

[[bay]]
id = "bay-4"
connector = "C01-4"
blocked_after_min = 10
fee_rule = "idle"
"""


def site(folder: Path) -> Site:
    """The demo with readers, an emergency stop, and a lock that keeps reserved bays closed."""
    file = folder / "site.toml"
    text = (ROOT / "config" / "demo" / "site.toml").read_text(encoding="utf-8")
    text = text.replace('up = "ways.close_3"', 'up = "ways.close_3"\nkeeps = "reserved"')
    file.write_text(text + TABLES, encoding="utf-8")
    return load_site(file, PROFILES)


class FakeReader:
    """A reader whose cards a test holds before it; `gone` makes it disappear."""

    def __init__(self, name: str) -> None:
        self.id = ReaderId(name)
        self.cards: asyncio.Queue[str] = asyncio.Queue()
        self.gone = False

    async def shown(self) -> Shown:
        """The next card."""
        while True:
            if self.gone:
                raise DeviceUnreachable("unplugged")
            try:
                async with asyncio.timeout(1.0):
                    return Shown(await self.cards.get())
            except TimeoutError:
                continue

    async def close(self) -> None:
        """Nothing is held."""


class Place:
    """One station after the other over one journal and one world."""

    def __init__(self, clock: VirtualClock, folder: Path) -> None:
        self.clock, self.folder, self.site = clock, folder, site(folder)
        self.journal = MemoryJournal()
        self.row, self.entrance = FakeReader("row"), FakeReader("entrance")
        self.station = self._station(None)
        self.station.sim.wiring.closed.add(BUTTON)
        self.number = 0

    def _station(self, before: VirtualStation | None) -> VirtualStation:
        return VirtualStation(
            self.clock,
            self.folder,
            site=self.site,
            journal=self.journal,
            sim=None if before is None else before.sim,
            tokens=(self.row, self.entrance),
        )

    async def killed(self) -> None:
        """kill -9, and a new controller over what is on disk."""
        await self.station.kill()
        self.station = self._station(self.station)
        await self.station.start(drivers=False)
        await self.station.run_for(20.0)

    async def ask(self, name: CommandName, target: str | None, source: Source = Source.CLOUD, **params: object) -> str:
        """One command; the stages that it went through, with codes."""
        self.number += 1
        order = params.pop("order", None)
        actor = Actor("tina", Role.TECHNICIAN) if source is Source.PANEL else None
        request = Request(
            id=CommandId(f"c-{self.number}"),
            name=name,
            source=source,
            received_at=self.clock.now(),
            received_wall=self.clock.wall(),
            target=target,
            params=params,
            order=None if order is None else str(order),
            actor=actor,
        )
        await self.station.station.inbox.submit(request, b"{}")
        await self.station.run_for(15.0)
        found = [reply for reply in self.journal.replies if reply.command == request.id]
        return " ".join(reply.code or reply.stage.value for reply in found)

    async def hold(self, reader: FakeReader, card: str, seconds: float = 15.0) -> str:
        """A card at a reader; how its request ended."""
        known = len(self.journal.replies)
        reader.cards.put_nowait(card)
        await self.station.run_for(seconds)
        cards = [reply for reply in self.journal.replies[known:] if reply.command.startswith("card-")]
        return " ".join(reply.code or reply.stage.value for reply in cards)

    def plug(self, connector: str) -> None:
        """A car comes."""
        self.station.sim.world.plug(connector, Car("car", 80_000.0, 0.2, 32.0, 3, react_s=2.0))

    def state(self, name: str) -> str:
        """What the station says of an arm or a connector."""
        live = self.station.station.live
        assert live is not None
        arms = {arm.id: arm.state for arm in live.arms}
        return arms.get(name) or self.seen(name).status.value

    def seen(self, name: str) -> ConnectorView:
        """A connector as people see it."""
        live = self.station.station.live
        assert live is not None
        return next(c for c in live.connectors if c.id == name)

    def drawn(self, name: str) -> float:
        """What truly flows at a connector, in A on its highest phase."""
        return max(next(c for c in self.station.sim.world.truth().connectors if c.connector == name).draw_a)

    def alarms(self) -> set[str]:
        """Codes that stand."""
        live = self.station.station.live
        assert live is not None
        return {alarm.code for alarm in live.alarms}

    def types(self, *kinds: EventType) -> list[EventType]:
        """Facts of these types, in order."""
        return [fact.type for fact in self.journal.facts if fact.type in kinds]


def at_place(folder: Path, story: Callable[[Place], Awaitable[None]]) -> None:
    """Run a story in virtual time."""

    async def whole(clock: VirtualClock) -> None:
        place = Place(clock, folder)
        await place.station.start(drivers=False)
        await place.station.run_for(30.0)
        tokens = [{"id": "CA4D"}, {"id": "57AF", "group": "staff"}]
        listed = await place.ask(CommandName.SET_AUTH_LIST, None, version=1, tokens=tokens)
        assert listed == "accepted done"
        await story(place)
        await place.station.stop()

    run_virtual(whole)


@pytest.mark.station
def test_a_card_starts_and_ends_its_own_session_and_the_list_survives_a_kill(tmp_path: Path) -> None:
    """B17, S-94: the one road from reader to wire; offline, so that the cap counts; each tap is journalled."""

    async def story(place: Place) -> None:
        place.plug("A01-1")
        await place.station.run_for(10.0)
        assert await place.hold(place.row, "FFFF") == "CARD_UNKNOWN"
        await place.killed()
        assert await place.hold(place.row, "ca4d", 60.0) == "accepted done"
        (session,) = [s for s in place.journal._sessions.values() if s.state is OrderState.CHARGING]
        assert session.source == "card"
        assert session.authorised is not None
        assert (session.authorised.token, session.authorised.list_version) == ("CA4D", 1)
        assert session.authorised.online is False
        await place.killed()
        assert await place.hold(place.row, "CA4D", 30.0) == "accepted done"
        assert not [s for s in place.journal._sessions.values() if s.state.open]
        assert place.types(EventType.ACCESS_DENIED, EventType.ACCESS_GRANTED) == [
            EventType.ACCESS_DENIED,
            EventType.ACCESS_GRANTED,
        ]

    at_place(tmp_path, story)


@pytest.mark.station
def test_the_gate_opens_for_those_whom_the_rules_let_in(tmp_path: Path) -> None:
    """Issue 5 point 6: who opens what; a card that lies at the reader is one gesture, strange ones fill no journal."""

    async def story(place: Place) -> None:
        assert await place.hold(place.entrance, "CA4D") == "ACCESS_RULE"
        assert place.state("gate") == "closed"
        for _ in range(5):
            place.entrance.cards.put_nowait("57AF")
        assert await place.hold(place.entrance, "57AF") == "accepted done"
        assert place.state("gate") == "open"
        for number in range(200):
            place.entrance.cards.put_nowait(f"BAD{number}")
        await place.station.run_for(60.0)
        denied = place.types(EventType.ACCESS_DENIED)
        assert 20 <= len(denied) <= 35
        assert place.station.station.readers.lost >= 150

    at_place(tmp_path, story)


@pytest.mark.station
def test_a_reserved_bay_stays_closed_until_the_right_one_is_authorised(tmp_path: Path) -> None:
    """I12, S-94: lock up with the reservation, over a kill; down for the right start only."""

    async def story(place: Place) -> None:
        assert place.state("bay-C01-4") == "down"
        asked = await place.ask(CommandName.RESERVE, "C01-4", order="O-7", token="CA4D", who="Ms Li")
        assert asked == "accepted done"
        await place.station.run_for(10.0)
        kept = place.seen("C01-4")
        assert kept.reserved_until is not None
        left_s = (kept.reserved_until - place.clock.wall()).total_seconds()
        assert kept.reserved_left_s == pytest.approx(left_s, abs=2.0)
        assert left_s < 890.0
        assert (kept.reserved_card, kept.reserved_for) == ("CA4D", "Ms Li")
        assert (place.state("bay-C01-4"), place.state("C01-4")) == ("up", "Reserved")
        await place.killed()
        assert (place.state("bay-C01-4"), place.state("C01-4")) == ("up", "Reserved")
        assert await place.ask(CommandName.LOWER_LOCK, "bay-C01-4") == "CONNECTOR_RESERVED"
        assert await place.ask(CommandName.START_CHARGE, "C01-4", order="O-8") == "CONNECTOR_RESERVED"
        assert place.state("bay-C01-4") == "up"
        assert await place.hold(place.row, "CA4D") == "accepted"
        assert place.state("bay-C01-4") == "down"
        released = [f.data["why"] for f in place.journal.facts if f.type is EventType.CONNECTOR_RELEASED]
        assert released == ["used"]

    at_place(tmp_path, story)


@pytest.mark.station
def test_a_pressed_button_stops_within_seconds_and_stands_over_a_kill(tmp_path: Path) -> None:
    """I13, ruling 16: no current soon after the contact opened; only a technician on site lets it go."""

    async def story(place: Place) -> None:
        place.plug("A01-1")
        await place.station.run_for(10.0)
        assert await place.ask(CommandName.START_CHARGE, "A01-1", order="O-1") == "accepted done"
        await place.station.run_for(60.0)
        live = place.station.station.live
        assert live is not None
        assert max(live.connectors[0].current_a or (0.0,)) > 1.0
        place.station.sim.wiring.closed.discard(BUTTON)
        await place.station.run_for(12.0)
        live = place.station.station.live
        assert live is not None
        assert max(live.connectors[0].current_a or (0.0,)) == 0.0
        assert "EMERGENCY_STOP" in place.alarms()
        place.station.sim.wiring.closed.add(BUTTON)
        await place.killed()
        live = place.station.station.live
        assert live is not None
        assert [stop.state.value for stop in live.emergencies] == ["latched"]
        assert await place.ask(CommandName.START_CHARGE, "A01-1", order="O-2") == "EMERGENCY_STOP"
        assert await place.ask(CommandName.RESET, "panic-button") == "EMERGENCY_STOP"
        assert await place.ask(CommandName.RESET, "panic-button", Source.PANEL) == "accepted done"
        assert await place.ask(CommandName.START_CHARGE, "A01-1", order="O-2") == "accepted done"

    at_place(tmp_path, story)


@pytest.mark.station
def test_a_stop_that_nobody_heard_is_kept_over_two_kills(tmp_path: Path) -> None:
    """ADR 0065, S-31: the charger is mute as its driver stops, we die twice, and it draws nothing once it answers."""

    async def story(place: Place) -> None:
        place.plug("A01-1")
        await place.station.run_for(10.0)
        assert await place.ask(CommandName.START_CHARGE, "A01-1", order="O-1") == "accepted done"
        await place.station.run_for(60.0)
        sim = place.station.sim
        assert place.drawn("A01-1") > 1.0
        sim.device("A01-1").faults.mute = True
        await place.station.run_for(20.0)
        assert await place.ask(CommandName.STOP_CHARGE, "A01-1", order="O-1") == "accepted STOP_TIMEOUT"
        await place.killed()
        await place.killed()
        sim.device("A01-1").faults.mute = False
        await place.station.run_for(60.0)
        assert place.drawn("A01-1") == 0.0
        (session,) = place.journal._sessions.values()
        assert (session.state, session.stop_reason) == (OrderState.FINISHED, "remote")
        assert session.gap

    at_place(tmp_path, story)


@pytest.mark.station
def test_a_reader_that_is_gone_raises_an_alarm_and_comes_back(tmp_path: Path) -> None:
    """Fault 6 for readers: retries bounded and growing, the rest of the station untouched."""

    async def story(place: Place) -> None:
        place.row.gone = True
        await place.station.run_for(30.0)
        assert "READER_LOST" in place.alarms()
        place.row.gone = False
        await place.station.run_for(60.0)
        place.plug("A01-1")
        await place.station.run_for(10.0)
        assert (await place.hold(place.row, "CA4D")).startswith("accepted")
        await place.station.run_for(30.0)
        assert "READER_LOST" not in place.alarms()

    at_place(tmp_path, story)

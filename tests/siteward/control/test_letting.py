"""Who may move an arm by card, by the platform, by hand (issue 5 points 5 and 6); what a card at a reader means."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from siteward.control.authorise import Moment
from siteward.control.book import Book, Held
from siteward.control.letting import may_move
from siteward.control.tap import Place, Tap, read_card
from siteward.model.access import Barrier, Contact, Lock, Motion, Reader
from siteward.model.auth import AccessRule, AuthList, Authorisation, AuthorisedBy, AuthRules, ListHead, Token
from siteward.model.bookings import Reservation
from siteward.model.events import EventType
from siteward.model.ids import BarrierId, CommandId, ConnectorId, LockId, OrderId, ReaderId, SessionId
from siteward.model.points import PointName
from siteward.model.refusals import Refusal
from siteward.model.requests import CommandName, Request, Source
from siteward.model.sessions import OrderState, SessionRecord
from tests.fixtures.sites import two_connector_site

WALL = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
NOW = Moment(WALL, trusted=True, online=True)
A1, A2 = ConnectorId("A1"), ConnectorId("A2")
ANY = Contact(PointName("io.x"))
MOTION = Motion(PointName("io.a"), PointName("io.b"))
SITE = replace(
    two_connector_site(),
    barriers=(Barrier(BarrierId("gate"), "G", MOTION, ANY, ANY),),
    locks=(Lock(LockId("lock-1"), "L", MOTION, ANY, ANY, ANY, A1),),
    auth=AuthRules(rules=(AccessRule("staff", frozenset({"gate"}), frozenset({"staff"})),)),
)
TOKENS = {name: Token(name, group) for name, group in (("57AF", "staff"), ("CA4D", ""))}
BOOK = Book(
    list=AuthList(ListHead(4, WALL), TOKENS),
    reservations={A1: Held(Reservation("r1", A1, WALL, WALL, 900.0, OrderId("O-7"), "57AF"), 1000.0)},
)


def ask(name: CommandName, target: str, source: Source, order: str | None = None, **params: object) -> Request:
    """A request for an arm."""
    return Request(CommandId("c1"), name, source, 1.0, WALL, target, params, order, online=True)


@pytest.mark.parametrize(
    ("request_", "refusal"),
    [
        (ask(CommandName.OPEN_BARRIER, "gate", Source.CARD, token="57af"), None),
        (ask(CommandName.OPEN_BARRIER, "gate", Source.CARD, token="CA4D"), Refusal.ACCESS_RULE),
        (ask(CommandName.OPEN_BARRIER, "gate", Source.CARD, token="FFFF"), Refusal.CARD_UNKNOWN),
        (ask(CommandName.OPEN_BARRIER, "gate", Source.CARD), Refusal.NOT_AUTHORISED),
        (ask(CommandName.CLOSE_BARRIER, "gate", Source.CARD, token="57AF"), Refusal.NOT_AUTHORISED),
        (ask(CommandName.OPEN_BARRIER, "gate", Source.CLOUD), None),
        (ask(CommandName.LOWER_LOCK, "lock-1", Source.CLOUD), Refusal.CONNECTOR_RESERVED),
        (ask(CommandName.LOWER_LOCK, "A1", Source.CLOUD, order="O-7"), None),
        (ask(CommandName.LOWER_LOCK, "A1", Source.CLOUD, order="O-8"), Refusal.CONNECTOR_RESERVED),
        (ask(CommandName.LOWER_LOCK, "lock-1", Source.CARD, token="CA4D"), Refusal.CONNECTOR_RESERVED),
        (ask(CommandName.LOWER_LOCK, "lock-1", Source.CARD, token="57AF"), None),
        (ask(CommandName.LOWER_LOCK, "lock-1", Source.PANEL), None),
        (ask(CommandName.LOWER_LOCK, "lock-1", Source.CLI), None),
        (ask(CommandName.RAISE_LOCK, "lock-1", Source.CLOUD), None),
    ],
)
def test_who_may_move_what(request_: Request, refusal: Refusal | None) -> None:
    """S-43, S-86: rules are data; a reserved bay opens for the right one or a technician on site; cards are told."""
    let = may_move(SITE, BOOK, request_, NOW)
    assert let.refusal is refusal
    shown = (request_.params or {}).get("token")
    if shown is None:
        assert let.facts == ()
    else:
        (fact,) = let.facts
        assert fact.type is (EventType.ACCESS_GRANTED if refusal is None else EventType.ACCESS_DENIED)
        assert (fact.data["token"], fact.data["listVersion"]) == (str(shown).upper(), 4)


def session(token: str, connector: ConnectorId = A1) -> SessionRecord:
    """A session that was begun with a card."""
    by = Authorisation(AuthorisedBy.LIST, token)
    return SessionRecord(SessionId("S1"), connector, OrderState.CHARGING, WALL, "card", authorised=by)


ROW = Reader(ReaderId("row"), "/dev/x", connectors=(A1, A2))
ONE = Reader(ReaderId("one"), "/dev/x", connectors=(A1,))
GATE = Reader(ReaderId("in"), "/dev/x", barrier=BarrierId("gate"))
START, STOP, OPEN = CommandName.START_CHARGE, CommandName.STOP_CHARGE, CommandName.OPEN_BARRIER


@pytest.mark.parametrize(
    ("reader", "places", "meant"),
    [
        (ONE, {A1: Place()}, (START, "A1")),
        (ONE, {A1: Place(session("CA4D"), True)}, (STOP, "A1")),
        (ONE, {A1: Place(session("FFFF"), True)}, (START, "A1")),
        (ROW, {A1: Place(None, False), A2: Place(None, True)}, (START, "A2")),
        (ROW, {A1: Place(None, True), A2: Place(session("CA4D", A2), True)}, (STOP, "A2")),
        (ROW, {A1: Place(None, True), A2: Place(session("FFFF", A2), True)}, (START, "A1")),
        (ROW, {A1: Place(None, False, "CA4D"), A2: Place(None, True)}, (START, "A1")),
        (ROW, {A1: Place(None, True), A2: Place(None, True)}, None),
        (ROW, {A1: Place(None, False), A2: Place(None, None)}, None),
        (ROW, {A1: Place(session("FFFF"), True), A2: Place(session("EEEE", A2), True)}, None),
        (GATE, {}, (OPEN, "gate")),
    ],
)
def test_what_a_card_means(reader: Reader, places: dict[ConnectorId, Place], meant: tuple[str, str] | None) -> None:
    """B17: its own session ends, else the car that stands there begins; where nobody can tell, nothing is guessed."""
    tap = read_card(reader, "CA4D", places)
    if meant is None:
        assert tap is Refusal.READER_UNCLEAR
    else:
        assert isinstance(tap, Tap)
        assert (tap.name, tap.target) == meant
        assert tap.params["token"] == "CA4D"
        assert tap.params["reader"] == reader.id

"""Whatever was asked for and whenever the controller dies, it finds again what it answered for (law 4, I8, I13)."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from siteward.control.book import Book, reopened
from siteward.model.access import Contact
from siteward.model.bookings import Bay, EmergencyStop
from siteward.model.ids import ConnectorId
from siteward.model.points import PointName
from siteward.model.requests import Request
from tests.fixtures.story_rig import Rig, story_site

BUTTON = "io.input_1"
STOP = EmergencyStop("hall", "Hall", Contact(PointName(BUTTON), closed_is_yes=False), frozenset({ConnectorId("A2")}))
BAY = Bay("bay-1", ConnectorId("A1"), None, blocked_after_s=90.0)
NAMES = st.sampled_from(["A1", "A2", "station"])
CARDS = st.sampled_from(["CA4D", "5EE0", "FFFF"])

ACTS = st.one_of(
    st.tuples(st.just("reserve"), NAMES, CARDS),
    st.tuples(st.just("next"), NAMES, CARDS),
    st.tuples(st.just("cancel"), NAMES, CARDS),
    st.tuples(st.just("out"), NAMES, CARDS),
    st.tuples(st.just("in"), NAMES, CARDS),
    st.tuples(st.just("add"), NAMES, CARDS),
    st.tuples(st.just("remove"), NAMES, CARDS),
    st.tuples(st.sampled_from(["part 1", "part 2"]), NAMES, CARDS),
    st.tuples(st.just("card"), NAMES, CARDS),
    st.tuples(st.just("cloud"), NAMES, CARDS),
    st.tuples(st.sampled_from(["press", "release", "reset", "plug", "leave", "wait", "die", "die lost"]), NAMES, CARDS),
)


def asked(rig: Rig, number: int, act: str, name: str, card: str) -> Request | None:
    """The request of an act, None for what is none."""
    command, version = f"c{number}", rig.memory.book.list.head.version
    update = {"version": version + 1, "update": "differential", "baseVersion": version}
    part = {"version": version + 1, "parts": 2, "count": 2}
    return {
        "part 1": lambda: rig.request("SET_AUTH_LIST", command, tokens=[{"id": card}], part=1, **part),
        "part 2": lambda: rig.request("SET_AUTH_LIST", command, tokens=[{"id": f"2{card}"}], part=2, **part),
        "reserve": lambda: rig.request("RESERVE", command, target=name, token=card, hold_s=60),
        "next": lambda: rig.request("RESERVE", command, target=name, token=card, hold_s=60, next=True, wait_s=90),
        "cancel": lambda: rig.request("CANCEL_RESERVATION", command, target=name),
        "out": lambda: rig.request("SET_AVAILABILITY", command, target=name, operative=False),
        "in": lambda: rig.request("SET_AVAILABILITY", command, target=name, operative=True),
        "add": lambda: rig.request("SET_AUTH_LIST", command, tokens=[{"id": card}], **update),
        "remove": lambda: rig.request("SET_AUTH_LIST", command, remove=[card], **update),
        "card": lambda: rig.start(name, command, source="card", token=card, online=True),
        "cloud": lambda: rig.start(name, command, order=f"O-{number}", token=card),
        "reset": lambda: rig.request("RESET", command, target="hall", source="cli"),
    }.get(act, lambda: None)()


def lasting(book: Book) -> tuple[object, ...]:
    """What must be the same after a restart; a bay's beginning is written down after a minute."""
    bays = {name: row for name, row in book.bays.items() if row.told}
    held = {name: row.reservation for name, row in book.reservations.items()}
    waiting = {name: row.reservation for name, row in book.waiting.items()}
    return book.list, dict(book.seen), held, waiting, dict(book.out), dict(book.latched), bays


@settings(max_examples=120, deadline=None)
@given(st.lists(ACTS, min_size=8, max_size=25))
def test_what_was_answered_is_found_again(acts: list[tuple[str, str, str]]) -> None:
    """Each final answer once, nobody charges against a stop, and memory and disk are one after every kill."""
    rig = Rig(replace(story_site(), emergencies=(STOP,), bays=(BAY,)))
    rig.inputs[BUTTON] = True
    rig.turns(2)
    sent: list[Request] = []
    for number, (act, name, card) in enumerate(acts):
        if act in ("press", "release"):
            rig.inputs[BUTTON] = act == "release"
        if act in ("plug", "leave") and name in ("A1", "A2"):
            rig[name].plugged = act == "plug"
        if act == "wait":
            rig.turns(50)
        request = asked(rig, number, act, name, card)
        rig.turn(*(() if request is None else (request,)))
        sent += [] if request is None else [request]
        assert lasting(reopened(rig.log.kept.values(), rig.at, rig.wall)) == lasting(rig.memory.book), act
        if act.startswith("die"):
            lost = act == "die lost"
            disk = rig.durable if lost else rig.log
            open_ = tuple(r for r in sent if not any(x.command == r.id and x.stage.final for _, x in disk.replies))
            rig.crash(seconds=1.0, unfinished=open_, lost=lost)
        if "hall" in rig.memory.book.latched:
            demand = rig.log.demands[-1][1][ConnectorId("A2")]
            assert not demand.wants
    rig.inputs[BUTTON] = True
    rig.turns(140)
    for request in sent:
        finals = [reply for _, reply in rig.log.replies if reply.command == request.id and reply.stage.final]
        assert len(finals) == 1, request.id

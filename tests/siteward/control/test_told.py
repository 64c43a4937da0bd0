"""Ruling 30, S-75, S-86: what commands of access, service and prices answer and write down, word for word."""

from dataclasses import replace

import pytest

from siteward.model.access import Contact
from siteward.model.bookings import EmergencyStop
from siteward.model.events import ClockQuality, EventType
from siteward.model.ids import ConnectorId
from siteward.model.points import PointName
from siteward.model.requests import Reply
from tests.fixtures.story_rig import Rig, story_site
from tests.fixtures.tariffs import depot

DATED = ("SET_AUTH_LIST", "RESERVE", "CANCEL_RESERVATION", "SET_AVAILABILITY")
PARAMS: dict[str, dict[str, object]] = {
    "SET_AUTH_LIST": {"version": 2},
    "RESERVE": {"target": "A2"},
    "CANCEL_RESERVATION": {"target": "A1"},
    "SET_AVAILABILITY": {"target": "A2", "operative": False},
}


def kept_rig() -> Rig:
    """A station whose A1 is kept by reservation r1, and with list version 1."""
    rig = Rig()
    rig.turn(rig.request("RESERVE", "r1", target="A1", order="O-7", token="ca4d"))
    rig.turn(rig.request("SET_AUTH_LIST", "l1", version=1, tokens=[{"id": "CA4D"}]))
    return rig


def refused(rig: Rig, command: str) -> Reply:
    """The refusal of a command."""
    found = rig.log.final(command)
    assert found.stage.value == "rejected"
    return found


def test_a_list_is_told_with_all_that_its_cards_have() -> None:
    """S-75: the list of any day follows from the journal; what is not said is left out."""
    rig = Rig()
    rig.turn(
        rig.request(
            "SET_AUTH_LIST",
            "l1",
            source="cli",
            version=4,
            tokens=[
                {"id": "ca4d", "group": "fleet", "validUntil": "2027-01-01T00:00:00Z"},
                {"id": "B10C", "blocked": True},
                {"id": "01D0", "blocked": False, "group": ""},
            ],
        )
    )
    assert rig.log.final("l1").result == {"version": 4, "tokens": 3}
    assert rig.log.last(EventType.AUDIT_AUTH_LIST).data == {
        "commandId": "l1",
        "source": "cli",
        "version": 4,
        "update": "full",
        "tokens": [
            {"id": "CA4D", "group": "fleet", "validUntil": "2027-01-01T00:00:00.000Z"},
            {"id": "B10C", "blocked": True},
            {"id": "01D0"},
        ],
        "count": 3,
    }


@pytest.mark.parametrize("group", [7, "a b", None])
def test_a_group_is_an_id_or_left_out(group: object) -> None:
    """S-43: a group that no rule could name lets nobody in by chance."""
    rig = Rig()
    rig.turn(rig.request("SET_AUTH_LIST", "l1", version=1, tokens=[{"id": "CA4D", "group": group}]))
    assert str(refused(rig, "l1").message).endswith(f" tokens[0].group: {group!r} is no id")
    assert rig.memory.book.list.head.version == 0


@pytest.mark.parametrize("name", DATED)
def test_a_command_with_a_deadline_needs_a_clock(name: str) -> None:
    """B21: whether the platform's word is still in time is not guessed; what has no deadline, or is local, is done."""
    rig = kept_rig()
    rig.clock = ClockQuality.UNSYNCED
    before = rig.memory.book
    rig.turn(rig.request(name, "x1", deadline=rig.at + 60.0, **PARAMS[name]))
    assert rig.log.stages("x1") == ["rejected CLOCK_UNTRUSTED"]
    assert rig.memory.book == before
    rig.turn(rig.request(name, "x2", deadline=rig.at + 60.0, source="cli", **PARAMS[name]))
    assert rig.log.stages("x2") == ["accepted", "done"]
    again = kept_rig()
    again.clock = ClockQuality.UNSYNCED
    again.turn(again.request(name, "x3", **PARAMS[name]))
    assert again.log.stages("x3") == ["accepted", "done"]


def test_a_reservation_answers_and_tells_by_whom_for_what_until_when() -> None:
    """S-94, S-86: name, connector and end; order and card as they are compared."""
    rig = kept_rig()
    until = "2026-03-01T08:16:43.000Z"
    assert rig.log.final("r1").result == {"reservationId": "r1", "connectorId": "A1", "until": until}
    told = rig.log.last(EventType.CONNECTOR_RESERVED)
    assert (told.connector, told.order) == ("A1", "O-7")
    assert told.data == {"reservationId": "r1", "until": until, "commandId": "r1", "source": "cloud", "token": "CA4D"}
    rig.turn(rig.request("CANCEL_RESERVATION", "x1", reservationId="r1"))
    assert rig.log.final("x1").result == {"reservationId": "r1", "connectorId": "A1"}
    assert rig.log.last(EventType.CONNECTOR_RELEASED).data == {
        "reservationId": "r1",
        "why": "cancelled",
        "source": "cloud",
        "commandId": "x1",
    }


def test_what_is_not_there_is_named_in_the_refusal() -> None:
    """Ruling 30: the sentence says which of the names was wrong."""
    rig = kept_rig()
    rig.turn(
        rig.request("CANCEL_RESERVATION", "x1", reservationId="r9"),
        rig.request("CANCEL_RESERVATION", "x2", target="A2"),
        rig.request("RESERVE", "x3", target="Z9"),
        rig.request("SET_AVAILABILITY", "x4", target="Z9", operative=True),
    )
    for command, code, name in (
        ("x1", "NO_SUCH_RESERVATION", "r9"),
        ("x2", "NO_SUCH_RESERVATION", "A2"),
        ("x3", "UNKNOWN_TARGET", "Z9"),
        ("x4", "UNKNOWN_TARGET", "Z9"),
    ):
        reply = refused(rig, command)
        assert (reply.code, reply.message is not None and name in reply.message) == (code, True), command


def test_service_answers_with_what_still_charges() -> None:
    """S-68: out of service after the session; the answer says that it waits, and for whom."""
    rig = Rig()
    rig.charging("A1")
    rig.turn(rig.request("SET_AVAILABILITY", "s1", target="station", operative=False))
    assert rig.log.final("s1").result == {
        "operative": False,
        "connectors": ["A1", "A2", "A3", "A4"],
        "waitingFor": "session",
        "waiting": ["A1"],
    }
    rig.turn(rig.request("SET_AVAILABILITY", "s2", target="A2", operative=True))
    assert rig.log.final("s2").result == {"operative": True, "connectors": ["A2"]}


def test_a_reset_answers_with_the_stop_that_it_let_go() -> None:
    """I13, S-86: and the record says who did it."""
    stop = EmergencyStop("hall", "Hall", Contact(PointName("io.1"), closed_is_yes=True), frozenset({ConnectorId("A1")}))
    rig = Rig(replace(story_site(), emergencies=(stop,)))
    for pressed in (True, False):
        rig.inputs["io.1"] = pressed
        rig.turns(2)
    rig.turn(rig.request("RESET", "k1", target="hall", source="panel", role="technician"))
    assert rig.log.final("k1").result == {"emergency": "hall"}
    assert rig.log.last(EventType.AUDIT_EMERGENCY).data == {
        "emergency": "hall",
        "name": "Hall",
        "what": "acknowledged",
        "source": "panel",
        "user": "ann",
    }


def test_a_tariff_answers_with_its_version_and_a_start_names_the_one_it_misses() -> None:
    """S-39, ruling 30."""
    rig = Rig(replace(story_site(), timezone="Asia/Shanghai"))
    rig.install(depot())
    assert rig.log.final("t1").result == {"tariffId": "SZ-TOU", "version": 1, "inForce": True}
    rig["A1"].plugged = True
    rig.turns(2)
    rig.turn(rig.start("A1", "s1", order="O-1", tariffId="FLEET"))
    reply = refused(rig, "s1")
    assert reply.code == "NO_TARIFF"
    assert "FLEET" in str(reply.message)


def test_a_quiet_connector_is_told_once_a_day() -> None:
    """S-26: two days of the journal say how a third began, also of a connector at which nothing happens for weeks."""
    rig = Rig()
    days: list[int] = []
    for _ in range(4 * 24):
        rig.at += 3599.0
        rig.turn()
    for _, fact in rig.log.facts:
        if fact.type is EventType.CONNECTOR_STATUS and fact.connector == "A2":
            assert fact.occurred_at is not None
            days.append(fact.occurred_at.day)
    assert days == [1, 2, 3, 4, 5]


def test_a_status_is_told_once_while_its_day_lasts() -> None:
    """Ruling 17: a turn writes nothing where nothing happened."""
    rig = Rig()
    before = len(rig.log.facts)
    rig.turns(300)
    assert len(rig.log.facts) == before

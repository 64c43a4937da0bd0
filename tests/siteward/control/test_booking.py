"""Reservations, availability and unlocking: what holds a connector apart from a session (S-94, S-68, S-75)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from siteward.control.session import stamp
from siteward.model.events import EventType
from siteward.model.ids import ConnectorId
from siteward.model.sessions import ConnectorStatus, StopReason
from siteward.model.tariff import Pricing
from tests.fixtures.story_rig import Rig, story_site
from tests.fixtures.tariffs import two

A1 = ConnectorId("A1")


def status(rig: Rig, name: str = "A1") -> ConnectorStatus:
    """What the platform is told of a connector."""
    assert rig.chapter is not None
    return rig.chapter.connectors[ConnectorId(name)].status


def reserved(**fields: object) -> Rig:
    """A station whose A1 is kept for order O-7 and card CA4D."""
    rig = Rig()
    rig.turn(rig.request("RESERVE", "r1", target="A1", order="O-7", token="ca4d", **fields))
    assert rig.log.stages("r1") == ["accepted", "done"]
    return rig


def test_a_reservation_holds_fifteen_minutes() -> None:
    """S-94: 15 min; the status says Reserved until then, and the journal tells begin and end."""
    rig = reserved()
    result = rig.log.final("r1").result
    assert result is not None
    assert (result["reservationId"], result["connectorId"]) == ("r1", "A1")
    rig.turns(1)
    assert status(rig) is ConnectorStatus.RESERVED
    rig.turns(898)
    assert status(rig) is ConnectorStatus.RESERVED
    rig.turns(2)
    assert status(rig) is ConnectorStatus.AVAILABLE
    told = rig.log.last(EventType.CONNECTOR_RELEASED)
    assert (told.connector, told.order, told.data) == (A1, "O-7", {"reservationId": "r1", "why": "expired"})
    assert rig.log.types("connector.reserved", "connector.released") == ["connector.reserved", "connector.released"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"order": "O-7"}, "accepted"),
        ({"order": "O-8", "token": "CA4D"}, "accepted"),
        ({"order": "O-8", "reservationId": "r1"}, "accepted"),
        ({"order": "O-8"}, "rejected CONNECTOR_RESERVED"),
        ({"order": "O-8", "token": "FFFF"}, "rejected CONNECTOR_RESERVED"),
        ({"source": "panel", "role": "installer"}, "rejected CONNECTOR_RESERVED"),
        ({"source": "cli"}, "rejected CONNECTOR_RESERVED"),
    ],
)
def test_only_the_right_one_starts_at_a_reserved_connector(fields: dict[str, object], expected: str) -> None:
    """S-94: start only when idle, paid and reserved; who is right is proved by authorisation, not by the plug."""
    rig = reserved()
    rig["A1"].plugged = True
    rig.turns(2)
    rig.turn(rig.start("A1", "s1", **fields))
    assert rig.log.stages("s1")[0] == expected
    kept = A1 in rig.memory.book.reservations
    assert kept is (expected != "accepted")
    if not kept:
        assert rig.log.last(EventType.CONNECTOR_RELEASED).data["why"] == "used"


def test_a_card_cannot_use_a_reservation_by_its_name() -> None:
    """S-94: a reader's text is no proof of an order."""
    rig = reserved()
    rig["A1"].plugged = True
    rig.turns(2)
    rig.turn(rig.request("SET_AUTH_LIST", "l1", version=1, tokens=[{"id": "FFFF"}, {"id": "CA4D"}]))
    rig.turn(rig.start("A1", "s1", source="card", token="FFFF", reservationId="r1", online=True))
    assert rig.log.stages("s1") == ["rejected CONNECTOR_RESERVED"]
    rig.turn(rig.start("A1", "s2", source="card", token="CA4D", online=True))
    assert rig.log.stages("s2")[0] == "accepted"


def test_who_it_is_for_is_kept_on_site_and_told_to_nobody_else() -> None:
    """S-85: a name or a phone number is found again after a crash, and is in no fact; who asked is in each (S-86)."""
    rig = Rig()
    asked = {"target": "A1", "source": "panel", "role": "technician", "who": " Ms Li 138 0000 1111 "}
    rig.turn(rig.request("RESERVE", "r1", **asked))
    rig.crash()
    rig.turns(1)
    assert rig.memory.book.reservations[A1].reservation.who == "Ms Li 138 0000 1111"
    rig.turn(rig.request("CANCEL_RESERVATION", "x1", target="A1", source="panel", role="technician"))
    assert rig.log.stages("x1") == ["accepted", "done"]
    assert "138" not in str([fact.data for _, fact in rig.log.facts])
    made, gone = rig.log.last(EventType.CONNECTOR_RESERVED).data, rig.log.last(EventType.CONNECTOR_RELEASED).data
    assert (made["source"], made["user"], made["commandId"]) == ("panel", "ann", "r1")
    assert (gone["source"], gone["user"], gone["commandId"], gone["why"]) == ("panel", "ann", "x1", "cancelled")


@pytest.mark.parametrize("who", [7, "a\nb", "x" * 65])
def test_words_about_a_person_are_one_short_line(who: object) -> None:
    """BAD_PARAMS names the field."""
    rig = Rig()
    rig.turn(rig.request("RESERVE", "r1", target="A1", who=who))
    reply = rig.log.final("r1")
    assert (reply.stage.value, reply.code) == ("rejected", "BAD_PARAMS")
    assert "who: at most 64 characters" in str(reply.message)


def test_asked_again_a_reservation_begins_anew_and_another_is_refused() -> None:
    """S-75: a repetition has no second effect but the time; somebody else is told until when."""
    rig = reserved()
    rig.turns(600)
    rig.turn(rig.request("RESERVE", "r2", target="A1", order="O-7", hold_s=1800))
    rig.turn(rig.request("RESERVE", "r3", target="A1", order="O-9"))
    assert rig.log.stages("r2") == ["accepted", "done"]
    assert rig.log.stages("r3") == ["rejected CONNECTOR_RESERVED"]
    (held,) = rig.memory.book.reservations.values()
    assert f"until {stamp(held.reservation.until)}" in str(rig.log.final("r3").message)
    rig.turns(1790)
    assert status(rig) is ConnectorStatus.RESERVED
    rig.turns(10)
    assert status(rig) is ConnectorStatus.AVAILABLE


def test_what_is_in_use_cannot_be_reserved() -> None:
    """S-94: only when idle."""
    rig = Rig()
    rig.charging("A1")
    rig["A2"].plugged = True
    rig["A3"].fault, rig["A4"].silent = "E7", True
    rig.turns(3)
    for name, code in (
        ("A1", "CONNECTOR_BUSY"),
        ("A2", "CONNECTOR_BUSY"),
        ("A3", "CONNECTOR_FAULTED"),
        ("A4", "CHARGER_UNREACHABLE"),
        ("A9", "UNKNOWN_TARGET"),
    ):
        rig.turn(rig.request("RESERVE", f"r-{name}", target=name, order="O-5"))
        assert rig.log.stages(f"r-{name}") == [f"rejected {code}"]
    assert rig.memory.book.reservations == {}


@pytest.mark.parametrize("how", [{"target": "A1"}, {"reservationId": "r1"}])
def test_a_reservation_is_cancelled_by_name_or_connector(how: dict[str, object]) -> None:
    """Contract: CANCEL_RESERVATION; a second one finds none."""
    rig = reserved()
    rig.turn(rig.request("CANCEL_RESERVATION", "x1", **how))
    rig.turn(rig.request("CANCEL_RESERVATION", "x2", **how))
    assert rig.log.stages("x1") == ["accepted", "done"]
    assert rig.log.stages("x2") == ["rejected NO_SUCH_RESERVATION"]
    assert rig.log.last(EventType.CONNECTOR_RELEASED).data["why"] == "cancelled"
    rig.turn(rig.request("CANCEL_RESERVATION", "x3"))
    assert rig.log.stages("x3") == ["rejected BAD_PARAMS"]


@pytest.mark.parametrize(("skew_s", "left_s"), [(0.0, 600), (-86_400.0, 900), (86_400.0, 0)])
def test_a_restart_keeps_a_reservation_for_no_longer_than_it_was_made_for(skew_s: float, left_s: int) -> None:
    """Law 4: found again after kill -9; a clock that jumped lengthens it by no more than its own length."""
    rig = reserved()
    rig.turns(297)
    rig.skew += timedelta(seconds=skew_s)
    rig.crash()
    rig.turns(2)
    assert (A1 in rig.memory.book.reservations) is (left_s > 0)
    if left_s:
        assert rig.memory.book.reservations[A1].ends_at - rig.at == pytest.approx(left_s, abs=5)


def test_out_of_service_waits_for_the_running_session_and_survives_a_restart() -> None:
    """Contract SET_AVAILABILITY: inoperative after the session; nobody starts until it is back."""
    rig = Rig()
    session = rig.charging("A1")
    rig.turn(rig.request("SET_AVAILABILITY", "v1", target="A1", operative=False))
    result = rig.log.final("v1").result
    assert result is not None
    assert (result["waitingFor"], result["waiting"]) == ("session", ["A1"])
    rig.turns(20)
    assert status(rig) is ConnectorStatus.OCCUPIED
    assert rig.log.rows[session].state.open
    rig.crash()
    rig.turns(3)
    rig["A1"].plugged = False
    rig.turns(14)
    assert rig.log.rows[session].stop_reason is StopReason.UNPLUGGED
    assert status(rig) is ConnectorStatus.UNAVAILABLE
    rig["A1"].plugged = True
    rig.turns(3)
    rig.turn(rig.start("A1", "s1", order="O-2"), rig.request("RESERVE", "r1", target="A1", order="O-2"))
    assert rig.log.stages("s1") == ["rejected OUT_OF_SERVICE"]
    assert rig.log.stages("r1") == ["rejected OUT_OF_SERVICE"]
    rig.crash()
    rig.turns(3)
    assert status(rig) is ConnectorStatus.UNAVAILABLE
    rig.turn(rig.request("SET_AVAILABILITY", "v2", target="A1", operative=True, source="cli"))
    rig.turns(1)
    assert status(rig) is ConnectorStatus.OCCUPIED
    rig.turn(rig.start("A1", "s2", order="O-2"))
    assert rig.log.stages("s2")[0] == "accepted"
    told = [fact.data["operative"] for _, fact in rig.log.facts if fact.type is EventType.CONNECTOR_SERVICE]
    assert told == [False, True]


def test_the_whole_station_goes_out_of_service_and_lets_its_reservations_go() -> None:
    """Contract: target is a connector, a charger or the station; a repetition changes nothing (S-75)."""
    rig = reserved()
    for command in ("v1", "v2"):
        rig.turn(rig.request("SET_AVAILABILITY", command, target="station", operative=False, source="cli"))
        assert rig.log.stages(command) == ["accepted", "done"]
    rig.turns(1)
    assert {status(rig, name) for name in ("A1", "A2", "A3", "A4")} == {ConnectorStatus.UNAVAILABLE}
    assert rig.log.types("connector.service") == ["connector.service"] * 4
    assert rig.log.last(EventType.CONNECTOR_RELEASED).data["why"] == "out_of_service"
    rig.turn(rig.request("SET_AVAILABILITY", "v3", target="A9", operative=True))
    rig.turn(rig.request("SET_AVAILABILITY", "v4", target="A1", operative="no"))
    assert rig.log.stages("v3") == ["rejected UNKNOWN_TARGET"]
    assert rig.log.stages("v4") == ["rejected BAD_PARAMS"]


@pytest.mark.parametrize("name", ["RESERVE", "CANCEL_RESERVATION", "SET_AVAILABILITY", "UNLOCK_CONNECTOR"])
@pytest.mark.parametrize("fields", [{"source": "card"}, {"source": "panel", "role": "viewer"}])
def test_cards_and_viewers_may_not(name: str, fields: dict[str, object]) -> None:
    """S-43: roles have separate rights."""
    rig = Rig()
    rig.turn(rig.request(name, target="A1", operative=False, **fields))
    assert rig.log.stages("c1") == ["rejected NOT_AUTHORISED"]


def test_a_charger_that_cannot_unlock_says_what_to_do_instead() -> None:
    """Contract UNLOCK_CONNECTOR: only where the charger can; never a silent success."""
    rig = Rig()
    rig.turn(rig.request("UNLOCK_CONNECTOR", target="A1"))
    assert rig.log.stages("c1") == ["rejected UNLOCK_IMPOSSIBLE"]


def test_an_amount_ends_a_session_where_its_fee_is_counted() -> None:
    """B17: max_amount enforced locally; without a running fee the start is refused, never forgotten."""
    rig = Rig()
    rig["A1"].plugged = True
    rig.turns(2)
    rig.turn(rig.start("A1", "s1", order="O-1", maxAmount=500))
    assert rig.log.stages("s1") == ["rejected NO_TARIFF"]
    rig.turn(rig.start("A1", "s2", order="O-1", maxAmount=0))
    assert rig.log.stages("s2") == ["rejected BAD_PARAMS"]


def test_a_running_fee_that_reaches_the_amount_ends_the_session() -> None:
    """B17, S-42: prepaid orders stop at their money, with their own reason, and owe no more than the last second."""
    rig = Rig(replace(story_site(), timezone="UTC", pricing=Pricing(default="SZ-TOU")))
    dear = [{"id": "day", "energyPrice": "10"}, {"id": "night", "energyPrice": "10"}]
    rig.install(two(validFrom="2026-01-01T00:00:00Z", periods=dear))
    session = rig.charging("A1", maxAmount=100)
    rig.turns(60)
    row = rig.log.rows[session]
    assert row.stop_reason is StopReason.AMOUNT_LIMIT
    assert row.total is not None
    assert 100 <= row.total <= 110

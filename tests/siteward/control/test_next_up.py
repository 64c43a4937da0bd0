"""S-68: who is next at a connector that is in use; the platform keeps the queue, the site hands over without a gap."""

from datetime import timedelta
from typing import Any

import pytest

from siteward.model.ids import ConnectorId
from siteward.model.sessions import ConnectorStatus
from tests.fixtures.story_rig import Rig
from tests.siteward.control.test_booking import status

A1 = ConnectorId("A1")


def busy(**fields: object) -> Rig:
    """A1 charges for O-1, and O-2 with card CA4D is next there."""
    rig = Rig()
    rig.charging("A1")
    rig.turn(rig.request("RESERVE", "n1", target="A1", order="O-2", token="ca4d", next=True, **fields))
    assert rig.log.stages("n1") == ["accepted", "done"]
    return rig


def leave(rig: Rig) -> None:
    """The session ends and its car drives off."""
    rig.turn(rig.stop(order="O-1"))
    rig.turns(4)
    rig["A1"].plugged = False


def told(rig: Rig, *kinds: str) -> list[dict[str, Any]]:
    """What was said of reservations, in order."""
    return [dict(fact.data) for _, fact in rig.log.facts if fact.type.value in kinds]


def test_the_connector_is_theirs_in_the_turn_that_sees_it_free() -> None:
    """No walk-up card can come between; from then on it holds its 15 minutes like any other."""
    rig = busy()
    result = rig.log.final("n1").result
    assert result is not None
    assert (result["reservationId"], result["waitingFor"]) == ("n1", "connector")
    assert status(rig) is ConnectorStatus.OCCUPIED
    leave(rig)
    seen = []
    for number in range(12):
        rig.turn(rig.start("A1", f"walk-{number}", order=f"W-{number}"))
        seen.append((rig.log.final(f"walk-{number}").code, status(rig)))
    assert {code for code, _ in seen} <= {"CONNECTOR_RESERVED", "CONNECTOR_BUSY"}
    assert ConnectorStatus.AVAILABLE not in {word for _, word in seen}
    assert status(rig) is ConnectorStatus.RESERVED
    made, begun = told(rig, "connector.reserved")
    assert (made["reservationId"], made["waiting"], made["source"]) == ("n1", True, "cloud")
    assert (begun["reservationId"], begun["waiting"], begun["token"]) == ("n1", False, "CA4D")
    rig.turns(880)
    assert status(rig) is ConnectorStatus.RESERVED
    rig.turns(20)
    assert status(rig) is ConnectorStatus.AVAILABLE
    assert told(rig, "connector.released")[-1]["why"] == "expired"


def test_it_works_without_the_platform_and_over_a_crash() -> None:
    """Law 4: the hand-over is the site's own; what waited is found again with the patience that is left."""
    rig = busy()
    rig.turns(30)
    rig.crash()
    rig.turns(2)
    assert rig.memory.book.waiting[A1].reservation.id == "n1"
    rig.skew += timedelta(days=-3)
    rig.crash()
    rig.turns(2)
    assert rig.memory.book.waiting[A1].ends_at - rig.at <= 14_400.0
    leave(rig)
    rig.turns(12)
    assert status(rig) is ConnectorStatus.RESERVED
    rig.crash()
    rig.turns(2)
    assert rig.memory.book.waiting == {}
    rig["A1"].plugged = True
    rig.turns(2)
    rig.turn(rig.start("A1", "s2", order="O-2"))
    assert rig.log.stages("s2")[0] == "accepted"
    assert told(rig, "connector.released")[-1]["why"] == "used"


def test_nobody_charges_twice_before_who_is_next() -> None:
    """The car that stands there may not begin again; whoever is next may, even before it has left."""
    rig = busy()
    rig.turn(rig.stop(order="O-1"))
    rig.turns(8)
    assert rig["A1"].plugged
    rig.turn(rig.start("A1", "again", order="O-3"))
    assert rig.log.stages("again") == ["rejected CONNECTOR_RESERVED"]
    rig.turn(rig.start("A1", "next", order="O-2"))
    assert rig.log.stages("next")[0] == "accepted"
    assert rig.memory.book.waiting == {}
    assert told(rig, "connector.released")[-1]["why"] == "used"


def test_one_is_next_and_asked_again_waits_anew() -> None:
    """S-75; the queue behind the next one is the platform's."""
    rig = busy(wait_s=600)
    rig.turns(500)
    rig.turn(rig.request("RESERVE", "n2", target="A1", order="O-4", next=True))
    assert rig.log.stages("n2") == ["rejected CONNECTOR_RESERVED"]
    rig.turn(rig.request("RESERVE", "n3", target="A1", order="O-2", next=True, wait_s=600))
    assert rig.log.stages("n3") == ["accepted", "done"]
    rig.turns(590)
    assert A1 in rig.memory.book.waiting
    rig.turns(15)
    assert rig.memory.book.waiting == {}
    assert told(rig, "connector.released")[-1] == {"reservationId": "n3", "why": "expired"}


def test_a_free_connector_is_kept_at_once_and_behind_a_reservation_one_waits() -> None:
    """`next` never makes anybody wait who need not."""
    rig = Rig()
    rig.turns(1)
    rig.turn(rig.request("RESERVE", "r1", target="A1", order="O-1", next=True))
    rig.turn(rig.request("RESERVE", "r2", target="A1", order="O-2", next=True))
    assert (rig.log.final("r1").result or {}).get("waitingFor") is None
    assert (rig.log.final("r2").result or {}).get("waitingFor") == "connector"
    rig.turn(rig.request("CANCEL_RESERVATION", "c1", reservationId="r1"))
    rig.turns(1)
    assert rig.memory.book.reservations[A1].reservation.id == "r2"


@pytest.mark.parametrize("how", ["cancel", "out"])
def test_it_can_be_cancelled_and_ends_with_the_service(how: str) -> None:
    """CANCEL_RESERVATION by its name; SET_AVAILABILITY lets it go."""
    rig = busy()
    if how == "cancel":
        rig.turn(rig.request("CANCEL_RESERVATION", "c1", reservationId="n1"))
        assert rig.log.stages("c1") == ["accepted", "done"]
    else:
        rig.turn(rig.request("SET_AVAILABILITY", "v1", target="A1", operative=False, source="cli"))
    assert rig.memory.book.waiting == {}
    assert told(rig, "connector.released")[-1]["why"] == {"cancel": "cancelled", "out": "out_of_service"}[how]
    rig.crash()
    assert rig.memory.book.waiting == {}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"next": "yes"}, "rejected BAD_PARAMS"),
        ({"next": True, "wait_s": 5}, "rejected BAD_PARAMS"),
        ({"next": True, "source": "card"}, "rejected NOT_AUTHORISED"),
        ({"next": True, "source": "panel", "role": "viewer"}, "rejected NOT_AUTHORISED"),
        ({"next": False}, "rejected CONNECTOR_BUSY"),
        ({}, "rejected CONNECTOR_BUSY"),
    ],
)
def test_who_may_and_what_is_wrong(fields: dict[str, object], expected: str) -> None:
    """S-43; without `next` a busy connector is refused as before."""
    rig = Rig()
    rig.charging("A1")
    rig.turn(rig.request("RESERVE", "r1", target="A1", order="O-2", **fields))
    assert rig.log.stages("r1") == [expected]


def test_out_of_service_nobody_is_next() -> None:
    """It would wait for a connector that takes no session."""
    rig = Rig()
    rig.charging("A1")
    rig.turn(rig.request("SET_AVAILABILITY", "v1", target="A1", operative=False, source="cli"))
    rig.turn(rig.request("RESERVE", "r1", target="A1", order="O-2", next=True))
    assert rig.log.stages("r1") == ["rejected OUT_OF_SERVICE"]

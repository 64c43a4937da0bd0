"""What was kept of a connector that the site file no longer names: it ends with a word, and never the turn."""

from dataclasses import replace

import pytest

from siteward.control.recover import recall
from siteward.model.bookings import BayTaken, Latched
from siteward.model.events import EventType
from siteward.model.ids import ConnectorId
from siteward.model.kept import Kept
from siteward.model.recovered import Recovered
from siteward.model.signed import SignedHead
from tests.fixtures.story_rig import Rig, story_site


def without(name: str) -> Rig:
    """A station whose installer took a charger out of the site file."""
    site = story_site()
    return Rig(replace(site, chargers=tuple(box for box in site.chargers if box.id != name)))


def restarted(before: Rig, *more: Kept) -> Rig:
    """The station without A3, after a restart over what the one with it kept."""
    rig = without("A3")
    rows, kept = tuple(before.log.rows.values()), (*before.log.kept.values(), *more)
    rig.memory = recall(rig.site, Recovered(rows, before.log.limits, kept=kept), rig.at, rig.wall)
    return rig


@pytest.mark.parametrize("waits", [True, False], ids=["next", "now"])
def test_a_reservation_of_a_connector_that_is_gone_is_released(waits: bool) -> None:
    """Law 2, S-68: whoever was next at it ended core at each of its starts, until somebody mended the database."""
    before = Rig()
    before["A3"].plugged = waits
    before.turns(3)
    before.turn(before.request("RESERVE", "r", target="A3", reservationId="R", next=waits))
    assert before.log.stages("r")[-1] == "done"
    rig = restarted(before)
    rig.turns(3)
    told = rig.log.last(EventType.CONNECTOR_RELEASED)
    assert (told.connector, told.data["reservationId"], told.data["why"]) == ("A3", "R", "out_of_service")
    assert not rig.memory.book.reservations
    assert not rig.memory.book.waiting


def test_nothing_else_that_was_kept_of_it_ends_the_turn() -> None:
    """Law 2: sessions, limits, service, signing, bays and emergency stops of what is gone."""
    before = Rig()
    before.charging("A3", order="O-3")
    before.turn(before.request("SET_AVAILABILITY", "o", target="A3", operative=False))
    before.turn(before.request("LIMIT_POWER", "l", target="A3", limit_a=10, source="cli"))
    wall = before.wall
    head = SignedHead(ConnectorId("A3"), owed=next(iter(before.log.rows)))
    rig = restarted(before, head, BayTaken("bay-9", wall), Latched("stop-9", wall))
    rig.turns(5)
    rig.charging("A1", order="O-4")
    assert rig.memory.posts[ConnectorId("A1")].session is not None

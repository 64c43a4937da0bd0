"""ADR 0065: what is being ended stays ended, whatever dies in between, and is closed with what it drew (B23, S-11)."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from siteward.control.recover import recall
from siteward.model.events import EventType
from siteward.model.ids import ConnectorId
from siteward.model.recovered import Recovered
from siteward.model.sessions import OrderState, SessionRecord
from siteward.model.site import Site
from tests.fixtures.story_rig import Rig
from tests.siteward.control.test_idle_fee import IDLE
from tests.siteward.control.test_money import rig_with, whole

A1 = ConnectorId("A1")


def without_a4(site: Site) -> Site:
    """The site file after somebody took the last charger out of it."""
    return replace(site, chargers=site.chargers[:-1])


def without_its_meter(site: Site) -> Site:
    """The site file after the last charger lost its billing meter."""
    charger = site.chargers[-1]
    bare = replace(charger, connectors=(replace(charger.connectors[0], meter=None),))
    return replace(site, chargers=(*site.chargers[:-1], bare))


def begun_anew(rig: Rig, site: Site) -> SessionRecord:
    """A restart with another site file; returns the one session that there is, after some turns."""
    rig.site = site
    rig["A4"].silent = True
    tariffs = tuple(rig.memory.prices.versions.values())
    rig.memory = recall(site, Recovered(tuple(rig.log.rows.values()), tariffs=tariffs), rig.at, rig.wall)
    rig.turns(3)
    (row,) = rig.log.rows.values()
    return row


def test_a_stop_that_was_done_is_not_undone_by_a_restart() -> None:
    """Contract: STOP is done when no current flows; dying before the last register is read does not start it again."""
    rig = Rig()
    session = rig.charging()
    rig["A1"].meter_silent = True
    rig.turn(rig.stop(order="O-1"))
    rig.turns(4)
    assert rig.log.stages("c2") == ["accepted", "done"]
    assert rig.log.rows[session].state is OrderState.CHARGING
    stopped_wh = rig["A1"].register
    rig["A1"].meter_silent = False
    rig.crash()
    rig.turns(20)
    assert rig["A1"].register == stopped_wh
    row = rig.log.rows[session]
    assert (row.state, row.stop_reason, row.energy_wh) == (OrderState.FINISHED, "remote", int(stopped_wh) - 1000)
    assert (row.estimated, row.gap) == (False, False)
    assert "session.resumed" not in rig.log.types("session")


@pytest.mark.parametrize("crashes", [1, 2])
def test_a_stop_that_goes_on_goes_on_over_restarts(crashes: int) -> None:
    """S-31: "The charger does not answer; the stop goes on" was said, and the charger answers only after restarts."""
    rig = Rig()
    session = rig.charging()
    rig["A1"].silent = True
    rig.turn(rig.stop(order="O-1"))
    rig.turns(20)
    assert rig.log.stages("c2") == ["accepted", "failed STOP_TIMEOUT"]
    for _ in range(crashes):
        rig.crash()
        rig.turns(5)
    rig["A1"].silent = False
    rig.turns(20)
    assert rig["A1"].amps == 0.0
    row = rig.log.rows[session]
    assert (row.state, row.stop_reason) == (OrderState.FINISHED, "remote")
    assert row.energy_wh == int(rig["A1"].register) - 1000
    assert (row.estimated, row.gap) == (False, True)


def test_the_next_car_is_not_charged_on_the_bill_of_the_one_that_left() -> None:
    """I5: it left, we died before its last register was read, and another car stands there when we are back."""
    rig = Rig()
    session = rig.charging()
    rig["A1"].meter_silent = True
    rig["A1"].plugged = False
    rig.turns(3)
    assert rig.log.rows[session].state is OrderState.CHARGING
    rig["A1"].plugged, rig["A1"].meter_silent = True, False
    left_wh = rig["A1"].register
    rig.crash()
    rig.turns(30)
    assert rig["A1"].register == left_wh
    row = rig.log.rows[session]
    assert (row.state, row.stop_reason, row.energy_wh) == (OrderState.FINISHED, "unplugged", int(left_wh) - 1000)


def test_a_car_that_leaves_while_nobody_looks_ends_its_stand_not_its_charge() -> None:
    """S-77, ADR 0051: stopped by its driver long before; reason, time and register stay those of its end."""
    rig = rig_with(IDLE)
    session = rig.charging(seconds=30)
    rig.turn(rig.stop(order="O-1"))
    rig.turns(100)
    parked = rig.log.rows[session]
    rig.crash(10)
    rig["A1"].plugged = False
    rig.turns(5)
    row = rig.log.rows[session]
    assert (row.state, row.stop_reason, row.ended_at) == (OrderState.FINISHED, "remote", parked.ended_at)
    assert (row.energy_wh, row.estimated, row.gap) == (parked.energy_wh, False, False)
    assert rig.log.last(EventType.SESSION_FINISHED).data["stopReason"] == "remote"
    whole(rig, row)


def test_a_driver_who_stopped_and_left_unseen_is_told_as_one_who_stopped() -> None:
    """S-11, 0070: the first reason stays; what flowed until it left is read, and the gap is marked."""
    rig = Rig()
    session = rig.charging()
    rig["A1"].silent = True
    rig.turn(rig.stop(order="O-1"))
    rig.turns(3)
    rig.crash()
    rig["A1"].plugged, rig["A1"].silent = False, False
    rig.turns(5)
    row = rig.log.rows[session]
    assert (row.state, row.stop_reason, row.estimated, row.gap) == (OrderState.FINISHED, "remote", False, True)


def test_a_stop_at_a_charger_that_is_dead_since_a_restart_frees_the_order() -> None:
    """S-31: five minutes of silence end it as they do without a restart; its order is not open for ever."""
    rig = Rig()
    session = rig.charging()
    rig["A1"].silent = True
    rig.crash()
    rig.turns(3)
    rig.turn(rig.stop(order="O-1"))
    rig.turns(290)
    assert rig.log.rows[session].state is OrderState.CHARGING
    rig.turns(25)
    row = rig.log.rows[session]
    assert (row.state, row.stop_reason, row.estimated, row.gap) == (OrderState.FINISHED, "remote", True, True)
    assert rig.memory.posts[A1].session is None


def test_its_own_meter_still_tells_what_a_dead_charger_let_through() -> None:
    """B23: the register of a meter beside it is read after the five minutes, and nothing is lost."""
    rig = Rig()
    session = rig.charging("A4")
    rig["A4"].silent = True
    rig.crash()
    rig.turn(rig.stop(order="O-1"))
    rig.turns(330)
    row = rig.log.rows[session]
    assert row.state is OrderState.FINISHED
    assert (row.energy_wh or 0) > 3 * 300
    assert (row.estimated, row.gap) == (False, True)


def test_a_start_that_failed_at_a_dead_charger_may_be_tried_elsewhere() -> None:
    """ADR 0064: it came to no energy, so its order is free; it is not "open" at a box that nobody can reach."""
    rig = Rig()
    rig["A1"].plugged = rig["A2"].plugged = True
    rig.turn()
    request = rig.start("A1", order="O-1")
    rig.turn(request)
    rig["A1"].silent = True
    rig.crash(3.0, (request,))
    rig.turns(400)
    assert rig.log.stages("c1") == ["accepted", "failed START_TIMEOUT"]
    assert [row.state for row in rig.log.rows.values()] == [OrderState.FAILED]
    rig.turn(rig.start("A2", "c9", order="O-1"))
    rig.turns(5)
    assert rig.log.stages("c9") == ["accepted", "done"]


@pytest.mark.parametrize("change", [without_a4, without_its_meter])
def test_a_session_whose_connector_or_meter_left_the_site_file_is_billed(change: Callable[[Site], Site]) -> None:
    """I5: it ends with what its row says, marked as an estimate, and its order is told and settled."""
    rig = rig_with()
    session = rig.charging("A4", seconds=60)
    known = rig.log.rows[session]
    row = begun_anew(rig, change(rig.site))
    assert (row.state, row.stop_reason) == (OrderState.FINISHED, "power_loss")
    assert (row.energy_wh, row.estimated, row.gap) == (known.energy_wh, True, True)
    whole(rig, row)
    assert rig.log.last(EventType.SESSION_FINISHED).data["unmetered"] is False
    rig.turn(settled=(session,))
    assert rig.log.rows[session].state is OrderState.SETTLED


def test_a_session_without_its_connector_that_was_over_before_keeps_its_end() -> None:
    """ADR 0051: its car only stood; the end that its driver chose is the one that is told, and no estimate."""
    rig = rig_with(IDLE)
    session = rig.charging("A4", seconds=30)
    rig.turn(rig.stop(order="O-1"))
    rig.turns(100)
    known = rig.log.rows[session]
    row = begun_anew(rig, without_a4(rig.site))
    assert (row.state, row.stop_reason, row.ended_at) == (OrderState.FINISHED, "remote", known.ended_at)
    assert (row.energy_wh, row.estimated) == (known.energy_wh, False)
    whole(rig, row)


def test_a_start_whose_connector_left_the_site_file_has_failed() -> None:
    """ADR 0064: it came to nothing, so that its order may be started again."""
    rig = rig_with()
    rig.turn()
    rig.turn(rig.start("A4", order="O-1"))
    row = begun_anew(rig, without_a4(rig.site))
    assert (row.state, row.stop_reason) == (OrderState.FAILED, "power_loss")

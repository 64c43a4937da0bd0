"""Every cause that ends a session is reached by what really happens, and recorded by its own word (issue 5 point 1)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from siteward.model.access import Contact
from siteward.model.bookings import EmergencyStop
from siteward.model.ids import ConnectorId
from siteward.model.points import PointName
from siteward.model.sessions import OrderState, StopReason
from siteward.model.tariff import Pricing
from tests.fixtures.story_rig import Rig, story_site
from tests.fixtures.tariffs import two

BUTTON = "io.button"
STOP = EmergencyStop("hall", "Hall", Contact(PointName(BUTTON)), frozenset({ConnectorId("A1")}))
ENDS = {"session.finished": OrderState.FINISHED, "session.cancelled": OrderState.CANCELLED}


def rig_of() -> Rig:
    """A rig with a button and a tariff."""
    site = replace(story_site(), timezone="UTC", emergencies=(STOP,), pricing=Pricing(default="SZ-TOU"))
    rig = Rig(site)
    rig.inputs[BUTTON] = False
    rig.turns(2)
    rig.install(two())
    return rig


def by(**fields: Any) -> Callable[[Rig], None]:
    """Something of the outlet changes."""

    def happens(rig: Rig) -> None:
        for name, value in fields.items():
            setattr(rig["A1"], name, value)

    return happens


def press(rig: Rig) -> None:
    """Somebody hits the button."""
    rig.inputs[BUTTON] = True


def stopped_by(source: str) -> Callable[[Rig], None]:
    """Somebody asks for a stop."""
    return lambda rig: rig.turn(rig.stop("x1", order="O-1", source=source)) and None


def dark(rig: Rig) -> None:
    """Everything loses its power; the meter that comes back is not where it was."""
    rig["A1"].register = 10.0
    rig.crash(30)


def nothing(_: Rig) -> None:
    """What the start said is enough."""


CAUSES: dict[StopReason, tuple[dict[str, object], Callable[[Rig], None], int]] = {
    StopReason.USER: ({}, stopped_by("cli"), 20),
    StopReason.REMOTE: ({}, stopped_by("cloud"), 20),
    StopReason.FULL: ({}, by(asks=False), 330),
    StopReason.UNPLUGGED: ({}, by(plugged=False), 20),
    StopReason.FAULT: ({}, by(fault="E1"), 20),
    StopReason.TIME_LIMIT: ({"maxTime_s": 60}, nothing, 90),
    StopReason.ENERGY_LIMIT: ({"maxEnergy_wh": 60}, nothing, 60),
    StopReason.AMOUNT_LIMIT: ({"maxAmount": 5}, nothing, 90),
    StopReason.EMERGENCY: ({}, press, 20),
    StopReason.POWER_LOSS: ({}, dark, 60),
}


def test_no_cause_is_without_its_story() -> None:
    """One of them ends what never began, and is told below."""
    assert set(StopReason) - set(CAUSES) == {StopReason.NEVER_STARTED}


@pytest.mark.parametrize("cause", list(CAUSES))
@pytest.mark.parametrize("priced", [True, False])
def test_each_cause_has_its_own_word(cause: StopReason, priced: bool) -> None:
    """S-92: in the row, in the event, with the energy to the last count; nothing charges any more."""
    fields, happens, seconds = CAUSES[cause]
    rig = rig_of()
    if not priced and cause is not StopReason.AMOUNT_LIMIT:
        rig.memory = replace(rig.memory, prices=type(rig.memory.prices)())
    session = rig.charging("A1", seconds=10, **fields)
    happens(rig)
    rig.turns(seconds)
    row = rig.log.rows[session]
    assert (row.state, row.stop_reason) == (OrderState.FINISHED, cause)
    told = [fact for _, fact in rig.log.facts if fact.session == session and fact.type.value in ENDS]
    assert [fact.data["stopReason"] for fact in told] == [cause.value]
    assert rig["A1"].amps == 0.0
    if cause is not StopReason.POWER_LOSS:
        assert row.energy_wh == int(rig["A1"].register) - 1000


def test_what_never_began_says_so() -> None:
    """S-14: cancelled, and not one Wh."""
    rig = rig_of()
    rig.turn(rig.start(order="O-1", waitForVehicle_s=30))
    rig.turns(40)
    (row,) = rig.log.rows.values()
    assert (row.state, row.stop_reason, row.energy_wh) == (OrderState.CANCELLED, StopReason.NEVER_STARTED, 0)


@pytest.mark.parametrize("order", ["O-1", None])
def test_another_meter_after_a_restart_is_another_session(order: str | None) -> None:
    """B23: plug, serial and register say whether it is the same; else an exchange is only a new segment."""
    rig = rig_of()
    rig["A4"].plugged = True
    rig.turn()
    rig.turn(rig.start("A4", source="cloud" if order else "cli", **({"order": order} if order else {})))
    rig.turns(30)
    (row,) = rig.log.rows.values()
    last = rig.log.rows[row.id].last_register_wh
    rig["A4"].serial, rig["A4"].register = "SN-2", 5_000.0
    rig.crash(30)
    rig.turns(60)
    row = rig.log.rows[row.id]
    assert (row.state, row.stop_reason, row.gap) == (OrderState.FINISHED, StopReason.POWER_LOSS, True)
    assert row.meter == "SN-1"
    assert row.last_register_wh is not None
    assert last is not None
    assert last - 50 <= row.last_register_wh <= last

"""S-12, S-92, S-95: what an order is told by, from its start to its settlement, and what is told of it in between."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from siteward.model.events import EventType
from siteward.model.ids import ConnectorId
from siteward.model.sessions import OrderState
from siteward.model.tariff import Pricing
from tests.fixtures.story_rig import Rig, story_site
from tests.fixtures.tariffs import depot

A1 = ConnectorId("A1")


def priced() -> Rig:
    """A station with the tariff of a depot, and a car at A1 whose charger tells its battery."""
    rig = Rig(replace(story_site(), timezone="UTC", pricing=Pricing(default="SZ-TOU")))
    rig.install(depot(timezone="UTC", validFrom="2026-01-01T00:00:00Z"))
    rig["A1"].soc_percent = 40.0
    return rig


def told(rig: Rig, kind: EventType) -> dict[str, Any]:
    """The newest event of a kind."""
    return dict(rig.log.last(kind).data)


def test_a_settled_order_has_every_attribute() -> None:
    """S-92: number, connector, times, battery, Wh, duration, prices of 4 decimals, amount of 2, and why it ended."""
    rig = priced()
    session = rig.charging(order="SO-20260301-0001", seconds=90)
    rig["A1"].soc_percent = 41.0
    rig.turns(2)
    rig.turn(rig.stop(order="SO-20260301-0001"))
    rig.turns(4)
    rig["A1"].plugged = False
    rig.turns(12)
    fact = rig.log.last(EventType.SESSION_FINISHED)
    data = dict(fact.data)
    assert (fact.order, fact.connector, fact.session) == ("SO-20260301-0001", A1, session)
    began, ended = (datetime.fromisoformat(str(data[key])) for key in ("startedAt", "endedAt"))
    assert data["duration_s"] == pytest.approx((ended - began).total_seconds(), abs=1.5)
    assert (data["start_soc_percent"], data["stop_soc_percent"]) == (40.0, 41.0)
    assert data["energy_wh"] == data["stop_register_wh"] - data["start_register_wh"] > 0, (
        "whole Wh: three decimals of kWh"
    )
    lines = data["lines"]
    assert {(line["kind"], line["price"]) for line in lines} == {("energy", "1.1009"), ("service", "0.6000")}
    assert data["total"] == sum(line["amount"] for line in lines)
    assert data["currency"] == "CNY"
    assert data["stopReason"] == "remote"


@pytest.mark.parametrize("why", ["user", "full", "fault"])
def test_an_order_tells_why_it_ended(why: str) -> None:
    """S-92: the person, the battery, or a fault."""
    rig = priced()
    rig.charging(seconds=30)
    if why == "user":
        rig.turn(rig.stop(source="panel", role="technician", sessionId=rig.memory.posts[A1].session.record.id))  # type: ignore[union-attr]
    elif why == "full":
        rig["A1"].asks = False
        rig.turns(900)
    else:
        rig["A1"].fault = "E12"
    rig.turns(20)
    rig["A1"].plugged = False
    rig.turns(20)
    row = next(iter(rig.log.rows.values()))
    assert (row.state, told(rig, EventType.SESSION_FINISHED)["stopReason"]) == (OrderState.FINISHED, why)


def test_start_end_and_what_is_not_normal_are_events() -> None:
    """S-12: begin and end of an order, a charger that loses its power in it, and a register that leaps."""
    rig = priced()
    rig.charging(seconds=30)
    rig["A1"].silent = True
    rig.turns(70)
    rig["A1"].silent = False
    rig.turns(10)
    before = rig["A1"].register
    rig["A1"].register = 900_000.0
    rig.turns(5)
    rig["A1"].register = before + 10.0
    rig.turns(10)
    rig.turn(rig.stop(order="O-1"))
    rig.turns(4)
    rig["A1"].plugged = False
    rig.turns(12)
    sessions = rig.log.types("session")
    assert sessions[:3] == ["session.created", "session.starting", "session.charging"]
    assert sessions[-1] == "session.finished"
    raised = [fact.data["code"] for _, fact in rig.log.facts if fact.type is EventType.ALARM_RAISED]
    assert "METER_IMPLAUSIBLE" in raised
    dark = [fact.data["status"] for _, fact in rig.log.facts if fact.type is EventType.CONNECTOR_STATUS]
    assert dark[dark.index("Unavailable") + 1] == "Occupied"


def test_the_battery_of_a_car_that_left_is_not_read_any_more() -> None:
    """Law 5: chargers show 0 % once nobody is plugged in; told is what the car had when it was last there."""
    rig = Rig()
    rig["A1"].soc_percent = 40.0
    rig.charging("A1", seconds=20)
    rig["A1"].plugged = False
    rig["A1"].soc_percent = 0.0
    rig.turns(20)
    data = rig.log.last(EventType.SESSION_FINISHED).data
    assert (data["start_soc_percent"], data["stop_soc_percent"]) == (40.0, 40.0)

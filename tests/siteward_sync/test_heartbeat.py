"""The heartbeat's words: units, rounding, and what is left out."""

import json
from dataclasses import replace
from pathlib import Path

from siteward.client.messages import LiveMessage
from siteward.model.live import AlarmView, ArmKind, ArmView, LiveView
from siteward.model.sessions import ConnectorStatus
from siteward_sync.heartbeat import heartbeat
from siteward_sync.inventory import inventory
from tests.fixtures.clock import RealClock
from tests.fixtures.core import FakeCore
from tests.fixtures.sites import small_site


async def _view(tmp_path: Path) -> LiveView:
    core = FakeCore(tmp_path, RealClock(), small_site())
    core.start(core.site().connectors[0].id, "cloud", "O-7")
    await core.turn_once()
    view = core.live()
    assert view is not None
    return view


async def test_connectors_in_the_contract_s_words(tmp_path: Path) -> None:
    """Contract section 4: Wh and W are integers, A has one decimal, unknown is absent, never zero."""
    view = await _view(tmp_path)
    odd = replace(view.connectors[0], current_a=(15.96, 0.04, 16.0), power_w=10999.6, soc_percent=61.4)
    said = json.loads(heartbeat(_message(replace(view, connectors=(odd, *view.connectors[1:])))).to_json())
    first, idle, lost = said["connectors"][0], said["connectors"][1], said["connectors"][-1]
    assert first["current_a"] == [16.0, 0.0, 16.0]
    assert (first["power_w"], first["soc"], first["orderId"]) == (11000, 61, "O-7")
    assert first["session_energy_wh"] == 1
    assert {"sessionId", "soc", "duration_s"}.isdisjoint(idle)
    assert lost["status"] == "Unavailable"
    assert {"current_a", "voltage_v", "power_w", "energy_wh"}.isdisjoint(lost)
    assert said["at"].endswith("Z")
    assert "reservedUntil" not in idle
    kept = replace(view.connectors[1], status=ConnectorStatus.RESERVED, reservation="r1", reserved_until=view.at)
    told = json.loads(heartbeat(_message(replace(view, connectors=(kept,)))).to_json())["connectors"][0]
    assert (told["status"], told["reservationId"], told["reservedUntil"]) == ("Reserved", "r1", said["at"])
    waited = replace(view.connectors[0], next_reservation="n1", next_for="Ms Li")
    told = json.loads(heartbeat(_message(replace(view, connectors=(waited,)))).to_json())["connectors"][0]
    assert told["nextReservationId"] == "n1"
    assert "Li" not in str(told), "S-85: what is written about people stays on site"


async def test_an_order_is_told_as_it_charges(tmp_path: Path) -> None:
    """S-95: with every heartbeat its power, energy, time and battery, under its number, until it has ended."""
    core = FakeCore(tmp_path, RealClock(), small_site())
    connector = core.site().connectors[0].id
    core.start(connector, "cloud", "O-7")
    beats = []
    for percent in (40.0, 40.6, 41.4):
        await core.turn_once()
        view = core.live()
        assert view is not None
        now = replace(view.connectors[0], power_w=10_999.6, soc_percent=percent)
        said = json.loads(heartbeat(_message(replace(view, connectors=(now,)))).to_json())["connectors"][0]
        beats.append([said[key] for key in ("orderId", "power_w", "session_energy_wh", "duration_s", "soc")])
    assert beats == [["O-7", 11_000, n, n, soc] for n, soc in ((1, 40), (2, 41), (3, 41))]
    core.finish(connector)
    await core.turn_once()
    view = core.live()
    assert view is not None
    over = json.loads(heartbeat(_message(view)).to_json())["connectors"][0]
    assert {"orderId", "sessionId", "session_energy_wh", "duration_s", "soc"}.isdisjoint(over)


async def test_the_fee_so_far_is_there_while_a_tariff_prices_the_session(tmp_path: Path) -> None:
    """S-42, S-53: in minor units with its currency; absent, never zero, where nothing prices it."""
    view = await _view(tmp_path)
    record = view.connectors[0].session
    assert record is not None
    priced = replace(record, total=1234, currency="CNY")
    said = json.loads(
        heartbeat(_message(replace(view, connectors=(replace(view.connectors[0], session=priced),)))).to_json()
    )
    assert (said["connectors"][0]["fee"], said["connectors"][0]["currency"]) == (1234, "CNY")
    bare = json.loads(heartbeat(_message(view)).to_json())
    assert {"fee", "currency"}.isdisjoint(bare["connectors"][0])


async def test_a_car_that_says_105_percent_says_nothing(tmp_path: Path) -> None:
    """An impossible value of one car never stops the heartbeat of the station."""
    view = await _view(tmp_path)
    odd = replace(view.connectors[0], soc_percent=105.0)
    said = heartbeat(_message(replace(view, connectors=(odd,))))
    assert said.connectors[0].soc is None


async def test_the_station_s_one_word(tmp_path: Path) -> None:
    """Available while a connector is free, Occupied when none is, Faulted with an alarm of the highest severity."""
    view = await _view(tmp_path)
    assert heartbeat(_message(view)).station.status == "Available"
    assert heartbeat(_message(replace(view, connectors=view.connectors[:1]))).station.status == "Occupied"
    alarm = AlarmView("FEEDER_OVER_BOUND", "grid", "highest", view.at, "", "")
    assert heartbeat(_message(replace(view, alarms=(alarm,)))).station.status == "Faulted"


async def test_barriers_and_locks_in_the_contract_s_words(tmp_path: Path) -> None:
    """Contract section 5 (barrier, locks, bays): state, sensor and what blocks it; unknown is absent, never no."""
    view = await _view(tmp_path)
    assert {"barriers": [], "locks": []}.items() <= json.loads(heartbeat(_message(view)).to_json()).items()
    gate = ArmView("gate", "Gate", ArmKind.BARRIER, "open", True, "LOOP_NOT_FREE", None, False, False)
    bay = ArmView("bay-1", "Bay", ArmKind.LOCK, "down", None, "SENSOR_UNKNOWN", None, True, True, "A01-1")
    said = json.loads(heartbeat(_message(replace(view, arms=(gate, bay)))).to_json())
    assert said["barriers"] == [
        {"id": "gate", "state": "open", "occupied": True, "blockedBy": "LOOP_NOT_FREE", "emergency": False}
    ]
    assert said["locks"] == [
        {
            "id": "bay-1",
            "connectorId": "A01-1",
            "state": "down",
            "blockedBy": "SENSOR_UNKNOWN",
            "waiting": True,
            "emergency": True,
        }
    ]


def test_inventory_tells_barriers_and_locks() -> None:
    """up/site: what OPEN_BARRIER and RAISE_LOCK may name; a core that knows none yet is understood."""
    bare = {
        "name": "Depot",
        "hash": "0" * 64,
        "phase_voltage_v": 230.0,
        "chargers": (),
        "meters": (),
        "feeders": (),
    }
    assert json.loads(inventory(bare, "1").to_json())["barriers"] == []
    arms = {"barriers": [{"id": "gate", "name": "Gate"}], "locks": [{"id": "b1", "name": "B1", "connector": "A01-1"}]}
    said = json.loads(inventory(bare | arms, "1").to_json())
    assert said["barriers"] == [{"id": "gate", "name": "Gate"}]
    assert said["locks"] == [{"id": "b1", "name": "B1", "connectorId": "A01-1"}]


def test_inventory_tells_kind_of_current_and_ratings() -> None:
    """contract section 4, up/site: code, AC or DC, plug, rated V, A and W of each connector."""
    plug = {"id": "A01-1", "type": "ccs2", "feeder": "grid", "wiring": ["L1", "L2", "L3"], "hardware_max_a": 32.0}
    site = {
        "name": "Depot",
        "hash": "ab",
        "phase_voltage_v": 220.0,
        "chargers": [{"id": "A01", "connectors": [plug, plug | {"id": "A01-2", "type": "type2", "wiring": ["L2"]}]}],
        "meters": [{"id": "m"}],
        "feeders": [{"id": "grid", "rating_a": [100, 100, 100]}],
    }
    dc, ac = inventory(site, "0.1.0").chargers[0].connectors
    assert (dc.current_type, dc.rated_w, dc.rated_v) == ("DC", 21120, 220)
    assert (ac.current_type, ac.rated_w, ac.phases) == ("AC", 7040, 1)


def _message(view: LiveView) -> LiveMessage:
    return LiveMessage.model_validate(view)

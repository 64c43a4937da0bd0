"""What those who command get to read: parameters at their very bounds, results, reasons (I10, contract section 4)."""

from datetime import UTC, datetime, timedelta

import pytest

from siteward.control.params import BadParam, limit_params, report_params, start_params, stop_params
from siteward.model.events import EventType
from siteward.model.ids import ConnectorId
from siteward.model.requests import Request
from siteward.model.sessions import ConnectorStatus
from tests.fixtures.story_rig import Rig


@pytest.fixture
def rig() -> Rig:
    """A quiet station with a car at A1."""
    rig = Rig()
    rig["A1"].plugged = True
    rig.turn()
    return rig


def start(**params: object) -> Request:
    """A START_CHARGE with these parameters."""
    return Rig().start(**params)


def read_start(**params: object) -> tuple[object, ...]:
    """What a start at A1 (16 A, three phases, 230 V) asks for."""
    rig = Rig()
    found = start_params(rig.start(**params), rig.site.connectors[0], rig.site.phase_voltage_v, UTC)
    return found.max_energy_wh, found.max_time_s, found.max_current_a, found.wait_s


@pytest.mark.parametrize(
    ("name", "lowest", "highest"),
    [
        ("maxEnergy_wh", 1, 10_000_000),
        ("maxTime_s", 60, 2_592_000),
        ("waitForVehicle_s", 0, 900),
        ("maxCurrent_a", 6, 10_000),
        ("maxPower_w", 4140, 10_000_000),
    ],
)
def test_a_start_takes_its_bounds_and_nothing_beyond(name: str, lowest: int, highest: int) -> None:
    """S-31: a bound must never be overlooked, nor moved."""
    for value in (lowest, highest):
        assert any(found is not None for found in read_start(**{name: value}))
    for value in (lowest - 1, highest + 1):
        with pytest.raises(BadParam, match=rf"{name}: .* is outside"):
            read_start(**{name: value})


def test_what_a_start_asks_for_arrives_in_its_fields() -> None:
    """Whole numbers as such; the lower of current and power; a wait of 120 s unless told."""
    assert read_start() == (None, None, None, 120.0)
    assert read_start(maxEnergy_wh=5000.9, maxTime_s=61.5, waitForVehicle_s=0) == (5000, 61, None, 0)
    assert read_start(maxCurrent_a=10)[2] == 10
    assert read_start(maxPower_w=6900)[2] == 10.0
    assert read_start(maxPower_w=6900, maxCurrent_a=9)[2] == 9
    assert read_start(maxPower_w=6900, maxCurrent_a=12)[2] == 10.0


def test_a_departure_is_a_time_with_or_without_a_zone() -> None:
    """RFC 3339; without a zone it is the site's time. Both values or none."""
    rig = Rig()
    connector, volts = rig.site.connectors[0], rig.site.phase_voltage_v
    for text in ("2030-01-01T06:00:00Z", "2030-01-01T06:00:00", "2030-01-01T08:00:00+02:00"):
        found = start_params(rig.start(departsAt=text, wantedEnergy_wh=9000), connector, volts, UTC)
        assert found.departs_at == datetime(2030, 1, 1, 6, tzinfo=UTC)
        assert found.wanted_wh == 9000
    for lonely in ({"departsAt": "2030-01-01T06:00:00Z"}, {"wantedEnergy_wh": 9000}):
        with pytest.raises(BadParam, match=r"^departsAt: give departsAt and wantedEnergy_wh together, or neither$"):
            start_params(rig.start(**lonely), connector, volts, UTC)
    with pytest.raises(BadParam, match=r"departsAt: .* lies in the past"):
        start_params(rig.start(departsAt=rig.wall.isoformat(), wantedEnergy_wh=1), connector, volts, UTC)


def test_a_stop_names_a_session_or_an_order() -> None:
    """And never two different orders."""
    rig = Rig()
    assert stop_params(rig.stop(sessionId="s1")) == stop_params(rig.stop(sessionId="s1", orderId=None))
    assert stop_params(rig.stop(orderId="o1")).order == "o1"
    assert stop_params(rig.stop(order="o1", orderId="o1")).order == "o1"
    with pytest.raises(BadParam, match=r"^sessionId: name the session or the order to stop$"):
        stop_params(rig.stop())
    with pytest.raises(BadParam, match=r"^orderId: params and command name different orders$"):
        stop_params(rig.stop(order="o2", orderId="o1"))
    with pytest.raises(BadParam, match=r"^sessionId: 7 is no id$"):
        stop_params(rig.stop(sessionId=7))


def test_a_limit_is_in_amperes_or_in_watts() -> None:
    """B15: exactly one of them; a grid limit is never released by its end."""
    rig = Rig()
    found = limit_params(rig.request("LIMIT_POWER", limit_a=0, failsafe_a=6, onExpiry="keep"))
    assert (found.limit_a, found.limit_w, found.failsafe_a, found.grid) == (0, None, 6, False)
    assert limit_params(rig.request("LIMIT_POWER", **{"limit_w": 4000, "class": "grid"})).grid
    for wrong in ({}, {"limit_a": 6, "limit_w": 4000}):
        with pytest.raises(BadParam, match=r"^limit_a: give exactly one of limit_a and limit_w$"):
            limit_params(rig.request("LIMIT_POWER", **wrong))
    with pytest.raises(BadParam, match=r"^class: 'owner' is not grid$"):
        limit_params(rig.request("LIMIT_POWER", **{"limit_a": 6, "class": "owner"}))
    with pytest.raises(BadParam, match=r"^onExpiry: a grid limit is never released by its end; use keep or failsafe$"):
        limit_params(rig.request("LIMIT_POWER", **{"limit_a": 6, "class": "grid", "onExpiry": "release"}))
    with pytest.raises(BadParam, match="onExpiry: 'never' is none of "):
        limit_params(rig.request("LIMIT_POWER", limit_a=6, onExpiry="never"))


def test_a_report_begins_at_a_sequence_number() -> None:
    """From nothing to the greatest that a journal can hold."""
    rig = Rig()
    assert report_params(rig.request("REPORT_NOW")) is None
    assert report_params(rig.request("REPORT_NOW", fromSeq=0)) == 0
    with pytest.raises(BadParam):
        report_params(rig.request("REPORT_NOW", fromSeq=-1))
    with pytest.raises(BadParam):
        report_params(rig.request("REPORT_NOW", fromSeq=2**63))


def test_a_start_answers_with_its_session_and_connector(rig: Rig) -> None:
    """Accepted at once, done with what was observed."""
    rig.turn(rig.start(order="O-1"))
    (accepted,) = [r for _, r in rig.log.replies if r.stage == "accepted"]
    session = rig.memory.posts[ConnectorId("A1")].session
    assert session is not None
    assert dict(accepted.result or {}) == {"sessionId": session.record.id, "connectorId": "A1"}
    rig.turns(6)
    done = dict(rig.log.final("c1").result or {})
    observed = done.pop("observed")
    assert done == {"sessionId": session.record.id, "connectorId": "A1"} | (
        {"waitingFor": done["waitingFor"]} if "waitingFor" in done else {}
    )
    assert isinstance(observed, dict)
    assert (observed["online"], observed["state"] in ("preparing", "charging")) == (True, True)


def test_a_stop_that_is_done_does_not_answer_that_the_car_charges(rig: Rig) -> None:
    """Contract section 4: STOP is done when no current flows; the session then only waits for its final register."""
    session = rig.charging("A1")
    rig["A1"].meter_silent = True
    rig.turn(rig.stop("c2", sessionId=session))
    rig.turns(6)
    assert rig.memory.posts[ConnectorId("A1")].session is not None, "it waits"
    assert rig.log.stages("c2") == ["accepted", "done"]
    observed = (rig.log.final("c2").result or {})["observed"]
    assert observed == {"state": "finishing", "online": True, "current_a": 0.0}


def test_a_stop_that_goes_on_is_said_to_go_on(rig: Rig) -> None:
    """Goal 1: after 10 s with current the stop has failed so far; neither charging nor finished is true."""
    session = rig.charging("A1")
    rig["A1"].stuck_a = 9.0
    rig.turn(rig.stop("c2", sessionId=session))
    rig.turns(14)
    assert rig.log.stages("c2") == ["accepted", "failed STOP_TIMEOUT"]
    observed = (rig.log.final("c2").result or {})["observed"]
    assert observed == {"state": "stopping", "online": True, "current_a": 9.0}


def test_who_is_busy_is_told_with_what(rig: Rig) -> None:
    """The message names the session, or where the order is open."""
    session = rig.charging("A1", "O-1")
    rig.turn(rig.start("A1", "again"))
    assert rig.log.stages("again") == ["rejected CONNECTOR_BUSY"]
    assert f"session {session}" in str(rig.log.final("again").message)
    rig["A3"].plugged = True
    rig.turn(rig.start("A3", "twice", order="O-1"))
    assert "order O-1 is open at A1" in str(rig.log.final("twice").message)


def test_a_departure_is_told_when_the_session_opens(rig: Rig) -> None:
    """B12: what the platform wanted is in the journal; without one neither field is."""
    departs = (rig.wall + timedelta(hours=2)).isoformat()
    rig.turn(rig.start("A1", departsAt=departs, wantedEnergy_wh=9000))
    data = rig.log.last(EventType.SESSION_CREATED).data
    assert datetime.fromisoformat(str(data["departsAt"])) == datetime.fromisoformat(departs)
    assert data["wantedEnergy_wh"] == 9000
    rig.turns(2)
    need = rig.log.demands[-1][1][ConnectorId("A1")].need_a
    assert need == pytest.approx(9000 / (2.0 * 3 * 230.0), rel=0.01)


def test_what_was_charged_is_no_longer_needed(rig: Rig) -> None:
    """B12: the need shrinks with the energy and is gone when it is there."""
    rig.turn(rig.start("A1", departsAt=(rig.wall + timedelta(hours=1)).isoformat(), wantedEnergy_wh=400))
    rig.turns(10)
    first = rig.log.demands[-1][1][ConnectorId("A1")].need_a
    rig.turns(60)
    later = rig.log.demands[-1][1][ConnectorId("A1")].need_a
    assert 0.0 < later < 0.7 * first
    rig.turns(120)
    assert rig.log.demands[-1][1][ConnectorId("A1")].need_a == 0.0


def test_the_live_view_says_who_is_occupied(rig: Rig) -> None:
    """OCPP status, with the session while there is one."""
    session = rig.charging("A1", "O-1")
    assert rig.chapter is not None
    now = rig.chapter.connectors[ConnectorId("A1")]
    assert now.status is ConnectorStatus.OCCUPIED
    assert now.session is not None
    assert (now.session.id, now.charging_s > 0) == (session, True)
    free = rig.chapter.connectors[ConnectorId("A3")]
    assert (free.status, free.session, free.suspended_by) == (ConnectorStatus.AVAILABLE, None, None)


def test_a_silent_billing_meter_is_an_alarm_unless_the_charger_itself_is_silent() -> None:
    """B23: a meter of its own is judged by itself, a charger's by whether it answers."""
    rig = Rig()
    rig.charging("A4", "O-4")
    rig["A4"].meter_silent = rig["A4"].silent = True
    rig.turns(40)
    assert "SESSION_METER_LOST" in {f.data["code"] for _, f in rig.log.facts if f.type is EventType.ALARM_RAISED}
    other = Rig()
    other.charging("A1", "O-1")
    other["A1"].silent = True
    other.turns(40)
    assert "SESSION_METER_LOST" not in {f.data["code"] for _, f in other.log.facts if f.type is EventType.ALARM_RAISED}

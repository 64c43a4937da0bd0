"""Judging of commands: every refusal with its code, params by field name, and what is always allowed (R15)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from siteward.control.params import BadParam, start_params
from siteward.model.events import ClockQuality, EventType
from siteward.model.ids import ConnectorId
from siteward.model.limits import LimitSource, OnLimitExpiry
from siteward.model.requests import CommandName, Stage
from siteward.model.sessions import OrderState
from tests.fixtures.story_rig import Rig

UNSUPPORTED = {
    CommandName.OPEN_BARRIER,
    CommandName.CLOSE_BARRIER,
    CommandName.RAISE_LOCK,
    CommandName.LOWER_LOCK,
    CommandName.SET_CONFIG,
    CommandName.UPDATE_FIRMWARE,
    CommandName.GET_DIAGNOSTICS,
    CommandName.RESET,
}


@pytest.fixture
def rig() -> Rig:
    """A quiet station with a car at A1."""
    rig = Rig()
    rig["A1"].plugged = True
    rig.turn()
    return rig


@pytest.mark.parametrize("name", sorted(UNSUPPORTED))
def test_what_this_version_cannot_do_is_refused_with_a_code(rig: Rig, name: str) -> None:
    rig.turn(rig.request(name, target="A1"))
    assert rig.log.stages("c1") == ["rejected NOT_SUPPORTED"]


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"maxEnergy_wh": 0}, "maxEnergy_wh: 0 is outside"),
        ({"max_energy_wh": -5}, "maxEnergy_wh: -5 is outside"),
        ({"maxEnergy_wh": "5"}, "maxEnergy_wh: '5' is no number"),
        ({"maxEnergy_wh": True}, "maxEnergy_wh: True is no number"),
        ({"maxTime_s": 5}, "maxTime_s: 5 is outside 60.."),
        ({"maxTime_s": float("nan")}, "maxTime_s: nan is no number"),
        ({"maxCurrent_a": 5.9}, "maxCurrent_a: 5.9 is outside 6.."),
        ({"maxPower_w": 4000}, "maxPower_w: 4000 is outside 4140.."),
        ({"departsAt": "2030-01-01T06:00:00Z"}, "departsAt: give departsAt and wantedEnergy_wh together"),
        (
            {"departsAt": "2020-01-01T06:00:00Z", "wantedEnergy_wh": 9000},
            "departsAt: 2020-01-01 06:00 lies in the past",
        ),
        ({"departsAt": "soon", "wantedEnergy_wh": 9000}, "departsAt: 'soon' is no time of RFC 3339"),
        ({"phaseSwitching": 1}, "phaseSwitching: 1 is neither true nor false"),
        ({"waitForVehicle_s": 9999}, "waitForVehicle_s: 9999 is outside 0..900"),
    ],
)
def test_a_bad_start_parameter_is_named(rig: Rig, params: dict[str, object], named: str) -> None:
    rig.turn(rig.start(**params))
    assert rig.log.stages("c1") == ["rejected BAD_PARAMS"]
    assert named in str(rig.log.final("c1").message)


EDGES = ("0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z")
"""Instants that no UTC has, and those that no zone east or west of it has."""


@pytest.mark.parametrize("at", EDGES)
def test_a_time_at_the_edge_of_the_calendar_is_refused(rig: Rig, at: str) -> None:
    """S-99, law 2: one word of the platform never ends the turn, which is what protects the fuses."""
    rig.turn(
        rig.start(departsAt=at, wantedEnergy_wh=9000),
        rig.request("LIMIT_POWER", "c2", target="A1", limit_a=10, validUntil=at),
    )
    rig.turns(3)
    assert rig.log.stages("c1") == ["rejected BAD_PARAMS"]
    assert rig.log.stages("c2") == ["rejected BAD_PARAMS"]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Los_Angeles"])
@pytest.mark.parametrize("at", EDGES)
def test_a_departure_is_one_that_every_clock_can_show(at: str, zone: str) -> None:
    """S-99: the panel shows it by the site's clock, years later too."""
    rig = Rig()
    connector = rig.site.connectors[0]
    request = rig.start(departsAt=at, wantedEnergy_wh=9000)
    with pytest.raises(BadParam, match="departsAt"):
        start_params(request, connector, 230.0, ZoneInfo(zone))


@pytest.mark.parametrize("digits", [10**400, -(10**400)], ids=["huge", "huge below 0"])
@pytest.mark.parametrize(
    ("name", "param"), [("START_CHARGE", "maxEnergy_wh"), ("LIMIT_POWER", "limit_a"), ("REPORT_NOW", "fromSeq")]
)
def test_a_number_beyond_all_others_is_refused(rig: Rig, name: str, param: str, digits: int) -> None:
    """S-99: what no float holds is out of range like any other."""
    rig.turn(rig.request(name, target="A1", **{param: digits}))
    assert rig.log.stages("c1") == ["rejected BAD_PARAMS"]
    assert str(rig.log.final("c1").message).endswith("is no number")


def test_a_start_needs_a_known_target(rig: Rig) -> None:
    rig.turn(rig.request("START_CHARGE", "c1"), rig.start("nowhere", "c2"))
    assert rig.log.stages("c1") == ["rejected BAD_PARAMS"]
    assert rig.log.stages("c2") == ["rejected UNKNOWN_TARGET"]


def test_energy_cannot_be_promised_without_a_billing_meter(rig: Rig) -> None:
    """Ruling 9: VAh is never billed, so a prepaid amount cannot be counted there."""
    rig["A3"].plugged = True
    rig.turn(rig.start("A3", maxEnergy_wh=5000))
    assert rig.log.stages("c1") == ["rejected BAD_PARAMS"]


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        ({"silent": True}, "CHARGER_UNREACHABLE"),
        ({"fault": "E7"}, "CONNECTOR_FAULTED"),
        ({"verified": False}, "FAILSAFE_UNVERIFIED"),
    ],
)
def test_a_start_is_refused_where_it_is_not_safe(rig: Rig, trouble: dict[str, object], code: str) -> None:
    """R8: unverified chargers start no session."""
    for name, value in trouble.items():
        setattr(rig["A1"], name, value)
    rig.turns(2)
    rig.turn(rig.start())
    assert rig.log.stages("c1") == [f"rejected {code}"]
    assert rig.log.types("session") == []


def test_a_start_in_the_first_turn_of_a_life_is_unverified() -> None:
    """R8 at start: nothing was read back yet."""
    rig = Rig()
    rig.crash()
    rig.turn(rig.start())
    assert rig.log.stages("c1") == ["rejected FAILSAFE_UNVERIFIED"]


def test_a_busy_connector_and_an_open_order_are_refused(rig: Rig) -> None:
    rig["A2"].plugged = True
    rig.charging(order="O-1")
    rig.turn(rig.start("A1", "c2", order="O-2"), rig.start("A2", "c3", order="O-1"))
    assert rig.log.stages("c2") == ["rejected CONNECTOR_BUSY"]
    assert rig.log.stages("c3") == ["rejected CONNECTOR_BUSY"]


def test_two_starts_of_one_turn_open_one_session_each_with_its_own_id(rig: Rig) -> None:
    rig["A2"].plugged = True
    rig.turn(rig.start("A1", "c1", order="O-1"), rig.start("A2", "c2", order="O-2"), rig.start("A2", "c3", order="O-3"))
    assert len(rig.log.rows) == 2
    assert rig.log.stages("c3") == ["rejected CONNECTOR_BUSY"]


def test_a_new_session_waits_for_its_commit(rig: Rig) -> None:
    """Ruling 18: no current is asked for while the batch with session.created is not on disk."""
    rig.turn(rig.start())
    rig.commit_age_s = 1.0
    rig.turn()
    rig.commit_age_s = 2.0
    rig.turn()
    assert not any(demands[ConnectorId("A1")].wants for _, demands in rig.log.demands)
    rig.commit_age_s = 0.3
    rig.turn()
    assert rig.log.demands[-1][1][ConnectorId("A1")].wants


def test_a_local_start_needs_no_order_and_no_clock(rig: Rig) -> None:
    """Rulings 10 and 15: local starts are allowed on an untrusted clock and carry no order."""
    rig.clock = ClockQuality.UNSYNCED
    rig.turn(rig.start(source="panel", role="technician"))
    rig.turns(3)
    assert rig.log.stages("c1") == ["accepted", "done"]
    created = rig.log.last(EventType.SESSION_CREATED)
    assert (created.order, created.data["source"], created.data["user"]) == (None, "panel", "ann")


def test_the_platform_cannot_start_by_an_expiry_that_nobody_can_judge(rig: Rig) -> None:
    """Ruling 10."""
    rig.clock = ClockQuality.UNSYNCED
    rig.turn(rig.start(deadline=rig.at + 60.0))
    assert rig.log.stages("c1") == ["rejected CLOCK_UNTRUSTED"]


def test_a_viewer_may_not_start_but_stop(rig: Rig) -> None:
    """R15: stops override the role."""
    rig.turn(rig.start(source="panel", role="viewer"))
    assert rig.log.stages("c1") == ["rejected NOT_AUTHORISED"]
    session = rig.charging()
    rig.turn(rig.stop("c2", source="panel", role="viewer", sessionId=session))
    rig.turns(3)
    assert rig.log.stages("c2") == ["accepted", "done"]
    assert rig.log.last(EventType.SESSION_FINISHED).data["stopReason"] == "user"


def test_an_expired_command_never_acts_not_even_a_stop(rig: Rig) -> None:
    """Contract section 4; a stop is exempt only where our clock cannot judge (R15)."""
    session = rig.charging()
    rig.turn(rig.start("A2", "c1", deadline=rig.at), rig.stop("c2", sessionId=session, deadline=rig.at))
    assert rig.log.stages("c1") == rig.log.stages("c2") == ["expired EXPIRED"]
    rig.clock = ClockQuality.UNSYNCED
    rig.turn(rig.stop("c3", sessionId=session, deadline=rig.at))
    assert rig.log.stages("c3")[0] == "accepted"


def test_a_start_that_expires_before_a_car_comes_is_expired(rig: Rig) -> None:
    rig.turn(rig.start("A2", deadline=rig.at + 10.0))
    rig.turns(15)
    assert rig.log.stages("c1") == ["accepted", "expired EXPIRED"]
    assert rig.log.types("session") == ["session.created", "session.cancelled"]


def test_a_stop_during_the_start_ends_both_with_one_answer_each(rig: Rig) -> None:
    """I10."""
    rig["A1"].room_a = 0.0
    rig.turn(rig.start(order="O-1"))
    rig.turn(rig.stop("c2", order="O-1"))
    rig.turns(3)
    assert rig.log.stages("c1") == ["accepted", "failed SESSION_ENDED"]
    assert rig.log.stages("c2") == ["accepted", "done"]
    assert rig.log.types("session")[-1] == "session.cancelled"


def test_a_start_that_the_charger_never_takes_times_out(rig: Rig) -> None:
    """B20: 60 s; the order fails and the connector is free again."""
    rig["A1"].deaf = True
    rig.turn(rig.start())
    rig.turns(70)
    assert rig.log.stages("c1") == ["accepted", "failed START_TIMEOUT"]
    assert rig.log.types("session")[-1] == "session.failed"
    assert rig.memory.posts[ConnectorId("A1")].session is None


def test_a_stop_may_name_session_and_order_only_of_one_session(rig: Rig) -> None:
    session = rig.charging(order="O-1")
    rig.turn(rig.stop("c2", sessionId=session, orderId="O-2"), rig.stop("c3", orderId="O-1", order="O-2"))
    assert rig.log.stages("c2") == ["rejected SESSION_MISMATCH"]
    assert rig.log.stages("c3") == ["rejected BAD_PARAMS"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"target": "station"}, "BAD_PARAMS"),
        ({"target": "station", "limit_a": 5, "limit_w": 5}, "BAD_PARAMS"),
        ({"target": "station", "limit_a": 20}, "BAD_PARAMS"),
        ({"target": "station", "limit_a": -1, "source": "cli"}, "BAD_PARAMS"),
        ({"limit_a": 20, "source": "cli"}, "BAD_PARAMS"),
        ({"target": "nowhere", "limit_a": 20, "source": "cli"}, "UNKNOWN_TARGET"),
        ({"target": "station", "limit_a": 20, "validUntil": "tomorrow"}, "BAD_PARAMS"),
        ({"target": "station", "limit_a": 20, "validUntil": "2026-03-09T00:00:00Z"}, "BAD_PARAMS"),
        ({"target": "station", "limit_a": 20, "validUntil": "2026-02-01T00:00:00Z"}, "BAD_PARAMS"),
        ({"target": "station", "limit_a": 20, "source": "cli", "onExpiry": "vanish"}, "BAD_PARAMS"),
        ({"target": "station", "limit_a": 20, "source": "cli", "class": "grid", "onExpiry": "release"}, "BAD_PARAMS"),
        ({"target": "station", "limit_a": 20, "source": "cli", "class": "sun"}, "BAD_PARAMS"),
    ],
)
def test_a_bad_limit_is_refused(rig: Rig, fields: dict[str, object], code: str) -> None:
    """B15, R15: cloud limits end within 24 h; class grid is never released."""
    rig.turn(rig.request("LIMIT_POWER", **fields))
    assert rig.log.stages("c1") == [f"rejected {code}"]
    assert rig.memory.limits == ()


def test_a_limit_in_watts_is_taken_at_nominal_voltage(rig: Rig) -> None:
    """R20: 13.8 kW on three phases of 230 V are 20 A."""
    rig.turn(rig.request("LIMIT_POWER", source="panel", target="station", limit_w=13_800))
    (limit,) = rig.memory.limits
    assert limit.limit_a == (20.0, 20.0, 20.0)
    assert (limit.source, limit.on_expiry, limit.ends_at) == (LimitSource.PANEL, OnLimitExpiry.RELEASE, None)


def test_lifting_a_limit_needs_a_role_and_a_clock_lowering_needs_neither(rig: Rig) -> None:
    """R15: only reductions are exempt."""
    until = (rig.wall + timedelta(hours=1)).isoformat()
    first = {"target": "row", "limit_a": 20, "validUntil": until}
    rig.turn(rig.request("LIMIT_POWER", "c1", **first))
    rig.clock = ClockQuality.UNSYNCED
    rig.turn(rig.request("LIMIT_POWER", "c2", deadline=rig.at + 9, **(first | {"limit_a": 30})))
    rig.turn(rig.request("LIMIT_POWER", "c3", deadline=rig.at + 9, **(first | {"limit_a": 10})))
    assert rig.log.stages("c2") == ["rejected CLOCK_UNTRUSTED"]
    assert rig.log.stages("c3")[0] == "accepted"
    assert [min(limit.limit_a) for limit in rig.memory.limits] == [10]


def test_an_untrusted_clock_measures_a_validity_between_the_senders_two_times(rig: Rig) -> None:
    """R15: valid_until - issuedAt, from receipt."""
    rig.clock = ClockQuality.UNSYNCED
    theirs = rig.wall + timedelta(days=400)
    until = (theirs + timedelta(seconds=90)).isoformat()
    rig.turn(rig.request("LIMIT_POWER", target="row", limit_a=9, validUntil=until, issued_at=theirs))
    received = rig.at - 1.0
    assert rig.memory.limits[0].ends_at == pytest.approx(received + 90.0)


def test_report_now_is_answered_at_once_with_the_states(rig: Rig) -> None:
    rig.turn(rig.request("REPORT_NOW", fromSeq=7))
    assert rig.log.stages("c1") == ["accepted", "done"]
    result = rig.log.final("c1").result
    assert result is not None
    assert result["fromSeq"] == 7
    assert result["connectors"] == {"A1": "preparing", "A2": "available", "A3": "available", "A4": "available"}


def test_a_refusal_brings_its_sentence(rig: Rig) -> None:
    """Ruling 30."""
    rig.turn(rig.stop("c2", sessionId="nobody"))
    reply = rig.log.final("c2")
    assert (reply.stage, reply.message) == (Stage.REJECTED, "There is no such session.")


def test_current_of_the_order_bounds_the_demand(rig: Rig) -> None:
    rig.charging(maxCurrent_a=10, maxPower_w=5520)
    assert rig.log.demands[-1][1][ConnectorId("A1")].max_a == pytest.approx(8.0)
    assert next(iter(rig.log.rows.values())).state is OrderState.CHARGING


@pytest.mark.parametrize(
    ("zone", "now", "asked", "leaves"),
    [
        ("Asia/Shanghai", "2026-03-01T00:00:00Z", "09:30", "2026-03-01T01:30:00Z"),
        ("Asia/Shanghai", "2026-03-01T00:00:00Z", "07:30", "2026-03-01T23:30:00Z"),
        ("Asia/Shanghai", "2026-03-01T00:00:00Z", "8:00", "2026-03-02T00:00:00Z"),
        ("Asia/Shanghai", "2026-03-01T00:00:00Z", "2026-03-03T07:30", "2026-03-02T23:30:00Z"),
        ("Asia/Shanghai", "2026-03-01T00:00:00Z", "2026-03-03T07:30:00Z", "2026-03-03T07:30:00Z"),
        ("Europe/Berlin", "2026-03-28T20:00:00Z", "02:30", "2026-03-30T00:30:00Z"),
        ("Europe/Berlin", "2026-10-24T20:00:00Z", "02:30", "2026-10-25T00:30:00Z"),
        ("Europe/Berlin", "2026-10-25T00:40:00Z", "02:30", "2026-10-25T01:30:00Z"),
    ],
)
def test_a_departure_is_read_by_the_clocks_of_the_site(zone: str, now: str, asked: str, leaves: str) -> None:
    """B12, fault 59: HH:MM is the next time they show it; a night that skips an hour or has it twice is no trap."""
    rig = Rig()
    request = replace(rig.start(departsAt=asked, wantedEnergy_wh=9000), received_wall=datetime.fromisoformat(now))
    params = start_params(request, rig.site.connectors[0], 230.0, ZoneInfo(zone))
    assert params.departs_at == datetime.fromisoformat(leaves)


def test_a_departure_that_is_over_is_told_by_the_clocks_of_the_site(rig: Rig) -> None:
    """B12: both times and the zone stand in the refusal."""
    request = replace(
        rig.start(departsAt="2026-03-01T07:30", wantedEnergy_wh=9000),
        received_wall=datetime(2026, 3, 1, 1, 0, tzinfo=UTC),
    )
    with pytest.raises(BadParam) as told:
        start_params(request, rig.site.connectors[0], 230.0, ZoneInfo("Asia/Shanghai"))
    assert str(told.value) == ("departsAt: 2026-03-01 07:30 lies in the past, it is 2026-03-01 09:00 (Asia/Shanghai)")


def test_a_car_is_switched_only_where_its_start_says_so_and_nothing_was_forgotten(rig: Rig) -> None:
    """B14: off by default; a session that the controller lost sight of has no count of its switches any more."""
    rig.charging(phaseSwitching=True)
    assert rig.log.demands[-1][1][ConnectorId("A1")].may_switch
    assert rig.log.last(EventType.SESSION_CREATED).data["phaseSwitching"] is True
    rig.crash()
    rig.turns(5)
    assert rig.log.demands[-1][1][ConnectorId("A1")].wants
    assert not rig.log.demands[-1][1][ConnectorId("A1")].may_switch


def test_a_start_that_says_nothing_of_phases_allows_nothing(rig: Rig) -> None:
    """B14."""
    rig.charging()
    assert rig.log.demands[-1][1][ConnectorId("A1")].wants
    assert not rig.log.demands[-1][1][ConnectorId("A1")].may_switch


def test_a_departure_asks_for_the_current_that_it_needs(rig: Rig) -> None:
    """B12: 6.9 kWh in one hour on three phases are 10 A; late, fed or without a trusted clock it is nobody's need."""
    start = rig.wall
    rig.charging(departsAt=(start + timedelta(hours=1)).isoformat(), wantedEnergy_wh=6900)
    assert rig.log.demands[-1][1][ConnectorId("A1")].need_a == pytest.approx(10.0, rel=0.05)
    rig.clock = ClockQuality.UNSYNCED
    rig.turn()
    assert rig.log.demands[-1][1][ConnectorId("A1")].need_a == 0.0
    rig.clock = ClockQuality.NTP
    rig.turn()
    assert rig.log.demands[-1][1][ConnectorId("A1")].need_a > 9.0
    rig.turns(3700)
    assert rig.log.demands[-1][1][ConnectorId("A1")].need_a == 0.0

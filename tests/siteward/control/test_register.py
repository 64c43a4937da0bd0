"""The billing register: accepted only when it can be true (B22), never from a VAh counter (ruling 9)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siteward.control.register import Register, RegisterReading, billing_meter, judge, read_register
from siteward.model.events import EventType
from siteward.model.ids import ConnectorId
from siteward.model.readings import ChargerReading
from tests.fixtures.story_rig import Rig, story_site

KW = 11_040.0


def test_who_bills() -> None:
    site = story_site()
    assert [billing_meter(site, c) for c in site.connectors] == ["A1", "A2", None, "m-A4"]


@pytest.mark.parametrize(
    ("wh", "after_s", "serial", "accepted"),
    [
        (1000, 1.0, "S", True),
        (1100, 1.0, "S", True),
        (1104, 1.0, "S", False),
        (1311, 60.0, "S", True),
        (1330, 60.0, "S", False),
        (999, 60.0, "S", False),
        (0, 60.0, "S", False),
        (1001, 1.0, "T", False),
        (1001, 1.0, None, True),
    ],
)
def test_a_value_is_accepted_only_within_what_can_be_delivered(
    wh: int, after_s: float, serial: str | None, accepted: bool
) -> None:
    """0 <= delta <= rated power x time x 1.2 + one step, of the same meter."""
    before = judge(Register("m"), RegisterReading(1000, 10.0, "S"), KW)
    after = judge(before, RegisterReading(wh, 10.0 + after_s, serial), KW)
    assert (after.wh == wh) is accepted
    assert after.held == (0 if accepted else 1)
    assert (after.name, after.serial) == ("S", "S")


def test_the_same_reading_is_judged_once() -> None:
    register = judge(Register("m"), RegisterReading(1000, 10.0, None), KW)
    bad = RegisterReading(1, 11.0, None)
    for _ in range(9):
        register = judge(register, bad, KW)
    assert register.held == 1
    assert not register.doubted


@pytest.mark.parametrize(
    ("share", "gap_s", "strays"),
    [(1.0, 5.0, False), (1.019, 5.0, False), (1.03, 5.0, True), (0.97, 5.0, True), (1.5, 16.0, False)],
)
def test_a_register_that_strays_from_its_meters_own_power_is_told(share: float, gap_s: float, strays: bool) -> None:
    """B22: power only checks; over 2 % and more than a step of the register, and never over a hole between reads."""
    register = Register("m")
    for n in range(1 + int(7200 / gap_s)):
        shown = RegisterReading(1000 + round(n * gap_s * KW / 3600.0), n * gap_s, "S", KW * share)
        register = judge(register, shown, KW)
    assert register.strays is strays
    assert register.beside_wh == (0 if gap_s > 15.0 else register.wh - 1000)  # type: ignore[operator]


def test_little_energy_proves_nothing_by_power() -> None:
    """B22: 0.05 kWh, and a step of the coarsest register."""
    register = Register("m")
    for n in range(100):
        register = judge(register, RegisterReading(1000, float(n), "S", 5_000.0 if n % 2 else 0.0), KW)
    assert register.flowed_wh == pytest.approx(99 * 2500.0 / 3600.0)
    assert not register.strays


@pytest.mark.parametrize(("age_s", "told_at"), [(None, 99.9), (0.5, 99.5), (9.9, 90.1), (10.1, None)])
def test_a_register_is_as_old_as_its_own_request(age_s: float | None, told_at: float | None) -> None:
    """B22, B24: a charger that shows it beside every poll does not make it young by that."""
    site = story_site()
    energy_at = None if age_s is None else 100.0 - age_s
    amps = (16.0, 16.0, 16.0)
    reading = ChargerReading(ConnectorId("A1"), 99.9, measured_a=amps, power_w=0.0, energy_wh=1234, energy_at=energy_at)
    snapshot = replace(Rig(site).snapshot(), at=100.0, chargers={reading.connector: reading})
    found = read_register(site, snapshot, site.connectors[0])
    assert (None if found is None else found.sent_at) == told_at
    # A power that may be a minute old is no proof of a register that stands still, nor of one that strays.
    assert found is None or (found.power_w, found.rough) == ((0.0, False) if age_s is None else (KW, True))


@pytest.mark.parametrize(
    ("power_w", "doubted"), [(KW, True), (3680.0, False), (0.0, False), (-KW, False), (None, False)]
)
def test_a_register_that_stands_still_while_its_meter_shows_power_is_doubted(
    power_w: float | None, doubted: bool
) -> None:
    """B22: a frozen counter would give the energy away; what flows is known from the same meter."""
    register = judge(Register("m"), RegisterReading(1000, 0.0, "S", power_w), KW)
    for second in range(1, 121):
        register = judge(register, RegisterReading(1000, float(second), "S", power_w), KW)
    assert register.doubted is doubted
    assert (register.fresh_at == 120.0) is not doubted
    assert register.wh == 1000
    moved = judge(register, RegisterReading(1050, 121.0, "S", power_w), KW)
    assert (moved.wh, moved.doubted, moved.fresh_at) == (1050, False, 121.0)


@given(st.lists(st.tuples(st.integers(0, 2_000_000), st.floats(0.5, 5.0)), max_size=30))
def test_the_believed_register_never_goes_back(readings: list[tuple[int, float]]) -> None:
    """I6: whatever the wire says."""
    register, at = Register("m"), 0.0
    for wh, step_s in readings:
        before, at = register, at + step_s
        register = judge(register, RegisterReading(wh, at, None), KW)
        assert before.wh is None or (register.wh or 0) >= before.wh


def test_a_jump_in_a_session_is_held_flagged_and_left_out_of_the_energy() -> None:
    """B22: held, three re-reads, then an alarm; true values are believed again."""
    rig = Rig()
    session = rig.charging()
    true_register = rig["A1"].register
    rig["A1"].register = 999_999.0
    rig.turns(2)
    assert rig.log.types("alarm") == []
    rig.turns(2)
    assert rig.log.last(EventType.ALARM_RAISED).data["code"] == "METER_IMPLAUSIBLE"
    rig["A1"].register = true_register + 20.0
    rig.turns(8)
    rig.turn(rig.stop(sessionId=session))
    rig.turns(3)
    finished = rig.log.last(EventType.SESSION_FINISHED).data
    assert finished["energy_wh"] == int(rig["A1"].register) - 1000
    assert finished["estimated"] is False
    assert rig.log.types("alarm") == ["alarm.raised", "alarm.cleared"]


def test_another_serial_in_a_session_is_another_meter() -> None:
    """Fault 32: the meter was exchanged; the paid session is closed with the last value of the old one."""
    rig = Rig()
    rig.charging("A4")
    start = rig.log.last(EventType.SESSION_CHARGING).data
    rig["A4"].serial, rig["A4"].register = "SN-2", 5.0
    rig.turns(50)
    finished = rig.log.last(EventType.SESSION_FINISHED).data
    assert (start["meter"], finished["meter"], finished["estimated"]) == ("SN-1", "SN-1", True)
    assert finished["start_register_wh"] == 1000
    assert finished["stopDetail"] == "SESSION_METER_LOST"


@pytest.mark.parametrize("top_wh", [1 << 32, 1_000_000_000])
def test_a_register_that_rolls_over_is_a_new_one(top_wh: int) -> None:
    """Fault 31: at 2^32 Wh or 10^6 kWh; the session ends with its last value and a mark, the next one counts anew."""
    rig = Rig()
    rig["A4"].register = float(top_wh - 200)
    rig.charging("A4")
    rig["A4"].register = 5.0
    rig.turns(50)
    finished = rig.log.last(EventType.SESSION_FINISHED).data
    assert (finished["start_register_wh"], finished["estimated"]) == (top_wh - 200, True)
    assert 0 <= finished["energy_wh"] <= 200
    assert "METER_IMPLAUSIBLE" in [f.data.get("code") for _, f in rig.log.facts]
    rig.charging("A4", order="O-2")
    assert rig.log.last(EventType.SESSION_CHARGING).data["start_register_wh"] < 1000


def test_rows_are_written_every_15_s_or_tenth_of_a_kwh() -> None:
    """B23: what a crash may cost."""
    rig = Rig()
    session = rig.charging()
    worst_s, worst_wh, last_at, last_wh = 0.0, 0, rig.at, rig.log.rows[session].last_register_wh or 0
    for _ in range(120):
        chapter = rig.turn()
        row = chapter.draft.rows.get(session)
        if row is not None:
            last_at, last_wh = rig.at, row.last_register_wh or 0
        worst_s = max(worst_s, rig.at - last_at)
        worst_wh = max(worst_wh, int(rig["A1"].register) - last_wh)
    assert 10.0 < worst_s <= 15.0
    assert worst_wh <= 100


def test_a_fast_session_writes_its_row_by_energy() -> None:
    rig = Rig()
    session = rig.charging()
    rig["A1"].register += 100.0
    assert session in rig.turn().draft.rows


@pytest.mark.parametrize(
    ("before_wh", "after_wh", "top_wh", "accepted"),
    [
        (999_990, 20, 1_000_000, True),
        (999_990, 20, None, False),
        (999_990, 500, 1_000_000, False),
        (980_000, 20, 1_000_000, False),
        (999_990, 20, 2_000_000, False),
    ],
)
def test_fault_31_a_rollover_is_a_new_epoch_only_where_it_can_be_one(
    before_wh: int, after_wh: int, top_wh: int | None, accepted: bool
) -> None:
    """Fault 31, B22: declared by the profile, out of the last hundredth, and no more energy than could flow."""
    before = judge(Register("m"), RegisterReading(before_wh, 10.0, "S", None, top_wh), KW)
    after = judge(before, RegisterReading(after_wh, 11.0, "S", None, top_wh), KW)
    assert (after.wh == after_wh) is accepted
    assert after.rolled_wh == (top_wh if accepted else 0)
    assert after.held == (0 if accepted else 1)


def test_fault_31_a_session_over_a_rollover_bills_the_energy_that_flowed() -> None:
    """Fault 31, I6: the epoch is told once, survives a restart, and the session ends with the true difference."""
    site = story_site()
    meters = tuple(replace(m, facts=replace(m.facts, rollover_wh=1_000_000)) for m in site.meters)
    rig = Rig(replace(site, meters=meters))
    rig["A4"].plugged = True
    rig["A4"].register = 999_900.0
    session = rig.charging("A4", seconds=120)
    assert rig["A4"].register > 1_000_000
    assert rig.log.types("audit.meter").count("audit.meter_rollover") == 1
    rig.crash()
    rig.turns(30)
    rig.turn(rig.stop("c9", sessionId=session))
    rig.turns(30)
    finished = rig.log.last(EventType.SESSION_FINISHED).data
    assert finished["start_register_wh"] == 999_900
    assert finished["rolled_wh"] == 1_000_000
    told = rig.log.last(EventType.AUDIT_METER_ROLLOVER).data
    assert set(told) == {"meter", "before_wh", "after_wh", "rollover_wh"}
    assert (told["meter"], told["rollover_wh"]) == ("SN-1", 1_000_000)
    assert int(str(told["after_wh"])) < 1_000 < int(str(told["before_wh"]))
    assert 0 < int(str(finished["stop_register_wh"])) < 5_000
    assert finished["energy_wh"] == int(str(finished["stop_register_wh"])) + 100
    assert rig.log.types("audit.meter").count("audit.meter_rollover") == 1

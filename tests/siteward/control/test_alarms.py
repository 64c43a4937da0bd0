"""Alarms: raised and cleared once each, a flapping cause is one alarm, and they outlive a restart."""

from siteward.control.session import stamp
from siteward.model.alarms import Alarm, AlarmCode, Severity
from siteward.model.events import ClockQuality, EventType
from siteward.model.watch import Figure, Remark
from tests.fixtures.alarm_rig import AlarmRig
from tests.fixtures.story_rig import Rig


def test_a_flapping_cause_is_one_alarm() -> None:
    rig = Rig()
    for _ in range(10):
        rig["A1"].fault = "E1"
        rig.turn()
        rig["A1"].fault = None
        rig.turns(3)
    assert rig.log.types("alarm") == ["alarm.raised"]
    rig.turns(5)
    assert rig.log.types("alarm") == ["alarm.raised", "alarm.cleared"]


def test_raising_and_clearing_are_dated_and_name_their_connector() -> None:
    """S-72: both with the wall clock of their instant, the end with that of the begin as well."""
    rig = Rig()
    rig["A1"].fault = "E1"
    rig.turn()
    began = rig.wall
    rig["A1"].fault = None
    rig.turns(8)
    raised, cleared = rig.log.last(EventType.ALARM_RAISED), rig.log.last(EventType.ALARM_CLEARED)
    assert (raised.occurred_at, raised.connector) == (began, "A1")
    assert raised.data["code"] == "CHARGER_FAULT"
    assert cleared.occurred_at is not None
    assert cleared.occurred_at > began
    assert (cleared.connector, dict(cleared.data)) == (
        "A1",
        {"code": "CHARGER_FAULT", "subject": "A1", "raisedAt": stamp(began)},
    )


def test_an_alarm_carries_severity_and_both_sentences() -> None:
    """Ruling 30."""
    rig = Rig()
    rig.clock = ClockQuality.UNSYNCED
    rig.turn()
    assert dict(rig.log.last(EventType.ALARM_RAISED).data) == {
        "code": "CLOCK_UNTRUSTED",
        "subject": "station",
        "severity": "low",
        "textEn": "The clock is not synchronised; times are marked.",
        "textZh": "时钟未同步；时间已标记。",
    }
    assert rig.log.last(EventType.CLOCK_CHANGED).data == {"from": "ntp", "to": "unsynced"}


def test_an_alarm_outlives_a_restart_while_its_cause_is_looked_for() -> None:
    rig = Rig()
    rig["A1"].fault = "E1"
    rig.turn()
    rig.crash()
    rig["A1"].fault = None
    rig.turns(14)
    assert [row.alarm for row in (rig.chapter.alarms if rig.chapter else ())] == [Alarm(AlarmCode.CHARGER_FAULT, "A1")]
    rig.turns(3)
    assert rig.log.types("alarm") == ["alarm.raised", "alarm.cleared"]


def test_the_disk_is_failed_after_two_seconds() -> None:
    """R14."""
    rig = Rig()
    rig.commit_age_s = 1.9
    rig.turn()
    assert rig.log.types("alarm") == []
    rig.commit_age_s = 2.1
    rig.turn()
    assert rig.log.last(EventType.ALARM_RAISED).data["severity"] == "highest"


def test_a_disobedient_connector_ends_its_session() -> None:
    """turn.md step 9: the load's stop is a fault of the charger."""
    rig = Rig()
    session = rig.charging()
    rig.stops = frozenset({rig.log.rows[session].connector})
    rig.turns(4)
    finished = rig.log.last(EventType.SESSION_FINISHED).data
    assert (finished["stopReason"], finished["stopDetail"]) == ("fault", "CHARGER_DISOBEYS")


def test_an_alarm_that_comes_back_again_and_again_is_told_three_times_and_then_stands() -> None:
    """S-54: a storm becomes one alarm with a count; it ends after five minutes of rest."""
    rig = AlarmRig()
    fault = Alarm(AlarmCode.CHARGER_FAULT, "A01-1")
    for _ in range(40):
        rig.causes = {fault}
        rig.turns(2)
        rig.causes = set()
        rig.turns(20)
    assert rig.told() == ["+CHARGER_FAULT A01-1", "-CHARGER_FAULT A01-1"] * 2 + ["+CHARGER_FAULT A01-1"]
    assert rig.facts[-1][1].data["rises"] == 3
    assert (rig.rows[0].count, rig.rows[0].active) == (38, False)
    rig.turns(279)
    assert rig.rows
    rig.turns(3)
    assert rig.facts[-1][1].data["count"] == 38
    assert not rig.rows


def test_a_rest_of_ten_minutes_forgets_that_an_alarm_flapped() -> None:
    """S-54."""
    rig = AlarmRig()
    for _ in range(4):
        rig.causes = {Alarm(AlarmCode.CHARGER_FAULT, "A01-1")}
        rig.turn()
        rig.causes = set()
        rig.turns(610)
    assert rig.told() == ["+CHARGER_FAULT A01-1", "-CHARGER_FAULT A01-1"] * 4
    assert all("rises" not in fact.data for _, fact in rig.facts)


def test_a_rule_says_how_bad_it_is_and_by_how_much() -> None:
    """S-97: the severity is the rule's, the worst figure stays with the alarm."""
    rig = AlarmRig()
    hot = Alarm(AlarmCode.TEMPERATURE_HIGH, "A01-1")
    rig.watched = {hot: Remark(Severity.LOW, 81.5, 80.0, Figure.TEMPERATURE_C, "charger-hot")}
    rig.turn()
    data = rig.facts[0][1].data
    assert data["severity"] == "low"
    assert (data["rule"], data["figure"], data["value"], data["bound"]) == ("charger-hot", "temperature_c", 81.5, 80.0)
    rig.watched = {hot: Remark(Severity.LOW, 90.0, 80.0, Figure.TEMPERATURE_C, "charger-hot")}
    rig.turn()
    assert len(rig.facts) == 1
    assert rig.rows[0].remark is not None
    assert rig.rows[0].remark.value == 90.0

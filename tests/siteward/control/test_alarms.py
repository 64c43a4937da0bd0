"""Alarms: raised and cleared once each, a flapping cause is one alarm, and they outlive a restart."""

from siteward.control.session import stamp
from siteward.model.alarms import Alarm, AlarmCode
from siteward.model.events import ClockQuality, EventType
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

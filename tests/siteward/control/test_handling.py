"""S-54: an alarm is taken on by somebody with a note, ended by a person only where its cause is gone, all on record."""

import pytest

from siteward.control.recover import recall
from siteward.control.session import stamp
from siteward.model.alarm_log import AlarmRecord
from siteward.model.alarms import Alarm, AlarmCode, Severity
from siteward.model.recovered import Recovered
from siteward.model.requests import CommandName, Role
from siteward.model.watch import Figure, Remark
from tests.fixtures.alarm_rig import AlarmRig

FAULT = Alarm(AlarmCode.CHARGER_FAULT, "A01-1")
NAME = {"code": "CHARGER_FAULT", "subject": "A01-1"}
ACK, CLEAR = CommandName.ACK_ALARM, CommandName.CLEAR_ALARM


def standing() -> AlarmRig:
    """A charger's fault stands."""
    rig = AlarmRig()
    rig.causes = {FAULT}
    rig.turn()
    return rig


def stages(rig: AlarmRig) -> list[str]:
    """What the person was answered."""
    return [f"{r.stage.value} {r.code}" if r.code else r.stage.value for r in rig.replies]


def test_taking_an_alarm_on_is_journalled_with_who_and_why() -> None:
    """I16: and shown with the alarm from then on."""
    rig = standing()
    risen = rig.wall
    rig.turns(3)
    rig.turn(rig.ask(ACK, **NAME, note="  breaker   F3 out,\n electrician called ", raisedAt=stamp(risen)))
    assert stages(rig) == ["accepted", "done"]
    assert rig.told()[-1] == "!CHARGER_FAULT A01-1"
    assert dict(rig.facts[-1][1].data) == {
        **NAME,
        "raisedAt": stamp(risen),
        "source": "panel",
        "actor": {"user": "ann", "role": "technician"},
        "note": "breaker F3 out, electrician called",
    }
    assert rig.facts[-1][1].connector == "A01-1"
    assert [(n.user, n.note, n.at) for n in rig.rows[0].notes] == [
        ("ann", "breaker F3 out, electrician called", rig.wall)
    ]
    rig.turn(rig.ask(ACK, **NAME))
    assert rig.rows[0].notes[1].note == "", "who takes it on need not say why"
    rig.turn(rig.ask(ACK, **NAME, note="fuse replaced"))
    assert [n.note for n in rig.rows[0].notes] == ["breaker F3 out, electrician called", "", "fuse replaced"]


def test_the_platform_may_take_an_alarm_on_as_well() -> None:
    """Contract 4: it has no actor of ours."""
    rig = standing()
    rig.turn(rig.ask(ACK, role=None, **NAME))
    assert rig.facts[-1][1].data["source"] == "cloud"
    assert "actor" not in rig.facts[-1][1].data


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"code": "CHARGER_FAULT", "subject": "A02-1"}, "UNKNOWN_TARGET"),
        ({**NAME, "raisedAt": "2026-01-01T00:00:00.000Z"}, "UNKNOWN_TARGET"),
        ({"code": "NO_SUCH", "subject": "A01-1"}, "BAD_PARAMS"),
        ({"code": "CHARGER_FAULT"}, "BAD_PARAMS"),
        ({**NAME, "note": "x" * 501}, "BAD_PARAMS"),
        ({**NAME, "note": 7}, "BAD_PARAMS"),
    ],
)
def test_what_names_no_standing_alarm_is_refused(params: dict[str, object], code: str) -> None:
    """Ruling 30: an alarm that rose anew is another one."""
    rig = standing()
    rig.turn(rig.ask(ACK, **params))
    assert stages(rig) == [f"rejected {code}"]
    assert rig.told() == ["+CHARGER_FAULT A01-1"]


def test_a_viewer_may_look_only() -> None:
    """Contract 5."""
    rig = standing()
    rig.turn(rig.ask(ACK, Role.VIEWER, **NAME), rig.ask(CLEAR, Role.VIEWER, **NAME))
    assert stages(rig) == ["rejected NOT_AUTHORISED"] * 2


def test_nobody_ends_an_alarm_whose_cause_is_there() -> None:
    """S-54."""
    rig = standing()
    rig.turn(rig.ask(CLEAR, **NAME))
    assert stages(rig) == ["rejected ALARM_STANDS"]
    assert rig.standing() == ["CHARGER_FAULT A01-1"]


def test_a_latched_alarm_stands_until_a_person_ends_it() -> None:
    """S-54: cleared by whom and when."""
    rig = AlarmRig()
    hot = Alarm(AlarmCode.TEMPERATURE_HIGH, "A01-1")
    rig.watched = {hot: Remark(Severity.HIGH, 90.0, 80.0, Figure.TEMPERATURE_C, "hot", latched=True)}
    rig.turn()
    risen = rig.wall
    rig.watched = {}
    rig.turns(5000)
    assert [row.active for row in rig.rows] == [False]
    rig.turn(rig.ask(CLEAR, code="TEMPERATURE_HIGH", subject="A01-1", note="fan cleaned"))
    assert rig.standing() == []
    assert dict(rig.facts[-1][1].data) == {
        "code": "TEMPERATURE_HIGH",
        "subject": "A01-1",
        "raisedAt": stamp(risen),
        "source": "panel",
        "actor": {"user": "ann", "role": "technician"},
        "note": "fan cleaned",
    }


def test_what_was_taken_on_outlives_a_restart() -> None:
    """I16: with its notes and the time at which it rose."""
    rig = standing()
    rig.turn(rig.ask(ACK, **NAME, note="called"))
    held = rig.memory.alarms[FAULT]
    row = AlarmRecord("CHARGER_FAULT", "A01-1", "medium", held.raised_at, "", "", notes=held.notes)
    rig.memory = recall(rig.site, Recovered(alarms=(row,)), rig.at, rig.wall)
    rig.turns(5)
    assert [(r.raised_at, [n.note for n in r.notes]) for r in rig.rows] == [(held.raised_at, ["called"])]
    assert rig.told() == ["+CHARGER_FAULT A01-1", "!CHARGER_FAULT A01-1"]

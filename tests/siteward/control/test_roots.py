"""S-27, S-54: what has one cause is told once, with what hangs behind it; what is left over then speaks for itself."""

from dataclasses import replace

from siteward.control.roots import MASS, root_of
from siteward.control.thresholds import UPLINK
from siteward.model.alarms import Alarm, AlarmCode, Severity
from siteward.model.ids import LineId
from siteward.model.watch import Figure, Remark
from tests.fixtures.alarm_rig import AlarmRig

LOST = Alarm(AlarmCode.LINE_LOST, "rs485-1")


def remark(rule: str, severity: Severity = Severity.HIGH) -> Remark:
    """What a rule says beside its alarm."""
    return Remark(severity, 400.0, 300.0, Figure.SILENT_S, rule)


def test_a_dead_line_is_one_alarm_that_names_everybody_behind_it() -> None:
    """S-54: not one alarm for each of its devices; told within 10 s (I2u)."""
    rig = AlarmRig()
    behind = rig.devices("rs485-1")
    assert len(behind) > 5
    rig.cut(*behind)
    rig.turns(10)
    assert rig.told() == ["+LINE_LOST rs485-1"]
    at, raised = rig.facts[0]
    assert at <= 110.0
    assert raised.data["followers"] == sorted(behind)
    assert raised.data["severity"] == "high"
    assert rig.standing() == ["LINE_LOST rs485-1"]
    assert rig.rows[0].followers == tuple(sorted(behind))
    rig.turns(600)
    assert rig.told() == ["+LINE_LOST rs485-1"]


def test_when_the_line_lives_again_all_of_it_ends_as_one() -> None:
    """S-54: the followers were never told, so their end is not told either."""
    rig = AlarmRig()
    behind = rig.devices("rs485-1")
    rig.cut(*behind)
    rig.turns(20)
    for name in behind:
        rig.mend(name)
        rig.turn()
    rig.turns(30)
    assert rig.told() == ["+LINE_LOST rs485-1", "-LINE_LOST rs485-1"]
    assert rig.standing() == []


def test_a_follower_that_stays_silent_speaks_for_itself_when_the_root_ends() -> None:
    """S-54: with the time at which it really fell silent."""
    rig = AlarmRig()
    behind = rig.devices("rs485-1")
    rig.cut(*behind)
    rig.turns(20)
    fell = next(held.raised_at for alarm, held in rig.memory.alarms.items() if alarm.subject == behind[0])
    rig.mend(*behind[1:])
    rig.turns(33)
    assert rig.told() == ["+LINE_LOST rs485-1", "-LINE_LOST rs485-1", f"+CHARGER_UNREACHABLE {behind[0]}"]
    assert rig.rows[0].raised_at == fell
    assert str(rig.facts[-1][1].data["raisedAt"]).startswith(fell.strftime("%Y-%m-%dT%H:%M:%S"))


def test_one_silent_device_on_a_living_line_is_told_at_once() -> None:
    """Fault 28: nobody waits for a root where a neighbour has just answered."""
    rig = AlarmRig()
    name = rig.devices("rs485-1")[0]
    rig.cut(name)
    rig.turns(5)
    assert rig.told() == [f"+CHARGER_UNREACHABLE {name}"]


def test_a_meter_that_has_just_answered_proves_that_its_line_lives() -> None:
    """Fault 28: a neighbour of another kind counts as well."""
    site = AlarmRig().site
    chargers = AlarmRig().devices("rs485-1")
    rig = AlarmRig(replace(site, meters=(replace(site.meters[0], line=LineId("rs485-1")), *site.meters[1:])))
    rig.cut(*chargers)
    rig.turns(5)
    assert rig.told() == [f"+CHARGER_UNREACHABLE {name}" for name in sorted(chargers)]


def test_a_mass_of_chargers_does_not_take_in_a_meter() -> None:
    """S-27: a fuse that nobody measures any more is told of its own."""
    rig = AlarmRig()
    rig.watched[MASS] = remark("mass-disconnection", Severity.HIGHEST)
    meter = rig.site.meters[0].id
    rig.cut(meter)
    rig.turns(20)
    assert f"METER_LOST {meter}" in rig.standing()


def test_devices_that_fall_silent_one_by_one_are_taken_in_once_the_line_is_dead() -> None:
    """S-54: what was told before still ends with its own word."""
    rig = AlarmRig()
    first, *rest = rig.devices("rs485-1")
    rig.cut(first)
    rig.turns(8)
    rig.cut(*rest)
    rig.turns(12)
    assert rig.told() == [f"+CHARGER_UNREACHABLE {first}", "+LINE_LOST rs485-1"]
    assert rig.standing() == ["LINE_LOST rs485-1"]
    rig.mend(first, *rest)
    rig.turns(33)
    assert sorted(rig.told()[2:]) == [f"-CHARGER_UNREACHABLE {first}", "-LINE_LOST rs485-1"]


def test_a_mass_behind_one_dead_line_is_told_in_the_line() -> None:
    """S-27: one cause, one alarm, and it is as grave as the mass."""
    rig = AlarmRig()
    rig.cut(*rig.devices("rs485-1"))
    rig.turns(10)
    rig.watched[MASS] = remark("mass-disconnection", Severity.HIGHEST)
    rig.turns(10)
    assert rig.standing() == ["LINE_LOST rs485-1"]
    assert rig.rows[0].severity is Severity.HIGHEST


def test_a_mass_over_several_lines_takes_in_lines_and_devices() -> None:
    """S-27: a power cut is one alarm."""
    rig = AlarmRig()
    rig.watched[MASS] = remark("mass-disconnection", Severity.HIGHEST)
    names = [name for line in ("rs485-1", "rs485-2") for name in rig.devices(line)]
    rig.cut(*names)
    rig.turns(20)
    assert rig.standing() == ["MASS_DISCONNECTION station"]
    assert set(rig.rows[0].followers) == set(names)
    del rig.watched[MASS]
    rig.mend(*rig.devices("rs485-2"))
    rig.turns(33)
    assert rig.standing() == ["LINE_LOST rs485-1"]


def test_the_alarm_of_minutes_takes_in_that_of_seconds() -> None:
    """S-98: one charger that is away is one alarm, however long."""
    rig = AlarmRig()
    name = rig.devices("rs485-1")[0]
    rig.cut(name)
    rig.turns(10)
    rig.watched[Alarm(AlarmCode.CHARGER_OFFLINE, name)] = remark("charger-offline")
    rig.turns(10)
    assert rig.told() == [f"+CHARGER_UNREACHABLE {name}", f"+CHARGER_OFFLINE {name}"]
    assert rig.standing() == [f"CHARGER_OFFLINE {name}"]


def test_a_lost_uplink_takes_in_what_cannot_work_without_it() -> None:
    """S-54, fault 35."""
    rig = AlarmRig(replace(AlarmRig().site, cloud=True))
    rig.watched[Alarm(AlarmCode.UPLINK_LOST, UPLINK)] = remark("uplink-lost", Severity.MEDIUM)
    rig.turn()
    rig.causes.add(Alarm(AlarmCode.OUTPUT_FAILED, "mail"))
    rig.turns(3)
    assert rig.told() == ["+UPLINK_LOST uplink"]
    assert rig.rows[0].followers == ("mail",)
    rig.watched.clear()
    rig.turns(8)
    assert rig.told()[1:] == ["-UPLINK_LOST uplink", "+OUTPUT_FAILED mail"]


def test_a_fuse_is_never_told_in_anything_else() -> None:
    """I2u: alarms of safety speak for themselves, whatever else is wrong."""
    rig = AlarmRig()
    rig.cut(*rig.devices("rs485-1"))
    rig.causes.add(Alarm(AlarmCode.FEEDER_OVER_BOUND, "grid"))
    rig.turns(10)
    assert set(rig.standing()) == {"LINE_LOST rs485-1", "FEEDER_OVER_BOUND grid"}


def test_the_root_is_cleared_only_after_its_line_has_lived_for_a_while() -> None:
    """S-54: a line that comes and goes is one alarm with a count."""
    rig = AlarmRig()
    behind = rig.devices("rs485-1")
    rig.cut(*behind)
    rig.turns(10)
    for _ in range(4):
        rig.mend(*behind)
        rig.turns(3)
        rig.cut(*behind)
        rig.turns(10)
    assert rig.told() == ["+LINE_LOST rs485-1"]
    held = rig.memory.alarms[LOST]
    assert held.count > 1


def test_what_hangs_behind_a_line_of_a_mass_is_told_in_the_mass() -> None:
    """S-27: two dead lines in a power cut are no two causes, and neither is told of its own devices."""
    rig = AlarmRig()
    lines = [Alarm(AlarmCode.LINE_LOST, line) for line in ("rs485-1", "rs485-2")]
    first = Alarm(AlarmCode.CHARGER_UNREACHABLE, rig.devices("rs485-1")[0])
    standing = {MASS, first, *lines}
    assert [root_of(rig.site, alarm, standing) for alarm in (first, *lines, MASS)] == [MASS, MASS, MASS, None]
    assert root_of(rig.site, first, {first, *lines}) == lines[0]

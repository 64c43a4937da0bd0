"""I13, ruling 16: an emergency stop wins over every command, latches, and is let go only by a technician on site."""

from dataclasses import replace

import pytest

from siteward.model.access import Contact
from siteward.model.alarms import Alarm, AlarmCode
from siteward.model.bookings import EmergencyStop
from siteward.model.events import EventType
from siteward.model.ids import ConnectorId
from siteward.model.points import PointName
from siteward.model.sessions import StopReason
from tests.fixtures.story_rig import Rig, story_site

A1, A2 = ConnectorId("A1"), ConnectorId("A2")
BUTTON = "io.input_1"
STOP = EmergencyStop("hall", "Hall", Contact(PointName(BUTTON), closed_is_yes=False), frozenset({A1, A2}))


def hall() -> Rig:
    """A1 and A3 charge; the button of A1 and A2 is a closed contact."""
    rig = Rig(replace(story_site(), emergencies=(STOP,)))
    rig.inputs[BUTTON] = True
    rig.turns(2)
    rig.charging("A1")
    rig.charging("A3", "O-3")
    return rig


def standing(rig: Rig) -> set[Alarm]:
    """What stands."""
    assert rig.chapter is not None
    return {alarm.alarm for alarm in rig.chapter.alarms}


def test_a_pressed_button_ends_its_sessions_in_the_same_turn_and_no_others() -> None:
    """I13: the demand is a stop at once; the current elsewhere flows on."""
    rig = hall()
    session = rig.memory.posts[A1].session
    assert session is not None
    rig.inputs[BUTTON] = False
    rig.turn()
    demands = rig.log.demands[-1][1]
    assert demands[A1].stop
    assert not demands[A1].wants
    assert demands[ConnectorId("A3")].wants
    rig.turns(6)
    assert rig.log.rows[session.record.id].stop_reason is StopReason.EMERGENCY
    assert rig["A1"].amps == 0.0
    assert rig["A3"].amps > 0.0
    assert Alarm(AlarmCode.EMERGENCY_STOP, "hall") in standing(rig)
    told = rig.log.last(EventType.AUDIT_EMERGENCY).data
    assert (told["emergency"], told["what"], told["connectors"]) == ("hall", "pressed", ["A1", "A2"])


def test_it_wins_over_a_start_of_the_same_turn() -> None:
    """I13: wins over every command."""
    rig = hall()
    rig["A2"].plugged = True
    rig.turns(2)
    rig.inputs[BUTTON] = False
    rig.turn(rig.start("A2", "s1", order="O-9"))
    assert rig.log.stages("s1") == ["rejected EMERGENCY_STOP"]


@pytest.mark.parametrize("restart", [False, True])
def test_it_latches_over_release_and_restart_until_a_technician_acknowledges(restart: bool) -> None:
    """Ruling 16: never by itself, never by the cloud, not before the input is back."""
    rig = hall()
    rig.inputs[BUTTON] = False
    rig.turns(3)
    rig.turn(rig.request("RESET", "k1", target="hall", source="cli"))
    assert rig.log.stages("k1") == ["rejected EMERGENCY_STOP"]
    assert "its input is still on" in str(rig.log.final("k1").message)
    rig.inputs[BUTTON] = True
    rig.turns(5)
    if restart:
        rig.crash()
        rig.turns(2)
    for command, fields in (
        ("k2", {"source": "cloud"}),
        ("k3", {"source": "card", "token": "CA4D"}),
        ("k4", {"source": "local"}),
    ):
        rig.turn(rig.request("RESET", command, target="hall", **fields))
        assert rig.log.stages(command) == ["rejected EMERGENCY_STOP"]
    rig.turn(rig.request("RESET", "k5", target="hall", source="panel", role="viewer"))
    assert rig.log.stages("k5") == ["rejected NOT_AUTHORISED"]
    rig.turn(rig.start("A1", "s1", order="O-8"))
    assert rig.log.stages("s1") == ["rejected EMERGENCY_STOP"]
    rig.turn(rig.request("RESET", "k6", target="hall", source="panel", role="technician"))
    assert rig.log.stages("k6") == ["accepted", "done"]
    told = rig.log.last(EventType.AUDIT_EMERGENCY).data
    assert (told["what"], told["user"]) == ("acknowledged", "ann")
    rig.turn(rig.start("A1", "s2", order="O-8"))
    assert rig.log.stages("s2")[0] == "accepted"
    rig.turns(20)
    assert Alarm(AlarmCode.EMERGENCY_STOP, "hall") not in standing(rig)


def test_an_input_that_cannot_be_read_pauses_and_gives_back() -> None:
    """Law 5: nobody knows that it is not pressed; nobody pressed it either, so nothing latches."""
    rig = hall()
    session = rig.memory.posts[A1].session
    assert session is not None
    del rig.inputs[BUTTON]
    rig.turns(4)
    assert rig["A1"].amps > 0.0
    rig.turns(5)
    assert rig["A1"].amps == 0.0
    assert Alarm(AlarmCode.EMERGENCY_INPUT_LOST, "hall") in standing(rig)
    rig["A2"].plugged = True
    rig.turns(2)
    rig.turn(rig.start("A2", "s1", order="O-9"))
    assert rig.log.stages("s1") == ["rejected EMERGENCY_STOP"]
    rig.inputs[BUTTON] = True
    rig.turns(4)
    assert rig["A1"].amps > 0.0
    after = rig.memory.posts[A1].session
    assert after is not None
    assert after.record.id == session.record.id
    assert rig.log.types("audit.emergency") == []


def test_after_a_start_an_unread_input_is_given_its_first_five_seconds() -> None:
    """Law 5 with B25: a board that wakes up slower than the controller pauses nobody."""
    rig = hall()
    rig.crash()
    del rig.inputs[BUTTON]
    rig.turns(4)
    rig.inputs[BUTTON] = True
    rig.turns(4)
    assert rig["A1"].amps > 0.0
    assert Alarm(AlarmCode.EMERGENCY_INPUT_LOST, "hall") not in standing(rig)


def test_resetting_what_is_not_latched_is_done_and_a_strange_name_not_supported() -> None:
    """S-75: a repetition has no second effect."""
    rig = hall()
    rig.turn(rig.request("RESET", "k1", target="hall", source="cli"), rig.request("RESET", "k2", target="A1"))
    assert rig.log.stages("k1") == ["accepted", "done"]
    assert rig.log.stages("k2") == ["rejected NOT_SUPPORTED"]

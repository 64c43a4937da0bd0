"""What a sensor of an arm is worth: yes, no, or not known, and since when without a doubt (law 5)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from siteward.model.access import Barrier, Contact, Lock, OnEmergency
from siteward.model.points import InputReading, PointName

FRESH_S = 0.3
"""Oldest reading that a movement into the way may rest on (I11, I12: 0.3 s)."""

MOVING_S = 0.1
"""Period at which the inputs of an arm are read while it moves (ruling 3)."""

IDLE_STALE_S = 3.0
"""Oldest reading that counts while nothing moves: three idle polls."""

LOST_AFTER_S = 3.0
"""How long a sensor must be unknown before its alarm rises: one lost frame is none."""

CHATTER_EDGES = 10
CHATTER_S = 10.0
"""So many changes within that time are no vehicle: the sensor counts as unknown (fault 76)."""

Readings = Mapping[PointName, InputReading]


@dataclass(frozen=True, slots=True)
class Watched:
    """One sensor: its value (None = not known), since when it has it without a change, and its latest changes."""

    value: bool | None = None
    since: float = 0.0
    edges: int | None = None
    marks: tuple[float, ...] = ()

    def held_s(self, value: bool | None, at: float) -> float:
        """How long it has had this value; below 0 when it has another."""
        return at - self.since if self.value is value else -1.0

    @property
    def chatters(self) -> bool:
        """Whether it changes more often than anything real."""
        return len(self.marks) >= CHATTER_EDGES


def watch(contact: Contact, readings: Readings, before: Watched, at: float, stale_s: float) -> Watched:
    """The sensor as of now: missing, old or chattering is unknown; a change that no poll saw starts its age anew."""
    reading = readings.get(contact.point)
    if reading is None or reading.on is None or at - reading.sent_at > stale_s:
        marks = tuple(mark for mark in before.marks if at - mark < CHATTER_S)
        return replace(before, value=None, marks=marks, since=before.since if before.value is None else at)
    new = 0 if before.edges is None else max(0, reading.edges - before.edges)
    marks = tuple(m for m in (*before.marks, *([at] * min(new, CHATTER_EDGES))) if at - m < CHATTER_S)[-CHATTER_EDGES:]
    value: bool | None = reading.on is contact.closed_is_yes
    if len(marks) >= CHATTER_EDGES:
        value = None
    same = value is before.value and (value is None or (new == 0 and before.edges is not None))
    return Watched(value, before.since if same else at, reading.edges, marks)


def watch_all(
    roles: Mapping[str, Contact | None], readings: Readings, before: Mapping[str, Watched], at: float, stale_s: float
) -> dict[str, Watched]:
    """Every sensor that is wired, by its role."""
    return {
        # A sensor that no turn has looked at yet is unknown since now, not since the computer started.
        role: watch(contact, readings, before.get(role, Watched(since=at)), at, stale_s)
        for role, contact in roles.items()
        if contact is not None
    }


def value(sights: Mapping[str, Watched], role: str) -> bool | None:
    """Value of a sensor, None when it is not known or not wired."""
    sight = sights.get(role)
    return None if sight is None else sight.value


def frees_way(arm: Barrier | Lock, sights: Mapping[str, Watched]) -> bool:
    """Whether fire or loss of power asks for a free way now, as configured; a sensor not known asks for nothing."""
    fire = value(sights, "fire") is True and arm.on_fire is OnEmergency.FREE
    dark = value(sights, "power") is False and arm.on_power_loss is OnEmergency.FREE
    return fire or dark


def alarmed(sights: Mapping[str, Watched]) -> bool:
    """Whether fire or loss of power is reported, whatever is configured; a wired sensor not known counts as yes here.

    Nothing moves into the way meanwhile.
    """
    fire = "fire" in sights and sights["fire"].value is not False
    dark = "power" in sights and sights["power"].value is not True
    return fire or dark


def power_back(before: Mapping[str, Watched], now: Mapping[str, Watched]) -> bool:
    """Whether the power of an arm has just come back: what it could not do without is worth trying again."""
    return "power" in before and value(before, "power") is not True and value(now, "power") is True


def lost(sights: Mapping[str, Watched], role: str, at: float) -> bool:
    """Whether a wired sensor has been unknown for long enough to be told."""
    sight = sights.get(role)
    return sight is not None and sight.held_s(None, at) >= LOST_AFTER_S

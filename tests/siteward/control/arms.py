"""Barriers and locks with all their sensors, and readings of them by role: for the tests of both tables."""

from collections.abc import Mapping
from dataclasses import fields, replace

from siteward.control.arm import ArmFact, Told
from siteward.control.barrier import BarrierMemory
from siteward.control.lock import LockMemory
from siteward.control.sight import Watched
from siteward.model.access import Barrier, Contact, Lock, Motion
from siteward.model.alarms import AlarmCode
from siteward.model.ids import BarrierId, LockId
from siteward.model.points import InputReading, PointName

Left = tuple[dict[str, object], tuple[ArmFact, ...], set[AlarmCode]]
"""What a step left of an arm: what changed of it, what it told, and what stands."""

AT = 1000.0
"""The instant that the tests look at."""


def _contact(role: str, closed_is_yes: bool = True) -> Contact:
    return Contact(PointName(f"io.{role}"), closed_is_yes)


MOTION = Motion(PointName("io.free"), PointName("io.block"), PointName("io.stop"), travel_s=8.0)

BARRIER = Barrier(
    BarrierId("gate"),
    "Gate",
    MOTION,
    loop=_contact("loop", closed_is_yes=False),
    arm_closed=_contact("arm_closed"),
    arm_open=_contact("arm_open"),
    loop_fault=_contact("loop_fault"),
    fault=_contact("fault"),
    fire=_contact("fire"),
    power=_contact("power"),
)
LOCK = Lock(
    LockId("bay-1"),
    "Bay 1",
    MOTION,
    bay=_contact("bay", closed_is_yes=False),
    arm_up=_contact("arm_up"),
    arm_down=_contact("arm_down"),
    fault=_contact("fault"),
    fire=_contact("fire"),
    power=_contact("power"),
)
QUIET: dict[str, bool | None] = {"loop_fault": False, "fault": False, "fire": False, "power": True}
"""Nothing wrong anywhere."""


def look(arm: Barrier | Lock, values: Mapping[str, bool | None], at: float = AT) -> dict[PointName, InputReading]:
    """Readings just taken: the contact of each role as its value and its wiring want it."""
    found = {}
    for role, value in values.items():
        contact = getattr(arm, role)
        on = None if value is None else value is contact.closed_is_yes
        found[contact.point] = InputReading(contact.point, on, at, edges=0)
    return found


def settled(values: Mapping[str, bool | None], at: float = AT, for_s: float = 60.0) -> dict[str, Watched]:
    """Sensors that have had their values for a minute."""
    return {role: Watched(value, at - for_s, 0) for role, value in values.items()}


def left(before: BarrierMemory | LockMemory, after: BarrierMemory | LockMemory, told: Told) -> Left:
    """What a step left: the state and what of the memory changed besides its sights, its facts, and the alarms."""
    names = [name.name for name in fields(before) if name.name not in ("state", "sights")]
    changed = {name: getattr(after, name) for name in names if getattr(after, name) != getattr(before, name)}
    return {"state": after.state} | changed, told.facts, {alarm.code for alarm in told.alarms}


def without(arm: Barrier, **roles: None) -> Barrier:
    """The barrier with some sensors not wired."""
    return replace(arm, **roles)

"""What barriers and locks have in common: effects, causes, and the step that their tables are run in."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from siteward.model.alarms import Alarm
from siteward.model.events import EventType
from siteward.model.refusals import Refusal

EMERGENCY_TRIES = 3
"""How often an arm is driven free in one emergency: a motor that cannot is not burnt (fault 77)."""


class Effect(StrEnum):
    """What a table asks of the outputs: halt, out of the way, into the way, or nothing driven any more."""

    STOP = "stop"
    FREE = "free"
    BLOCK = "block"
    REST = "rest"


class Ask(StrEnum):
    """What somebody wants of an arm."""

    FREE = "free"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class ArmFact:
    """Something that became true of an arm, for the journal."""

    type: EventType
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Told:
    """What one step of an arm brought forth besides its memory: effects in order, facts, and what stands."""

    effects: tuple[Effect, ...] = ()
    facts: tuple[ArmFact, ...] = ()
    alarms: frozenset[Alarm] = frozenset()
    refusal: Refusal | None = None

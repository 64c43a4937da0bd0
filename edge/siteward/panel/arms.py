"""Turns barriers and locks of the live view into what their cards draw: picture, sensor, what blocks, buttons. Pure."""

from dataclasses import dataclass
from typing import Final

from siteward.client.messages import ArmMessage
from siteward.model.live import ArmKind
from siteward.model.requests import CommandName

VERBS: Final[dict[str, CommandName]] = {
    "open": CommandName.OPEN_BARRIER,
    "close": CommandName.CLOSE_BARRIER,
    "raise": CommandName.RAISE_LOCK,
    "lower": CommandName.LOWER_LOCK,
}
"""Last part of a button's address, and the command that it asks for."""

MARKS: Final[dict[str, str]] = {
    "unknown": "bar",
    "closed": "gate-down",
    "opening": "up",
    "open": "gate-up",
    "closing": "down",
    "stopped": "pause",
    "failed": "cross",
    "down": "post-down",
    "raising": "up",
    "up": "post-up",
    "lowering": "down",
}
"""Picture of each state: its shape differs too, so that nobody needs to tell colours apart."""

_BLOCKING = ("closed", "closing", "up", "raising")
_FREE = ("open", "opening", "down", "lowering")


@dataclass(frozen=True, slots=True)
class Button:
    """One thing that a person may ask of an arm; `sure` moves it toward people and is asked about first."""

    verb: str
    sure: bool
    enabled: bool


def is_barrier(arm: ArmMessage) -> bool:
    """Whether it is a barrier; everything else is a parking lock."""
    return arm.kind == ArmKind.BARRIER


def buttons(arm: ArmMessage) -> tuple[Button, ...]:
    """Out of the way first. What makes no sense now cannot be pressed; core judges again."""
    free, block = ("open", "close") if is_barrier(arm) else ("lower", "raise")
    may_block = arm.state not in _BLOCKING and arm.blocked is None
    return (
        Button(free, sure=False, enabled=arm.state not in _FREE or arm.waits),
        Button(block, sure=True, enabled=may_block and not arm.waits),
    )


def level(arm: ArmMessage) -> str:
    """Colour of the card's head: `bad` needs a person, `near` moves or is not known, `good` rests."""
    if arm.state == "failed" or arm.emergency:
        return "bad"
    return "good" if arm.state in ("open", "closed", "up", "down") else "near"


def blocks(arm: ArmMessage) -> str | None:
    """Code of what keeps it from closing or rising now; None while nothing does, or while it is there already."""
    return None if arm.state in _BLOCKING else arm.blocked

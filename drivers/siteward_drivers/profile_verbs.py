"""Schema of what a charger profile may have written: its verbs as registers, and how it lets a cable go."""

from typing import Self

from pydantic import Field, model_validator

from siteward.model.readings import Cable
from siteward_drivers.profile_points import Part
from siteward_drivers.quantities import Quantity


class Step(Part):
    """One register of a verb: `raw` as it is, or the limit itself where `raw` is left out."""

    quantity: Quantity
    raw: int | None = None


class Verb(Part):
    """Registers written for a verb, in order; neighbours on the wire go out in one frame."""

    steps: tuple[Step, ...] = Field(min_length=1)
    reversible: bool = True


class Condition(Part):
    """A register that shows a raw number."""

    quantity: Quantity
    raw: int


class Verbs(Part):
    """How the device is limited, paused, resumed and stopped (R19: nothing else is ever written).

    `paused_when`: register contents that show the pause verb in force, besides a set point of 0.
    """

    limit: Verb
    pause: Verb
    resume: Verb
    stop: Verb
    paused_when: tuple[Condition, ...] = ()

    @property
    def pause_raw(self) -> int | None:
        """Raw set point that is the pause, None where another register pauses."""
        return next((s.raw for s in self.pause.steps if s.quantity is Quantity.CURRENT_LIMIT), None)


class UnlockPart(Part):
    """How the cable in its socket is let go, and where that is seen.

    `shows` is the register of the lock: raw numbers for a locked and an unlocked cable, each without and then with a
    vehicle at its other end, and for a socket without one. Left out, the effect cannot be read; `stuck` names bits of
    `error_flags` that then at least say that the lock did not move. `within_s`: from the write's answer to the effect.
    """

    steps: tuple[Step, ...] = Field(min_length=1)
    shows: Quantity | None = None
    locked: tuple[int, ...] = ()
    unlocked: tuple[int, ...] = ()
    none: tuple[int, ...] = ()
    stuck: int = Field(default=0, ge=0)
    within_s: float = Field(gt=0, le=30)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if any(step.raw is None for step in self.steps):
            raise ValueError("steps of unlock need raw")
        if (self.shows is None) == bool(self.locked and self.unlocked):
            raise ValueError("shows, locked and unlocked belong together")
        if self.shows in {step.quantity for step in self.steps}:
            raise ValueError("shows is what was written, not what the lock did")
        known = (*self.locked, *self.unlocked, *self.none)
        if len(set(known)) < len(known):
            raise ValueError("a raw number of the lock means one thing only")
        return self

    def cable(self, raw: object) -> Cable | None:
        """What a raw number of `shows` says of the cable, None for one that the documents do not name."""
        names = ((Cable.LOCKED, self.locked), (Cable.UNLOCKED, self.unlocked), (Cable.NONE, self.none))
        return next((cable for cable, raws in names if raw in raws), None)

    @property
    def named(self) -> tuple[Quantity, ...]:
        """Registers that it needs."""
        return (*(step.quantity for step in self.steps), *self.looks_at)

    @property
    def looks_at(self) -> tuple[Quantity, ...]:
        """Registers that a poll must have read to judge the effect."""
        shown = () if self.shows is None else (self.shows,)
        return (*shown, Quantity.ERROR_FLAGS) if self.stuck else shown

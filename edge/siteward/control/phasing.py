"""What is remembered of an outlet's contactors, and which of its phases they may have closed (B14, R9)."""

from enum import IntEnum
from math import inf
from typing import NamedTuple

ONE, THREE = 1, 3
"""Phases that a box can be told to close; one is always its first."""
FIRST = 1
"""Bit mask of the first phase."""


class Stage(IntEnum):
    """Where a switch between one and three phases stands."""

    IDLE = 0
    PAUSE = 1
    DEAD = 2
    SWITCH = 3
    VERIFY = 4


class Phasing(NamedTuple):
    """1p/3p switching at one outlet; times are boot-time s.

    held: the box is paused for it, and both layouts count; since: when the stage began; goal: phases to be closed;
    quiet_since: since when no current is seen, in VERIFY since when it is drawn as switched; wished_since: since when
    the other layout would serve better; offered_since: since when the car has had an offer to draw as switched; took:
    most phases that the car of this session was seen to draw on at once, 0 = it never drew; switches and failures are
    of this session; last: when it last switched or failed to, kept over sessions; locked: no more in this session;
    known_at: before it a restart makes every phase possible; false_state: its contactor state was refuted by what it
    measured.
    """

    stage: Stage = Stage.IDLE
    held: bool = False
    since: float = -inf
    goal: int = THREE
    quiet_since: float | None = None
    wished_since: float | None = None
    offered_since: float | None = None
    took: int = 0
    switches: int = 0
    failures: int = 0
    last: float = -inf
    locked: bool = False
    known_at: float = -inf
    false_state: bool = False

    def renewed(self) -> "Phasing":
        """For the next session: what was counted and learnt of the last car is gone, what happened to the box stays."""
        return self._replace(wished_since=None, took=0, switches=0, failures=0, locked=False, false_state=False)


AS_BUILT = Phasing()

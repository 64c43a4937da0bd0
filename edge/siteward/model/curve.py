"""The course of a session's power: what was offered and what was measured, in short stretches of time."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from siteward.model.ids import SessionId


class CurveState(StrEnum):
    """What a stretch of a session was: no current yet, charging, held by the car or by us, over, or nobody knows."""

    STARTING = "starting"
    CHARGING = "charging"
    CAR = "car"
    STATION = "station"
    ENDED = "ended"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some seconds of a session in one state; begin and end are unix seconds, the end not included.

    low_w and high_w bound the power that was measured, None = none was read; low_limit_w and high_limit_w what was
    offered.
    """

    begin: int
    end: int
    state: CurveState
    low_w: int | None
    high_w: int | None
    low_limit_w: int
    high_limit_w: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """A stretch to keep: of which session, and how many watts an offered ampere is there (None: no fixed number)."""

    session: SessionId
    w_per_a: float | None
    stretch: Stretch


@dataclass(frozen=True, slots=True)
class Gap:
    """A time inside a session of which nothing was recorded, unix seconds."""

    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Curve:
    """What is kept of a session's power.

    points are thinned, the lowest and highest of each kept; runs are its states one after the other, the first ones
    where there are very many (`more`); gaps lie between records. kept_since is the oldest record of any session, None
    while nothing is kept; w_per_a turns an offer in W into A of each phase, None where that is no fixed number.
    """

    points: tuple[Stretch, ...] = ()
    runs: tuple[Stretch, ...] = ()
    gaps: tuple[Gap, ...] = ()
    more: bool = False
    w_per_a: float | None = None
    kept_since: datetime | None = None

"""Writes that the decision asks for, and the log of what truly happened to every frame of a charger."""

from dataclasses import dataclass
from enum import StrEnum

from siteward.model.ids import ConnectorId


class WriteKind(StrEnum):
    """What a write does: set the limit, load the watchdog, tell how many phases to close (B14), or let the cable go.

    The "fs-write" of R2 and R7 is a LIMIT of min(last limit, fail-safe current); FAILSAFE goes to chargers that answer.
    """

    LIMIT = "limit"
    FAILSAFE = "failsafe"
    PHASES = "phases"
    UNLOCK = "unlock"


@dataclass(frozen=True, slots=True)
class Write:
    """One write to one connector. LIMIT 0.0 means pause, by the profile's own verb (R19); UNLOCK has no value (0.0).

    For FAILSAFE value_a is the fail-safe current; the time-out is the profile's. For PHASES it is the number of phases
    that its contactors shall close, 1 or 3: written only while no current flows. `raises` marks a write that lifts the
    limit: it carries its turn and its deadline and is checked again at the instant of sending (R4).
    """

    connector: ConnectorId
    kind: WriteKind
    value_a: float
    raises: bool
    turn: int
    deadline: float


class FrameKind(StrEnum):
    """What a frame to a charger was for.

    Any of them may re-arm its watchdog at the old limit (R2), but a LIMIT that is not above the fail-safe current.
    """

    READ = "read"
    LIMIT = "limit"
    FAILSAFE = "failsafe"
    PHASES = "phases"
    UNLOCK = "unlock"
    OTHER = "other"


class FrameStage(StrEnum):
    """How far a frame got. FAILED: sent and not answered; WITHDRAWN: never sent."""

    QUEUED = "queued"
    SENT = "sent"
    ANSWERED = "answered"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class WireEvent:
    """One step in the life of a frame to a connector's charger; sent_at repeats on ANSWERED and FAILED."""

    connector: ConnectorId
    kind: FrameKind
    stage: FrameStage
    at: float
    value_a: float | None = None
    sent_at: float | None = None
    turn: int | None = None
    reason: str = ""

"""The handling record of an alarm: when it rose and ended, who looked at it, and what was written down about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Handling:
    """Somebody's word about an alarm; source is where it came in, user and role are None for the platform."""

    at: datetime
    source: str
    user: str | None = None
    role: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class AlarmRecord:
    """One alarm from its rise to its end, as the journal told it.

    cleared_at None: it stands. cleared_by None: its cause went away. count: how often the cause came; followers: what
    was told in it; rule, value, bound: of a rule of alarms. number rises from record to record; raised_at None: nobody
    wrote it down.
    """

    code: str
    subject: str
    severity: str
    raised_at: datetime | None
    text_en: str
    text_zh: str
    count: int = 1
    notes: tuple[Handling, ...] = ()
    cleared_at: datetime | None = None
    cleared_by: Handling | None = None
    followers: tuple[str, ...] = ()
    rule: str | None = None
    value: float | None = None
    bound: float | None = None
    number: int = 0


def told(handling: Handling) -> Mapping[str, object]:
    """Who and where, as the journal writes it."""
    who = {"user": handling.user, "role": handling.role}
    kept = {key: value for key, value in who.items() if value is not None}
    return {
        "source": handling.source,
        **({"actor": kept} if kept else {}),
        **({"note": handling.note} if handling.note else {}),
    }

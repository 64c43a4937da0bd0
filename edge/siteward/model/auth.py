"""Who may charge and open: the list of tokens, how far it is trusted offline, and rules of who opens what when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

LIST_MOST = 10_000
"""Most tokens of a list: what a small computer holds in memory without being noticed."""

UPDATE_MOST = 500
"""Most tokens of one update, so that a command and its journal event stay below 64 kB."""

PARTS_MOST = 100
"""Most parts of one list: a part may be small where the link is bad."""


class OfflinePolicy(StrEnum):
    """Whom a card lets start while the platform cannot be reached (B17), strictest first."""

    DENY = "deny"
    KNOWN = "known"
    SEEN = "seen"
    ALL = "all"


class AuthorisedBy(StrEnum):
    """What a session or an opening was authorised by."""

    PLATFORM = "platform"
    OPERATOR = "operator"
    LIST = "list"
    SEEN = "seen"
    POLICY = "policy"


@dataclass(frozen=True, slots=True)
class Token:
    """One card, vehicle or account of the list; `group` is what access rules name, "" where it is in none."""

    id: str
    group: str = ""
    valid_until: datetime | None = None
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class ListHead:
    """Version of the installed list and since when (UTC); version 0 is no list at all."""

    version: int = 0
    installed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StagedToken(Token):
    """A card of a list that is not whole yet: nobody is judged by it."""


@dataclass(frozen=True, slots=True)
class ListStage:
    """How far a list is that comes in parts: `have` are the numbers of those that are here with their sizes."""

    version: int
    parts: int
    count: int
    have: tuple[tuple[int, int], ...] = ()

    @property
    def missing(self) -> tuple[int, ...]:
        """Numbers of the parts that have not come."""
        here = {number for number, _ in self.have}
        return tuple(number for number in range(1, self.parts + 1) if number not in here)


@dataclass(frozen=True, slots=True)
class StagedList:
    """A list that comes in parts, with the cards that are here."""

    stage: ListStage
    tokens: Mapping[str, Token] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuthList:
    """The list in force, and the one that is on its way in parts, if any."""

    head: ListHead = ListHead()
    tokens: Mapping[str, Token] = field(default_factory=dict)
    staged: StagedList | None = None


@dataclass(frozen=True, slots=True)
class TokenSeen:
    """When a token was last accepted while the platform could be reached (UTC)."""

    id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Authorisation:
    """How something was authorised, kept with its record (B17).

    list_age_s is the age of the list at that moment, None without a list or a clock to tell it; online says whether
    the platform could be reached, None where nobody asked.
    """

    by: AuthorisedBy
    token: str | None = None
    list_version: int = 0
    list_age_s: int | None = None
    online: bool | None = None


@dataclass(frozen=True, slots=True)
class AccessRule:
    """Who may use what, when: `groups` of tokens (empty = every token that is let through at all) and `opens`.

    `opens` are ids of connectors, barriers and locks; day 0 is Monday, minutes count from local midnight. A rule whose
    end is not after its begin passes midnight and belongs to the day on which it begins.
    """

    id: str
    opens: frozenset[str]
    groups: frozenset[str] = frozenset()
    days: frozenset[int] = frozenset(range(7))
    begin_min: int = 0
    end_min: int = 1440


@dataclass(frozen=True, slots=True)
class AuthRules:
    """[auth] and [[access]]; `platform` is whether the station has one at all: without it no list is ever offline."""

    offline: OfflinePolicy = OfflinePolicy.SEEN
    seen_days: float = 14.0
    offline_sessions: int = 3
    offline_energy_wh: int = 100_000
    platform: bool = False
    rules: tuple[AccessRule, ...] = ()

"""One journal transaction: everything a turn wants durable, all or nothing."""

from dataclasses import dataclass

from siteward.model.events import ClockQuality, Fact
from siteward.model.kept import KeptRow
from siteward.model.limits import Limit
from siteward.model.recovered import LedgerEntry
from siteward.model.requests import Reply
from siteward.model.sessions import SessionRecord


@dataclass(frozen=True, slots=True)
class Batch:
    """Facts in order, replies (each also a command.* fact made by the store), rows to replace by their key.

    limits None = unchanged, else the whole new list.
    """

    clock: ClockQuality
    facts: tuple[Fact, ...] = ()
    replies: tuple[Reply, ...] = ()
    sessions: tuple[SessionRecord, ...] = ()
    ledger: tuple[LedgerEntry, ...] = ()
    limits: tuple[Limit, ...] | None = None
    kept: tuple[KeptRow, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether committing it would change nothing."""
        return not (self.facts or self.replies or self.sessions or self.ledger or self.kept) and self.limits is None

    @property
    def urgent(self) -> bool:
        """Requests and session facts are committed at once, the rest is batched to 1 s (ruling 17)."""
        return bool(self.facts or self.replies)

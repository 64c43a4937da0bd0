"""What of a batch is new, whether its chain holds, and how far one may acknowledge: values in, values out."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from siteward.model.refusals import Refusal
from siteward_sync.chain import FIRST_HASH, check_event
from siteward_sync.codec import Opened, read_payload
from siteward_sync.errors import BadMessage
from siteward_sync.protocol.v1 import EventBatch


@dataclass(frozen=True, slots=True)
class Position:
    """The last event that is stored without a hole before it; hash None = it is not known."""

    seq: int
    hash: str | None


START = Position(0, FIRST_HASH)
"""Before the first event of a journal."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Outcome of a batch: events to store, the position once they are stored, and what this platform has lost.

    gap is (first, last) of events that the station knows to be acknowledged, but that are not here: records lost by
    this platform, to be asked for again.
    """

    journal: str
    new: tuple[dict[str, Any], ...]
    position: Position
    gap: tuple[int, int] | None


def journal_of(opened: Opened) -> str | None:
    """journalId of a batch, before anything else of it is checked."""
    journal = opened.value.get("journalId")
    return journal if isinstance(journal, str) else None


def take_batch(opened: Opened, position: Position) -> Taken:
    """Judge a batch against what is stored. Events already there are left out; after a hole nothing is taken.

    Raises BadMessage, and BrokenChain where an event was changed, removed or inserted: then nothing is taken.
    """
    batch = read_payload(opened, EventBatch)
    raw: list[dict[str, Any]] = opened.value["events"]
    seqs = [event.seq for event in batch.events]
    if seqs and seqs != list(range(seqs[0], seqs[0] + len(seqs))):
        raise BadMessage(Refusal.MALFORMED, "seq is not contiguous", message_id=opened.head.message_id)
    gap = None
    if seqs and position.seq + 1 < seqs[0] <= batch.acked_seq + 1:
        gap = (position.seq + 1, seqs[0] - 1)
        position = Position(seqs[0] - 1, None)
    new: list[dict[str, Any]] = []
    for event in raw:
        if event["seq"] != position.seq + 1:
            continue
        position = Position(event["seq"], check_event(event, batch.journal_id, position.hash))
        new.append(event)
    return Taken(batch.journal_id, tuple(new), position, gap)


Gap = tuple[int, int]
"""First and last seq of events that are missing here."""


def late(opened: Opened, gaps: Sequence[Gap]) -> tuple[dict[str, Any], ...]:
    """Events of a batch that fill gaps, each proven by its own hash. Raises BadMessage, BrokenChain."""
    if not gaps:
        return ()
    batch = read_payload(opened, EventBatch)
    raw: list[dict[str, Any]] = opened.value["events"]
    found = [event for event in raw if any(first <= event["seq"] <= last for first, last in gaps)]
    for event in found:
        check_event(event, batch.journal_id, None)
    return tuple(found)


def rest(gap: Gap, filled: Collection[int]) -> tuple[Gap, ...]:
    """What of a gap is still missing."""
    edges = sorted({gap[0] - 1, gap[1] + 1, *(seq for seq in filled if gap[0] <= seq <= gap[1])})
    return tuple((one + 1, other - 1) for one, other in pairwise(edges) if other - one > 1)

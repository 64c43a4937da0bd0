"""Events of the journal as the report reads them: typed, timed, and nothing taken for zero that is not known."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from siteward.model.events import EventType


@dataclass(frozen=True, slots=True)
class Told:
    """One event: seq, type, when it occurred (UTC), what it is about and its data."""

    seq: int
    type: str
    at: datetime
    connector: str
    session: str
    order: str
    data: Mapping[str, Any]


def read(events: Iterable[Mapping[str, Any]]) -> Iterator[Told]:
    """Events in order; stubs are past their retention and say nothing any more."""
    for event in events:
        if event.get("type") == EventType.JOURNAL_STUB or "occurredAt" not in event:
            continue
        yield Told(
            seq=int(event["seq"]),
            type=str(event["type"]),
            at=moment(str(event["occurredAt"])),
            connector=str(event.get("connectorId", "")),
            session=str(event.get("sessionId", "")),
            order=str(event.get("orderId", "")),
            data=dict(event.get("data") or {}),
        )


def moment(text: str) -> datetime:
    """An instant of the journal."""
    return datetime.fromisoformat(text).astimezone(UTC)

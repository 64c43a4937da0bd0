"""Events of the journal as the report reads them: typed, timed, and nothing taken for zero that is not known."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from siteward.model.events import ClockQuality, EventType


@dataclass(frozen=True, slots=True)
class Told:
    """One event: seq, type, when it occurred (UTC), what it is about and its data.

    steady is the same instant by the clock as it was in the end: times between two events are true by it, whatever the
    clock stepped by in between (B21). at is as it was told, and steady where nobody trusted the clock.
    """

    seq: int
    type: str
    at: datetime
    connector: str
    session: str
    order: str
    data: Mapping[str, Any]
    steady: datetime
    trusted: bool


def read(events: Iterable[Mapping[str, Any]]) -> tuple[Told, ...]:
    """Events in order; stubs are past their retention and say nothing any more."""
    told = [_told(event) for event in events if event.get("type") != EventType.JOURNAL_STUB and "occurredAt" in event]
    return tuple(_steadied(told))


def _told(event: Mapping[str, Any]) -> Told:
    at = moment(str(event["occurredAt"]))
    return Told(
        seq=int(event["seq"]),
        type=str(event["type"]),
        at=at,
        connector=str(event.get("connectorId", "")),
        session=str(event.get("sessionId", "")),
        order=str(event.get("orderId", "")),
        data=dict(event.get("data") or {}),
        steady=at,
        trusted=event.get("clock") != ClockQuality.UNSYNCED,
    )


def _steadied(told: list[Told]) -> list[Told]:
    """From the newest back, all before a step of the clock is moved by it, as far as the start of that life."""
    steadied: list[Told] = []
    shift = timedelta()
    for event in reversed(told):
        later = steadied[-1].steady if steadied else event.at + shift
        if event.at + shift > later >= event.at:
            shift = timedelta()  # a start that nobody told lies between them: before it the clock was right
        steady = event.at + shift
        steadied.append(replace(event, at=event.at if event.trusted else steady, steady=steady))
        if event.type == EventType.CLOCK_CHANGED:
            shift += timedelta(seconds=float(event.data.get("jump_s", 0.0)))
        elif event.type == EventType.AUDIT_STARTED:
            shift = timedelta()
    return steadied[::-1]


def moment(text: str) -> datetime:
    """An instant of the journal."""
    return datetime.fromisoformat(text).astimezone(UTC)

"""Events as canonical JSON (RFC 8785) and their place in the hash chain."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from siteward.client.canonical import FIRST_HASH, canonical, event_hash
from siteward.model.errors import WeAreWrong
from siteward.model.events import ClockQuality, Fact
from siteward.model.ids import JournalId

__all__ = ["FIRST_HASH", "canonical", "event", "event_hash", "plain", "seal", "stamp"]

_SAFE_INTEGER = 2**53 - 1


def stamp(moment: datetime) -> str:
    """RFC 3339 UTC with milliseconds and Z."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def event(seq: int, fact: Fact, clock: ClockQuality, wall: datetime, prev_hash: str) -> dict[str, Any]:
    """The event of a fact without its hash; wall is when it is written, for facts that carry no time of their own."""
    body: dict[str, Any] = {
        "seq": seq,
        "type": fact.type.value,
        "occurredAt": stamp(fact.occurred_at or wall),
        "clock": clock.value,
        "data": plain(fact.data),
        "prevHash": prev_hash,
    }
    ids = {"connectorId": fact.connector, "sessionId": fact.session, "orderId": fact.order}
    return body | {key: str(value) for key, value in ids.items() if value is not None}


def seal(body: Mapping[str, Any], journal: JournalId) -> tuple[str, str]:
    """Stored text and hash of an event."""
    digest = event_hash(body, journal)
    return canonical({**body, "hash": digest}).decode(), digest


def plain(value: object) -> object:
    """JSON value of a fact's data. What JSON numbers cannot carry exactly (NaN, infinity, huge integers) becomes text:
    data may repeat what strangers sent, and no message may stop the journal."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value).encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, int):
        return value if abs(value) <= _SAFE_INTEGER else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(plain(str(key))): plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list | frozenset | set):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return stamp(value)
    raise WeAreWrong(f"a fact carries a {type(value).__name__}, which is no JSON value")

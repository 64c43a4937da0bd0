"""Check of the hash chain: tampering with a stored or sent event is evident to everybody who has the events."""

from collections.abc import Mapping
from typing import Any

from siteward.client.canonical import FIRST_HASH, NotCanonical, event_hash
from siteward_sync.errors import SyncError
from siteward_sync.protocol.v1.events import STUB_TYPE

__all__ = ["FIRST_HASH", "BrokenChain", "check_event"]


class BrokenChain(SyncError):
    """Alarm, do not store: an event does not hash to what it says, or does not follow the one before."""

    def __init__(self, seq: int, why: str) -> None:
        super().__init__(f"event {seq}: {why}")
        self.seq = seq


def check_event(event: Mapping[str, Any], journal_id: str, prev_hash: str | None) -> str:
    """Return the event's hash once it holds. prev_hash None = the one before is not known. Raises BrokenChain.

    A stub stands for an event that is no longer there: its hash is taken over, it cannot be computed again.
    """
    seq = int(event["seq"])
    if event["type"] == STUB_TYPE:
        return str(event["hash"])
    try:
        computed = event_hash(event, journal_id)
    except NotCanonical as error:
        raise BrokenChain(seq, str(error)) from error
    if computed != event["hash"]:
        raise BrokenChain(seq, "the hash does not match the content")
    if prev_hash is not None and event["prevHash"] != prev_hash:
        raise BrokenChain(seq, "it does not follow the event before it")
    return computed

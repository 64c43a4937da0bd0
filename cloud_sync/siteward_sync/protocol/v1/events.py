"""`up/events`: journal events in batches, the sequence never broken."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from siteward_sync.protocol.v1.base import Hash, Id, Time, Wire

STUB_TYPE = "journal.stub"


class Event(Wire):
    """One journal event; `hash` covers all of it and journalId, `prevHash` is the hash of the one before."""

    seq: int = Field(ge=1)
    type: str = Field(pattern=r"^[a-z_]+\.[a-z_]+$")
    occurred_at: Time
    clock: Literal["ntp", "rtc", "cloud", "unsynced"]
    connector_id: Id | None = None
    session_id: Id | None = None
    order_id: Id | None = None
    data: dict[str, Any]
    prev_hash: Hash
    hash: Hash


class Stub(Wire):
    """Stands for an event that is parked or past its retention; its hash lets the chain go on."""

    seq: int = Field(ge=1)
    type: Literal["journal.stub"]
    reason: str
    hash: Hash


def _kind(value: Any) -> str:
    """Tag of an event for validation: only a stub is a stub."""
    kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return "stub" if kind == STUB_TYPE else "event"


AnyEvent = Annotated[Annotated[Event, Tag("event")] | Annotated[Stub, Tag("stub")], Discriminator(_kind)]


class EventBatch(Wire):
    """Events of one journal with contiguous seq. ackedSeq: what the station holds to be stored by the platform already.

    A platform whose own last seq is below ackedSeq has lost records; the station may no longer have them.
    """

    journal_id: Id
    acked_seq: int = Field(ge=0)
    events: tuple[AnyEvent, ...]

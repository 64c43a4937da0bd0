"""Small states that a restart finds again by their key; the journal's facts tell how each came to be."""

from dataclasses import dataclass
from enum import StrEnum

from siteward.model.auth import ListHead, Token, TokenSeen
from siteward.model.bookings import BayTaken, Latched, OutOfService, Reservation
from siteward.model.signed import SignedHead

Kept = Token | ListHead | TokenSeen | Reservation | OutOfService | Latched | BayTaken | SignedHead
"""What can be kept."""

EVERY = "*"
"""Key of a row that takes away everything of its kind."""


class KeptKind(StrEnum):
    """Which of them."""

    ENTRY = "entry"
    LIST = "list"
    SEEN = "seen"
    RESERVATION = "reservation"
    OUT_OF_SERVICE = "out_of_service"
    LATCHED = "latched"
    BAY = "bay"
    SIGNED = "signed"


@dataclass(frozen=True, slots=True)
class KeptRow:
    """One row to replace by its key; value None takes it away."""

    kind: KeptKind
    key: str
    value: Kept | None = None

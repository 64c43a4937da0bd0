"""Small states that a restart finds again by their key; the journal's facts tell how each came to be."""

from dataclasses import dataclass
from enum import StrEnum

from siteward.model.auth import ListHead, ListStage, Token, TokenSeen
from siteward.model.bookings import BayTaken, Latched, NextReservation, OutOfService, Reservation
from siteward.model.signed import SignedHead

Kept = (
    Token
    | ListHead
    | ListStage
    | TokenSeen
    | Reservation
    | NextReservation
    | OutOfService
    | Latched
    | BayTaken
    | SignedHead
)
"""What can be kept."""

EVERY = "*"
"""Key of a row that takes away everything of its kind."""

SWAP = "^"
"""Key of a row of ENTRY that takes away the list in force and puts the staged one in its place."""


class KeptKind(StrEnum):
    """Which of them."""

    ENTRY = "entry"
    LIST = "list"
    STAGED = "staged"
    STAGE = "stage"
    SEEN = "seen"
    RESERVATION = "reservation"
    NEXT = "next"
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

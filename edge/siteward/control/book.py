"""What the story remembers besides sessions: cards, reservations, what is out of service, what latched, full bays."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from siteward.model.auth import AuthList, ListHead, ListStage, StagedList, StagedToken, Token, TokenSeen
from siteward.model.bookings import BayTaken, Latched, NextReservation, OutOfService, Reservation
from siteward.model.ids import ConnectorId
from siteward.model.kept import Kept
from siteward.model.signed import SignedHead


@dataclass(frozen=True, slots=True)
class Held:
    """A reservation with its end on the boot-time clock, in s."""

    reservation: Reservation
    ends_at: float


@dataclass(frozen=True, slots=True)
class Book:
    """All of it; every map is replaced, never changed.

    waiting: reservations that begin once their connector is free, with the end of their patience.
    lost: emergency stops that cannot be read, since when (boot-time s); bays_at: bays in which a car stands without
    charging, since when (boot-time s), bays_kept those of them that are written down; rises: locks that were
    asked to rise, how often and when last; signed: where the signing of each connector stands.
    """

    list: AuthList = field(default_factory=AuthList)
    seen: Mapping[str, datetime] = field(default_factory=dict)
    reservations: Mapping[ConnectorId, Held] = field(default_factory=dict)
    waiting: Mapping[ConnectorId, Held] = field(default_factory=dict)
    out: Mapping[ConnectorId, OutOfService] = field(default_factory=dict)
    latched: Mapping[str, Latched] = field(default_factory=dict)
    bays: Mapping[str, BayTaken] = field(default_factory=dict)
    lost: Mapping[str, float] = field(default_factory=dict)
    bays_at: Mapping[str, float] = field(default_factory=dict)
    bays_kept: frozenset[str] = frozenset()
    rises: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    signed: Mapping[ConnectorId, SignedHead] = field(default_factory=dict)


def reopened(kept: Iterable[Kept], at: float, wall: datetime) -> Book:
    """The book as the journal knows it; `at` is boot-time s of now. What ended meanwhile ends in the first turn."""
    rows = tuple(kept)
    book = Book(list=_cards(rows))
    seen, held, waiting = dict(book.seen), dict(book.reservations), dict(book.waiting)
    out, latched, bays, bays_at = dict(book.out), dict(book.latched), dict(book.bays), dict(book.bays_at)
    written: set[str] = set()
    signed = dict(book.signed)
    for row in rows:
        match row:
            case TokenSeen():
                seen[row.id] = row.at
            case NextReservation():
                waiting[row.connector] = Held(row, at + _left_s(row, row.wait_s, wall))
            case Reservation():
                held[row.connector] = Held(row, at + _left_s(row, row.length_s, wall))
            case OutOfService():
                out[row.connector] = row
            case Latched():
                latched[row.id] = row
            case SignedHead():
                signed[row.connector] = row
            case BayTaken():
                bays[row.id] = row
                written.add(row.id)
                bays_at[row.id] = at - max(0.0, (wall - row.since).total_seconds())
    return replace(
        book,
        seen=seen,
        reservations=held,
        waiting=waiting,
        out=out,
        latched=latched,
        bays=bays,
        bays_at=bays_at,
        bays_kept=frozenset(written),
        signed=signed,
    )


def _left_s(row: Reservation, most_s: float, wall: datetime) -> float:
    """What is left of a reservation, whatever the clock did meanwhile."""
    return min(most_s, max(0.0, (row.until - wall).total_seconds()))


def _cards(rows: Iterable[Kept]) -> AuthList:
    """The list of cards in force, and what has come of the next one."""
    head, stage = ListHead(), None
    tokens: dict[str, Token] = {}
    staged: dict[str, Token] = {}
    for row in rows:
        match row:
            case StagedToken():
                staged[row.id] = Token(row.id, row.group, row.valid_until, row.blocked)
            case Token():
                tokens[row.id] = row
            case ListStage():
                stage = row
            case ListHead():
                head = row
    return AuthList(head, tokens, None if stage is None else StagedList(stage, staged))

"""Small states by kind and key: cards, reservations, what is out of service, what latched."""

import sqlite3
from typing import Any

from pydantic import TypeAdapter

from siteward.model.auth import ListHead, ListStage, StagedToken, Token, TokenSeen
from siteward.model.bookings import BayTaken, Latched, NextReservation, OutOfService, Reservation
from siteward.model.kept import EVERY, SWAP, Kept, KeptKind, KeptRow
from siteward.model.signed import SignedHead

_FORMS: dict[KeptKind, TypeAdapter[Any]] = {
    KeptKind.ENTRY: TypeAdapter(Token),
    KeptKind.LIST: TypeAdapter(ListHead),
    KeptKind.STAGED: TypeAdapter(StagedToken),
    KeptKind.STAGE: TypeAdapter(ListStage),
    KeptKind.SEEN: TypeAdapter(TokenSeen),
    KeptKind.RESERVATION: TypeAdapter(Reservation),
    KeptKind.NEXT: TypeAdapter(NextReservation),
    KeptKind.OUT_OF_SERVICE: TypeAdapter(OutOfService),
    KeptKind.LATCHED: TypeAdapter(Latched),
    KeptKind.BAY: TypeAdapter(BayTaken),
    KeptKind.SIGNED: TypeAdapter(SignedHead),
}


def follow(connection: sqlite3.Connection, rows: tuple[KeptRow, ...]) -> None:
    """Replace or take away rows, in order."""
    for row in rows:
        if row.value is not None:
            text = _FORMS[row.kind].dump_json(row.value).decode()
            connection.execute(
                "INSERT OR REPLACE INTO kept (kind, key, record) VALUES (?, ?, ?)", (row.kind.value, row.key, text)
            )
        elif row.key == SWAP:
            # The rows stay as they are written: a list of thousands changes hands in two statements.
            entry, staged = KeptKind.ENTRY.value, KeptKind.STAGED.value
            connection.execute("DELETE FROM kept WHERE kind = ?", (entry,))
            connection.execute("UPDATE kept SET kind = ? WHERE kind = ?", (entry, staged))
        elif row.key == EVERY:
            connection.execute("DELETE FROM kept WHERE kind = ?", (row.kind.value,))
        else:
            connection.execute("DELETE FROM kept WHERE kind = ? AND key = ?", (row.kind.value, row.key))


def everything(connection: sqlite3.Connection) -> tuple[Kept, ...]:
    """Every row; a kind that only a newer version knows is left where it is."""
    rows = connection.execute("SELECT kind, record FROM kept ORDER BY kind, key")
    return tuple(_FORMS[KeptKind(kind)].validate_json(text) for kind, text in rows if kind in set(KeptKind))

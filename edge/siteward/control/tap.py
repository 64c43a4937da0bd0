"""What a card at a reader means: stop its own session, open what the reader opens, or start where its car stands."""

from collections.abc import Mapping
from dataclasses import dataclass

from siteward.model.access import Reader
from siteward.model.ids import ConnectorId
from siteward.model.refusals import Refusal
from siteward.model.requests import CommandName
from siteward.model.sessions import SessionRecord


@dataclass(frozen=True, slots=True)
class Place:
    """One connector of a reader, as it is now; reserved_for is the token that it is kept for, "" for anybody else's."""

    session: SessionRecord | None = None
    plugged: bool | None = None
    reserved_for: str | None = None


@dataclass(frozen=True, slots=True)
class Tap:
    """The request that a card stands for."""

    name: CommandName
    target: str
    params: Mapping[str, object]


def read_card(reader: Reader, token: str, places: Mapping[ConnectorId, Place]) -> Tap | Refusal:
    """The one request that is meant; READER_UNCLEAR where nobody can tell which connector."""
    told = {"token": token, "reader": reader.id}
    for name in reader.connectors:
        session = places.get(name, Place()).session
        if session is not None and session.authorised is not None and session.authorised.token == token:
            return Tap(CommandName.STOP_CHARGE, name, {**told, "sessionId": session.id})
    if reader.barrier is not None:
        return Tap(CommandName.OPEN_BARRIER, reader.barrier, told)
    free = {name: place for name in reader.connectors if (place := places.get(name, Place())).session is None}
    if not free and len(reader.connectors) == 1:
        # Somebody else charges there: core says so with its own code.
        return Tap(CommandName.START_CHARGE, reader.connectors[0], told)
    kept = [name for name, place in free.items() if place.reserved_for == token]
    plugged = [name for name, place in free.items() if place.plugged is True]
    for chosen in (kept, plugged, list(free)):
        if len(chosen) == 1:
            return Tap(CommandName.START_CHARGE, chosen[0], told)
        if chosen:
            break
    return Refusal.READER_UNCLEAR

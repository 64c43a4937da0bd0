"""Who may move an arm: cards by list and rules, and at a reserved bay only those for whom it is kept."""

from dataclasses import dataclass

from siteward.control.authorise import Moment, authorise, needs_token, token_of
from siteward.control.book import Book
from siteward.control.booking import matches
from siteward.model.auth import Authorisation
from siteward.model.events import EventType, Fact
from siteward.model.ids import ConnectorId
from siteward.model.refusals import Refusal
from siteward.model.requests import CommandName, Request, Source
from siteward.model.site import Site

_FREEING = (CommandName.OPEN_BARRIER, CommandName.LOWER_LOCK)


@dataclass(frozen=True, slots=True)
class Let:
    """Why an arm must not be moved, None where it may; and what the journal is told."""

    refusal: Refusal | None = None
    facts: tuple[Fact, ...] = ()


def may_move(site: Site, book: Book, request: Request, now: Moment) -> Let:
    """Judge one request for an arm. Nobody's word but a technician's on site lowers the lock of somebody else's bay."""
    connector = _bay(site, request)
    token = (request.params or {}).get("token")
    shown = token_of(token) if isinstance(token, str) else None
    if needs_token(request):
        found = _card(site, book, request, shown, connector, now)
        if isinstance(found, Refusal):
            return Let(found, _facts(request, shown, book, found, connector, now))
    else:
        found = None
    held = None if connector is None else book.reservations.get(connector)
    theirs = request.source in (Source.CLOUD, Source.CARD, Source.LOCAL)
    lowers = theirs and request.name is CommandName.LOWER_LOCK
    if held is not None and lowers and not matches(held.reservation, request, shown):
        code = Refusal.CONNECTOR_RESERVED
        return Let(code, _facts(request, shown, book, code, connector, now))
    return Let(None, () if found is None else _facts(request, shown, book, found, connector, now))


def _card(
    site: Site, book: Book, request: Request, token: str | None, connector: ConnectorId | None, now: Moment
) -> Authorisation | Refusal:
    if token is None or request.name not in _FREEING:
        return Refusal.NOT_AUTHORISED
    things = [thing for thing in (request.target, connector) if thing is not None]
    return authorise(site, book, token, things, now)


def _bay(site: Site, request: Request) -> ConnectorId | None:
    """The connector of the lock that is meant."""
    if request.name not in (CommandName.LOWER_LOCK, CommandName.RAISE_LOCK):
        return None
    return next((k.connector for k in site.locks if request.target in (k.id, k.connector)), None)


def _facts(
    request: Request,
    token: str | None,
    book: Book,
    found: Authorisation | Refusal,
    connector: ConnectorId | None,
    now: Moment,
) -> tuple[Fact, ...]:
    if token is None:
        return ()
    data: dict[str, object] = {
        "commandId": request.id,
        "source": request.source.value,
        "token": token,
        "target": request.target,
        "listVersion": book.list.head.version,
        "platformReached": request.online,
    }
    if isinstance(found, Refusal):
        kind, data = EventType.ACCESS_DENIED, data | {"code": found.value}
    else:
        kind, data = EventType.ACCESS_GRANTED, data | {"by": found.by.value, "listAge_s": found.list_age_s}
    return (Fact(kind, data, connector, occurred_at=now.wall),)

"""Who may begin a session at a connector: emergency stop, service, reservation, then the token; each answer is told."""

from dataclasses import replace
from datetime import timedelta

from siteward.control.authorise import authorise, judged_at, needs_token, offline_rest_wh
from siteward.control.book import Held
from siteward.control.booking import matches, release
from siteward.control.draft import Draft
from siteward.control.params import BadParam, StartParams
from siteward.control.refuse import Refused
from siteward.model.auth import Authorisation, AuthorisedBy, TokenSeen
from siteward.model.events import EventType, Fact
from siteward.model.ids import ConnectorId, OrderId
from siteward.model.kept import KeptKind
from siteward.model.refusals import Refusal
from siteward.model.requests import Request, Source
from siteward.model.site import Connector

SEEN_MOST = 5000
"""Most tokens remembered for having been seen; the oldest go first."""


def admit(draft: Draft, request: Request, connector: Connector, params: StartParams) -> Authorisation:
    """By what the start is authorised. Raises Refused or BadParam; a token's refusal is told besides the command's."""
    _not_held(draft, connector.id)
    found = _by(draft, request, connector.id, params)
    held = _first(draft, connector.id)
    if held is not None and not matches(held.reservation, request, params.token):
        raise _denied(draft, request, connector.id, params.token, Refusal.CONNECTOR_RESERVED)
    return found


def admitted(draft: Draft, request: Request, connector: ConnectorId, found: Authorisation) -> None:
    """The session begins: its reservation is used up, its token has been seen, and the journal tells who came in."""
    held = _first(draft, connector)
    if held is not None:
        release(draft, held.reservation, "used")
    if found.token is None:
        return
    if found.by is AuthorisedBy.PLATFORM or (found.by is AuthorisedBy.LIST and found.online):
        _see(draft, found.token)
    draft.facts.append(granted(draft, request, connector, found))


def bounded(draft: Draft, params: StartParams, found: Authorisation, metered: bool) -> StartParams:
    """What an offline card may take at most (B17), joined with what the start asked for."""
    rules = draft.site.auth
    if found.token is None or found.by is AuthorisedBy.PLATFORM or found.online is not False:
        return params
    rest = _rest_wh(draft, found.token)
    if rest is None or not metered:
        return params
    return replace(params, max_energy_wh=min(rest, params.max_energy_wh or rules.offline_energy_wh))


def _first(draft: Draft, connector: ConnectorId) -> Held | None:
    """For whom the connector is kept, else who is next there: nobody charges twice before them."""
    return draft.book.reservations.get(connector) or draft.book.waiting.get(connector)


def _not_held(draft: Draft, connector: ConnectorId) -> None:
    if connector in draft.stopped or connector in draft.unread:
        raise Refused(Refusal.EMERGENCY_STOP)
    if connector in draft.book.out:
        raise Refused(Refusal.OUT_OF_SERVICE)


def _by(draft: Draft, request: Request, connector: ConnectorId, params: StartParams) -> Authorisation:
    version = draft.book.list.head.version
    if request.source is Source.CLOUD:
        return Authorisation(AuthorisedBy.PLATFORM, params.token, version)
    if not needs_token(request):
        return Authorisation(AuthorisedBy.OPERATOR, params.token, version)
    if params.token is None:
        raise BadParam("token: a card's start names its token")
    now = judged_at(request, draft.snapshot.wall, draft.snapshot.clock.trusted)
    found = authorise(draft.site, draft.book, params.token, (connector,), now)
    if isinstance(found, Refusal):
        raise _denied(draft, request, connector, params.token, found)
    if found.online is False and _rest_wh(draft, params.token) is None:
        raise _denied(draft, request, connector, params.token, Refusal.OFFLINE_CAP)
    return found


def _rest_wh(draft: Draft, token: str) -> int | None:
    """What is left of a token's allowance, by the sessions that the platform has not acknowledged."""
    running = [post.session.record for post in draft.posts.values() if post.session is not None]
    return offline_rest_wh(draft.site.auth, token, [*draft.finished.values(), *running])


def _see(draft: Draft, token: str) -> None:
    """Remember it; those that no longer count, and the oldest of too many, are forgotten."""
    wall = draft.snapshot.wall
    old = draft.book.seen.get(token)
    if old is not None and timedelta() <= wall - old < timedelta(hours=1):
        return
    seen = {**draft.book.seen, token: wall}
    oldest = wall - timedelta(days=draft.site.auth.seen_days)
    trusted = draft.snapshot.clock.trusted
    gone = [name for name, at in seen.items() if trusted and at < oldest]
    rest = sorted((at, name) for name, at in seen.items() if name not in gone)
    gone += [name for _, name in rest[: max(0, len(rest) - SEEN_MOST)]]
    for name in gone:
        del seen[name]
        draft.keep(KeptKind.SEEN, name)
    draft.keep(KeptKind.SEEN, token, TokenSeen(token, wall))
    draft.book = replace(draft.book, seen=seen)


def granted(draft: Draft, request: Request, connector: ConnectorId, found: Authorisation) -> Fact:
    """access.granted: with the version and the age of the list that it was judged by (B17)."""
    data = told(request, found.token) | {
        "by": found.by.value,
        "listVersion": found.list_version,
        "listAge_s": found.list_age_s,
        "platformReached": found.online,
    }
    order = None if request.order is None else OrderId(request.order)
    return Fact(EventType.ACCESS_GRANTED, data, connector, None, order, draft.snapshot.wall)


def unclear(draft: Draft, request: Request) -> Refused:
    """A card at a reader of which nobody can tell what it is for: told with both, to whoever is asked about it."""
    token = (request.params or {}).get("token")
    return _denied(draft, request, None, token if isinstance(token, str) else None, Refusal.READER_UNCLEAR)


def _denied(draft: Draft, request: Request, connector: ConnectorId | None, token: str | None, code: Refusal) -> Refused:
    """Tell of it, and return what to raise; a platform that hears of an unknown card may start it by its own word."""
    if token is not None:
        head = draft.book.list.head
        data = told(request, token) | {
            "code": code.value,
            "listVersion": head.version,
            "platformReached": request.online,
        }
        draft.facts.append(Fact(EventType.ACCESS_DENIED, data, connector, occurred_at=draft.snapshot.wall))
    return Refused(code)


def told(request: Request, token: str | None) -> dict[str, object]:
    """What both facts say of the request: the command, where it came from, and the token in full."""
    reader = (request.params or {}).get("reader")
    data: dict[str, object] = {"commandId": request.id, "source": request.source.value, "token": token}
    return data | ({"reader": reader} if isinstance(reader, str) else {})

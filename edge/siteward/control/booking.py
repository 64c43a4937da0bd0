"""RESERVE, CANCEL_RESERVATION and SET_AVAILABILITY: what holds a connector apart from a session."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from siteward.control.authorise import token_of
from siteward.control.bays import open_again
from siteward.control.book import Held
from siteward.control.draft import Draft
from siteward.control.params import BadParam, name_param, number_param, words_param
from siteward.control.refuse import Refused, must_be_in_time
from siteward.control.session import stamp
from siteward.model.bookings import NextReservation, OutOfService, Reservation
from siteward.model.events import EventType, Fact
from siteward.model.ids import ConnectorId, OrderId, is_id
from siteward.model.kept import KeptKind
from siteward.model.refusals import Refusal
from siteward.model.requests import Request, Role, Source, Stage

HOLD_S = 900.0
"""How long a reservation holds unless its params say (S-94: 15 min)."""

_SHORTEST_S, _LONGEST_S = 60.0, 86_400.0
_WHO_MOST = 64
_STATION = "station"


def reserve(draft: Draft, request: Request) -> None:
    """Keep a free connector for an order, a token, or whoever names the reservation; asked again, it begins anew."""
    may_act(draft, request)
    connector = connector_of(draft, request)
    asked = read_reservation(request, connector, draft.snapshot.wall)
    held = draft.book.reservations.get(connector)
    if held is not None and not same(held.reservation, asked):
        raise Refused(Refusal.CONNECTOR_RESERVED, f"until {stamp(held.reservation.until)}")
    if held is None:
        must_be_free(draft, connector)
    hold(draft, asked, {"commandId": request.id, **by(request)})
    draft.answer(request, Stage.ACCEPTED)
    result = {"reservationId": asked.id, "connectorId": connector, "until": stamp(asked.until)}
    draft.answer(request, Stage.DONE, result=result)


def hold(draft: Draft, asked: Reservation, more: Mapping[str, object]) -> None:
    """Keep the connector from now on, and tell it."""
    draft.book = replace(
        draft.book,
        reservations={**draft.book.reservations, asked.connector: Held(asked, draft.snapshot.at + asked.length_s)},
    )
    draft.keep(KeptKind.RESERVATION, asked.connector, asked)
    tell(draft, asked, more)


def tell(draft: Draft, asked: Reservation, more: Mapping[str, object]) -> None:
    """The fact of a reservation that was made or begins."""
    data = told({"reservationId": asked.id, "until": stamp(asked.until), "token": asked.token, **more})
    draft.facts.append(
        Fact(EventType.CONNECTOR_RESERVED, data, asked.connector, None, asked.order, draft.snapshot.wall)
    )


def read_reservation(request: Request, connector: ConnectorId, wall: datetime) -> Reservation:
    """Read RESERVE at a wall time. Raises BadParam."""
    params = request.params or {}
    hold = number_param(params, "hold_s", _SHORTEST_S, _LONGEST_S)
    length_s = HOLD_S if hold is None else hold
    token, name = name_param(params, "token"), name_param(params, "reservationId")
    if request.order is not None and not is_id(request.order):
        raise BadParam(f"orderId: {request.order!r} is no id")
    return Reservation(
        id=name or request.id,
        connector=connector,
        made_at=wall,
        until=wall + timedelta(seconds=length_s),
        length_s=length_s,
        order=None if request.order is None else OrderId(request.order),
        token=None if token is None else token_of(token),
        who=words_param(params, "who", _WHO_MOST),
    )


def same(held: Reservation, asked: Reservation) -> bool:
    """Whether both are for the same: by name, or by order or token."""
    by_order = asked.order is not None and asked.order == held.order
    return held.id == asked.id or by_order or (asked.token is not None and asked.token == held.token)


def must_be_free(draft: Draft, connector: ConnectorId) -> None:
    """Raises Refused where a connector cannot be kept for somebody now."""
    post, seen = draft.posts[connector], draft.see(connector)
    if connector in draft.book.out:
        raise Refused(Refusal.OUT_OF_SERVICE)
    if not seen.online:
        raise Refused(Refusal.CHARGER_UNREACHABLE)
    if post.fault is not None or seen.fault is not None:
        raise Refused(Refusal.CONNECTOR_FAULTED, post.fault or seen.fault or "")
    if post.session is not None:
        raise Refused(Refusal.CONNECTOR_BUSY, f"session {post.session.record.id}")
    if post.plugged or seen.plugged:
        raise Refused(Refusal.CONNECTOR_BUSY, "a car is plugged in")


def cancel(draft: Draft, request: Request) -> None:
    """Let a reservation go: the one named, or that of the connector in `target`."""
    may_act(draft, request)
    name = name_param(request.params or {}, "reservationId")
    found = [
        held.reservation
        for held in (*draft.book.reservations.values(), *draft.book.waiting.values())
        if (name is not None and held.reservation.id == name)
        or (name is None and held.reservation.connector == request.target)
    ]
    if not found:
        if name is None and request.target is None:
            raise BadParam("reservationId: name the reservation, or its connector as target")
        raise Refused(Refusal.NO_SUCH_RESERVATION, name or request.target or "")
    release(draft, found[0], "cancelled", {**by(request), "commandId": request.id})
    draft.answer(request, Stage.ACCEPTED)
    draft.answer(request, Stage.DONE, result={"reservationId": found[0].id, "connectorId": found[0].connector})


def release(draft: Draft, reservation: Reservation, why: str, more: Mapping[str, object] | None = None) -> None:
    """End a reservation: used, expired, cancelled or out_of_service; `more` tells who asked for that."""
    waits = isinstance(reservation, NextReservation)
    before = draft.book.waiting if waits else draft.book.reservations
    left = {name: held for name, held in before.items() if name != reservation.connector}
    draft.book = replace(draft.book, waiting=left) if waits else replace(draft.book, reservations=left)
    draft.keep(KeptKind.NEXT if waits else KeptKind.RESERVATION, reservation.connector)
    if not waits:
        open_again(draft, reservation.connector)
    data = told({"reservationId": reservation.id, "why": why, **(more or {})})
    draft.facts.append(
        Fact(EventType.CONNECTOR_RELEASED, data, reservation.connector, None, reservation.order, draft.snapshot.wall)
    )


def expire(draft: Draft) -> None:
    """End the reservations whose time is over, and those of connectors that the site no longer has."""
    for held in (*draft.book.reservations.values(), *draft.book.waiting.values()):
        if draft.snapshot.at >= held.ends_at:
            release(draft, held.reservation, "expired")
        elif held.reservation.connector not in draft.posts:
            release(draft, held.reservation, "out_of_service")


def matches(reservation: Reservation, request: Request, token: str | None) -> bool:
    """Whether a request is that of whom the connector is kept for: by order, token, or the reservation's name."""
    if reservation.order is not None and request.order == reservation.order:
        return True
    if reservation.token is not None and token is not None and token_of(token) == reservation.token:
        return True
    return (request.params or {}).get("reservationId") == reservation.id and request.source is not Source.CARD


def serve(draft: Draft, request: Request) -> None:
    """SET_AVAILABILITY: out of service once the running session is over, or back in it; kept over restarts."""
    may_act(draft, request)
    operative = (request.params or {}).get("operative")
    if not isinstance(operative, bool):
        raise BadParam(f"operative: {operative!r} is neither true nor false")
    names = _connectors(draft, request)
    waiting = [name for name in names if not operative and draft.posts[name].session is not None]
    for name in names:
        if operative is (name in draft.book.out):
            _put(draft, request, name, operative)
    draft.answer(request, Stage.ACCEPTED)
    result: dict[str, object] = {"operative": operative, "connectors": list(names)}
    if waiting:
        result |= {"waitingFor": "session", "waiting": waiting}
    draft.answer(request, Stage.DONE, result=result)


def _put(draft: Draft, request: Request, name: ConnectorId, operative: bool) -> None:
    out = dict(draft.book.out)
    asker = by(request)
    if operative:
        del out[name]
        draft.keep(KeptKind.OUT_OF_SERVICE, name)
    else:
        out[name] = OutOfService(name, draft.snapshot.wall, request.source.value, str(asker["user"] or ""))
        draft.keep(KeptKind.OUT_OF_SERVICE, name, out[name])
        for held in (draft.book.reservations.get(name), draft.book.waiting.get(name)):
            if held is not None:
                release(draft, held.reservation, "out_of_service")
    draft.book = replace(draft.book, out=out)
    data: dict[str, object] = {"operative": operative, **asker, "commandId": request.id}
    draft.facts.append(Fact(EventType.CONNECTOR_SERVICE, told(data), name, occurred_at=draft.snapshot.wall))


def _connectors(draft: Draft, request: Request) -> tuple[ConnectorId, ...]:
    """One connector, those of a charger, or all of the station."""
    target = request.target
    if target is None:
        raise BadParam(f"target: name a connector, a charger or {_STATION}")
    found = tuple(c.id for c in draft.site.connectors if target in (c.id, c.charger, _STATION))
    if not found and target != _STATION:
        raise Refused(Refusal.UNKNOWN_TARGET, target)
    return found


def connector_of(draft: Draft, request: Request) -> ConnectorId:
    """The connector that a request names. Raises BadParam, Refused."""
    if request.target is None:
        raise BadParam("target: name the connector")
    name = ConnectorId(request.target)
    if name not in draft.posts:
        raise Refused(Refusal.UNKNOWN_TARGET, request.target)
    return name


def may_act(draft: Draft, request: Request) -> None:
    """Whoever may start may do these; a card may not, and the platform only in time. Raises Refused."""
    if request.source is Source.CARD or (request.actor is not None and request.actor.role is Role.VIEWER):
        raise Refused(Refusal.NOT_AUTHORISED)
    must_be_in_time(request, draft.snapshot.clock.trusted)


def by(request: Request) -> dict[str, object]:
    """Who asked, as facts tell it (S-86)."""
    return {"source": request.source.value, "user": (request.actor.user or None) if request.actor is not None else None}


def told(data: dict[str, object]) -> dict[str, object]:
    """Data of a fact without what is not known."""
    return {key: value for key, value in data.items() if value is not None}

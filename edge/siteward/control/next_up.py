"""Who is next at a connector that is in use: a reservation that waits, and begins once it is free (S-68)."""

from dataclasses import replace
from datetime import timedelta

from siteward.control import booking
from siteward.control.book import Held
from siteward.control.draft import Draft
from siteward.control.params import BadParam, number_param
from siteward.control.refuse import Refused, must_be_uncharged
from siteward.control.session import stamp
from siteward.model.bookings import NextReservation, Reservation
from siteward.model.ids import ConnectorId
from siteward.model.kept import KeptKind
from siteward.model.refusals import Refusal
from siteward.model.requests import Request, Stage

WAIT_S = 14_400.0
"""How long somebody waits for a connector unless the params say."""

_SHORTEST_S, _LONGEST_S = 60.0, 86_400.0


def reserve(draft: Draft, request: Request) -> None:
    """RESERVE: at once, or with `next` as soon as the connector is free."""
    params = request.params or {}
    wants_next = params.get("next", False)
    if not isinstance(wants_next, bool):
        raise BadParam(f"next: {wants_next!r} is neither true nor false")
    booking.may_act(draft, request)
    must_be_uncharged(draft, request)
    connector = booking.connector_of(draft, request)
    if not wants_next or free(draft, connector):
        booking.reserve(draft, request)
        return
    _wait(draft, request, connector)


def move_up(draft: Draft) -> None:
    """End what is over, and let those begin whose connector is free."""
    booking.expire(draft)
    for held in tuple(draft.book.waiting.values()):
        if free(draft, held.reservation.connector):
            _begin(draft, held.reservation)


def free(draft: Draft, connector: ConnectorId) -> bool:
    """Whether a reservation could begin there now."""
    try:
        booking.must_be_free(draft, connector)
    except Refused:
        return False
    return connector not in draft.book.reservations


def _wait(draft: Draft, request: Request, connector: ConnectorId) -> None:
    if connector in draft.book.out:
        raise Refused(Refusal.OUT_OF_SERVICE)
    known = draft.book.waiting.get(connector)
    wait = number_param(request.params or {}, "wait_s", _SHORTEST_S, _LONGEST_S)
    wait_s = WAIT_S if wait is None else wait
    wall = draft.snapshot.wall
    asked = booking.read_reservation(request, connector, wall)
    if known is not None and not booking.same(known.reservation, asked):
        raise Refused(Refusal.CONNECTOR_RESERVED, f"somebody is next, until {stamp(known.reservation.until)}")
    waits = NextReservation(
        id=asked.id,
        connector=connector,
        made_at=wall,
        until=wall + timedelta(seconds=wait_s),
        length_s=asked.length_s,
        order=asked.order,
        token=asked.token,
        who=asked.who,
        wait_s=wait_s,
    )
    draft.book = replace(draft.book, waiting={**draft.book.waiting, connector: Held(waits, draft.snapshot.at + wait_s)})
    draft.keep(KeptKind.NEXT, connector, waits)
    booking.tell(draft, waits, {"waiting": True, "commandId": request.id, **booking.by(request)})
    draft.answer(request, Stage.ACCEPTED)
    result = {"reservationId": waits.id, "connectorId": connector, "until": stamp(waits.until)}
    draft.answer(request, Stage.DONE, result={**result, "waitingFor": "connector"})


def _begin(draft: Draft, waits: Reservation) -> None:
    """It is their turn: from now on it is a reservation like any other."""
    left = {name: held for name, held in draft.book.waiting.items() if name != waits.connector}
    draft.book = replace(draft.book, waiting=left)
    draft.keep(KeptKind.NEXT, waits.connector)
    wall = draft.snapshot.wall
    until = wall + timedelta(seconds=waits.length_s)
    begun = Reservation(waits.id, waits.connector, wall, until, waits.length_s, waits.order, waits.token, waits.who)
    booking.hold(draft, begun, {"waiting": False})

"""Judges a request at the door: form, station, person, expiry by a trusted clock; what passes becomes a Request."""

from datetime import UTC, datetime

from siteward.api.answers import Denied
from siteward.client.messages import ActorMessage, RequestMessage
from siteward.model.ids import CommandId, SiteId
from siteward.model.ports import Clock
from siteward.model.refusals import REFUSALS, Refusal
from siteward.model.requests import Actor, CommandName, Reply, Request, Role, Source, Stage

WITHOUT_CLOCK = frozenset(
    {CommandName.STOP_CHARGE, CommandName.LIMIT_POWER, CommandName.REPORT_NOW, CommandName.GET_DIAGNOSTICS}
)
"""What runs although the clock cannot judge an expiry: stops, limits and reads (ruling 10). Whether a limit is a cut
only the decision can see: it compares with the limits in force."""


def to_actor(actor: ActorMessage | None) -> Actor | None:
    """The person behind a message. Raises Denied(MALFORMED) for a role that does not exist."""
    if actor is None:
        return None
    if actor.role not in set(Role):
        raise Denied(Refusal.MALFORMED, "actor.role: no such role")
    return Actor(actor.user, Role(actor.role), actor.address)


def to_request(message: RequestMessage, source: Source, station: SiteId, clock: Clock) -> Request:
    """The request that a message stands for, received now. Raises Denied for a wrong station or an unknown name."""
    if message.station_id is not None and message.station_id != station:
        raise Denied(Refusal.WRONG_STATION, f"this is {station}")
    if message.name not in set(CommandName):
        raise Denied(Refusal.UNKNOWN_COMMAND, message.name)
    now, wall = clock.now(), clock.wall()
    return Request(
        id=CommandId(message.command_id),
        name=CommandName(message.name),
        source=source,
        received_at=now,
        received_wall=wall,
        target=message.target,
        params=message.params,
        order=message.order_id,
        actor=None if source is Source.CLOUD else to_actor(message.actor),
        deadline=_deadline(message, clock.quality().trusted, now, wall),
        issued_at=None if message.issued_at is None else _utc(message.issued_at),
    )


def judge(message: RequestMessage, request: Request, trusted: bool) -> Reply | None:
    """The final reply of a request that may not run any more or cannot be judged in time; None lets it pass."""
    if message.expires_at is None:
        return None
    if trusted:
        return _final(request, Stage.EXPIRED, Refusal.EXPIRED) if _past(request) else None
    if _past(request):
        return _final(request, Stage.EXPIRED, Refusal.EXPIRED)
    if request.source is Source.CLOUD and request.name not in WITHOUT_CLOCK:
        return _final(request, Stage.REJECTED, Refusal.CLOCK_UNTRUSTED)
    return None


def _past(request: Request) -> bool:
    return request.deadline is not None and request.deadline <= request.received_at


def _deadline(message: RequestMessage, trusted: bool, now: float, wall: datetime) -> float | None:
    """Boot-time end of validity: by the wall clock if that is trusted, else its whole length from receipt (R15)."""
    if message.expires_at is None:
        return None
    begin = wall if trusted else message.issued_at
    if begin is None:
        return None
    return now + (_utc(message.expires_at) - _utc(begin)).total_seconds()


def _utc(moment: datetime) -> datetime:
    """Times without zone are UTC by contract."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _final(request: Request, stage: Stage, code: Refusal) -> Reply:
    return Reply(request.id, stage, code.value, REFUSALS[code].en)

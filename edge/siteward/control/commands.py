"""Judges each new request once: rejected with a code, or accepted with its effect put into the turn's draft."""

from siteward.control import limits, tariffs
from siteward.control.admission import admit, admitted, bounded, unclear
from siteward.control.auth_list import set_list
from siteward.control.authorise import token_of
from siteward.control.booking import cancel, serve
from siteward.control.draft import Draft, Pending
from siteward.control.emergency import acknowledge as acknowledge_stop
from siteward.control.handling import acknowledge, end_by_hand
from siteward.control.next_up import reserve
from siteward.control.observe import Seen
from siteward.control.opening import open_session
from siteward.control.params import (
    BadParam,
    limit_params,
    report_params,
    start_params,
    stop_params,
)
from siteward.control.refuse import Refused, must_be_in_time, must_be_uncharged
from siteward.control.register import billing_meter
from siteward.control.session import Ending
from siteward.control.unlock import unlock
from siteward.model.ids import ConnectorId, is_id
from siteward.model.refusals import Refusal
from siteward.model.requests import CommandName, Request, Role, Source, Stage
from siteward.model.sessions import SessionRecord, StopReason
from siteward.model.site import Connector

STORE_SILENT_S = 5.0
"""Without a commit for this long no new session starts (ruling 18)."""

_SAID_MOST = 400
"""Longest complaint about a request, in characters."""


def take(draft: Draft, request: Request) -> None:
    """Reject or accept one request, at once (contract: within 3 s of receipt)."""
    if _past(draft, request):
        draft.answer(request, Stage.EXPIRED, Refusal.EXPIRED)
        return
    try:
        _VERBS.get(request.name, _unsupported)(draft, request)
    except BadParam as bad:
        draft.answer(request, Stage.REJECTED, Refusal.BAD_PARAMS, _short(str(bad)))
    except Refused as no:
        draft.answer(request, Stage.REJECTED, no.code, _short(no.detail))


def _short(text: str) -> str:
    """A complaint that repeats what was sent goes to the platform and into the journal, which take no pages."""
    return text if len(text) <= _SAID_MOST else f"{text[:_SAID_MOST]} ..."


def _past(draft: Draft, request: Request) -> bool:
    """A stop is exempt from an expiry that our clock cannot judge, from none that it can (R15)."""
    if request.deadline is None or draft.snapshot.at < request.deadline:
        return False
    return draft.snapshot.clock.trusted or request.name is not CommandName.STOP_CHARGE


def _unsupported(_draft: Draft, request: Request) -> None:
    raise Refused(Refusal.NOT_SUPPORTED, request.name.value)


def _start(draft: Draft, request: Request) -> None:
    connector = _connector(draft, request)
    params = start_params(request, connector, draft.site.phase_voltage_v, draft.site.zone)
    metered = billing_meter(draft.site, connector)
    if params.max_energy_wh is not None and metered is None:
        raise BadParam("maxEnergy_wh: this connector has no billing meter to count it")
    if request.order is not None and not is_id(request.order):
        raise BadParam(f"orderId: {request.order!r} is no id")
    seen = draft.see(connector.id)
    _may_start(draft, request, connector, seen)
    tariff = tariffs.for_start(draft, params, metered is not None)
    found = admit(draft, request, connector, params)
    params = bounded(draft, params, found, metered is not None)
    session = open_session(draft, request, connector, params, found, tariff)
    admitted(draft, request, connector.id, found)
    draft.pending.append(Pending(request, draft.snapshot.at, connector.id, session.record.id))
    result: dict[str, object] = {"sessionId": session.record.id, "connectorId": connector.id}
    if seen.plugged is False:
        result["waitingFor"] = "vehicle"
    draft.answer(request, Stage.ACCEPTED, result=result)


def _connector(draft: Draft, request: Request) -> Connector:
    if request.target is None and request.source is Source.CARD:
        raise unclear(draft, request)
    if request.target is None:
        raise BadParam("target: name the connector")
    for connector in draft.site.connectors:
        if connector.id == request.target:
            return connector
    raise Refused(Refusal.UNKNOWN_TARGET, request.target)


def _may_start(draft: Draft, request: Request, connector: Connector, seen: Seen) -> None:
    """Every reason against a start, the one that concerns most first."""
    snapshot = draft.snapshot
    if request.actor is not None and request.actor.role is Role.VIEWER:
        raise Refused(Refusal.NOT_AUTHORISED)
    must_be_in_time(request, snapshot.clock.trusted)
    if snapshot.commit_age_s > STORE_SILENT_S:
        raise Refused(Refusal.STORE_FAILED)
    if not seen.online:
        raise Refused(Refusal.CHARGER_UNREACHABLE)
    if seen.fault is not None:
        raise Refused(Refusal.CONNECTOR_FAULTED, seen.fault)
    must_be_uncharged(draft, request)
    _not_busy(draft, request, connector)
    grant = draft.grants.get(connector.id)
    if connector.facts.failsafe is not None and (grant is None or not grant.verified):
        raise Refused(Refusal.FAILSAFE_UNVERIFIED)


def _not_busy(draft: Draft, request: Request, connector: Connector) -> None:
    for name, post in draft.posts.items():
        if post.session is None:
            continue
        if name == connector.id:
            raise Refused(Refusal.CONNECTOR_BUSY, f"session {post.session.record.id}")
        if request.order is not None and post.session.record.order == request.order:
            raise Refused(Refusal.CONNECTOR_BUSY, f"order {request.order} is open at {name}")


def _stop(draft: Draft, request: Request) -> None:
    """Always allowed; waits for no disk, role or clock (R15), but matches only the session that it names."""
    params = stop_params(request)
    if request.target not in (None, limits.STATION):
        _connector(draft, request)
    found = None
    for name, post in draft.posts.items():
        record = post.session.record if post.session is not None else None
        if record is None:
            continue
        if record.id == params.session or (params.session is None and record.order == params.order):
            found = name, record
    if found is None:
        raise Refused(_missing(draft, request))
    name, record = found
    if request.source is Source.CARD and not _own(request, record):
        raise Refused(Refusal.NOT_AUTHORISED, "another card began it")
    if params.order is not None and record.order != params.order:
        raise Refused(Refusal.SESSION_MISMATCH, f"session {record.id}")
    if request.target not in (None, limits.STATION, name):
        raise Refused(Refusal.SESSION_MISMATCH, f"it charges at {name}")
    reason = StopReason.REMOTE if request.source is Source.CLOUD else StopReason.USER
    end(draft, name, Ending(reason, draft.snapshot.at))
    draft.pending.append(Pending(request, draft.snapshot.at, name, record.id))
    draft.answer(request, Stage.ACCEPTED, result={"sessionId": record.id, "connectorId": name})


def _own(request: Request, record: SessionRecord) -> bool:
    """Whether the card that asks is the one that the session was begun with."""
    token = (request.params or {}).get("token")
    known = record.authorised.token if record.authorised is not None else None
    return isinstance(token, str) and known is not None and token_of(token) == known


def _missing(draft: Draft, request: Request) -> Refusal:
    """Another session at the connector named is a mismatch; none at all is no session."""
    post = draft.posts.get(ConnectorId(request.target or ""))
    return Refusal.SESSION_MISMATCH if post is not None and post.session is not None else Refusal.NO_SUCH_SESSION


def end(draft: Draft, connector: ConnectorId, ending: Ending) -> None:
    """Begin to end the session at a connector; the first reason stays."""
    post = draft.posts[connector]
    if post.session is not None and post.session.ending is None:
        draft.posts[connector] = post._replace(session=post.session._replace(ending=ending))


def _limit(draft: Draft, request: Request) -> None:
    params = limit_params(request)
    target = limits.find_target(draft.site, request.target)
    if target is None:
        if request.target is None:
            raise BadParam("target: name station, a feeder or a connector")
        raise Refused(Refusal.UNKNOWN_TARGET, request.target)
    limit = limits.make_limit(draft.site, draft.snapshot, request, target, params)
    if limits.lifts(draft.limits, limit):
        _may_lift(draft, request)
    draft.set_limits(limits.put(draft.limits, limit))
    draft.facts.append(limits.changed(limit, "set", draft.snapshot))
    draft.pending.append(Pending(request, draft.snapshot.at, limit=limit.id))
    draft.answer(request, Stage.ACCEPTED, result={"limitId": limit.id})


def _may_lift(draft: Draft, request: Request) -> None:
    """Only reductions are exempt from role and clock (R15)."""
    if request.actor is not None and request.actor.role is Role.VIEWER:
        raise Refused(Refusal.NOT_AUTHORISED)
    must_be_in_time(request, draft.snapshot.clock.trusted)


def _report(draft: Draft, request: Request) -> None:
    """Done at once: what is asked for is in the result, and sync sends kept events again from `fromSeq`."""
    seq = report_params(request)
    states: dict[str, object] = {name: post.state.value for name, post in draft.posts.items()}
    result: dict[str, object] = {"connectors": states}
    if seq is not None:
        result["fromSeq"] = seq
    draft.answer(request, Stage.ACCEPTED)
    draft.answer(request, Stage.DONE, result=result)


def _set_tariff(draft: Draft, request: Request) -> None:
    """Done with the commit that makes it durable: from then on it prices what begins."""
    if request.tariff is None:
        raise BadParam("tariff: is missing or cannot be read")
    _may_lift(draft, request)
    result = tariffs.install(draft, request.tariff, request)
    draft.answer(request, Stage.ACCEPTED)
    draft.answer(request, Stage.DONE, result=result)


_VERBS = {
    CommandName.START_CHARGE: _start,
    CommandName.STOP_CHARGE: _stop,
    CommandName.LIMIT_POWER: _limit,
    CommandName.REPORT_NOW: _report,
    CommandName.SET_TARIFF: _set_tariff,
    CommandName.ACK_ALARM: acknowledge,
    CommandName.CLEAR_ALARM: end_by_hand,
    CommandName.RESERVE: reserve,
    CommandName.CANCEL_RESERVATION: cancel,
    CommandName.SET_AVAILABILITY: serve,
    CommandName.UNLOCK_CONNECTOR: unlock,
    CommandName.SET_AUTH_LIST: set_list,
    CommandName.RESET: acknowledge_stop,
}

"""Closes accepted commands: each gets exactly one final answer, by the effect observed or by its deadline (I10)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from siteward.control.connector import ConnectorEvent, ConnectorState, feed
from siteward.control.draft import Draft, Pending, Post
from siteward.control.observe import FLOW_A
from siteward.control.session import Ending, OpenSession
from siteward.control.unlock import follow
from siteward.model.ids import ConnectorId, FeederId
from siteward.model.limits import Grant, Limit
from siteward.model.refusals import Refusal
from siteward.model.requests import CommandName, Stage
from siteward.model.sessions import OrderState, StopReason
from siteward.model.site import Connector
from siteward.model.units import PerPhase

START_S = 60.0
"""A start that the charger did not take within this time fails (B20)."""

STOP_S = 10.0
"""A stop after which current still flows this long has failed."""

LIMIT_S = 15.0
"""A limit that is not read back everywhere within this time is not confirmed; it stays in force."""

OFFER_S = 5.0
"""How long a start waits for an offer before it is done with the reason why there is none yet."""

_NEAR_A = 0.05

STOPPING = "stopping"
"""Said in place of a state while a session is being ended and current may still flow."""


@dataclass(frozen=True, slots=True)
class Loads:
    """What the load turn says that outcomes need: each grant, and per feeder what is reserved and other load, in A."""

    grants: Mapping[ConnectorId, Grant]
    booked: Mapping[FeederId, PerPhase]


def finish(draft: Draft, loads: Loads) -> None:
    """Answer what can be answered now; the rest stays pending."""
    draft.pending = [pending for pending in map(_Judge(draft, loads), draft.pending) if pending is not None]


class _Judge:
    """Looks at one pending command; every step returns the command if it stays open, None once it was answered."""

    def __init__(self, draft: Draft, loads: Loads) -> None:
        self._draft = draft
        self._loads = loads
        self._at = draft.snapshot.at

    def __call__(self, pending: Pending) -> Pending | None:
        if pending.unknown:
            return self._unknown(pending)
        if pending.request.name is CommandName.START_CHARGE:
            return self._start(pending)
        if pending.request.name is CommandName.STOP_CHARGE:
            return self._stop(pending)
        if pending.unlock is not None:
            return follow(self._draft, pending, pending.unlock, self._loads.grants)
        return self._limit(pending)

    def _session(self, pending: Pending) -> OpenSession | None:
        if pending.connector is None:
            return None
        session = self._draft.posts[pending.connector].session
        return session if session is not None and session.record.id == pending.session else None

    def _start(self, pending: Pending) -> Pending | None:
        session = self._session(pending)
        if session is None:
            closed = self._draft.closed.get(pending.session) if pending.session is not None else None
            if closed is not None and closed.record.state is OrderState.FINISHED:
                return self._done(pending)
            return self._never_began(pending, closed.detail if closed is not None else None)
        if session.charged:
            return self._done(pending)
        if session.ending is not None:
            return self._never_began(pending, session.ending.detail)
        if session.restored and self._at >= self._look_until(pending, session):
            return self._too_late(pending, session)
        held = session.signing is not None and session.signing.held
        if session.record.state is OrderState.CREATED or session.restored or not session.durable or held:
            return pending
        return self._taking(pending, session)

    def _taking(self, pending: Pending, session: OpenSession) -> Pending | None:
        """The car is there and the start is on disk: an offer read back, or the reason why there is none, is done."""
        if pending.taking_since is None:
            return replace(pending, taking_since=self._at)
        waited = self._at - pending.taking_since
        grant = self._loads.grants.get(session.record.connector)
        if grant is not None and grant.reachable:
            if grant.limit_a > 0.0 and (grant.confirmed_a or 0.0) > 0.0:
                return self._done(pending, "current")
            if grant.limit_a <= 0.0 and waited >= OFFER_S:
                return self._done(pending, _waiting_for(grant))
        return pending if waited < START_S else self._too_late(pending, session)

    def _look_until(self, pending: Pending, session: OpenSession) -> float:
        """How long a start that a restart found waits for its silent charger: as long as for a car, or to be taken."""
        waits_for_car = session.record.state is OrderState.CREATED
        return session.vehicle_until if waits_for_car else pending.since + START_S

    def _too_late(self, pending: Pending, session: OpenSession) -> Pending | None:
        """The start has failed, so its session must not begin any more."""
        ending = Ending(StopReason.NEVER_STARTED, self._at, Refusal.START_TIMEOUT.value, failed=True)
        post = self._draft.posts[session.record.connector]
        ended = post._replace(session=session._replace(ending=ending))
        self._draft.posts[session.record.connector] = ended
        return self._failed(pending, Refusal.START_TIMEOUT)

    def _never_began(self, pending: Pending, detail: str | None) -> Pending | None:
        if detail == Refusal.EXPIRED:
            self._draft.answer(pending.request, Stage.EXPIRED, Refusal.EXPIRED, result=self._observed(pending))
            return None
        known = detail in (Refusal.NO_VEHICLE, Refusal.START_TIMEOUT)
        code = Refusal(str(detail)) if known else Refusal.SESSION_ENDED
        return self._failed(pending, code, "" if known else detail or "")

    def _stop(self, pending: Pending) -> Pending | None:
        session = self._session(pending)
        stopped = session is None or (session.ending is not None and session.ending.stopped_at is not None)
        if stopped:
            return self._done(pending)
        if self._at - pending.since < STOP_S:
            return pending
        return self._failed(pending, Refusal.STOP_TIMEOUT, self._why_not_stopped(pending))

    def _why_not_stopped(self, pending: Pending) -> str:
        """Only measured current is called current: silence and an unconfirmed pause are said as they are."""
        seen = self._draft.see(pending.connector or ConnectorId(""))
        if not seen.online:
            return "The charger does not answer; the stop goes on."
        if seen.amps is not None and seen.amps < FLOW_A:
            return "None is measured now, but the charger has not confirmed the pause; the stop goes on."
        return "The stop goes on."

    def _limit(self, pending: Pending) -> Pending | None:
        limit = next((limit for limit in self._draft.limits if limit.id == pending.limit), None)
        if limit is None:
            return self._failed(pending, Refusal.LIMIT_NOT_CONFIRMED, "Another limit replaced it, or it has ended.")
        if self._confirmed(limit):
            self._draft.answer(pending.request, Stage.DONE, result={"limitId": limit.id})
            return None
        if self._at - pending.since < LIMIT_S:
            return pending
        return self._failed(pending, Refusal.LIMIT_NOT_CONFIRMED, "It stays in force.")

    def _confirmed(self, limit: Limit) -> bool:
        """Every charger below was read back, and together with other load they keep the limit or are all paused."""
        values = []
        for connector in self._below(limit):
            grant = self._loads.grants.get(connector.id)
            if grant is None or not grant.reachable or grant.confirmed_a is None:
                return False
            values.append(grant.confirmed_a)
        if limit.connector is not None:
            return all(value <= min(limit.limit_a) + _NEAR_A for value in values)
        if not any(values):
            return True
        booked = self._loads.booked.get(limit.feeder or FeederId(""))
        return booked is not None and all(
            have <= most + _NEAR_A for have, most in zip(booked, limit.limit_a, strict=True)
        )

    def _below(self, limit: Limit) -> list[Connector]:
        site = self._draft.site
        if limit.connector is not None:
            return [c for c in site.connectors if c.id == limit.connector]
        return [c for c in site.connectors if any(f.id == limit.feeder for f in site.path(c.feeder))]

    def _unknown(self, pending: Pending) -> Pending | None:
        """A command of an earlier life without a trace: said so, with what is observed; never done again (I8)."""
        return self._failed(pending, Refusal.OUTCOME_UNKNOWN)

    def _done(self, pending: Pending, waiting_for: str | None = None) -> Pending | None:
        result = self._observed(pending)
        if waiting_for is not None:
            result["waitingFor"] = waiting_for
        self._draft.answer(pending.request, Stage.DONE, result=result)
        return None

    def _failed(self, pending: Pending, code: Refusal, detail: str = "") -> Pending | None:
        self._draft.answer(pending.request, Stage.FAILED, code, detail, self._observed(pending))
        return None

    def _observed(self, pending: Pending) -> dict[str, object]:
        """The state as it is seen now: of the connector concerned, else of the one the request named."""
        result: dict[str, object] = {}
        name = pending.connector or ConnectorId(pending.request.target or "")
        post = self._draft.posts.get(name)
        if post is not None:
            seen = self._draft.see(name)
            result["connectorId"] = name
            observed: dict[str, object] = {"state": _state(post), "online": seen.online, "current_a": seen.amps}
            reading = self._draft.snapshot.chargers.get(name)
            if seen.online and reading is not None and reading.cable is not None:
                observed["cable"] = reading.cable.value
            result["observed"] = observed
        if pending.session is not None:
            result["sessionId"] = pending.session
        if pending.limit is not None:
            result["limitId"] = pending.limit
        return result


def _state(post: Post) -> str:
    """The state that an answer tells: once its current stopped, a session only waits for its final register."""
    ending = post.session.ending if post.session is not None else None
    if ending is None or post.state is ConnectorState.FAULTED:
        return post.state.value
    return STOPPING if ending.stopped_at is None else feed(post.state, ConnectorEvent.ENDED)[1].value


def _waiting_for(grant: Grant) -> str:
    """Without an offer: in the queue while there is no room for it, else held back for a moment."""
    return "queue" if grant.target_a <= 0.0 else "delay"

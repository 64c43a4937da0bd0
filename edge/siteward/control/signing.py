"""When the meter of a session is asked to sign, and how long a start and an end wait for it (B23, fault 81)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache

from siteward.control.draft import Draft, Post
from siteward.control.handed import head_of, keep_head, missing, tell_signed
from siteward.control.session import Ending, OpenSession, Signing
from siteward.control.signed import compared, marked, summary
from siteward.model.alarms import Alarm, AlarmCode
from siteward.model.ids import ConnectorId, MeterId, SessionId
from siteward.model.sessions import OrderState, SessionRecord, StopReason
from siteward.model.signed import (
    SignedState,
    SignFailure,
    SignMark,
    SignOrder,
    SignStep,
    Unsigned,
)
from siteward.model.site import Connector, Site

BEGIN_S = 15.0
"""How long a start waits for the meter to sign its begin, before any current is offered."""

END_S = 20.0
"""How long the end of a session waits for the signed end; what comes later is told later."""


@lru_cache(maxsize=8)
def signers(site: Site) -> Mapping[ConnectorId, MeterId]:
    """The connectors whose billing meter hands over signed values, each with that meter."""
    able = {meter.id for meter in site.meters if meter.facts.signs and meter.facts.bills_energy}
    return {c.id: c.meter for c in site.connectors if c.meter is not None and c.meter in able}


def recalled_signing(site: Site, record: SessionRecord, at: float) -> Signing | None:
    """Where a session that is found again stands: what was not signed yet is asked for again."""
    if record.connector not in signers(site):
        return None
    open_yet = record.state in (OrderState.CREATED, OrderState.STARTING)
    state = record.signed
    return Signing(at, held=open_yet and (state is None or (state.begin is None and state.failure is None)))


def sign(draft: Draft) -> tuple[SignOrder, ...]:
    """What the meters shall sign now; said again in every turn until it came or is given up."""
    able = signers(draft.site)
    if not able:
        return ()
    orders = []
    for connector in draft.site.connectors:
        meter = able.get(connector.id)
        if meter is None:
            continue
        post = draft.posts[connector.id]
        step, about = _next(draft, connector, post)
        if step is not None and about is not None:
            orders.append(_order(draft, connector, meter, about, step))
        _alarm(draft, connector)
    return tuple(orders)


def awaited(draft: Draft, session: OpenSession, ending: Ending) -> bool:
    """Whether a session that is over waits for its signed end."""
    state = session.record.signed
    if state is None or not state.open or state.end is not None:
        return False
    return draft.snapshot.at < (ending.stopped_at or draft.snapshot.at) + END_S


def concluded(draft: Draft, session: OpenSession) -> tuple[OpenSession, dict[str, object]]:
    """The session with its signed energy held against our own, and what session.finished says of that."""
    record = session.record
    if record.connector not in signers(draft.site):
        return session, {}
    charged = session.charged or (record.energy_wh or 0) > 0
    state = record.signed or SignedState()
    if charged:
        state = compared(state, record.energy_wh)
        if state.energy_wh is None:
            state = marked(state, [SignMark.MISSING])
    head = head_of(draft, record.connector)
    owed = record.id if state.open and state.end is None else None
    begin = None if state.begin is None else state.begin.register_wh
    head = replace(head, owed=owed, owed_wh=record.energy_wh if owed else None, owed_from=begin if owed else None)
    # A start that a meter refused to sign is as doubtful as a session; one that was only cancelled clears nothing.
    keep_head(draft, replace(head, marks=state.marks) if charged or state.marks else head)
    if not charged and record.signed is None:
        return session, {}
    return session._replace(record=replace(record, signed=state)), {"signed": summary(state)}


def _next(draft: Draft, connector: Connector, post: Post) -> tuple[SignStep | None, SessionId | None]:
    """What is to be signed now at a connector: the begin or end of its session, else the end of the one before it."""
    session, head = post.session, draft.book.signed.get(connector.id)
    if session is not None:
        after = _follow(draft, session)
        if after is not session:
            draft.posts[connector.id] = post._replace(session=after)
        step = _wanted(draft, after)
        if step is not None:
            return step, after.record.id
    owed = None if head is None else head.owed
    return (None, None) if owed is None or _begins(session) else (SignStep.END, owed)


def _begins(session: OpenSession | None) -> bool:
    """Whether a transaction of its own is, or is about to be, open in the meter."""
    if session is None:
        return False
    state = session.record.signed
    return session.record.state is not OrderState.CREATED and (state is None or state.open)


def _follow(draft: Draft, session: OpenSession) -> OpenSession:
    """Begin to wait for the begin when a car is there, and give it up in time."""
    at, record = draft.snapshot.at, session.record
    signing = session.signing
    if signing is None:
        return session._replace(signing=Signing(at))
    if session.restored or not session.durable or (record.state is OrderState.CREATED and signing.held):
        return session._replace(signing=signing._replace(since=at))
    state = record.signed or SignedState()
    if session.ending is not None or state.begin is not None or state.failure is not None:
        return session
    if record.state is OrderState.STARTING and at - signing.since < BEGIN_S:
        return session
    return _given_up(draft, session, signing.failure or SignFailure.LATE)


def _given_up(draft: Draft, session: OpenSession, failure: SignFailure) -> OpenSession:
    """No signed begin: marked with the reason, and by the site's word the session goes on or ends."""
    at, record = draft.snapshot.at, session.record
    state = marked(replace(record.signed or SignedState(), failure=failure), [SignMark.MISSING])
    record = replace(record, signed=state)
    tell_signed(draft, record, missing(signers(draft.site)[record.connector], SignStep.BEGIN, failure))
    draft.row(record)
    session = session._replace(record=record, signing=Signing(at, held=False, failure=failure))
    if draft.site.pricing.unsigned is Unsigned.REFUSE:
        ending = Ending(StopReason.FAULT, at, AlarmCode.SIGNED_VALUE_MISSING.value, failed=True)
        session = session._replace(ending=ending)
    return session


def _wanted(draft: Draft, session: OpenSession) -> SignStep | None:
    record, ending = session.record, session.ending
    state = record.signed or SignedState()
    if ending is not None:
        over = ending.stopped_at is not None and state.open and state.end is None
        return SignStep.END if over else None
    waits = session.signing is not None and session.signing.held and session.durable and not session.restored
    return SignStep.BEGIN if waits and record.state is OrderState.STARTING and state.begin is None else None


def _order(draft: Draft, connector: Connector, meter: MeterId, about: SessionId, step: SignStep) -> SignOrder:
    offset = draft.snapshot.wall.astimezone(draft.site.zone).utcoffset() or timedelta(0)
    point = f"{draft.site.id} {connector.id}"
    return SignOrder(meter, connector.id, about, step, point, round(offset.total_seconds() / 60.0))


def _alarm(draft: Draft, connector: Connector) -> None:
    """What is doubtful stands until a session of this connector is signed as it should be."""
    head, session = draft.book.signed.get(connector.id), draft.posts[connector.id].session
    state = None if session is None else session.record.signed
    found = {*(() if head is None else head.marks), *(() if state is None else state.marks)}
    if SignMark.MISSING in found:
        draft.noticed.add(Alarm(AlarmCode.SIGNED_VALUE_MISSING, connector.id))
    if any(not mark.quiet and mark is not SignMark.MISSING for mark in found):
        draft.noticed.add(Alarm(AlarmCode.SIGNED_VALUE_DOUBTED, connector.id))

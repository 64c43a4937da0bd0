"""When the meter of a session is asked to sign, and what becomes of what it handed over (B23, fault 81)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache

from siteward.control.draft import Draft, Post
from siteward.control.session import Ending, OpenSession, Signing, tell
from siteward.control.signed import Told, answered, compared, energy, marked, marks, summary, told, turned, value_data
from siteward.model.alarms import Alarm, AlarmCode
from siteward.model.events import EventType, Fact
from siteward.model.ids import ConnectorId, MeterId, SessionId, is_id
from siteward.model.kept import KeptKind
from siteward.model.sessions import OrderState, SessionRecord, StopReason
from siteward.model.signed import (
    SignedHead,
    SignedState,
    SignFailure,
    SignMark,
    SignOrder,
    SignResult,
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


def receive(draft: Draft) -> None:
    """Take in what the meters handed over since the last turn."""
    for result in draft.snapshot.signed:
        if result.answer.stray is not None:
            _stray(draft, result, result.answer.stray)
        one = answered(result, _plate(draft.site, result.order.meter))
        if one is None:
            _failed(draft, result)
        else:
            _value(draft, result, one)


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
    head = _head(draft, record.connector)
    owed = record.id if state.open and state.end is None else None
    begin = None if state.begin is None else state.begin.register_wh
    head = replace(head, owed=owed, owed_wh=record.energy_wh if owed else None, owed_from=begin if owed else None)
    _keep(draft, replace(head, marks=state.marks) if charged else head)
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
    if signing is None or (record.state is OrderState.CREATED and signing.held) or not session.durable:
        return session._replace(signing=Signing(at) if signing is None else signing._replace(since=at))
    state = record.signed or SignedState()
    if session.ending is not None or session.restored or state.begin is not None or state.failure is not None:
        return session
    if record.state is OrderState.STARTING and at - signing.since < BEGIN_S:
        return session
    return _given_up(draft, session, signing.failure or SignFailure.LATE)


def _given_up(draft: Draft, session: OpenSession, failure: SignFailure) -> OpenSession:
    """No signed begin: marked with the reason, and by the site's word the session goes on or ends."""
    at, record = draft.snapshot.at, session.record
    state = marked(replace(record.signed or SignedState(), failure=failure), [SignMark.MISSING])
    record = replace(record, signed=state)
    _tell(draft, record, _missing(signers(draft.site)[record.connector], SignStep.BEGIN, failure))
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


def _value(draft: Draft, result: SignResult, one: Told) -> None:
    """A signed record: kept whatever it says, and once only, however often it is handed over."""
    order, post = result.order, draft.posts[result.order.connector]
    session = post.session if post.session is not None and post.session.record.id == order.session else None
    if session is None:
        _late(draft, result, one)
        return
    record = session.record
    state = record.signed or SignedState()
    known = state.begin if order.step is SignStep.BEGIN else state.end
    if known is not None and known.sha256 == one.value.sha256:
        return
    head = _head(draft, order.connector)
    found = marks(one, head, session.register.serial, _plate(draft.site, order.meter), result.answer.public_key)
    if order.step is SignStep.BEGIN:
        state = marked(replace(state, begin=one.value, open=True), found)
    else:
        energy_wh, slack_wh = energy(one, None if state.begin is None else state.begin.register_wh)
        state = replace(state, end=one.value, open=False, energy_wh=energy_wh, slack_wh=slack_wh)
        state = marked(state, found)
    record = replace(record, signed=state)
    _tell(draft, record, {**value_data(one, result, False), "marks": sorted(found)})
    draft.row(record)
    signing = Signing(draft.snapshot.at, held=False)
    draft.posts[order.connector] = post._replace(session=session._replace(record=record, signing=signing))
    _keep(draft, turned(head, one))


def _late(draft: Draft, result: SignResult, one: Told) -> None:
    """A record of a session that is over: told all the same, and held against what the session counted."""
    order, head = result.order, _head(draft, result.order.connector)
    if order.step is SignStep.BEGIN:
        # Its end is owed now, or the meter would hold the transaction open for the next session.
        head = replace(head, owed=order.session, owed_wh=None, owed_from=one.value.register_wh)
    _told_late(draft, result, one, head, order.session)


def _told_late(draft: Draft, result: SignResult, one: Told, head: SignedHead, about: SessionId | None) -> None:
    found = marks(one, head, None, _plate(draft.site, result.order.meter), result.answer.public_key)
    state = SignedState()
    if one.step is SignStep.END and head.owed is not None and head.owed == about:
        state, head = _paid(one, head)
        found |= {*state.marks}
    data = {**value_data(one, result, True), "marks": sorted(found), "difference_wh": state.difference_wh}
    _tell_late(draft, result.order.connector, about, data)
    _keep(draft, replace(turned(head, one), marks=_union(head.marks, found)))


def _paid(one: Told, head: SignedHead) -> tuple[SignedState, SignedHead]:
    """The owed end came: nothing is missing any more."""
    energy_wh, slack_wh = energy(one, head.owed_from)
    state = compared(SignedState(energy_wh=energy_wh, slack_wh=slack_wh), head.owed_wh)
    left = tuple(mark for mark in head.marks if mark is not SignMark.MISSING or energy_wh is None)
    return state, replace(head, owed=None, owed_wh=None, owed_from=None, marks=left)


def _stray(draft: Draft, result: SignResult, document: bytes) -> None:
    """A transaction that was still open was ended for the one that begins: its record belongs to whom it names."""
    key = _plate(draft.site, result.order.meter) or result.answer.public_key
    one = told(document, key, result.stray_verified, SignStep.END)
    about = "" if one.record is None else one.record.about
    _told_late(draft, result, one, _head(draft, result.order.connector), SessionId(about) if is_id(about) else None)


def _failed(draft: Draft, result: SignResult) -> None:
    """No record this time; what is final is told, the rest is tried again until its time is over."""
    order, failure = result.order, result.answer.failure or SignFailure.REFUSED
    post = draft.posts[order.connector]
    session = post.session if post.session is not None and post.session.record.id == order.session else None
    if session is None:
        head = _head(draft, order.connector)
        if failure.final and head.owed == order.session:
            _tell_late(draft, order.connector, order.session, _missing(order.meter, order.step, failure))
            _keep(draft, replace(head, owed=None, owed_wh=None, owed_from=None))
        return
    signing = session.signing or Signing(draft.snapshot.at)
    if not failure.final:
        session = session._replace(signing=signing._replace(failure=failure))
    else:
        state = replace(session.record.signed or SignedState(), open=False, failure=failure)
        record = replace(session.record, signed=state)
        _tell(draft, record, _missing(order.meter, order.step, failure))
        draft.row(record)
        session = session._replace(record=record, signing=signing._replace(held=False, failure=failure))
    draft.posts[order.connector] = post._replace(session=session)


def _alarm(draft: Draft, connector: Connector) -> None:
    """What is doubtful stands until a session of this connector is signed as it should be."""
    head, session = draft.book.signed.get(connector.id), draft.posts[connector.id].session
    state = None if session is None else session.record.signed
    found = {*(() if head is None else head.marks), *(() if state is None else state.marks)}
    if SignMark.MISSING in found:
        draft.noticed.add(Alarm(AlarmCode.SIGNED_VALUE_MISSING, connector.id))
    if any(not mark.quiet and mark is not SignMark.MISSING for mark in found):
        draft.noticed.add(Alarm(AlarmCode.SIGNED_VALUE_DOUBTED, connector.id))


def _plate(site: Site, meter: MeterId) -> bytes | None:
    return next((one.public_key for one in site.meters if one.id == meter), None)


def _head(draft: Draft, connector: ConnectorId) -> SignedHead:
    return draft.book.signed.get(connector) or SignedHead(connector)


def _keep(draft: Draft, head: SignedHead) -> None:
    if draft.book.signed.get(head.connector) != head:
        draft.book = replace(draft.book, signed={**draft.book.signed, head.connector: head})
        draft.keep(KeptKind.SIGNED, head.connector, head)


def _union(one: tuple[SignMark, ...], more: set[SignMark]) -> tuple[SignMark, ...]:
    return tuple(mark for mark in SignMark if mark in one or mark in more)


def _missing(meter: MeterId, step: SignStep, failure: SignFailure) -> dict[str, object]:
    return {"step": step.value, "late": False, "meter": meter, "signedMeterData": None, "failure": failure.value}


def _tell(draft: Draft, record: SessionRecord, data: Mapping[str, object]) -> None:
    draft.facts.append(tell(EventType.SESSION_SIGNED, record, data, draft.snapshot.wall))


def _tell_late(draft: Draft, connector: ConnectorId, session: SessionId | None, data: Mapping[str, object]) -> None:
    draft.facts.append(Fact(EventType.SESSION_SIGNED, data, connector, session, None, draft.snapshot.wall))

"""What meters handed over when asked to sign: taken into its session, or told late; never doubled (B23, fault 81)."""

from collections.abc import Mapping
from dataclasses import replace

from siteward.control.draft import Draft, Post
from siteward.control.session import OpenSession, Signing, tell
from siteward.control.signed import Told, answered, compared, energy, in_order, marked, marks, told, turned, value_data
from siteward.model.events import EventType, Fact
from siteward.model.ids import ConnectorId, MeterId, SessionId, is_id
from siteward.model.kept import KeptKind
from siteward.model.sessions import SessionRecord
from siteward.model.signed import SignedHead, SignedState, SignFailure, SignMark, SignOrder, SignResult, SignStep
from siteward.model.site import Site


def receive(draft: Draft) -> None:
    """Take in what the meters handed over since the last turn."""
    for result in draft.snapshot.signed:
        if result.answer.stray is not None:
            _stray(draft, result, result.answer.stray)
        one = answered(result, plate(draft.site, result.order.meter))
        if one is None:
            _failed(draft, result)
        else:
            _value(draft, result, one)


def _asked_for(draft: Draft, order: SignOrder) -> tuple[Post, OpenSession | None]:
    """The connector, with its session where that is still the one that the meter was asked about."""
    post = draft.posts[order.connector]
    about = post.session is not None and post.session.record.id == order.session
    return post, post.session if about else None


def _value(draft: Draft, result: SignResult, one: Told) -> None:
    """A signed record: kept whatever it says, and once only, however often it is handed over."""
    order = result.order
    post, session = _asked_for(draft, order)
    if session is None:
        _late(draft, result, one)
        return
    record = session.record
    state = record.signed or SignedState()
    known = state.begin if order.step is SignStep.BEGIN else state.end
    if known is not None and known.sha256 == one.value.sha256:
        return
    head = head_of(draft, order.connector)
    found = marks(one, head, session.register.serial, plate(draft.site, order.meter), result.answer.public_key)
    if order.step is SignStep.BEGIN:
        state = marked(replace(state, begin=one.value, open=True), found)
    else:
        energy_wh, slack_wh = energy(one, None if state.begin is None else state.begin.register_wh)
        state = replace(state, end=one.value, open=False, energy_wh=energy_wh, slack_wh=slack_wh)
        state = marked(state, found)
    record = replace(record, signed=state)
    tell_signed(draft, record, {**value_data(one, result, False), "marks": sorted(found)})
    draft.row(record)
    signing = Signing(draft.snapshot.at, held=False)
    draft.posts[order.connector] = post._replace(session=session._replace(record=record, signing=signing))
    keep_head(draft, turned(head, one))


def _late(draft: Draft, result: SignResult, one: Told) -> None:
    """A record of a session that is over: told all the same, and held against what the session counted."""
    order, head = result.order, head_of(draft, result.order.connector)
    if order.step is SignStep.BEGIN:
        # Its end is owed now, or the meter would hold the transaction open for the next session.
        head = replace(head, owed=order.session, owed_wh=None, owed_from=one.value.register_wh)
    _told_late(draft, result, one, head, order.session)


def _told_late(draft: Draft, result: SignResult, one: Told, head: SignedHead, about: SessionId | None) -> None:
    found = marks(one, head, None, plate(draft.site, result.order.meter), result.answer.public_key)
    state = SignedState()
    if one.step is SignStep.END and head.owed is not None and head.owed == about:
        state, head = _paid(one, head)
        found |= {*state.marks}
    data = {**value_data(one, result, True), "marks": sorted(found), "difference_wh": state.difference_wh}
    _tell_late(draft, result.order.connector, about, data)
    keep_head(draft, replace(turned(head, one), marks=in_order({*head.marks, *found})))


def _paid(one: Told, head: SignedHead) -> tuple[SignedState, SignedHead]:
    """The owed end came: nothing is missing any more."""
    energy_wh, slack_wh = energy(one, head.owed_from)
    state = compared(SignedState(energy_wh=energy_wh, slack_wh=slack_wh), head.owed_wh)
    left = tuple(mark for mark in head.marks if mark is not SignMark.MISSING or energy_wh is None)
    return state, replace(head, owed=None, owed_wh=None, owed_from=None, marks=left)


def _stray(draft: Draft, result: SignResult, document: bytes) -> None:
    """A transaction that was still open was ended for the one that begins: its record belongs to whom it names."""
    key = plate(draft.site, result.order.meter) or result.answer.public_key
    one = told(document, key, result.stray_verified, SignStep.END)
    about = "" if one.record is None else one.record.about
    _told_late(draft, result, one, head_of(draft, result.order.connector), SessionId(about) if is_id(about) else None)


def _failed(draft: Draft, result: SignResult) -> None:
    """No record this time; what is final is told, the rest is tried again until its time is over."""
    order, failure = result.order, result.answer.failure or SignFailure.REFUSED
    post, session = _asked_for(draft, order)
    if session is None:
        head = head_of(draft, order.connector)
        if failure.final and head.owed == order.session:
            _tell_late(draft, order.connector, order.session, missing(order.meter, order.step, failure, late=True))
            keep_head(draft, replace(head, owed=None, owed_wh=None, owed_from=None))
        return
    signing = session.signing or Signing(draft.snapshot.at)
    if order.step is SignStep.BEGIN or not failure.final:
        # Whether a session goes on without a begin is for its time to say, and for the site's word.
        session = session._replace(signing=signing._replace(failure=failure))
    else:
        state = replace(session.record.signed or SignedState(), open=False, failure=failure)
        record = replace(session.record, signed=state)
        tell_signed(draft, record, missing(order.meter, order.step, failure))
        draft.row(record)
        session = session._replace(record=record, signing=signing._replace(held=False))
    draft.posts[order.connector] = post._replace(session=session)


def plate(site: Site, meter: MeterId) -> bytes | None:
    """The public key that the site names for a meter."""
    return next((one.public_key for one in site.meters if one.id == meter), None)


def head_of(draft: Draft, connector: ConnectorId) -> SignedHead:
    """What the signing of earlier sessions left behind at a connector."""
    return draft.book.signed.get(connector) or SignedHead(connector)


def keep_head(draft: Draft, head: SignedHead) -> None:
    """Keep that for the sessions to come, over a restart too."""
    if draft.book.signed.get(head.connector) != head:
        draft.book = replace(draft.book, signed={**draft.book.signed, head.connector: head})
        draft.keep(KeptKind.SIGNED, head.connector, head)


def missing(meter: MeterId, step: SignStep, failure: SignFailure, late: bool = False) -> dict[str, object]:
    """Data of session.signed where there is no record, and why."""
    return {"step": step.value, "late": late, "meter": meter, "signedMeterData": None, "failure": failure.value}


def tell_signed(draft: Draft, record: SessionRecord, data: Mapping[str, object]) -> None:
    """Journal a session's record, or that there is none."""
    draft.facts.append(tell(EventType.SESSION_SIGNED, record, data, draft.snapshot.wall))


def _tell_late(draft: Draft, connector: ConnectorId, session: SessionId | None, data: Mapping[str, object]) -> None:
    draft.facts.append(Fact(EventType.SESSION_SIGNED, data, connector, session, None, draft.snapshot.wall))

"""The money of a session in one turn: readings and time into its account, each closed segment and the bill told."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from siteward.control import account as accounts
from siteward.control.bill import segment_data
from siteward.control.connector import ConnectorState
from siteward.control.draft import Draft
from siteward.control.scene import Scene
from siteward.control.session import Ending, OpenSession, tell
from siteward.model.bill import Segment
from siteward.model.events import EventType, Fact
from siteward.model.sessions import SessionRecord, StopReason

NOBODYS = frozenset({StopReason.FAULT, StopReason.POWER_LOSS, StopReason.EMERGENCY})
"""Ends that are not the driver's doing: standing after them costs nothing."""


def priced(scene: Scene, session: OpenSession) -> OpenSession:
    """Take the register as believed into the account; segments that it closed are told."""
    read = accounts.read(scene.draft.pricer(), session.account, scene.draft.moment, session.register)
    if read.account is session.account:
        return session
    before = sum(segment.ended is not None for segment in session.account.closed)
    _tell(scene, session, before, read.closed)
    record, account = session.record, read.account
    if record.max_amount is not None:
        # Money that is not there must not be charged for: no reading goes by unreckoned.
        account = account._replace(total=accounts.total(account, scene.draft.prices, scene.draft.moment))
    if account.total != record.total:
        record = replace(record, total=account.total)
    return session._replace(account=account, record=record)


def swapped(scene: Scene, session: OpenSession) -> OpenSession:
    """Another meter counts from here: a segment ends with the old one's last value, the gap is nobody's."""
    register, account = session.register, session.account
    if account.running is None or register.fresh_at is None:
        return priced(scene, session)
    step = scene.draft.pricer().swapped(account.running, scene.draft.moment, register.fresh_at, register.name)
    before = sum(segment.ended is not None for segment in account.closed)
    _tell(scene, session, before, step.closed)
    return session._replace(account=account._replace(running=step.running, closed=(*account.closed, *step.closed)))


def stood(scene: Scene, session: OpenSession, step_s: float) -> OpenSession:
    """Count the time in which the car only stands, by the monotonic clock: by its own choice, or after the end.

    What was paid ahead is the most that standing costs (0066).
    """
    if step_s <= 0.0 or not session.charged or scene.seen.flows or not scene.post.plugged or spent(session.record):
        return session
    ending = session.ending
    if ending is None:
        if scene.post.state is not ConnectorState.SUSPENDED_CAR:
            return session
    elif ending.stopped_at is None or ending.reason in NOBODYS:
        return session
    return session._replace(account=session.account._replace(idle_s=session.account.idle_s + step_s))


def parks(scene: Scene, session: OpenSession, ending: Ending) -> bool:
    """Whether a session that is over waits for its car to leave, because its tariff has a fee for that."""
    tariff = session.account.tariff
    if tariff is None or tariff.idle is None or not session.charged or ending.reason in NOBODYS:
        return False
    if spent(session.record):
        return False
    billed_to_the_end = session.account.idle_s >= tariff.idle.grace_s + tariff.idle.most_s
    return bool(scene.post.plugged) and scene.seen.online and not billed_to_the_end


def spent(record: SessionRecord) -> bool:
    """Whether the amount that was paid ahead is used up."""
    return record.max_amount is not None and (record.total or 0) >= record.max_amount


def on_row(scene: Scene, session: OpenSession) -> SessionRecord:
    """The record as its row keeps it, money included."""
    if not session.metered:
        return session.record
    return accounts.on_row(session.account, session.record, scene.draft.prices, scene.draft.moment)


def settled_up(draft: Draft, session: OpenSession) -> tuple[OpenSession, dict[str, object]]:
    """The session with its last segment closed and its bill, and what session.finished says of it."""
    account = session.account
    all_of_them, last = accounts.closing(account, draft.moment)
    draft.facts.extend(_told(session, len(all_of_them) - len(last), last, draft.snapshot.wall))
    record = replace(session.record, segments=all_of_them, idle_s=int(account.idle_s))
    record, data = accounts.settlement(account, record, draft.prices)
    return session._replace(record=record), data


def _tell(scene: Scene, session: OpenSession, before: int, closed: tuple[Segment, ...]) -> None:
    for fact in _told(session, before, closed, scene.wall):
        scene.tell(fact)


def _told(session: OpenSession, before: int, closed: tuple[Segment, ...], wall: datetime) -> Iterator[Fact]:
    """A fact for each segment that is priced; `before` is how many of the session were told already."""
    if session.account.tariff is None:
        return
    for number, segment in enumerate(closed, before + 1):
        yield tell(EventType.SESSION_SEGMENT, session.record, segment_data(segment, number), wall)

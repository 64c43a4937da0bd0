"""The money of a session in one turn: readings and time into its account, each closed segment and the bill told."""

from dataclasses import replace

from siteward.control import account as accounts
from siteward.control.bill import segment_data
from siteward.control.connector import ConnectorState
from siteward.control.scene import Scene
from siteward.control.session import Ending, OpenSession, tell
from siteward.model.bill import Segment
from siteward.model.events import EventType
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
    """Count the time in which the car only stands, by the monotonic clock: by its own choice, or after the end."""
    if step_s <= 0.0 or not session.charged or scene.seen.flows or not scene.post.plugged:
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
    billed_to_the_end = session.account.idle_s >= tariff.idle.grace_s + tariff.idle.most_s
    return bool(scene.post.plugged) and scene.seen.online and not billed_to_the_end


def parked(scene: Scene, session: OpenSession, ending: Ending) -> OpenSession:
    """Put on record how it ended, so that a restart does not charge the waiting car again."""
    record = session.record
    if record.stop_reason is not None:
        return session
    record = replace(record, stop_reason=ending.reason, ended_at=ending.stopped_wall)
    scene.spoke = True
    return session._replace(record=record)


def on_row(scene: Scene, session: OpenSession) -> SessionRecord:
    """The record as its row keeps it, money included."""
    if not session.metered:
        return session.record
    return accounts.on_row(session.account, session.record, scene.draft.prices, scene.draft.moment)


def settled_up(scene: Scene, session: OpenSession) -> tuple[OpenSession, dict[str, object]]:
    """The session with its last segment closed and its bill, and what session.finished says of it."""
    account = session.account
    all_of_them, last = accounts.closing(account, scene.draft.moment)
    _tell(scene, session, len(all_of_them) - len(last), last)
    record = replace(session.record, segments=all_of_them, idle_s=int(account.idle_s))
    record, data = accounts.settlement(account, record, scene.draft.prices)
    return session._replace(record=record), data


def _tell(scene: Scene, session: OpenSession, before: int, closed: tuple[Segment, ...]) -> None:
    if session.account.tariff is None:
        return
    for number, segment in enumerate(closed, before + 1):
        data = segment_data(segment, number)
        scene.tell(tell(EventType.SESSION_SEGMENT, session.record, data, scene.wall))

"""Parking bays: who stands there without charging, and when a bay's lock goes up or down by itself."""

from dataclasses import replace

from siteward.control.arm import Ask
from siteward.control.draft import Draft, Post
from siteward.control.lock import SETTLED_S
from siteward.control.session import stamp
from siteward.control.sight import IDLE_STALE_S
from siteward.model.access import Contact, Lock, LockKeeps
from siteward.model.alarms import Alarm, AlarmCode
from siteward.model.bookings import Bay, BayTaken
from siteward.model.events import EventType, Fact
from siteward.model.ids import ConnectorId
from siteward.model.kept import KeptKind
from siteward.model.sessions import OrderState, SuspendedBy

KEEP_AFTER_S = 60.0
"""A car that stands this long without charging is written down: a driver who only fetches his card costs no disk."""

TRIES = 3
"""How often a lock is asked to rise for one reason; then a person or the next car must change something (fault 77)."""

TRY_AGAIN_S = 30.0
OWN_BLADE_S = 60.0
"""What the sensor sees so soon after a rise may be the lock itself, and gives it no new tries."""

LOWER_AGAIN_S = 10.0


def watch_bays(draft: Draft) -> None:
    """Follow every bay once, after the connectors were moved."""
    for bay in draft.site.bays:
        standing = _stands(draft, bay)
        taken = draft.book.bays.get(bay.id)
        if not standing:
            if taken is not None:
                _freed(draft, bay, taken)
            continue
        if taken is None:
            _begun(draft, bay)
        else:
            _goes_on(draft, bay, taken)


def _stands(draft: Draft, bay: Bay) -> bool:
    """Whether a car stands there of which nobody can say that it charges, or that the station keeps it waiting."""
    post = draft.posts[bay.connector]
    sensed = None if bay.sensor is None else _says(draft, bay.sensor)
    occupied = post.plugged is True if sensed is None else sensed or post.plugged is True
    session = post.session
    if not occupied or session is None:
        return occupied
    over = session.ending is not None and session.ending.stopped_at is not None
    if over or session.record.state is OrderState.CHARGING:
        return over or session.record.suspended_by is SuspendedBy.CAR
    return session.ending is None and _offered(draft, bay.connector)


def _offered(draft: Draft, connector: ConnectorId) -> bool:
    """Whether its charger has taken an offer: a car that never drew of it is not kept waiting by us."""
    grant = draft.grants.get(connector)
    return grant is not None and grant.limit_a > 0.0 and (grant.confirmed_a or 0.0) > 0.0


def _says(draft: Draft, contact: Contact) -> bool | None:
    reading = draft.snapshot.inputs.get(contact.point)
    if reading is None or reading.on is None or draft.snapshot.at - reading.sent_at > IDLE_STALE_S:
        return None
    return reading.on is contact.closed_is_yes


def _begun(draft: Draft, bay: Bay) -> None:
    post = draft.posts[bay.connector]
    record = post.session.record if post.session is not None else None
    if record is None:
        record = next((c.record for c in draft.closed.values() if c.record.connector == bay.connector), None)
    session, order = (None, None) if record is None else (record.id, record.order)
    taken = BayTaken(bay.id, draft.snapshot.wall, session, order)
    book = draft.book
    bays_at = {**book.bays_at, bay.id: draft.snapshot.at}
    draft.book = replace(book, bays={**book.bays, bay.id: taken}, bays_at=bays_at)


def _goes_on(draft: Draft, bay: Bay, taken: BayTaken) -> None:
    stood_s = draft.snapshot.at - draft.book.bays_at.get(bay.id, draft.snapshot.at)
    if taken.told:
        draft.noticed.add(Alarm(AlarmCode.BAY_BLOCKED, bay.id))
        return
    if stood_s >= bay.blocked_after_s:
        taken = replace(taken, told=True)
        draft.book = replace(draft.book, bays={**draft.book.bays, bay.id: taken})
        draft.keep(KeptKind.BAY, bay.id, taken)
        draft.noticed.add(Alarm(AlarmCode.BAY_BLOCKED, bay.id))
        _tell(draft, EventType.ACCESS_BAY_BLOCKED, bay, taken, stood_s)
    elif stood_s >= KEEP_AFTER_S and bay.id not in draft.book.bays_kept:
        draft.book = replace(draft.book, bays_kept=draft.book.bays_kept | {bay.id})
        draft.keep(KeptKind.BAY, bay.id, taken)


def _freed(draft: Draft, bay: Bay, taken: BayTaken) -> None:
    book = draft.book
    stood_s = draft.snapshot.at - book.bays_at.get(bay.id, draft.snapshot.at)
    if taken.told or bay.id in book.bays_kept:
        draft.keep(KeptKind.BAY, bay.id)
    if taken.told:
        _tell(draft, EventType.ACCESS_BAY_FREED, bay, taken, stood_s)
    draft.book = replace(
        book,
        bays={name: row for name, row in book.bays.items() if name != bay.id},
        bays_at={name: at for name, at in book.bays_at.items() if name != bay.id},
        bays_kept=book.bays_kept - {bay.id},
    )


def _tell(draft: Draft, kind: EventType, bay: Bay, taken: BayTaken, stood_s: float) -> None:
    """Both events carry all that a fee needs: since when, how long, and by which rule of the tariff."""
    data: dict[str, object] = {"bayId": bay.id, "since": stamp(taken.since), "stood_s": int(stood_s)}
    if bay.fee_rule:
        data["feeRule"] = bay.fee_rule
    draft.facts.append(Fact(kind, data, bay.connector, taken.session, taken.order, draft.snapshot.wall))


def open_again(draft: Draft, connector: ConnectorId) -> None:
    """A bay is kept for nobody any more: its lock goes down, also one that an earlier life of ours raised."""
    locks = [k for k in draft.site.locks if k.connector == connector and k.keeps is LockKeeps.RESERVED]
    ours = {str(lock.id): (0, draft.snapshot.at) for lock in locks}
    if ours:
        draft.book = replace(draft.book, rises={**ours, **draft.book.rises})


def lock_wishes(draft: Draft) -> tuple[tuple[str, Ask], ...]:
    """What the locks are asked for in this turn; each looks at its own sensors before it moves (I12)."""
    wishes: list[tuple[str, Ask]] = []
    rises = dict(draft.book.rises)
    for lock in draft.site.locks:
        if lock.connector is None:
            continue
        ask = _wish(draft, lock, lock.connector, rises)
        if ask is not None:
            wishes.append((lock.id, ask))
    if rises != draft.book.rises:
        draft.book = replace(draft.book, rises=rises)
    return tuple(wishes)


def _wish(draft: Draft, lock: Lock, connector: ConnectorId, rises: dict[str, tuple[int, float]]) -> Ask | None:
    at, post = draft.snapshot.at, draft.posts[connector]
    if _let_in(post):
        rises.pop(lock.id, None)
        opened_at = post.session.opened_at if post.session is not None else at
        # Asked again while the car is not there yet: the board may not have heard the first word.
        return Ask.FREE if (at - opened_at) % LOWER_AGAIN_S < 1.0 else None
    keeps_up = lock.keeps is LockKeeps.FREE or (
        lock.keeps is LockKeeps.RESERVED and connector in draft.book.reservations
    )
    if not keeps_up:
        was_up = rises.pop(lock.id, None)
        return Ask.FREE if was_up is not None and post.session is None else None
    free = _says(draft, lock.bay) is False and post.session is None and post.plugged is not True
    tries, last_at = rises.get(lock.id, (0, at))
    if not free:
        if lock.id in rises and (tries == 0 or at - last_at > OWN_BLADE_S):
            rises[lock.id] = (0, at)
        return None
    rises[lock.id] = (tries, last_at)
    wait_s = SETTLED_S + 1.0 if tries == 0 else TRY_AGAIN_S
    if tries >= TRIES or at - last_at < wait_s:
        return None
    rises[lock.id] = (tries + 1, at)
    return Ask.BLOCK


def _let_in(post: Post) -> bool:
    """Whether somebody was authorised here whose car is still on its way."""
    session = post.session
    waits = session is not None and session.record.state is OrderState.CREATED and session.ending is None
    return waits and post.plugged is not True

"""Emergency stops: an input that ends charging at once, latches, and is let go only by a technician on site (I13)."""

from dataclasses import replace

from siteward.control.draft import Draft
from siteward.control.refuse import Refused
from siteward.control.rules import INPUT_LOST_S
from siteward.control.session import Ending
from siteward.model.alarms import Alarm, AlarmCode
from siteward.model.bookings import EmergencyStop, Latched
from siteward.model.events import EventType, Fact
from siteward.model.ids import ConnectorId
from siteward.model.kept import KeptKind
from siteward.model.live import StopState
from siteward.model.refusals import Refusal
from siteward.model.requests import Request, Role, Source, Stage
from siteward.model.sessions import StopReason
from siteward.model.snapshot import Snapshot


def watch_stops(draft: Draft) -> None:
    """Look at every emergency stop once; before any request, so that it wins over all of this turn's.

    A pressed one ends the sessions of its connectors and latches. One that cannot be read for INPUT_LOST_S pauses them
    until it can: nobody knows that it is not pressed, and nobody pressed it.
    """
    if not draft.site.emergencies:
        return
    stopped: set[ConnectorId] = set()
    unread: set[ConnectorId] = set()
    for stop in draft.site.emergencies:
        state = pressed(stop, draft.snapshot)
        if state is True and stop.id not in draft.book.latched:
            _latch(draft, stop)
        if stop.id in draft.book.latched:
            stopped |= stop.connectors
            draft.noticed.add(Alarm(AlarmCode.EMERGENCY_STOP, stop.id))
        if _lost(draft, stop, state):
            unread |= stop.connectors
            draft.noticed.add(Alarm(AlarmCode.EMERGENCY_INPUT_LOST, stop.id))
    draft.stopped, draft.unread = frozenset(stopped), frozenset(unread)
    for name in sorted(stopped):
        _end(draft, name)


def pressed(stop: EmergencyStop, snapshot: Snapshot) -> bool | None:
    """Whether the input says so; None where it was not read in the last INPUT_LOST_S."""
    reading = snapshot.inputs.get(stop.contact.point)
    if reading is None or reading.on is None or snapshot.at - reading.sent_at > INPUT_LOST_S:
        return None
    return reading.on is stop.contact.closed_is_yes


def _latch(draft: Draft, stop: EmergencyStop) -> None:
    latched = Latched(stop.id, draft.snapshot.wall)
    draft.book = replace(draft.book, latched={**draft.book.latched, stop.id: latched})
    draft.keep(KeptKind.LATCHED, stop.id, latched)
    _tell(draft, stop, {"what": "pressed", "connectors": sorted(stop.connectors)})


def _lost(draft: Draft, stop: EmergencyStop, state: bool | None) -> bool:
    """Whether it has been unreadable for long enough; follows since when."""
    since = draft.book.lost.get(stop.id)
    at = draft.snapshot.at
    if state is not None:
        if since is not None:
            draft.book = replace(draft.book, lost={k: v for k, v in draft.book.lost.items() if k != stop.id})
        return False
    if since is None:
        since = at
        draft.book = replace(draft.book, lost={**draft.book.lost, stop.id: at})
    return at - since >= INPUT_LOST_S


def _end(draft: Draft, name: ConnectorId) -> None:
    post = draft.posts[name]
    session = post.session
    if session is not None and session.ending is None:
        ending = Ending(StopReason.EMERGENCY, draft.snapshot.at, failed=True)
        draft.posts[name] = post._replace(session=session._replace(ending=ending))


def state_of(stop: EmergencyStop, snapshot: Snapshot, latched: bool) -> StopState:
    """An emergency stop as people see it."""
    on = pressed(stop, snapshot)
    if on:
        return StopState.PRESSED
    if latched:
        return StopState.LATCHED
    return StopState.UNREAD if on is None else StopState.CLEAR


def acknowledge(draft: Draft, request: Request) -> None:
    """RESET of an emergency stop: by a technician at panel or console, once its input is back; never by the cloud."""
    stop = next((stop for stop in draft.site.emergencies if stop.id == request.target), None)
    if stop is None:
        raise Refused(Refusal.NOT_SUPPORTED, request.name.value)
    if request.source not in (Source.PANEL, Source.CLI):
        raise Refused(Refusal.EMERGENCY_STOP)
    if request.source is Source.PANEL and (request.actor is None or request.actor.role is Role.VIEWER):
        raise Refused(Refusal.NOT_AUTHORISED)
    if stop.id in draft.book.latched:
        if pressed(stop, draft.snapshot) is not False:
            raise Refused(Refusal.EMERGENCY_STOP, "its input is still on, or cannot be read")
        left = {name: latched for name, latched in draft.book.latched.items() if name != stop.id}
        draft.book = replace(draft.book, latched=left)
        draft.keep(KeptKind.LATCHED, stop.id)
        user = None if request.actor is None else request.actor.user
        _tell(draft, stop, {"what": "acknowledged", "source": request.source.value, "user": user})
    draft.answer(request, Stage.ACCEPTED)
    draft.answer(request, Stage.DONE, result={"emergency": stop.id})


def _tell(draft: Draft, stop: EmergencyStop, data: dict[str, object]) -> None:
    fact = Fact(EventType.AUDIT_EMERGENCY, {"emergency": stop.id, "name": stop.name, **data})
    draft.facts.append(replace(fact, occurred_at=draft.snapshot.wall))

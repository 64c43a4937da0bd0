"""People and alarms: taking one on with a note, ending one whose cause is gone; each is journalled with its actor."""

from dataclasses import replace

from siteward.control.draft import Draft, Standing
from siteward.control.params import BadParam
from siteward.control.session import stamp
from siteward.model.alarm_log import Handling, told
from siteward.model.alarms import Alarm, AlarmCode
from siteward.model.events import EventType, Fact
from siteward.model.ids import ConnectorId
from siteward.model.refusals import Refusal
from siteward.model.requests import Request, Role, Stage

NOTE_MOST = 500
"""Longest note, in characters."""

NOTES_KEPT = 20
"""Notes that stay with a standing alarm; the journal has all of them."""


def acknowledge(draft: Draft, request: Request) -> None:
    """ACK_ALARM: somebody has taken the alarm on; further notes may follow. Raises BadParam."""
    found = _found(draft, request)
    if found is None:
        return
    alarm, held = found
    handling = _handling(draft, request)
    draft.alarms[alarm] = replace(held, notes=(*held.notes, handling)[-NOTES_KEPT:])
    data = {**identity(alarm, held), **told(handling)}
    draft.facts.append(
        Fact(EventType.ALARM_ACKNOWLEDGED, data, connector_of(draft, alarm), occurred_at=draft.snapshot.wall)
    )
    _done(draft, request, alarm, held)


def end_by_hand(draft: Draft, request: Request) -> None:
    """CLEAR_ALARM: end an alarm that stands only because it is latched or flaps. Raises BadParam."""
    found = _found(draft, request)
    if found is None:
        return
    alarm, held = found
    if held.gone_since is None:
        draft.answer(request, Stage.REJECTED, Refusal.ALARM_STANDS)
        return
    draft.ended[alarm] = _handling(draft, request)
    _done(draft, request, alarm, held)


def identity(alarm: Alarm, held: Standing) -> dict[str, object]:
    """What names one alarm for ever: what, where, and when it rose."""
    return {"code": alarm.code.value, "subject": alarm.subject, "raisedAt": stamp(held.raised_at)}


def connector_of(draft: Draft, alarm: Alarm) -> ConnectorId | None:
    """The connector that an alarm is about, None where it is about something else."""
    name = ConnectorId(alarm.subject)
    return name if name in draft.posts else None


def _found(draft: Draft, request: Request) -> tuple[Alarm, Standing] | None:
    """The standing alarm that is named; answers where there is none, or where the person may not."""
    if request.actor is not None and request.actor.role is Role.VIEWER:
        draft.answer(request, Stage.REJECTED, Refusal.NOT_AUTHORISED)
        return None
    params = request.params or {}
    code, subject = params.get("code"), params.get("subject")
    if not isinstance(code, str) or code not in set(AlarmCode):
        raise BadParam("code: name the alarm as the list of alarms does")
    if not isinstance(subject, str):
        raise BadParam("subject: name what the alarm is about, as the list of alarms does")
    alarm = Alarm(AlarmCode(code), subject)
    held = draft.alarms.get(alarm)
    risen = params.get("raisedAt")
    if held is None or not held.told or risen not in (None, stamp(held.raised_at)):
        draft.answer(request, Stage.REJECTED, Refusal.UNKNOWN_TARGET, f"no such alarm stands: {code} {subject[:64]}")
        return None
    return alarm, held


def _handling(draft: Draft, request: Request) -> Handling:
    note = (request.params or {}).get("note", "")
    if not isinstance(note, str) or len(note) > NOTE_MOST:
        raise BadParam(f"note: write at most {NOTE_MOST} characters")
    actor = request.actor
    return Handling(
        at=draft.snapshot.wall,
        source=request.source.value,
        user=None if actor is None else actor.user,
        role=None if actor is None else actor.role.value,
        note=" ".join(note.split()),
    )


def _done(draft: Draft, request: Request, alarm: Alarm, held: Standing) -> None:
    draft.answer(request, Stage.ACCEPTED)
    draft.answer(request, Stage.DONE, result=identity(alarm, held))

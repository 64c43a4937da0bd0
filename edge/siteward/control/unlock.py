"""UNLOCK_CONNECTOR: lets a cable go where nothing charges, and says what the charger's own lock shows of it."""

from collections.abc import Mapping
from dataclasses import replace

from siteward.control.booking import connector_of, may_act
from siteward.control.draft import Draft, Pending
from siteward.control.refuse import Refused
from siteward.model.events import EventType, Fact
from siteward.model.facts import UnlockFacts
from siteward.model.ids import ConnectorId
from siteward.model.limits import Grant
from siteward.model.readings import Cable
from siteward.model.refusals import Refusal
from siteward.model.requests import Request, Stage
from siteward.model.wire import FrameKind, FrameStage, Write, WriteKind

SEND_S = 5.0
"""How long an unlocking may wait for its wire."""

LOOK_S = 15.0
"""How long, after the time that its documents give it, the charger may take to be read."""


def unlock(draft: Draft, request: Request) -> None:
    """Accept an unlocking, or say what is against it; `follow` sees it through."""
    may_act(draft, request)
    name = connector_of(draft, request)
    if _facts(draft, name) is None:
        raise Refused(Refusal.UNLOCK_IMPOSSIBLE, name)
    if any(pending.connector == name and pending.unlock is not None for pending in draft.pending):
        raise Refused(Refusal.RATE_LIMITED, "an unlocking is under way")
    why = _against(draft, name, draft.grants.get(name))
    if why is not None:
        raise Refused(*why)
    snapshot = draft.snapshot
    write = Write(name, WriteKind.UNLOCK, 0.0, False, snapshot.turn, snapshot.at + SEND_S)
    draft.pending.append(Pending(request, snapshot.at, name, unlock=write))
    draft.answer(request, Stage.ACCEPTED, result={"connectorId": name})


def _facts(draft: Draft, name: ConnectorId) -> UnlockFacts | None:
    return next(connector.facts.unlock for connector in draft.site.connectors if connector.id == name)


def _against(draft: Draft, name: ConnectorId, grant: Grant | None) -> tuple[Refusal, str] | None:
    """What is against letting the cable go now; None where nothing is.

    A session that goes on is stopped first, by whoever may (OCPP 2.0.1 F05); one that only waits for its car to leave
    is over. An emergency stop, a fault or being out of service are no reasons: then above all somebody may want his
    car back.
    """
    seen = draft.see(name)
    if not seen.online:
        return Refusal.CHARGER_UNREACHABLE, ""
    session = draft.posts[name].session
    if session is not None and session.ending is None:
        return Refusal.ONGOING_TRANSACTION, f"session {session.record.id}"
    paused = grant is not None and grant.limit_a == 0.0 and grant.confirmed_a == 0.0
    reading = draft.snapshot.chargers.get(name)
    if not paused or seen.flows is not False or reading is None or reading.charging:
        return Refusal.CURRENT_FLOWS, ""
    return None


def follow(draft: Draft, pending: Pending, write: Write, grants: Mapping[ConnectorId, Grant]) -> Pending | None:
    """Take an accepted unlocking one turn further; None once it has its final answer."""
    name = write.connector
    if pending.answered_at is None:
        pending = replace(pending, answered_at=_answered(draft, write))
    if pending.answered_at is not None:
        return _judge(draft, pending, name, pending.answered_at)
    why = _against(draft, name, grants.get(name))
    if why is not None:
        return _end(draft, pending, name, *why)
    if draft.snapshot.at > write.deadline + 1.0:
        return _end(draft, pending, name, Refusal.UNLOCK_FAILED, "The charger did not take the command.")
    draft.unlocks.append(write)
    return pending


def _answered(draft: Draft, write: Write) -> float | None:
    """When the charger took it; a refusal by the charger is no answer."""
    for event in draft.snapshot.wire:
        mine = event.connector == write.connector and event.kind is FrameKind.UNLOCK and event.turn == write.turn
        if mine and event.stage is FrameStage.ANSWERED:
            return event.at
    return None


def _judge(draft: Draft, pending: Pending, name: ConnectorId, answered_at: float) -> Pending | None:
    """The lock by a reading that was sent after the charger took the command."""
    facts, reading = _facts(draft, name), draft.snapshot.chargers.get(name)
    within_s = 0.0 if facts is None else facts.within_s
    after_s = -1.0 if reading is None else reading.sent_at - answered_at
    cable = reading.cable if reading is not None and after_s >= 0.0 else None
    if cable in (Cable.UNLOCKED, Cable.NONE):
        return _end(draft, pending, name)
    if after_s < within_s:
        if draft.snapshot.at < answered_at + within_s + LOOK_S:
            return pending
        return _end(draft, pending, name, Refusal.CHARGER_UNREACHABLE, "It took the command and was not read since.")
    if cable is None and facts is not None and not facts.shows:
        return _end(draft, pending, name)
    return _end(draft, pending, name, Refusal.UNLOCK_FAILED, "" if cable else "The charger does not show its lock.")


def _end(
    draft: Draft, pending: Pending, name: ConnectorId, code: Refusal | None = None, detail: str = ""
) -> Pending | None:
    """The one final answer, and the fact for whoever asks later who let which cable go; nothing stays open."""
    reading, request = draft.snapshot.chargers.get(name), pending.request
    shown = None if reading is None or reading.cable is None else reading.cable.value
    result: dict[str, object] = {"connectorId": name, "sent": pending.answered_at is not None}
    if shown is not None:
        result["cable"] = shown
    elif code is None:
        result["effect"] = "not_readable"
    data = {key: value for key, value in result.items() if key != "connectorId"}
    data |= {"commandId": request.id, "source": request.source.value}
    if code is not None:
        data["code"] = code.value
    if request.actor is not None:
        data["user"] = request.actor.user
    session = draft.posts[name].session
    fact = Fact(EventType.CONNECTOR_UNLOCK, data, name, occurred_at=draft.snapshot.wall)
    if session is not None and session.ending is not None:
        # The one whose car waits for its cable; one that began meanwhile has no part in it.
        fact = replace(fact, session=session.record.id, order=session.record.order)
    draft.facts.append(fact)
    draft.answer(request, Stage.DONE if code is None else Stage.FAILED, code, detail, result)
    return None

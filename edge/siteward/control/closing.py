"""Ends a session by evidence: its current was seen to stop, its register was read after that, its car left (B23)."""

from collections.abc import Iterable
from dataclasses import replace

from siteward.control import fees, signing
from siteward.control.connector import ConnectorEvent
from siteward.control.draft import Draft
from siteward.control.scene import Scene
from siteward.control.session import Ending, OpenSession, close
from siteward.model.refusals import Refusal
from siteward.model.sessions import OrderState, StopReason

FINAL_READ_S = 10.0
"""How long the end of a session waits for a register read after the current stopped."""

GONE_S = 300.0
"""A session being ended at a charger that is silent this long is closed with the last good register."""


def closed(scene: Scene, session: OpenSession) -> OpenSession | None:
    """End it once the current is seen to have stopped and the register was read after that; None when it is over."""
    ending = session.ending
    if ending is None:
        return session
    if ending.stopped_at is None:
        if not _stopped(scene, session, ending):
            return on_record(scene, session)
        ending = replace(ending, stopped_at=scene.at, stopped_wall=scene.wall, read_from=scene.seen.sent_at or scene.at)
        session = session._replace(ending=ending)
    if session.metered and session.charged:
        fresh_at = session.register.fresh_at
        final = fresh_at is not None and fresh_at >= ending.read_from
        if not final and scene.at < (ending.stopped_at or scene.at) + FINAL_READ_S:
            return on_record(scene, session)
        session = session._replace(record=replace(session.record, estimated=session.record.estimated or not final))
        if signing.awaited(scene.draft, session, ending) or fees.parks(scene, session, ending):
            return on_record(scene, session)
    elif session.metered and session.record.state is OrderState.STARTING and not scene.seen.online:
        # What a silent charger let through before its first current was seen, nobody knows.
        session = session._replace(record=replace(session.record, estimated=True))
    finish(scene, session, ending)
    return None


def on_record(scene: Scene, session: OpenSession) -> OpenSession:
    """Put its end into its row as soon as there is one, so that no restart charges again what was ended (0065)."""
    record, ending = session.record, session.ending
    if ending is None or (record.stop_reason, record.ended_at) == (ending.reason, ending.stopped_wall):
        return session
    scene.spoke = True
    return session._replace(record=replace(record, stop_reason=ending.reason, ended_at=ending.stopped_wall))


def gone(scene: Scene, session: OpenSession) -> bool:
    """Whether nobody waits any more to see how a session that is being ended comes to its end."""
    return session.ending is not None and _stopped(scene, session, session.ending)


def _stopped(scene: Scene, session: OpenSession, ending: Ending) -> bool:
    """No car; or no current in a read after the decision, with the pause confirmed (R19); or silent for too long."""
    seen = scene.seen
    if session.record.state is OrderState.CREATED:
        return True
    if not seen.online:
        last = max(ending.at, session.opened_at if session.seen_at is None else session.seen_at)
        return scene.at - last >= GONE_S
    if scene.post.plugged is False:
        return True
    if seen.flows or seen.sent_at is None or seen.sent_at < ending.at:
        return False
    grant = scene.grant
    return ending.reason in (StopReason.FAULT, StopReason.EMERGENCY) or grant is None or grant.confirmed_a == 0.0


def finish(scene: Scene, session: OpenSession, ending: Ending) -> None:
    """Close it in this turn."""
    conclude(scene.draft, session, ending)
    scene.feed(ConnectorEvent.ENDED)


def conclude(draft: Draft, session: OpenSession, ending: Ending) -> None:
    """Its bill, its signed values, its last row and the fact that tells its end."""
    session, money = fees.settled_up(draft, session)
    session, signed = signing.concluded(draft, session)
    over, fact = close(session, ending, draft.snapshot.at, draft.snapshot.wall)
    if over.record.state is OrderState.FINISHED and session.metered:
        fact = replace(fact, data={**fact.data, **money, **signed})
    draft.facts.append(fact)
    draft.row(over.record)
    draft.closed[over.record.id] = over


def conclude_lost(draft: Draft, sessions: Iterable[OpenSession]) -> None:
    """Sessions whose connector or meter the site file no longer has: nobody sees more of them than their rows say."""
    at, wall = draft.snapshot.at, draft.snapshot.wall
    for session in sessions:
        ending = session.ending or Ending(StopReason.POWER_LOSS, at, Refusal.UNKNOWN_TARGET.value, failed=True)
        if ending.stopped_at is None:
            ending = replace(ending, stopped_at=at, stopped_wall=wall)
            record = replace(session.record, estimated=session.metered and session.charged, gap=session.charged)
            session = session._replace(record=record)
        conclude(draft, session, ending)

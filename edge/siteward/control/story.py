"""The story of one connector in one turn: what was seen moves its state and its session, and each change is told."""

from siteward.control.connector import ConnectorEvent, suspended_by
from siteward.control.course import run
from siteward.control.draft import Draft, Told
from siteward.control.scene import Scene
from siteward.control.session import Ending
from siteward.model.events import EventType, Fact
from siteward.model.limits import Grant
from siteward.model.sessions import StopReason
from siteward.model.site import Connector


def advance(draft: Draft, connector: Connector, grant: Grant | None, disobeys: bool) -> None:
    """Move one connector by what this turn saw; `disobeys` is the load's word that it must be stopped."""
    scene = Scene(draft, connector, grant, disobeys)
    _plug_and_fault(scene)
    session = scene.post.session
    if session is not None:
        session = run(scene, session)
        scene.post = scene.post._replace(session=session)
    _level(scene)
    _tell_status(scene)
    draft.posts[connector.id] = scene.post


def _plug_and_fault(scene: Scene) -> None:
    """What an answering charger says replaces what was remembered; silence changes nothing."""
    seen, post = scene.seen, scene.post
    if not seen.online:
        return
    plugged = post.plugged if seen.plugged is None else seen.plugged
    if plugged != post.plugged or seen.fault != post.fault:
        scene.post = post._replace(plugged=plugged, fault=seen.fault)
    if seen.fault is None:
        scene.feed(ConnectorEvent.REPAIRED)
        return
    scene.feed(ConnectorEvent.FAULT)
    session = post.session
    if session is not None and session.ending is None:
        ending = Ending(StopReason.FAULT, scene.at, seen.fault, failed=True)
        scene.post = scene.post._replace(session=session._replace(ending=ending))


def _level(scene: Scene) -> None:
    """Bring the state in line with the plug as it is now, whatever was missed; an unknown plug counts as empty."""
    if scene.post.session is not None:
        scene.feed(ConnectorEvent.OPENED)
        return
    if scene.post.plugged:
        scene.feed(ConnectorEvent.CAR_CAME)
    else:
        scene.feed(ConnectorEvent.CAR_LEFT)


def _tell_status(scene: Scene) -> None:
    """Journal a status that differs from the last one told, or is of yesterday; of a connector never heard of, none."""
    if not scene.seen.known:
        return
    state = scene.post.state
    status = scene.draft.status(scene.connector.id, scene.post)
    told = Told(status, state, suspended_by(state), scene.post.fault, scene.draft.day)
    if told == scene.post.told:
        return
    scene.post = scene.post._replace(told=told)
    session = scene.post.session
    data: dict[str, object] = {
        "status": status.value,
        "state": state.value,
        "suspendedBy": told.suspended_by.value if told.suspended_by is not None else None,
        "online": scene.seen.online,
        "fault": told.fault,
    }
    record = session.record if session is not None else None
    fact = Fact(
        EventType.CONNECTOR_STATUS,
        data,
        scene.connector.id,
        record.id if record is not None else None,
        record.order if record is not None else None,
        scene.wall,
    )
    scene.draft.facts.append(fact)

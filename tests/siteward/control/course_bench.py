"""One turn of one session at one connector, laid out by hand."""

from __future__ import annotations

from siteward.control import course
from siteward.control.connector import ConnectorState
from siteward.control.draft import Draft, Post, StoryMemory
from siteward.control.register import Register
from siteward.control.scene import Scene
from siteward.control.session import Ending, OpenSession
from siteward.model.events import ClockQuality, EventType
from siteward.model.ids import ConnectorId, OrderId, SessionId
from siteward.model.limits import Cause, CauseStep, Grant
from siteward.model.readings import ChargerReading, Pilot
from siteward.model.sessions import OrderState, SessionRecord, StopReason
from siteward.model.snapshot import Snapshot
from tests.fixtures.story_rig import START, story_site

AT = 1000.0
READ_AT = AT - 0.4
A1 = ConnectorId("A1")
SITE = story_site()
OUTLET = next(c for c in SITE.connectors if c.id == A1)
STATES = {
    OrderState.CREATED: ConnectorState.PREPARING,
    OrderState.STARTING: ConnectorState.PREPARING,
    OrderState.CHARGING: ConnectorState.CHARGING,
}


def grant(limit_a: float = 16.0, confirmed_a: float | None = 16.0, cause: Cause | None = Cause.FUSE) -> Grant:
    """What the load turn says of A1."""
    chain = () if cause is None else (CauseStep(cause, limit_a),)
    return Grant(A1, limit_a, limit_a, confirmed_a, limit_a, True, True, chain)


def opened(
    state: OrderState = OrderState.CHARGING, record: dict[str, object] | None = None, **more: object
) -> OpenSession:
    """A session whose last turn was a second ago and whose row was just written."""
    base: dict[str, object] = {"order": OrderId("O-1"), "meter": "SN-1"}
    if state is OrderState.CHARGING:
        base |= {"started_at": START, "start_register_wh": 1000, "last_register_wh": 5000}
    made = SessionRecord(SessionId("s1"), A1, state, START, "cloud", **(base | (record or {})))  # type: ignore[arg-type]
    known: dict[str, object] = {"durable": True, "seen_at": AT - 1.0, "row_at": AT, "row_wh": made.last_register_wh}
    if state is OrderState.CHARGING:
        known["counts_from"] = AT - 600.0
    register = Register("SN-1", made.last_register_wh, AT - 1.0, AT - 1.0, AT - 1.0)
    return OpenSession(made, register, True, AT - 700.0)._replace(**(known | more))


def scene(
    amps: float = 16.0,
    given: Grant | None = None,
    post: dict[str, object] | None = None,
    disobeys: bool = False,
    wh: int | None = 5001,
    silent: bool = False,
    session: OpenSession | None = None,
    **reading: object,
) -> Scene:
    """What a turn sees at A1: a car that draws so much, and its register."""
    shown: dict[str, object] = {"pilot": Pilot.C, "measured_a": (amps, amps, amps), "energy_wh": wh}
    read = ChargerReading(A1, READ_AT, **(shown | reading))  # type: ignore[arg-type]
    state = ConnectorState.PREPARING if session is None else STATES[session.record.state]
    known = Post(state, True)._replace(**(post or {}))
    snapshot = Snapshot(AT, START, ClockQuality.NTP, 9, {}, {A1: read}, {A1: 9} if silent else {})
    return Scene(Draft(SITE, snapshot, StoryMemory(posts={A1: known})), OUTLET, given or grant(), disobeys)


def ran(session: OpenSession, **more: object) -> tuple[OpenSession | None, Scene]:
    """One turn of it."""
    found = scene(session=session, **more)  # type: ignore[arg-type]
    return course.run(found, session), found


def going(session: OpenSession, **more: object) -> OpenSession:
    """One turn that it outlives."""
    after, _ = ran(session, **more)
    assert after is not None
    return after


def kinds(found: Scene) -> list[EventType]:
    """What was told."""
    return [fact.type for fact in found.draft.facts]


def ending(after: OpenSession | None, found: Scene) -> Ending | tuple[StopReason | None, str | None] | None:
    """How it is ended: still under way, or closed with this reason and code."""
    if after is not None:
        return after.ending
    closed = found.draft.closed[SessionId("s1")]
    return closed.record.stop_reason, closed.detail

"""What each connector asks of the fuses: current only for an open, journalled session that nobody is ending (I13)."""

from collections.abc import Mapping
from dataclasses import replace

from siteward.control.demand import IDLE, Demand
from siteward.control.draft import Draft, Post
from siteward.control.session import OpenSession
from siteward.control.tree import step_up
from siteward.model.ids import ConnectorId, SessionId
from siteward.model.site import Connector
from siteward.model.snapshot import Snapshot

_HANDOVER_S = 0.5
"""Most that lies between a turn's instant and its batch being handed to the store."""

_TAKEN_A = 1.0
"""Current above which a car uses a phase."""

_SHORTEST_H = 1.0 / 60.0


def demands(draft: Draft) -> Mapping[ConnectorId, Demand]:
    """One demand for each connector of the site; marks sessions whose opening has become durable."""
    found: dict[ConnectorId, Demand] = {}
    for connector in draft.site.connectors:
        post = _durable(draft.posts[connector.id], draft.snapshot, draft.opened)
        draft.posts[connector.id] = post
        found[connector.id] = _demand(connector, post, draft)
    return found


def _durable(post: Post, snapshot: Snapshot, opened: set[SessionId]) -> Post:
    """A session opened in this turn is not on disk; a later turn sees it there when nothing older is outstanding."""
    session = post.session
    if session is None or session.durable or session.record.id in opened:
        return post
    if snapshot.commit_age_s > 0.0 and snapshot.commit_age_s >= snapshot.at - session.opened_at - _HANDOVER_S:
        return post
    return post._replace(session=session._replace(durable=True))


def _demand(connector: Connector, post: Post, draft: Draft) -> Demand:
    session = post.session
    if session is None:
        flows = draft.see(connector.id).flows
        return replace(IDLE, priority=connector.priority, stop=bool(flows))
    power = connector.facts.power
    # Paused, such a charger is out of service and sees no car come: while one is awaited it is given its least.
    awaited = power is not None and power.pause_ends_session and post.plugged is False
    held = connector.id in draft.stopped or connector.id in draft.unread
    held = held or (session.signing is not None and session.signing.held)
    wants = session.durable and session.ending is None and not held and (post.plugged is not False or awaited)
    most = step_up(connector.least_a, connector.facts.limit.step_a) if awaited else _most(connector, session)
    return Demand(
        wants=wants,
        max_a=most if wants else 0.0,
        priority=connector.priority,
        waiting_since=session.opened_at,
        must_run=_runs_on(connector, session),
        stop=session.ending is not None or held,
        need_a=_need(connector, session, draft) if wants and session.record.departs_at is not None else 0.0,
        may_switch=session.record.phase_switching and not session.record.gap,
    )


def _runs_on(connector: Connector, session: OpenSession) -> bool:
    """Whether a pause would end what has begun (R20): somebody else is paused first."""
    power = connector.facts.power
    return power is not None and power.pause_ends_session and session.charged


def _need(connector: Connector, session: OpenSession, draft: Draft) -> float:
    """Current that brings the wanted energy until the departure, A on each phase that the car takes; 0 once it is late.

    A clock that cannot be trusted says nothing about how long is left (B21): the car then gets its fair share.
    """
    record, snapshot = session.record, draft.snapshot
    if record.departs_at is None or record.wanted_wh is None or not snapshot.clock.trusted:
        return 0.0
    left_h = (record.departs_at - snapshot.wall).total_seconds() / 3600.0
    rest_wh = record.wanted_wh - (record.energy_wh or 0)
    power = connector.facts.power
    if power is not None:
        late = left_h <= 0.0 or rest_wh <= 0
        return 0.0 if late else power.amps(rest_wh / max(left_h, _SHORTEST_H), draft.site.phase_voltage_v)
    reading = snapshot.chargers.get(connector.id)
    taken = 0 if reading is None or reading.measured_a is None else sum(amps > _TAKEN_A for amps in reading.measured_a)
    return need(rest_wh, left_h, taken or len(connector.wiring), draft.site.phase_voltage_v)


def need(rest_wh: float, left_h: float, phases: int, volts: float) -> float:
    """Mean current in A on each of so many phases that brings so much energy in so many hours; 0 when it is late."""
    if left_h <= 0.0 or rest_wh <= 0.0:
        return 0.0
    return rest_wh / (max(left_h, _SHORTEST_H) * phases * volts)


def _most(connector: Connector, session: OpenSession) -> float:
    most = session.record.max_current_a
    return connector.cap_a if most is None else min(connector.cap_a, most)

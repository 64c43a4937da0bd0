"""Turns the live view into what the pages draw: fuse nodes, connector cards, totals. Pure, no language, no HTML."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from siteward.client.messages import (
    AlarmMessage,
    ConnectorMessage,
    EmergencyMessage,
    FeederMessage,
    LiveMessage,
    SessionMessage,
    SlaveMessage,
)
from siteward.model.alarms import Severity
from siteward.model.live import StopState
from siteward.model.sessions import ConnectorStatus, OrderState, SuspendedBy

SCALE = 1.15
"""A phase bar ends at 115 % of the rating, so that an overload is still seen as longer than the rating."""

NEAR = 0.9
"""Share of the rating from which a fuse is shown as near it."""

_ROUNDING_A = 0.05

MARKS = {
    "charging": "bolt",
    "suspended_car": "pause",
    "suspended_station": "clock",
    "starting": "clock",
    "ended": "plug",
    "plugged": "plug",
    "available": "circle",
    "reserved": "lock",
    "unavailable": "bar",
    "faulted": "cross",
    "offline": "cross",
}
"""Picture of each state: its shape differs too, so that nobody needs to tell colours apart."""

FLOWS_A = 1.0
"""Less than this is noise of a meter, A."""

_SEVERITIES = tuple(severity.value for severity in Severity)
"""Worst first."""


@dataclass(frozen=True, slots=True)
class PhaseBar:
    """One phase of a fuse: currents in A and their ends on the bar, in percent of its length."""

    phase: str
    rating_a: float
    load_a: float | None
    base_a: float
    reserved_a: float
    level: str
    load_end: float
    base_end: float
    reserved_end: float
    rating_at: float

    @property
    def share_percent(self) -> int | None:
        """Measured load in percent of the rating."""
        if self.load_a is None or self.rating_a <= 0:
            return None
        return round(100 * self.load_a / self.rating_a)


@dataclass(frozen=True, slots=True)
class Node:
    """A fuse with what hangs below it."""

    feeder: FeederMessage
    bars: tuple[PhaseBar, ...]
    level: str
    children: tuple["Node", ...]
    connectors: tuple[ConnectorMessage, ...]

    @property
    def worst(self) -> PhaseBar:
        """The phase nearest to its rating: by measured load, else by what is booked."""
        return max(self.bars, key=lambda bar: (bar.load_a if bar.load_a is not None else bar.base_a) / bar.rating_a)


@dataclass(frozen=True, slots=True)
class Totals:
    """Figures of the whole site; severity is the worst standing one, None without alarms."""

    root: Node | None
    charging: int
    connectors: int
    power_w: float
    energy_wh: int
    sessions: int
    alarms: int
    severity: str | None


def tree(live: LiveMessage) -> tuple[Node, ...]:
    """The fuse trees of the site, roots first; feeders come parents first."""
    known = {feeder.id for feeder in live.feeders}
    return tuple(_node(f, live) for f in live.feeders if f.parent is None or f.parent not in known)


def nodes(roots: Iterable[Node]) -> list[Node]:
    """Every node, parents before children."""
    flat: list[Node] = []
    for root in roots:
        flat.append(root)
        flat.extend(nodes(root.children))
    return flat


def totals(live: LiveMessage) -> Totals:
    """Figures of the whole site."""
    roots = tree(live)
    alarms = worst_first(live)
    open_sessions = [c.session for c in live.connectors if c.session is not None and session_open(c.session)]
    return Totals(
        root=roots[0] if roots else None,
        charging=sum(connector_state(c) == "charging" for c in live.connectors),
        connectors=len(live.connectors),
        power_w=sum(c.power_w or 0.0 for c in live.connectors),
        energy_wh=sum(session.energy_wh or 0 for session in open_sessions),
        sessions=len(open_sessions),
        alarms=len(alarms),
        severity=alarms[0].severity if alarms else None,
    )


def worst_first(live: LiveMessage) -> list[AlarmMessage]:
    """Standing alarms, the worst first, and of equal ones the oldest."""
    return sorted(live.alarms, key=lambda alarm: (_severity_rank(alarm.severity), alarm.raised_at))


def session_open(session: SessionMessage) -> bool:
    """Whether the session still takes its connector."""
    return OrderState(session.state).open


def connector_state(connector: ConnectorMessage) -> str:
    """What the connector does, as a key of vocabulary.STATES."""
    if not connector.online:
        return "offline"
    if connector.session is not None and session_open(connector.session):
        return _session_state(connector, connector.session)
    return {
        ConnectorStatus.FAULTED: "faulted",
        ConnectorStatus.UNAVAILABLE: "unavailable",
        ConnectorStatus.RESERVED: "reserved",
        ConnectorStatus.OCCUPIED: "plugged",
        ConnectorStatus.AVAILABLE: "available",
    }[ConnectorStatus(connector.status)]


def stops_at(live: LiveMessage, connector_id: str) -> tuple[EmergencyMessage, ...]:
    """Emergency stops that keep a connector from charging now."""
    return tuple(stop for stop in live.emergencies if stop.state != StopState.CLEAR and connector_id in stop.connectors)


def session_over(session: SessionMessage) -> bool:
    """Whether an open session has ended for all but its idle fee: it stays open until the car leaves (0051)."""
    return session.stop_reason is not None and session.ended_at is not None and session_open(session)


def can_start(connector: ConnectorMessage) -> bool:
    """Whether a start button makes sense; core judges again. At a reserved one it is for whom it is kept."""
    return connector_state(connector) in ("available", "plugged", "reserved")


def can_reserve(connector: ConnectorMessage) -> bool:
    """Whether the connector can be kept for somebody; core judges again."""
    return connector_state(connector) == "available" and connector.reservation is None and not connector.out_of_service


def can_wait(connector: ConnectorMessage) -> bool:
    """Whether somebody can be next at the connector, which is in use or kept for another; core judges again."""
    state = connector_state(connector)
    idle = connector.reservation is None and state == "available"
    sound = state not in ("offline", "unavailable", "faulted") and not connector.out_of_service
    return sound and not idle and connector.next_reservation is None


def can_stop(connector: ConnectorMessage) -> bool:
    """Whether there is an open session to stop; true for a silent charger too."""
    return connector.session is not None and session_open(connector.session) and connector_state(connector) != "ended"


def worst_current(connector: ConnectorMessage) -> float | None:
    """Current of the phase that carries most, in A; None = not known, as of a charger that does not answer."""
    return last_current(connector) if connector.online else None


def last_current(connector: ConnectorMessage) -> float | None:
    """Current of the phase that carried most when the charger was last read, in A; None = never read."""
    return max(connector.current_a) if connector.current_a is not None else None


def slave_level(slave: SlaveMessage, reachable: bool) -> str:
    """`ok`, `poor` (more than 2 % of the requests went wrong) or `dead` (not reachable now, or never answered)."""
    if not reachable or (slave.sent and not slave.answered):
        return "dead"
    return "poor" if slave.sent and slave.answered / slave.sent < 0.98 else "ok"


def _session_state(connector: ConnectorMessage, session: SessionMessage) -> str:
    if connector.status == ConnectorStatus.FAULTED:
        return "faulted"
    if session.state != OrderState.CHARGING:
        return "starting"
    if session_over(session) and (worst_current(connector) or 0.0) < FLOWS_A:
        return "ended"
    by = connector.suspended_by or session.suspended_by
    if by == SuspendedBy.CAR:
        return "suspended_car"
    return "suspended_station" if by == SuspendedBy.STATION else "charging"


def _node(feeder: FeederMessage, live: LiveMessage) -> Node:
    bars = tuple(_bar(feeder, i) for i in range(3) if feeder.rating_a[i] > 0)
    return Node(
        feeder=feeder,
        bars=bars,
        level=_worst_level([bar.level for bar in bars]),
        children=tuple(_node(child, live) for child in live.feeders if child.parent == feeder.id),
        connectors=tuple(c for c in live.connectors if c.feeder == feeder.id),
    )


def _bar(feeder: FeederMessage, index: int) -> PhaseBar:
    rating = feeder.rating_a[index]
    load = feeder.load_a[index] if feeder.load_a is not None else None
    base, reserved = feeder.base_a[index], feeder.reserved_a[index]
    return PhaseBar(
        phase=f"L{index + 1}",
        rating_a=rating,
        load_a=load,
        base_a=base,
        reserved_a=reserved,
        level=_level(load, base + reserved, rating),
        load_end=_place(load or 0.0, rating),
        base_end=_place(base, rating),
        reserved_end=_place(base + reserved, rating),
        rating_at=_place(rating, rating),
    )


def _place(current_a: float, rating_a: float) -> float:
    return round(max(0.0, min(100.0, 100 * current_a / (rating_a * SCALE))), 1)


def _level(load_a: float | None, most_a: float, rating_a: float) -> str:
    """How near a phase is to its rating; without a meter only whether the most that may flow would pass it."""
    if load_a is None:
        return "bound" if most_a > rating_a + _ROUNDING_A else "unknown"
    if load_a > rating_a:
        return "over"
    return "near" if load_a >= NEAR * rating_a else "ok"


def _worst_level(levels: Sequence[str]) -> str:
    return next((level for level in ("over", "bound", "near", "unknown") if level in levels), "ok")


def _severity_rank(severity: str) -> int:
    """0 is worst; a severity of a newer core counts as worst."""
    return _SEVERITIES.index(severity) if severity in _SEVERITIES else 0

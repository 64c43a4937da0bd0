"""Rates of a day by connector: answering, starting, interrupted, in use (S-26, S-28, S-29, S-67)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from siteward.model.events import EventType
from siteward.model.sessions import StopReason
from siteward.report.facts import Told, moment

ABNORMAL = frozenset({StopReason.FAULT.value, StopReason.POWER_LOSS.value})
"""Ends of a session that nobody wanted."""

_ENDS = frozenset({EventType.SESSION_FINISHED, EventType.SESSION_FAILED, EventType.SESSION_CANCELLED})
_SESSION = _ENDS | {EventType.SESSION_CREATED}


@dataclass(slots=True)
class ConnectorDay:
    """One connector in the window. known_s: how long it is known whether it answered; times in s, energy in Wh.

    started, failed and cancelled are sessions that began in the window, finished and abnormal those that ended in it.
    """

    id: str
    known_s: float = 0.0
    online_s: float = 0.0
    occupied_s: float = 0.0
    charging_s: float = 0.0
    created: int = 0
    started: int = 0
    failed: int = 0
    cancelled: int = 0
    finished: int = 0
    abnormal: int = 0
    energy_wh: int = 0
    reasons: dict[str, int] = field(default_factory=dict)


def share(part: float, whole: float) -> float | None:
    """A share in percent, None where there is nothing to be a share of."""
    return None if whole <= 0 else 100.0 * part / whole


@dataclass(slots=True)
class _State:
    """A connector on the way through the events; a time of None is that nothing is open."""

    online_since: datetime | None = None
    offline_since: datetime | None = None
    occupied_since: datetime | None = None
    charging_since: datetime | None = None


def connector_days(
    told: Sequence[Told], connectors: Sequence[str], begin: datetime, end: datetime
) -> dict[str, ConnectorDay]:
    """Walk all events: those before the window say how it began, later ones what came of its starts.

    A connector of the window's sessions that the site no longer has is there as well: its energy was sold.
    """
    gone = {event.connector for event in told if event.type in _SESSION and begin <= event.at < end}
    names = (*connectors, *sorted(gone - {*connectors, ""}))
    walk = _Walk({name: ConnectorDay(name) for name in names}, begin, end)
    for event in told:
        walk.take(event)
    return walk.finish()


class _Walk:
    def __init__(self, days: dict[str, ConnectorDay], begin: datetime, end: datetime) -> None:
        self._days = days
        self._begin, self._end = begin, end
        self._states = {name: _State() for name in days}
        self._created: dict[str, bool] = {}
        self._alive: datetime | None = None

    def take(self, event: Told) -> None:
        if event.type == EventType.AUDIT_STARTED:
            self._restart(event)
        elif event.connector in self._days:
            self._one(event)
        self._alive = event.steady

    def _restart(self, event: Told) -> None:
        """Until the station's last sign of life things were as told; from then on nothing is known."""
        alive = event.data.get("aliveAt")
        last = moment(alive) if isinstance(alive, str) else self._alive
        until = event.steady if last is None else min(last, event.steady)
        for name in self._days:
            self._reach(name, until, None)
            self._charge(name, until, False)

    def _one(self, event: Told) -> None:
        if event.type == EventType.CONNECTOR_STATUS:
            online = event.data.get("online")
            self._reach(event.connector, event.steady, online if isinstance(online, bool) else None)
        elif event.type.startswith("session."):
            self._session(event)

    def finish(self) -> dict[str, ConnectorDay]:
        for name in self._days:
            self._reach(name, self._end, None)
            self._charge(name, self._end, False)
            self._occupy(name, self._end, False)
        return self._days

    def _session(self, event: Told) -> None:
        name, day, at = event.connector, self._days[event.connector], event.steady
        inside = self._begin <= event.at < self._end
        if event.type == EventType.SESSION_CREATED:
            self._created[event.session] = inside
            day.created += inside
            self._occupy(name, at, True)
        elif event.type == EventType.SESSION_CHARGING:
            day.started += self._created.get(event.session, False)
            self._charge(name, at, True)
        elif event.type == EventType.SESSION_SUSPENDED:
            self._charge(name, at, False)
        elif event.type == EventType.SESSION_RESUMED:
            self._charge(name, at, "suspendedBy" not in event.data)
        elif event.type in _ENDS:
            self._charge(name, at, False)
            self._occupy(name, at, False)
            day.failed += event.type == EventType.SESSION_FAILED and self._created.get(event.session, False)
            day.cancelled += event.type == EventType.SESSION_CANCELLED and self._created.get(event.session, False)
            if inside and event.type == EventType.SESSION_FINISHED:
                self._finished(day, event.data)

    @staticmethod
    def _finished(day: ConnectorDay, data: Mapping[str, object]) -> None:
        reason = str(data.get("stopReason", ""))
        day.finished += 1
        day.abnormal += reason in ABNORMAL
        day.reasons[reason] = day.reasons.get(reason, 0) + 1
        energy = data.get("energy_wh")
        day.energy_wh += energy if isinstance(energy, int) else 0

    def _inside_s(self, since: datetime | None, until: datetime) -> float:
        if since is None:
            return 0.0
        return max(0.0, (min(until, self._end) - max(since, self._begin)).total_seconds())

    def _reach(self, name: str, at: datetime, online: bool | None) -> None:
        state, day = self._states[name], self._days[name]
        reached = self._inside_s(state.online_since, at)
        day.online_s += reached
        day.known_s += reached + self._inside_s(state.offline_since, at)
        state.online_since = at if online is True else None
        state.offline_since = at if online is False else None

    def _charge(self, name: str, at: datetime, on: bool) -> None:
        state = self._states[name]
        self._days[name].charging_s += self._inside_s(state.charging_since, at)
        state.charging_since = at if on else None

    def _occupy(self, name: str, at: datetime, on: bool) -> None:
        state = self._states[name]
        self._days[name].occupied_s += self._inside_s(state.occupied_since, at)
        state.occupied_since = at if on else None

"""Watches the power of running sessions, turn by turn, and makes short stretches of it for the trace."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from siteward.model.curve import CurveState, Drawn, Stretch
from siteward.model.ids import ConnectorId, SessionId
from siteward.model.sessions import OrderState, SessionRecord, SuspendedBy
from siteward.model.site import Connector, Site
from siteward.runtime.turn import TurnDone
from siteward.runtime.view import newest_power, offered_w

STRETCH_S = 5
"""Longest stretch: on a desk's screen a point of a session of two hours."""

STEP_W = 400
"""A change of power or offer by so much begins a stretch of its own, so that a step is drawn as one."""

FRESH_S = 15.0
"""A power that was read longer ago is none: twice the slowest poll of a charger."""

_HELD = {SuspendedBy.CAR: CurveState.CAR, SuspendedBy.STATION: CurveState.STATION}


class CurveSampler:
    """Takes each turn that is kept; a stretch ends after STRETCH_S, with its state, and with its session."""

    def __init__(self, site: Site) -> None:
        self._site = site
        volts = site.phase_voltage_v
        self._per_a = {c.id: offered_w(c, 1.0, volts) if c.facts.power is None else None for c in site.connectors}
        self._open: dict[ConnectorId, tuple[SessionId, Stretch]] = {}

    def take(self, done: TurnDone) -> Iterator[Drawn]:
        """Stretches that this turn ended."""
        second = int(done.snapshot.wall.timestamp())
        for connector in self._site.connectors:
            record = done.decision.connectors[connector.id].session
            known = self._open.get(connector.id)
            if record is None:
                if known is not None:
                    yield self._close(connector.id)
                continue
            now = self._sample(connector, record, done, second)
            if known is not None and known[0] == record.id and _continues(known[1], now):
                self._open[connector.id] = (record.id, _joined(known[1], now))
                continue
            if known is not None:
                yield self._close(connector.id)
            self._open[connector.id] = (record.id, now)

    def rest(self) -> Iterator[Drawn]:
        """What is open still, at the end of the program."""
        for name in list(self._open):
            yield self._close(name)

    def _close(self, name: ConnectorId) -> Drawn:
        session, stretch = self._open.pop(name)
        return Drawn(session, self._per_a[name], stretch)

    def _sample(self, connector: Connector, record: SessionRecord, done: TurnDone, second: int) -> Stretch:
        grant = done.decision.grants[connector.id]
        power = newest_power(connector, done.snapshot) if grant.reachable else None
        measured = None if power is None or done.snapshot.at - power[1] > FRESH_S else round(power[0])
        held = done.decision.connectors[connector.id].suspended_by
        state = _state(record, held, measured) if grant.reachable else CurveState.UNREAD
        offered = round(offered_w(connector, grant.limit_a, self._site.phase_voltage_v))
        return Stretch(second, second + 1, state, measured, measured, offered, offered)


def _state(record: SessionRecord, held: SuspendedBy | None, measured_w: int | None) -> CurveState:
    if record.stop_reason is not None and (measured_w or 0) < STEP_W:
        # Under an idle fee a session goes on until the car leaves (0051); its end is known before it stops (0065).
        return CurveState.ENDED
    if held is not None:
        return _HELD[held]
    return CurveState.CHARGING if record.state is OrderState.CHARGING else CurveState.STARTING


def _continues(one: Stretch, other: Stretch) -> bool:
    """Whether a sample belongs to an open stretch: same state, no hole, no step of clock, power or offer between."""
    ahead = other.begin - one.end
    near = one.state is other.state and -1 <= ahead <= STRETCH_S and other.begin - one.begin < STRETCH_S
    if not near or (one.low_w is None) is not (other.low_w is None):
        return False
    measured = max(one.high_w or 0, other.high_w or 0) - min(one.low_w or 0, other.low_w or 0)
    offered = max(one.high_limit_w, other.high_limit_w) - min(one.low_limit_w, other.low_limit_w)
    return max(measured, offered) <= STEP_W


def _joined(one: Stretch, other: Stretch) -> Stretch:
    return replace(
        one,
        end=max(one.end, other.end),
        low_w=_of(min, one.low_w, other.low_w),
        high_w=_of(max, one.high_w, other.high_w),
        low_limit_w=min(one.low_limit_w, other.low_limit_w),
        high_limit_w=max(one.high_limit_w, other.high_limit_w),
    )


def _of(choose: Callable[[int, int], int], one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else choose(one, other)

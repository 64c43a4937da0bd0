"""The states of a connector as ONE table: what each event does in each state, in our words and in OCPP's."""

from enum import StrEnum

from transitions import Machine

from siteward.model.sessions import ConnectorStatus, SuspendedBy


class ConnectorState(StrEnum):
    """Where a connector is; being unreachable is an attribute beside it, never a state (the car may go on charging)."""

    AVAILABLE = "available"
    PREPARING = "preparing"
    CHARGING = "charging"
    SUSPENDED_CAR = "suspended_car"
    SUSPENDED_STATION = "suspended_station"
    FINISHING = "finishing"
    FAULTED = "faulted"


class ConnectorEvent(StrEnum):
    """What can happen to a connector, as observed by a turn."""

    CAR_CAME = "car_came"
    CAR_LEFT = "car_left"
    OPENED = "opened"
    FLOWS = "flows"
    CAR_HOLDS = "car_holds"
    STATION_HOLDS = "station_holds"
    ENDED = "ended"
    FAULT = "fault"
    REPAIRED = "repaired"


_S = ConnectorState
_E = ConnectorEvent

TABLE: tuple[tuple[ConnectorState, ConnectorEvent, ConnectorState], ...] = (
    (_S.AVAILABLE, _E.CAR_CAME, _S.PREPARING),
    (_S.AVAILABLE, _E.OPENED, _S.PREPARING),
    (_S.AVAILABLE, _E.FAULT, _S.FAULTED),
    (_S.PREPARING, _E.FLOWS, _S.CHARGING),
    (_S.PREPARING, _E.ENDED, _S.FINISHING),
    (_S.PREPARING, _E.CAR_LEFT, _S.AVAILABLE),
    (_S.PREPARING, _E.FAULT, _S.FAULTED),
    (_S.CHARGING, _E.CAR_HOLDS, _S.SUSPENDED_CAR),
    (_S.CHARGING, _E.STATION_HOLDS, _S.SUSPENDED_STATION),
    (_S.CHARGING, _E.ENDED, _S.FINISHING),
    (_S.CHARGING, _E.FAULT, _S.FAULTED),
    (_S.SUSPENDED_CAR, _E.FLOWS, _S.CHARGING),
    (_S.SUSPENDED_CAR, _E.STATION_HOLDS, _S.SUSPENDED_STATION),
    (_S.SUSPENDED_CAR, _E.ENDED, _S.FINISHING),
    (_S.SUSPENDED_CAR, _E.FAULT, _S.FAULTED),
    (_S.SUSPENDED_STATION, _E.FLOWS, _S.CHARGING),
    (_S.SUSPENDED_STATION, _E.CAR_HOLDS, _S.SUSPENDED_CAR),
    (_S.SUSPENDED_STATION, _E.ENDED, _S.FINISHING),
    (_S.SUSPENDED_STATION, _E.FAULT, _S.FAULTED),
    (_S.FINISHING, _E.OPENED, _S.PREPARING),
    (_S.FINISHING, _E.CAR_LEFT, _S.AVAILABLE),
    (_S.FINISHING, _E.FAULT, _S.FAULTED),
    (_S.FAULTED, _E.REPAIRED, _S.AVAILABLE),
)
"""Every move there is; an event without a row changes nothing. After a repair the plug is looked at again."""


class _Cursor:
    """What the shared machine moves: one state, made anew for each event so that nothing is shared but the table."""

    __slots__ = ("state",)

    def __init__(self, state: str) -> None:
        self.state = state


_MACHINE = Machine(
    model=None,
    states=[state.value for state in ConnectorState],
    transitions=[{"trigger": e.value, "source": s.value, "dest": d.value} for s, e, d in TABLE],
    initial=ConnectorState.AVAILABLE.value,
    auto_transitions=False,
)
_ROWS = frozenset((source, event) for source, event, _ in TABLE)


def feed(state: ConnectorState, event: ConnectorEvent) -> tuple[ConnectorState, ConnectorState]:
    """Return (before, after) of an event; equal where the table has no row for it.

    Such an event never reaches the machine, which would log a warning for each; control logs nothing.
    """
    if (state, event) not in _ROWS:
        return state, state
    cursor = _Cursor(state.value)
    _MACHINE.events[event.value].trigger(cursor)
    return state, ConnectorState(cursor.state)


def status_of(state: ConnectorState, online: bool, out: bool = False, reserved: bool = False) -> ConnectorStatus:
    """OCPP 2.0.1 word of a state; a connector that does not answer is Unavailable whatever it did last.

    out: it is out of service and no session is open there; reserved: it is kept for somebody.
    """
    if not online or (out and state is not ConnectorState.FAULTED):
        return ConnectorStatus.UNAVAILABLE
    if state is ConnectorState.AVAILABLE:
        return ConnectorStatus.RESERVED if reserved else ConnectorStatus.AVAILABLE
    if state is ConnectorState.FAULTED:
        return ConnectorStatus.FAULTED
    return ConnectorStatus.OCCUPIED


def suspended_by(state: ConnectorState) -> SuspendedBy | None:
    """Who holds the session, None when nobody does."""
    if state is ConnectorState.SUSPENDED_CAR:
        return SuspendedBy.CAR
    return SuspendedBy.STATION if state is ConnectorState.SUSPENDED_STATION else None


def diagram() -> str:
    """Return the table as a mermaid state diagram, ending in a newline; the decision record holds exactly this."""
    lines = ["stateDiagram-v2", f"    [*] --> {ConnectorState.AVAILABLE}"]
    lines += [f"    {source} --> {dest}: {event}" for source, event, dest in TABLE]
    return "\n".join(lines) + "\n"

"""The right to speak to a charger between two turns: asked at the instant of sending (turn.md step 14, R2, R4, R7)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from siteward.model.ids import ConnectorId
from siteward.model.wire import Write, WriteKind


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the last completed turn allows; a dead turn allows less with every second.

    newest holds the one write per connector and kind that may still go out; roomy the reachable connectors whose
    raise was inside the room of every fuse on its path by that turn's U (nothing is raised for a silent one, R2);
    lease_until ends the right to raise, lease_s after the turn every other word ends too (ruling 1); mute are the
    silent chargers that may not be asked anything (R2).
    """

    at: float
    turn: int
    newest: Mapping[tuple[ConnectorId, WriteKind], Write] = field(default_factory=dict)
    roomy: frozenset[ConnectorId] = frozenset()
    lease_until: Mapping[ConnectorId, float] = field(default_factory=dict)
    lease_s: Mapping[ConnectorId, float] = field(default_factory=dict)
    mute: frozenset[ConnectorId] = frozenset()


def may_send(ledger: Ledger, write: Write, at: float) -> bool:
    """Whether this write may go out now.

    Every write must be the newest of its kind for its connector and in time; a raise needs a living lease and room
    on its whole path besides. Cuts need no lease: their own deadline proves that the turn which asked is alive, and
    they must go on while R17 holds the leases back. An unlocking may go where any other word may.
    """
    if at > write.deadline or ledger.newest.get((write.connector, write.kind)) != write:
        return False
    if write.kind is WriteKind.UNLOCK:
        # It protects nothing, so it must not feed the watchdog of a charger that shall fall back.
        return may_speak(ledger, write.connector, at)
    if not write.raises:
        return True
    return write.connector in ledger.roomy and at < ledger.lease_until.get(write.connector, at)


def may_speak(ledger: Ledger, connector: ConnectorId, at: float) -> bool:
    """Whether any other request may go to this charger now.

    Not once the last turn is older than the lease, so that a watchdog fed by any request can end (ruling 1); not to
    a silent charger whose watchdog a read may feed at its old limit (R2): there the answer to a limit write that is
    not above the fail-safe current is the sign of life.
    """
    return connector not in ledger.mute and at - ledger.at <= ledger.lease_s.get(connector, 0.0)

"""What the trace keeps of a turn: the picture, and what the connectors asked of the fuses under which limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from siteward.control.decide import Decision
from siteward.control.demand import Demand
from siteward.model.ids import ConnectorId
from siteward.model.limits import Limit, LimitSource
from siteward.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Recorded:
    """One kept turn. demands hold only connectors that want current; limits are those set for a time.

    demands is None where a program wrote the trace that did not keep them yet.
    """

    snapshot: Snapshot
    demands: Mapping[ConnectorId, Demand] | None = None
    limits: tuple[Limit, ...] = field(default=())


def record(snapshot: Snapshot, decision: Decision) -> Recorded:
    """What to keep of a turn that was decided."""
    return Recorded(
        snapshot,
        {name: demand for name, demand in decision.demands.items() if demand.wants},
        tuple(limit for limit in decision.limits if limit.source is not LimitSource.STATIC),
    )

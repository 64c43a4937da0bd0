"""What the trace keeps of a turn: the picture, and what the connectors asked of the fuses under which limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from siteward.control.decide import Decision
from siteward.control.demand import Demand
from siteward.model.ids import ConnectorId
from siteward.model.limits import Grant, Limit, LimitSource
from siteward.model.site import Site
from siteward.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Recorded:
    """One kept turn. demands hold only connectors that want current; limits are those that somebody set for a time.

    demands is None where a program wrote the trace that did not keep them yet; why holds the grants, with their cause
    chains, that changed since the turn kept before.
    """

    snapshot: Snapshot
    demands: Mapping[ConnectorId, Demand] | None = None
    limits: tuple[Limit, ...] = ()
    why: Mapping[ConnectorId, Grant] = field(default_factory=dict)


def record(site: Site, snapshot: Snapshot, decision: Decision, why: Mapping[ConnectorId, Grant]) -> Recorded:
    """What to keep of a turn that was decided; limits that the site file describes follow from it again."""
    described = {rule.id for rule in site.rules}
    return Recorded(
        snapshot,
        {name: demand for name, demand in decision.demands.items() if demand.wants},
        tuple(x for x in decision.limits if x.source is not LimitSource.STATIC and x.id not in described),
        why,
    )


def essence(grant: Grant) -> tuple[object, ...]:
    """What of a grant is worth a line of history: its limit and what bound it, not each tenth of an ampere of room."""
    return (grant.limit_a, *((step.cause, step.feeder, step.limit) for step in grant.chain))

"""One site file run over the recorded day: its own turn decides, the modelled plant answers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from siteward.control.compose import in_force
from siteward.control.demand import Demand
from siteward.control.demanded import Metered, judge_windows
from siteward.control.load import LoadOutcome, load_turn, start_memory
from siteward.control.rules import Held, apply_rules
from siteward.control.tree import tree_of
from siteward.model.ids import ConnectorId
from siteward.model.limits import Grant, Limit
from siteward.model.recovered import Recovered
from siteward.model.site import Site
from siteward.model.snapshot import Snapshot
from siteward.model.wire import Write
from siteward.replay.moments import Moment
from siteward.replay.plant import EDGE_A, Flow, Plant


@dataclass(frozen=True, slots=True)
class Step:
    """What one second came to."""

    moment: Moment
    flow: Flow
    outcome: LoadOutcome
    demands: Mapping[ConnectorId, Demand]


class Strategy:
    """Runs one site; the same moments give the same steps."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.tree = tree_of(site)
        self._plant = Plant(site)
        self._writes: tuple[Write, ...] = ()
        self._memory = start_memory(site, Recovered(), 0.0)
        self._held: Mapping[str, Held] = {}
        self._metered: Mapping[str, Metered] = {}
        self._grants: Mapping[ConnectorId, Grant] = {}

    def step(self, moment: Moment) -> Step:
        """Decide this second with what the seconds before it led to."""
        if moment.begins:
            # As core starts: nothing read, nothing written.
            self._memory = start_memory(self.site, Recovered(), moment.recorded.snapshot.at)
            self._writes = ()
            self._plant.begin(moment)
        flow = self._plant.flow(moment, self._writes)
        snapshot = self._plant.snapshot(moment, self._writes)
        demands = self._demands(moment)
        limits = self._limits(moment) + self._described(snapshot)
        outcome = load_turn(self.site, snapshot, demands, limits, self._memory)
        self._memory, self._grants = outcome.memory, outcome.grants
        self._writes = (*outcome.cuts, *outcome.failsafes, *outcome.raises)
        return Step(moment, flow, outcome, demands)

    def _demands(self, moment: Moment) -> dict[ConnectorId, Demand]:
        """What was asked then, under what this site file allows: a wish for all that was allowed is one for all."""
        caps = {c.id: c.cap_a for c in moment.site.connectors}
        found = {}
        for o in self.tree.outlets:
            demand = moment.demands.get(o.id)
            if demand is not None:
                free = demand.max_a >= caps.get(o.id, 0.0) - EDGE_A
                most = o.connector.cap_a if free else min(demand.max_a, o.connector.cap_a)
                found[o.id] = replace(demand, max_a=most, priority=o.connector.priority)
        return found

    def _described(self, snapshot: Snapshot) -> tuple[Limit, ...]:
        """What this site file's timetables, contacts, temperatures and demand windows come to now."""
        if not self.site.rules:
            return ()
        ruled = apply_rules(self.site, snapshot, self._held)
        demanded = judge_windows(self.site, snapshot, self._metered, self._grants)
        self._held, self._metered = ruled.held, demanded.metered
        return in_force(ruled, demanded)

    def _limits(self, moment: Moment) -> tuple[Limit, ...]:
        """The limits of the time, as far as they name something that is there; the installer's are in the tree."""
        return tuple(
            limit
            for limit in moment.recorded.limits
            if limit.feeder in self.tree.node_of or limit.connector in self.tree.outlet_of
        )

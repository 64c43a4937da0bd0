"""When the turn is dead: say farewell to each charger once, then let its own watchdog take over (R7)."""

from collections.abc import Callable, Iterable, Mapping

from siteward.model.ids import ConnectorId
from siteward.model.limits import Grant
from siteward.model.ports import Clock
from siteward.model.site import Connector, Site
from siteward.model.wire import Write, WriteKind

_LONGEST_LEASE_S = 5.0
_SHORTEST_LOOK_S = 0.1
_FAREWELL_S = 2.0


def lease_s(connector: Connector) -> float:
    """Length of a lease: min(5 s, half the charger's own watchdog time)."""
    failsafe = connector.facts.failsafe
    return _LONGEST_LEASE_S if failsafe is None else min(_LONGEST_LEASE_S, failsafe.timeout_s / 2)


class LeaseWatch:
    """Watches the leases beside the turn; each line's farewell is min(last limit, fail-safe current)."""

    def __init__(self, site: Site, clock: Clock, farewell: Callable[[Write], None]) -> None:
        self._connectors = {connector.id: connector for connector in site.connectors}
        self._clock = clock
        self._farewell = farewell
        self._until: dict[ConnectorId, float] = {}
        self._last_a: dict[ConnectorId, float] = {}
        self._turn = 0

    def renew(self, leases: Iterable[ConnectorId], grants: Mapping[ConnectorId, Grant], turn: int, at: float) -> None:
        """Take over the leases that a completed turn renewed."""
        self._turn = turn
        for connector in leases:
            self._until[connector] = at + lease_s(self._connectors[connector])
        for connector, grant in grants.items():
            self._last_a[connector] = grant.limit_a

    async def run(self) -> None:
        """Look for leases that ended, for ever."""
        while True:
            next_end = min(self._until.values(), default=self._clock.now() + _LONGEST_LEASE_S)
            await self._clock.sleep(max(_SHORTEST_LOOK_S, next_end - self._clock.now()))
            self.look()

    def look(self) -> None:
        """Write the farewell of every lease that has ended since the last look."""
        now = self._clock.now()
        for connector in [c for c, until in self._until.items() if until <= now]:
            del self._until[connector]
            value_a = min(self._last_a.get(connector, 0.0), self._connectors[connector].failsafe_a)
            deadline = now + _FAREWELL_S
            self._farewell(Write(connector, WriteKind.LIMIT, value_a, False, self._turn, deadline))

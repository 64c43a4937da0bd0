"""The simulated world: cars on outlets, base load and fuses, moved from change to change without sampling."""

import heapq
from collections.abc import Callable
from itertools import count

from siteward.model.ids import ConnectorId, FeederId
from siteward.model.site import Site
from siteward.model.units import ZERO, PerPhase, add
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.fuses import FuseNode, Trip
from siteward_drivers.sim.outlet import Outlet, Stay
from siteward_drivers.sim.truth import ConnectorTruth, FeederTruth, StayTruth, WorldTruth

Action = Callable[[], None]


class World:
    """Cars, cables, base load and fuses of one site; `now` is in s and moves only by `advance`.

    Devices tell it what they signal (`signal`); tests and scenario plug cars and set base load. With `fuses_blow`
    a tripped fuse opens and everything below it is dead until `reset_fuse`; without, it is only counted.
    """

    def __init__(self, site: Site, *, start: float = 0.0, fuses_blow: bool = True) -> None:
        self.site = site
        self.now = start
        self.voltage_v = site.phase_voltage_v
        self.nodes = {f.id: FuseNode(f, start) for f in site.feeders}
        self.outlets = {c.id: Outlet(c, start, self.voltage_v) for c in site.connectors}
        self.trips: list[Trip] = []
        self._finished: list[Stay] = []
        self._fuses_blow = fuses_blow
        self._agenda: list[tuple[float, int, Action]] = []
        self._order = count()
        self._dirty: set[FeederId] = set()
        self._children: dict[FeederId, list[FuseNode]] = {f.id: [] for f in site.feeders}
        self._outlets_at: dict[FeederId, list[Outlet]] = {f.id: [] for f in site.feeders}
        for feeder in site.feeders:
            if feeder.parent is not None:
                self._children[feeder.parent].append(self.nodes[feeder.id])
        for outlet in self.outlets.values():
            self._outlets_at[outlet.connector.feeder].append(outlet)

    def at(self, when: float, action: Action) -> None:
        """Do something at an instant of the simulation; instants of the past happen on the next advance."""
        heapq.heappush(self._agenda, (max(when, self.now), next(self._order), action))

    def advance(self, dt: float) -> None:
        """Let `dt` seconds pass."""
        self.advance_to(self.now + dt)

    def advance_to(self, end: float) -> None:
        """Let time pass until `end`, stopping at every change on the way."""
        self._settle_tree()
        while self._agenda and self._agenda[0][0] <= end:
            when, _, action = heapq.heappop(self._agenda)
            self.now = max(self.now, when)
            action()
            self._settle_tree()
        self.now = max(self.now, end)

    def next_change(self) -> float | None:
        """Instant of the next thing that is already sure to happen, None when nothing is."""
        return self._agenda[0][0] if self._agenda else None

    def signal(self, connector: ConnectorId, current_a: float) -> None:
        """A device signals this current on its pilot from now on (0 = none); the car follows after its reaction."""
        outlet = self.outlets[connector]
        if current_a == outlet.signalled_a:
            return
        outlet.signalled_a = current_a
        if outlet.car is not None:
            self._follow_later(outlet)

    def _follow_later(self, outlet: Outlet) -> None:
        car, current_a = outlet.car, outlet.signalled_a
        if car is None:
            return
        order = next(self._order)

        def follow() -> None:
            # A vanished signal acts sooner than a change: what was signalled before it must not come back after it.
            if outlet.car is car and order > outlet.followed_order:
                outlet.followed_order = order
                outlet.followed_a = current_a
                self._changed(outlet)

        self.at(self.now + car.reaction_s(current_a), follow)

    def close_phases(self, connector: ConnectorId, phases: int) -> None:
        """Contactors close the first phase or all three."""
        outlet = self.outlets[connector]
        outlet.closed = phases
        self._changed(outlet)

    def plug(self, connector: ConnectorId, car: Car) -> None:
        """Connect a car to a free outlet. Raises ValueError when it is taken."""
        outlet = self.outlets[connector]
        outlet.plug(car, self.now)
        if outlet.signalled_a:
            self._follow_later(outlet)

    def unplug(self, connector: ConnectorId) -> Stay | None:
        """Disconnect the car, if any; its stay with the energy truly delivered."""
        outlet = self.outlets[connector]
        stay = outlet.unplug(self.now)
        outlet.version += 1
        self._dirty.add(outlet.connector.feeder)
        if stay is not None:
            self._finished.append(stay)
        self._settle_tree()
        return stay

    def set_base(self, feeder: FeederId, current_a: PerPhase) -> None:
        """From now on this much other load hangs on the node itself, in A per phase (children have their own)."""
        self.nodes[feeder].base_a = current_a
        self._dirty.add(feeder)
        self._settle_tree()

    def base_a(self, feeder: FeederId) -> PerPhase:
        """All load below a node that is no charger, in A per phase."""
        node = self.nodes[feeder]
        total = ZERO if node.dead else node.base_a
        for child in self._children[feeder]:
            total = add(total, self.base_a(child.feeder.id))
        return total

    def reset_fuse(self, feeder: FeederId) -> None:
        """Close a blown fuse again, as an electrician would."""
        node = self.nodes[feeder]
        node.settle(self.now)
        node.blown = False
        for image in node.images:
            image.theta = 1.0
        for below in self.nodes.values():
            self._power(below, dead=any(self.nodes[f.id].blown for f in self.site.path(below.feeder.id)))
        self._settle_tree()

    def _changed(self, outlet: Outlet) -> None:
        if outlet.update(self.now):
            self._dirty.add(outlet.connector.feeder)
        outlet.version += 1
        wait = outlet.next_change_s()
        if wait is None:
            return
        version = outlet.version

        def wish_changes() -> None:
            if outlet.version == version:
                self._changed(outlet)

        self.at(self.now + wait, wish_changes)

    def _power(self, node: FuseNode, *, dead: bool) -> None:
        if node.dead == dead:
            return
        node.dead = dead
        self._dirty.add(node.feeder.id)
        for outlet in self._outlets_at[node.feeder.id]:
            outlet.supplied = not dead
            self._changed(outlet)

    def _settle_tree(self) -> None:
        if not self._dirty:
            return
        touched = {f.id for dirty in self._dirty for f in self.site.path(dirty)}
        self._dirty.clear()
        for feeder in reversed(self.site.feeders):
            if feeder.id in touched:
                self._carry(self.nodes[feeder.id])

    def _carry(self, node: FuseNode) -> None:
        feeder = node.feeder.id
        total = ZERO
        if not node.dead:
            total = node.base_a
            for outlet in self._outlets_at[feeder]:
                total = add(total, outlet.feeder_a())
            for child in self._children[feeder]:
                total = add(total, child.current_a)
        if total == node.current_a:
            return
        node.carry(self.now, total)
        due = node.next_trip()
        if due is None:
            return
        version, (when, phase) = node.version, due

        def trip() -> None:
            if node.version == version and not node.blown:
                self._trip(node, phase)

        self.at(when, trip)

    def _trip(self, node: FuseNode, phase: int) -> None:
        node.settle(self.now)
        node.blown = True
        self.trips.append(Trip(node.feeder.id, self.now, phase, node.current_a[phase]))
        if not self._fuses_blow:
            return
        for below in self.nodes.values():
            if any(f.id == node.feeder.id for f in self.site.path(below.feeder.id)):
                self._power(below, dead=True)

    def truth(self) -> WorldTruth:
        """What truly happened until now."""
        for node in self.nodes.values():
            node.settle(self.now)
        stays = list(self._finished)
        for outlet in self.outlets.values():
            outlet.settle(self.now)
            if outlet.stay is not None:
                stays.append(outlet.stay)
        return WorldTruth(
            at=self.now,
            feeders=tuple(self._feeder_truth(n) for n in self.nodes.values()),
            connectors=tuple(self._connector_truth(o) for o in self.outlets.values()),
            trips=tuple(self.trips),
            stays=tuple(StayTruth(s.connector, s.car, s.plugged_at, s.unplugged_at, s.energy_wh) for s in stays),
        )

    def _feeder_truth(self, node: FuseNode) -> FeederTruth:
        return FeederTruth(
            feeder=node.feeder.id,
            current_a=node.current_a,
            base_a=self.base_a(node.feeder.id),
            rating_a=node.feeder.rating_a,
            worst_theta=max(i.worst_theta for i in node.images),
            longest_over_s=max(i.longest_over_s for i in node.images),
        )

    def _connector_truth(self, outlet: Outlet) -> ConnectorTruth:
        car = outlet.car
        return ConnectorTruth(
            connector=outlet.connector.id,
            draw_a=outlet.draw_a,
            signalled_a=outlet.signalled_a,
            pilot=outlet.pilot.value,
            car=None if car is None else car.name,
            soc=None if car is None else round(car.soc, 4),
            energy_wh=outlet.energy_wh(self.now),
        )

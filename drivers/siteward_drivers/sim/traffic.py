"""Vehicles at simulated arms: one drives through each barrier that stands open, a plugged-in car stands in its bay."""

from collections.abc import Mapping
from dataclasses import dataclass

from siteward.model.ids import ConnectorId
from siteward.model.site import Site
from siteward_drivers.sim.arms import SimArm
from siteward_drivers.sim.scenario import TrafficPlan
from siteward_drivers.sim.world import World

_OPEN = 0.02


@dataclass(slots=True)
class _Gate:
    """How far the vehicle of one opening is: the arm is open since, and it came at."""

    open_since: float | None = None
    came_at: float | None = None
    gone: bool = False


class Traffic:
    """Moves vehicles when somebody looks (`settle`); what is there by hand (`SimSite.occupy`) is left alone."""

    def __init__(self, site: Site, world: World, arms: Mapping[str, SimArm], plan: TrafficPlan) -> None:
        self._world, self._arms, self._plan = world, arms, plan
        self._gates = {barrier.id: _Gate() for barrier in site.barriers}
        self._bays = {lock.id: lock.connector for lock in site.locks if lock.connector is not None}
        self._parked: dict[str, bool] = dict.fromkeys(self._bays, False)

    def settle(self, now: float) -> None:
        """Let come and go who is due."""
        for name, gate in self._gates.items():
            self._pass(self._arms[name], gate, now)
        for bay, connector in self._bays.items():
            parked = self._world.outlets[connector].car is not None
            if parked is not self._parked[bay]:
                self._parked[bay] = parked
                self._arms[bay].occupy(parked, now)

    def _pass(self, arm: SimArm, gate: _Gate, now: float) -> None:
        if gate.came_at is not None and now - gate.came_at >= self._plan.stay_s:
            gate.came_at, gate.gone = None, True
            arm.occupy(False, now)
        if arm.position > _OPEN:
            gate.open_since, gate.gone = None, False
            return
        if gate.open_since is None:
            gate.open_since = now
        waits = gate.came_at is None and not gate.gone and not arm.occupied
        if waits and arm.direction == 0 and now - gate.open_since >= self._plan.after_s:
            gate.came_at = now
            arm.occupy(True, now)

    def may_park(self, connector: ConnectorId) -> bool:
        """Whether no raised lock keeps cars out of the connector's bay."""
        return all(self._arms[name].position <= _OPEN for name, mine in self._bays.items() if mine == connector)

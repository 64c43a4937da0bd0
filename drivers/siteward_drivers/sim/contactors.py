"""The contactors of a simulated charging point that can switch between one and three phases."""

from collections.abc import Mapping

from siteward_drivers.profile_charger import PhasesPart
from siteward_drivers.profile_verbs import Verb
from siteward_drivers.quantities import Quantity
from siteward_drivers.sim.faults import Closes, DeviceFaults
from siteward_drivers.sim.outlet import Outlet
from siteward_drivers.sim.world import World

MOVE_S = 1.0
"""From the write to the contact."""


class Contactors:
    """Closes the phases that the profile's verbs ask for; after a restart all of them, the worst that may be."""

    def __init__(self, world: World, outlet: Outlet, part: PhasesPart, faults: DeviceFaults) -> None:
        self._world, self._outlet, self._part, self._faults = world, outlet, part, faults
        self._asked = part.wired
        self.hot_moves = 0

    def reset(self, held: dict[Quantity, float]) -> None:
        """After power-up: all phases."""
        if self._part.all is not None:
            for step in self._part.all.steps:
                held[step.quantity] = step.raw or 0
        self.follow(held)

    def follow(self, held: Mapping[Quantity, float]) -> None:
        """A register was written: move where it asks for something else."""
        asked = next((n for n, verb in ((1, self._part.one), (3, self._part.all)) if _holds(verb, held)), self._asked)
        if asked == self._asked:
            return
        self._asked = asked
        if self._faults.closes is Closes.AS_ASKED:
            self._world.at(self._world.now + MOVE_S, lambda: self._close(asked))

    def _close(self, phases: int) -> None:
        self.hot_moves += self._outlet.drawing
        self._world.close_phases(self._outlet.connector.id, phases)

    def shown(self, quantity: Quantity) -> float | None:
        """Raw contactor state, None where that register is another one."""
        part = self._part
        if quantity is not part.contactor_state or part.shows_one is None or part.shows_all is None:
            return None
        closed = self._asked if self._faults.closes is Closes.SAYS_SO else self._outlet.closed
        return float(part.shows_one if closed == 1 else part.shows_all)


def _holds(verb: Verb | None, held: Mapping[Quantity, float]) -> bool:
    return verb is not None and all(held.get(step.quantity) == step.raw for step in verb.steps)

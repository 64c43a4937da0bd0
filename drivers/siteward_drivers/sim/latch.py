"""The lock of a simulated socket: holds the cable while a car is there, lets it go afterwards or when it is told."""

from siteward_drivers.profile_verbs import UnlockPart
from siteward_drivers.quantities import Quantity
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.faults import DeviceFaults, Latch
from siteward_drivers.sim.outlet import Outlet
from siteward_drivers.sim.world import World

MOVE_S = 1.5
"""From the command, or from the car's coming or going, to the latch in its new place."""


class SocketLatch:
    """Truth of one lock; hot_moves counts commands that came while current flowed, which no controller may send."""

    def __init__(self, world: World, outlet: Outlet, part: UnlockPart | None, faults: DeviceFaults) -> None:
        self._world, self._outlet, self._part, self._faults = world, outlet, part, faults
        self._tells = () if part is None else part.looks_at
        self._car: Car | None = None
        self._locked = False
        self._told = False
        self.cable = False
        self.hot_moves = 0

    @property
    def locked(self) -> bool:
        """Whether the cable cannot be pulled out now."""
        self._settle()
        return self._locked

    def _settle(self) -> None:
        """Follow the car: it brings the cable and has it locked; when it leaves, the lock lets go if it works."""
        car = self._outlet.car
        if car is self._car:
            return
        self._car = car
        self._told = False
        if car is not None:
            self.cable = self._locked = True
        elif self._faults.latch is Latch.WORKS:
            self.cable = self._locked = False

    def pull(self) -> bool:
        """Somebody pulls the cable out at the box, if it lets go; whether they did."""
        if self.locked or self._outlet.car is not None:
            return False
        self.cable = False
        return True

    def follow(self, quantity: Quantity, raw: float, paused: bool) -> None:
        """A register was written: let go where it says so and nothing is offered to the car."""
        part = self._part
        if part is None or all((step.quantity, step.raw) != (quantity, raw) for step in part.steps):
            return
        self._settle()
        self._told = True
        self.hot_moves += self._outlet.drawing
        if paused and self._faults.latch is not Latch.JAMMED:
            self._world.at(self._world.now + MOVE_S, self._let_go)

    def _let_go(self) -> None:
        self._locked = False

    def hold(self) -> None:
        """Current is offered again: no charger feeds a cable that is not locked."""
        self._settle()
        self._locked = self._locked or self._outlet.car is not None

    def shown(self, quantity: Quantity) -> float | None:
        """Raw content of the registers that tell of the lock, None for any other."""
        part = self._part
        if part is None or quantity not in self._tells:
            return None
        if quantity is not part.shows:
            return float(part.stuck if self._told and self._faults.latch is Latch.JAMMED else 0)
        locked = self.locked
        if not self.cable:
            return float((part.none or part.unlocked)[0])
        return float((part.locked if locked else part.unlocked)[0 if self._outlet.car is None else -1])

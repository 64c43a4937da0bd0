"""One simulated outlet: the cable between a charging device and a car, its pilot, its true current and energy."""

from dataclasses import dataclass

from siteward.model.ids import ConnectorId
from siteward.model.readings import Pilot
from siteward.model.site import Connector
from siteward.model.units import ZERO, PerPhase
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.history import CurrentHistory


@dataclass(slots=True)
class Stay:
    """One car at one outlet, from plug to unplug; energy in Wh as truly delivered."""

    connector: ConnectorId
    car: str
    plugged_at: float
    unplugged_at: float | None
    start_wh: float
    energy_wh: float = 0.0


class Outlet:
    """What the device signals, what the car does with it, and what flows. Phases are the charger's own 1..3.

    closed: how many of them its contactors close, the first ones.
    """

    def __init__(self, connector: Connector, at: float, voltage_v: float) -> None:
        self.connector = connector
        self.history = CurrentHistory(at)
        self.car: Car | None = None
        self.stay: Stay | None = None
        self.signalled_a = 0.0
        self.followed_a = 0.0
        self.supplied = True
        self.closed = 3
        self.version = 0
        self.followed_order = -1
        self.freed_at = at
        self._voltage_v = voltage_v

    @property
    def draw_a(self) -> PerPhase:
        """True current on the charger's phases 1..3."""
        return self.history.current_a

    @property
    def drawing(self) -> bool:
        """Whether any current flows."""
        return self.history.current_a[0] > 0.0

    @property
    def pilot(self) -> Pilot:
        """A without car, C while the car takes current, else B."""
        if self.car is None:
            return Pilot.A
        return Pilot.C if self.drawing else Pilot.B

    def energy_wh(self, at: float) -> float:
        """Energy register since the start of the simulation, power factor 1."""
        return sum(self.history.charge_as(at)) * self._voltage_v / 3600.0

    def feeder_a(self) -> PerPhase:
        """True current on the feeder's phases L1..L3, by the wiring map."""
        on = [0.0, 0.0, 0.0]
        for current, phase in zip(self.history.current_a, self.connector.wiring, strict=False):
            on[phase.position] += current
        return (on[0], on[1], on[2])

    def update(self, at: float) -> bool:
        """Settle the battery to `at` and let the car take what it now may; True when the current changed."""
        self.settle(at)
        amps = 0.0
        if self.car is not None and self.supplied:
            amps = self.car.draw_a(self.followed_a)
        used = min(len(self.connector.wiring), self.closed, self.car.phases) if self.car is not None else 0
        draw: PerPhase = (amps if used > 0 else 0.0, amps if used > 1 else 0.0, amps if used > 2 else 0.0)
        if draw == self.history.current_a:
            return False
        self.history.change(at, draw)
        return True

    def settle(self, at: float) -> None:
        """Bring battery and stay to `at`."""
        if self.car is not None and self.stay is not None:
            total = self.energy_wh(at) - self.stay.start_wh
            self.car.charge(total - self.stay.energy_wh)
            self.stay.energy_wh = total

    def next_change_s(self) -> float | None:
        """Time until the car's own wish changes at the present current, None when it takes nothing."""
        power_w = sum(self.draw_a) * self._voltage_v
        if self.car is None or power_w <= 0.0:
            return None
        return self.car.wh_to_next_change() / power_w * 3600.0

    def plug(self, car: Car, at: float) -> None:
        """Connect a car. The outlet must be free."""
        if self.car is not None:
            raise ValueError(f"{self.connector.id} already has the car {self.car.name}")
        self.car = car
        self.followed_a = 0.0
        self.stay = Stay(self.connector.id, car.name, at, None, self.energy_wh(at))

    def unplug(self, at: float) -> Stay | None:
        """Disconnect the car, if any, and return its finished stay."""
        self.settle(at)
        stay, self.stay, self.car = self.stay, None, None
        self.followed_a = 0.0
        self.freed_at = at
        self.history.change(at, ZERO)
        if stay is not None:
            stay.unplugged_at = at
        return stay

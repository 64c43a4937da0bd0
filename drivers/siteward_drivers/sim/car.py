"""A simulated car: battery, phases, reaction to the pilot's current, taper near full."""

from dataclasses import dataclass

from siteward.model.units import FLOOR_A

CONTACTOR_OPENS_S = 6.0
"""A charger that stopped signalling opens its contactor under load after this long, whatever the car does."""

_STEP = 0.01


@dataclass(slots=True)
class Car:
    """A car as plugged in; energies in Wh, currents in A, times in s, soc 0..1.

    It follows a change of the signalled current after react_s (1..5 s usually, 15 s at worst), draws nothing when
    offered less than least_a, tapers from taper_soc on, and draws `obeys` times what it is allowed (1.1 = ten per cent
    too much). least_a is what the plug cannot go below: 6 A of AC, next to nothing of DC.
    """

    name: str
    capacity_wh: float = 60_000.0
    soc: float = 0.3
    phases: int = 3
    max_a: float = 16.0
    react_s: float = 2.0
    taper_soc: float = 0.85
    obeys: float = 1.0
    least_a: float = FLOOR_A

    @property
    def full(self) -> bool:
        """Whether it asks for nothing more."""
        return self.soc >= 1.0 - 1e-9

    def draw_a(self, signalled_a: float) -> float:
        """Current on each of its phases for a signalled current, once it has reacted."""
        if self.full or signalled_a < self.least_a - 1e-9:
            return 0.0
        return min(signalled_a, self._wish_a()) * self.obeys

    def _wish_a(self) -> float:
        if self.soc <= self.taper_soc:
            return self.max_a
        left = (1.0 - self.soc) / (1.0 - self.taper_soc)
        return max(self.least_a, self.max_a * left)

    def charge(self, energy_wh: float) -> None:
        """Take energy into the battery."""
        self.soc = min(1.0, self.soc + energy_wh / self.capacity_wh)

    def wh_to_next_change(self) -> float:
        """Energy after which its wish changes: start of the taper, the next per cent of it, or full."""
        before_taper = self.soc < self.taper_soc - 1e-9
        goal = self.taper_soc if before_taper else min(1.0, self.soc + _STEP)
        # A hair more than needed, so that rounding never leaves it a hair below its goal for ever.
        return (goal - self.soc) * self.capacity_wh + 1e-6

    def reaction_s(self, signalled_a: float) -> float:
        """Time from a change of the signal to its effect; a vanished signal ends in the charger's own contactor."""
        return min(self.react_s, CONTACTOR_OPENS_S) if signalled_a < self.least_a else self.react_s

"""Fuses of the simulated site: true current of a node and the thermal image that judges it (invariant I1)."""

import math
from dataclasses import dataclass

from siteward.model.ids import FeederId
from siteward.model.site import Feeder
from siteward.model.units import ZERO, PerPhase
from siteward_drivers.sim.history import CurrentHistory

TAU_S = 60.0
"""Time constant of the thermal image, stricter than a real breaker."""

TRIP_THETA = 1.13**2
"""Thermal image above which a fuse has tripped."""

HOT_THETA = 1.0
"""Thermal image at the start: the fuse carried its rating for long."""

_SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class Trip:
    """A fuse that opened: which, when, on which phase position, and the current then in A."""

    feeder: FeederId
    at: float
    phase: int
    current_a: float


def hold_multiple(hold_s: float) -> float:
    """Multiple of its rating that a hot fuse of I1 stands for that long: the k(T) of the control turn."""
    return math.sqrt(1.0 + (TRIP_THETA - 1.0) / (1.0 - math.exp(-hold_s / TAU_S)))


class PhaseImage:
    """Thermal image and overload clock of one phase of a fuse; current is constant between calls."""

    __slots__ = ("_over_since", "at", "longest_over_s", "ratio", "theta", "worst_theta")

    def __init__(self, at: float) -> None:
        self.at = at
        self.theta = HOT_THETA
        self.worst_theta = HOT_THETA
        self.ratio = 0.0
        self.longest_over_s = 0.0
        self._over_since: float | None = None

    def settle(self, at: float) -> None:
        """Bring the image to `at` with the current of the last change."""
        final = self.ratio * self.ratio
        self.theta = final + (self.theta - final) * math.exp(-(at - self.at) / TAU_S)
        self.worst_theta = max(self.worst_theta, self.theta)
        self.at = at
        if self._over_since is not None:
            self.longest_over_s = max(self.longest_over_s, at - self._over_since)

    def change(self, at: float, ratio: float) -> None:
        """From `at` on `ratio` times the rating flows."""
        self.settle(at)
        self.ratio = ratio
        if ratio <= 1.0 + _SLACK:
            self._over_since = None
        elif self._over_since is None:
            self._over_since = at

    def trip_at(self) -> float | None:
        """Instant at which the present current trips the fuse, None when it never does."""
        final = self.ratio * self.ratio
        if final <= TRIP_THETA:
            return None
        if self.theta >= TRIP_THETA:
            return self.at
        return self.at + TAU_S * math.log((final - self.theta) / (final - TRIP_THETA))


class FuseNode:
    """One node of the fuse tree: its own base load, the current through it, its image per phase."""

    def __init__(self, feeder: Feeder, at: float) -> None:
        self.feeder = feeder
        self.base_a: PerPhase = ZERO
        self.history = CurrentHistory(at)
        self.images = (PhaseImage(at), PhaseImage(at), PhaseImage(at))
        self.dead = False
        self.blown = False
        self.version = 0

    @property
    def current_a(self) -> PerPhase:
        """Current through the node now."""
        return self.history.current_a

    def carry(self, at: float, current_a: PerPhase) -> None:
        """From `at` on this current flows through the node."""
        self.history.change(at, current_a)
        for image, current, rating in zip(self.images, current_a, self.feeder.rating_a, strict=True):
            image.change(at, current / rating if rating > 0 else 0.0)
        self.version += 1

    def settle(self, at: float) -> None:
        """Bring images and overload clocks to `at`."""
        for image in self.images:
            image.settle(at)

    def next_trip(self) -> tuple[float, int] | None:
        """When and on which phase the present current trips it, None when it holds."""
        due = [(at, phase) for phase, image in enumerate(self.images) if (at := image.trip_at()) is not None]
        return min(due) if due else None

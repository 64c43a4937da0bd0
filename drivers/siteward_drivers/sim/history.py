"""Current over time as a list of changes: exact charge, mean and value at any recent instant, without sampling."""

from collections import deque

from siteward.model.units import ZERO, PerPhase


class CurrentHistory:
    """A per-phase current that is constant between changes; times in s, currents in A, charge in As.

    Changes older than `keep_s` are forgotten, the total charge is not.
    """

    def __init__(self, at: float, keep_s: float = 30.0) -> None:
        self._keep_s = keep_s
        self._points: deque[tuple[float, PerPhase, PerPhase]] = deque([(at, ZERO, ZERO)])

    @property
    def current_a(self) -> PerPhase:
        """Current since the last change."""
        return self._points[-1][2]

    def change(self, at: float, current_a: PerPhase) -> None:
        """Record that from `at` on this current flows; `at` never goes back."""
        charge = self.charge_as(at)
        points = self._points
        if points[-1][0] >= at:
            points.pop()
        points.append((at, charge, current_a))
        while len(points) > 2 and points[1][0] < at - self._keep_s:
            points.popleft()

    def charge_as(self, at: float) -> PerPhase:
        """Charge that flowed until `at`, per phase."""
        began, charge, current = self._find(at)
        passed = max(0.0, at - began)
        return (charge[0] + current[0] * passed, charge[1] + current[1] * passed, charge[2] + current[2] * passed)

    def value_a(self, at: float) -> PerPhase:
        """Current that flowed at the instant `at`."""
        return self._find(at)[2]

    def mean_a(self, start: float, end: float) -> PerPhase:
        """Mean current between two instants; the value at `end` when they coincide."""
        if end - start < 1e-9:
            return self.value_a(end)
        first, last, span = self.charge_as(start), self.charge_as(end), end - start
        return ((last[0] - first[0]) / span, (last[1] - first[1]) / span, (last[2] - first[2]) / span)

    def _find(self, at: float) -> tuple[float, PerPhase, PerPhase]:
        for point in reversed(self._points):
            if point[0] <= at:
                return point
        return self._points[0]

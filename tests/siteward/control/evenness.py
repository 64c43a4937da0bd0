"""How long the phases of a feeder lie too far apart and its neutral carries too much, by what truly flows (B13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from siteward.control.outcome import LoadOutcome
from siteward.model.alarms import Alarm, AlarmCode
from siteward.model.ids import FeederId
from siteward.model.site import Feeder, Site

STEP_S = 0.2


@dataclass
class Evenness:
    """Longest times in s: phases too far apart without an alarm (also without a fault), the neutral overloaded."""

    longest_uneven_s: float = 0.0
    longest_calm_uneven_s: float = 0.0
    longest_neutral_s: float = 0.0


class Bounds:
    """Watches the feeders of a site that have a neutral or an imbalance."""

    def __init__(self, site: Site, verdict: Evenness) -> None:
        self.feeders = [f for f in site.feeders if f.imbalance_a is not None or f.neutral_a is not None]
        self.verdict = verdict
        self.uneven_s: dict[FeederId, float] = {}
        self.calm: dict[FeederId, bool] = {}
        self.neutral_s: dict[FeederId, float] = {}

    def note(
        self, load: Mapping[FeederId, Sequence[float]], outcome: LoadOutcome | None, alive: bool, calm: bool
    ) -> None:
        """One step of what flows; without a controller nobody can hold an imbalance."""
        for f in self.feeders:
            told = outcome is not None and Alarm(AlarmCode.IMBALANCE_UNCORRECTED, f.id) in outcome.alarms
            a, b, c = load[f.id]
            self._apart(f, max(a, b, c) - min(a, b, c), alive and not told, calm)
            # Equal power factors: the three currents are 120 degrees apart.
            self._neutral(f, sqrt(max(0.0, a * a + b * b + c * c - a * b - b * c - a * c)))

    def _apart(self, f: Feeder, apart_a: float, counts: bool, calm: bool) -> None:
        over = counts and f.imbalance_a is not None and apart_a > 1.005 * f.imbalance_a
        lasts = self.uneven_s[f.id] = self.uneven_s.get(f.id, 0.0) + STEP_S if over else 0.0
        self.calm[f.id] = calm and (self.calm.get(f.id, True) or not lasts)
        self.verdict.longest_uneven_s = max(self.verdict.longest_uneven_s, lasts)
        if self.calm[f.id]:
            self.verdict.longest_calm_uneven_s = max(self.verdict.longest_calm_uneven_s, lasts)

    def _neutral(self, f: Feeder, flows_a: float) -> None:
        over = f.neutral_a is not None and flows_a > 1.005 * f.neutral_a
        self.neutral_s[f.id] = self.neutral_s.get(f.id, 0.0) + STEP_S if over else 0.0
        self.verdict.longest_neutral_s = max(self.verdict.longest_neutral_s, self.neutral_s[f.id])

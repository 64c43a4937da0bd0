"""What the truth model says of a run in the end."""

from dataclasses import dataclass, field

from siteward.control.load import LoadOutcome
from siteward.model.limits import Limit
from siteward.model.wire import WriteKind
from tests.siteward.control.evenness import Evenness


@dataclass
class Verdict(Evenness):
    """What the fuses went through."""

    tripped: list[str] = field(default_factory=list)
    worst_theta: float = 0.0
    longest_over_s: float = 0.0
    longest_calm_over_s: float = 0.0
    energy_as: float = 0.0
    broken_bounds: list[str] = field(default_factory=list)
    low_u: list[str] = field(default_factory=list)
    turns: int = 0
    raises: int = 0

    def check_limits(self, out: LoadOutcome, limits: tuple[Limit, ...], at: float) -> None:
        """I13: nothing between 0 and the floor is ever written; I14: no target above any limit of its connector."""
        for w in (*out.cuts, *out.failsafes, *out.raises):
            if w.kind is WriteKind.LIMIT and 0.0 < w.value_a < 6.0:
                self.broken_bounds.append(f"{w.connector} at {at:.1f}: {w.value_a} A written (I13)")
        for limit in limits:
            if limit.connector is not None and out.grants[limit.connector].target_a > min(limit.limit_a) + 0.01:
                target = out.grants[limit.connector].target_a
                self.broken_bounds.append(f"{limit.connector} at {at:.1f}: {target} above its limit (I14)")

"""What the truth model says of a run in the end."""

from dataclasses import dataclass, field


@dataclass
class Verdict:
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

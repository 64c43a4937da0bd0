"""The form of a bench result: one figure of ours beside its must and its peer, all from the same run."""

from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True)
class Row:
    """One figure; `better` says which direction is good, peer None where only the limit speaks."""

    goal: int
    metric: str
    ours: float
    must: float
    unit: str
    better: Literal["less", "more"]
    peer: float | None
    peer_name: str

    @property
    def ok(self) -> bool:
        """Whether the must is met."""
        return self.ours <= self.must if self.better == "less" else self.ours >= self.must

    def as_json(self) -> dict[str, object]:
        """All fields and the verdict."""
        return {**asdict(self), "ok": self.ok}


def row(
    goal: int,
    metric: str,
    ours: float,
    must: float,
    unit: str,
    peer: float | None = None,
    name: str = "",
    better: Literal["less", "more"] = "less",
) -> Row:
    """A row, its figures as people read them."""
    return Row(goal, metric, round(ours, 3), must, unit, better, None if peer is None else round(peer, 3), name)

"""What a current stepped by, read from looks at plateaus that alternate high and low; pure arithmetic."""

from collections.abc import Sequence
from dataclasses import dataclass

Look = Sequence[float]
"""One reading: as many values as the thing has (three currents, or one power)."""

Plateau = Sequence[Look]
"""Readings while the current stood still."""


@dataclass(frozen=True, slots=True)
class Step:
    """How far each value fell from high to low (`fall`), and how far that may be off by what else moved (`doubt`)."""

    fall: tuple[float, ...]
    doubt: tuple[float, ...]


def measure(plateaus: Sequence[Plateau]) -> Step | None:
    """The step over plateaus high, low, high, low ... high; None where one of them has no reading.

    Each low plateau is held against the mean of the two high ones around it, so that a load that creeps takes itself
    out. The doubt of a value is the largest of: its spread within a plateau, half of what the two high ones differ by,
    and what the falls of two low plateaus differ by. A single load that was switched once, or on and off once, at any
    instant, is never further off than that.
    """
    if len(plateaus) < 3 or not all(plateaus):
        return None
    return Step(*zip(*(_of_one(column) for column in _columns(plateaus)), strict=True))


def _columns(plateaus: Sequence[Plateau]) -> list[list[list[float]]]:
    """Value by value: the readings of each plateau."""
    width = len(plateaus[0][0])
    return [[[look[n] for look in plateau] for plateau in plateaus] for n in range(width)]


def _of_one(plateaus: list[list[float]]) -> tuple[float, float]:
    means = [sum(readings) / len(readings) for readings in plateaus]
    spread = max(max(readings) - min(readings) for readings in plateaus)
    lows = range(1, len(means) - 1, 2)
    falls = [(means[n - 1] + means[n + 1]) / 2.0 - means[n] for n in lows]
    uneven = max(abs(means[n - 1] - means[n + 1]) / 2.0 for n in lows)
    return sum(falls) / len(falls), max(spread, uneven, max(falls) - min(falls))

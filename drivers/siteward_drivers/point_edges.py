"""The changes of inputs: counted and dated, whether a poll finds them or the computer's own lines tell them."""

from dataclasses import dataclass

from siteward.model.points import InputReading, PointName


@dataclass(slots=True)
class _Seen:
    on: bool | None = None
    edge_at: float | None = None
    edges: int = 0


class Edges:
    """What was seen of each input of one device."""

    def __init__(self) -> None:
        self._seen: dict[PointName, _Seen] = {}

    def note(self, point: PointName, on: bool | None, at: float) -> bool:
        """Take a level as of `at` (boot-time s); returns whether it is a change. The first level is none."""
        seen = self._seen.setdefault(point, _Seen())
        changed = seen.on is not None and on is not None and seen.on is not on
        if changed:
            seen.edge_at, seen.edges = at, seen.edges + 1
        if on is not None:
            seen.on = on
        return changed

    def reading(self, point: PointName, on: bool | None, sent_at: float, at: float) -> InputReading:
        """Note a level that a poll found at `at` and return it as a reading."""
        self.note(point, on, at)
        seen = self._seen[point]
        return InputReading(point, on, sent_at, seen.edge_at, seen.edges)

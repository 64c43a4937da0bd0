"""Load against rating over a day in a few hundred points: the highest of each stretch of time."""

from datetime import datetime

from siteward.model.ids import FeederId

POINTS = 720


class Curves:
    """Curves by feeder and kind (running, changed, recorded); a point is load / rating, None where nothing is known."""

    def __init__(self, began: datetime, ended: datetime) -> None:
        self.began = began
        self.seconds = max(1.0, (ended - began).total_seconds())
        # Two seconds and more a point: one that holds no turn at all is a hole in the trace.
        self.points = max(2, min(POINTS, round(self.seconds / 2)))
        self.lines: dict[FeederId, dict[str, list[float | None]]] = {}

    def put(self, feeder: FeederId, kind: str, wall: datetime, used: float) -> None:
        """Book load / rating of the fullest phase at a time; outside of the range it counts to its nearest end."""
        at = int((wall - self.began).total_seconds() / self.seconds * self.points)
        at = min(max(at, 0), self.points - 1)
        line = self.lines.setdefault(feeder, {}).setdefault(kind, [None] * self.points)
        known = line[at]
        line[at] = used if known is None else max(known, used)

"""Who disobeyed on the recorded day: how long each charger's current stood above what it was granted then."""

from dataclasses import dataclass
from datetime import datetime

from siteward.control.obey import OVER_S, SETTLE_S
from siteward.control.observe import see
from siteward.control.record import Recorded
from siteward.control.tree import Outlet, tree_of
from siteward.model.ids import ConnectorId
from siteward.model.site import Site


@dataclass(slots=True)
class Disobedience:
    """Seconds above the grant, the longest stretch of them, and how far at most; granted_a was the grant then."""

    first: datetime
    over_s: float = 0.0
    longest_s: float = 0.0
    most_a: float = 0.0
    granted_a: float = 0.0


@dataclass(slots=True)
class _Watched:
    """What is known of one charger: its grant, since when it had the time to follow it, its present excess."""

    granted_a: float | None = None
    told: bool = False
    follows_at: float = 0.0
    began: datetime | None = None
    over_s: float = 0.0
    most_a: float = 0.0
    most_of_a: float = 0.0


class Obedience:
    """Follows the recorded grants and currents; both are what core saw, and no strategy of a replay changes them.

    The measure is turn.md step 9: more than max(1 A, 10 %) above, after the time that charger and car have to follow a
    lower grant. Shorter than the 7 s after which core acts it counts for nothing.
    """

    def __init__(self) -> None:
        self.found: dict[ConnectorId, Disobedience] = {}
        self._watched: dict[ConnectorId, _Watched] = {}

    def note(self, recorded: Recorded, site: Site, begins: bool, seconds: float) -> None:
        """Take in one kept turn that stands for so many seconds; `begins`: nothing before it belongs to it."""
        if begins:
            self._watched = {}
        for o in tree_of(site).outlets:
            w = self._watched.setdefault(o.id, _Watched())
            _grant(w, o, recorded)
            drawn_a = see(recorded.snapshot, o.id).amps
            if drawn_a is None or w.granted_a is None:
                continue
            excess_a = drawn_a - w.granted_a
            followed = w.began is not None or recorded.snapshot.at >= w.follows_at
            if not followed or excess_a <= max(1.0, 0.1 * w.granted_a):
                w.began, w.over_s, w.most_a = None, 0.0, 0.0
                continue
            w.began = w.began or recorded.snapshot.wall
            w.over_s += seconds
            if excess_a > w.most_a:
                w.most_a, w.most_of_a = excess_a, w.granted_a
            self._count(o.id, w, w.began, seconds)

    def _count(self, name: ConnectorId, w: _Watched, began: datetime, seconds: float) -> None:
        if w.over_s < OVER_S:
            return
        found = self.found.setdefault(name, Disobedience(began))
        # The first seconds of a stretch count once it is long enough.
        found.over_s += w.over_s if w.over_s - seconds < OVER_S else seconds
        found.longest_s = max(found.longest_s, w.over_s)
        if w.most_a > found.most_a:
            found.most_a, found.granted_a = w.most_a, w.most_of_a


def _grant(w: _Watched, o: Outlet, recorded: Recorded) -> None:
    """The grant in force: the trace keeps those that changed; before the first of them, what the charger showed."""
    grant, reading = recorded.why.get(o.id), recorded.snapshot.chargers.get(o.id)
    before_a, w.told = w.granted_a, w.told or grant is not None
    if grant is not None:
        w.granted_a = grant.limit_a
    elif not w.told:
        w.granted_a = reading.set_point_a if reading is not None else None
    if w.granted_a is not None and (before_a is None or w.granted_a < before_a):
        w.follows_at = recorded.snapshot.at + o.apply_s + SETTLE_S + o.connector.facts.measure_lag_s

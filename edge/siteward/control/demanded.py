"""Limits by demand window: the meter's energy becomes the mean current that the rest of the window may have (B15)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import floor

from siteward.control import window as windows
from siteward.control.rules import changed_rule
from siteward.control.tree import tree_of
from siteward.control.window import FRESH_S, Left, Window
from siteward.model.alarms import Alarm, AlarmCode
from siteward.model.events import Fact
from siteward.model.ids import ConnectorId
from siteward.model.limits import Cause, Grant, Limit, LimitSource, OnLimitExpiry
from siteward.model.rules import DemandWindow, LimitRule
from siteward.model.site import Site
from siteward.model.snapshot import Snapshot

TOLD_EVERY_S = 10.0
"""A window is slow: its limit is told anew every 10 s, and at once when a window begins or becomes known."""

OVER_S = 60.0
"""How long the forecast must be above the contract before somebody is told."""

_MARK = "window:"
_OVERLOAD = 1.45
"""What a fuse carries for long, as a multiple of its rating: more cannot have flowed unmeasured."""


@dataclass(frozen=True, slots=True)
class Metered:
    """One demand window from turn to turn; `since` is when we began to count, told_at when its limit was told."""

    since: float
    window: Window
    limit: Limit | None = None
    told_at: float | None = None


@dataclass(frozen=True, slots=True)
class Demanded:
    """What the demand windows of a turn come to; marked: a window began whose register the journal must keep."""

    metered: Mapping[str, Metered]
    facts: tuple[Fact, ...] = ()
    alarms: frozenset[Alarm] = frozenset()
    marked: bool = False


def marks(metered: Mapping[str, Metered]) -> tuple[Limit, ...]:
    """What to keep of each window over a restart, in the form of a limit that ends with it.

    No command can have an id with a colon, so that none of them stands in the way.
    """
    limits = [m.limit for m in metered.values() if m.limit is not None and m.limit.mark_wh is not None]
    return tuple(replace(limit, id=_MARK + limit.id) for limit in limits)


def remembered(site: Site, kept: Iterable[Limit], at: float) -> dict[str, Metered]:
    """The windows of the site as the journal knew them; a meter without a register left nothing there."""
    ends = {limit.id: limit for limit in kept if limit.source is LimitSource.DEMAND}
    found = {}
    for rule in site.rules:
        mark = ends.get(_MARK + rule.id)
        if isinstance(rule.by, DemandWindow) and mark is not None and mark.ends_at is not None:
            window = windows.resume(rule.by, mark.ends_at, mark.mark_wh or 0.0, at)
            found[rule.id] = Metered(at, window)
    return found


def judge_windows(
    site: Site, snapshot: Snapshot, metered: Mapping[str, Metered], grants: Mapping[ConnectorId, Grant]
) -> Demanded:
    """Judge every demand window of the site once; `grants` are those of the last turn."""
    after: dict[str, Metered] = {}
    facts: list[Fact] = []
    alarms: set[Alarm] = set()
    marked = False
    for rule in site.rules:
        if isinstance(rule.by, DemandWindow):
            old = metered.get(rule.id) or Metered(snapshot.at, windows.start(snapshot.at))
            judge = _Judge(site, snapshot, rule, rule.by, grants)
            after[rule.id] = judge.run(old)
            facts += judge.facts
            marked = marked or judge.marked
            if judge.over:
                alarms.add(Alarm(AlarmCode.DEMAND_OVER, rule.id))
    return Demanded(after, tuple(facts), frozenset(alarms), marked)


def begin(site: Site, wall: datetime, at: float, window_s: float) -> float:
    """Boot-time instant at which the running aligned window began: windows follow the site's standard time."""
    local = wall.astimezone(site.zone)
    standard = (local.utcoffset() or timedelta()) - (local.dst() or timedelta())
    return at - (wall.timestamp() + standard.total_seconds()) % window_s


class _Judge:
    """One window in one turn."""

    def __init__(
        self, site: Site, snapshot: Snapshot, rule: LimitRule, by: DemandWindow, grants: Mapping[ConnectorId, Grant]
    ) -> None:
        self.facts: list[Fact] = []
        self.marked = self.over = False
        self._site, self._snapshot, self._rule, self._by = site, snapshot, rule, by
        self._tree = tree_of(site)
        self._node = next(node for node in self._tree.nodes if node.id == rule.feeder)
        self._grants = grants

    def run(self, old: Metered) -> Metered:
        """Count, turn over, tell."""
        snapshot, by = self._snapshot, self._by
        at = snapshot.at
        window, load_w = self._count(old.window)
        flow_w = self._worst() if load_w is None else load_w
        aligned = by.aligned and snapshot.clock.trusted
        start = begin(self._site, snapshot.wall, at, by.window_s) if aligned else self._slid(window)
        window, closed = windows.turn_over(window, start, flow_w, self._worst)
        # Only now: where a window begins is read off the newest samples, which thinning would put further apart.
        window = windows.thin(window, by, at)
        turned = window.begun_at != old.window.begun_at
        if window.begun_at is None and at - old.since <= FRESH_S:
            return replace(old, window=window)
        judge = windows.left_aligned if aligned else windows.left_sliding
        left = judge(by, window, at, flow_w, self._worst, flow_w)
        window = self._forecast(window, left)
        if not turned and old.told_at is not None and at - old.told_at < TOLD_EVERY_S:
            return replace(old, window=window)
        limit = self._limit(left, window, left.sure and load_w is not None)
        self.marked = turned and limit.mark_wh is not None
        if closed is not None:
            contract_wh = round(by.demand_w * by.window_s / 3600.0, 1)
            more = {"cause": "window", "energy_wh": round(closed, 1), "contract_wh": contract_wh}
            self.facts.append(changed_rule(self._rule, limit, snapshot, **more))
        return Metered(old.since, window, limit, at)

    def _count(self, window: Window) -> tuple[Window, float | None]:
        """Take in the meter's newest answer; the load that it shows, None when it is old."""
        at, nominal_v = self._snapshot.at, self._site.phase_voltage_v
        reading = self._snapshot.meters.get(self._by.meter)
        if reading is None:
            return window, None
        window = windows.count(window, reading, nominal_v, self._worst)
        return window, windows.flow_w(reading, nominal_v) if at - reading.sent_at <= FRESH_S else None

    def _slid(self, window: Window) -> float:
        """Without an alignment a window begins whenever the last one is over; it only marks the register."""
        begun = window.begun_at
        return window.trail[-1][0] if begun is None or self._snapshot.at - begun >= self._by.window_s else begun

    def _forecast(self, window: Window, left: Left) -> Window:
        """Note since when the window would end above the contract."""
        at, by = self._snapshot.at, self._by
        over = left.forecast_wh > by.demand_w * by.window_s / 3600.0
        since = (at if window.over_since is None else window.over_since) if over else None
        self.over = since is not None and at - since >= OVER_S
        return window if since == window.over_since else replace(window, over_since=since)

    def _limit(self, left: Left, window: Window, sure: bool) -> Limit:
        amps = floor(left.allowed_w / (3.0 * self._site.phase_voltage_v) * 10.0) / 10.0
        return Limit(
            self._rule.id,
            LimitSource.DEMAND,
            (amps, amps, amps),
            self._rule.feeder,
            ends_at=None if window.begun_at is None else window.begun_at + self._by.window_s,
            on_expiry=OnLimitExpiry.KEEP,
            reason=None if sure else Cause.DEMAND_UNKNOWN,
            mark_wh=window.mark_wh,
        )

    def _worst(self) -> float:
        """The most that can flow unmeasured, in W: what the chargers below may draw and the worst other load."""
        feeder, nominal_v = self._node.feeder, self._site.phase_voltage_v
        most = _OVERLOAD * sum(feeder.rating_a) * nominal_v
        if not self._grants:
            return most
        amps = sum(feeder.worst_base_load_a)
        for index in self._node.below:
            o = self._tree.outlets[index]
            grant = self._grants.get(o.id)
            amps += (o.hw_a if grant is None else grant.reserved_a) * o.phases
        return min(most, amps * nominal_v)

"""B15: everybody who looks sees each limit in force with its source, its reason, its end and what that leaves."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from siteward.control.decide import decide, restore
from siteward.model.events import ClockQuality
from siteward.model.ids import FeederId
from siteward.model.limits import Limit, LimitSource, OnLimitExpiry
from siteward.model.live import Health
from siteward.model.recovered import Recovered
from siteward.model.rules import LimitRule, Period, Schedule
from siteward.model.site import StaticLimit
from siteward.model.snapshot import Snapshot
from siteward.runtime.view import live_view
from tests.fixtures.story_rig import story_site

WALL = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
GRID = FeederId("grid")
HEALTH = Health(1, 0.0, 1.0, 0.0, True, 1.0, "J", 0, 0)


def test_limits_of_all_kinds_are_seen_lowest_first() -> None:
    """S-20: the installer's, one with an end, and one that follows a timetable."""
    every = frozenset(range(7))
    week = LimitRule("week", Schedule((Period(every, 0, 1440, (20.0, 20.0, 20.0)),)), GRID)
    site = replace(story_site(), limits=(StaticLimit("contract", GRID, (30.0, 30.0, 30.0)),), rules=(week,))
    safe = (8.0, 8.0, 8.0)
    end = Limit("k1", LimitSource.CLOUD, (25.0, 25.0, 25.0), GRID, None, 160.0, OnLimitExpiry.FAILSAFE, safe)
    memory = restore(site, Recovered(limits=(end,)), 100.0, WALL)
    snapshot = Snapshot(100.0, WALL, ClockQuality.NTP, 1)
    view = live_view(site, snapshot, decide(site, snapshot, memory), (), (), HEALTH, "0")
    assert [(limit.id, limit.reason, limit.target) for limit in view.limits] == [
        ("week", "schedule", "grid"),
        ("k1", "cloud", "grid"),
        ("contract", "static", "grid"),
    ]
    cloud = view.limits[1]
    assert (cloud.ends_at, cloud.on_expiry, cloud.failsafe_a) == (WALL + timedelta(seconds=60), "failsafe", safe)
    assert view.limits[0].ends_at is None

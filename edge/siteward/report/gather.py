"""Reads of the journal what a report needs: where the time before the day begins is found by halving."""

from collections.abc import Awaitable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from siteward.model.watch import Figure
from siteward.report.day import LOOK_BACK, DayReport, Wish, day_report
from siteward.report.facts import moment

_PAGE = 500


class Page(Protocol):
    """Events as read, and the journal's newest seq."""

    @property
    def last_seq(self) -> int:
        """Newest seq of the journal."""
        ...

    @property
    def events(self) -> Sequence[Mapping[str, Any]]:
        """The events."""
        ...


class Journal(Protocol):
    """Where events come from: core's API, or its database."""

    def events(self, after: int, limit: int = 500, wait_s: float = 0) -> Awaitable[Page]:
        """Journal events with seq > after, in order."""
        ...


def wish_of(site: Mapping[str, Any], day: date | None, now: datetime) -> Wish:
    """What to report of a site as the local API tells it; no day is yesterday by the site's clock."""
    zone = ZoneInfo(str(site["timezone"]))
    local = now.astimezone(zone).date()
    rules = [rule for rule in site.get("alarms", ()) if rule.get("what") == Figure.DRIFT_PERCENT]
    bound = rules[0].get("above") if rules else None
    return Wish(
        site=str(site["id"]),
        name=str(site["name"]),
        zone=zone,
        connectors=tuple(str(row["id"]) for row in site["connectors"]),
        feeders=tuple(str(row["id"]) for row in site["feeders"] if row.get("meter")),
        day=day if day is not None else date.fromordinal(local.toordinal() - 1),
        now=now.astimezone(UTC),
        drift_percent=bound,
        least_wh=float(rules[0].get("least", 0.0)) if rules else 0.0,
        feeder_names={str(row["id"]): str(row.get("name") or row["id"]) for row in site["feeders"] if row.get("meter")},
    )


async def gather(journal: Journal, wish: Wish) -> DayReport:
    """Read what is needed and judge the day."""
    seq = await _first(journal, wish.begins_at - LOOK_BACK)
    events: list[Mapping[str, Any]] = []
    while True:
        page = await journal.events(after=seq, limit=_PAGE)
        if not page.events:
            return day_report(wish, events)
        events += page.events
        seq = int(page.events[-1]["seq"])


async def _first(journal: Journal, at: datetime) -> int:
    """A seq behind which every event of that time and later stands; stubs are older than everything."""
    low, high = 0, (await journal.events(after=0, limit=1)).last_seq
    while low < high:
        middle = (low + high) // 2
        page = await journal.events(after=middle, limit=1)
        stamp = page.events[0].get("occurredAt") if page.events else None
        if stamp is None or moment(str(stamp)) < at:
            low = middle + 1
        else:
            high = middle
    return low

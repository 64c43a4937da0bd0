"""Reads of the journal what a report needs: where the time before the day begins is found by halving."""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from siteward.model.events import ClockQuality
from siteward.model.watch import Figure
from siteward.report.day import LOOK_BACK, DayReport, Wish, day_report
from siteward.report.facts import moment

_PAGE = 500
_PROBE = 100
_YEARS = range(1970, 2200)


def day_of(text: str) -> date:
    """A day as people write it. Raises ValueError for what is none, or has no day beside it in every zone."""
    day = date.fromisoformat(text)
    if day.year not in _YEARS:
        raise ValueError(f"{text} lies outside the years {_YEARS[0]} to {_YEARS[-1]}")
    return day


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
        platform=bool(site.get("cloud", True)),
        priced=bool((site.get("pricing") or {}).get("default")),
        feeder_names={str(row["id"]): str(row.get("name") or row["id"]) for row in site["feeders"] if row.get("meter")},
    )


async def gather(journal: Journal, wish: Wish) -> DayReport:
    """Read what is needed and judge the day."""
    oldest = await _dated(journal, 0, _PROBE)
    seq = await _first(journal, wish.begins_at - LOOK_BACK)
    events: list[Mapping[str, Any]] = []
    while True:
        page = await journal.events(after=seq, limit=_PAGE)
        if not page.events:
            since = None if oldest is None or oldest[1] <= wish.begins_at else oldest[1]
            return replace(day_report(wish, events), since=since)
        events += page.events
        seq = int(page.events[-1]["seq"])


async def _first(journal: Journal, at: datetime) -> int:
    """A seq behind which every event of that time and later stands, but for those of a clock that nobody trusted."""
    low, high = 0, (await journal.events(after=0, limit=1)).last_seq
    while low < high:
        middle = (low + high) // 2
        found = await _dated(journal, middle, high)
        if found is not None and found[1] < at:
            low = found[0]
        else:
            high = middle
    return low


async def _dated(journal: Journal, after: int, upto: int) -> tuple[int, datetime] | None:
    """Seq and time of the first event in between that tells the time: a stub does not, nor does an unsynced clock."""
    while after < upto:
        page = await journal.events(after=after, limit=_PROBE)
        for event in page.events:
            after = int(event["seq"])
            stamp = event.get("occurredAt")
            if stamp is not None and event.get("clock") != ClockQuality.UNSYNCED:
                return (after, moment(str(stamp))) if after <= upto else None
        if not page.events:
            return None
    return None

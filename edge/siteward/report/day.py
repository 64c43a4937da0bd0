"""The report of one day: rates, energy by quarters, and the list of differences, from events and nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from siteward.model.events import EventType
from siteward.report.differences import Difference, differences
from siteward.report.facts import Told, moment, read
from siteward.report.rates import ConnectorDay, connector_days, share

LOOK_BACK = timedelta(days=2)
"""How far before the day events are read: how it began must be known."""


@dataclass(frozen=True, slots=True)
class Quarter:
    """Energy of a feeder in one quarter of an hour, Wh; None is not known, drift_percent None was not judged."""

    feeder: str
    begin: datetime
    feeder_wh: int | None
    sessions_wh: int
    drift_percent: float | None


@dataclass(frozen=True, slots=True)
class DayReport:
    """One day of the site. alarms counts what rose, by severity; missing_quarters those without a record, by feeder.

    ends_at is now for a day that is not over; feeder_names are those of the metered feeders, by id.
    """

    site: str
    name: str
    day: date
    begins_at: datetime
    ends_at: datetime
    connectors: tuple[ConnectorDay, ...]
    quarters: tuple[Quarter, ...]
    missing_quarters: Mapping[str, int]
    differences: tuple[Difference, ...]
    alarms: Mapping[str, int]
    feeder_names: Mapping[str, str] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether nothing at all is known of the day: that nothing differs then says nothing."""
        known = ("known_s", "created", "failed", "cancelled", "finished")
        told = any(self.total(name) for name in known)
        return not (told or self.quarters or self.differences or self.alarms)

    @property
    def length_s(self) -> float:
        """Length of the window, s: 23 or 25 hours where the clocks change."""
        return (self.ends_at - self.begins_at).total_seconds()

    def total(self, name: str) -> float:
        """Sum of a figure of the connectors."""
        return float(sum(getattr(day, name) for day in self.connectors))

    @property
    def online_percent(self) -> float | None:
        """Share of the known time in which connectors answered (S-26)."""
        return share(self.total("online_s"), self.total("known_s"))

    @property
    def start_percent(self) -> float | None:
        """Share of starts that came to charging; those that somebody cancelled do not count (S-28)."""
        return share(self.total("started"), self.total("started") + self.total("failed"))

    @property
    def abnormal_percent(self) -> float | None:
        """Share of finished sessions that ended abnormally (S-29)."""
        return share(self.total("abnormal"), self.total("finished"))

    @property
    def use_percent(self) -> float | None:
        """Share of the day in which connectors charged (S-67)."""
        return share(self.total("charging_s"), self.length_s * len(self.connectors))


@dataclass(frozen=True, slots=True)
class Wish:
    """What to report: the site's names, zone and metered feeders, the day, and the rule that judges drift."""

    site: str
    name: str
    zone: tzinfo
    connectors: tuple[str, ...]
    feeders: tuple[str, ...]
    day: date
    now: datetime
    drift_percent: float | None = None
    least_wh: float = 0.0
    feeder_names: Mapping[str, str] = field(default_factory=dict)

    @property
    def begins_at(self) -> datetime:
        """Midnight of the site's clock."""
        return datetime.combine(self.day, time(), self.zone).astimezone(self.now.tzinfo)

    @property
    def ends_at(self) -> datetime:
        """The next midnight of the site's clock, or now."""
        return min(
            self.now, datetime.combine(self.day + timedelta(days=1), time(), self.zone).astimezone(self.now.tzinfo)
        )


def day_report(wish: Wish, events: Sequence[Mapping[str, Any]]) -> DayReport:
    """Judge a day; events begin LOOK_BACK before it and go to the end of the journal."""
    begin, end = wish.begins_at, wish.ends_at
    told = tuple(read(events))
    quarters = _quarters(told, begin, end)
    return DayReport(
        site=wish.site,
        name=wish.name,
        day=wish.day,
        begins_at=begin,
        ends_at=end,
        connectors=tuple(connector_days(told, wish.connectors, begin, end).values()),
        quarters=quarters,
        missing_quarters=_missing(wish.feeders, quarters, begin, end),
        differences=differences(told, begin, end, wish.now, wish.drift_percent, wish.least_wh),
        alarms=_alarms(told, begin, end),
        feeder_names=wish.feeder_names,
    )


def _quarters(told: Sequence[Told], begin: datetime, end: datetime) -> tuple[Quarter, ...]:
    rows = []
    for event in told:
        if event.type != EventType.ENERGY_RECONCILED:
            continue
        data, at = event.data, moment(str(event.data["begin"]))
        if begin <= at < end:
            drift = data.get("driftPercent")
            rows.append(Quarter(str(data["feeder"]), at, data.get("feeder_wh"), int(data["sessions_wh"]), drift))
    return tuple(rows)


def _missing(feeders: Sequence[str], quarters: Sequence[Quarter], begin: datetime, end: datetime) -> dict[str, int]:
    whole = int((end - begin).total_seconds() // 900)
    return {name: max(0, whole - sum(q.feeder == name for q in quarters)) for name in feeders}


def _alarms(told: Sequence[Told], begin: datetime, end: datetime) -> dict[str, int]:
    found: dict[str, int] = {}
    for event in told:
        if event.type == EventType.ALARM_RAISED and begin <= event.at < end:
            severity = str(event.data.get("severity", ""))
            found[severity] = found.get(severity, 0) + 1
    return found

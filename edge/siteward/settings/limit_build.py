"""From the tables of limits to standing limits and rules."""

from collections.abc import Iterable

from siteward.model.access import Contact
from siteward.model.errors import WeAreWrong
from siteward.model.ids import ConnectorId, FeederId, MeterId
from siteward.model.points import PointName
from siteward.model.rules import Contacts, DemandWindow, Derating, LimitRule, Period, Schedule, Step
from siteward.model.site import Feeder, StaticLimit
from siteward.model.units import PerPhase
from siteward.settings.limit_tables import DAYS, InputTable, LimitTable, PeriodTable


def standing(tables: Iterable[LimitTable]) -> tuple[StaticLimit, ...]:
    """The limits that always hold."""
    return tuple(
        StaticLimit(table.id, FeederId(table.feeder), three(table.limit_a))
        for table in tables
        if table.feeder is not None and table.limit_a is not None and _by(table, {}) is None
    )


def rules(tables: Iterable[LimitTable], feeders: Iterable[Feeder]) -> tuple[LimitRule, ...]:
    """The limits that come and go. Raises WeAreWrong when a check let a demand window without a meter through."""
    meters = {feeder.id: feeder.meter for feeder in feeders if feeder.meter is not None}
    found = []
    for table in tables:
        by = _by(table, meters)
        if by is not None:
            feeder = FeederId(table.feeder) if table.feeder is not None else None
            connector = ConnectorId(table.connector) if table.connector is not None else None
            found.append(LimitRule(table.id, by, feeder, connector))
    return tuple(found)


def three(amps: list[float]) -> PerPhase:
    """A current for each phase."""
    return (amps[0], amps[1], amps[2])


def _by(table: LimitTable, meters: dict[FeederId, MeterId]) -> Schedule | Contacts | Derating | DemandWindow | None:
    otherwise = None if table.limit_a is None else three(table.limit_a)
    if table.schedule:
        return Schedule(tuple(_period(period) for period in table.schedule), otherwise)
    if table.input:
        return _contacts(table, otherwise)
    if table.sensor is not None and table.curve is not None:
        curve = tuple((point[0], point[1]) for point in table.curve)
        lost = curve[-1][1] if table.failsafe_a is None else min(table.failsafe_a)
        return Derating(ConnectorId(table.sensor), curve, lost)
    if table.demand_w is None:
        return None
    meter = meters.get(FeederId(table.feeder or ""))
    if meters and meter is None:
        raise WeAreWrong(f"demand window {table.id} passed the checks without a meter")
    margin = table.margin_percent / 100.0
    return DemandWindow(meter or MeterId(""), table.demand_w, table.window_min * 60.0, not table.sliding, margin)


def _period(table: PeriodTable) -> Period:
    days = frozenset(DAYS.index(day) for day in table.days)
    return Period(days, minute(table.begin), minute(table.end), three(table.limit_a))


def minute(text: str) -> int:
    """Minutes since midnight of a clock time HH:MM."""
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def _contacts(table: LimitTable, otherwise: PerPhase | None) -> Contacts:
    steps = tuple(_step(step) for step in table.input)
    worst = table.failsafe_a or [min(step.limit_a[p] for step in steps) for p in range(3)]
    return Contacts(steps, three(worst), otherwise, table.release_s)


def _step(table: InputTable) -> Step:
    return Step(Contact(PointName(table.point), not table.normally_closed), three(table.limit_a))

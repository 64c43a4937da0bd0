"""Limits that the site's file describes: by the week, by contacts of the grid operator, by heat, by demand window."""

from dataclasses import dataclass

from siteward.model.access import Contact
from siteward.model.ids import ConnectorId, FeederId, MeterId
from siteward.model.points import PointName
from siteward.model.units import PerPhase


@dataclass(frozen=True, slots=True)
class Period:
    """A share of the week by the site's local clock; day 0 is Monday, minutes count from midnight.

    A period whose end is not after its begin passes midnight and belongs to the day on which it begins.
    """

    days: frozenset[int]
    begin_min: int
    end_min: int
    limit_a: PerPhase


@dataclass(frozen=True, slots=True)
class Schedule:
    """Periods of the week; where several hold, the lowest counts. otherwise_a None = no limit outside them."""

    periods: tuple[Period, ...]
    otherwise_a: PerPhase | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What a contact that says yes allows."""

    contact: Contact
    limit_a: PerPhase


@dataclass(frozen=True, slots=True)
class Contacts:
    """The grid operator's contacts, such as a ripple control receiver or a control box of section 14a EnWG.

    The lowest step that says yes counts; failsafe_a holds while any contact cannot be read, however long; release_s is
    how long a higher step must stand before it counts.
    """

    steps: tuple[Step, ...]
    failsafe_a: PerPhase
    otherwise_a: PerPhase | None = None
    release_s: float = 10.0

    @property
    def points(self) -> tuple[PointName, ...]:
        """Every input that is read."""
        return tuple(step.contact.point for step in self.steps)


@dataclass(frozen=True, slots=True)
class Derating:
    """Less current at more heat: `sensor` measures, `curve` are rising temperatures in C with the current allowed in A.

    Straight lines between the points, level beyond both ends; failsafe_a holds while the temperature is not known.
    """

    sensor: ConnectorId
    curve: tuple[tuple[float, float], ...]
    failsafe_a: float


@dataclass(frozen=True, slots=True)
class DemandWindow:
    """A mean power that the tariff charges for: `demand_w` over `window_s`, as `meter` counts it.

    aligned: windows begin with the site's standard time (no daylight saving), as a utility counts; else any window
    of that length counts. `margin` is the share of the demand that is not used.
    """

    meter: MeterId
    demand_w: float
    window_s: float
    aligned: bool = True
    margin: float = 0.02


@dataclass(frozen=True, slots=True)
class LimitRule:
    """One described limit on a feeder or on a connector."""

    id: str
    by: Schedule | Contacts | Derating | DemandWindow
    feeder: FeederId | None = None
    connector: ConnectorId | None = None

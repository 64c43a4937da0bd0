"""What truly happened in a simulated site: the report that tests and demo judge the controller by."""

from dataclasses import asdict, dataclass

from siteward.model.ids import ConnectorId, FeederId
from siteward.model.units import PerPhase
from siteward_drivers.sim.fuses import Trip


@dataclass(frozen=True, slots=True)
class FeederTruth:
    """One fuse: true current now and base within it in A, worst thermal image, longest time above its rating in s."""

    feeder: FeederId
    current_a: PerPhase
    base_a: PerPhase
    rating_a: PerPhase
    worst_theta: float
    longest_over_s: float


@dataclass(frozen=True, slots=True)
class ConnectorTruth:
    """One outlet: true current by the charger's phases, what its device signals, and what is plugged in."""

    connector: ConnectorId
    draw_a: PerPhase
    signalled_a: float
    pilot: str
    car: str | None
    soc: float | None
    energy_wh: float


@dataclass(frozen=True, slots=True)
class StayTruth:
    """One car's stay and the energy truly delivered in Wh."""

    connector: ConnectorId
    car: str
    plugged_at: float
    unplugged_at: float | None
    energy_wh: float


@dataclass(frozen=True, slots=True)
class WorldTruth:
    """The whole site at one instant of the simulation; times in s."""

    at: float
    feeders: tuple[FeederTruth, ...]
    connectors: tuple[ConnectorTruth, ...]
    trips: tuple[Trip, ...]
    stays: tuple[StayTruth, ...]

    @property
    def worst_theta(self) -> float:
        """Hottest thermal image of any fuse so far (trips above 1.13 squared)."""
        return max((f.worst_theta for f in self.feeders), default=0.0)

    @property
    def longest_over_s(self) -> float:
        """Longest time that any fuse carried more than its rating without a pause."""
        return max((f.longest_over_s for f in self.feeders), default=0.0)

    @property
    def delivered_wh(self) -> float:
        """Energy given to all cars so far."""
        return sum(s.energy_wh for s in self.stays)

    def feeder(self, feeder: FeederId | str) -> FeederTruth:
        """The truth about one fuse. Raises KeyError for an unknown id."""
        return {f.feeder: f for f in self.feeders}[FeederId(feeder)]

    def connector(self, connector: ConnectorId | str) -> ConnectorTruth:
        """The truth about one outlet. Raises KeyError for an unknown id."""
        return {c.connector: c for c in self.connectors}[ConnectorId(connector)]

    def as_json(self) -> dict[str, object]:
        """The report as JSON values, for the truth file of a running simulation."""
        return {
            **asdict(self),
            "worst_theta": self.worst_theta,
            "longest_over_s": self.longest_over_s,
            "delivered_wh": self.delivered_wh,
        }

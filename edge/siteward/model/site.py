"""The site as configured: wires, meters, the fuse tree, chargers and their connectors. Frozen for a whole run."""

from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from enum import StrEnum
from typing import ClassVar

from siteward.model.access import Barrier, Lock, Reader
from siteward.model.auth import AuthRules
from siteward.model.bookings import Bay, EmergencyStop
from siteward.model.facts import ChargerFacts, MeterFacts, RelayFacts
from siteward.model.ids import ChargerId, ConnectorId, FeederId, LineId, MeterId, RelayId, SiteId
from siteward.model.points import PointName
from siteward.model.rules import Contacts, LimitRule
from siteward.model.serial import LinkKind as LinkKind
from siteward.model.serial import Parity as Parity
from siteward.model.serial import SerialSettings as SerialSettings
from siteward.model.tariff import Pricing
from siteward.model.units import FLOOR_A, PerPhase, Phase, booked_amps, limit_amps
from siteward.model.watch import AlarmRule


class Priority(StrEnum):
    """Class of a connector when current is short, highest first; `rank` 0 is served first."""

    rank: int

    EMERGENCY = "emergency"
    FLEET = "fleet"
    NORMAL = "normal"
    GUEST = "guest"

    def __init__(self, _: str) -> None:
        self.rank = len(type(self).__members__)


@dataclass(frozen=True, slots=True)
class Line:
    """A wire: a serial port path, `tcp://host:port` (Modbus TCP) or `rtu+tcp://host:port`.

    `simulated`: a pseudo-terminal stands for the port; it has no parity, so none is asked of it. `rs485`: the kernel
    switches the direction of the port's driver. `link`: what moves the bytes of a serial port; `real_time`: its thread
    runs before ordinary programs where the system allows it.
    """

    id: LineId
    port: str
    baud: int = 9600
    parity: Parity = Parity.NONE
    stop_bits: int = 1
    simulated: bool = False
    rs485: bool = False
    link: LinkKind = LinkKind.SERIAL
    real_time: bool = False

    @property
    def settings(self) -> SerialSettings:
        """Serial settings of every device that says nothing else."""
        return SerialSettings(self.baud, self.parity, self.stop_bits)

    @property
    def is_serial(self) -> bool:
        """Whether bytes travel at the line's baud rate."""
        return "://" not in self.port


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter on a line, with the Modbus unit id it answers to, or its 12-digit address (DL/T 645; `unit` is 0 then).

    `serial`: settings under which it is spoken to where they are not the line's. public_key (DER) is the one on its
    plate, by which its signed values are judged; None: the one that it tells itself.
    """

    id: MeterId
    line: LineId
    unit: int
    profile: str
    facts: MeterFacts
    address: str | None = None
    serial: SerialSettings | None = None
    public_key: bytes | None = None


@dataclass(frozen=True, slots=True)
class Feeder:
    """A node of the fuse tree; worst_base_load_a is ALL load below it that is no charger (R11).

    trip is the output that opens a switch above everything below this node, for chargers that no stop reaches.
    neutral_a is the rating of the neutral conductor and neutral_base_a the most that other load puts on it;
    imbalance_a is how far the highest of its phases may lie above the lowest (B13). None: not watched.
    """

    id: FeederId
    name: str
    parent: FeederId | None
    rating_a: PerPhase
    meter: MeterId | None
    worst_base_load_a: PerPhase
    chargers_only: bool = False
    generation: bool = False
    trip: PointName | None = None
    neutral_a: float | None = None
    neutral_base_a: float = 0.0
    imbalance_a: float | None = None


@dataclass(frozen=True, slots=True)
class Connector:
    """One outlet: the unit that control commands and that a session happens at.

    wiring[i] is the feeder phase that the charger's phase i+1 is wired to; max_a is never planned above;
    hardware_max_a is the most it can draw whatever we write; failsafe_a is the current we put into its watchdog;
    phase_switching: the installer allows switching between one and three phases here (B14).
    """

    id: ConnectorId
    charger: ChargerId
    feeder: FeederId
    type: str
    channel: int
    wiring: tuple[Phase, ...]
    max_a: float
    hardware_max_a: float
    failsafe_a: float
    priority: Priority
    meter: MeterId | None
    facts: ChargerFacts
    phase_switching: bool = False

    @property
    def cap_a(self) -> float:
        """Highest limit that we ever write."""
        return min(self.max_a, self.hardware_max_a, self.facts.limit.max_a)

    @property
    def least_a(self) -> float:
        """Least current that a car can be given here: 6 A by the pilot of AC, what the charger says of DC (B09)."""
        least = self.facts.limit.min_a
        return least if self.facts.power is not None else max(FLOOR_A, least)

    def legal_amps(self, power_w: float, nominal_v: float) -> float:
        """Current for a legal limit of power from the mains (R20).

        At nominal voltage; a DC charger is limited in those very watts, so that its current is what it is booked with.
        """
        power = self.facts.power
        if power is None:
            return limit_amps(power_w, len(self.wiring), nominal_v)
        return booked_amps(power_w, power.phases, nominal_v, power.pf_min)


@dataclass(frozen=True, slots=True)
class Charger:
    """A charging device: one address on a line, one or more connectors."""

    id: ChargerId
    line: LineId
    unit: int
    profile: str
    connectors: tuple[Connector, ...]


@dataclass(frozen=True, slots=True)
class RelayBoard:
    """A board of relays and inputs on a line; `pairs` (from 1) are its interlocked open/close pairs in use.

    watchdog_s is loaded into the board's own watchdog, where it has one.
    """

    id: RelayId
    line: LineId
    unit: int
    profile: str
    facts: RelayFacts
    pairs: tuple[int, ...] = ()
    watchdog_s: int = 10


@dataclass(frozen=True, slots=True)
class StaticLimit:
    """A limit on a feeder that the installer set, per phase in A."""

    id: str
    feeder: FeederId
    limit_a: PerPhase


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """The whole site; `feeders` are ordered parents first. `hash` is SHA-256 over the merged configuration.

    `zone` holds the rules of `timezone`; it was read when the file was, so that deciding reads nothing.
    start_delay_s is the longest that a connector waits after its charger restarted (B07): not all begin at once.
    alarms are the rules by which figures become alarms; cloud: there is a platform to be connected to.
    """

    id: SiteId
    name: str
    timezone: str
    phase_voltage_v: float
    lines: tuple[Line, ...]
    meters: tuple[Meter, ...]
    feeders: tuple[Feeder, ...]
    chargers: tuple[Charger, ...]
    limits: tuple[StaticLimit, ...] = ()
    hash: str = ""
    relays: tuple[RelayBoard, ...] = ()
    barriers: tuple[Barrier, ...] = ()
    locks: tuple[Lock, ...] = ()
    rules: tuple[LimitRule, ...] = ()
    zone: tzinfo = UTC
    start_delay_s: float = 120.0
    pricing: Pricing = field(default_factory=Pricing)
    alarms: tuple[AlarmRule, ...] = ()
    cloud: bool = False
    auth: AuthRules = field(default_factory=AuthRules)
    emergencies: tuple[EmergencyStop, ...] = ()
    bays: tuple[Bay, ...] = ()
    readers: tuple[Reader, ...] = ()
    # Whoever writes a site down leaves `zone` out, for its name says all; the form must stand it being there.
    __pydantic_config__: ClassVar[dict[str, bool]] = {"arbitrary_types_allowed": True}
    connectors: tuple[Connector, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Flatten the connectors in the order of site.toml."""
        flat = tuple(c for charger in self.chargers for c in charger.connectors)
        object.__setattr__(self, "connectors", flat)

    @property
    def limit_points(self) -> frozenset[PointName]:
        """The contacts that limits follow."""
        return frozenset(point for rule in self.rules if isinstance(rule.by, Contacts) for point in rule.by.points)

    @property
    def watched_points(self) -> frozenset[PointName]:
        """The contacts that a turn sees: those that limits follow, emergency stops, and the sensors of bays."""
        stops = {stop.contact.point for stop in self.emergencies}
        bays = {bay.sensor.point for bay in self.bays if bay.sensor is not None}
        locks = {lock.bay.point for lock in self.locks if lock.connector is not None}
        return self.limit_points | stops | bays | locks

    @property
    def trips(self) -> dict[FeederId, PointName]:
        """The outputs that switch feeders off."""
        return {feeder.id: feeder.trip for feeder in self.feeders if feeder.trip is not None}

    def path(self, feeder: FeederId) -> tuple[Feeder, ...]:
        """Feeders from the named one up to the grid connection."""
        by_id = {f.id: f for f in self.feeders}
        nodes = []
        at: FeederId | None = feeder
        while at is not None:
            nodes.append(by_id[at])
            at = by_id[at].parent
        return tuple(nodes)

"""A whole simulated site from a Site and its profiles: world, devices by line, and the scenario that moves them."""

from collections.abc import Callable
from functools import partial

from siteward.model.ids import ChargerId, ConnectorId, FeederId, LineId, MeterId
from siteward.model.ports import Clock
from siteward.model.site import Line, Site
from siteward_drivers.catalogue import Profiles
from siteward_drivers.profile_schema import Language
from siteward_drivers.sim.arms import SimArm, Wiring, barrier_arm, lock_arm
from siteward_drivers.sim.bank import AddressedMeter, Bank
from siteward_drivers.sim.boards import SimBoard
from siteward_drivers.sim.chance import stream
from siteward_drivers.sim.charge_point import ChargePoint
from siteward_drivers.sim.chargers import SimCharger
from siteward_drivers.sim.data_slave import DataMeter
from siteward_drivers.sim.devices import SimDevice
from siteward_drivers.sim.events import Arrivals, BaseLoad
from siteward_drivers.sim.meters import SimMeter
from siteward_drivers.sim.object_slave import ObjectMeter
from siteward_drivers.sim.scenario import QUIET, Scenario
from siteward_drivers.sim.traffic import Traffic
from siteward_drivers.sim.truth import WorldTruth
from siteward_drivers.sim.world import World


class SimSite:
    """The simulated site. Its world follows `now` (a Clock's) and moves when somebody looks at it or calls `settle`.

    Devices: `chargers`, `meters`, `points` (one per connector); wires: `banks` with their faults.
    """

    def __init__(self, site: Site, profiles: Profiles, scenario: Scenario, seed: int, now: Callable[[], float]) -> None:
        self.site, self.scenario, self.seed = site, scenario, seed
        self._now = now
        self.world = World(site, start=now(), fuses_blow=scenario.fuses_blow)
        self.started_at = self.world.now
        self.chargers = {
            c.id: SimCharger(self.world, c, profiles[c.profile], stream(seed, f"charger:{c.id}")) for c in site.chargers
        }
        self.meters = {
            m.id: SimMeter(self.world, m, profiles[m.profile], stream(seed, f"meter:{m.id}")) for m in site.meters
        }
        self.points: dict[ConnectorId, ChargePoint] = {
            p.connector.id: p for charger in self.chargers.values() for p in charger.points.values()
        }
        self.arms: dict[str, SimArm] = {b.id: barrier_arm(b) for b in site.barriers}
        self.arms |= {k.id: lock_arm(k) for k in site.locks}
        self.wiring = Wiring()
        for arm in self.arms.values():
            self.wiring.add(arm)
        for feeder, trip in site.trips.items():
            self.wiring.releases[trip] = partial(self.world.switch_off, feeder)
        self.boards = {
            b.id: SimBoard(b, profiles.relays[b.profile], self.wiring, lambda: self._now()) for b in site.relays
        }
        self.banks = {line.id: self._bank(line) for line in site.lines}
        plan = scenario.base_load
        self.base_load = BaseLoad(self.world, plan, seed) if plan is not None else None
        self.traffic = Traffic(site, self.world, self.arms, scenario.traffic) if scenario.traffic is not None else None
        if scenario.arrivals is not None:
            Arrivals(self.world, scenario.arrivals, seed, None if self.traffic is None else self.traffic.may_park)

    @classmethod
    def from_site(
        cls, site: Site, profiles: Profiles, scenario: Scenario = QUIET, seed: int = 1, clock: Clock | None = None
    ) -> "SimSite":
        """Build it; without a clock its time stands still at 0 and tests move `world` by hand."""
        if clock is not None:
            return cls(site, profiles, scenario, seed, clock.now)
        still = cls(site, profiles, scenario, seed, lambda: 0.0)
        still._now = lambda: still.world.now
        return still

    def _bank(self, line: Line) -> Bank:
        devices: dict[int, SimDevice] = {}
        found: list[tuple[int, SimDevice]] = [
            (d.charger.unit, d) for d in self.chargers.values() if d.charger.line == line.id
        ]
        here = [m for m in self.meters.values() if m.meter.line == line.id]
        found += [(m.meter.unit, m) for m in here if m.meter.address is None]
        meters = [_addressed(m, m.meter.address, line) for m in here if m.meter.address]
        found += [(d.board.unit, d) for d in self.boards.values() if d.board.line == line.id]
        for unit, device in found:
            if unit in devices:
                raise ValueError(f"line {line.id}: unit {unit} is both {devices[unit].name} and {device.name}")
            devices[unit] = device
        return Bank(devices, self.settle, stream(self.seed, f"line:{line.id}"), meters)

    def settle(self) -> None:
        """Bring the world to the present."""
        self.world.advance_to(self._now())
        for board in self.boards.values():
            board.settle()
        if self.traffic is not None:
            self.traffic.settle(self._now())

    def truth(self) -> WorldTruth:
        """What truly happened until now."""
        self.settle()
        return self.world.truth()

    def device(self, name: str) -> SimDevice:
        """A charger or meter by its id, or the charger of a connector id. Raises KeyError."""
        if ChargerId(name) in self.chargers:
            return self.chargers[ChargerId(name)]
        if MeterId(name) in self.meters:
            return self.meters[MeterId(name)]
        return self.chargers[self.points[ConnectorId(name)].connector.charger]

    def charger(self, name: str) -> SimCharger:
        """A charger by its id or by that of one of its connectors. Raises KeyError."""
        device = self.device(name)
        if not isinstance(device, SimCharger):
            raise KeyError(name)
        return device

    def meter(self, name: str) -> SimMeter:
        """A meter by its id. Raises KeyError."""
        return self.meters[MeterId(name)]

    def occupy(self, arm: str, occupied: bool) -> None:
        """Have a vehicle stand in the way of an arm, or leave. Raises KeyError."""
        self.settle()
        self.arms[arm].occupy(occupied, self._now())

    def restore_device(self, name: str) -> None:
        """Take every fault off a device. Raises KeyError."""
        device = self.device(name)
        device.faults.clear()
        if isinstance(device, SimCharger):
            device.refresh()

    def bank(self, line: str) -> Bank:
        """The devices and faults of a wire. Raises KeyError."""
        return self.banks[LineId(line)]

    def base_step(self, feeder: str, current_a: float | None) -> None:
        """Set the own base load of a feeder on all phases and hold it there; None lets it move by itself again."""
        self.settle()
        node = FeederId(feeder)
        if node not in self.world.nodes:
            raise KeyError(feeder)
        if current_a is None:
            if self.base_load is not None:
                self.base_load.release(node)
            return
        if self.base_load is not None:
            self.base_load.hold(node)
        self.world.set_base(node, (current_a, current_a, current_a))


def _addressed(meter: SimMeter, address: str, line: Line) -> AddressedMeter:
    kind = DataMeter if meter.profile.file.protocol is Language.DLT645 else ObjectMeter
    return kind(meter, address, meter.meter.serial or line.settings)

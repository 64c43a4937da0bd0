"""A bench for profiles: the simulated device of one profile on a memory line in virtual time, with its driver."""

import asyncio
from collections.abc import Awaitable, Callable

from siteward.model.ids import ChargerId, ConnectorId, FeederId, LineId, MeterId, SiteId
from siteward.model.ports import Charger as ChargerPort
from siteward.model.readings import ChargerReading
from siteward.model.site import Charger, Connector, Feeder, Line, Meter, Priority, Site
from siteward.model.units import Phase
from siteward.model.wire import WireEvent, Write, WriteKind
from siteward_drivers.catalogue import load_profiles
from siteward_drivers.charger_writes import plan_write
from siteward_drivers.profile import Profile
from siteward_drivers.profile_schema import Transport
from siteward_drivers.registry import build_lines
from siteward_drivers.sim.memory_line import sim_links
from siteward_drivers.sim.site import SimSite
from siteward_drivers.sim.virtual import VirtualClock, run_virtual

from .rig import OpenGate

PROFILES = load_profiles()
LINE, BOX, OUTLET, GRID = LineId("line"), ChargerId("box"), ConnectorId("box-1"), FeederId("grid")
FAILSAFE_A = 8.0


def site_of(profile: Profile) -> Site:
    """The smallest site with this one device."""
    framing = profile.file.wire.transports[0]
    serial = profile.file.wire.serial
    baud = serial.baud if serial is not None else 9600
    line = Line(LINE, "/dev/wire" if framing is Transport.RTU else "tcp://plant:502", baud)
    meters: tuple[Meter, ...] = ()
    chargers: tuple[Charger, ...] = ()
    if profile.file.meter is not None:
        meters = (Meter(MeterId("meter"), LINE, profile.file.wire.unit, profile.id, profile.meter_facts()),)
    else:
        chargers = (Charger(BOX, LINE, profile.file.wire.unit, profile.id, (_connector(profile),)),)
    meter = MeterId("meter") if meters else None
    grid = Feeder(GRID, "Grid", None, (250, 250, 250), meter, (80, 80, 80))
    return Site(SiteId("s"), "Test", "UTC", 230, (line,), meters, (grid,), chargers)


def _connector(profile: Profile) -> Connector:
    facts = profile.charger_facts()
    most_a = min(32.0, facts.rated_a)
    return Connector(
        id=OUTLET,
        charger=BOX,
        feeder=GRID,
        type="type2",
        channel=1,
        wiring=(Phase.L1, Phase.L2, Phase.L3),
        max_a=most_a,
        hardware_max_a=most_a,
        failsafe_a=FAILSAFE_A,
        priority=Priority.NORMAL,
        meter=None,
        facts=facts,
    )


class Bench:
    """The device of one profile on a memory line in virtual time, spoken to by its real driver."""

    def __init__(self, profile: Profile, clock: VirtualClock) -> None:
        self.profile, self.clock = profile, clock
        self.sim = SimSite.from_site(site_of(profile), PROFILES, clock=clock)
        self.log: list[WireEvent] = []
        self.gate = OpenGate()
        links = sim_links(self.sim)
        self.lines = build_lines(self.sim.site, PROFILES, clock, self.gate, self.log.append, links)

    @property
    def box(self) -> ChargerPort:
        return self.lines.chargers[0]

    @property
    def signalled_a(self) -> float:
        """What the simulated box truly allows now."""
        self.sim.settle()
        return self.sim.world.outlets[OUTLET].signalled_a

    async def write(self, kind: WriteKind, value_a: float) -> float:
        """Write, and return what the profile makes of the value."""
        write = Write(OUTLET, kind, value_a, False, 1, self.clock.now() + 60)
        await self.box.write(write)
        return plan_write(self.profile, 1, write).value_a

    async def poll(self, seconds: float) -> ChargerReading:
        """Poll as the controller does, so that life bits and watchdogs stay fed."""
        failsafe = self.profile.charger.failsafe
        period = min(2.0, failsafe.timeout_s / 4) if failsafe is not None else 2.0
        end = self.clock.now() + seconds
        while True:
            due = self.clock.now() + period
            reading = await self.box.read()
            if self.clock.now() >= end:
                return reading
            await self.clock.sleep(max(0.05, due - self.clock.now()))

    async def hold(self, value_a: float, seconds: float) -> ChargerReading:
        """Write a limit and keep it: again every quarter of a watchdog that (perhaps) only a limit write feeds."""
        failsafe = self.profile.charger.failsafe
        step = failsafe.timeout_s / 4 if failsafe is not None else seconds
        end = self.clock.now() + seconds
        while True:
            await self.write(WriteKind.LIMIT, value_a)
            reading = await self.poll(min(step, max(0.0, end - self.clock.now())))
            if self.clock.now() >= end:
                return reading


def on_bench(profile: str, body: Callable[[Bench], Awaitable[None]]) -> None:
    async def main(clock: VirtualClock) -> None:
        bench = Bench(PROFILES[profile], clock)
        await bench.lines.open()
        await asyncio.sleep(0.1)
        await body(bench)
        await bench.lines.close()

    run_virtual(main)

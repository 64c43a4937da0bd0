"""A simulated wire that Modbus and DL/T 645 meters share, with the real driver on it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from siteward.model.errors import DeviceUnreachable
from siteward.model.ids import FeederId, LineId, MeterId, SiteId
from siteward.model.ports import Meter as MeterPort
from siteward.model.serial import Parity, SerialSettings
from siteward.model.site import Feeder, Line, Meter, Site
from siteward_drivers.dlt645_meter import Dlt645Meter
from siteward_drivers.registry import SiteLines, build_lines
from siteward_drivers.sim.memory_line import sim_links
from siteward_drivers.sim.site import SimSite
from siteward_drivers.sim.virtual import VirtualClock

from .plant import PROFILES
from .rig import OpenGate

WIRE = LineId("wire")
SLOW = SerialSettings(2400, Parity.EVEN, 1)
FAST = SerialSettings(9600, Parity.NONE, 1)
EVEN = SerialSettings(9600, Parity.EVEN, 1)
ADDRESSES = {"m3": "123456789012", "m4": "000000000645", "m5": "000000069845"}


def mixed_site(
    port: str = "/dev/wire", simulated: bool = True, names: tuple[str, ...] = ("m1", "m2", "m3", "m4")
) -> Site:
    """Meters of Modbus (m1, m2), DL/T 645 (m3, m4) and 698.45 (m5) on one wire, each around a row of its own."""
    modbus, data, objects = (PROFILES.meter(name) for name in ("eastron_sdm630", "dlt645_2007", "dlt698_45"))
    assert modbus is not None
    assert data is not None
    assert objects is not None
    meters = {
        "m1": Meter(MeterId("m1"), WIRE, 1, "eastron_sdm630", modbus),
        "m2": Meter(MeterId("m2"), WIRE, 2, "eastron_sdm630", modbus),
        "m3": Meter(MeterId("m3"), WIRE, 0, "dlt645_2007", data, ADDRESSES["m3"], SLOW),
        "m4": Meter(MeterId("m4"), WIRE, 0, "dlt645_2007", data, ADDRESSES["m4"], SLOW),
        "m5": Meter(MeterId("m5"), WIRE, 0, "dlt698_45", objects, ADDRESSES["m5"], EVEN),
    }
    grid = Feeder(FeederId("grid"), "grid", None, (250, 250, 250), None, (80, 80, 80))
    rows = [Feeder(FeederId(f"row-{n}"), n, grid.id, (99, 99, 99), MeterId(n), (80, 80, 80)) for n in names]
    line = Line(WIRE, port, FAST.baud, FAST.parity, FAST.stop_bits, simulated)
    return Site(SiteId("S"), "S", "UTC", 230, (line,), tuple(meters[n] for n in names), (grid, *rows), ())


class Rig:
    """The mixed line, simulated, with the real driver on it."""

    def __init__(self, clock: VirtualClock, site: Site | None = None) -> None:
        self.clock = clock
        self.sim = SimSite.from_site(site or mixed_site(), PROFILES, clock=clock)
        self.bank = self.sim.bank(WIRE)
        for n, meter in enumerate(self.sim.meters.values()):
            self.sim.base_step(f"row-{meter.name}", 10.0 + n)
        links = sim_links(self.sim)
        self.link = links[WIRE]
        self.lines = build_lines(self.sim.site, PROFILES, clock, OpenGate(), lambda _: None, links)

    def meter(self, name: str) -> Dlt645Meter:
        found = self.any_meter(name)
        assert isinstance(found, Dlt645Meter)
        return found

    def any_meter(self, name: str) -> MeterPort:
        return next(m for m in self.lines.meters if m.id == name)


@asynccontextmanager
async def running(clock: VirtualClock, site: Site | None = None) -> AsyncIterator[Rig]:
    rig = Rig(clock, site)
    await rig.lines.open()
    await clock.sleep(2.0)
    try:
        yield rig
    finally:
        await rig.lines.close()


async def poll(lines: SiteLines, name: str, every_s: float, stop_at: float) -> tuple[set[tuple[float, ...]], int]:
    """Read a meter again and again: the currents that it told, and how often it did not answer."""
    loop = asyncio.get_running_loop()
    meter = next(m for m in lines.meters if m.id == name)
    told: set[tuple[float, ...]] = set()
    missed = 0
    while loop.time() < stop_at:
        try:
            reading = await meter.read()
        except DeviceUnreachable:
            missed += 1
        else:
            assert reading.current_a is not None
            told.add(tuple(round(a, 2) for a in reading.current_a))
        await asyncio.sleep(every_s)
    return told, missed


async def poll_all(
    lines: SiteLines, seconds: float, every_s: float = 1.0
) -> dict[str, tuple[set[tuple[float, ...]], int]]:
    stop_at = asyncio.get_running_loop().time() + seconds
    names = [str(m.id) for m in lines.meters]
    return dict(zip(names, await asyncio.gather(*(poll(lines, n, every_s, stop_at) for n in names)), strict=True))


TRUTH = {f"m{n + 1}": ({(10.0 + n,) * 3}, 0) for n in range(4)}

"""Twelve devices at three settings on one pair, for the tests of the bus tools."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from siteward.model.ids import LineId, MeterId
from siteward.model.site import Line, Meter, Parity, Site
from siteward_drivers.registry import load_profiles
from siteward_drivers.scan_plan import Setting
from siteward_drivers.sim.bank import Bank
from siteward_drivers.sim.devices import SimDevice
from siteward_drivers.sim.scenario import QUIET
from siteward_drivers.sim.site import SimSite
from tests.siteward_drivers.sim.sites import METER_FACTS, SDM630, one_row

PROFILES = load_profiles()
PLAIN = Setting(9600)
"""Where the meters of the mixed line are: units 3, 7, 8, 9 and 21."""

FAST, FASTEST = Setting(19200), Setting(38400)
EVEN = Setting(19200, Parity.EVEN)
METERS = {PLAIN: (3, 7, 8, 9, 21), FAST: (10, 11, 12)}
BOXES = {FASTEST: (1, 2, 4, 5)}
ALL = {**METERS, **BOXES}


def simulated(now: Callable[[], float], meters: Sequence[int] = (), boxes: int = 0) -> SimSite:
    """A world with meters of these units and boxes of units 1 and up, all on one line."""
    base = one_row(max(boxes, 1))
    line = LineId("rs485-1")
    found = tuple(Meter(MeterId(f"m{unit}"), line, unit, SDM630, METER_FACTS) for unit in meters)
    feeders = tuple(replace(feeder, meter=None) for feeder in base.feeders)
    site = Site(
        base.id, base.name, base.timezone, 230.0, (Line(line, "rs485-1"),), found, feeders, base.chargers[:boxes]
    )
    return SimSite(site, PROFILES, QUIET, 1, now)


def bank(now: Callable[[], float], meters: Sequence[int] = (), boxes: Sequence[int] = ()) -> Bank:
    """A line with meters and Heidelberg boxes at these units."""
    sim = simulated(now, meters, len(boxes))
    devices: dict[int, SimDevice] = {device.meter.unit: device for device in sim.meters.values()}
    devices |= dict(zip(boxes, sim.chargers.values(), strict=True))
    made = sim.banks[sim.site.lines[0].id]
    return Bank(devices, made.settle, made.random)


def mixed_banks(now: Callable[[], float], settings: Sequence[Setting] = (PLAIN, FAST, FASTEST)) -> dict[Setting, Bank]:
    """The twelve devices, each group at its setting."""
    groups = [({"meters": (3, 7, 8, 9, 21)}), ({"meters": (10, 11, 12)}), ({"boxes": (1, 2, 4, 5)})]
    return {setting: bank(now, **group) for setting, group in zip(settings, groups, strict=True)}

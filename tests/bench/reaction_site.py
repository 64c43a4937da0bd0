"""The site of goal 7: sixteen chargers and their limit meter on one wire, everybody charging since before the start.

Meter and boxes are shipped profiles made as quick as the goal's own test has them: they answer after 2 ms, and the
meter shows what flows now. What is left is the wire's time and ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from siteward.model.batch import Batch
from siteward.model.events import ClockQuality
from siteward.model.ids import FeederId, SessionId
from siteward.model.recovered import LedgerEntry
from siteward.model.sessions import OrderState, SessionRecord
from siteward.model.site import Site
from siteward_drivers.catalogue import SHIPPED, Profiles, load_profiles
from siteward_drivers.quantities import Quantity
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.site import SimSite
from siteward_drivers.sim.world import World
from tests.bench.paced_slave import BITS, TURNAROUND_S, t35_s

BAUD = 19200
BOXES = 16
RATING_A = 600.0
FIRST_BASE_A = 170.0
WORST_BASE_A = 475.0
START_A = 22.0
OVER_A = 2.0
RISEN_S = 2.2
SETTLED_S = 5.0
"""After `begin` every car draws what its box allows. Other load comes later: a station that has read half of the boxes
takes the draw of the others for other load."""

GRID = FeederId("grid")
FIRST_UNIT = 11
LIMIT_REGISTER = 261
GLANCE_REGISTERS, LONGEST_REGISTERS = 8, 20
"""Registers of the meter's currents, and of the longest other read on this wire (both with what is read along)."""

_QUICK = {"gap_s = 0.02": "gap_s = 0.0", "rest_s = 0.1": "rest_s = 0.0", "turnaround_s = 0.02": "turnaround_s = 0.002"}
_METER = {**_QUICK, "refresh_s = 0.5": "refresh_s = 0.001", "window_s = 0.5": "window_s = 0.001"}
_BOX = {
    **_QUICK,
    "lag_s = 1.0": "lag_s = 0.1",
    "pwm_s = 1.0": "pwm_s = 0.1",
    "rated_a = 16.0": "rated_a = 32.0",
    "max_a = 16.0": "max_a = 32.0",
    "range = [6, 16]": "range = [6, 32]",
    "range = [0.0, 16.0]": "range = [0.0, 32.0]",
    'parity = "even"': 'parity = "none"',
    'parities = ["even"]': 'parities = ["none"]',
    "stop_bits_supported = [1]": "stop_bits_supported = [1, 2]",
}
_PROFILES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "meter/quick_meter": ("meter/eastron_sdm630", _METER),
    "charger/quick_box": ("charger/heidelberg_energy_control", _BOX),
}
_HEAD = """schema = 1
[site]
id = "R-1"
name = "reaction"
timezone = "UTC"
phase_voltage_v = 230
[[line]]
id = "bus"
port = "{port}"
baud = {baud}
stop_bits = 2
link = "thread"
[[meter]]
id = "main"
line = "bus"
unit = 1
profile = "quick_meter"
[[feeder]]
id = "grid"
rating_a = [{rating}, {rating}, {rating}]
meter = "main"
worst_base_load_a = [{worst}, {worst}, {worst}]
"""
_BOX_TEXT = """[[charger]]
id = "C{unit}"
line = "bus"
unit = {unit}
profile = "quick_box"
feeder = "grid"
max_a = 32
hardware_max_a = 32
failsafe_a = 6
[[charger.connector]]
id = "C{unit}-1"
type = "type2"
channel = 1
"""


@dataclass(frozen=True)
class Bound:
    """What the wire alone takes, as the goal computes it: request, silence, turnaround, answer, silence.

    Best: the load rises just before the meter takes its reading, at the end of its request. Worst: just after it, so
    that the rest of that answer, one more exchange and one more reading of the meter come before the writes. `answer_s`
    is the time from the end of a request to the answer. The goal's own 263 and 308 ms are those of ten registers.
    """

    glance: int = GLANCE_REGISTERS
    other: int = LONGEST_REGISTERS
    answer_s: float = field(default=t35_s(BAUD) + TURNAROUND_S)

    def read_s(self, registers: int) -> float:
        """A whole read."""
        return self._exchange_s(8 + 5 + 2 * registers)

    def _exchange_s(self, characters: int) -> float:
        return characters * BITS / BAUD + self.answer_s + t35_s(BAUD)

    @property
    def best_s(self) -> float:
        """Meter and writes, nothing else."""
        return self.read_s(self.glance) - 8 * BITS / BAUD + BOXES * self._exchange_s(16)

    @property
    def worst_s(self) -> float:
        """The meter takes every other slot."""
        return self.best_s + self.read_s(self.other) + self.read_s(self.glance) - 8 * BITS / BAUD


def quick_profiles(folder: Path) -> Profiles:
    """Write the two profiles into FOLDER/profiles and load them with the shipped ones."""
    for name, (origin, changes) in _PROFILES.items():
        text = (SHIPPED / f"{origin}.toml").read_text(encoding="utf-8")
        for old, new in changes.items():
            assert old in text, f"{origin} has no {old}"
            text = text.replace(old, new)
        path = folder / "profiles" / f"{name}.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return load_profiles(folder / "profiles")


def site_text(port: str) -> str:
    """site.toml with the wire at a port."""
    head = _HEAD.format(port=port, baud=BAUD, rating=RATING_A, worst=WORST_BASE_A)
    return head + "".join(_BOX_TEXT.format(unit=FIRST_UNIT + n) for n in range(BOXES))


def begin(sim: SimSite) -> None:
    """Every car charges at a limit that was set long ago, with the watchdog as siteward leaves it."""
    for point in sim.points.values():
        for quantity, value in (
            (Quantity.FAILSAFE_CURRENT, 6.0),
            (Quantity.WATCHDOG_TIMEOUT, 15.0),
            (Quantity.STANDBY_DISABLE, 4.0),
            (Quantity.CURRENT_LIMIT, START_A),
        ):
            point.write_scaled(quantity, value)
        sim.world.plug(point.connector.id, Car("car", 200_000.0, soc=0.1, max_a=32.0, react_s=0.5))


def open_sessions(site: Site) -> Batch:
    """What the journal of the site holds at that time."""
    began = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [
        SessionRecord(SessionId(f"S-{c.id}"), c.id, OrderState.CHARGING, began, "local", started_at=began)
        for c in site.connectors
    ]
    ledger = [LedgerEntry(c.id, START_A, None) for c in site.connectors]
    return Batch(clock=ClockQuality.NTP, sessions=tuple(rows), ledger=tuple(ledger))


def other_load(world: World) -> None:
    """The building wakes up; everything still fits."""
    world.set_base(GRID, (FIRST_BASE_A, FIRST_BASE_A, FIRST_BASE_A))


def rise(world: World) -> None:
    """Other load comes on until the fuse carries a little more than its rating, then goes again.

    It goes because nothing is raised for half a minute after a cut: so one rise can follow the other all the same.
    """
    node = world.nodes[GRID]
    base_a = node.base_a[0] + RATING_A - node.current_a[0] + OVER_A
    world.set_base(GRID, (base_a, base_a, base_a))
    world.at(world.now + RISEN_S, lambda: other_load(world))

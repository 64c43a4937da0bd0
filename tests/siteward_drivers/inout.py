"""A small site with relay boards and arms, on frames: what the tests of inputs and outputs share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from siteward.model.access import Barrier, Contact, DriveKind, Lock, Motion
from siteward.model.ids import BarrierId, LineId, LockId, RelayId
from siteward.model.points import Drive, PointName
from siteward.model.ports import Clock
from siteward.model.site import Line, RelayBoard, Site
from siteward_drivers.registry import SiteLines, build_lines, load_profiles
from siteward_drivers.sim.boards import SimBoard
from siteward_drivers.sim.memory_line import SimLink
from siteward_drivers.sim.site import SimSite

from .rig import OpenGate
from .sim.sites import one_row

PROFILES = load_profiles()
WIRE = LineId("io-1")


def board(name: str, profile: str, unit: int, pairs: tuple[int, ...] = ()) -> RelayBoard:
    """A board on the wire of inputs and outputs."""
    facts = PROFILES.relay(profile)
    assert facts is not None
    return RelayBoard(RelayId(name), WIRE, unit, profile, facts, pairs)


def contact(point: str, closed_is_yes: bool = True) -> Contact:
    """An input in a role."""
    return Contact(PointName(point), closed_is_yes)


def barrier(free: str = "ways.relay_1", block: str = "ways.relay_2", stop: str | None = "ways.relay_3") -> Barrier:
    """A barrier driven by one board and watched by the inputs of the guarded one."""
    motion = Motion(PointName(free), PointName(block), None if stop is None else PointName(stop), travel_s=6.0)
    return Barrier(
        BarrierId("gate"),
        "Gate",
        motion,
        loop=contact("guard.input_1", closed_is_yes=False),
        arm_closed=contact("guard.input_2"),
        arm_open=contact("guard.input_3"),
        fire=contact("guard.input_4"),
    )


def lock(kind: DriveKind = DriveKind.PULSE) -> Lock:
    """A parking lock on the guarded board."""
    motion = Motion(PointName("guard.relay_5"), PointName("guard.relay_6"), kind=kind, travel_s=5.0)
    return Lock(
        LockId("bay-1"),
        "Bay 1",
        motion,
        bay=contact("guard.input_5", closed_is_yes=False),
        arm_up=contact("guard.input_6"),
        arm_down=contact("guard.input_0"),
    )


def io_site(barriers: tuple[Barrier, ...] | None = None, locks: tuple[Lock, ...] | None = None) -> Site:
    """One row of chargers, and a second wire with both kinds of boards."""
    site = one_row()
    return replace(
        site,
        lines=(*site.lines, Line(WIRE, "/dev/io", 9600)),
        relays=(board("ways", "waveshare_relay_8ch", 1), board("guard", "wirenboard_wb_mr6c_v3", 37, (1,))),
        barriers=(barrier(),) if barriers is None else barriers,
        locks=(lock(),) if locks is None else locks,
    )


class DriveAsked:
    """A drive gate that allows all until told not to."""

    def __init__(self) -> None:
        self.open = True
        self.asked: list[Drive] = []

    def may_drive(self, drive: Drive, at: float) -> bool:
        """The set answer."""
        self.asked.append(drive)
        return self.open


@dataclass(slots=True)
class Plant:
    """Site, simulator and the lines of ours, running."""

    clock: Clock
    sim: SimSite
    lines: SiteLines
    gate: DriveAsked
    link: SimLink

    def board(self, name: str) -> SimBoard:
        """A simulated board."""
        return self.sim.boards[RelayId(name)]


@asynccontextmanager
async def plant(clock: Clock, site: Site | None = None) -> AsyncIterator[Plant]:
    """The running wire of a site with boards."""
    site = site or io_site()
    sim = SimSite.from_site(site, PROFILES, clock=clock)
    links = {line.id: SimLink(line, sim.banks[line.id]) for line in site.lines}
    gate = DriveAsked()
    lines = build_lines(site, PROFILES, clock, OpenGate(), lambda event: None, dict(links), gate)
    await lines.open()
    try:
        yield Plant(clock, sim, lines, gate, links[WIRE])
    finally:
        await lines.close()

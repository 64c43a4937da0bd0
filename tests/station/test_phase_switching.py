"""B14, R9: a whole station on frames moves a real charger's contactors by its registers, and the true fuse judges."""

from pathlib import Path

import pytest

from siteward.model.events import EventType
from siteward.model.ids import ConnectorId, FeederId
from siteward.model.requests import CommandName
from siteward.model.site import Site
from siteward.settings.load import load_site
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.faults import Closes
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.fixtures.station import PROFILES, VirtualStation

BOX, GRID = ConnectorId("box-1"), FeederId("grid")
FULL_A = 55.0
FILE = """
schema = 1
[site]
id = "depot"
name = "Depot"
timezone = "Europe/Berlin"
[[line]]
id = "chargers"
port = "/dev/ttyUSB0"
baud = 57600
stop_bits = 2
[[line]]
id = "meters"
port = "/dev/ttyUSB1"
[[meter]]
id = "grid-meter"
line = "meters"
unit = 1
profile = "eastron_sdm630"
[[feeder]]
id = "grid"
rating_a = [63, 63, 63]
meter = "grid-meter"
worst_base_load_a = [58, 58, 58]
[[charger]]
id = "box"
line = "chargers"
unit = 50
profile = "mennekes_amtron_compact_2_0s"
feeder = "grid"
hardware_max_a = 16
failsafe_a = 0
  [[charger.connector]]
  id = "box-1"
  type = "type2"
  phase_switching = true
"""


def site(folder: Path) -> Site:
    """One charger that can switch, behind a fuse that other load may fill."""
    file = folder / "site.toml"
    file.write_text(FILE, encoding="utf-8")
    return load_site(file, PROFILES)


async def charging(clock: VirtualClock, folder: Path, closes: Closes) -> VirtualStation:
    """A car charges on three phases, then other load takes two of them for 200 s."""
    station = VirtualStation(clock, folder, site=site(folder), frames=True)
    station.sim.chargers[station.site.chargers[0].id].faults.closes = closes
    await station.start(drivers=False)
    await station.run_for(30.0)
    station.sim.world.plug(BOX, Car("car", 80_000.0, 0.2, phases=3, max_a=16.0, react_s=2.0))
    await station.run_for(10.0)
    await station.ask(CommandName.START_CHARGE, BOX, phaseSwitching=True)
    await station.run_for(120.0)
    assert min(drawn(station)) > 6.0
    station.sim.world.set_base(GRID, (3.0, FULL_A, FULL_A))
    await station.run_for(230.0)
    return station


def drawn(station: VirtualStation) -> tuple[float, float, float]:
    """What the car truly draws on L1 to L3."""
    station.sim.settle()
    return station.sim.world.outlets[BOX].draw_a


def steps(station: VirtualStation) -> list[str]:
    """What the journal tells of switching."""
    facts = [f for batch in station.journal.batches for f in batch.facts if f.type is EventType.CONNECTOR_PHASES]
    return [str(f.data["step"]) for f in facts]


@pytest.mark.station
def test_a_paused_car_goes_on_one_phase_and_comes_back_to_three(tmp_path: Path) -> None:
    """B14: never under load, told step by step, the fuse carries it all the time."""

    async def story(clock: VirtualClock) -> None:
        station = await charging(clock, tmp_path, Closes.AS_ASKED)
        one = drawn(station)
        assert one[0] > 8.0
        assert one[1:] == (0.0, 0.0)
        assert steps(station) == ["pause", "dead", "switch", "verify", "verified"]
        station.sim.world.set_base(GRID, (3.0, 3.0, 3.0))
        await station.run_for(800.0)
        assert min(drawn(station)) > 8.0
        assert steps(station)[5:] == ["pause", "dead", "switch", "verify", "verified"]
        truth = station.sim.truth()
        assert station.sim.points[BOX].contactors.hot_moves == 0
        assert truth.trips == ()
        assert truth.longest_over_s <= 10.0
        await station.stop()

    run_virtual(story)


@pytest.mark.station
@pytest.mark.parametrize(("closes", "reason"), [(Closes.AS_BEFORE, "failed"), (Closes.SAYS_SO, "locked")])
def test_contactors_that_did_not_move_are_found_out(tmp_path: Path, closes: Closes, reason: str) -> None:
    """B14, R9: stuck is seen by the register, a lie by the currents within G; the car stays paused, the fuse holds."""

    async def story(clock: VirtualClock) -> None:
        station = await charging(clock, tmp_path, closes)
        await station.run_for(30.0)
        assert steps(station)[-1] == reason
        assert drawn(station) == (0.0, 0.0, 0.0)
        truth = station.sim.truth()
        assert truth.trips == ()
        assert truth.longest_over_s <= 10.0
        live = station.station.live
        assert live is not None
        assert ("PHASE_SWITCH_LOCKED" in {a.code for a in live.alarms}) is (closes is Closes.SAYS_SO)
        await station.stop()

    run_virtual(story)

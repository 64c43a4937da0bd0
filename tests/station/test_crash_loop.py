"""A controller that dies again and again must not hold chargers at their old limit by its polls (R2, R7, I4)."""

from pathlib import Path

import pytest

from siteward.control.proof import prove
from siteward.model.site import Site
from siteward.runtime.turn import TurnDone
from siteward.settings.load import load_site
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.fuses import TRIP_THETA
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.fixtures.station import PROFILES, VirtualStation

HEAD = """schema = 1
[site]
id = "LOOP-1"
name = "Loop"
timezone = "Asia/Shanghai"
phase_voltage_v = 230
[cloud]
url = "mqtt://127.0.0.1:18830"
[[line]]
id = "bus"
port = "bus"
baud = 19200
parity = "none"
simulated = true
[[meter]]
id = "grid-meter"
line = "bus"
unit = 1
profile = "eastron_sdm630"
[[feeder]]
id = "grid"
name = "Grid"
rating_a = [80, 80, 80]
meter = "grid-meter"
worst_base_load_a = [44, 44, 44]
"""
BOX = """[[charger]]
id = "R{n}"
line = "bus"
unit = 1{n}
profile = "heidelberg_energy_control"
feeder = "grid"
phases = ["L1", "L2", "L3"]
max_a = 16
hardware_max_a = 16
[[charger.connector]]
id = "R{n}-1"
type = "type2"
"""


def _tight_site(folder: Path) -> Site:
    """Four boxes that may all charge while other load is low, on a fuse that just passes its proof."""
    path = folder / "site.toml"
    path.write_text(HEAD + "".join(BOX.format(n=n) for n in range(1, 5)), encoding="utf-8")
    site = load_site(path, PROFILES)
    assert prove(site) == ()
    return site


class Boom(Exception):
    """The defect that kills the controller."""


def _dies(how: str, started_at: float):
    def look(done: TurnDone) -> None:
        at = done.snapshot.at - started_at
        if how == "first turn" or (how == "first reading" and done.snapshot.chargers) or (how == "late" and at > 8.0):
            raise Boom(how)

    return look


async def _calm_until_it_dies(station: VirtualStation) -> float:
    """Seconds in which every car drew no more than the fail-safe current."""
    calm_s = 0.0
    while True:
        try:
            await station.run_for(0.25)
        except Boom:
            return calm_s
        calm_s += 0.25 * all(max(c.draw_a) <= 6.0 for c in station.sim.truth().connectors)


@pytest.mark.parametrize("frames", [False, True])
@pytest.mark.parametrize("how", ["first turn", "first reading", "late"])
def test_i4_r7_a_crash_loop_trips_nothing_and_ends_at_the_failsafe(tmp_path, how, frames):
    async def story(clock: VirtualClock) -> None:
        station = VirtualStation(clock, tmp_path, site=_tight_site(tmp_path), frames=frames)
        for connector in station.site.connectors:
            station.sim.world.plug(connector.id, Car("car", 80_000.0, soc=0.2, max_a=16.0, react_s=2.0))
        await station.start()
        await station.run_for(240)
        assert all(max(c.draw_a) > 15.0 for c in station.sim.truth().connectors)
        await station.kill()
        station.sim.base_step("grid", 44.0)
        loop_began, silent, calm_s = clock.now(), 0, 0.0
        while clock.now() < loop_began + 600:
            before = clock.now()
            station = VirtualStation(
                clock, tmp_path, site=station.site, frames=frames, journal=station.journal, sim=station.sim
            )
            station.watchers.append(_dies(how, before))
            await station.start(drivers=False)
            calm_s += await _calm_until_it_dies(station)
            silent += clock.now() - before > 20.0
            await clock.sleep(1.0)
        truth = station.sim.truth()
        assert silent > 5, "the loop is noticed"
        assert truth.worst_theta < TRIP_THETA, truth.worst_theta
        assert calm_s > 400.0

    run_virtual(story)

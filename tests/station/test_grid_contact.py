"""B15, R15, S-20: a whole station follows a contact of the grid operator, and its fail-safe when that is lost."""

from pathlib import Path

import pytest

from siteward.model.ids import FeederId
from siteward.model.points import PointName
from siteward.model.site import Site
from siteward.settings.load import load_site
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.fixtures.station import PROFILES, ROOT, VirtualStation

CONTACT = PointName("dso-board.input_1")
TABLES = """
[[relay]]
id = "dso-board"
line = "rs485-1"
unit = 60
profile = "waveshare_relay_d_8ch"

[[limit]]
id = "dso"
feeder = "grid"
failsafe_a = [60, 60, 60]
  [[limit.input]]
  point = "dso-board.input_1"
  limit_a = [80, 80, 80]
"""


def site(folder: Path) -> Site:
    """The demo with a board whose first input is the grid operator's."""
    file = folder / "site.toml"
    text = (ROOT / "config" / "demo" / "site.toml").read_text(encoding="utf-8")
    file.write_text(text + TABLES, encoding="utf-8")
    return load_site(file, PROFILES)


def grid_a(station: VirtualStation) -> float:
    """What may truly flow at the grid connection by the set points of the chargers, other load included."""
    live = station.station.live
    assert live is not None
    feeder = next(f for f in live.feeders if f.id == FeederId("grid"))
    return max(r + b for r, b in zip(feeder.reserved_a, feeder.base_a, strict=True))


def alarms(station: VirtualStation) -> set[str]:
    """Codes that stand."""
    live = station.station.live
    assert live is not None
    return {alarm.code for alarm in live.alarms}


@pytest.mark.station
def test_a_lost_contact_is_a_fail_safe_limit_for_as_long_as_it_is_lost(tmp_path: Path) -> None:
    """R15, fault 80: 80 A while the contact is closed, 60 A while the board is silent; nothing of it ends by itself."""

    async def story(clock: VirtualClock) -> None:
        station = VirtualStation(clock, tmp_path, site=site(tmp_path), frames=True)
        for connector in station.site.connectors:
            station.sim.world.plug(connector.id, Car("car", 80_000.0, 0.2, 32.0, 3, react_s=2.0))
        await station.start()
        await station.run_for(150.0)
        assert grid_a(station) > 85.0

        station.sim.wiring.closed.add(CONTACT)
        await station.run_for(8.0)
        assert grid_a(station) <= 80.0
        live = station.station.live
        assert live is not None
        held = [c.grant.chain for c in live.connectors if c.grant.chain[-1].limit == "dso"]
        assert held
        assert {chain[-1].cause.value for chain in held} == {"grid"}

        station.sim.boards["dso-board"].faults.mute = True
        await station.run_for(20.0)
        assert grid_a(station) <= 60.0
        assert {"LIMIT_INPUT_LOST", "IO_UNREACHABLE"} <= alarms(station)
        await station.run_for(120.0)
        assert grid_a(station) <= 60.0

        station.sim.wiring.closed.clear()
        station.sim.boards["dso-board"].faults.mute = False
        await station.run_for(120.0)
        assert grid_a(station) > 80.0
        assert "LIMIT_INPUT_LOST" not in alarms(station)
        await station.stop()

    run_virtual(story)

"""R20, B13: DC chargers on frames under the real controller, limited in W on either side of their rectifier."""

from pathlib import Path

import pytest

from siteward.model.ids import ChargerId, ConnectorId, FeederId, LineId, MeterId, SiteId
from siteward.model.requests import CommandName
from siteward.model.site import Charger, Connector, Feeder, Line, Meter, Priority, Site
from siteward.model.units import Phase
from siteward.runtime.turn import TurnDone
from siteward_drivers.catalogue import Profiles
from siteward_drivers.quantities import Quantity
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.fixtures.rectifier import NAME, with_rectifier
from tests.fixtures.station import VirtualStation

GRID = FeederId("grid")
DC, AC = ConnectorId("dc-1"), ConnectorId("ac-1")


def _connector(profiles: Profiles, profile: str, name: ConnectorId, most_a: float) -> Connector:
    facts = profiles.charger(profile)
    assert facts is not None
    wiring = (Phase.L1, Phase.L2, Phase.L3)
    charger = ChargerId(profile)
    return Connector(name, charger, GRID, "ccs2", 1, wiring, most_a, most_a, 6.0, Priority.NORMAL, None, facts)


def _site(profiles: Profiles, rectifier: str) -> Site:
    """One DC charger of 120 A and one AC box behind a fuse of 160 A with little else."""
    meter = profiles.meter("eastron_sdm630")
    assert meter is not None
    lines = [Line(LineId("meter"), "/dev/meter")]
    chargers = []
    for profile, name, most_a in ((rectifier, DC, 120.0), ("keba_p30", AC, 32.0)):
        port = f"tcp://{name}:502"
        lines.append(Line(LineId(profile), port))
        outlet = _connector(profiles, profile, name, most_a)
        unit = profiles[profile].file.wire.unit
        chargers.append(Charger(ChargerId(profile), LineId(profile), unit, profile, (outlet,)))
    grid = Feeder(GRID, "Grid", None, (160.0,) * 3, MeterId("grid"), (12.0,) * 3, neutral_a=80.0, neutral_base_a=12.0)
    meters = (Meter(MeterId("grid"), LineId("meter"), 1, "eastron_sdm630", meter),)
    return Site(SiteId("dc"), "DC", "UTC", 230.0, tuple(lines), meters, (grid,), tuple(chargers))


@pytest.mark.station
@pytest.mark.parametrize(("rectifier", "short_a"), [("alpitronic_hyc", 23.5), (NAME, 29.0)])
def test_a_dc_charger_fills_the_fuse_obeys_limits_in_kw_and_is_paused_last(
    tmp_path: Path, rectifier: str, short_a: float
) -> None:
    """R20: what truly flows stays within its booking; a legal 20 kW are never more; its session outlives a shortage."""
    profiles = with_rectifier(tmp_path / "profiles")
    power = profiles[rectifier].charger.power
    seen: list[TurnDone] = []

    async def story(clock: VirtualClock) -> None:
        site = _site(profiles, rectifier)
        station = VirtualStation(clock, tmp_path, site=site, frames=True, profiles=profiles)
        station.watchers.append(seen.append)
        world = station.sim.world
        world.set_base(GRID, (10.0, 10.0, 10.0))
        await station.start()
        await station.run_for(30)
        world.plug(DC, Car("lorry", capacity_wh=400_000.0, max_a=200.0))
        world.plug(AC, Car("car", max_a=32.0))
        await station.run_for(240)
        drawn = world.outlets[DC].draw_a[0]
        grant = seen[-1].decision.grants[DC]
        assert 80.0 < drawn <= grant.reserved_a + 0.01
        assert grant.confirmed_a == grant.limit_a
        assert station.station.live is not None
        view = next(c for c in station.station.live.connectors if c.id == DC)
        assert view.limit_w == pytest.approx(power.watts(grant.limit_a, 230.0), abs=1.0)
        await station.ask(CommandName.LIMIT_POWER, DC, limit_w=20_000)
        await station.run_for(30)
        told = station.sim.chargers[ChargerId(rectifier)].points[1].scaled(Quantity.CURRENT_LIMIT)
        assert told / power.eta_min + power.aux_w <= 20_000
        assert told > 17_000
        await station.ask(CommandName.LIMIT_POWER, "station", limit_a=short_a)
        await station.run_for(120)
        assert world.outlets[AC].draw_a == (0.0, 0.0, 0.0)
        assert world.outlets[DC].draw_a[0] * 230 * 3 >= power.min_w
        truth = station.sim.truth()
        await station.stop()
        assert truth.trips == ()
        assert truth.longest_over_s <= 10.0

    run_virtual(story)

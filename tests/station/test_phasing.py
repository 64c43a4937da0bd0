"""The step test over the whole station, wired wrongly on purpose: faults 33 and 34, judged by what was truly wired."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from siteward.api.admit import to_request
from siteward.api.answers import reply_message
from siteward.api.present import plain
from siteward.cli.phasing_judge import Outcome
from siteward.cli.phasing_path import Report, Untested
from siteward.cli.phasing_run import VALID_S, StepTest, read_plan
from siteward.client.messages import LiveMessage, ReplyMessage, RequestMessage
from siteward.model.ids import ConnectorId, FeederId
from siteward.model.requests import CommandName, Source
from siteward.model.site import Site
from siteward.model.units import Phase
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.site import SimSite
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.fixtures.station import PROFILES, VirtualStation, demo_site

BOX = "B01-1"
L1, L2, L3 = Phase
Change = Callable[[VirtualStation], None]


class Socket:
    """What the client of the local API does, without the socket: the same messages, the same door."""

    def __init__(self, station: VirtualStation) -> None:
        self._station = station
        self.asked: list[RequestMessage] = []

    async def live(self) -> LiveMessage:
        live = self._station.station.live
        assert live is not None
        return LiveMessage.model_validate(live)

    async def submit(self, request: RequestMessage) -> ReplyMessage:
        self.asked.append(request)
        site, clock = self._station.site, self._station.clock
        return reply_message(await self._station.station.inbox.submit(to_request(request, Source.CLI, site.id, clock), b"{}"))


def wired(site: Site, name: str, **changes: object) -> Site:
    """The site as it truly is: a connector on other phases, or under another feeder, than the file says."""
    chargers = []
    for charger in site.chargers:
        connectors = tuple(replace(c, **changes) if c.id == name else c for c in charger.connectors)  # type: ignore[arg-type]
        chargers.append(replace(charger, connectors=connectors))
    return replace(site, chargers=tuple(chargers))


async def station_with(clock: VirtualClock, folder: Path, truth: Site, phases: int, others: int = 0) -> VirtualStation:
    """A station by the demo's file over a plant as in `truth`; a car of so many phases charges at the box."""
    sim = SimSite.from_site(truth, PROFILES, clock=clock)
    station = VirtualStation(clock, folder, sim=sim)
    names = [c.id for c in truth.connectors if c.id != BOX][:others]
    sim.world.plug(ConnectorId(BOX), Car("load", capacity_wh=90_000.0, soc=0.1, max_a=16.0, phases=phases))
    for name in names:
        sim.world.plug(name, Car("car", capacity_wh=90_000.0, soc=0.1, max_a=16.0, phases=3))
    sim.base_step("grid", 12.0)
    await station.start()
    await station.run_for(150)
    return station


async def run_test(station: VirtualStation) -> Report:
    """The step test at the box."""
    plan = read_plan(plain(station.site))  # type: ignore[arg-type]
    place = next(p for p in plan.places if p.connector == BOX)
    return await StepTest(Socket(station), plan, place, lambda _: None).run()


def outcomes(report: Report) -> dict[str, Outcome]:
    return {row.feeder: row.verdict.outcome for row in report.rows}


def story(folder: Path, truth: Site, change: Change, phases: int = 1, others: int = 0) -> Report:
    """Run one wrongly wired station through the test."""

    async def run(clock: VirtualClock) -> Report:
        station = await station_with(clock, folder, truth, phases, others)
        change(station)
        await station.run_for(60)
        report = await run_test(station)
        await station.run_for(10)
        live = station.station.live
        assert live is not None
        assert [limit for limit in live.limits if limit.source == "cli"] == [], "every limit is released"
        assert station.sim.truth().trips == ()
        await station.stop()
        return report

    return run_virtual(run)


def untouched(_: VirtualStation) -> None:
    """Nothing is wrong."""


@pytest.mark.parametrize(("phases", "shown"), [(1, 1), (3, 0)])
def test_a_station_wired_as_its_file_says_fits(tmp_path: Path, phases: int, shown: int) -> None:
    """Faults 33 and 34: no false alarm; a load on all three phases alike says nothing about their order."""
    report = story(tmp_path, demo_site(), untouched, phases, others=4)
    assert outcomes(report) == {"row-b": Outcome.FITS, "grid": Outcome.FITS}
    assert [row.verdict.shown for row in report.rows] == [shown] * 2
    assert report.put is None

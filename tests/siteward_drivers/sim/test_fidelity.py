"""Frames and ports tell the same: the real driver over paced simulated wires against the ports without frames."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from time import perf_counter

import pytest

from siteward.model.errors import DeviceUnreachable
from siteward.model.ids import ConnectorId
from siteward.model.readings import ChargerReading
from siteward.model.wire import Write, WriteKind
from siteward_drivers.registry import build_lines, load_profiles
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.faults import Shows
from siteward_drivers.sim.memory_line import SimLink, sim_links
from siteward_drivers.sim.port_site import PortLines
from siteward_drivers.sim.scenario import BUSY, QUIET, Scenario
from siteward_drivers.sim.site import SimSite
from siteward_drivers.sim.virtual import VirtualClock, run_virtual

from .sites import demo_site
from .test_port_site import Gate

PROFILES = load_profiles()
LIMITS = {"a1": 10.07, "a2": 0.0, "b1": 16.0, "c1": 12.9, "c2": 0.0}


class Rig:
    """One simulated site, spoken to with and without frames."""

    def __init__(self, clock: VirtualClock, scenario: Scenario = QUIET) -> None:
        self.clock = clock
        self.sim = SimSite.from_site(demo_site(), PROFILES, scenario, 5, clock)
        self.links = sim_links(self.sim)
        self.frames = build_lines(self.sim.site, PROFILES, clock, Gate(), lambda _: None, links=self.links)
        self.ports = PortLines(self.sim, clock, Gate(), lambda _: None)


def both(body: Callable[[Rig], Awaitable[None]], scenario: Scenario = QUIET) -> None:
    async def main(clock: VirtualClock) -> None:
        rig = Rig(clock, scenario)
        await rig.frames.open()
        await clock.sleep(0.1)
        await body(rig)
        await rig.frames.close()

    run_virtual(main)


def still(reading: ChargerReading) -> ChargerReading:
    """A reading without what moves between two polls: its instant, energy, and the noise of voltage."""
    return replace(reading, sent_at=0.0, voltage_v=None, power_w=None, energy_wh=None, energy_vah=None)


def test_the_driver_over_frames_reads_what_the_ports_show() -> None:
    async def body(rig: Rig) -> None:
        for name in LIMITS:
            rig.sim.world.plug(ConnectorId(name), Car(name, max_a=32.0, react_s=1.0))
        deadline = rig.clock.now() + 60
        for charger in rig.frames.chargers:
            if charger.id in LIMITS:
                await charger.write(Write(charger.id, WriteKind.FAILSAFE, 6.0, False, 1, deadline))
                await charger.write(Write(charger.id, WriteKind.LIMIT, LIMITS[charger.id], True, 1, deadline))
        for framed, port in zip(rig.frames.chargers, rig.ports.chargers, strict=True):
            for _ in range(6):
                # Slow registers come one block a poll.
                seen = await framed.read()
            shown = await port.read()
            assert still(seen) == still(shown)
            assert (seen.energy_wh or 0) == pytest.approx(shown.energy_wh or 0, abs=20)
            assert (seen.energy_vah or 0) == pytest.approx(shown.energy_vah or 0, abs=200)
        for meter, port_meter in zip(rig.frames.meters, rig.ports.meters, strict=True):
            metered, expected = await meter.read(), await port_meter.read()
            assert metered.current_a == pytest.approx(expected.current_a, abs=0.5)
            assert metered.energy_wh == pytest.approx(expected.energy_wh, abs=20)
            assert metered.rejected == expected.rejected

    both(body)


@pytest.mark.parametrize("shows", [Shows.NAN, Shows.ONES, Shows.ZERO])
def test_a_lying_meter_is_unmasked_alike(shows: Shows) -> None:
    async def body(rig: Rig) -> None:
        rig.sim.meter("grid-meter").faults.shows = shows
        framed, port = await rig.frames.meters[0].read(), await rig.ports.meters[0].read()
        assert framed.current_a == port.current_a
        assert framed.energy_wh == port.energy_wh
        assert {"current_l1"} & set(framed.rejected) == {"current_l1"} & set(port.rejected)

    both(body)


def test_a_cut_line_and_a_pulled_adapter_are_unreachable_and_come_back_over_frames() -> None:
    async def body(rig: Rig) -> None:
        meter = rig.frames.meters[0]
        rig.sim.bank("rs485-1").faults.cut = True
        with pytest.raises(DeviceUnreachable):
            await meter.read()
        rig.sim.bank("rs485-1").faults.clear()
        await rig.clock.sleep(60)
        assert (await meter.read()).current_a is not None
        link = rig.links[rig.sim.site.lines[0].id]
        assert isinstance(link, SimLink)
        link.plug(False)
        with pytest.raises(DeviceUnreachable):
            await meter.read()
        link.plug(True)
        await rig.clock.sleep(60)
        assert (await meter.read()).current_a is not None

    both(body)


def test_no_wrong_value_ever_comes_through_noise() -> None:
    """Fault 1: a read fails or is true."""

    async def body(rig: Rig) -> None:
        rig.sim.bank("rs485-1").faults.noise = 0.01
        good = bad = 0
        for _ in range(400):
            try:
                reading = await rig.frames.meters[0].read()
            except DeviceUnreachable:
                bad += 1
                await rig.clock.sleep(1)
                continue
            good += 1
            assert reading.current_a == (0.0, 0.0, 0.0)
            assert reading.voltage_v is not None
            assert all(220.0 < v < 240.0 for v in reading.voltage_v)
        assert good > 50
        assert bad > 10

    both(body)


@pytest.mark.parametrize("fault", [{"short_by": 3}, {"foreign": True}, {"late_s": 1.5}])
def test_a_short_foreign_or_late_answer_is_never_taken_for_a_value(fault: dict[str, float]) -> None:
    """Faults 10, 11 and 13: also none of the true answers afterwards is mixed up with them."""

    async def body(rig: Rig) -> None:
        faults = rig.sim.bank("rs485-1").faults
        for name, value in fault.items():
            setattr(faults, name, value)
        for charger in rig.frames.chargers[:2]:
            with pytest.raises(DeviceUnreachable):
                await charger.read()
        faults.clear()
        await rig.clock.sleep(30)
        for charger, amps in zip(rig.frames.chargers[:2], (8.0, 9.0), strict=True):
            rig.sim.charger(charger.id).write(261, (round(amps * 10),), 6)
            assert (await charger.read()).set_point_a == amps

    both(body)


def test_masters_of_ours_never_start_a_frame_inside_the_silence_and_frames_run_faster_than_life() -> None:
    async def body(rig: Rig) -> None:
        async def poll(read: Callable[[], Awaitable[object]], times: int) -> None:
            for _ in range(times):
                await read()
                await rig.clock.sleep(2.0)

        began, real = rig.clock.now(), perf_counter()
        async with asyncio.TaskGroup() as group:
            for device in (*rig.frames.meters, *rig.frames.chargers):
                group.create_task(poll(device.read, 60))
        speed = (rig.clock.now() - began) / (perf_counter() - real)
        for line in ("rs485-1", "rs485-2"):
            count = rig.sim.bank(line).count
            assert count.early == 0
            assert count.garbled == 0
            assert count.answers > 300
        assert speed > 10

    both(body, BUSY)

"""DL/T 645 meters as the port of the model: values, refusals, time-outs, and what they cost the wire."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from siteward.model.errors import DeviceUnreachable
from siteward_drivers import dlt645
from siteward_drivers.link import Link
from siteward_drivers.link_memory import MemoryLink
from siteward_drivers.plan import plan_lines
from siteward_drivers.quantities import Quantity
from siteward_drivers.registry import build_lines
from siteward_drivers.sim.data_slave import DataFramer, data_frame
from siteward_drivers.sim.faults import Shows
from siteward_drivers.sim.port_site import PortLines
from siteward_drivers.sim.virtual import VirtualClock, run_virtual

from .mixed import ADDRESSES, SLOW, WIRE, mixed_site, poll, running
from .plant import PROFILES, charger
from .rig import OpenGate

FRAMES = {
    bytes.fromhex(request): bytes.fromhex(reply)
    for request, reply in json.loads(
        (Path(__file__).parents[1] / "fixtures" / "dlt645_peer_frames.json").read_text()
    ).items()
}


def test_a_slow_meter_within_the_standard_is_waited_for() -> None:
    """S-34: an answer may begin 20 to 500 ms after the request, and the time-out is 1500 ms."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock) as rig:
            for latency_s in (0.0, 0.44, 1.3):
                rig.sim.device("m3").faults.latency_s = latency_s
                assert (await rig.meter("m3").read()).voltage_v is not None
            rig.sim.device("m3").faults.silent = True
            began = clock.now()
            with pytest.raises(DeviceUnreachable, match="no answer"):
                await rig.meter("m3").read()
            assert 1.5 < clock.now() - began < 2.0

    run_virtual(main)


def test_a_meter_that_was_always_quick_may_still_take_half_a_second() -> None:
    """S-34: the standard allows 500 ms to begin; the learned time-out never falls below that."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock) as rig:
            await poll(rig.lines, "m3", 0.1, clock.now() + 60.0)
            rig.sim.device("m3").faults.latency_s = 0.44
            assert (await rig.meter("m3").read()).rejected == ()
            assert rig.lines.views()[0].slaves[2].timeouts == 0

    run_virtual(main)


def test_a_site_without_frames_tells_the_same() -> None:
    """S-34: the ports of the simulator, which spare the frames, round and reject as the driver does."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock) as rig:
            ports = PortLines(rig.sim, clock, OpenGate(), lambda _: None)
            await rig.meter("m3").read()
            framed = await rig.meter("m3").read()
            spared = await next(m for m in ports.meters if m.id == "m3").read()
            assert (spared.current_a, spared.serial) == (framed.current_a, framed.serial)
            assert spared.energy_wh == pytest.approx(framed.energy_wh, abs=20)
            assert spared.rejected == framed.rejected == ()

    run_virtual(main)


def test_a_reading_tells_all_that_the_simulated_meter_shows() -> None:
    """Conformance of the profile: driver and simulated device are made of the same file (S-34)."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock) as rig:
            shown = rig.sim.meter("m4").values()
            await rig.meter("m4").read()
            reading = await rig.meter("m4").read()
            assert reading.rejected == ()
            assert reading.current_a == (13.0, 13.0, 13.0)
            assert reading.voltage_v == pytest.approx([shown[q] for q in _VOLTAGES], abs=10)
            assert reading.power_w == pytest.approx(3 * 13 * 230, rel=0.02)
            assert reading.frequency_hz == pytest.approx(50.0, abs=0.1)
            assert reading.energy_wh == pytest.approx(shown[Quantity.ENERGY_IMPORT_TOTAL], abs=50)
            assert reading.serial == shown[Quantity.SERIAL_NUMBER]

    run_virtual(main)


_VOLTAGES = (Quantity.VOLTAGE_L1, Quantity.VOLTAGE_L2, Quantity.VOLTAGE_L3)


def test_digits_that_are_none_are_rejected_and_nothing_else_is_lost() -> None:
    """Fault 82: BCD junk."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock) as rig:
            rig.sim.device("m3").faults.shows = Shows.ONES
            reading = await rig.meter("m3").read()
            assert (reading.current_a, reading.power_w, reading.energy_wh) == (None, None, None)
            assert {"current_l1", "voltage_l3", "energy_import_total"} <= set(reading.rejected)
            assert (await rig.meter("m4").read()).rejected == ()

    run_virtual(main)


class Recorded:
    """The far end of a wire that answers as another implementation did: its recorded frames, by request."""

    def __init__(self, end: Link) -> None:
        self.end = end
        self.heard: list[bytes] = []

    async def serve(self) -> None:
        await self.end.open()
        while True:
            request = await self.end.read(asyncio.get_running_loop().time() + 3600)
            self.heard.append(request)
            reply = FRAMES.get(request)
            if reply is not None:
                await asyncio.sleep(0.05)
                self.end.write(reply)


def test_frames_of_another_implementation_are_read_right_and_its_refused_blocks_asked_one_by_one() -> None:
    """S-34: answers recorded from the PyPI package dlt645 3.2.0, which knows no blocks of variables."""

    async def main(clock: VirtualClock) -> None:
        ours, theirs = MemoryLink.pair()
        site = mixed_site(names=("m3",))
        lines = build_lines(site, PROFILES, clock, OpenGate(), lambda _: None, {WIRE: ours})
        far = Recorded(theirs)
        server = asyncio.create_task(far.serve())
        await lines.open()
        await clock.sleep(0.1)
        await lines.meters[0].read()
        reading = await lines.meters[0].read()
        assert reading.current_a == (-12.345, 0.0, 100.5)
        assert reading.voltage_v == (229.8, 230.1, 231.0)
        assert (reading.power_w, reading.frequency_hz) == (-7123.4, 49.98)
        assert (reading.energy_wh, reading.serial) == (12345670, "000123456789")
        assert far.heard.count(dlt645.encode(dlt645.read(ADDRESSES["m3"], "0201FF00"))) == 1
        assert ours.tuned == SLOW
        await lines.close()
        server.cancel()
        await asyncio.wait([server])

    run_virtual(main)


def test_the_simulated_meter_makes_frames_byte_for_byte() -> None:
    """S-34: the simulator's own framing holds against the standard's frames and breaks off at a wrong checksum."""
    address = bytes.fromhex(ADDRESSES["m3"])[::-1]
    frame = data_frame(address, 0x91, bytes.fromhex("00 01 01 02 98 22"))
    assert frame == bytes.fromhex("68 12 90 78 56 34 12 68 91 06 33 34 34 35 CB 55 0D 16")
    framer = DataFramer()
    request = dlt645.encode(dlt645.read(ADDRESSES["m3"], "02010100"))
    assert framer.feed(request[:9]) == ([], 0)
    requests, broken = framer.feed(request[9:])
    assert (len(requests), broken, requests[0].control) == (1, 0, 0x11)
    assert framer.feed(request[:-2] + b"\x00\x16") == ([], 1)


def test_the_worst_reaction_counts_a_meter_that_lets_the_line_wait() -> None:
    """Goal 4: a cut may come behind a meter at 2400 baud that does not answer any more, 1500 ms and its request."""
    site = replace(mixed_site(names=("m1", "m3")), chargers=(charger("box", WIRE, 11, "heidelberg_energy_control"),))
    alone = replace(site, meters=site.meters[:1], feeders=site.feeders[:2])
    slow, quick = (plan_lines(s, PROFILES)[0].worst_reaction_s for s in (site, alone))
    assert slow - quick > 1.0
    assert plan_lines(site, PROFILES)[0].worst_reaction_s > 1.5


def test_the_poll_plan_counts_each_device_at_its_own_settings() -> None:
    """Goal 4: a meter at 2400 baud takes the wire for four times as long."""
    plan = plan_lines(mixed_site(), PROFILES)[0]
    planned = {d.device: d for d in plan.devices}
    assert planned["m3"].address == ADDRESSES["m3"]
    assert planned["m3"].requests == 4
    assert 0.9 < planned["m3"].wire_s < 1.6
    assert planned["m3"].wire_s > 4 * planned["m1"].wire_s
    assert plan.load == pytest.approx(sum(d.load for d in plan.devices))
    assert plan.too_full
    assert not plan_lines(mixed_site(names=("m1", "m3")), PROFILES)[0].too_full

"""DL/T 645 meters on a line that Modbus devices share: settings change between exchanges and nobody is disturbed."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from siteward.model.errors import DeviceUnreachable
from siteward.model.ids import FeederId, LineId, MeterId, SiteId
from siteward.model.serial import Parity, SerialSettings
from siteward.model.site import Feeder, Line, Meter, Site
from siteward_drivers import dlt645
from siteward_drivers.dlt645_meter import Dlt645Meter
from siteward_drivers.link import Link
from siteward_drivers.link_memory import MemoryLink
from siteward_drivers.plan import plan_lines
from siteward_drivers.quantities import Quantity
from siteward_drivers.registry import SiteLines, build_lines
from siteward_drivers.sim.data_slave import DataFramer, data_frame
from siteward_drivers.sim.faults import Shows
from siteward_drivers.sim.memory_line import SimLink, sim_links
from siteward_drivers.sim.port_site import PortLines
from siteward_drivers.sim.pty_line import PtyLine
from siteward_drivers.sim.site import SimSite
from siteward_drivers.sim.virtual import VirtualClock, run_virtual

from .plant import PROFILES, charger
from .rig import OpenGate
from .wiring import joined_ptys

WIRE = LineId("wire")
SLOW = SerialSettings(2400, Parity.EVEN, 1)
FAST = SerialSettings(9600, Parity.NONE, 1)
ADDRESSES = {"m3": "123456789012", "m4": "000000000645"}
FRAMES = {
    bytes.fromhex(request): bytes.fromhex(reply)
    for request, reply in json.loads(
        (Path(__file__).parents[1] / "fixtures" / "dlt645_peer_frames.json").read_text()
    ).items()
}


def mixed_site(
    port: str = "/dev/wire", simulated: bool = True, names: tuple[str, ...] = ("m1", "m2", "m3", "m4")
) -> Site:
    """Two Modbus meters (m1, m2) and two of DL/T 645 (m3, m4) on one wire, each around a row of its own."""
    modbus, data = PROFILES.meter("eastron_sdm630"), PROFILES.meter("dlt645_2007")
    assert modbus is not None
    assert data is not None
    meters = {
        "m1": Meter(MeterId("m1"), WIRE, 1, "eastron_sdm630", modbus),
        "m2": Meter(MeterId("m2"), WIRE, 2, "eastron_sdm630", modbus),
        "m3": Meter(MeterId("m3"), WIRE, 0, "dlt645_2007", data, ADDRESSES["m3"], SLOW),
        "m4": Meter(MeterId("m4"), WIRE, 0, "dlt645_2007", data, ADDRESSES["m4"], SLOW),
    }
    grid = Feeder(FeederId("grid"), "grid", None, (250, 250, 250), None, (80, 80, 80))
    rows = [Feeder(FeederId(f"row-{n}"), n, grid.id, (99, 99, 99), MeterId(n), (80, 80, 80)) for n in names]
    line = Line(WIRE, port, FAST.baud, FAST.parity, FAST.stop_bits, simulated)
    return Site(SiteId("S"), "S", "UTC", 230, (line,), tuple(meters[n] for n in names), (grid, *rows), ())


class Rig:
    """The mixed line, simulated, with the real driver on it."""

    def __init__(self, clock: VirtualClock, site: Site | None = None) -> None:
        self.clock = clock
        self.sim = SimSite.from_site(site or mixed_site(), PROFILES, clock=clock)
        self.bank = self.sim.bank(WIRE)
        for n, meter in enumerate(self.sim.meters.values()):
            self.sim.base_step(f"row-{meter.name}", 10.0 + n)
        links = sim_links(self.sim)
        self.link = links[WIRE]
        self.lines = build_lines(self.sim.site, PROFILES, clock, OpenGate(), lambda _: None, links)

    def meter(self, name: str) -> Dlt645Meter:
        found = next(m for m in self.lines.meters if m.id == name)
        assert isinstance(found, Dlt645Meter)
        return found


@asynccontextmanager
async def running(clock: VirtualClock, site: Site | None = None) -> AsyncIterator[Rig]:
    rig = Rig(clock, site)
    await rig.lines.open()
    await clock.sleep(2.0)
    try:
        yield rig
    finally:
        await rig.lines.close()


async def poll(lines: SiteLines, name: str, every_s: float, stop_at: float) -> tuple[set[tuple[float, ...]], int]:
    """Read a meter again and again: the currents that it told, and how often it did not answer."""
    loop = asyncio.get_running_loop()
    meter = next(m for m in lines.meters if m.id == name)
    told: set[tuple[float, ...]] = set()
    missed = 0
    while loop.time() < stop_at:
        try:
            reading = await meter.read()
        except DeviceUnreachable:
            missed += 1
        else:
            assert reading.current_a is not None
            told.add(tuple(round(a, 2) for a in reading.current_a))
        await asyncio.sleep(every_s)
    return told, missed


async def poll_all(
    lines: SiteLines, seconds: float, every_s: float = 1.0
) -> dict[str, tuple[set[tuple[float, ...]], int]]:
    stop_at = asyncio.get_running_loop().time() + seconds
    names = [str(m.id) for m in lines.meters]
    return dict(zip(names, await asyncio.gather(*(poll(lines, n, every_s, stop_at) for n in names)), strict=True))


TRUTH = {f"m{n + 1}": ({(10.0 + n,) * 3}, 0) for n in range(4)}


def test_two_protocols_share_a_wire_and_no_slave_hears_an_early_or_garbled_frame() -> None:
    """S-34, law 7: 9600 8N1 and 2400 8E1 in turn, judged by what the slaves counted themselves."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock) as rig:
            assert await poll_all(rig.lines, 60.0) == TRUTH
            count = rig.bank.count
            assert (count.early, count.garbled) == (0, 0)
            assert count.answers == count.requests > 250
            assert all(s.garbled == s.timeouts == 0 for s in rig.lines.views()[0].slaves)

    run_virtual(main)


def test_a_meter_that_answers_too_late_disturbs_nobody() -> None:
    """Faults 11, 12, 19 and 82: bytes under other settings are noise, never a value; the others go on."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock) as rig:
            rig.sim.device("m3").faults.latency_s = 1.9
            found = await poll_all(rig.lines, 60.0)
            for name in ("m1", "m2", "m4"):
                assert found[name][0] == TRUTH[name][0]
                assert found[name][1] <= 6
            assert found["m3"][1] > 5
            assert found["m3"][0] <= TRUTH["m3"][0]
            assert rig.bank.count.early == 0

    run_virtual(main)


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


def test_noise_is_never_taken_for_a_value() -> None:
    """Faults 1 and 82: one byte in a hundred is wrong; what is told is true all the same."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock) as rig:
            rig.bank.faults.noise = 0.01
            for told, _ in (await poll_all(rig.lines, 120.0)).values():
                assert len(told) <= 1
            assert sum(s.garbled for s in rig.lines.views()[0].slaves) > 10

    run_virtual(main)


def test_nothing_is_broadcast_until_somebody_asks_for_a_freeze() -> None:
    """Fault 82: polling tells meters nothing; a freeze reaches all of them, and no answer is waited for."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock) as rig:
            await poll_all(rig.lines, 20.0)
            assert [m.frozen for m in rig.bank.meters] == [0, 0]
            began = clock.now()
            await rig.meter("m3").freeze_line()
            assert clock.now() - began < 0.3
            assert [m.frozen for m in rig.bank.meters] == [1, 1]
            assert (await rig.meter("m4").read()).rejected == ()

    run_virtual(main)


def test_a_reopened_line_starts_with_its_own_settings() -> None:
    """Fault 6: an adapter that was pulled after an exchange with a meter comes back as the port was opened."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock) as rig:
            assert isinstance(rig.link, SimLink)
            await rig.meter("m3").read()
            rig.link.plug(False)
            await clock.sleep(0.5)
            rig.link.plug(True)
            await clock.sleep(12.0)
            assert (await rig.lines.meters[0].read()).current_a == (10.0, 10.0, 10.0)
            assert (await rig.meter("m3").read()).current_a == (12.0, 12.0, 12.0)
            assert rig.bank.count.garbled == 0

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


async def test_the_mixed_line_over_a_pseudo_terminal_in_real_time(tmp_path: Path) -> None:
    """S-34: the real serial port changes its speed, and the paced far end hears every frame under the right one."""
    loop = asyncio.get_running_loop()

    class Now(VirtualClock):
        """Real time of the loop."""

        def now(self) -> float:
            return loop.time()

    clock = Now()
    site = mixed_site(str(tmp_path / "wire"))
    sim = SimSite.from_site(site, PROFILES, clock=clock)
    for n, name in enumerate(sim.meters):
        sim.base_step(f"row-{name}", 10.0 + n)
    pty = PtyLine(site.lines[0], sim.bank(str(WIRE)), tmp_path / "wire")
    pty.open()
    lines = build_lines(site, PROFILES, clock, OpenGate(), lambda _: None)
    try:
        await asyncio.sleep(1.1)
        await lines.open()
        assert await poll_all(lines, 3.0, 0.3) == TRUTH
        count = sim.bank(str(WIRE)).count
        assert (count.early, count.garbled) == (0, 0)
        assert count.answers > 12
    finally:
        await lines.close()
        pty.close()


async def test_a_port_that_has_no_parity_is_told_and_its_modbus_devices_go_on() -> None:
    """Ruling 8, fault 3: a pseudo-terminal that is not said to be simulated cannot speak 8E1."""
    with joined_ptys() as (near, _):
        lines = build_lines(mixed_site(near, simulated=False), PROFILES, VirtualClock(), OpenGate(), lambda _: None)
        await lines.open()
        await asyncio.sleep(0.05)
        with pytest.raises(DeviceUnreachable, match=r"m3: .* refuses 2400 8E1"):
            await next(m for m in lines.meters if m.id == "m3").read()
        with pytest.raises(DeviceUnreachable, match="m1: no answer"):
            await lines.meters[0].read()
        assert lines.views()[0].open
        await lines.close()

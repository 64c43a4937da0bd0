"""DL/T 645 meters on a line that Modbus devices share: settings change between exchanges and nobody is disturbed."""

import asyncio
import termios
from dataclasses import replace
from pathlib import Path

import pytest
import serial

from siteward.model.errors import DeviceUnreachable
from siteward.model.site import LinkKind
from siteward_drivers import dlt645
from siteward_drivers.line import LineOwner
from siteward_drivers.line_job import Job, Rank
from siteward_drivers.link_tty import drop_bad_bytes
from siteward_drivers.profile_schema import Transport
from siteward_drivers.registry import build_lines
from siteward_drivers.sim.memory_line import SimLink
from siteward_drivers.sim.pty_line import PtyLine
from siteward_drivers.sim.site import SimSite
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from siteward_drivers.slave import Role, Slave

from .mixed import ADDRESSES, SLOW, TRUTH, WIRE, mixed_site, poll_all, running
from .plant import PROFILES
from .rig import OpenGate
from .wiring import joined_ptys


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


def test_a_wildcard_finds_one_meter_and_no_address_out_of_two_that_speak_at_once() -> None:
    """Faults 9 and 82: two answers on one pair are garbage, never an address that nobody has."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock) as rig:
            owner = LineOwner(rig.sim.site.lines[0], SimLink(rig.sim.site.lines[0], rig.bank), Transport.RTU, clock)
            slave = owner.add_slave(Slave("any meter", 0, Role.OTHER, PROFILES["dlt645_2007"].file.timing, SLOW))
            await owner.open()
            with pytest.raises(DeviceUnreachable, match="wrong bytes"):
                await owner.perform(Job(slave, dlt645.read_address(), Rank.REST))
            rig.sim.device("m4").faults.silent = True
            answer = await owner.perform(Job(slave, dlt645.read_address(), Rank.REST))
            assert dlt645.digits(bytes(answer.values)) == ADDRESSES["m3"]
            await owner.close()

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


@pytest.mark.parametrize("kind", LinkKind)
async def test_the_mixed_line_over_a_pseudo_terminal_in_real_time(tmp_path: Path, kind: LinkKind) -> None:
    """S-34: the real serial port changes its speed, and the paced far end hears every frame under the right one."""
    loop = asyncio.get_running_loop()

    class Now(VirtualClock):
        """Real time of the loop."""

        def now(self) -> float:
            return loop.time()

    clock = Now()
    site = mixed_site(str(tmp_path / "wire"))
    site = replace(site, lines=(replace(site.lines[0], link=kind),))
    sim = SimSite.from_site(site, PROFILES, clock=clock)
    for n, name in enumerate(sim.meters):
        sim.base_step(f"row-{name}", 10.0 + n)
    pty = PtyLine(site.lines[0], sim.bank(str(WIRE)), tmp_path / "wire")
    pty.open()
    lines = build_lines(site, PROFILES, clock, OpenGate(), lambda _: None)
    try:
        await asyncio.sleep(1.1)
        await lines.open()
        found = await poll_all(lines, 3.0, 0.3)
        assert {name: told for name, (told, _) in found.items()} == {name: told for name, (told, _) in TRUTH.items()}
        count = sim.bank(str(WIRE)).count
        assert (count.early, count.garbled) == (0, 0)
        assert count.answers > 12
    finally:
        await lines.close()
        pty.close()


async def test_bytes_of_wrong_parity_are_dropped_before_they_are_read() -> None:
    """Faults 1 and 82: a sum as checksum lets two wrong bits cancel each other; parity shows each of them."""
    with joined_ptys() as (near, _), serial.Serial(near, 2400) as port:
        drop_bad_bytes(port.fd)
        file = port.fd
        flags = termios.tcgetattr(port.fd)[0]
        assert flags & termios.INPCK
        assert flags & termios.IGNPAR
        assert not flags & termios.PARMRK
    with pytest.raises(termios.error, match="Bad file"):
        drop_bad_bytes(file)


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

"""Faults of wires: echoes, other masters, adapters that move or are swapped, a wedged bus (faults 4 to 8)."""

import asyncio
import fcntl
import os
import threading
import tty
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from siteward.model.alarms import Alarm, AlarmCode
from siteward.model.errors import DeviceUnreachable
from siteward.model.ids import LineId
from siteward.model.site import Line, LinkKind
from siteward_drivers.errors import LinkDown
from siteward_drivers.line import LineOwner
from siteward_drivers.line_job import Job, Rank
from siteward_drivers.links import open_link
from siteward_drivers.modbus import Request
from siteward_drivers.profile_schema import TimingPart, Transport
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from siteward_drivers.slave import Role, Slave

from .plant import RTU, TCP, charger
from .rig import Lie, crc, honest, rig, value_of
from .test_devices import METER, heidelberg, limit, put, put_floats, running

_TIOCGRS485, _TIOCSRS485 = 0x542E, 0x542F

QUICK = TimingPart(response_timeout_s=0.2, gap_s=0.0)


def _echoed(request: bytes, reply: bytes) -> Iterable[tuple[float, bytes]]:
    return [(0.001, request[:3]), (0.002, request[3:]), (0.008, reply)]


def _only_echo(request: bytes, reply: bytes) -> Iterable[tuple[float, bytes]]:
    return [(0.001, request)]


def test_an_echo_is_found_at_the_first_read_and_filtered() -> None:
    """Fault 4: values are right, and people can read that the adapter hears itself."""

    async def main(clock: VirtualClock) -> None:
        async with rig(clock) as it:
            slave = it.slave(1, timing=QUICK)
            it.slaves.lie = _echoed
            for address in range(20):
                assert await it.read(slave, address, 2) == (value_of(1, 3, address), value_of(1, 3, address + 1))
            await it.write(slave, 5, 77)
            assert await it.read(slave, 5) == (77,)
            assert it.line.view().echo
            assert slave.garbled == slave.timeouts == 0
            it.slaves.lie = honest
            await it.read(slave, 9)
            assert not it.line.view().echo

    run_virtual(main)


def test_the_echo_of_a_write_is_no_acknowledgement() -> None:
    """Fault 4: a dead charger behind an echoing adapter must not look obedient."""

    async def main(clock: VirtualClock) -> None:
        async with rig(clock) as it:
            slave = it.slave(1, Role.CHARGER, QUICK)
            it.slaves.lie = _echoed
            await it.read(slave, 0)
            it.slaves.lie = _only_echo
            with pytest.raises(DeviceUnreachable):
                await it.write(slave, 261, 60, retries=1)
            assert not it.line.foreign_lately

    run_virtual(main)


def test_requests_of_another_master_are_heard_and_told_as_long_as_they_come() -> None:
    """Fault 5: whatever it polls, its reads have no other meaning on our line."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock) as site:
            put_floats(site.rtu, 1, METER)
            meter = site.lines.meters[0]
            await meter.read()
            assert site.lines.alarms() == frozenset()
            for second in range(5):
                body = bytes((7, 3, 0, second, 0, 2))
                answer = bytes((7, 3, 4, 1, 2, 3, 4))
                site.rtu.end.write(body + crc(body))
                site.rtu.end.write(answer + crc(answer))
                await asyncio.sleep(0.3)
                reading = await meter.read()
                assert reading.current_a == (10.5, 0.0, -3.25)
                await asyncio.sleep(0.7)
            assert site.lines.alarms() == {Alarm(AlarmCode.FOREIGN_MASTER, RTU)}
            assert site.lines.views()[0].foreign == 5
            await asyncio.sleep(61)
            assert site.lines.alarms() == frozenset()

    run_virtual(main)


def test_late_answers_and_noise_are_no_other_master() -> None:
    """Fault 5: an alarm that cries at every late answer would be switched off."""

    async def main(clock: VirtualClock) -> None:
        async with rig(clock) as it:
            slave = it.slave(1, timing=QUICK)
            it.slaves.lie = lambda _, reply: [(0.3, reply), (0.35, b"\x00\xff\x03" + reply[::-1])]
            for address in range(10):
                with pytest.raises(DeviceUnreachable):
                    await it.read(slave, address, 2)
                await asyncio.sleep(1.2)
            assert it.line.view().foreign == 0

    run_virtual(main)


def _lost(at: int) -> Lie:
    return lambda _, reply: [(0.005, reply[:at] + reply[at + 1 :])]


def _doubled(at: int) -> Lie:
    return lambda _, reply: [(0.005, reply[: at + 1] + reply[at:])]


def _split(at: int) -> Lie:
    return lambda _, reply: [(0.005, reply[: at or 4]), (0.03, reply[at or 4 :])]


@pytest.mark.parametrize("at", [0, 1, 2, 3, 5, 8])
@pytest.mark.parametrize("kind", [_lost, _doubled, _split])
def test_lost_doubled_and_late_bytes_are_no_value_and_silence_brings_order(kind: Callable[[int], Lie], at: int) -> None:
    """Fault 2: a frame that is not whole is none; the next one is read as if nothing had been."""

    async def main(clock: VirtualClock) -> None:
        async with rig(clock) as it:
            slave = it.slave(1, timing=QUICK)
            for address in range(6):
                it.slaves.lie = kind(at)
                right = (value_of(1, 3, address), value_of(1, 3, address + 1))
                try:
                    assert await it.read(slave, address, 2) == right
                except DeviceUnreachable:
                    assert kind is not _split
                it.slaves.lie = honest
                await asyncio.sleep(1.5)
                after = address + 20
                assert await it.read(slave, after, 2) == (value_of(1, 3, after), value_of(1, 3, after + 1))
                slave.next_attempt = 0.0

    run_virtual(main)


@contextmanager
def _adapter(word: int) -> Iterator[str]:
    """A pseudo-terminal behind which unit 1 answers each read of one register with this word."""
    loop = asyncio.get_running_loop()
    master, slave = os.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    body = bytes((1, 3, 2)) + word.to_bytes(2, "big")

    def answer() -> None:
        try:
            os.read(master, 256)
        except OSError:
            # Between two openings nobody holds the other end.
            return
        os.write(master, body + crc(body))

    loop.add_reader(master, answer)
    try:
        yield os.ttyname(slave)
    finally:
        loop.remove_reader(master)
        os.close(master)
        os.close(slave)


def _point(link: Path, target: str) -> None:
    fresh = link.with_suffix(".new")
    fresh.symlink_to(target)
    fresh.replace(link)


async def _until_read(line: LineOwner, slave: Slave, word: int) -> float:
    """Seconds until a read brings this word."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while loop.time() - began < 10.0:
        try:
            answer = await line.perform(Job(slave, Request(1, 3, 0, 1), Rank.REST))
        except DeviceUnreachable:
            await asyncio.sleep(0.05)
            continue
        if answer.values == (word,):
            break
    return loop.time() - began


@pytest.mark.parametrize("kind", LinkKind)
async def test_an_adapter_that_comes_back_as_another_tty_is_used_in_five_seconds(
    tmp_path: Path, kind: LinkKind
) -> None:
    """Fault 6: by its stable path, whether the old device is gone or its number was given away."""
    path = tmp_path / "by-path"
    clock = VirtualClock(asyncio.get_running_loop())
    port = Line(LineId("l1"), str(path), 115200, link=kind)
    line = LineOwner(port, open_link(port), Transport.RTU, clock)
    slave = line.add_slave(Slave("meter", 1, Role.LIMIT_METER, QUICK))
    await line.open()
    try:
        with _adapter(1111) as first:
            _point(path, first)
            assert await _until_read(line, slave, 1111) < 5.0
        with pytest.raises(DeviceUnreachable):
            await line.perform(Job(slave, Request(1, 3, 0, 1), Rank.REST))
        await asyncio.sleep(1.0)
        with _adapter(2222) as second, _adapter(3333) as third:
            _point(path, second)
            assert await _until_read(line, slave, 2222) < 5.0
            _point(path, third)
            assert await _until_read(line, slave, 3333) < 5.0
    finally:
        await line.close()


@pytest.mark.parametrize(("kind", "times"), [(LinkKind.SERIAL, 200), (LinkKind.SERIALX, 40), (LinkKind.THREAD, 200)])
async def test_two_hundred_plugs_leave_no_file_open(tmp_path: Path, kind: LinkKind, times: int) -> None:
    """Fault 6: the campaign runs a thousand."""
    threads = threading.active_count()
    assert await plugs(tmp_path, times, kind) == 0
    assert kind is LinkKind.SERIALX or threading.active_count() == threads


async def plugs(folder: Path, times: int, kind: LinkKind = LinkKind.SERIAL) -> int:
    """Pull and plug an adapter so often; returns how many files more are open after than before."""
    path = folder / "by-path"
    link = open_link(Line(LineId("l"), str(path), 115200, link=kind))
    loop = asyncio.get_running_loop()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for number in range(times):
        master, slave = os.openpty()
        _point(path, os.ttyname(slave))
        await link.open()
        link.write(b"x")
        os.close(slave)
        os.close(master)
        with pytest.raises(LinkDown):
            await link.read(loop.time() + 5.0)
        if number % 2:
            await link.close()
    await link.close()
    return len(list(Path("/proc/self/fd").iterdir())) - before


def test_swapped_meters_are_refused_until_they_are_back() -> None:
    """Fault 7: after the port was opened anew the serial number is another one; its values are nobody's."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock) as site:
            put_floats(site.rtu, 1, METER)
            put(site.rtu, 1, 3, {64512: 0, 64513: 4711})
            meter = site.lines.meters[0]
            assert (await meter.read()).serial == "4711"
            for serial, known in ((4712, False), (4711, True)):
                put(site.rtu, 1, 3, {64513: serial})
                site.rtu.end.plug(False)
                await asyncio.sleep(1.0)
                site.rtu.end.plug(True)
                await asyncio.sleep(4.0)
                if known:
                    assert (await meter.read()).serial == "4711"
                else:
                    with pytest.raises(DeviceUnreachable, match="serial number is 4712, but it was 4711"):
                        await meter.read()
                alarms = frozenset() if known else {Alarm(AlarmCode.WRONG_DEVICE, "grid-meter")}
                assert site.lines.alarms() == alarms

    run_virtual(main)


def test_a_charger_of_another_kind_gets_no_writes() -> None:
    """Fault 7: control is refused, not tried."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock, charger("A01", RTU, 11, "heidelberg_energy_control")) as site:
            heidelberg(site)
            box = site.lines.chargers[0]
            for _ in range(4):
                await box.read()
            await box.write(limit("A01-1", 10.0))
            put(site.rtu, 11, 4, {4: 9})
            site.rtu.end.plug(False)
            await asyncio.sleep(1.0)
            site.rtu.end.plug(True)
            await asyncio.sleep(4.0)
            with pytest.raises(DeviceUnreachable, match="layout_version is 9"):
                await box.read()
            written = len(site.rtu.frames(11, 6))
            with pytest.raises(DeviceUnreachable, match="another device"):
                await box.write(limit("A01-1", 12.0))
            assert len(site.rtu.frames(11, 6)) == written
            assert site.lines.alarms() == {Alarm(AlarmCode.WRONG_DEVICE, "A01-1")}

    run_virtual(main)


def test_a_wedged_bus_leaves_the_others_their_period() -> None:
    """Fault 8: a device that never stops sending holds its own line only."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock, charger("c", TCP, 1, "phoenix_charx_sec")) as site:
            site.tcp.registers[1, 3, 1120] = 16

            async def babble() -> None:
                while True:
                    site.rtu.end.write(b"\x55" * 16)
                    await asyncio.sleep(0.002)

            async def poll_wedged() -> None:
                while True:
                    with pytest.raises(DeviceUnreachable):
                        await site.lines.meters[0].read()

            tasks = [asyncio.create_task(babble()), asyncio.create_task(poll_wedged())]
            longest = 0.0
            for _ in range(30):
                began = clock.now()
                await site.lines.chargers[0].read()
                longest = max(longest, clock.now() - began)
                await asyncio.sleep(1.0)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            assert longest < 0.1

    run_virtual(main)


@pytest.mark.parametrize("kind", LinkKind)
async def test_direction_by_the_kernel_is_asked_of_the_port_or_refused_in_words(
    monkeypatch: pytest.MonkeyPatch, kind: LinkKind
) -> None:
    """Fault 3: a port that cannot switch direction says so, instead of being deaf for ever."""
    with _adapter(1) as path:
        link = open_link(Line(LineId("l"), path, rs485=True, link=kind))
        before = len(list(Path("/proc/self/fd").iterdir()))
        with pytest.raises(LinkDown, match="cannot switch RS485 direction; take rs485 out"):
            await link.open()
        assert not link.is_open
        assert len(list(Path("/proc/self/fd").iterdir())) == before
        asked: list[int] = []
        real = fcntl.ioctl

        def ioctl(file: int, request: int, *rest: object) -> object:
            if request in (_TIOCGRS485, _TIOCSRS485):
                asked.append(request)
                return 0
            return real(file, request, *rest)  # type: ignore[arg-type]

        monkeypatch.setattr(fcntl, "ioctl", ioctl)
        await link.open()
        assert link.is_open
        assert asked == [_TIOCGRS485, _TIOCSRS485]
        await link.close()

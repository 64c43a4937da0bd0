"""Fault 12: a slave or gateway that answers one request behind is found within two polls and never believed."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

import pytest

from siteward.model.errors import DeviceRefused, DeviceUnreachable
from siteward.model.ids import LineId
from siteward_drivers.link_memory import MemoryLink
from siteward_drivers.modbus import Request
from siteward_drivers.profile_schema import Language, Transport
from siteward_drivers.registry import build_lines
from siteward_drivers.sim.virtual import VirtualClock, run_virtual

from .plant import PROFILES, alone, charger
from .rig import OpenGate, Slaves, crc, honest, rig
from .test_devices import METER, put, put_floats, running

CHARX = "phoenix_charx_sec"
ALL = (*PROFILES.names("meter"), *PROFILES.names("charger"))

BY_VALUE = ("keba_p30", "keba_p40")
"""Devices that give one value a request and all in pairs: their answers look alike, the last one's value does not."""


class OneBehind:
    """Each answer is that to the unit's request before; a gateway gives it the number of the transaction of now."""

    def __init__(self, framing: Transport, whole_wire: bool = False) -> None:
        self._tcp = framing is Transport.TCP
        self._whole_wire = whole_wire
        self._kept: dict[int, bytes] = {}

    def __call__(self, request: bytes, reply: bytes) -> Iterable[tuple[float, bytes]]:
        key = 0 if self._whole_wire else request[6 if self._tcp else 0]
        before, self._kept[key] = self._kept.get(key), reply
        if before is None:
            return [(0.005, reply)]
        return [(0.005, request[:2] + before[2:] if self._tcp else before)]


@pytest.mark.parametrize("whole_wire", [False, True])
def test_a_meter_behind_is_found_in_two_polls_and_shows_nothing_old(whole_wire: bool) -> None:
    """Fault 12 on RTU: its currents change at every poll, so that any old answer would show."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock) as site:
            meter = site.lines.meters[0]
            good = failed = 0
            for second in range(40):
                if second == 10:
                    site.rtu.lie = OneBehind(Transport.RTU, whole_wire)
                current = float(second % 20)
                put_floats(site.rtu, 1, METER | {6: current})
                try:
                    reading = await meter.read()
                except DeviceUnreachable:
                    failed += 1
                else:
                    assert reading.current_a is not None
                    assert reading.current_a[0] == current
                    good += 1
                if second == 12:
                    assert failed >= 1
                await asyncio.sleep(1.0)
            assert good >= 10
            assert good + failed == 40
            assert failed >= 28

    run_virtual(main)


def test_connectors_of_one_unit_never_get_each_others_values() -> None:
    """Fault 12 on TCP: the requests for two connectors look alike but for their addresses."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock, charger("c", LineId("lan-1"), 1, CHARX, 2)) as site:
            for address in range(1000, 4000):
                site.tcp.registers[1, 3, address] = 1 if address < 2000 else 2
            first = [await c.read() for c in site.lines.chargers]
            site.tcp.lie = OneBehind(Transport.TCP)
            found = 0
            for _ in range(10):
                for connector, honest_reading in zip(site.lines.chargers, first, strict=True):
                    try:
                        reading = await connector.read()
                    except DeviceUnreachable:
                        found += 1
                    else:
                        assert replace(reading, sent_at=0.0) == replace(honest_reading, sent_at=0.0)
                await asyncio.sleep(1.0)
            assert found >= 16

    run_virtual(main)


def test_it_is_told_by_name_and_a_gateway_is_connected_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 12: a new connection begins without a backlog; people read what was wrong."""

    async def main(clock: VirtualClock) -> None:
        async with rig(clock, Transport.TCP) as it:
            slave = it.slave(1)
            await it.read(slave, 10, 2)
            it.slaves.lie = OneBehind(Transport.TCP)
            closed: list[str] = []
            close = it.link.close

            async def told() -> None:
                closed.append(it.link.name)
                await close()

            monkeypatch.setattr(it.link, "close", told)
            await it.read(slave, 10, 3)
            with pytest.raises(DeviceUnreachable, match="answers one request behind"):
                await it.read(slave, 10, 2)
            assert slave.behind == 1
            assert closed == [it.link.name]
            it.slaves.lie = honest
            await asyncio.sleep(1.0)
            assert len(await it.read(slave, 10, 2)) == 2

    run_virtual(main)


def _word(pdu: bytes, at: int) -> int:
    return int.from_bytes(pdu[at : at + 2], "big")


@pytest.mark.parametrize("framing", list(Transport))
@pytest.mark.parametrize("profile", [n for n in ALL if PROFILES[n].file.protocol is Language.MODBUS])
def test_every_poll_holds_an_answer_that_could_be_no_other(profile: str, framing: Transport) -> None:
    """Fault 12: what makes the sentinel work, for every profile that we ship, on both framings."""

    async def main(clock: VirtualClock) -> None:
        ours, theirs = MemoryLink.pair()
        slaves = Slaves(theirs, framing)
        server = asyncio.create_task(slaves.serve())
        site = alone(profile, framing)
        lines = build_lines(site, PROFILES, clock, OpenGate(), lambda event: None, {LineId("l1"): ours})
        await lines.open()
        await asyncio.sleep(0.05)
        polls: list[tuple[int, int]] = []
        for _ in range(15):
            for device in (*lines.meters, *lines.chargers):
                # Registers of anything make a stranger of it (fault 7), which is asked for its identity each time.
                began = len(slaves.heard)
                with suppress(DeviceUnreachable):
                    await device.read()
                polls.append((max(began - 1, 0), len(slaves.heard)))
            await asyncio.sleep(1.0)
        await lines.close()
        server.cancel()
        await asyncio.wait([server])
        asked = [Request(pdu[0], pdu[1], _word(pdu, 2), _word(pdu, 4)) for _, pdu in slaves.heard]
        assert len(asked) >= 15
        guarded = [any(not b.confusable(a) for a, b in pairwise(asked[first:last])) for first, last in polls]
        assert all(guarded) == (profile not in BY_VALUE)

    run_virtual(main)


@pytest.mark.parametrize("framing", list(Transport))
@pytest.mark.parametrize("profile", BY_VALUE)
def test_where_all_answers_look_alike_the_value_of_the_last_one_tells(profile: str, framing: Transport) -> None:
    """Fault 12: found within two polls, nothing of a poll that is behind is believed, and the stream is left."""

    async def main(clock: VirtualClock) -> None:
        ours, theirs = MemoryLink.pair()
        slaves = Slaves(theirs, framing)
        server = asyncio.create_task(slaves.serve())
        lines = build_lines(alone(profile, framing), PROFILES, clock, OpenGate(), lambda _: None, {LineId("l1"): ours})
        layout = 400_000 - 1 if profile == "keba_p30" else 4_000_000
        _put_pairs(slaves, 1, {1000: 3, 1004: 7, 1016: layout, 1110: 32000, 1600: 6000, 1602: 60})
        _put_pairs(slaves, 1, dict.fromkeys((1006, 1036, 1020, 1040, 1042, 1044), 0))
        await lines.open()
        await asyncio.sleep(0.05)
        (box,) = lines.chargers
        good = failed = 0
        for poll in range(24):
            current = 6000 + 100 * poll
            _put_pairs(slaves, 1, dict.fromkeys((1008, 1010, 1012, 1100), current))
            if poll == 10:
                slaves.lie = OneBehind(framing)
            try:
                reading = await box.read()
            except DeviceUnreachable:
                failed += 1
            else:
                assert reading.measured_a == (current / 1000,) * 3
                assert reading.set_point_a == current / 1000
                good += 1
            if poll == 9:
                assert (good, failed) == (10, 0)
            if poll == 11:
                assert failed >= 1
            await asyncio.sleep(6.0)
        assert failed == 14
        await lines.close()
        server.cancel()
        await asyncio.wait([server])

    run_virtual(main)


def _put_pairs(slaves: Slaves, unit: int, values: dict[int, int]) -> None:
    for address, value in values.items():
        put(slaves, unit, 3, {address: value >> 16, address + 1: value & 0xFFFF})


@pytest.mark.parametrize(("answer", "halves"), [("refused", 1), ("silent", 3)])
def test_a_device_that_gives_no_halves_is_not_lost_for_it(answer: str, halves: int) -> None:
    """Fault 12: the guard costs no device; what is refused is asked once, what finds no ear three times."""

    async def main(clock: VirtualClock) -> None:
        ours, theirs = MemoryLink.pair()
        slaves = Slaves(theirs, Transport.RTU)
        server = asyncio.create_task(slaves.serve())
        site = alone("carlo_gavazzi_em111", Transport.RTU)
        lines = build_lines(site, PROFILES, clock, OpenGate(), lambda _: None, {LineId("l1"): ours})
        put(slaves, 1, 4, dict.fromkeys((4, 5, 16, 17), 0))
        await lines.open()
        await asyncio.sleep(0.05)
        await lines.meters[0].read()

        def lie(request: bytes, reply: bytes) -> Iterable[tuple[float, bytes]]:
            if request[4:6] != b"\0\1":
                return [(0.005, reply)]
            refusal = bytes((1, 0x84, 3))
            return [(0.005, refusal + crc(refusal))] if answer == "refused" else []

        slaves.lie = lie
        slaves.heard.clear()
        good = 0
        for _ in range(12):
            with suppress(DeviceUnreachable):
                await lines.meters[0].read()
                good += 1
            await asyncio.sleep(5.0)
        assert sum(pdu[4:6] == b"\0\1" for _, pdu in slaves.heard) == halves
        assert good >= 9
        await lines.close()
        server.cancel()
        await asyncio.wait([server])

    run_virtual(main)


def test_registers_that_a_device_refuses_to_read_along_are_left_out_from_then_on() -> None:
    """Fault 12 must cost no device: a documented register that is not there is asked for once."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock) as site:
            put_floats(site.rtu, 1, METER)
            site.rtu.longest = {(1, 4, 0): 18}
            meter = site.lines.meters[0]
            for _ in range(5):
                reading = await meter.read()
                assert reading.current_a is not None
                assert reading.current_a[0] == 10.5
                await asyncio.sleep(1.0)
            counts = [int.from_bytes(pdu[3:5], "big") for pdu in site.rtu.frames(1, 4) if pdu[1:3] == b"\0\0"]
            assert counts == [20, 18, 18, 18, 18, 18]

    run_virtual(main)


def test_a_refusal_that_has_other_reasons_is_handed_on() -> None:
    """Fault 14: busy is busy, however many registers were asked for."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock) as site:
            site.rtu.refuse[1, 0] = 6
            with pytest.raises(DeviceRefused):
                await site.lines.meters[0].read()
            assert len(site.rtu.frames(1)) == 1

    run_virtual(main)

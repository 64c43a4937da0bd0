"""Meters and chargers as the model's ports: what a poll reads, what a write sends, what the wire log tells."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from siteward.model.errors import DeviceRefused, DeviceUnreachable, Withdrawn
from siteward.model.ids import ConnectorId
from siteward.model.ports import Lines
from siteward.model.readings import Pilot
from siteward.model.site import Charger
from siteward.model.wire import FrameKind, FrameStage, WireEvent, Write, WriteKind
from siteward_drivers.link_memory import MemoryLink
from siteward_drivers.profile_schema import Transport
from siteward_drivers.registry import build_lines
from siteward_drivers.sim.virtual import VirtualClock, run_virtual

from .plant import PROFILES, RTU, TCP, charger, plant
from .rig import OpenGate, Slaves

HEIDELBERG = "heidelberg_energy_control"
CHARX = "phoenix_charx_sec"


class Site:
    """A running site on memory wires, with its gate, its log and the slaves' ends."""

    def __init__(self, clock: VirtualClock, chargers: tuple[Charger, ...]) -> None:
        ends = {line: MemoryLink.pair(line) for line in (RTU, TCP)}
        self.gate = OpenGate()
        self.log: list[WireEvent] = []
        self.rtu = Slaves(ends[RTU][1])
        self.tcp = Slaves(ends[TCP][1], Transport.TCP)
        links = {line: pair[0] for line, pair in ends.items()}
        self.lines: Lines = build_lines(plant(*chargers), PROFILES, clock, self.gate, self.log.append, links)

    def told(self, connector: str, kind: FrameKind) -> list[tuple[FrameStage, float | None, int | None]]:
        return [(e.stage, e.value_a, e.turn) for e in self.log if e.connector == connector and e.kind is kind]


@asynccontextmanager
async def running(clock: VirtualClock, *chargers: Charger) -> AsyncIterator[Site]:
    site = Site(clock, chargers)
    tasks = [asyncio.create_task(slaves.serve()) for slaves in (site.rtu, site.tcp)]
    await site.lines.open()
    await asyncio.sleep(0.05)
    try:
        yield site
    finally:
        await site.lines.close()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def limit(connector: str, value_a: float, raises: bool = False, turn: int = 7, deadline: float = 1e9) -> Write:
    return Write(ConnectorId(connector), WriteKind.LIMIT, value_a, raises, turn, deadline)


def failsafe(connector: str, value_a: float) -> Write:
    return Write(ConnectorId(connector), WriteKind.FAILSAFE, value_a, False, 7, 1e9)


def put(slaves: Slaves, unit: int, function: int, words: dict[int, int]) -> None:
    slaves.registers.update({(unit, function, address): word for address, word in words.items()})


def put_floats(slaves: Slaves, unit: int, values: dict[int, float]) -> None:
    for address, value in values.items():
        high, low = struct.unpack(">HH", struct.pack(">f", value))
        put(slaves, unit, 4, {address: high, address + 1: low})


METER = {0: 231.0, 2: 232.0, 4: 233.0, 6: 10.5, 8: 0.0, 10: -3.25, 12: 2400.0, 14: 0.0, 16: -750.0, 70: 50.0, 72: 12.5}
BOX = {
    4: 264,
    5: 7,
    6: 159,
    7: 160,
    8: 0,
    9: 251,
    10: 230,
    11: 231,
    12: 232,
    13: 1,
    14: 7300,
    17: 0x31,
    18: 0xDDE9,
    100: 16,
}
SET = {257: 15000, 258: 4, 261: 160, 262: 60}


def heidelberg(site: Site, unit: int = 11) -> None:
    put(site.rtu, unit, 4, BOX)
    put(site.rtu, unit, 3, SET)


def test_a_meter_poll_is_two_requests_and_one_reading() -> None:
    async def main(clock: VirtualClock) -> None:
        async with running(clock) as site:
            put_floats(site.rtu, 1, METER)
            put(site.rtu, 1, 3, {64512: 1, 64513: 2})
            before = clock.now()
            reading = await site.lines.meters[0].read()
            assert reading.current_a == (10.5, 0.0, -3.25)
            assert reading.voltage_v == (231.0, 232.0, 233.0)
            assert (reading.power_w, reading.frequency_hz, reading.energy_wh) == (1650.0, 50.0, 12500)
            assert (reading.serial, reading.rejected) == ("65538", ())
            assert before <= reading.sent_at < before + 0.05
            heard = len(site.rtu.heard)
            again = await site.lines.meters[0].read()
            assert len(site.rtu.heard) - heard == 2
            assert again.serial == "65538"
            assert again.sent_at > reading.sent_at

    run_virtual(main)


def test_a_meter_value_that_cannot_be_true_is_none_and_named_never_zero() -> None:
    async def main(clock: VirtualClock) -> None:
        async with running(clock) as site:
            put_floats(site.rtu, 1, {**METER, 8: float("nan"), 70: 500.0})
            reading = await site.lines.meters[0].read()
            assert reading.current_a is None
            assert reading.frequency_hz is None
            assert set(reading.rejected) == {"current_l2", "frequency"}
            assert reading.voltage_v is not None

    run_virtual(main)


def test_a_heidelberg_poll_reads_status_current_set_point_and_watchdog() -> None:
    async def main(clock: VirtualClock) -> None:
        async with running(clock, charger("A01", RTU, 11, HEIDELBERG)) as site:
            heidelberg(site)
            box = site.lines.chargers[0]
            for _ in range(4):
                reading = await box.read()
            assert (reading.pilot, reading.charging, reading.fault) == (Pilot.C, True, None)
            assert reading.measured_a == (15.9, 16.0, 0.0)
            assert (reading.set_point_a, reading.failsafe_a, reading.failsafe_timeout_s) == (16.0, 6.0, 15.0)
            assert (reading.standby_off, reading.hardware_max_a) == (True, 16.0)
            assert (reading.energy_wh, reading.energy_vah, reading.power_w) == (None, 3268073, None)
            assert reading.temperature_c == 25.1
            first = site.log[0]
            assert (first.connector, first.kind, first.stage) == ("A01-1", FrameKind.READ, FrameStage.QUEUED)
            sent = [e.at for e in site.log if e.stage is FrameStage.SENT]
            assert reading.sent_at in sent

    run_virtual(main)


@pytest.mark.parametrize(
    ("change", "shows"),
    [
        ({261: 59}, {"set_point_a": 0.0}),
        ({261: 161}, {"set_point_a": None, "rejected": ("current_limit",)}),
        ({257: 0}, {"failsafe_timeout_s": 0.0}),
        ({258: 0}, {"standby_off": False}),
        ({262: 0}, {"failsafe_a": 0.0}),
    ],
)
def test_heidelberg_set_points_by_its_own_rules(change: dict[int, int], shows: dict[str, Any]) -> None:
    async def main(clock: VirtualClock) -> None:
        async with running(clock, charger("A01", RTU, 11, HEIDELBERG)) as site:
            heidelberg(site)
            put(site.rtu, 11, 3, change)
            reading = await site.lines.chargers[0].read()
            assert {key: getattr(reading, key) for key in shows} == shows

    run_virtual(main)


def test_a_state_that_nobody_documented_is_no_state() -> None:
    async def main(clock: VirtualClock) -> None:
        async with running(clock, charger("A01", RTU, 11, HEIDELBERG)) as site:
            heidelberg(site)
            put(site.rtu, 11, 4, {5: 99})
            reading = await site.lines.chargers[0].read()
            assert (reading.pilot, reading.charging, reading.rejected) == (None, False, ("status",))
            put(site.rtu, 11, 4, {5: 10})
            assert (await site.lines.chargers[0].read()).fault == "F: fault"

    run_virtual(main)


@pytest.mark.parametrize(
    ("value_a", "written", "told"),
    [(6.0, 60, 6.0), (9.99, 99, 9.9), (16.0, 160, 16.0), (32.0, 160, 16.0), (0.0, 0, 0.0), (5.9, 0, 0.0)],
)
def test_a_limit_is_rounded_down_and_less_than_the_floor_is_a_pause(value_a: float, written: int, told: float) -> None:
    """I13, R19: between 0 and 6 A nothing is ever signalled."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock, charger("A01", RTU, 11, HEIDELBERG)) as site:
            await site.lines.chargers[0].write(limit("A01-1", value_a))
            assert site.rtu.frames(11) == [b"\x06\x01\x05" + written.to_bytes(2, "big")]
            stages = [FrameStage.QUEUED, FrameStage.SENT, FrameStage.ANSWERED]
            assert site.told("A01-1", FrameKind.LIMIT) == [(stage, told, 7) for stage in stages]
            sent, answered = site.log[1], site.log[2]
            assert sent.sent_at == answered.sent_at == sent.at < answered.at

    run_virtual(main)


def test_the_watchdog_is_loaded_in_the_profiles_order_with_standby_off() -> None:
    """Device facts 4: 262, 257, then 258 = 4."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock, charger("A01", RTU, 11, HEIDELBERG)) as site:
            await site.lines.chargers[0].write(failsafe("A01-1", 6.0))
            assert site.rtu.frames(11) == [
                b"\x06\x01\x06\x00\x3c",
                b"\x10\x01\x01\x00\x02\x04" + (15000).to_bytes(2, "big") + b"\x00\x04",
            ]
            kinds = {(e.kind, e.value_a, e.turn) for e in site.log}
            assert kinds == {(FrameKind.FAILSAFE, 6.0, 7)}
            put(site.rtu, 11, 4, BOX)
            reading = await site.lines.chargers[0].read()
            assert (reading.failsafe_a, reading.failsafe_timeout_s, reading.standby_off) == (6.0, 15.0, True)

    run_virtual(main)


def test_charx_limits_and_releases_in_one_frame_and_pauses_by_enable() -> None:
    async def main(clock: VirtualClock) -> None:
        async with running(clock, charger("C", TCP, 1, CHARX, channels=3)) as site:
            second = site.lines.chargers[1]
            await second.write(limit("C-2", 13.7))
            await second.write(limit("C-2", 0.0))
            with pytest.raises(DeviceRefused, match="6 A"):
                await second.write(failsafe("C-2", 0.0))
            await second.write(failsafe("C-2", 8.9))
            base = (2300).to_bytes(2, "big")
            assert site.tcp.frames(1) == [
                b"\x10" + base + b"\x00\x02\x04\x00\x01\x00\x0d",
                b"\x06" + base + b"\x00\x00",
                b"\x10" + (2306).to_bytes(2, "big") + b"\x00\x02\x04\x00\x08\x00\x0f",
            ]

    run_virtual(main)


def test_a_charx_connector_is_read_at_its_own_registers() -> None:
    async def main(clock: VirtualClock) -> None:
        async with running(clock, charger("C", TCP, 1, CHARX, channels=3)) as site:
            words = dict.fromkeys(range(3232, 3309), 0)
            words |= {3233 + i: 230000 & 0xFFFF for i in (0, 2, 4)} | {3232 + i: 230000 >> 16 for i in (0, 2, 4)}
            words |= {3239: 16000, 3240: 0xFFFF, 3241: 0xFFFF, 3243: 15000, 3253: 4321, 3264: 55}
            words |= {3299: 0x4332, 3300: 1, 3301: 16, 3306: 6, 3307: 15}
            put(site.tcp, 1, 3, words)
            reading = await site.lines.chargers[2].read()
            assert (reading.pilot, reading.charging, reading.set_point_a) == (Pilot.C, True, 16.0)
            assert (reading.failsafe_a, reading.failsafe_timeout_s) == (6.0, 15.0)
            assert (reading.energy_wh, reading.soc_percent) == (4321, 55.0)
            assert reading.voltage_v == (230.0, 230.0, 230.0)
            assert (reading.measured_a, reading.rejected[0]) == (None, "current_l2")
            put(site.tcp, 1, 3, {3300: 0, 3307: 65535})
            reading = await site.lines.chargers[2].read()
            assert (reading.set_point_a, reading.failsafe_timeout_s) == (0.0, 0.0)

    run_virtual(main)


def test_frames_that_may_feed_the_neighbours_watchdog_are_told_for_them_too() -> None:
    """R2: with an unknown reset the sending counts for all connectors of the device, the answer only for its own."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock, charger("C", TCP, 1, CHARX, channels=2)) as site:
            await site.lines.chargers[0].write(limit("C-1", 16.0))
            assert site.told("C-2", FrameKind.OTHER) == [(FrameStage.SENT, None, None)]
            assert site.told("C-2", FrameKind.LIMIT) == []

    run_virtual(main)


def test_no_lease_means_not_one_request() -> None:
    """Ruling 1, R7: a poll would keep the box at its old limit; the gate is asked at the instant of sending."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock, charger("A01", RTU, 11, HEIDELBERG)) as site:
            site.gate.speak = False
            with pytest.raises(Withdrawn):
                await site.lines.chargers[0].read()
            site.gate.send = False
            with pytest.raises(Withdrawn):
                await site.lines.chargers[0].write(limit("A01-1", 6.0))
            assert site.rtu.frames(11) == []
            assert site.gate.asked == ["A01-1", limit("A01-1", 6.0)]
            assert [e.stage for e in site.log] == [FrameStage.QUEUED, FrameStage.WITHDRAWN] * 2
            put_floats(site.rtu, 1, METER)
            assert (await site.lines.meters[0].read()).frequency_hz == 50.0

    run_virtual(main)


def test_a_raise_past_its_deadline_is_withdrawn() -> None:
    async def main(clock: VirtualClock) -> None:
        async with running(clock, charger("A01", RTU, 11, HEIDELBERG)) as site:
            with pytest.raises(Withdrawn, match="deadline"):
                await site.lines.chargers[0].write(limit("A01-1", 16.0, raises=True, deadline=clock.now() - 0.1))
            assert site.rtu.frames(11) == []

    run_virtual(main)


def test_a_cut_of_the_same_connector_takes_the_place_of_its_waiting_raise() -> None:
    """R4: one pending write a charger, the newest."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock, charger("A01", RTU, 11, HEIDELBERG)) as site:
            put_floats(site.rtu, 1, METER)
            busy = asyncio.create_task(site.lines.meters[0].read())
            await asyncio.sleep(0.03)
            box = site.lines.chargers[0]
            raise_ = asyncio.create_task(box.write(limit("A01-1", 16.0, raises=True, deadline=clock.now() + 2)))
            await asyncio.sleep(0)
            await box.write(limit("A01-1", 6.0, turn=8))
            with pytest.raises(Withdrawn):
                await raise_
            await busy
            assert site.rtu.frames(11) == [b"\x06\x01\x05\x00\x3c"]

    run_virtual(main)


def test_an_unanswered_write_is_told_as_failed_twice_and_raises() -> None:
    async def main(clock: VirtualClock) -> None:
        async with running(clock, charger("A01", RTU, 11, HEIDELBERG)) as site:
            site.rtu.dead = {11}
            with pytest.raises(DeviceUnreachable):
                await site.lines.chargers[0].write(limit("A01-1", 6.0))
            stages = [stage for stage, _, _ in site.told("A01-1", FrameKind.LIMIT)]
            assert stages == [FrameStage.QUEUED, *(FrameStage.SENT, FrameStage.FAILED) * 2]

    run_virtual(main)


def test_lost_slow_values_cost_no_poll() -> None:
    async def main(clock: VirtualClock) -> None:
        async with running(clock, charger("A01", RTU, 11, HEIDELBERG)) as site:
            heidelberg(site)
            site.rtu.refuse = {(11, 17): 2, (11, 4): 2}
            for _ in range(4):
                reading = await site.lines.chargers[0].read()
            assert reading.set_point_a == 16.0
            assert reading.hardware_max_a == 16.0
            assert set(reading.rejected) == {"apparent_energy_total", "layout_version"}

    run_virtual(main)


def test_a_register_that_bills_is_read_every_few_seconds_and_says_how_old_it_is() -> None:
    """B24: a profile that calls it slow does not make it old, and never younger than its own request."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock, charger("A01", TCP, 255, "keba_p30")) as site:
            unit, energy = 255, 1036
            put(site.tcp, unit, 3, {1016: 0x0004, 1017: 0x93E0, 1000: 0, 1001: 3, 1004: 0, 1005: 7})
            for _ in range(8):
                put(site.tcp, unit, 3, {energy: 0, energy + 1: round(clock.now() * 10)})
                reading = await site.lines.chargers[0].read()
                assert reading.energy_wh is not None
                assert reading.energy_at is not None
                assert clock.now() - reading.energy_at < 4.0
                assert reading.energy_at > reading.sent_at

    run_virtual(main)


def test_lines_tell_where_a_connector_hangs_and_what_happened() -> None:
    async def main(clock: VirtualClock) -> None:
        chargers = charger("A01", RTU, 11, HEIDELBERG), charger("C", TCP, 1, CHARX, channels=2)
        async with running(clock, *chargers) as site:
            assert [c.id for c in site.lines.chargers] == ["A01-1", "C-1", "C-2"]
            assert site.lines.line_of(ConnectorId("C-2")) == TCP
            views = site.lines.views()
            assert [(v.id, v.open, [s.device for s in v.slaves]) for v in views] == [
                (RTU, True, ["grid-meter", "A01"]),
                (TCP, True, ["C"]),
            ]

    run_virtual(main)

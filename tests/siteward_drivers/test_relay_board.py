"""Relay boards on simulated frames: golden bytes, off before anything else (fault 79), pulses, pairs, watchdogs."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from siteward.model.errors import DeviceError, DeviceRefused, DeviceUnreachable, Withdrawn
from siteward.model.points import Drive, PointName, PointPlan
from siteward_drivers.modbus import Answer, Request, encode_rtu, find_rtu
from siteward_drivers.plan import plan_lines
from siteward_drivers.sim.virtual import VirtualClock, run_virtual

from .inout import PROFILES, WIRE, Plant, io_site, plant


def on_plant(body: Callable[[Plant], Awaitable[None]]) -> None:
    async def main(clock: VirtualClock) -> None:
        async with plant(clock, io_site((), ())) as made:
            await body(made)

    run_virtual(main)


@pytest.mark.parametrize(
    ("what", "request_", "frame"),
    [
        ("relay 1 on", Request(1, 5, 0, 1, (1,)), "01 05 00 00 FF 00 8C 3A"),
        ("relay 1 off", Request(1, 5, 0, 1, (0,)), "01 05 00 00 00 00 CD CA"),
        ("relay 1 on for 700 ms", Request(1, 5, 0x200, 1, (7,), raw=True), "01 05 02 00 00 07 8D B0"),
        ("relay 2 on for 800 ms", Request(1, 5, 0x201, 1, (8,), raw=True), "01 05 02 01 00 08 9C 74"),
        ("relay 1 on for 500 ms", Request(1, 5, 0x200, 1, (5,), raw=True), "01 05 02 00 00 05 0C 71"),
        ("eight relay states", Request(1, 1, 0, 8), "01 01 00 00 00 08 3D CC"),
        ("unit 37, relay 1 on", Request(37, 5, 0, 1, (1,)), "25 05 00 00 FF 00 8A DE"),
        ("unit 37, time-out 5 s", Request(37, 6, 8, 1, (5,)), "25 06 00 08 00 05 CE EF"),
        ("unit 37, relay 1 safe off", Request(37, 6, 930, 1, (0,)), "25 06 03 A2 00 00 2E 88"),
        ("unit 37, relay 1 goes safe", Request(37, 6, 938, 1, (1,)), "25 06 03 AA 00 01 6E 8A"),
    ],
)
def test_frames_are_those_of_the_makers(what: str, request_: Request, frame: str) -> None:
    """Contract of the wire: the maker's own examples, byte by byte."""
    assert encode_rtu(request_) == bytes.fromhex(frame), what


def test_a_raw_pulse_is_acknowledged_by_its_own_echo_only() -> None:
    """Fault 12: the echo of another time, or of a plain coil, is no answer."""
    pulse = Request(1, 5, 0x200, 1, (7,), raw=True)
    assert find_rtu(pulse, bytes.fromhex("01 05 02 00 00 07 8D B0")) == Answer()
    assert find_rtu(pulse, bytes.fromhex("01 05 02 00 00 05 0C 71")) is None
    with pytest.raises(ValueError, match="does not fit"):
        encode_rtu(Request(1, 5, 0x200, 1, (0x10000,), raw=True))


WAYS = PointPlan(outputs={PointName("ways.relay_1"): 0.5, PointName("ways.relay_2"): 0.5})
GUARD = PointPlan(
    inputs=tuple(PointName(f"guard.input_{n}") for n in (1, 5, 0)),
    outputs={PointName("guard.relay_5"): 0.4, PointName("guard.relay_6"): None},
)


def test_outputs_are_off_before_anything_else_is_written() -> None:
    """Fault 79: what an earlier life left on falls with the first frames of this one."""

    async def body(made: Plant) -> None:
        guard = made.board("guard")
        guard._set(guard._profile.file.outputs["relay_6"], True)
        await made.lines.points["guard"].prepare(GUARD)
        first = [(function, address, value) for _, function, address, value in guard.heard[:4]]
        assert first == [(5, address, 0) for address in (0, 1, 4, 5)]
        assert not guard.is_on("relay_6")

    on_plant(body)


def test_nothing_is_read_or_driven_before_it_is_prepared() -> None:
    """I11 after a restart: an unprepared board moves nothing."""

    async def body(made: Plant) -> None:
        device = made.lines.points["ways"]
        with pytest.raises(DeviceUnreachable, match="not prepared"):
            await device.drive(Drive(PointName("ways.relay_1"), on=True, pulse_s=0.5))
        with pytest.raises(DeviceUnreachable, match="not prepared"):
            await device.read(urgent=True)
        assert made.board("ways").heard == []

    on_plant(body)


def test_a_pulse_ends_inside_the_board_when_we_are_gone() -> None:
    """Fault 79: the time of the pulse is the board's; no second frame is needed."""

    async def body(made: Plant) -> None:
        device, board = made.lines.points["ways"], made.board("ways")
        await device.prepare(WAYS)
        await device.drive(Drive(PointName("ways.relay_2"), on=True, pulse_s=0.5))
        await made.lines.close()
        assert board.is_on("relay_2")
        await asyncio.sleep(0.6)
        assert not board.is_on("relay_2")
        assert board.heard[-1][1:] == (5, 513, 5)

    on_plant(body)


def test_the_guarded_board_gets_pulse_times_pair_and_watchdog() -> None:
    """Fault 79: safe state off, poll time-out, a pair that rests when left alone, inputs that move nothing."""

    async def body(made: Plant) -> None:
        plan = PointPlan(outputs={PointName("guard.open_1"): 0.5, PointName("guard.close_1"): 0.5, **GUARD.outputs})
        await made.lines.points["guard"].prepare(plan)
        held = made.board("guard").registers
        assert (held[1280], held[1328], held[1332], held[1288]) == (1, 5, 5, 0)
        assert (held[1788], held[1764], held[1765]) == (4, 3, 0)
        assert (held[8], held[19], held[934], held[942], held[938]) == (10, 0, 0, 1, 1)
        assert held[5] == 0

    on_plant(body)


def test_a_level_falls_when_nobody_polls_the_board_any_more() -> None:
    """Fault 79: the board's own watchdog ends what a dead controller left on."""

    async def body(made: Plant) -> None:
        device, board = made.lines.points["guard"], made.board("guard")
        await device.prepare(GUARD)
        await device.drive(Drive(PointName("guard.relay_6"), on=True))
        await asyncio.sleep(9.0)
        await device.read(urgent=False)
        await asyncio.sleep(9.0)
        assert board.is_on("relay_6")
        await asyncio.sleep(2.0)
        assert not board.is_on("relay_6")

    on_plant(body)


def test_a_setting_that_does_not_stick_refuses_the_board() -> None:
    """Contract of writes: acknowledged is not done; only what reads back counts."""

    async def body(made: Plant) -> None:
        made.board("guard").refuse_loads = True
        with pytest.raises(DeviceRefused, match="holds 0 after"):
            await made.lines.points["guard"].prepare(GUARD)

    on_plant(body)


def test_an_interlocked_pair_never_drives_both_ways() -> None:
    """I11: with the pair in use the board itself lets go of one direction before it takes the other."""

    async def body(made: Plant) -> None:
        opens, closes = PointName("guard.open_1"), PointName("guard.close_1")
        device, board = made.lines.points["guard"], made.board("guard")
        await device.prepare(PointPlan(outputs={opens: 0.5, closes: 0.5}))
        await device.drive(Drive(closes, on=True, pulse_s=0.5))
        assert (board.is_on("open_1"), board.is_on("close_1")) == (False, True)
        await device.drive(Drive(opens, on=True, pulse_s=0.5))
        assert (board.is_on("open_1"), board.is_on("close_1")) == (True, False)

    on_plant(body)


def test_inputs_are_read_over_documented_bits_only() -> None:
    """Contract of the profile: bit 6 is not documented, so 0..4 and 7 are two requests."""

    async def body(made: Plant) -> None:
        device = made.lines.points["guard"]
        await device.prepare(GUARD)
        before = made.sim.banks[made.link.line.id].count.requests
        found = await device.read(urgent=True)
        assert made.sim.banks[made.link.line.id].count.requests == before + 2
        assert set(found) == set(GUARD.inputs)
        assert all(reading.on is False and reading.edges == 0 for reading in found.values())

    on_plant(body)


def test_a_risky_drive_is_asked_about_as_it_goes_out_and_never_after_its_deadline() -> None:
    """I11 and law 1: what blocks the way needs the gate's word; what frees it goes out without asking."""

    async def body(made: Plant) -> None:
        device = made.lines.points["ways"]
        await device.prepare(WAYS)
        sent = len(made.board("ways").heard)
        block = Drive(PointName("ways.relay_2"), on=True, pulse_s=0.5, risky=True)
        made.gate.open = False
        with pytest.raises(Withdrawn, match="reason to move is gone"):
            await device.drive(block)
        made.gate.open = True
        late = Drive(block.point, on=True, pulse_s=0.5, risky=True, deadline=made.clock.now() - 0.1)
        with pytest.raises(Withdrawn, match="deadline"):
            await device.drive(late)
        assert len(made.board("ways").heard) == sent
        made.gate.open = False
        await device.drive(Drive(PointName("ways.relay_1"), on=True, pulse_s=0.5))
        assert len(made.gate.asked) == 1

    on_plant(body)


def test_a_board_that_is_gone_is_told() -> None:
    """Law 5: silence is unreachable, never a value."""

    async def body(made: Plant) -> None:
        device = made.lines.points["guard"]
        await device.prepare(GUARD)
        made.board("guard").faults.silent = True
        with pytest.raises(DeviceError):
            await device.read(urgent=True)

    on_plant(body)


def test_the_poll_plan_counts_the_boards() -> None:
    """Ruling 5: a board takes its share of the wire, and a dead one holds up the cuts beside it."""
    site = io_site()
    plan = next(p for p in plan_lines(site, PROFILES) if p.line == WIRE)
    assert [(d.device, d.unit, d.requests, d.period_s) for d in plan.devices] == [
        ("ways", 1, 1, 1.0),
        ("guard", 37, 2, 1.0),
    ]
    assert 0.1 < plan.load < 0.25
    beside = replace(site, relays=tuple(replace(b, line=site.lines[0].id) for b in site.relays))
    alone, shared = (next(p for p in plan_lines(s, PROFILES) if p.line == site.lines[0].id) for s in (site, beside))
    assert shared.load > alone.load
    assert shared.worst_reaction_s >= alone.worst_reaction_s

"""Simulated wires on the virtual clock: pace, thinking time, noise, echo, cuts, half-open and pulled adapters."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from siteward.model.ids import ConnectorId
from siteward.model.site import Parity
from siteward_drivers.errors import LinkDown
from siteward_drivers.quantities import Quantity
from siteward_drivers.registry import load_profiles
from siteward_drivers.sim.memory_line import SimLink, sim_links
from siteward_drivers.sim.paced import char_s, silence_s
from siteward_drivers.sim.site import SimSite
from siteward_drivers.sim.slave import rtu_frame, tcp_frame
from siteward_drivers.sim.virtual import VirtualClock, run_virtual

from .sites import demo_site, one_row

PROFILES = load_profiles()
READ = rtu_frame(1, bytes.fromhex("04 0004 000d"))
ANSWER_BYTES = 31


def on_wire(body: Callable[[SimSite, SimLink], Awaitable[None]]) -> None:
    async def main(clock: VirtualClock) -> None:
        sim = SimSite.from_site(one_row(), PROFILES, clock=clock)
        link = SimLink(sim.site.lines[0], sim.banks[sim.site.lines[0].id])
        await link.open()
        await clock.sleep(0.1)
        await body(sim, link)

    run_virtual(main)


async def exchange(link: SimLink, request: bytes = READ, wait_s: float = 0.5) -> tuple[bytes, float]:
    """Send, and collect what comes until the wire is quiet for a while; the time of the last byte."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    link.write(request)
    got, last = b"", 0.0
    while loop.time() < began + wait_s:
        part = await link.read(began + wait_s)
        if part:
            got, last = got + part, loop.time() - began
    return got, last


def test_an_exchange_takes_request_thinking_and_answer_at_the_pace_of_the_line() -> None:
    async def body(sim: SimSite, link: SimLink) -> None:
        answer, took = await exchange(link)
        assert len(answer) == ANSWER_BYTES
        assert answer[:3] == bytes((1, 4, 26))
        # 8 request and 31 answer characters of 10 bits at 19200 baud, and the 20 ms that the box thinks.
        assert took == pytest.approx(39 * 10 / 19200 + 0.020, abs=1e-6)

    on_wire(body)


def test_characters_carry_their_parity_and_stop_bits() -> None:
    line = one_row().lines[0]
    assert char_s(line) == pytest.approx(10 / 19200)
    assert char_s(replace(line, parity=Parity.EVEN)) == pytest.approx(11 / 19200)
    assert char_s(replace(line, parity=Parity.NONE, stop_bits=2)) == pytest.approx(11 / 19200)
    assert silence_s(replace(line, baud=9600)) == pytest.approx(35 / 9600)
    assert silence_s(replace(line, baud=115200)) == 0.00175


def test_an_unknown_unit_and_a_silent_device_leave_the_wire_quiet() -> None:
    """Fault 28."""

    async def body(sim: SimSite, link: SimLink) -> None:
        assert (await exchange(link, rtu_frame(77, bytes.fromhex("04 0004 0001"))))[0] == b""
        sim.device("ch1").faults.silent = True
        assert (await exchange(link))[0] == b""
        sim.restore_device("ch1")
        assert len((await exchange(link))[0]) == ANSWER_BYTES

    on_wire(body)


def test_a_cut_line_hears_nothing_and_a_mute_one_hears() -> None:
    async def body(sim: SimSite, link: SimLink) -> None:
        write = rtu_frame(1, bytes.fromhex("06 0105 0050"))
        bank = sim.bank("rs485-1")
        bank.faults.cut = True
        assert (await exchange(link, write))[0] == b""
        assert sim.points[ConnectorId("cp1")].held[Quantity.CURRENT_LIMIT] == 160
        bank.faults.clear()
        bank.faults.mute = True
        assert (await exchange(link, write))[0] == b""
        assert sim.points[ConnectorId("cp1")].held[Quantity.CURRENT_LIMIT] == 80

    on_wire(body)


def test_late_answers_come_late_and_after_a_second_request_of_the_master() -> None:
    """Faults 11 and 19."""

    async def body(sim: SimSite, link: SimLink) -> None:
        sim.device("ch1").faults.latency_s = 0.6
        assert (await exchange(link))[0] == b""
        sim.restore_device("ch1")
        answer, _ = await exchange(link, rtu_frame(2, bytes.fromhex("04 0005 0001")))
        assert bytes((1, 4, 26)) in answer
        assert bytes((2, 4, 2)) in answer

    on_wire(body)


def test_noise_flips_bits_in_both_directions_repeatably() -> None:
    """Fault 1."""

    def run() -> list[bytes]:
        answers: list[bytes] = []

        async def body(sim: SimSite, link: SimLink) -> None:
            sim.bank("rs485-1").faults.noise = 0.02
            for _ in range(40):
                answer, _ = await exchange(link)
                answers.append(answer)
            assert sim.bank("rs485-1").count.garbled > 0

        on_wire(body)
        return answers

    first = run()
    assert run() == first
    assert len(set(first)) > 5
    assert any(len(a) == ANSWER_BYTES for a in first)
    assert b"" in first


def test_an_echoing_adapter_returns_the_request_before_the_answer() -> None:
    """Fault 4."""

    async def body(sim: SimSite, link: SimLink) -> None:
        sim.bank("rs485-1").faults.echo = True
        answer, _ = await exchange(link)
        assert answer[: len(READ)] == READ
        assert len(answer) == len(READ) + ANSWER_BYTES

    on_wire(body)


def test_a_line_can_lose_the_end_of_answers_or_let_another_unit_speak() -> None:
    """Faults 10 and 15."""

    async def body(sim: SimSite, link: SimLink) -> None:
        whole, _ = await exchange(link)
        sim.bank("rs485-1").faults.short_by = 4
        assert (await exchange(link))[0] == whole[:-4]
        sim.bank("rs485-1").faults.clear()
        sim.bank("rs485-1").faults.foreign = True
        answer, _ = await exchange(link, rtu_frame(2, bytes.fromhex("04 0100 0001")))
        assert answer == rtu_frame(3, bytes.fromhex("84 02"))

    on_wire(body)


def test_requests_before_the_silence_of_the_rule_are_counted() -> None:
    async def body(sim: SimSite, link: SimLink) -> None:
        await exchange(link)
        assert sim.bank("rs485-1").count.early == 0
        _, took = await exchange(link, wait_s=0.05)
        assert took < 0.05
        link.write(READ)
        while await link.read(asyncio.get_running_loop().time() + 0.1):
            link.write(READ)
            break
        assert sim.bank("rs485-1").count.early == 1

    on_wire(body)


def test_a_pulled_adapter_is_down_until_it_is_back() -> None:
    """Fault 6."""

    async def body(sim: SimSite, link: SimLink) -> None:
        link.plug(False)
        with pytest.raises(LinkDown):
            link.write(READ)
        with pytest.raises(LinkDown):
            await link.open()
        link.plug(True)
        await link.open()
        assert len((await exchange(link))[0]) == ANSWER_BYTES

    on_wire(body)


def test_a_tcp_line_speaks_modbus_tcp_and_a_stranger_unit_is_refused_by_the_gateway() -> None:
    async def main(clock: VirtualClock) -> None:
        sim = SimSite.from_site(demo_site(), PROFILES, clock=clock)
        link = sim_links(sim)[sim.site.lines[2].id]
        await link.open()
        link.write(tcp_frame(5, 1, bytes.fromhex("03 0072 0001")) + tcp_frame(6, 9, bytes.fromhex("03 0072 0001")))
        loop = asyncio.get_running_loop()
        got = b""
        while part := await link.read(loop.time() + 0.1):
            got += part
        assert got == tcp_frame(6, 9, bytes.fromhex("83 0b")) + tcp_frame(5, 1, bytes.fromhex("03 02 0004"))

    run_virtual(main)

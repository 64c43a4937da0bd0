"""Faults of gateways: half open, one connection only, resets in mid-frame, slow answers (faults 16 to 19)."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from siteward.model.errors import DeviceUnreachable
from siteward.model.ids import LineId
from siteward.model.site import Line
from siteward_drivers.errors import LinkDown
from siteward_drivers.line import LineOwner
from siteward_drivers.line_job import Job, Rank
from siteward_drivers.modbus import Request
from siteward_drivers.profile_schema import TimingPart, Transport
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from siteward_drivers.slave import Role, Slave

from .rig import honest, rig, value_of

QUICK = TimingPart(response_timeout_s=0.5, gap_s=0.0)


class Gateway:
    """A link to a gateway that has only so many connections, or resets each of them in the middle of its answers."""

    def __init__(self) -> None:
        self.opened_at: list[float] = []
        self.taken = False
        self.resets = False
        self._open = False
        self._answer = b""

    @property
    def name(self) -> str:
        return "gateway"

    @property
    def is_open(self) -> bool:
        return self._open

    async def open(self) -> None:
        assert not self._open
        self.opened_at.append(asyncio.get_running_loop().time())
        self._open = True

    async def close(self) -> None:
        self._open = False
        self._answer = b""

    def write(self, data: bytes) -> None:
        pdu = data[6:8] + b"\x02\x00\x2a"
        self._answer = data[:4] + len(pdu).to_bytes(2, "big") + pdu

    async def read(self, deadline: float) -> bytes:
        await asyncio.sleep(0.005)
        if self.taken:
            raise LinkDown("closed by the peer")
        answer, self._answer = self._answer, b""
        if not self.resets:
            return answer
        if answer:
            return answer[:5]
        raise LinkDown("reset by the peer")


@asynccontextmanager
async def polled(clock: VirtualClock, gateway: Gateway, name: str = "l1") -> AsyncIterator[list[float]]:
    """A line on the gateway, polled four times a second; yields the times of its good answers."""
    line = LineOwner(Line(LineId(name), "tcp://gateway:502"), gateway, Transport.TCP, clock)
    slave = line.add_slave(Slave("meter", 1, Role.LIMIT_METER, QUICK))
    good: list[float] = []

    async def poll() -> None:
        while True:
            try:
                answer = await line.perform(Job(slave, Request(1, 3, 0, 1), Rank.LIMIT_METER))
            except DeviceUnreachable:
                pass
            else:
                assert answer.values == (42,)
                good.append(clock.now())
            await asyncio.sleep(0.25)

    await line.open()
    task = asyncio.create_task(poll())
    try:
        yield good
    finally:
        task.cancel()
        await asyncio.wait([task])
        await line.close()


def test_a_half_open_gateway_is_dead_in_two_periods_and_connected_anew() -> None:
    """Fault 16: it takes our frames and says nothing; whoever waits hears so within a second each time."""

    async def main(clock: VirtualClock) -> None:
        async with rig(clock, Transport.TCP) as it:
            meter = it.slave(1, Role.LIMIT_METER, QUICK)
            await it.read(meter, 0)
            assert it.line.openings == 1
            it.slaves.dead = {1}
            began, dead_after = clock.now(), 0.0
            for _ in range(6):
                asked = clock.now()
                with pytest.raises(DeviceUnreachable):
                    await it.read(meter, 0)
                assert clock.now() - asked <= 1.51
                if meter.silent and not dead_after:
                    dead_after = clock.now() - began
                await asyncio.sleep(max(0.0, asked + 1.0 - clock.now()))
            assert 0 < dead_after <= 2.0
            assert it.line.openings >= 2
            it.slaves.dead = set()
            await asyncio.sleep(5.0)
            assert await it.read(meter, 3) == (value_of(1, 3, 3),)

    run_virtual(main)


def test_a_gateway_for_one_client_is_asked_patiently_and_never_twice_at_once() -> None:
    """Fault 17: while another client has it, it hangs up; it is ours soon after the other one has gone."""

    async def main(clock: VirtualClock) -> None:
        gateway = Gateway()
        gateway.taken = True
        async with polled(clock, gateway) as good:
            await asyncio.sleep(120)
            assert good == []
            tries = len(gateway.opened_at)
            assert 8 <= tries <= 20
            gateway.taken = False
            freed = clock.now()
            await asyncio.sleep(20)
            assert good[0] - freed < 14.0
            await asyncio.sleep(40)
            assert len(gateway.opened_at) <= tries + 1
            assert len(good) > 150

    run_virtual(main)


def test_a_storm_of_resets_meets_at_most_one_try_a_second_with_jitter() -> None:
    """Fault 18: each connection breaks in the middle of its first answer, on two lines that began together."""

    async def main(clock: VirtualClock) -> None:
        gateways = [Gateway(), Gateway()]
        for gateway in gateways:
            gateway.resets = True
        async with polled(clock, gateways[0], "l1") as first, polled(clock, gateways[1], "l2") as second:
            await asyncio.sleep(300)
            assert first == second == []
            steps = [[b - a for a, b in pairwise(gateway.opened_at)] for gateway in gateways]
            assert all(step >= 1.0 for line in steps for step in line)
            assert all(len({round(step, 3) for step in line}) > len(line) / 2 for line in steps)
            assert steps[0] != steps[1]
            for gateway in gateways:
                gateway.resets = False
            await asyncio.sleep(20)
            assert first
            assert second

    run_virtual(main)


def test_a_lasting_connection_that_breaks_is_back_within_two_seconds() -> None:
    """Fault 18: patience is for storms; one reset costs one second."""

    async def main(clock: VirtualClock) -> None:
        gateway = Gateway()
        async with polled(clock, gateway) as good:
            await asyncio.sleep(60)
            gateway.taken = True
            await asyncio.sleep(0.3)
            gateway.taken = False
            broke = clock.now()
            await asyncio.sleep(5)
            assert next(at for at in good if at > broke) - broke < 2.0

    run_virtual(main)


@pytest.mark.parametrize(
    ("framing", "port"), [(Transport.RTU, "rtu+tcp://plant:4001"), (Transport.TCP, "tcp://plant:502")]
)
def test_slow_answers_stretch_the_period_and_never_overlap(framing: Transport, port: str) -> None:
    """Fault 19: 300 ms is slow, 3 s is lost; no answer is taken for another's, no request goes out beside one."""

    async def main(clock: VirtualClock) -> None:
        async with rig(clock, framing, port=port) as it:
            slave = it.slave(1, Role.LIMIT_METER, QUICK)
            latency = 0.0

            def slow(request: bytes, reply: bytes) -> Iterable[tuple[float, bytes]]:
                return [(latency, reply)]

            it.slaves.lie = slow
            good = dict.fromkeys((0.005, 0.3, 0.45, 1.5, 3.0), 0)
            for latency in good:
                for address in range(12):
                    asked = clock.now()
                    try:
                        values = await it.read(slave, address)
                    except DeviceUnreachable:
                        pass
                    else:
                        assert values == (value_of(1, 3, address),)
                        good[latency] += 1
                    await asyncio.sleep(max(0.0, asked + 1.0 - clock.now()))
                it.slaves.lie = honest
                await asyncio.sleep(8.0)
                await it.read(slave, 99)
                it.slaves.lie = slow
            assert good[0.005] == 12
            assert good[0.3] >= 9
            assert good[1.5] == good[3.0] == 0
            gaps = [b - a for (a, _), (b, _) in pairwise(it.slaves.heard)]
            assert min(gaps) > 0.004

    run_virtual(main)

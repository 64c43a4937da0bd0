"""What a line waits for before a frame: its own silence, the device's gap, an answer that may still come (goal 6)."""

import asyncio
from contextlib import suppress

import pytest

from siteward.model.errors import DeviceUnreachable
from siteward_drivers.profile_schema import TimingPart
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from siteward_drivers.slave import Role

from .rig import rig

QUICK = TimingPart(response_timeout_s=0.2, gap_s=0.0)


@pytest.mark.parametrize("gap_s", [0.05, 0.3])
def test_a_cut_does_not_sit_out_the_gap_of_a_slow_device_before_it(gap_s: float) -> None:
    """Goal 6, ruling 3: the wire's own silence and the cut's own device are all that a cut waits for."""

    async def main(clock: VirtualClock) -> None:
        async with rig(clock) as it:
            slow, box = it.slave(1, timing=TimingPart(gap_s=gap_s)), it.slave(2, Role.CHARGER, QUICK)
            await it.read(slow, 0)
            ended = clock.now()
            poll = asyncio.create_task(it.read(slow, 1))
            await asyncio.sleep(0.005)
            asked = clock.now()
            await it.write(box, 261, 60)
            at, pdu = it.slaves.heard[-1]
            assert pdu[0] == 2
            # Asked for 5 ms after the last answer: t3.5 is over by then, so it goes out at once.
            assert at - asked < 0.002
            assert at - ended >= 3.5 * 10 / 19200
            await poll
            at, pdu = it.slaves.heard[-1]
            assert pdu[0] == 1

    run_virtual(main)


def test_polls_that_keep_coming_do_not_shorten_the_gap_of_anybody() -> None:
    """Ruling 4: a device that needs 50 ms of silence gets them, however many others wait."""

    async def main(clock: VirtualClock) -> None:
        async with rig(clock) as it:
            slow = it.slave(1, timing=TimingPart(gap_s=0.05))
            ended: list[float] = []
            for address in range(10):
                reading = asyncio.create_task(it.read(slow, address))
                for _ in range(8):
                    await asyncio.sleep(0.004)
                    it.line._wake.set()
                await reading
                ended.append(clock.now())
            starts = [at for at, _ in it.slaves.heard]
            assert min(start - end for end, start in zip(ended, starts[1:], strict=False)) >= 0.05 - 1e-6

    run_virtual(main)


def test_a_device_that_became_slow_is_missed_a_few_times_and_not_for_ever() -> None:
    """Fault 19: an answer that was waited for after a miss teaches at once how long this device takes now."""

    async def main(clock: VirtualClock) -> None:
        async with rig(clock) as it:
            slave = it.slave(1, timing=TimingPart(response_timeout_s=0.5, gap_s=0.0))
            for address in range(20):
                await it.read(slave, address)
            it.slaves.lie = lambda _, reply: [(0.25, reply)]
            for address in range(16):
                with suppress(DeviceUnreachable):
                    await it.read(slave, address)
                await asyncio.sleep(1.5)
            assert slave.timeouts <= 3

    run_virtual(main)

"""The timer wheel of the pollers: shared ticks, never late because of them, poked early (goal 8, R3b)."""

import asyncio

from siteward.runtime.ticks import TICK_S, Nap, Ticks, floor
from siteward_drivers.sim.virtual import VirtualClock, run_virtual


def test_what_is_due_within_a_tick_wakes_together_and_no_earlier() -> None:
    """Goal 8: one timer of the loop a tick, however many wait; goal 8 is lost with a timer a device."""

    async def main(clock: VirtualClock) -> None:
        ticks, loop = Ticks(clock), asyncio.get_running_loop()
        start = floor(clock.now()) + 1.0
        timers = []
        real = loop.call_later
        loop.call_later = lambda *args, **more: timers.append(args) or real(*args, **more)  # type: ignore[method-assign,func-returns-value]
        waits = [ticks.at(start + 0.001 * n) for n in range(1, 21)]
        await asyncio.gather(*waits)
        assert len(timers) == 1
        assert start + TICK_S - 1e-6 <= clock.now() < start + TICK_S + 0.001

    run_virtual(main)


def test_an_instant_on_a_tick_is_kept_exactly() -> None:
    """R3b: a poll that is put on a tick before it is due never comes after it was due."""

    async def main(clock: VirtualClock) -> None:
        ticks = Ticks(clock)
        for ahead_s in (1.333, 2.0, 0.0199):
            due = clock.now() + ahead_s
            await ticks.at(floor(due))
            assert clock.now() <= due + 1e-6

    run_virtual(main)


def test_a_sleeper_that_is_cancelled_disturbs_nobody() -> None:
    """Law 7: those who share a tick share nothing else."""

    async def main(clock: VirtualClock) -> None:
        ticks = Ticks(clock)
        gone = asyncio.ensure_future(Nap(ticks).until(clock.now() + 1.0))
        stays = asyncio.ensure_future(Nap(ticks).until(clock.now() + 1.0))
        await asyncio.sleep(0)
        gone.cancel()
        assert await stays is False
        assert gone.cancelled()

    run_virtual(main)


def test_a_poke_wakes_and_is_not_lost_while_awake() -> None:
    """S-47: a write is read back soon, also when it went out while the poll was on its way."""

    async def main(clock: VirtualClock) -> None:
        nap = Nap(Ticks(clock))
        began = clock.now()
        nap.poke()
        assert await nap.until(began + 5.0) is True
        sleeper = asyncio.ensure_future(nap.until(began + 5.0))
        await asyncio.sleep(0.1)
        nap.poke()
        nap.poke()
        assert await sleeper is True
        assert clock.now() < began + 1.0
        assert await nap.until(began + 2.0) is False

    run_virtual(main)

"""Virtual time: a day passes in a moment, timers keep their order, and a wait for nothing is told (law 9)."""

import asyncio
from datetime import timedelta
from threading import Timer
from time import perf_counter, sleep

import pytest

from siteward.model.events import ClockQuality
from siteward_drivers.sim.virtual import START_WALL, VirtualClock, VirtualDeadlock, VirtualLoop, run_virtual


def test_a_virtual_day_of_ten_second_ticks_takes_less_than_two_seconds_of_real_time() -> None:
    async def day(clock: VirtualClock) -> tuple[int, float]:
        began, ticks = clock.now(), 0
        while clock.now() - began < 86_400 - 1e-6:
            await clock.sleep(10)
            ticks += 1
        return ticks, clock.now() - began

    real = perf_counter()
    ticks, passed = run_virtual(day)
    assert ticks == 8640
    assert passed == pytest.approx(86_400)
    assert perf_counter() - real < 2.0


def test_wall_follows_now_and_can_be_moved_without_moving_now() -> None:
    async def main(clock: VirtualClock) -> None:
        at = clock.now()
        await clock.sleep(60)
        assert clock.wall() - START_WALL == timedelta(seconds=60)
        clock.jump_wall(-3600)
        assert clock.wall() - START_WALL == timedelta(seconds=60 - 3600)
        assert clock.now() - at == pytest.approx(60)
        assert clock.quality() is ClockQuality.NTP
        clock.set_quality(ClockQuality.UNSYNCED)
        assert clock.quality() is ClockQuality.UNSYNCED

    run_virtual(main)


def test_timers_fire_in_the_order_of_their_deadlines_and_time_outs_work() -> None:
    async def main(clock: VirtualClock) -> list[str]:
        order: list[str] = []

        async def later(name: str, seconds: float) -> None:
            await asyncio.sleep(seconds)
            order.append(name)

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.gather(later("c", 3), later("a", 1), later("b", 2), later("never", 9))
        order.append(f"{clock.now():.0f}")
        return order

    assert run_virtual(main) == ["a", "b", "c", "1005"]


def test_waiting_for_nothing_is_a_clear_error_and_not_a_hang() -> None:
    async def main(clock: VirtualClock) -> None:
        await asyncio.Event().wait()

    with pytest.raises(VirtualDeadlock, match="no timer and nothing ready"):
        run_virtual(main)


def test_virtual_time_stands_still_while_a_thread_works() -> None:
    async def main(clock: VirtualClock) -> tuple[float, str]:
        began = clock.now()
        ticker = asyncio.create_task(clock.sleep(3600))
        name = await asyncio.to_thread(lambda: [sleep(0.05), "done"][1])
        stood = clock.now() - began
        await ticker
        assert clock.now() - began == pytest.approx(3600)
        return stood, str(name)

    stood, name = run_virtual(main)
    assert name == "done"
    assert stood < 1e-6


def test_foreign_threads_are_waited_for_where_the_test_says_so() -> None:
    async def main(clock: VirtualClock) -> float:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        came = asyncio.Event()
        ticker = asyncio.create_task(clock.sleep(3600))
        began = clock.now()
        with loop.outside():
            Timer(0.05, loop.call_soon_threadsafe, (came.set,)).start()
            await came.wait()
        stood = clock.now() - began
        ticker.cancel()
        return stood

    assert run_virtual(main) < 1e-6

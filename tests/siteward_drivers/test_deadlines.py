"""The timer wheel of time-outs on TCP: late by a tick at most, shared, and gone when nobody waits (goal 8)."""

import asyncio

from siteward_drivers.deadlines import TICK_S, Deadlines
from siteward_drivers.sim.virtual import VirtualClock, run_virtual


def test_a_time_out_comes_never_early_and_a_tick_late_at_most() -> None:
    """Goal 8."""

    async def main(clock: VirtualClock) -> None:
        loop, wheel = asyncio.get_running_loop(), Deadlines()
        due = [loop.time() + 0.1 + 0.0037 * n for n in range(12)]
        came: dict[int, float] = {}
        for number, at in enumerate(due):
            wheel.call_at(at, lambda number=number: came.setdefault(number, loop.time()))  # type: ignore[misc]
        await asyncio.sleep(1.0)
        assert len(came) == len(due)
        assert all(at - 1e-6 <= came[number] <= at + TICK_S + 1e-6 for number, at in enumerate(due))

    run_virtual(main)


def test_what_was_forgotten_does_not_come_and_leaves_no_timer() -> None:
    """Goal 8: most time-outs never come; they must not wake the loop for nothing."""

    async def main(clock: VirtualClock) -> None:
        loop, wheel = asyncio.get_running_loop(), Deadlines()
        came: list[str] = []
        at = loop.time() + 0.1
        first, second = wheel.call_at(at, lambda: came.append("a")), wheel.call_at(at, lambda: came.append("b"))
        first.cancel()
        first.cancel()
        await asyncio.sleep(0.2)
        assert came == ["b"]
        second.cancel()
        third = wheel.call_at(loop.time() + 0.1, lambda: came.append("c"))
        third.cancel()
        assert not [timer for timer in loop._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]

    run_virtual(main)


def test_a_time_out_may_forget_its_neighbours() -> None:
    """Law 7: closing a line at a time-out ends others of the same tick."""

    async def main(clock: VirtualClock) -> None:
        loop, wheel = asyncio.get_running_loop(), Deadlines()
        came: list[int] = []
        at = loop.time() + 0.1
        set_ = [wheel.call_at(at, lambda n=n: (came.append(n), [d.cancel() for d in set_])) for n in range(3)]  # type: ignore[misc]
        await asyncio.sleep(0.2)
        assert len(came) == 1

    run_virtual(main)

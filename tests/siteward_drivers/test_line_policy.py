"""The line's policy: who goes first, what silence costs, what a caller can and cannot do to the wire."""

import asyncio
from itertools import pairwise

import pytest

from siteward.model.errors import DeviceUnreachable, Withdrawn
from siteward.model.wire import FrameStage
from siteward_drivers.errors import LinkDown
from siteward_drivers.line_job import Job, Rank
from siteward_drivers.modbus import Request
from siteward_drivers.profile_schema import TimingPart
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from siteward_drivers.slave import Role

from .rig import rig, value_of

QUICK = TimingPart(response_timeout_s=0.2, gap_s=0.0)


def test_a_cut_overtakes_twenty_waiting_polls_but_never_cuts_an_exchange() -> None:
    """Ruling 3; finding 5: behind a FIFO lock a write waits for every poll."""

    async def main(clock: VirtualClock) -> None:
        async with rig(clock) as it:
            polled, cut = it.slave(1), it.slave(2, Role.CHARGER)
            polls = [asyncio.create_task(it.read(polled, address, 10)) for address in range(20)]
            await asyncio.sleep(0.003)
            await it.write(cut, 261, 60)
            units = [pdu[0] for _, pdu in it.slaves.heard]
            assert units == [1, 2]
            assert len(await asyncio.gather(*polls)) == 20

    run_virtual(main)


def test_ranks_go_out_in_the_order_of_ruling_3() -> None:
    async def main(clock: VirtualClock) -> None:
        async with rig(clock) as it:
            ranks = [Rank.REST, Rank.CONTROL, Rank.LIMIT_METER, Rank.CUT, Rank.FREE]
            busy = asyncio.create_task(it.read(it.slave(9), 0))
            await asyncio.sleep(0.001)
            jobs = [it.read(it.slave(int(rank) + 1), 0, rank=rank) for rank in ranks]
            await asyncio.gather(busy, *jobs)
            assert [pdu[0] for _, pdu in it.slaves.heard] == [9, 1, 2, 3, 5, 6]

    run_virtual(main)


def test_a_cut_waits_for_its_devices_rest_and_no_poll_slips_in_between() -> None:
    async def main(clock: VirtualClock) -> None:
        async with rig(clock) as it:
            charger = it.slave(1, Role.CHARGER, TimingPart(rest_s=0.1, gap_s=0.0))
            other = it.slave(2)
            await it.read(charger, 0)
            answered = clock.now()
            cut = asyncio.create_task(it.write(charger, 261, 60))
            polls = [asyncio.create_task(it.read(other, a)) for a in range(5)]
            await cut
            at, pdu = it.slaves.heard[-1]
            assert pdu[0] == 1
            assert 0.1 <= at - answered < 0.12
            await asyncio.gather(*polls)

    run_virtual(main)


@pytest.mark.parametrize("baud", [1200, 9600, 19200])
def test_every_frame_stands_after_the_silence_of_the_line(baud: int) -> None:
    async def main(clock: VirtualClock) -> None:
        async with rig(clock, baud=baud) as it:
            slave = it.slave(1)
            char_s, ends = 10 / baud, []
            for address in range(20):
                await it.read(slave, address)
                ends.append(clock.now())
            starts = [at for at, _ in it.slaves.heard]
            gaps = [start - end for end, start in zip(ends, starts[1:], strict=False)]
            assert min(gaps) >= 3.5 * char_s - 1e-6

    run_virtual(main)


def test_two_dead_of_24_do_not_starve_the_line() -> None:
    """Goal 4: at least 95 % of the healthy rate."""

    async def rate(clock: VirtualClock, dead: set[int]) -> float:
        async with rig(clock) as it:
            it.slaves.dead = dead
            slaves = [it.slave(unit, timing=TimingPart(response_timeout_s=0.5, gap_s=0.0)) for unit in range(1, 25)]
            good = 0

            async def poll(unit: int) -> None:
                nonlocal good
                while True:
                    try:
                        await it.read(slaves[unit], 0, 10)
                        good += 1
                    except DeviceUnreachable:
                        continue

            tasks = [asyncio.create_task(poll(unit)) for unit in range(24)]
            await asyncio.sleep(20)
            good = 0
            await asyncio.sleep(60)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            return good / 60

    healthy = run_virtual(lambda clock: rate(clock, set()))
    hurt = run_virtual(lambda clock: rate(clock, {3, 17}))
    assert hurt >= 0.95 * healthy


def test_silent_chargers_are_tried_every_five_seconds_and_one_a_second_on_the_line() -> None:
    """R16."""

    async def main(clock: VirtualClock) -> None:
        async with rig(clock) as it:
            chargers = [it.slave(unit, Role.CHARGER, QUICK) for unit in range(1, 9)]
            it.slaves.dead = set(range(1, 9))

            async def poll(unit: int) -> None:
                while True:
                    with pytest.raises(DeviceUnreachable):
                        await it.write(chargers[unit - 1], 262, 60, Rank.CONTROL)

            tasks = [asyncio.create_task(poll(unit)) for unit in range(1, 9)]
            await asyncio.sleep(20)
            it.slaves.heard.clear()
            await asyncio.sleep(60)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            times = [at for at, _ in it.slaves.heard]
            assert min(b - a for a, b in pairwise(times)) >= 0.99
            for unit in range(1, 9):
                own = [at for at, pdu in it.slaves.heard if pdu[0] == unit]
                assert len(own) >= 4
                assert min(b - a for a, b in pairwise(own)) >= 5.0

    run_virtual(main)


def test_a_device_that_comes_back_is_served_as_before() -> None:
    async def main(clock: VirtualClock) -> None:
        async with rig(clock) as it:
            slave = it.slave(1, Role.CHARGER, QUICK)
            it.slaves.dead = {1}
            for _ in range(4):
                with pytest.raises(DeviceUnreachable):
                    await it.read(slave, 0)
            assert slave.silent
            it.slaves.dead = set()
            for _ in range(8):
                try:
                    await it.read(slave, 0)
                    break
                except DeviceUnreachable:
                    continue
            assert not slave.silent
            assert await it.read(slave, 5) == (value_of(1, 3, 5),)

    run_virtual(main)


def test_a_cancelled_caller_leaves_the_queue_but_never_the_wire() -> None:
    async def main(clock: VirtualClock) -> None:
        async with rig(clock) as it:
            slave = it.slave(1)
            stages: list[tuple[int, FrameStage]] = []

            def job(address: int) -> Job:
                request = Request(1, 3, address, 1)
                return Job(slave, request, Rank.REST, trace=lambda s, a, t, r: stages.append((address, s)))

            on_wire = asyncio.create_task(it.line.perform(job(10)))
            waiting = asyncio.create_task(it.line.perform(job(20)))
            await asyncio.sleep(0.003)
            on_wire.cancel()
            waiting.cancel()
            await asyncio.wait([on_wire, waiting])
            assert await it.read(slave, 30) == (value_of(1, 3, 30),)
            assert [int.from_bytes(pdu[2:4], "big") for _, pdu in it.slaves.heard] == [10, 30]
            assert [s for a, s in stages if a == 10] == [FrameStage.QUEUED, FrameStage.SENT, FrameStage.ANSWERED]
            assert [s for a, s in stages if a == 20] == [FrameStage.QUEUED, FrameStage.WITHDRAWN]

    run_virtual(main)


def test_control_is_tried_twice_and_telemetry_once() -> None:
    async def main(clock: VirtualClock) -> None:
        async with rig(clock) as it:
            slave = it.slave(1, Role.CHARGER, QUICK)
            it.slaves.lie = lambda request, reply: []
            with pytest.raises(DeviceUnreachable):
                await it.write(slave, 261, 60)
            assert len(it.slaves.heard) == 2
            slave.misses = 0
            with pytest.raises(DeviceUnreachable):
                await it.read(slave, 1)
            assert len(it.slaves.heard) == 3

    run_virtual(main)


def test_the_guard_is_asked_at_the_instant_of_sending_and_a_deadline_ends_a_raise() -> None:
    """R4: a raise that waited too long, or that the ledger no longer carries, never goes out."""

    async def main(clock: VirtualClock) -> None:
        async with rig(clock) as it:
            slave = it.slave(1, Role.CHARGER)
            asked: list[float] = []

            def guard(at: float) -> str:
                asked.append(at)
                return "no room"

            busy = asyncio.create_task(it.read(it.slave(2), 0, 100))
            await asyncio.sleep(0.001)
            queued = clock.now()
            request = Request(1, 6, 261, 1, (160,))
            with pytest.raises(Withdrawn, match="no room"):
                await it.line.perform(Job(slave, request, Rank.CONTROL, guard=guard))
            assert asked[0] > queued
            with pytest.raises(Withdrawn, match="deadline"):
                await it.line.perform(Job(slave, request, Rank.CONTROL, deadline=clock.now() - 0.001))
            await busy
            assert it.slaves.frames(1) == []

    run_virtual(main)


def test_a_newer_write_takes_the_place_of_an_older_one() -> None:
    async def main(clock: VirtualClock) -> None:
        async with rig(clock) as it:
            slave = it.slave(1, Role.CHARGER)
            busy = asyncio.create_task(it.read(it.slave(2), 0, 100))
            await asyncio.sleep(0.001)

            def job(word: int, rank: Rank) -> Job:
                return Job(slave, Request(1, 6, 261, 1, (word,)), rank, key="A01-1")

            raise_ = asyncio.create_task(it.line.perform(job(160, Rank.CONTROL)))
            await asyncio.sleep(0.001)
            await it.line.perform(job(60, Rank.CUT))
            with pytest.raises(Withdrawn):
                await raise_
            await busy
            assert it.slaves.frames(1) == [b"\x06\x01\x05\x00\x3c"]

    run_virtual(main)


def test_what_frees_a_way_goes_before_the_looks_at_the_arm() -> None:
    """I11, I12: urgent reads of a moving arm that were asked for earlier do not hold up what turns it round."""

    async def main(clock: VirtualClock) -> None:
        async with rig(clock) as it:
            board = it.slave(1, Role.INOUT)
            busy = asyncio.create_task(it.read(it.slave(2), 0, 100))
            await asyncio.sleep(0.001)
            looks = [Job(board, Request(1, 3, n, 1), Rank.CUT) for n in range(2)]
            reading = [asyncio.create_task(it.line.perform(look)) for look in looks]
            await asyncio.sleep(0.001)
            await it.line.perform(Job(board, Request(1, 6, 261, 1, (60,)), Rank.FREE))
            assert not any(look.future.done() for look in looks)
            await asyncio.gather(busy, *reading)
            assert [frame[0] for frame in it.slaves.frames(1)] == [6, 3, 3]

    run_virtual(main)


def test_a_port_that_vanishes_fails_the_callers_and_comes_back_by_itself() -> None:
    async def main(clock: VirtualClock) -> None:
        async with rig(clock) as it:
            slave = it.slave(1)
            await it.read(slave, 0)
            it.link.plug(False)
            began = clock.now()
            with pytest.raises(DeviceUnreachable, match="down"):
                await it.read(slave, 1)
            assert clock.now() - began < 1.5
            assert not it.line.view().open
            await asyncio.sleep(30)
            it.link.plug(True)
            await asyncio.sleep(11)
            assert await it.read(slave, 2) == (value_of(1, 3, 2),)

    run_virtual(main)


def test_a_line_whose_port_is_missing_at_start_opens_all_the_same() -> None:
    async def main(clock: VirtualClock) -> None:
        async with rig(clock) as it:
            await it.line.close()
            it.link.plug(False)
            with pytest.raises(LinkDown):
                await it.link.open()
            await it.line.open()
            with pytest.raises(DeviceUnreachable):
                await it.read(it.slave(1), 0)

    run_virtual(main)


def test_the_timeout_is_learned_from_twenty_answers_and_bounded_by_the_profile() -> None:
    async def main(clock: VirtualClock) -> None:
        async with rig(clock) as it:
            slave = it.slave(1, timing=TimingPart(response_timeout_s=0.5, gap_s=0.0))
            assert slave.timeout_s == 0.5
            for address in range(20):
                await it.read(slave, address)
            assert 0.1 <= slave.timeout_s < 0.12
            slave.misses = 1
            assert 0.2 <= slave.timeout_s < 0.24
            slave.misses = 7
            assert slave.timeout_s == 0.5

    run_virtual(main)


def test_statistics_count_what_happened() -> None:
    async def main(clock: VirtualClock) -> None:
        async with rig(clock) as it:
            slave = it.slave(1, timing=QUICK)
            for address in range(10):
                await it.read(slave, address)
            it.slaves.dead = {1}
            with pytest.raises(DeviceUnreachable):
                await it.read(slave, 0)
            view = it.line.view()
            seen = view.slaves[0]
            assert (seen.sent, seen.answered, seen.timeouts, seen.garbled) == (11, 10, 1, 0)
            assert seen.latency_ms is not None
            assert 4 < seen.latency_ms < 12
            assert 0 < view.load < 1
            assert view.open
            assert view.early_frames == 0

    run_virtual(main)


def test_a_line_that_nobody_answers_is_opened_anew() -> None:
    """A gateway that dropped us without a word looks like silence of all."""

    async def main(clock: VirtualClock) -> None:
        async with rig(clock) as it:
            it.slaves.dead = {1, 2}
            slaves = [it.slave(unit, Role.CHARGER, QUICK) for unit in (1, 2)]
            inbox = it.link._wire.inboxes[0]
            for _ in range(30):
                for slave in slaves:
                    with pytest.raises(DeviceUnreachable):
                        await it.read(slave, 0)
            assert it.link._wire.inboxes[0] is not inbox

    run_virtual(main)


def test_closing_fails_what_waits() -> None:
    async def main(clock: VirtualClock) -> None:
        async with rig(clock) as it:
            slave = it.slave(1)
            calls = [asyncio.create_task(it.read(slave, a)) for a in range(5)]
            await asyncio.sleep(0.002)
            await it.line.close()
            results = await asyncio.gather(*calls, return_exceptions=True)
            assert all(isinstance(r, DeviceUnreachable) for r in results)
            with pytest.raises(DeviceUnreachable, match="closed"):
                await it.read(slave, 1)

    run_virtual(main)


def test_a_line_that_never_falls_silent_fails_its_callers_instead_of_holding_them() -> None:
    async def main(clock: VirtualClock) -> None:
        async with rig(clock) as it:
            slave = it.slave(1, timing=QUICK)

            async def babble() -> None:
                while True:
                    it.slaves.end.write(b"\x55")
                    await asyncio.sleep(0.001)

            babbler = asyncio.create_task(babble())
            began = clock.now()
            it.slaves.dead = {1}
            with pytest.raises(DeviceUnreachable, match="wrong bytes"):
                await it.read(slave, 1)
            assert clock.now() - began < 1.5
            it.slaves.dead = set()
            assert await it.read(slave, 2) == (value_of(1, 3, 2),)
            babbler.cancel()

    run_virtual(main)

"""The thread link on a line (goals 1, 2 and 5, law 7): it sends at the instant, sleeps, and changes no rule."""

import asyncio
import os
import tty
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import pytest

from siteward.model.errors import Withdrawn
from siteward.model.ids import LineId
from siteward.model.site import Line, LinkKind
from siteward.model.wire import FrameStage
from siteward_drivers.errors import Disturbed
from siteward_drivers.line_job import Job, Rank
from siteward_drivers.link import Frame
from siteward_drivers.link_memory import MemoryLink
from siteward_drivers.link_thread import ThreadLink
from siteward_drivers.links import open_link
from siteward_drivers.modbus import Request
from siteward_drivers.port_thread import PortThread
from siteward_drivers.profile_schema import TimingPart
from siteward_drivers.recorder import RecordedLink, Recorder
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from siteward_drivers.slave import Role
from siteward_drivers.wire import RtuWire

from .rig import Rig, crc, rig, value_of
from .test_line_lies import Liar, storm
from .wiring import joined_ptys

QUICK = TimingPart(response_timeout_s=0.2, gap_s=0.0)
CHAR_S = 10 / 19200


@asynccontextmanager
async def real_rig(kind: LinkKind, baud: int = 19200) -> AsyncIterator[Rig]:
    """A line on a real port, scripted slaves on the other; time is real."""
    loop = asyncio.get_running_loop()
    with joined_ptys() as (near, far):
        ends = open_link(Line(LineId("n"), near, baud, link=kind)), open_link(Line(LineId("f"), far, baud))
        async with rig(VirtualClock(loop), baud=baud, ends=ends) as made:
            await asyncio.sleep(0.1)
            yield made
            await ends[1].close()


@pytest.mark.parametrize("kind", LinkKind)
async def test_no_link_takes_a_lie_for_a_value(kind: LinkKind) -> None:
    """Goal 5: late, doubled, short, noisy and missing answers over a real port."""
    async with real_rig(kind) as it:
        liar = Liar(5)
        it.slaves.lie = liar
        right, wrong = await storm(it, 60)
        assert liar.told > 12
        assert right > 20
        assert wrong == 0


class Holding(MemoryLink):
    """A timed link that listens as the thread does; `broken` silences more are broken by nobody's bytes."""

    lead_s = 0.002
    broken = 0
    frame: Frame | None = None
    held: tuple[Frame, bytes] | None = None

    def heard_at(self) -> float:
        return asyncio.get_running_loop().time()

    def expect(self, frame: Frame) -> None:
        self.frame = frame

    def write(self, data: bytes) -> None:
        if self.frame is None:
            super().write(data)
        else:
            self.held, self.frame = (self.frame, data), None

    async def read(self, deadline: float) -> bytes:
        if self.held is not None:
            (frame, data), self.held = self.held, None
            early = await super().read(max(frame.send_at, asyncio.get_running_loop().time()))
            inbox = self._wire.inboxes[self._end]
            if inbox is not None and early:
                inbox.data_received(early)
            if self.broken or (early and frame.send_at > asyncio.get_running_loop().time()):
                self.broken -= bool(self.broken)
                raise Disturbed("bytes came before the frame")
            super().write(data)
        return await super().read(deadline)


def test_a_frame_that_was_held_back_is_asked_about_again_and_counts_once() -> None:
    """R4, ruling 3: the guard decides anew, a newer write takes its place, and a caller may still give up."""

    async def main(clock: VirtualClock) -> None:
        ours, theirs = Holding.pair()
        async with rig(clock, ends=(ours, theirs)) as it:
            slave = it.slave(1, Role.CHARGER, QUICK)
            asked: list[float] = []
            stages: list[FrameStage] = []

            def job(word: int) -> Job:
                request = Request(1, 6, 261, 1, (word,))
                guard = lambda at: asked.append(at) or ""  # noqa: E731
                return Job(slave, request, Rank.CUT, 1, guard, lambda stage, *_: stages.append(stage), key="limit")

            ours.broken = 3
            await it.line.perform(job(60))
            assert len(asked) == 4
            assert (slave.sent, slave.answered, slave.misses) == (1, 1, 0)
            assert slave.last == job(60).request
            assert len(it.slaves.heard) == 1
            ours.broken = 1
            older = asyncio.create_task(it.line.perform(job(70)))
            await asyncio.sleep(0.0005)
            await it.line.perform(job(80))
            with pytest.raises(Withdrawn, match="a newer write took its place"):
                await older
            ours.broken = 1
            stages.clear()
            gone = asyncio.create_task(it.line.perform(job(90)))
            await asyncio.sleep(0.0025)
            assert stages[-1] is FrameStage.SENT
            gone.cancel()
            await asyncio.wait([gone])
            await asyncio.sleep(0.1)
            assert stages == [FrameStage.QUEUED, FrameStage.SENT, FrameStage.WITHDRAWN]
            assert [pdu[4:] for _, pdu in it.slaves.heard] == [b"\0\x3c", b"\0\x50"]

    run_virtual(main)


def test_a_line_that_never_falls_silent_gets_its_frames_all_the_same() -> None:
    """Fault 8: after half a second frames go out at once, without an instant to wait for."""

    async def main(clock: VirtualClock) -> None:
        ours, theirs = Holding.pair()
        async with rig(clock, ends=(ours, theirs)) as it:
            slave = it.slave(1, timing=QUICK)

            async def babble() -> None:
                while True:
                    theirs.write(b"\x55")
                    await asyncio.sleep(0.0005)

            task = asyncio.create_task(babble())
            await asyncio.sleep(0.01)
            began = clock.now()
            assert await it.read(slave, 7) == (value_of(1, 3, 7),)
            assert 0.5 < clock.now() - began < 1.5
            assert slave.sent == slave.answered == 1
            task.cancel()
            await asyncio.wait([task])

    run_virtual(main)


async def test_bytes_between_decision_and_sending_hold_the_frame_back() -> None:
    """Goal 1, law 7: nothing goes out unless the whole silence stood before it, and nothing goes out early."""
    loop = asyncio.get_running_loop()
    master, port = os.openpty()
    tty.setraw(master)
    tty.setraw(port)
    os.set_blocking(master, False)
    link = open_link(Line(LineId("l"), os.ttyname(port), 19200, link=LinkKind.THREAD))
    assert isinstance(link, ThreadLink)
    await link.open()
    for noise in (b"\x55", b"\x01\x03"):
        send_at = loop.time() + 0.05
        link.expect(Frame(send_at, 7, send_at, CHAR_S))
        link.write(b"request!")
        os.write(master, noise)
        with pytest.raises(Disturbed):
            await link.read(loop.time() + 1.0)
        assert loop.time() < send_at
        await asyncio.sleep(0.06)
        with pytest.raises(BlockingIOError):
            os.read(master, 100)
        assert await link.read(loop.time()) == noise
        send_at = loop.time() + 0.03
        link.expect(Frame(send_at, 7, send_at, CHAR_S))
        link.write(b"request!")
        came: asyncio.Future[float] = loop.create_future()
        loop.add_reader(master, lambda came=came: came.done() or came.set_result(loop.time()))
        reader = asyncio.create_task(link.read(loop.time() + 1.0))
        assert send_at <= await came < send_at + 0.5
        loop.remove_reader(master)
        assert os.read(master, 100) == b"request!"
        os.write(master, b"answer!")
        assert await reader == b"answer!"
    await link.close()
    os.close(master)
    os.close(port)


@asynccontextmanager
async def paced_port(answer: bytes, turnaround_s: float) -> AsyncIterator[str]:
    """A port whose device sends this answer to whatever comes, one character at its instant after the other."""
    loop = asyncio.get_running_loop()
    master, port = os.openpty()
    tty.setraw(master)
    tty.setraw(port)
    os.set_blocking(master, False)

    def hear() -> None:
        request = os.read(master, 256)
        start = loop.time() + len(request) * CHAR_S + turnaround_s
        for index in range(len(answer)):
            loop.call_at(start + (index + 1) * CHAR_S, os.write, master, answer[index : index + 1])

    loop.add_reader(master, hear)
    try:
        yield os.ttyname(port)
    finally:
        loop.remove_reader(master)
        os.close(master)
        os.close(port)


async def test_the_thread_sleeps_through_an_answer_whose_length_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal 2: a byte that must be followed by others wakes nobody."""
    looks = 0
    real = PortThread.read

    def read(port: PortThread) -> bytes:
        nonlocal looks
        looks += 1
        return real(port)

    monkeypatch.setattr(PortThread, "read", read)
    body = bytes((1, 3, 120)) + bytes(120)
    answer = body + crc(body)
    async with paced_port(answer, 0.004) as port:
        link = ThreadLink(port, 19200, Line(LineId("l"), port).parity, 1)
        await link.open()
        loop = asyncio.get_running_loop()
        for _ in range(3):
            now = loop.time()
            link.expect(Frame(now, len(answer), now + 8 * CHAR_S + 0.004, CHAR_S))
            link.write(bytes(8))
            assert await link.read(now + 1.0) == answer
            whole_at = now + (8 + len(answer)) * CHAR_S + 0.004
            assert whole_at - 0.001 < link.heard_at() < whole_at + 0.05
        await link.close()
    assert 3 <= looks <= 3 * 8


@pytest.mark.parametrize("length", [5, 20])
async def test_an_answer_that_is_shorter_or_longer_than_foretold_is_read_all_the_same(length: int) -> None:
    """Law 7, goal 5: a refusal is five bytes where twenty-five were due; the length is a hint and no promise."""
    async with paced_port(bytes(range(length)), 0.001) as port:
        link = ThreadLink(port, 19200, Line(LineId("l"), port).parity, 1)
        await link.open()
        loop = asyncio.get_running_loop()
        link.expect(Frame(loop.time(), 12, loop.time() + 8 * CHAR_S, CHAR_S))
        link.write(bytes(8))
        heard, ends = b"", loop.time() + 1.0
        while len(heard) < length and (data := await link.read(ends)):
            heard += data
        assert heard == bytes(range(length))
        assert loop.time() < ends - 0.8
        await link.close()


def _late_then_early(request: bytes, reply: bytes) -> Iterable[tuple[float, bytes]]:
    return [(0.06 if request[3] < 5 else 0.02, reply)]


async def test_a_slave_that_becomes_quicker_is_soon_answered_as_quickly() -> None:
    """Goal 1: what was learned of its turnaround follows it down, a tenth of an answer at a time."""
    async with real_rig(LinkKind.THREAD) as it:
        slave = it.slave(1, timing=QUICK)
        it.slaves.lie = _late_then_early
        for address in range(5):
            await it.read(slave, address)
        assert slave.soonest_s > 0
        slow = slave.soonest_s
        for address in range(5, 15):
            await it.read(slave, address)
        assert slave.soonest_s < slow


def test_a_wrapped_link_is_asked_itself_what_it_can_do() -> None:
    """Law 7: from Python 3.12 on, an ability that is only passed on counts as none: tuning was lost there."""
    line = Line(LineId("l"), "/dev/wire", link=LinkKind.THREAD)
    link = open_link(line)
    wire = RtuWire(RecordedLink(link, Recorder(VirtualClock())), line)
    assert wire._timed is link
    assert wire._tunable is link


@pytest.mark.parametrize("allowed", [True, False])
async def test_a_thread_that_may_not_run_first_runs_all_the_same(
    allowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Goal 1: real_time is a wish; where the system refuses it nothing fails."""
    asked: list[int] = []

    def sched_setscheduler(process: int, policy: int, parameters: object) -> None:
        asked.append(policy)
        if not allowed:
            raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", sched_setscheduler)
    async with paced_port(b"answer", 0.001) as port:
        link = ThreadLink(port, 19200, Line(LineId("l"), port).parity, 1, real_time=True)
        assert not link.is_real_time
        await link.open()
        link.write(b"request")
        assert (await link.read(asyncio.get_running_loop().time() + 1.0)).startswith(b"a")
        assert link.is_real_time is allowed
        await link.close()
    assert asked == [os.SCHED_FIFO]

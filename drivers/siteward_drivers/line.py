"""The line: the one task that owns a wire and decides which request goes out next (law 7)."""

import asyncio

from siteward.model.errors import DeviceUnreachable, WeAreWrong, Withdrawn
from siteward.model.ids import LineId
from siteward.model.live import LineView
from siteward.model.ports import Clock
from siteward.model.site import Line
from siteward.model.wire import FrameStage
from siteward_drivers.answer import Answer
from siteward_drivers.babble import Babble
from siteward_drivers.busy import Busy
from siteward_drivers.errors import Disturbed, LinkDown, SettingsRefused
from siteward_drivers.line_book import LineBook
from siteward_drivers.line_job import Job, Rank, hear_out
from siteward_drivers.line_paying import pay
from siteward_drivers.line_prompt import PromptPath
from siteward_drivers.line_visit import Visit
from siteward_drivers.link import Link
from siteward_drivers.profile_schema import Transport
from siteward_drivers.recorder import MEMORY_MAX, RecordedLink, Recorder
from siteward_drivers.slave import Slave
from siteward_drivers.wire import RtuWire, Wire
from siteward_drivers.wire_tcp import TcpWire


class LineOwner:
    """Owner of one wire: callers hand in jobs, one task sends them one at a time, the most urgent first.

    A caller that is cancelled leaves the queue if its frame was not sent; a frame on the wire is always carried to its
    end, so that its answer can never be taken for another's. On an idle wire whose link calls back the frame goes out
    and its answer comes in without the task (`line_prompt`): it then only sleeps, reopens and waits for devices.
    """

    def __init__(self, line: Line, link: Link, framing: Transport, clock: Clock, ring_bytes: int = MEMORY_MAX) -> None:
        self.line = line
        self.slaves: list[Slave] = []
        self.recorder = Recorder(clock, ring_bytes)
        self._link = RecordedLink(link, self.recorder)
        self._wire: Wire = TcpWire(self._link) if framing is Transport.TCP else RtuWire(self._link, line)
        self._wake = asyncio.Event()
        self._book = LineBook(line, clock, self._wire, self.slaves, self._wake.set)
        self._queue = self._book.queue
        self._busy = Busy()
        self._task: asyncio.Task[None] | None = None
        self._current: Job | None = None
        self.openings = 0
        self.displaced: LineId | None = None
        """The line whose devices answer here since adapters changed places (fault 7)."""
        self._babble = Babble()
        self._prompt: PromptPath | None = None
        if isinstance(self._wire, TcpWire) and self._wire.calls_back:
            self._prompt = PromptPath(self._wire, self._link, self._book, self._busy, self._wake.set)

    def add_slave(self, slave: Slave) -> Slave:
        """Register an address, for its statistics."""
        self.slaves.append(slave)
        return slave

    async def open(self) -> None:
        """Start the task; a missing port is retried in the background."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"line {self.line.id}")
            self._task.add_done_callback(self._ended)

    async def close(self) -> None:
        """Stop the task, close the port and fail what waits."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        if self._prompt is not None:
            self._prompt.abandon(f"line {self.line.id}: closed")
        await self._link.close()
        for job in self._queue.waiting():
            self._queue.remove(job)
            self._book.endings.never_sent(job, DeviceUnreachable(f"line {self.line.id} is closed"))

    def _ended(self, task: asyncio.Task[None]) -> None:
        # A task that dies of a broken promise must not do so in silence: its waiting callers would hang for ever.
        if task.cancelled() or task.exception() is None:
            return
        hanging = [*self._queue.waiting(), *([self._current] if self._current else [])]
        for job in hanging:
            self._queue.remove(job)
            if not job.future.done():
                job.future.set_exception(WeAreWrong(f"line {self.line.id} died: {task.exception()!r}"))

    async def perform(self, job: Job) -> Answer:
        """Have a job done. Raises DeviceUnreachable, DeviceRefused, Withdrawn."""
        if self._task is None or self._task.done():
            self._book.endings.trace(job, FrameStage.QUEUED)
            self._book.endings.trace(job, FrameStage.WITHDRAWN, reason="line is closed")
            raise DeviceUnreachable(f"line {self.line.id} is closed")
        self._book.endings.trace(job, FrameStage.QUEUED)
        now = asyncio.get_running_loop().time()
        if self._prompt is None or not self._prompt.take(job, now):
            older = self._queue.add(job, now)
            if older is not None:
                self._book.endings.never_sent(older, Withdrawn("a newer write took its place"))
            self._attend()
        try:
            return await job.future
        except asyncio.CancelledError:
            if self._queue.remove(job):
                self._book.endings.trace(job, FrameStage.WITHDRAWN, reason="caller gave up")
            raise

    def distrust(self, why: str) -> None:
        """A device found that answers came one request behind: a connection is opened anew, it begins without backlog.

        A wire of our own is only drained: nobody keeps a queue on it.
        """
        if not self.line.is_serial:
            self._book.why_down, self._book.distrusted = why, True
            self._wake.set()

    def view(self) -> LineView:
        """Statistics of the line and its slaves."""
        load = self._busy.share(asyncio.get_running_loop().time())
        heard = self._wire.overheard
        slaves = tuple(slave.view() for slave in self.slaves)
        return LineView(
            self.line.id, self.line.port, self._link.is_open, load, 0, slaves, heard.echo, heard.foreign, self.openings
        )

    @property
    def foreign_lately(self) -> bool:
        """Whether another master spoke on this line within the last minute (fault 5)."""
        return self._wire.overheard.foreign_lately(asyncio.get_running_loop().time())

    @property
    def carried_promptly(self) -> int:
        """How many frames went out and were answered without the line's task (goal 8)."""
        return 0 if self._prompt is None else self._prompt.carried

    async def _run(self) -> None:
        while True:
            try:
                await self._step()
            except LinkDown as error:
                self._book.why_down = str(error)
                await self._link.close()

    def _attend(self) -> None:
        if self._prompt is None:
            self._wake.set()
        else:
            self._prompt.attend()

    async def _step(self) -> None:
        await self._give_up()
        if not self._link.is_open and not await self._reopen():
            return
        loop = asyncio.get_running_loop()
        self._wake.clear()
        if not self._queue or (self._prompt is not None and self._prompt.on_wire):
            await self._rest()
            return
        self._book.drop_impatient(link_up=True)
        job, again = self._queue.pick(loop.time())
        if job is None:
            await self._sleep_until(self._earlier(again, link_up=True))
            return
        began = loop.time()
        calm_at = self._wire.calm_at(job.slave)
        if calm_at > began:
            # Whoever comes meanwhile is looked at anew: a cut waits for its own device's gap, not for this one's.
            await self._sleep_until(calm_at)
            self._spent(job, began)
            return
        # Bytes may make the wait for silence long: whatever became most urgent meanwhile is what goes out.
        silence = await self._wire.settle(job.slave)
        if silence:
            self._book.clash.judge_last(self._wire.strays, self.foreign_lately, loop.time())
        free = self._babble.may_send(silence, loop.time())
        if free and self._queue.pick(loop.time())[0] is job and self._tuned(job) and self._queue.remove(job):
            self._current = job
            try:
                await self._send(job)
            except Disturbed:
                self._babble.not_silent(loop.time())
                self._book.hold_back(job)
            self._current = None
        self._spent(job, began)
        await hear_out(job)

    def _spent(self, job: Job, began: float) -> None:
        """Book the wire's time; glances take only what is left over."""
        if job.rank is not Rank.GLANCE:
            self._busy.add(began, asyncio.get_running_loop().time())

    async def _give_up(self) -> None:
        """Close a port that is not to be used any more. Raises LinkDown where its connection ended."""
        prompt = self._prompt
        if prompt is not None and prompt.broken is not None:
            broken, prompt.broken = prompt.broken, None
            raise broken
        if self._book.distrusted and (prompt is None or not prompt.on_wire):
            self._book.distrusted = False
            await self._link.close()

    async def _rest(self) -> None:
        """Sleep until there is something that only the task can do."""
        if self._prompt is not None:
            self._prompt.idle = True
        await self._wake.wait()
        if self._prompt is not None:
            self._prompt.idle = False

    def _tuned(self, job: Job) -> bool:
        """Take the serial settings of the job's device; where the port cannot, the job fails and the line goes on."""
        try:
            self._wire.tune(job.slave)
        except SettingsRefused as error:
            self._queue.remove(job)
            self._book.endings.never_sent(
                job, error if isinstance(job, Visit) else DeviceUnreachable(f"{job.slave.device}: {error}")
            )
            return False
        return True

    async def _reopen(self) -> bool:
        await self._wait_to_reopen()
        loop = asyncio.get_running_loop()
        try:
            await self._link.open()
        except LinkDown as error:
            self._book.why_down = str(error)
            return False
        finally:
            self._book.reopening.tried(loop.time())
        self.openings += 1
        self.displaced = None
        self._book.reopening.opened(loop.time())
        self._wire.reset()
        return True

    async def _wait_to_reopen(self) -> None:
        loop = asyncio.get_running_loop()
        self._book.drop_impatient(link_up=False)
        while loop.time() < self._book.reopening.next_at:
            self._wake.clear()
            self._book.drop_impatient(link_up=False)
            await self._sleep_until(self._earlier(self._book.reopening.next_at, link_up=False))

    def _earlier(self, at: float, link_up: bool) -> float:
        impatience = self._queue.next_impatience(asyncio.get_running_loop().time(), link_up)
        return at if impatience is None else min(at, impatience)

    async def _sleep_until(self, at: float) -> None:
        """Sleep until the time or the next new job."""
        # Whoever had an answer just now mostly asks on at once: that needs no timer.
        await asyncio.sleep(0)
        if self._wake.is_set():
            return
        timer = asyncio.get_running_loop().call_at(at, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            timer.cancel()

    async def _send(self, job: Job) -> None:
        at = self._book.allowed(job)
        if at is None:
            return
        if isinstance(job, Visit):
            await self._visit(job, at)
            return
        frame = self._book.begin(job, at, asyncio.get_running_loop().time())
        try:
            outcome = await self._wire.exchange(job.slave, job.request, frame.before)
        except (LinkDown, asyncio.CancelledError) as error:
            self._book.missed(job, frame.at, f"line {self.line.id}: {str(error) or 'closed'}", noise=False)
            raise
        if self._book.end(frame, outcome):
            await self._link.close()

    async def _visit(self, visit: Visit, at: float) -> None:
        """Send the call of a bus tool. Silence is no sign of a dead port: most addresses that are tried are free."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        heard = await pay(visit, self._wire, self._book.endings, at)
        ended = loop.time()
        self._queue.visited(ended + (ended - began) * visit.pause_factor)
        if heard:
            self._book.reopening.heard(ended)

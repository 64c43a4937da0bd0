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
from siteward_drivers.line_clash import LineClash
from siteward_drivers.line_ending import Endings, why_missed
from siteward_drivers.line_job import Job, JobQueue, OnWire
from siteward_drivers.line_paying import pay
from siteward_drivers.line_visit import Visit
from siteward_drivers.link import Link
from siteward_drivers.profile_schema import Transport
from siteward_drivers.recorder import RecordedLink, Recorder
from siteward_drivers.reopening import Reopening
from siteward_drivers.slave import Slave
from siteward_drivers.wire import Outcome, RtuWire, Wire
from siteward_drivers.wire_tcp import TcpWire


class LineOwner:
    """Owner of one wire: callers hand in jobs, one task sends them one at a time, the most urgent first.

    A caller that is cancelled leaves the queue if its frame was not sent; a frame on the wire is always carried to its
    end, so that its answer can never be taken for another's. On an idle wire whose link calls back the frame goes out
    and its answer comes in without the task (`_try_now`, `_done`): it then only sleeps, reopens and waits for devices.
    """

    def __init__(self, line: Line, link: Link, framing: Transport, clock: Clock) -> None:
        self.line = line
        self.slaves: list[Slave] = []
        self.recorder = Recorder(clock)
        self._link = RecordedLink(link, self.recorder)
        self._clock = clock
        self._wire: Wire = TcpWire(self._link) if framing is Transport.TCP else RtuWire(self._link, line)
        self._queue = JobQueue()
        self._wake = asyncio.Event()
        self._busy = Busy()
        self._task: asyncio.Task[None] | None = None
        self._current: Job | None = None
        self._reopening = Reopening(line)
        self._why_down = "not opened"
        self.openings = 0
        self.displaced: LineId | None = None
        """The line whose devices answer here since adapters changed places (fault 7)."""
        self._distrusted = False
        self._clash = LineClash(self.slaves)
        self._endings = Endings(clock)
        self._babble = Babble()
        self._prompt = self._wire if isinstance(self._wire, TcpWire) else None
        self._started: OnWire | None = None
        self._idle = False
        self._broken: LinkDown | None = None

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
        started, self._started = self._started, None
        if started is not None and self._prompt is not None:
            self._prompt.abandon()
            self._missed(started.job, started.at, f"line {self.line.id}: closed", noise=False)
        await self._link.close()
        for job in self._queue.waiting():
            self._queue.remove(job)
            self._endings.never_sent(job, DeviceUnreachable(f"line {self.line.id} is closed"))

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
            self._endings.trace(job, FrameStage.QUEUED)
            self._endings.trace(job, FrameStage.WITHDRAWN, reason="line is closed")
            raise DeviceUnreachable(f"line {self.line.id} is closed")
        self._endings.trace(job, FrameStage.QUEUED)
        older = self._queue.add(job, asyncio.get_running_loop().time())
        if older is not None:
            self._endings.never_sent(older, Withdrawn("a newer write took its place"))
        self._attend()
        try:
            return await job.future
        except asyncio.CancelledError:
            if self._queue.remove(job):
                self._endings.trace(job, FrameStage.WITHDRAWN, reason="caller gave up")
            raise

    def distrust(self, why: str) -> None:
        """A device found that answers came one request behind: a connection is opened anew, it begins without backlog.

        A wire of our own is only drained: nobody keeps a queue on it.
        """
        if not self.line.is_serial:
            self._why_down, self._distrusted = why, True
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

    async def _run(self) -> None:
        while True:
            try:
                await self._step()
            except LinkDown as error:
                self._why_down = str(error)
                await self._link.close()

    def _attend(self) -> None:
        """See to the queue: at once where the task sleeps and nothing stands in the way, else by waking the task."""
        if self._started is None and not (self._idle and self._try_now()):
            self._wake.set()

    def _try_now(self) -> bool:
        """Send the most urgent job from here; False where only the task can (it must wait, or open the port)."""
        wire, now = self._prompt, asyncio.get_running_loop().time()
        if wire is None or self._broken is not None or self._distrusted or not self._link.is_open:
            return False
        job, _ = self._queue.pick(now)
        if job is None or isinstance(job, Visit) or not wire.can_start(job.slave, now):
            return False
        self._queue.remove(job)
        at = self._allowed(job)
        if at is None:
            return not self._queue
        self._started = frame = self._begin(job, at, now)
        try:
            wire.start(job.slave, job.request, frame.before, self._done)
        except LinkDown as error:
            self._done(error)
        return True

    def _done(self, outcome: Outcome | LinkDown) -> None:
        """Take what became of the frame that was sent without the task."""
        frame, self._started = self._started, None
        if frame is None:
            return
        try:
            if isinstance(outcome, LinkDown):
                self._missed(frame.job, frame.at, f"line {self.line.id}: {outcome}", noise=False)
                self._broken = outcome
            elif self._end(frame, outcome):
                self._broken = LinkDown(self._why_down)
        finally:
            self._busy.add(frame.sent, asyncio.get_running_loop().time())
            if not frame.job.future.done() and frame.job not in self._queue:
                frame.job.future.set_exception(WeAreWrong(f"line {self.line.id} lost a frame"))
        if self._broken is not None or self._distrusted:
            self._wake.set()
        elif self._queue:
            self._attend()

    async def _step(self) -> None:
        broken, self._broken = self._broken, None
        if broken is not None:
            raise broken
        if self._distrusted and self._started is None:
            self._distrusted = False
            await self._link.close()
        if not self._link.is_open and not await self._reopen():
            return
        loop = asyncio.get_running_loop()
        self._wake.clear()
        if self._started is not None or not self._queue:
            self._idle = True
            await self._wake.wait()
            self._idle = False
            return
        self._drop_impatient(link_up=True)
        job, again = self._queue.pick(loop.time())
        if job is None:
            await self._sleep_until(self._earlier(again, link_up=True))
            return
        began = loop.time()
        calm_at = self._wire.calm_at(job.slave)
        if calm_at > began:
            # Whoever comes meanwhile is looked at anew: a cut waits for its own device's gap, not for this one's.
            await self._sleep_until(calm_at)
            self._busy.add(began, loop.time())
            return
        # Bytes may make the wait for silence long: whatever became most urgent meanwhile is what goes out.
        silence = await self._wire.settle(job.slave)
        if silence:
            self._clash.judge_last(self._wire.strays, self.foreign_lately, loop.time())
        free = self._babble.may_send(silence, loop.time())
        if free and self._queue.pick(loop.time())[0] is job and self._tuned(job) and self._queue.remove(job):
            self._current = job
            try:
                await self._send(job)
            except Disturbed:
                self._babble.not_silent(loop.time())
                self._hold_back(job)
            self._current = None
        self._busy.add(began, loop.time())

    def _tuned(self, job: Job) -> bool:
        """Take the serial settings of the job's device; where the port cannot, the job fails and the line goes on."""
        try:
            self._wire.tune(job.slave)
        except SettingsRefused as error:
            self._queue.remove(job)
            self._endings.never_sent(
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
            self._why_down = str(error)
            return False
        finally:
            self._reopening.tried(loop.time())
        self.openings += 1
        self.displaced = None
        self._reopening.opened(loop.time())
        self._wire.reset()
        return True

    async def _wait_to_reopen(self) -> None:
        loop = asyncio.get_running_loop()
        self._drop_impatient(link_up=False)
        while loop.time() < self._reopening.next_at:
            self._wake.clear()
            self._drop_impatient(link_up=False)
            await self._sleep_until(self._earlier(self._reopening.next_at, link_up=False))

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

    def _drop_impatient(self, link_up: bool) -> None:
        for job in self._queue.impatient(asyncio.get_running_loop().time(), link_up):
            why = f"{job.slave.device} is silent" if link_up else f"line {self.line.id} is down: {self._why_down}"
            self._endings.never_sent(job, DeviceUnreachable(why))

    def _allowed(self, job: Job) -> float | None:
        """Ask at the instant of sending whether the job may still be sent; that instant (Clock), None where not."""
        at = self._clock.now()
        late = job.deadline is not None and at > job.deadline
        refusal = "deadline passed" if late else job.guard(at)
        if refusal:
            self._endings.never_sent(job, Withdrawn(refusal))
            return None
        return at

    def _begin(self, job: Job, at: float, now: float) -> OnWire:
        """Settle how the job is asked, and note that it is."""
        self._queue.sent(job, now)
        if job.sent_at is None:
            job.sent_at = at
        before = job.slave.last
        job.choose(now)
        job.slave.on_sent(job.request)
        self._clash.asked(self._wire.strays)
        self._endings.trace(job, FrameStage.SENT, at)
        return OnWire(job, at, now, before)

    async def _send(self, job: Job) -> None:
        at = self._allowed(job)
        if at is None:
            return
        if isinstance(job, Visit):
            await self._visit(job, at)
            return
        frame = self._begin(job, at, asyncio.get_running_loop().time())
        try:
            outcome = await self._wire.exchange(job.slave, job.request, frame.before)
        except (LinkDown, asyncio.CancelledError) as error:
            self._missed(job, frame.at, f"line {self.line.id}: {str(error) or 'closed'}", noise=False)
            raise
        if self._end(frame, outcome):
            await self._link.close()

    def _end(self, frame: OnWire, outcome: Outcome) -> bool:
        """Book what became of a frame; whether the port must be opened anew."""
        job, at, sent = frame.job, frame.at, frame.sent
        answer = outcome.answer
        if answer is None:
            job.slave.behind += outcome.behind
            doubted = self._doubts_port(outcome)
            if doubted:
                # The port is closed before the caller hears of it.
                self._wake.set()
            self._missed(job, at, why_missed(job, outcome, sent), outcome.noise)
            return doubted
        self._reopening.heard(outcome.ended)
        job.slave.on_answer(outcome.ended, outcome.ended - sent, outcome.turnaround_s)
        self._clash.answered(job, outcome.ended)
        self._endings.answered(job, at, answer)
        return False

    async def _visit(self, visit: Visit, at: float) -> None:
        """Send the call of a bus tool. Silence is no sign of a dead port: most addresses that are tried are free."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        heard = await pay(visit, self._wire, self._endings, at)
        ended = loop.time()
        self._queue.visited(ended + (ended - began) * visit.pause_factor)
        if heard:
            self._reopening.heard(ended)

    def _hold_back(self, job: Job) -> None:
        """Queue a job whose frame did not leave in its old place."""
        job.slave.on_not_sent()
        if job.future.done():
            self._endings.never_sent(job, Withdrawn("caller gave up"))
        elif not self._queue.put_back(job):
            self._endings.never_sent(job, Withdrawn("a newer write took its place"))

    def _doubts_port(self, outcome: Outcome) -> bool:
        """Whether nobody at all answers any more: a dead connection or a stuck adapter looks just like that.

        A connection whose answers come one request behind is given up at once: a new one begins without a backlog.
        """
        if outcome.torn or (outcome.behind and not self.line.is_serial):
            self._why_down = "answers came one request behind" if outcome.behind else "an answer broke off"
            return True
        if self._reopening.deaf(asyncio.get_running_loop().time()):
            self._why_down = "nobody answers"
            return True
        return False

    def _missed(self, job: Job, at: float, why: str, noise: bool) -> None:
        now = asyncio.get_running_loop().time()
        job.slave.on_miss(job.request, now, noise, self._wire.late_s)
        self._clash.missed(job, now, noise, shared=bool(self._wire.late_s))
        self._endings.trace(job, FrameStage.FAILED, at, why)
        again = not job.future.done() and job.retries > 0 and not job.slave.silent
        if again and self._queue.put_back(job):
            job.retries -= 1
            job.queued_at = now
        else:
            self._endings.failed(job, why)

"""The books of a line: whether a job may go out now, what became of it, and what that says of its device and port."""

import asyncio
from collections.abc import Callable, Sequence

from siteward.model.errors import DeviceUnreachable, Withdrawn
from siteward.model.ports import Clock
from siteward.model.site import Line
from siteward.model.wire import FrameStage
from siteward_drivers.answer import Answer
from siteward_drivers.line_clash import LineClash
from siteward_drivers.line_ending import Endings, why_missed
from siteward_drivers.line_job import Job, JobQueue, OnWire
from siteward_drivers.reopening import Reopening
from siteward_drivers.slave import Slave
from siteward_drivers.wire import Outcome, Wire


class LineBook:
    """Queue and accounts of one line; every frame is booked here, whoever carried it.

    `doubted` is called before a caller hears that the port is given up; `distrusted` asks the task to open it anew.
    """

    def __init__(
        self, line: Line, clock: Clock, wire: Wire, slaves: Sequence[Slave], doubted: Callable[[], None]
    ) -> None:
        self.line = line
        self.queue = JobQueue()
        self.reopening = Reopening(line)
        self.why_down = "not opened"
        self.distrusted = False
        self.clash = LineClash(slaves)
        self.endings = Endings(clock)
        self._clock = clock
        self._wire = wire
        self._doubted = doubted

    def allowed(self, job: Job) -> float | None:
        """Ask at the instant of sending whether the job may still be sent; that instant (Clock), None where not."""
        at = self._clock.now()
        late = job.deadline is not None and at > job.deadline
        refusal = "deadline passed" if late else job.guard(at)
        if refusal:
            self.endings.never_sent(job, Withdrawn(refusal))
            return None
        return at

    def begin(self, job: Job, at: float, now: float) -> OnWire:
        """Settle how the job is asked, and note that it is, at `at` (Clock), which is `now` (loop)."""
        self.queue.sent(job, now)
        if job.sent_at is None:
            job.sent_at = at
        slave = job.slave
        before = slave.last
        job.choose(now)
        slave.on_sent(job.request)
        self.clash.asked(self._wire.strays)
        self.endings.trace(job, FrameStage.SENT, at)
        return OnWire(job, at, now, before)

    def end(self, frame: OnWire, outcome: Outcome) -> bool:
        """Book what became of a frame; whether the port must be opened anew."""
        if outcome.answer is not None:
            self.answered(frame, outcome.answer, outcome.ended, outcome.turnaround_s)
            return False
        job = frame.job
        job.slave.behind += outcome.behind
        doubted = self._doubts_port(outcome)
        if doubted:
            # The port is closed before the caller hears of it.
            self._doubted()
        self.missed(job, frame.at, why_missed(job, outcome, frame.sent), outcome.noise)
        return doubted

    def answered(self, frame: OnWire, answer: Answer, ended: float, turnaround_s: float) -> None:
        """Book an answer that was whole at `ended` (loop)."""
        self.reopening.heard(ended)
        job = frame.job
        job.slave.on_answer(ended, ended - frame.sent, turnaround_s)
        self.clash.answered(job, ended)
        self.endings.answered(job, frame.at, answer)

    def missed(self, job: Job, at: float, why: str, noise: bool) -> None:
        """Book that no answer came, and queue the next try where there is one."""
        now = asyncio.get_running_loop().time()
        late_s = self._wire.late_s
        job.slave.on_miss(job.request, now, noise, late_s)
        self.clash.missed(job, now, noise, shared=bool(late_s))
        self.endings.trace(job, FrameStage.FAILED, at, why)
        again = not job.future.done() and job.retries > 0 and not job.slave.silent
        if again and self.queue.put_back(job):
            job.retries -= 1
            job.queued_at = now
        else:
            self.endings.failed(job, why)

    def hold_back(self, job: Job) -> None:
        """Queue a job whose frame did not leave in its old place."""
        job.slave.on_not_sent()
        if job.future.done():
            self.endings.never_sent(job, Withdrawn("caller gave up"))
        elif not self.queue.put_back(job):
            self.endings.never_sent(job, Withdrawn("a newer write took its place"))

    def drop_impatient(self, link_up: bool) -> None:
        """Fail what has waited too long for a silent device or a missing port."""
        for job in self.queue.impatient(asyncio.get_running_loop().time(), link_up):
            why = f"{job.slave.device} is silent" if link_up else f"line {self.line.id} is down: {self.why_down}"
            self.endings.never_sent(job, DeviceUnreachable(why))

    def _doubts_port(self, outcome: Outcome) -> bool:
        """Whether nobody at all answers any more: a dead connection or a stuck adapter looks just like that.

        A connection whose answers come one request behind is given up at once: a new one begins without a backlog.
        """
        if outcome.torn or (outcome.behind and not self.line.is_serial):
            self.why_down = "answers came one request behind" if outcome.behind else "an answer broke off"
            return True
        if self.reopening.deaf(asyncio.get_running_loop().time()):
            self.why_down = "nobody answers"
            return True
        return False

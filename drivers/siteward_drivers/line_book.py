"""The books of a line: whether a job may go out now, what became of it, and what that says of its device and port."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from siteward.model.errors import DeviceRefused, DeviceUnreachable, Withdrawn
from siteward.model.ports import Clock
from siteward.model.site import Line
from siteward.model.wire import FrameStage
from siteward_drivers.answer import Answer
from siteward_drivers.line_job import Job, JobQueue, no_trace
from siteward_drivers.reopening import Reopening
from siteward_drivers.speech import AnyRequest
from siteward_drivers.wire import Outcome

_DEAF_FRAMES = 3
_DEAF_SERIAL_S = 15.0
_DEAF_SOCKET_S = 3.0
_MISSES = {
    (False, False): "no answer",
    (False, True): "wrong bytes",
    (True, True): "answers one request behind",
}


@dataclass(slots=True)
class OnWire:
    """A job whose frame went out: `at` (Clock), `sent` (loop), and what its slave was asked before."""

    job: Job
    at: float
    sent: float
    before: AnyRequest | None


class LineBook:
    """Queue and accounts of one line; every frame is booked here, whoever carried it.

    `late_s` is how long a late answer is expected; `doubted` is called before a caller hears that the port is given up.
    """

    def __init__(self, line: Line, clock: Clock, late_s: float, doubted: Callable[[], None]) -> None:
        self.queue = JobQueue()
        self.reopening = Reopening(line)
        self.why_down = "not opened"
        self.line = line
        self._clock = clock
        self._late_s = late_s
        self._doubted = doubted
        self._deaf_s = _DEAF_SERIAL_S if line.is_serial else _DEAF_SOCKET_S
        self._unheard = 0
        self._heard_at = 0.0

    def opened(self, now: float) -> None:
        """The port was opened (loop): nobody is deaf yet."""
        self._unheard, self._heard_at = 0, now

    def begin(self, job: Job, now: float) -> OnWire | None:
        """Ask whether the job may still be sent, and settle how; None where it may not."""
        at = self._clock.now()
        late = job.deadline is not None and at > job.deadline
        refusal = "deadline passed" if late else job.guard(at)
        if refusal:
            self.never_sent(job, Withdrawn(refusal))
            return None
        self.queue.sent(job, now)
        if job.sent_at is None:
            job.sent_at = at
        slave = job.slave
        before = slave.last
        job.choose(now)
        slave.on_sent(job.request)
        if job.trace is not no_trace:
            job.trace(FrameStage.SENT, at, at, "")
        return OnWire(job, at, now, before)

    def end(self, frame: OnWire, outcome: Outcome) -> bool:
        """Book what became of a frame; whether the port must be opened anew."""
        if outcome.answer is not None:
            self.answered(frame, outcome.answer, outcome.ended, outcome.turnaround_s)
            return False
        job, at, sent = frame.job, frame.at, frame.sent
        what = _MISSES[outcome.behind, outcome.noise]
        job.slave.behind += outcome.behind
        doubted = self._doubts_port(outcome)
        if doubted:
            # The port is closed before the caller hears of it.
            self._doubted()
        self.missed(job, at, f"{job.slave.device}: {what} in {outcome.ended - sent:.3f} s", outcome.noise)
        return doubted

    def answered(self, frame: OnWire, answer: Answer, ended: float, turnaround_s: float) -> None:
        """Book an answer that was whole at `ended` (loop)."""
        self._unheard, self._heard_at = 0, ended
        self.reopening.heard()
        job = frame.job
        job.slave.on_answer(ended, ended - frame.sent, turnaround_s)
        code = answer.exception
        if code is None:
            if job.trace is not no_trace:
                self.trace(job, FrameStage.ANSWERED, frame.at)
            if not job.future.done():
                job.future.set_result(answer)
            return
        job.slave.refused += 1
        why = f"{job.slave.device} refused {job.request}: exception {code}"
        self.trace(job, FrameStage.FAILED, frame.at, why)
        if not job.future.done():
            job.future.set_exception(DeviceRefused(why, code))

    def missed(self, job: Job, at: float, why: str, noise: bool) -> None:
        """Book that no answer came, and queue the next try where there is one."""
        now = asyncio.get_running_loop().time()
        job.slave.on_miss(job.request, now, noise, self._late_s)
        self.trace(job, FrameStage.FAILED, at, why)
        wanted = not job.future.done()
        if wanted and job.retries > 0 and not job.slave.silent and self.queue.put_back(job):
            job.retries -= 1
            job.queued_at = now
            return
        if wanted:
            job.future.set_exception(DeviceUnreachable(why))

    def hold_back(self, job: Job) -> None:
        """Queue a job whose frame did not leave in its old place."""
        job.slave.on_not_sent()
        if job.future.done():
            self.never_sent(job, Withdrawn("caller gave up"))
        elif not self.queue.put_back(job):
            self.never_sent(job, Withdrawn("a newer write took its place"))

    def never_sent(self, job: Job, error: Withdrawn | DeviceUnreachable) -> None:
        """Fail a job whose frame will not go out."""
        self.trace(job, FrameStage.WITHDRAWN, reason=str(error))
        if not job.future.done():
            job.future.set_exception(error)

    def drop_impatient(self, link_up: bool) -> None:
        """Fail what has waited too long for a silent device or a missing port."""
        for job in self.queue.impatient(asyncio.get_running_loop().time(), link_up):
            why = f"{job.slave.device} is silent" if link_up else f"line {self.line.id} is down: {self.why_down}"
            self.never_sent(job, DeviceUnreachable(why))

    def trace(self, job: Job, stage: FrameStage, sent_at: float | None = None, reason: str = "") -> None:
        """Tell a job's log, if it has one, what stage it reached."""
        if job.trace is not no_trace:
            job.trace(stage, self._clock.now(), sent_at, reason)

    def _doubts_port(self, outcome: Outcome) -> bool:
        """Whether nobody at all answers any more: a dead connection or a stuck adapter looks just like that.

        A connection whose answers come one request behind is given up at once: a new one begins without a backlog.
        """
        if outcome.torn or (outcome.behind and not self.line.is_serial):
            self.why_down = "answers came one request behind" if outcome.behind else "an answer broke off"
            return True
        self._unheard += 1
        if self._unheard >= _DEAF_FRAMES and asyncio.get_running_loop().time() - self._heard_at > self._deaf_s:
            self.why_down = "nobody answers"
            return True
        return False

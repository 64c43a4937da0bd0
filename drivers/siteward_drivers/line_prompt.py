"""Carries frames of an idle line without its task: out at once, and the answer in by a call back (goal 8)."""

import asyncio
from collections.abc import Callable

from siteward.model.errors import WeAreWrong
from siteward_drivers.answer import Answer
from siteward_drivers.busy import Busy
from siteward_drivers.errors import LinkDown
from siteward_drivers.line_book import LineBook
from siteward_drivers.line_job import Job, OnWire, Rank
from siteward_drivers.line_visit import Visit
from siteward_drivers.link import Link, bare
from siteward_drivers.wire import Outcome
from siteward_drivers.wire_tcp import TcpWire


class PromptPath:
    """The short way of one line; whatever must wait (a gap, a rest, a silent device, a port) is left to its task.

    The task sets `idle` while it sleeps, and `wake` calls it. `broken` is why it must open the port anew; `carried`
    counts the frames that went this way.
    """

    def __init__(self, wire: TcpWire, link: Link, book: LineBook, busy: Busy, wake: Callable[[], None]) -> None:
        self.idle = False
        self.broken: LinkDown | None = None
        self.carried = 0
        self._wire = wire
        self._link = bare(link)
        self._book = book
        self._busy = busy
        self._wake = wake
        self._started: OnWire | None = None

    @property
    def on_wire(self) -> bool:
        """Whether a frame that went this way waits for its answer."""
        return self._started is not None

    def take(self, job: Job, now: float) -> bool:
        """Send a job that nobody stands before; False where it must queue. `now` is the loop's."""
        queue = self._book.queue
        if not self.idle or queue or not self._free() or not self._ready(job, now) or queue.ready_at(job) > now:
            return False
        queue.pass_by(job, now)
        self._go(job, now)
        return True

    def attend(self) -> None:
        """See to the queue: at once where the task sleeps and nothing stands in the way, else by waking the task."""
        if self._started is None and not (self.idle and self._try_now()):
            self._wake()

    def abandon(self, why: str) -> None:
        """Fail what is under way: the line is closed."""
        started, self._started = self._started, None
        if started is not None:
            self._wire.abandon()
            self._book.missed(started.job, started.at, why, noise=False)

    def answered(self, answer: Answer, ended: float, turnaround_s: float) -> None:
        """Take the answer to the frame that was sent; see wire_tcp.Asker."""
        frame, self._started = self._started, None
        if frame is None:
            return
        try:
            self._book.answered(frame, answer, ended, turnaround_s)
        finally:
            self._settle(frame, ended)
        if self._book.distrusted:
            self._wake()
        elif self._book.queue:
            self.attend()

    def failed(self, what: Outcome | LinkDown) -> None:
        """Take that no answer came, or that the connection ended."""
        frame, self._started = self._started, None
        if frame is None:
            return
        book = self._book
        try:
            if isinstance(what, LinkDown):
                book.missed(frame.job, frame.at, f"line {book.line.id}: {what}", noise=False)
                self.broken = what
            elif book.end(frame, what):
                self.broken = LinkDown(book.why_down)
        finally:
            self._settle(frame, asyncio.get_running_loop().time())
        if self.broken is not None or book.distrusted:
            self._wake()
        elif book.queue:
            self.attend()

    def _try_now(self) -> bool:
        """Send the most urgent job from here; False where only the task can (it must wait, or open the port)."""
        if not self._free():
            return False
        queue, now = self._book.queue, asyncio.get_running_loop().time()
        job, _ = queue.pick(now)
        if job is None or not self._ready(job, now):
            return False
        queue.remove(job)
        return self._go(job, now) or not queue

    def _free(self) -> bool:
        return self._started is None and self.broken is None and not self._book.distrusted and self._link.is_open

    def _ready(self, job: Job, now: float) -> bool:
        return not isinstance(job, Visit) and self._wire.can_start(job.slave, now)

    def _go(self, job: Job, now: float) -> bool:
        """Send; False where the job may not be sent any more."""
        at = self._book.allowed(job)
        if at is None:
            return False
        self._started = frame = self._book.begin(job, at, now)
        self.carried += 1
        try:
            self._wire.start(job.slave, job.request, frame.before, self, now)
        except LinkDown as error:
            self.failed(error)
        return True

    def _settle(self, frame: OnWire, now: float) -> None:
        """The wire was busy until now, and no caller may be left behind."""
        if frame.job.rank is not Rank.GLANCE:
            self._busy.add(frame.sent, now)
        if not frame.job.future.done() and frame.job not in self._book.queue:
            frame.job.future.set_exception(WeAreWrong(f"line {self._book.line.id} lost a frame"))

"""What became of a job on a line, told to its caller and its trace."""

from siteward.model.errors import DeviceRefused, DeviceUnreachable, Withdrawn
from siteward.model.ports import Clock
from siteward.model.wire import FrameStage
from siteward_drivers.answer import Answer
from siteward_drivers.errors import SettingsRefused
from siteward_drivers.line_job import Job, no_trace
from siteward_drivers.wire import Outcome

_MISSES = {
    (False, False): "no answer",
    (False, True): "wrong bytes",
    (True, True): "answers one request behind",
}


def why_missed(job: Job, outcome: Outcome, sent: float) -> str:
    """What came instead of an answer to the frame sent then (loop)."""
    return f"{job.slave.device}: {_MISSES[outcome.behind, outcome.noise]} in {outcome.ended - sent:.3f} s"


class Endings:
    """Ends jobs in one of four ways; a caller that gave up meanwhile is told nothing any more."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def trace(self, job: Job, stage: FrameStage, sent_at: float | None = None, reason: str = "") -> None:
        """Tell a stage to whoever follows the job's frames."""
        if job.trace is not no_trace:
            job.trace(stage, self._clock.now(), sent_at, reason)

    def answered(self, job: Job, at: float, answer: Answer) -> None:
        """The device answered the frame sent at `at` (Clock): with values, or with a refusal."""
        code = answer.exception
        if code is None:
            self.trace(job, FrameStage.ANSWERED, at)
            if not job.future.done():
                job.future.set_result(answer)
            return
        job.slave.refused += 1
        why = f"{job.slave.device} refused {job.request}: exception {code}"
        self.trace(job, FrameStage.FAILED, at, why)
        if not job.future.done():
            job.future.set_exception(DeviceRefused(why, code))

    def failed(self, job: Job, why: str) -> None:
        """Nobody answered, and it is not tried again."""
        if not job.future.done():
            job.future.set_exception(DeviceUnreachable(why))

    def never_sent(self, job: Job, error: Withdrawn | DeviceUnreachable | SettingsRefused) -> None:
        """It did not go out."""
        self.trace(job, FrameStage.WITHDRAWN, reason=str(error))
        if not job.future.done():
            job.future.set_exception(error)

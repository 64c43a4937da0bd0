"""Watches one line for two devices of one number: bytes behind an answer, and answers that are damaged (fault 9)."""

from collections.abc import Iterable, Sequence

from siteward_drivers.clash import EXTRA_BYTES
from siteward_drivers.line_job import Job
from siteward_drivers.slave import Slave


class LineClash:
    """Collects what speaks for and against a clash at each address; times are the loop's."""

    def __init__(self, slaves: Sequence[Slave]) -> None:
        self._slaves = slaves
        self._spoke: Slave | None = None
        self._strays = 0

    def asked(self, strays: int) -> None:
        """A frame goes out; `strays` is the wire's count of bytes behind answers so far."""
        self._strays = strays

    def answered(self, job: Job, now: float) -> None:
        """A good answer came. Echoes of writes make twins look healthy, so only reads count."""
        if job.request.is_read:
            self._spoke = job.slave
            job.slave.clash.clear(now)

    def missed(self, job: Job, now: float, noise: bool, shared: bool) -> None:
        """No good answer came; on a connection (not shared) nobody collides."""
        if not job.request.is_read:
            return
        if not noise:
            job.slave.clash.silent(now)
        elif shared:
            # Bytes that another one still owes are no collision.
            job.slave.clash.damaged(now)
            others = (slave for slave in self._slaves if slave is not job.slave)
            if not _late_answers(others, now):
                self._judge(job.slave, now)

    def judge_last(self, strays: int, foreign: bool, now: float) -> None:
        """Whether somebody else spoke behind the last answer; a late answer or another master may have too."""
        last, self._spoke = self._spoke, None
        if last is None or strays - self._strays < EXTRA_BYTES:
            return
        if not foreign and not _late_answers(self._slaves, now):
            last.clash.second(now)
            self._judge(last, now)

    def _judge(self, slave: Slave, now: float) -> None:
        slave.clash.judge((other.clash for other in self._slaves if other is not slave), now)


def _late_answers(slaves: Iterable[Slave], now: float) -> bool:
    return any(ghost.until > now for slave in slaves for ghost in slave.ghosts)

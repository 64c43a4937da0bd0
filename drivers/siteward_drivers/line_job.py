"""A job is one request that waits for its turn on a line; the queue says which one goes next, and when."""

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from enum import IntEnum

from siteward.model.wire import FrameStage
from siteward_drivers.answer import Answer
from siteward_drivers.slave import Role, Slave
from siteward_drivers.speech import AnyRequest

PATIENCE_S = 1.0
"""How long a job waits for a silent device or a missing port before it fails."""

_HOLD_S = 0.15
_SILENT_PACE_S = 1.0
_LATE_S = (0.1, 0.2, 0.4)
"""For each of these that the oldest poll has waited, one more exchange goes before a glance; after the last none.

One glance in four exchanges leaves the polls the share of the wire that they are planned with at most."""


class Rank(IntEnum):
    """Order on a line (ruling 3, R16); the SILENT ranks are given by the queue itself, VISIT is a bus
    tool's.

    FREE takes an arm out of the way: the looks at a moving arm are cuts too, and must not hold it up (I11, I12).
    GLANCE has the slots that nobody wants, and every other one where only polls wait (goal 7).
    """

    FREE = 0
    CUT = 1
    LIMIT_METER = 2
    SILENT_CONTROL = 3
    CONTROL = 4
    REST = 5
    SILENT_REST = 6
    VISIT = 7
    GLANCE = 8


_DECIDE = (Rank.LIMIT_METER, Rank.GLANCE)
_ROUNDS = 8
_POLLS = (Rank.LIMIT_METER, Rank.REST, Rank.SILENT_REST)


def no_guard(at: float) -> str:
    """Guard of requests that nobody can forbid."""
    return ""


def no_trace(stage: FrameStage, at: float, sent_at: float | None, reason: str) -> None:
    """Trace of requests that nobody logs."""


@dataclass(slots=True, eq=False)
class Job:
    """One request with what it needs to be sent.

    `request` is what was sent, once it was; `other` another way to ask for the same, with an answer of another length
    (fault 12). `guard` is asked at the instant of sending and returns why not, or nothing; `trace` takes each stage;
    `key` names what a newer job replaces (R4); `deadline` (Clock) ends the right to be sent, where there is one;
    `sent_at` (Clock) is when it was first sent.
    """

    slave: Slave
    request: AnyRequest
    rank: Rank
    retries: int = 0
    guard: Callable[[float], str] = no_guard
    trace: Callable[[FrameStage, float, float | None, str], None] = no_trace
    key: Hashable | None = None
    deadline: float | None = None
    other: AnyRequest | None = None
    future: asyncio.Future[Answer] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    sent_at: float | None = None
    order: int = 0
    queued_at: float = 0.0

    @property
    def ways(self) -> tuple[AnyRequest, ...]:
        """Requests that would do."""
        return (self.request,) if self.other is None else (self.request, self.other)

    def choose(self, now: float) -> None:
        """Settle on the way to ask, at the instant of sending."""
        if self.other is None:
            return
        chosen = self.slave.choose(self.ways, now)
        if chosen is not self.request:
            self.request, self.other = chosen, self.request

    @property
    def pace(self) -> Slave:
        """The device whose rest and late answers the job must wait for."""
        return self.slave

    def ready_at(self, visits_from: float) -> float:
        """When it may be sent, as far as its device is concerned; `visits_from` holds back bus tools only."""
        pace = self.pace
        if not pace.ghosts:
            return pace.rest_until
        return max(pace.rest_until, min(pace.clear_at(request) for request in self.ways))

    @property
    def urgency(self) -> Rank:
        """Rank as things are now."""
        freeing = self.rank <= Rank.CUT and self.slave.role is Role.INOUT
        if not self.slave.silent or freeing:
            # An arm in the way must be freed at the first chance; the retry pace of its board keeps that rare.
            return self.rank
        return Rank.SILENT_CONTROL if self.rank < Rank.REST else Rank.SILENT_REST


@dataclass(frozen=True, slots=True)
class OnWire:
    """A job whose frame went out: `at` (Clock), `sent` (loop), and what its slave was asked before."""

    job: Job
    at: float
    sent: float
    before: AnyRequest | None


async def hear_out(job: Job) -> None:
    """After a limit meter's answer, let a cut that follows from it reach the queue before the next poll goes out.

    Answer, poll, turn and write are tasks in a row, none of which waits for anything.
    """
    for _ in range(_ROUNDS if job.rank in _DECIDE else 0):
        await asyncio.sleep(0)


class JobQueue:
    """The waiting jobs of a line. All times are the loop's."""

    def __init__(self) -> None:
        self._jobs: list[Job] = []
        self._count = 0
        self._silent_slot = 0.0
        self._since_glance = 0
        self._visits_from = 0.0

    def __len__(self) -> int:
        return len(self._jobs)

    def __contains__(self, job: Job) -> bool:
        return job in self._jobs

    def waiting(self) -> tuple[Job, ...]:
        """The jobs in the order of their coming."""
        return tuple(sorted(self._jobs, key=lambda job: job.order))

    def add(self, job: Job, now: float) -> Job | None:
        """Queue a job; returns the waiting job of the same key that it replaces, already taken out."""
        older = next((j for j in self._jobs if job.key is not None and j.key == job.key), None)
        if older is not None:
            self._jobs.remove(older)
        self._count += 1
        job.order, job.queued_at = self._count, now
        self._jobs.append(job)
        return older

    def pass_by(self, job: Job, now: float) -> None:
        """Number a job that goes out at once, past an empty queue."""
        self._count += 1
        job.order, job.queued_at = self._count, now

    def put_back(self, job: Job) -> bool:
        """Queue a job for its next try in its old place; False when a newer one of its key already waits."""
        if job.key is not None and any(j.key == job.key for j in self._jobs):
            return False
        self._jobs.append(job)
        return True

    def remove(self, job: Job) -> bool:
        """Take a job out; False when it was not waiting."""
        if job not in self._jobs:
            return False
        self._jobs.remove(job)
        return True

    def pick(self, now: float) -> tuple[Job | None, float]:
        """The job to send now (still queued), or none and the time at which to ask again.

        A cut whose device must rest for a moment holds back everything that is no cut: a poll that began now could
        keep the wire for longer than the rest lasts.
        """
        again = now + 3600.0
        hold = False
        for job in self._ordered(now) if len(self._jobs) > 1 else self._jobs:
            if hold and job.urgency > Rank.CUT:
                break
            ready = self.ready_at(job)
            if ready <= now:
                return job, now
            again = min(again, ready)
            hold = hold or (job.urgency <= Rank.CUT and ready - now <= _HOLD_S)
        return None, again

    def _ordered(self, now: float) -> list[Job]:
        """Most urgent first; a glance goes before polls after one exchange, or more while polls wait for long."""
        ordered = sorted(self._jobs, key=_urgency)
        if not self._since_glance or ordered[-1].urgency is not Rank.GLANCE:
            return ordered
        others = [job for job in ordered if job.urgency < Rank.VISIT]
        if any(job.urgency <= Rank.CUT for job in others):
            return ordered
        ready = [job for job in others if self.ready_at(job) <= now]
        if any(job.urgency not in _POLLS for job in ready):
            return ordered
        waited = now - min((job.queued_at for job in ready), default=now)
        needed = 1 + sum(waited >= late for late in _LATE_S)
        first = self._since_glance >= needed and waited < _LATE_S[-1]
        return [ordered[-1], *ordered[:-1]] if first else ordered

    def sent(self, job: Job, now: float) -> None:
        """Note that the job is on the wire: the next try of any silent device comes a second later."""
        self._since_glance = 0 if job.rank is Rank.GLANCE else self._since_glance + 1
        if job.slave.silent:
            self._silent_slot = now + _SILENT_PACE_S

    def visited(self, until: float) -> None:
        """Note that a bus tool had its share: the wire belongs to others until then."""
        self._visits_from = until

    def ready_at(self, job: Job) -> float:
        """The earliest time at which the job may go out: by its own reckoning, and its pace while it is silent."""
        ready = job.ready_at(self._visits_from)
        return max(ready, job.slave.next_attempt, self._silent_slot) if job.slave.silent else ready

    def impatient(self, now: float, link_up: bool) -> list[Job]:
        """Take out the jobs that waited PATIENCE_S for a silent device or a missing port."""
        gone = [j for j in self._stuck(now, link_up) if now >= j.queued_at + PATIENCE_S]
        for job in gone:
            self._jobs.remove(job)
        return gone

    def next_impatience(self, now: float, link_up: bool) -> float | None:
        """When the next job loses its patience, None when none can."""
        return min((j.queued_at + PATIENCE_S for j in self._stuck(now, link_up)), default=None)

    def _stuck(self, now: float, link_up: bool) -> list[Job]:
        """Jobs that cannot go: all while the port is missing, else those whose silent device is not due."""
        return [j for j in self._jobs if not link_up or (j.slave.silent and self.ready_at(j) > now)]


def _urgency(job: Job) -> tuple[Rank, float]:
    # Silent devices share one try a second: who is due for longest has it, however often callers come anew.
    return job.urgency, job.slave.next_attempt if job.slave.silent else job.order

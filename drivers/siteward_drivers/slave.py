"""One address on a line: its pace, its time-out, its unanswered requests and its statistics."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from siteward.model.errors import DeviceUnreachable
from siteward.model.live import SlaveView
from siteward.model.site import SerialSettings
from siteward_drivers.clash import Clash
from siteward_drivers.profile_schema import TimingPart
from siteward_drivers.speech import AnyRequest

SILENT_AFTER = 2
"""Missed answers in a row after which a slave counts as silent (R2)."""

_SAMPLES = 200
_ENOUGH = 20
_MARGIN_S = 0.1
_REFRESH_EVERY = 20


class Role(Enum):
    """What a slave is to the line: it decides how often it is tried while silent."""

    CHARGER = auto()
    LIMIT_METER = auto()
    INOUT = auto()
    OTHER = auto()


_FIRST_RETRY_S = {Role.CHARGER: 5.0, Role.LIMIT_METER: 1.0, Role.INOUT: 0.5, Role.OTHER: 1.0}
_LAST_RETRY_S = {Role.CHARGER: 5.0, Role.LIMIT_METER: 5.0, Role.INOUT: 2.0, Role.OTHER: 60.0}


@dataclass(slots=True)
class Ghost:
    """A request whose answer never came and may still come, until then."""

    request: AnyRequest
    until: float


@dataclass(slots=True, eq=False)
class Slave:
    """State of one address. All times are the loop's.

    `unit` is 0 where it is called by a meter's address; `settings` are those of its own, None means the line's.
    `soonest_s` is the shortest time that it took of late to begin an answer.
    """

    device: str
    unit: int
    role: Role
    timing: TimingPart
    settings: SerialSettings | None = None
    rest_until: float = 0.0
    next_attempt: float = 0.0
    misses: int = 0
    sent: int = 0
    answered: int = 0
    timeouts: int = 0
    garbled: int = 0
    refused: int = 0
    behind: int = 0
    last: AnyRequest | None = None
    _before: AnyRequest | None = None
    ghosts: list[Ghost] = field(default_factory=list)
    clash: Clash = field(default_factory=Clash)
    _latency: deque[float] = field(default_factory=lambda: deque(maxlen=_SAMPLES))
    _turnaround: deque[float] = field(default_factory=lambda: deque(maxlen=_SAMPLES))
    _learned_s: float | None = None
    soonest_s: float = 0.0
    gap_s: float = field(init=False)
    _rest_s: float = field(init=False)
    _most_s: float = field(init=False)
    _least_s: float = field(init=False)

    def __post_init__(self) -> None:
        """Take out of the profile what every exchange asks for."""
        self.gap_s, self._rest_s = self.timing.gap_s, self.timing.rest_s
        self._most_s, self._least_s = self.timing.response_timeout_s, self.timing.least_timeout_s

    @property
    def silent(self) -> bool:
        """Whether so many answers in a row were missed that it is only tried now and then (R16)."""
        return self.misses >= SILENT_AFTER

    @property
    def timeout_s(self) -> float:
        """How long an answer may begin late: the profile's time until it is known better; doubled after each miss."""
        if self._learned_s is None:
            return self._most_s
        return min(self._most_s, max(self._learned_s * 2.0 ** min(self.misses, 8), self._least_s))

    def accept(self) -> None:
        """Raise DeviceUnreachable while two devices answer: nobody knows whose values came."""
        if self.clash.standing:
            raise DeviceUnreachable(f"{self.device}: two devices seem to answer at its address")

    def clear_at(self, request: AnyRequest) -> float:
        """When no late answer can be taken for the answer to this request any more.

        The same write again may go out at once: whichever answer comes acknowledges these very registers.
        """
        times = [
            ghost.until
            for ghost in self.ghosts
            if request.confusable(ghost.request) and (request.is_read or ghost.request != request)
        ]
        return max(times, default=0.0)

    def choose(self, ways: Sequence[AnyRequest], now: float) -> AnyRequest:
        """The way to ask whose answer can be taken neither for a late one nor for that of the request before it.

        A slave (or a gateway before it) that answers one request behind is found by that at its second answer.
        """
        clear = ways
        if self.ghosts:
            clear = [way for way in ways if self.clear_at(way) <= now] or ways
        for way in clear:
            if self.last is None or not way.confusable(self.last):
                return way
        return clear[0]

    def haunted(self, request: AnyRequest, now: float) -> bool:
        """Whether a late refusal of another request could be taken for a refusal of this one."""
        return any(ghost.until > now and ghost.request.function == request.function for ghost in self.ghosts)

    def on_sent(self, request: AnyRequest) -> None:
        """Count a frame."""
        self.sent += 1
        self._before, self.last = self.last, request

    def on_not_sent(self) -> None:
        """The frame did not leave after all."""
        self.sent -= 1
        self.last = self._before

    def on_answer(self, now: float, latency_s: float, turnaround_s: float) -> None:
        """An answer came. Older unanswered requests stay open: a gateway need not keep the order of answers."""
        self.answered += 1
        self.rest_until = now + self._rest_s
        self._latency.append(latency_s)
        if turnaround_s < 0.0:
            turnaround_s = 0.0
        if turnaround_s < self.soonest_s or not self._turnaround:
            self.soonest_s = turnaround_s
        self._turnaround.append(turnaround_s)
        if self._learned_s is not None and self.misses:
            # It was waited for longer after a miss, and came: a device that became slow must not be missed each time.
            self._learned_s = max(self._learned_s, turnaround_s + _MARGIN_S)
        self.misses = 0
        if len(self._turnaround) >= _ENOUGH and (self._learned_s is None or self.answered % _REFRESH_EVERY == 0):
            self._learned_s = _p99(self._turnaround) + _MARGIN_S
            self.soonest_s = min(self._turnaround)

    def on_miss(self, request: AnyRequest, now: float, noise: bool, late_s: float) -> None:
        """No answer: its late answer may still come for `late_s`."""
        self.timeouts += not noise
        self.garbled += noise
        self.misses += 1
        self.rest_until = now + self._rest_s
        self.ghosts = [ghost for ghost in self.ghosts if ghost.until > now]
        if late_s > 0:
            self.ghosts.append(Ghost(request, now + late_s))
        if self.silent:
            step = _FIRST_RETRY_S[self.role] * 2.0 ** min(self.misses - SILENT_AFTER, 10)
            self.next_attempt = now + min(step, _LAST_RETRY_S[self.role])

    def view(self) -> SlaveView:
        """Statistics for people; latencies in ms from sending to the end of the answer."""
        latency = self._latency
        mean = sum(latency) / len(latency) * 1000 if latency else None
        worst = _p99(latency) * 1000 if latency else None
        return SlaveView(
            self.device,
            self.unit,
            self.sent,
            self.answered,
            self.timeouts,
            self.garbled,
            self.refused,
            mean,
            worst,
            self.behind,
            self.clash.standing,
        )


def _p99(samples: deque[float]) -> float:
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]

"""A charger of the truth model with its own watchdog, and the car at it."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil

from siteward.model.facts import ResetBy
from siteward.model.site import Connector
from siteward.model.wire import FrameKind
from tests.siteward.control.contactors import Contactors


@dataclass
class Box:
    """A charger with its own watchdog, and the car at it.

    rounds_up_a: step to which it rounds written limits up; keeps_a: what flows whatever it allows (a welded contactor);
    applies_s: how long after its answer a written limit begins to act and to show; lifted: somebody took its limit
    away, which its register then shows as no current at all.
    """

    connector: Connector
    set_point: float = 0.0
    fs: float = 0.0
    tw: float = 0.0
    fed_at: float = 0.0
    boots: int = 1
    off_until: float = -1.0
    startup_s: float | None = None
    hears: bool = True
    answers: bool = True
    wants: float = 0.0
    phases: tuple[bool, bool, bool] = (True, True, True)
    react_s: float = 2.0
    overdraw: float = 1.0
    obeys: bool = True
    rounds_up_a: float = 0.0
    keeps_a: float = 0.0
    applies_s: float = 0.0
    coming: tuple[float, float] | None = None
    lifted: bool = False
    plan: list[tuple[float, float]] = field(default_factory=list)
    current: float = 0.0
    fired: bool = False
    contactors: Contactors = field(default_factory=Contactors)
    may_switch: bool = False
    away: bool = False

    @property
    def live(self) -> tuple[bool, ...]:
        """The charger phases on which the car can draw."""
        return tuple(wanted and self.contactors.closes(i) for i, wanted in enumerate(self.phases))

    def feed(self, at: float, kind: FrameKind) -> None:
        """A frame arrived: does it re-arm the watchdog?"""
        fs = self.connector.facts.failsafe
        if fs is None:
            return
        if fs.reset_by is ResetBy.ANY_REQUEST or (fs.reset_by is ResetBy.LIMIT_WRITE and kind is FrameKind.LIMIT):
            self.fed_at = at
            self.fired = False

    def restart(self, at: float, hold_off_s: float) -> None:
        """Lose the limit, perhaps the fail-safe values, stay dark for a while."""
        facts = self.connector.facts
        boot = facts.boot
        self.off_until = at + hold_off_s
        self.coming, self.lifted = None, False
        self.boots += 1
        self.set_point = self.connector.hardware_max_a if boot.boot_a is None else boot.boot_a
        self.fed_at = self.off_until
        self.fired = False
        proven = facts.failsafe is not None and boot.watchdog_at_start and boot.hold_s is not None
        self.startup_s = boot.hold_s if proven else None
        if facts.failsafe is not None and not facts.failsafe.persists:
            self.fs, self.tw = 0.0, boot.hold_s or 15.0

    def rounded(self, value: float) -> float:
        """The limit that it makes of a written one."""
        return ceil(value / self.rounds_up_a - 1e-6) * self.rounds_up_a if self.rounds_up_a else value

    def lift(self) -> None:
        """Somebody else takes its limit away."""
        self.set_point, self.lifted = self.connector.hardware_max_a, True

    def take(self, at: float, value: float) -> None:
        """A written limit arrived."""
        self.coming = (at + self.applies_s, self.rounded(value))
        self._act(at)

    def _act(self, at: float) -> None:
        if self.coming is not None and at >= self.coming[0]:
            self.set_point, self.startup_s, self.coming = self.coming[1], None, None
            self.lifted = False

    def limit(self, at: float) -> float:
        """The current that the box allows now."""
        if at < self.off_until:
            return 0.0
        self._act(at)
        silent_s = at - self.fed_at
        gone = self.startup_s is not None and silent_s > self.startup_s
        if self.connector.facts.failsafe is not None and (gone or silent_s > self.tw > 0):
            self.fired = True
            self.set_point = min(self.set_point, self.fs) if self.fs < self.set_point else self.fs
        return self.set_point

    def step(self, at: float) -> float:
        """Let the car follow: down after its reaction time, up within a second."""
        allowed = self.limit(at)
        goal = min(self.wants, allowed) * self.overdraw if allowed >= self.connector.least_a else 0.0
        goal = max(goal, self.keeps_a)
        if at < self.off_until:
            self.plan, self.current = [], 0.0
            return 0.0
        if not self.plan or abs(self.plan[-1][1] - goal) > 1e-6:
            delay = self.react_s if goal < self.current else min(1.0, self.react_s)
            self.plan.append((at + delay, goal))
        while self.plan and self.plan[0][0] <= at:
            self.current = self.plan.pop(0)[1]
            if not self.plan:
                self.plan = [(at, self.current)]
                break
        return self.current

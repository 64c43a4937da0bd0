"""One seed of the soak: a whole station, its troubles, and the judge that looks at the truth twice a second."""

import asyncio
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from siteward.model.alarms import AlarmCode
from siteward.model.site import Site
from siteward.runtime.turn import TurnDone
from siteward_drivers.sim.fuses import TRIP_THETA
from siteward_drivers.sim.scenario import ArrivalPlan, BaseLoadPlan, Scenario
from siteward_drivers.sim.virtual import VirtualClock, VirtualLoop, run_virtual
from tests.campaigns.places import draw_site
from tests.campaigns.troubles import HotFuses, Troubles, true_ratios
from tests.fixtures.bounds import BoundWatch
from tests.fixtures.station import VirtualStation

G_S = 10.0
"""Time in which an overload ends while everybody can be commanded (I2)."""

SLACK_S = 1.0
STEP_S = 0.5
CALM_S = 300.0

ARRIVALS = ArrivalPlan(
    first_s=(2.0, 60.0),
    free_s=(10.0, 90.0),
    stay_s=(200.0, 3000.0),
    soc=(0.05, 0.5),
    phases=(1, 2, 3, 3, 3, 3, 3, 3),
)
"""Most outlets are taken most of the time."""

SHARES = ((0.0, 1.0), (0.0, 0.1), (0.0, 0.1))
"""Other load uses all that it may, or lures the cars high and jumps only now and then (R18)."""


def _scenario(rng: Random) -> Scenario:
    plan = BaseLoadPlan(share=rng.choice(SHARES), step_s=25.0)
    return Scenario(base_load=plan, arrivals=ARRIVALS, fuses_blow=False)


PASSING = {
    AlarmCode.CHARGER_UNREACHABLE,
    AlarmCode.CHARGER_DISOBEYS,
    AlarmCode.METER_LOST,
    AlarmCode.METER_IMPLAUSIBLE,
    AlarmCode.FAILSAFE_UNVERIFIED,
    AlarmCode.FEEDER_OVER_BOUND,
    AlarmCode.STORE_FAILED,
    AlarmCode.TURN_GAP,
}
"""Alarms that must be gone once every fault has been over for CALM_S."""


@dataclass(slots=True)
class Verdict:
    """What a seed showed; `broken` is empty when every promise held. Times in s, theta as in I1."""

    seed: int
    site: str = ""
    frames: bool = False
    hours: float = 0.0
    worst_theta: float = 0.0
    worst_hot_theta: float = 0.0
    longest_calm_over_s: float = 0.0
    longest_over_s: float = 0.0
    raises: int = 0
    kills: int = 0
    stalls: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    delivered_kwh: float = 0.0
    broken: list[str] = field(default_factory=list)


class Soak:
    """One seed: a station, its troubles, and the judge that looks at the truth twice a second."""

    def __init__(self, seed: int, hours: float, clock: VirtualClock, folder: Path, *, frames: bool) -> None:
        self._rng = Random(seed)
        self._clock, self._folder = clock, folder
        self.verdict = Verdict(seed, hours=hours, frames=frames)
        site = draw_site(self._rng, folder)
        self.verdict.site = str(site.id)
        self._bounds = BoundWatch(site)
        self._scenario = _scenario(self._rng)
        self._station = self._fresh(site, None)
        self._troubles = Troubles(self._station.sim, clock, self._station.journal, self._rng, frames)
        self._over_since: dict[object, float] = {}
        self._low_since: dict[object, float] = {}
        self._hot, self._judged_at = HotFuses(), clock.now()
        self._longest_s = longest_s(site)

    def _fresh(self, site: Site, before: VirtualStation | None) -> VirtualStation:
        station = VirtualStation(
            self._clock,
            self._folder,
            site=site,
            scenario=self._scenario,
            seed=self.verdict.seed,
            frames=self.verdict.frames,
            journal=None if before is None else before.journal,
            sim=None if before is None else before.sim,
        )
        station.watchers += [self._bounds, self._look]
        return station

    async def run(self) -> Verdict:
        """Trouble for the given hours, then a calm in which everything must come back."""
        await self._station.start()
        started = self._clock.now()
        end = started + self.verdict.hours * 3600.0
        while self._clock.now() < end and len(self.verdict.broken) < 5:
            await self._step(STEP_S / 40.0)
        self._troubles.calm()
        over = self._clock.now() + CALM_S
        while self._clock.now() < over and len(self.verdict.broken) < 5:
            await self._step(0.0)
        self._judge_calm()
        await self._station.kill()
        truth = self._station.sim.truth()
        self.verdict.worst_theta = round(truth.worst_theta, 4)
        self.verdict.longest_over_s = round(truth.longest_over_s, 2)
        self.verdict.delivered_kwh = round(truth.delivered_wh / 1000.0, 1)
        self.verdict.raises = self._bounds.raises
        self.verdict.faults = dict(sorted(self._troubles.counts.items()))
        self.verdict.broken += self._bounds.broken[:3]
        self.verdict.worst_hot_theta = round(self._hot.worst, 4)
        if self._hot.worst > TRIP_THETA:
            self.verdict.broken.append(f"a hot fuse would have tripped: theta {self._hot.worst:.3f}")
        if truth.worst_theta > TRIP_THETA:
            self.verdict.broken.append(f"tripped: theta {truth.worst_theta:.3f} {truth.trips[:1]}")
        if self.verdict.broken:
            self.verdict.broken += self._troubles.log[-12:]
        return self.verdict

    async def _step(self, chance: float) -> None:
        await self._station.run_for(STEP_S)
        if self._station.ended:
            # It came up without a journal and has found it now: systemd starts it again.
            self._station = self._fresh(self._station.site, self._station)
            await self._station.start()
        self._troubles.step(chance)
        if chance and self._rng.random() < STEP_S / 900.0:
            await self._kill()
        if chance and self._rng.random() < STEP_S / 900.0:
            self._stall()
        self._judge()

    async def _kill(self) -> None:
        """kill -9 and a new start, once or several times in quick succession."""
        for _ in range(self._rng.choice((1, 1, 1, 4))):
            self.verdict.kills += 1
            dead_s = self._rng.choice((0.2, 1.0, 5.0, 30.0, 120.0))
            self._troubles.note("kill", f"for {dead_s}")
            self._troubles.impair(dead_s)
            self._troubles.base_soon()
            site = self._station.site
            await self._station.kill()
            await self._pass(dead_s)
            self._station = self._fresh(site, self._station)
            await self._station.start()
            await self._pass(self._rng.uniform(0.0, 20.0))

    async def _pass(self, seconds: float) -> None:
        until = self._clock.now() + seconds
        while self._clock.now() < until:
            self._troubles.impair(30.0)
            self._troubles.step(0.0)
            await asyncio.sleep(min(STEP_S, until - self._clock.now()))
            self._judge()

    def _stall(self) -> None:
        """The whole process, or the whole machine, stands still (R17)."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        seconds = self._rng.choice((1.5, 3.5, 6.0, 12.0, 25.0))
        self.verdict.stalls += 1
        self._troubles.note("stall", f"{seconds}")
        self._troubles.impair(seconds)
        loop.stall(seconds)

    def _judge(self) -> None:
        """Overload: how long, and whether somebody was beyond command meanwhile."""
        now = self._clock.now()
        ratios = true_ratios(self._station.sim)
        self._hot.pass_time(ratios, now - self._judged_at)
        self._judged_at = now
        for feeder, phases in ratios.items():
            ratio = max(phases)
            if ratio <= 1.0 + 1e-6:
                self._over_since.pop(feeder, None)
                continue
            since = self._over_since.setdefault(feeder, now)
            bound = G_S
            if since <= self._troubles.impaired_until:
                bound = self._longest_s
            if since <= self._troubles.bad_until:
                bound = max(bound, G_S + 15.0)
            lasted = now - since
            if bound == G_S:
                self.verdict.longest_calm_over_s = max(self.verdict.longest_calm_over_s, lasted)
            if lasted > bound + SLACK_S:
                self._fail(f"{feeder} over its rating ({ratio:.2f}) for {lasted:.1f} s, bound {bound:.0f}")
                self._over_since[feeder] = now + 60.0

    def _look(self, done: TurnDone) -> None:
        """U is never below what the box itself allows, nor for long below what the car draws (law 8)."""
        sim = self._station.sim
        sim.settle()
        now = self._clock.now()
        for write in done.decision.raises:
            if write.connector not in done.snapshot.chargers:
                self._fail(f"{write.connector} raised before it was read")
        for connector, point in sim.points.items():
            booked = done.decision.grants[connector].reserved_a
            allowed = point.allowed_a()
            if now < self._troubles.excused_until.get(connector, 0.0) or allowed <= booked + 0.06:
                self._low_since.pop(connector, None)
                continue
            if connector not in self._low_since:
                self._low_since[connector] = now
                self._fail(f"{connector} allows {allowed:.1f} A, booked {booked:.1f} A")

    def _judge_calm(self) -> None:
        live = self._station.station.live
        standing = {(a.code, a.subject) for a in live.alarms} if live is not None else {("no live view", "")}
        # A billing register that lied at the start of a session stays disbelieved until the session ends (B22).
        billing = {c.meter for c in self._station.site.connectors}
        left = sorted(f"{code}:{subject}" for code, subject in standing if code in PASSING and subject not in billing)
        if left:
            self._fail(f"alarms that outlast their cause by {CALM_S:.0f} s: {', '.join(left)}")

    def _fail(self, what: str) -> None:
        self.verdict.broken.append(f"at {self._clock.now():.1f}: {what}")


def longest_s(site: Site) -> float:
    """T of R1: the longest that an overload may last while somebody cannot be commanded."""
    watchdogs = [c.facts.failsafe for c in site.connectors if c.facts.failsafe is not None]
    return 7.0 + max((w.timeout_s * (1.0 + w.tolerance) for w in watchdogs), default=3.0)


def run_seed(seed: int, hours: float, *, frames: bool | None = None) -> Verdict:
    """Run one seed to its verdict; every fourth seed goes over byte-exact frames unless told."""
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        by_frames = seed % 4 == 0 if frames is None else frames
        return run_virtual(lambda clock: Soak(seed, hours, clock, Path(folder), frames=by_frames).run())

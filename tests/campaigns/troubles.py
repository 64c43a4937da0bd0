"""Faults at random for a whole virtual station, all of them inside the fault hypothesis R18."""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from siteward.model.ids import ConnectorId, FeederId
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.events import base_budget
from siteward_drivers.sim.faults import Ignores, Shows
from siteward_drivers.sim.fuses import TAU_S
from siteward_drivers.sim.site import SimSite
from siteward_drivers.sim.virtual import VirtualClock
from tests.fixtures.memory_journal import MemoryJournal

LASTS_S = (0.5, 2.0, 6.0, 20.0, 60.0, 200.0)
AFTER_S = 45.0
"""How long after its end a fault may still explain what is seen: watchdog, drop of the cars, re-reading."""
ONE_BAD_EVERY_S = 300.0
"""One restarting, disobedient or slow one at a time (R18): the next comes when the last is surely over."""


@dataclass(slots=True)
class Ended:
    """A fault that must be taken off at an instant."""

    at: float
    off: Callable[[], None]


class Troubles:
    """Draws faults from one seed; `step` is called every half second of virtual time.

    impaired_until: until when somebody may be beyond command or a meter beyond trust; excused_until: per connector,
    until when its own misbehaviour (a restart, disobedience) may put it above what is booked.
    """

    def __init__(self, sim: SimSite, clock: VirtualClock, journal: MemoryJournal, rng: Random, frames: bool) -> None:
        self._sim, self._clock, self._journal, self._rng = sim, clock, journal, rng
        self.counts: Counter[str] = Counter()
        self.log: list[str] = []
        self.impaired_until = 0.0
        self.bad_until = 0.0
        self.excused_until: dict[ConnectorId, float] = {}
        self._on: list[Ended] = []
        self._taken: set[object] = set()
        self._next_bad = 0.0
        kinds = [self._line, self._device, self._meter, self._base, self._bad, self._disk, self._wall]
        weights = [4, 4, 3, 5, 2, 1, 1]
        self._kinds, self._weights = kinds, weights
        self._frames = frames

    def step(self, chance: float) -> None:
        """Take off what is over; with that chance put a fault on."""
        now = self._clock.now()
        for ended in [e for e in self._on if e.at <= now]:
            self._on.remove(ended)
            ended.off()
        if self._rng.random() < chance:
            self._rng.choices(self._kinds, self._weights)[0]()

    def calm(self) -> None:
        """Take every fault off."""
        for ended in self._on:
            ended.off()
        self._on.clear()

    def note(self, kind: str, text: str = "") -> None:
        """Count a fault and remember it for the report."""
        self.counts[kind] += 1
        self.log.append(f"{self._clock.now():.1f} {kind} {text}")

    def impair(self, lasts_s: float) -> None:
        """Somebody cannot be commanded, or is not seen rightly, for so long."""
        self.impaired_until = max(self.impaired_until, self._clock.now() + lasts_s + AFTER_S)

    def _begin(self, kind: str, target: object, off: Callable[[], None]) -> float:
        """Register a fault on a target that has none; returns how long it lasts, 0 when the target has one."""
        if target in self._taken:
            return 0.0
        lasts_s = self._rng.choice(LASTS_S) * self._rng.uniform(0.5, 1.5)
        self._taken.add(target)

        def end() -> None:
            self._taken.discard(target)
            off()

        self._on.append(Ended(self._clock.now() + lasts_s, end))
        self.note(kind, f"{target} {lasts_s:.1f}")
        self.impair(lasts_s)
        self.base_soon()
        return lasts_s

    def base_soon(self) -> None:
        """The worst moment for other load to rise is right after something else went wrong (R1)."""
        if self._rng.random() < 0.3:
            self._on.append(Ended(self._clock.now() + self._rng.uniform(0.0, 4.0), self._base))

    def _line(self) -> None:
        bank = self._sim.banks[self._rng.choice(list(self._sim.banks))]
        name = next(k for k, b in self._sim.banks.items() if b is bank)
        kinds = ["cut", "mute", "late", *(["noise", "short", "foreign"] if self._frames else [])]
        kind = self._rng.choice(kinds)
        if not self._begin(f"line-{kind}", name, bank.faults.clear):
            return
        match kind:
            case "cut":
                bank.faults.cut = True
            case "mute":
                bank.faults.mute = True
            case "late":
                bank.faults.late_s = self._rng.uniform(0.1, 2.0)
            case "noise":
                bank.faults.noise = self._rng.choice((1e-4, 1e-3, 5e-3))
            case "short":
                bank.faults.short_by = self._rng.randint(1, 3)
            case _:
                bank.faults.foreign = True

    def _device(self) -> None:
        name = self._rng.choice([*self._sim.chargers, *self._sim.meters])
        faults = self._sim.device(name).faults
        kind = self._rng.choice(("silent", "mute", "slow", "lossy"))
        if not self._begin(f"device-{kind}", name, lambda: self._sim.restore_device(name)):
            return
        faults.silent, faults.mute = kind == "silent", kind == "mute"
        faults.latency_s = self._rng.uniform(0.05, 1.5) if kind == "slow" else 0.0
        faults.loss = self._rng.choice((0.05, 0.2, 0.5)) if kind == "lossy" else 0.0

    def _meter(self) -> None:
        name = self._rng.choice(list(self._sim.meters))
        shows = self._rng.choice((Shows.FROZEN, Shows.ZERO, Shows.NAN, Shows.ONES))
        if self._begin(f"meter-{shows.value}", name, lambda: self._sim.restore_device(name)):
            self._sim.meter(name).faults.shows = shows

    def _base(self) -> None:
        """Other load jumps to all that it may be, or to nothing."""
        full = self._rng.random() < 0.8
        for feeder, budget in base_budget(self._sim.site).items():
            self._sim.base_step(feeder, max(budget) if full else 0.0)
        self.note("base-full" if full else "base-none")
        self._on.append(Ended(self._clock.now() + self._rng.choice(LASTS_S), self._release_base))

    def _release_base(self) -> None:
        for feeder in self._sim.site.feeders:
            self._sim.base_step(feeder.id, None)

    def _bad(self) -> None:
        """One charger restarts, ignores its set point, draws too much, or feeds a car that takes 15 s."""
        now = self._clock.now()
        if now < self._next_bad:
            return
        name = self._rng.choice(list(self._sim.chargers))
        if name in self._taken:
            return
        device = self._sim.charger(name)
        kind = self._rng.choice(("restart", "ignores-writes", "ignores-effect", "overdraw", "slow-car"))
        self._next_bad = now + ONE_BAD_EVERY_S
        self.bad_until = max(self.bad_until, now + 60.0)
        if kind == "restart":
            device.restart()
            self.note(kind, name)
        elif kind == "slow-car":
            self._slow_car(device.charger.connectors[0].id)
            self.bad_until = now + ONE_BAD_EVERY_S
        elif lasts_s := self._begin(kind, name, lambda: self._sim.restore_device(name)):
            device.faults.ignores = {"ignores-writes": Ignores.WRITES, "ignores-effect": Ignores.EFFECT}.get(
                kind, Ignores.NOTHING
            )
            device.faults.overdraw = self._rng.uniform(1.05, 1.6) if kind == "overdraw" else 1.0
            device.refresh()
            self.bad_until = max(self.bad_until, now + lasts_s + 60.0)
        for connector in device.charger.connectors:
            self.excused_until[connector.id] = self.bad_until

    def _slow_car(self, connector: ConnectorId) -> None:
        self._sim.settle()
        if self._sim.world.outlets[connector].car is not None:
            self._sim.world.unplug(connector)
        obeys = self._rng.choice((1.0, 1.1))
        slow = Car("slow", capacity_wh=60_000.0, soc=0.2, max_a=16.0, react_s=15.0, obeys=obeys)
        self._sim.world.plug(connector, slow)
        self.note("slow-car", connector)
        self._on.append(Ended(self._clock.now() + ONE_BAD_EVERY_S - 60.0, lambda: self._take_away(connector)))

    def _take_away(self, connector: ConnectorId) -> None:
        self._sim.settle()
        car = self._sim.world.outlets[connector].car
        if car is not None and car.name == "slow":
            self._sim.world.unplug(connector)

    def _disk(self) -> None:
        def mend() -> None:
            self._journal.broken = False

        def found() -> None:
            self._journal.missing = self._journal.hangs = False

        how = self._rng.choice(("broken", "missing", "hangs"))
        if self._begin(f"journal-{how}", "journal", mend if how == "broken" else found):
            setattr(self._journal, how, True)

    def _wall(self) -> None:
        seconds = self._rng.choice((-3600.0, -5.0, 1.0, 3.0, 60.0, 86_400.0))
        self._clock.jump_wall(seconds)
        self.note("wall-jump", f"{seconds:.0f}")


class HotFuses:
    """The image of I1 for fuses that never cool below their rated heat: every overload meets the worst moment."""

    def __init__(self) -> None:
        self.theta: dict[tuple[FeederId, int], float] = {}
        self.worst = 1.0

    def pass_time(self, ratios: dict[FeederId, tuple[float, float, float]], seconds: float) -> None:
        """So long with these multiples of the ratings."""
        fade = math.exp(-seconds / TAU_S)
        for feeder, phases in ratios.items():
            for p, ratio in enumerate(phases):
                final = ratio * ratio
                before = self.theta.get((feeder, p), 1.0)
                self.theta[feeder, p] = max(1.0, final + (before - final) * fade)
        self.worst = max(self.worst, *self.theta.values())


def true_ratios(sim: SimSite) -> dict[FeederId, tuple[float, float, float]]:
    """Per feeder the true current as a multiple of its rating."""
    sim.settle()
    found = {}
    for node in sim.world.nodes.values():
        (a, b, c), (x, y, z) = node.current_a, node.feeder.rating_a
        found[node.feeder.id] = (a / x, b / y, c / z)
    return found

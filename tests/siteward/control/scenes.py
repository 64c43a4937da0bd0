"""Seeded scenes: a random proven site, cars that come and go, and faults inside the fault hypothesis R18."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from siteward.control.demand import Demand
from siteward.control.proof import prove
from siteward.model.facts import Readback, ResetBy
from siteward.model.ids import ConnectorId, FeederId
from siteward.model.limits import Limit, LimitSource
from siteward.model.site import Feeder, Priority, Site
from tests.siteward.control.sites import Box, feeder, site
from tests.siteward.control.truth import Truth
from tests.siteward.control.verdict import Verdict

FAULTS = (
    "line",
    "deaf",
    "mute",
    "meter",
    "frozen",
    "kill",
    "kill_long",
    "kill_base",
    "restart",
    "base",
    "base",
    "line_base",
)


LASTS_S = (2.0, 6.0, 20.0, 60.0, 200.0)

WIDE = 100_000
"""Seeds from here on have sites of four to six rows with four to six chargers each."""


def random_site(rng: Random, wide: bool = False, bounds: Random | None = None) -> Site:
    """A three-level tree whose fuses are proven (R3), enlarged until they are; `bounds` draws neutral and imbalance."""
    rows = rng.randint(4, 6) if wide else rng.randint(1, 3)
    nodes = [feeder("grid", 63.0, worst=rng.choice((10.0, 40.0, 60.0, 80.0)), metered=True)]
    boxes = []
    tw = rng.choice((10.0, 15.0, 15.0, 30.0, 60.0))
    boots = rng.choice(((0.0, 6.0), (0.0, 6.0, 8.0), (6.0, None), (0.0, 6.0, 8.0, None)))
    full = rng.random() < 0.5
    for r in range(rows):
        metered = rng.random() < 0.5
        worst = rng.choice((0.0, 5.0, 20.0)) if metered else rng.choice((0.0, 3.0))
        nodes.append(feeder(f"row{r}", 40.0, "grid", worst=worst, metered=metered))
        for _ in range(rng.randint(4, 6) if wide else rng.randint(2, 5)):
            hw = rng.choice((16.0, 32.0, 32.0))
            boxes.append(
                Box(
                    feeder=f"row{r}",
                    wiring=rng.choice(("123", "231", "312", "123", "1", "2")),
                    line=f"bus{rng.randint(0, 1)}",
                    max_a=hw,
                    hw_a=hw,
                    tw_s=tw if full or rng.random() < 0.9 else None,
                    reset_by=rng.choice((ResetBy.ANY_REQUEST, ResetBy.ANY_REQUEST, ResetBy.LIMIT_WRITE)),
                    boot_a=rng.choice(boots),
                    hold_s=rng.choice((8.0, 15.0)),
                    step_a=rng.choice((0.1, 0.5, 1.0)),
                    readback=Readback.ECHO,
                    measures=rng.random() < 0.8,
                    priority=rng.choice(list(Priority)),
                    persists=rng.random() < 0.7,
                )
            )
    if bounds is not None:
        nodes = [_bounded(f, bounds) for f in nodes]
    built = site(nodes, boxes)
    while True:
        short = {x.feeder for x in prove(built)} | {f.id for f in built.feeders if _base_too_big(f)}
        if not short:
            return built
        nodes = [_bigger(f) if f.id in short else f for f in built.feeders]
        built = site(nodes, boxes)


def _base_too_big(f: Feeder) -> bool:
    return any(w > r for w, r in zip(f.worst_base_load_a, f.rating_a, strict=True))


def _bigger(f: Feeder) -> Feeder:
    a, b, c = (x + 4.0 for x in f.rating_a)
    return replace(f, rating_a=(a, b, c), neutral_a=None if f.neutral_a is None else f.neutral_a + 4.0)


def _bounded(f: Feeder, rng: Random) -> Feeder:
    neutral = rng.choice((None, 0.5, 0.8)) if f.parent is None else rng.choice((None, None, 0.7))
    return replace(
        f,
        neutral_a=None if neutral is None else neutral * f.rating_a[0],
        imbalance_a=rng.choice((16.0, 20.0, 20.0, 30.0)) if f.parent is None or rng.random() < 0.3 else None,
    )


STRANGE = 200_000
"""Seeds from here on know stranger faults too; those before keep the faults that they had."""

STRANGE_FAULTS = (*FAULTS, "stuck", "stuck", "sleep", "sleep", "lift")


class Habits:
    """What cars do of their own will: sleep after a pause (B10), take less than offered (B11), leave at a time (B12).

    It draws from its own source, so that a seed keeps its site and its faults.
    """

    def __init__(self, truth: Truth, rng: Random) -> None:
        self.wish: dict[ConnectorId, float] = {}
        self._truth, self._rng = truth, rng
        self._until: dict[ConnectorId, float] = {}
        self._limit_until = 0.0

    def come(self, cid: ConnectorId, wish: float) -> float:
        """A car is plugged in; returns what it needs to leave in time, 0 if nobody said."""
        self.wish[cid] = wish
        return self._rng.choice((0.0, 0.0, self._rng.uniform(6.0, 40.0)))

    def leave(self, cid: ConnectorId) -> None:
        """The car goes."""
        del self.wish[cid]
        self._until.pop(cid, None)
        self._truth.boxes[cid].wants = 0.0

    def limit(self) -> None:
        """Every ten minutes or so somebody limits a feeder or a connector for some minutes (I14)."""
        rng, t = self._rng, self._truth
        if t.limits and t.at >= self._limit_until:
            t.limits = ()
        elif not t.limits and rng.random() < 1 / 600:
            amps = (rng.choice((0.0, 5.9, 6.0, 10.0, 25.0)),) * 3
            feeder = rng.choice([None, *(f.id for f in t.site.feeders)])
            connector = rng.choice(list(t.boxes)) if feeder is None else None
            t.limits = (Limit("now", LimitSource.GRID, amps, feeder=feeder, connector=connector),)
            self._limit_until = t.at + rng.choice((5.0, 60.0, 300.0))

    def second(self) -> None:
        """Now and then a car takes less for minutes; one in five sleeps when paused, and wakes when it likes."""
        rng, at = self._rng, self._truth.at
        for cid, wish in self.wish.items():
            box = self._truth.boxes[cid]
            if cid in self._until:
                if at >= self._until[cid]:
                    del self._until[cid]
                    box.wants = wish
            elif rng.random() < 1 / 600:
                box.wants = rng.choice((0.0, 2.0, 7.0, 0.6 * wish))
                self._until[cid] = at + rng.choice((20.0, 90.0, 300.0))
            elif box.set_point < 6.0 and rng.random() < 1 / 100:
                box.wants = 0.0
                self._until[cid] = at + rng.choice((60.0, 400.0, 1500.0))


class Scene:
    """A truth with cars and faults drawn from one seed."""

    def __init__(self, seed: int, bounds: bool = False) -> None:
        self.rng = Random(seed)
        self.site = random_site(self.rng, seed >= WIDE, Random(seed) if bounds else None)
        self.truth = Truth(self.site, self.rng)
        self.truth.poll_every = self.rng.choice((1, 1, 2))
        self.until: list[tuple[float, str, object]] = []
        self.faults = STRANGE_FAULTS if seed >= STRANGE else FAULTS
        self.slow = {f.id: False for f in self.site.feeders}
        self.log: list[str] = []
        self.last_restart = -1e9
        for c in self.site.connectors:
            box = self.truth.boxes[c.id]
            box.react_s = self.rng.uniform(1.0, 5.0)
            box.overdraw = self.rng.choice((1.0, 1.0, 1.0, 1.05))
            if box.overdraw > 1.0 and not c.facts.measures_current and self._unmetered(c.feeder):
                # Nobody could see it, so nobody could end it: outside R18, which counts what is measured (R6).
                box.overdraw = 1.0
        self.habits = Habits(self.truth, Random(f"habits of {seed}"))
        slow = self.rng.choice(list(self.truth.boxes.values()))
        self.bound_s = 10.0
        if self.rng.random() < 0.3:
            slow.react_s, self.bound_s = 15.0, 18.0
            self.last_restart = float("inf")

    def _unmetered(self, feeder: FeederId) -> bool:
        return next(f.meter for f in self.site.feeders if f.id == feeder) is None

    def broken(self) -> list[str]:
        """Promises that did not hold; bound_s is G, or what the one car of 15 s takes (R18).

        While somebody cannot be commanded the bound is T (R1); cars that draw 5 % over are no overload there.
        """
        v = self.truth.verdict
        late = [f"overload for {v.longest_calm_over_s:.1f} s"] if v.longest_calm_over_s > self.bound_s else []
        watch = max((c.facts.failsafe.timeout_s for c in self.site.connectors if c.facts.failsafe), default=0.0)
        if v.longest_over_s > 7.0 + watch + self.bound_s:
            late.append(f"overload for {v.longest_over_s:.1f} s, longer than T")
        if v.longest_calm_uneven_s > self.bound_s or v.longest_uneven_s > 7.0 + watch + self.bound_s:
            late.append(f"phases too far apart for {v.longest_calm_uneven_s:.1f} or {v.longest_uneven_s:.1f} s")
        if v.longest_neutral_s > 7.0 + watch + self.bound_s:
            late.append(f"neutral overloaded for {v.longest_neutral_s:.1f} s")
        return [*v.tripped[:1], *v.broken_bounds[:2], *v.low_u[:2], *late]

    def run(self, seconds: int, faults: float) -> Verdict:
        """Run; faults is the mean number of faults in an hour."""
        for _ in range(seconds):
            self._cars()
            if faults > 0.0:
                self.habits.limit()
            if self.rng.random() < faults / 3600.0:
                kind = self.rng.choice(self.faults)
                (self._strange if kind in ("sleep", "lift") else self._fault)(kind)
            self._repair()
            self.truth.second()
            if self.truth.verdict.tripped:
                break
        return self.truth.verdict

    def _cars(self) -> None:
        t = self.truth
        for cid, box in t.boxes.items():
            there = cid in self.habits.wish
            if self.rng.random() < (1 / 900 if there else 1 / 60):
                if there:
                    self.habits.leave(cid)
                    t.demands[cid] = Demand(False, 0.0, box.connector.priority, t.at)
                else:
                    box.wants = self.rng.choice((10.0, 32.0, 32.0))
                    one = self.rng.randint(0, 2)
                    single = self.rng.random() < 0.25
                    box.phases = (not single or one == 0, not single or one == 1, not single or one == 2)
                    if len(box.connector.wiring) < 3:
                        box.phases = (True, True, True)
                    need_a = self.habits.come(cid, box.wants)
                    t.demands[cid] = Demand(True, 32.0, box.connector.priority, t.at, need_a=need_a)
        self.habits.second()
        for f in self.site.feeders:
            if self.rng.random() < 1 / 150:
                worst = f.worst_base_load_a
                share = self.rng.choice((0.0, 0.0, 0.1, 0.5, 1.0))
                t.base[f.id] = [self.rng.uniform(0.0, 1.0) * share * worst[p] for p in range(3)]
        self._fit_base()

    def _fit_base(self) -> None:
        """All load below a node that is no charger counts to its worst base: children's included (R18)."""
        t, root = self.truth, self.site.feeders[0]
        for p in range(3):
            below = sum(t.base[f.id][p] for f in self.site.feeders[1:])
            room = max(0.0, root.worst_base_load_a[p] - below)
            own = min(t.base[root.id][p], room)
            t.base[root.id][p] = own
            for f in self.site.feeders[1:]:
                if below > root.worst_base_load_a[p]:
                    t.base[f.id][p] *= root.worst_base_load_a[p] / below

    def _fault(self, kind: str) -> None:
        t, rng = self.truth, self.rng
        lasts = rng.choice(LASTS_S)
        self.log.append(f"{t.at:.0f} {kind} {lasts:.0f}")
        if kind.endswith("_base"):
            self.until.append((t.at + rng.uniform(0.0, 4.0), "base", None))
            lasts = 60.0
            kind = "line" if kind == "line_base" else kind
        if kind in ("line", "mute", "deaf"):
            lines = sorted({c.line for c in self.site.chargers})
            line = rng.choice(lines)
            hit = [c.connectors[0].id for c in self.site.chargers if c.line == line]
            if kind != "line" or rng.random() < 0.5:
                hit = [rng.choice(hit)]
            for cid in hit:
                t.boxes[cid].hears = kind == "mute"
                t.boxes[cid].answers = kind == "deaf"
            self.until.append((t.at + lasts, "wire", hit))
            self._impair(lasts)
        elif kind in ("meter", "frozen", "stuck"):
            metered = [f.meter for f in self.site.feeders if f.meter is not None]
            meter = rng.choice(metered)
            t.meter_mode[meter] = "lost" if kind == "meter" else kind
            self.until.append((t.at + lasts, "meter", meter))
            self._impair(lasts)
        elif kind.startswith("kill"):
            lasts = rng.uniform(1.0, 4.0) if kind == "kill" else rng.uniform(10.0, 120.0)
            if t.alive:
                t.kill()
                self.until.append((t.at + lasts, "start", None))
                self._impair(lasts)
        elif kind == "base":
            f = rng.choice(self.site.feeders)
            t.base[f.id] = list(f.worst_base_load_a)
            self._fit_base()
        elif t.at - self.last_restart > 120.0:
            self.last_restart = t.at
            cid = rng.choice(list(t.boxes))
            t.boxes[cid].restart(t.at, rng.uniform(0.5, 10.0))
            t.restarted[cid] = t.at
            self._impair(30.0)

    def _strange(self, kind: str) -> None:
        """The controller stands still, or somebody takes a charger's limit away: one at a time, as what disobeys."""
        t, rng = self.truth, self.rng
        lasts = rng.choice(LASTS_S)
        self.log.append(f"{t.at:.0f} {kind} {lasts:.0f}")
        if kind == "sleep":
            lasts = rng.choice((1.5, 2.6, 3.4, 8.0, 30.0))
            t.asleep_until = t.at + lasts
            self._impair(lasts)
        elif t.at - self.last_restart > 120.0:
            self.last_restart = t.at
            cid = rng.choice(list(t.boxes))
            t.boxes[cid].lift()
            t.restarted[cid] = t.at
            self._impair(30.0)

    def _impair(self, lasts: float) -> None:
        self.truth.impaired_until = max(self.truth.impaired_until, self.truth.at + lasts + 90.0)

    def _repair(self) -> None:
        t = self.truth
        for item in [x for x in self.until if x[0] <= t.at]:
            self.until.remove(item)
            _, what, which = item
            if what == "wire":
                for cid in which:  # type: ignore[attr-defined]
                    t.boxes[ConnectorId(cid)].hears = t.boxes[ConnectorId(cid)].answers = True
            elif what == "meter":
                t.meter_mode.pop(which, None)  # type: ignore[call-overload]
            elif what == "base":
                for f in self.site.feeders:
                    t.base[f.id] = list(f.worst_base_load_a)
                self._fit_base()
            else:
                t.alive = True

"""Seeded scenes in which chargers switch phases: some contactors stick, one at most says what is not so (R18)."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from siteward.control.demand import Demand
from siteward.model.site import Site
from tests.siteward.control.sites import Box, feeder, site
from tests.siteward.control.truth import Truth

PATIENCE_S = 240


def tight_site(rng: Random) -> Site:
    """One or two levels; other load may take all of a phase, so that cars must pause or do with one phase."""
    nodes = [feeder("grid", 63.0, worst=56.0, metered=True)]
    under = rng.choice(("grid", "row"))
    if under == "row":
        nodes.append(feeder("row", 50.0, "grid", worst=rng.choice((0.0, 20.0)), metered=True))
    boxes = [
        Box(
            feeder=under,
            wiring=rng.choice(("123", "231", "312")),
            fs_a=0.0,
            boot_a=0.0,
            tw_s=15.0,
            step_a=rng.choice((0.1, 1.0)),
            phase_switching=rng.random() < 0.8,
        )
        for _ in range(rng.randint(2, 4))
    ]
    return site(nodes, boxes)


class PhaseScene:
    """One such site: other load on one, two or all phases for minutes, cars that come, go and pause by themselves."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.site = tight_site(self.rng)
        self.truth = Truth(self.site, self.rng)
        for cid, box in self.truth.boxes.items():
            box.wants, box.may_switch = 32.0, self.rng.random() < 0.9
            box.react_s = self.rng.uniform(1.0, 5.0)
            one = self.rng.random() < 0.2
            box.phases = (True, not one, not one)
            box.contactors.mode = self.rng.choice(("obeys", "obeys", "stuck"))
            self.truth.demands[cid] = Demand(True, 32.0, box.connector.priority, 1000.0, may_switch=box.may_switch)
        if self.rng.random() < 0.4:
            self.rng.choice(list(self.truth.boxes.values())).contactors.mode = "lies"
        self.healed: list[tuple[float, str]] = []

    def run(self, seconds: int) -> None:
        """Run, with somebody silent, restarting or asleep now and then."""
        for second in range(seconds):
            if second % PATIENCE_S == 60:
                self._base()
            if self.rng.random() < 1 / 300:
                self._trouble()
            self._heal()
            self.truth.second()

    def _base(self) -> None:
        full = self.rng.choice(((1, 2), (0, 2), (0, 1), (0,), (), (0, 1, 2)))
        high = self.rng.uniform(20.0, 56.0)
        self.truth.base[self.site.feeders[0].id] = [high if p in full else self.rng.uniform(0, 5) for p in range(3)]

    def _trouble(self) -> None:
        t, kind = self.truth, self.rng.choice(("silent", "restart", "takes", "session", "leaves"))
        cid = self.rng.choice(list(t.boxes))
        box = t.boxes[cid]
        if kind == "silent":
            box.hears = box.answers = False
        elif kind == "restart" and t.at - max(t.restarted.values(), default=0.0) > 120.0:
            box.restart(t.at, 3.0)
            t.restarted[cid] = t.at
        elif kind == "takes":
            box.wants = 0.0
        elif kind in ("session", "leaves"):
            box.away = kind == "leaves"
            box.wants = 0.0 if box.away else 32.0
            t.demands[cid] = replace(t.demands[cid], wants=not box.away, waiting_since=t.at)
        t.impaired_until = max(t.impaired_until, t.at + 120.0)
        self.healed.append((t.at + self.rng.uniform(3.0, 60.0), cid))

    def _heal(self) -> None:
        for item in [x for x in self.healed if x[0] <= self.truth.at]:
            self.healed.remove(item)
            box = next(b for cid, b in self.truth.boxes.items() if cid == item[1])
            box.hears = box.answers = True
            if not box.away:
                box.wants = 32.0

    def broken(self) -> list[str]:
        """Promises of the fuses, and those of B14, that did not hold."""
        v = self.truth.verdict
        told = [text for box in self.truth.boxes.values() for text in box.contactors.broken]
        late = [f"overload for {v.longest_calm_over_s:.1f} s"] if v.longest_calm_over_s > 10.0 else []
        return [*v.tripped[:1], *v.broken_bounds[:1], *v.low_u[:1], *told[:1], *late]

    @property
    def moves(self) -> int:
        """How often contactors were told to move."""
        return sum(len(box.contactors.moved) for box in self.truth.boxes.values())

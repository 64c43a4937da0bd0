"""The whole station in seeded virtual hours: true fuses judge, and the bound of R1 and R13 on every turn."""

import math
from pathlib import Path

import pytest

from siteward.model.site import Site
from siteward.runtime.turn import TurnDone
from siteward_drivers.sim.scenario import ArrivalPlan, BaseLoadPlan, Scenario
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.fixtures.station import VirtualStation

CROWD = Scenario(
    base_load=BaseLoadPlan(share=(0.1, 1.0), step_s=20.0),
    arrivals=ArrivalPlan(first_s=(2.0, 60.0), free_s=(20.0, 200.0), stay_s=(200.0, 2000.0)),
    fuses_blow=False,
)
"""Everybody comes at once and other load uses all that it may (R18)."""


def k(seconds: float) -> float:
    """The multiple of its rating that a fuse stands for that long (turn.md, written anew from its formula)."""
    return math.sqrt(1 + 0.277 / (1 - math.exp(-seconds / 60)))


class BoundWatch:
    """On every turn: no raise may make the reserved current exceed R1 or the rating less margin and base."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._longest_s = 7 + max(
            c.facts.failsafe.timeout_s * (1 + c.facts.failsafe.tolerance) for c in site.connectors if c.facts.failsafe
        )
        self._paths = {c.id: {f.id for f in site.path(c.feeder)} for c in site.connectors}
        self.raises = 0
        self.broken: list[str] = []

    def __call__(self, done: TurnDone) -> None:
        raised = set()
        for write in done.decision.raises:
            self.raises += 1
            raised |= self._paths[write.connector]
        for feeder in self._site.feeders:
            if feeder.id not in raised:
                continue
            book = done.decision.feeders[feeder.id]
            for p, rating_a in enumerate(feeder.rating_a):
                margin_a = max(1.0, 0.03 * rating_a)
                reserved_a = book.reserved_a[p]
                possible_a = reserved_a + feeder.worst_base_load_a[p]
                if reserved_a + book.base_a[p] > rating_a - margin_a + 1e-6:
                    self.broken.append(f"turn {done.snapshot.turn}: {feeder.id} {reserved_a} + base {book.base_a[p]}")
                if possible_a > k(self._longest_s) * rating_a + 1e-6:
                    self.broken.append(f"turn {done.snapshot.turn}: {feeder.id} R1 {possible_a}")


@pytest.mark.parametrize(("seed", "hours", "frames"), [(11, 0.5, False), (12, 0.5, False), (13, 0.15, True)])
def test_r1_r13_no_raise_ever_leaves_the_bound_and_no_fuse_trips(tmp_path: Path, seed, hours, frames):
    async def story(clock: VirtualClock) -> None:
        station = VirtualStation(clock, tmp_path, scenario=CROWD, seed=seed, frames=frames)
        watch = BoundWatch(station.site)
        station.watchers.append(watch)
        await station.start()
        await station.run_for(hours * 3600)
        truth = station.sim.truth()
        await station.stop()
        assert watch.broken == []
        assert watch.raises > 20, "the crowd must make the station raise, else this proves nothing"
        assert truth.trips == ()
        assert truth.longest_over_s <= 10.0
        assert truth.delivered_wh > 10_000 * hours

    run_virtual(story)

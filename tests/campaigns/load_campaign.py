"""Many seeded scenes of the load turn with every fault of R18: `FIRST=n SEEDS=n HOURS=h FAULTS=n make load`.

Each seed is a site of its own, drawn and proven (R3), with cars that come and go, sleep, take less than offered or need
their energy by a time; FAULTS is their mean number in an hour. Seeds from 100000 on have wide sites, from 200000 on
also stranger faults (limits that somebody lifts, meters that only noise moves, a controller that stands still). Seeds
run side by side, one a processor. Figures of the last run, with its date and commit, stand in `last_load.json`, written
anew every KEEP seeds.
"""

import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.campaigns.record import commit, keep
from tests.siteward.control.scenes import Scene
from tests.siteward.control.truth import TRIP_THETA
from tests.siteward.control.verdict import Verdict

LAST = Path(__file__).with_name("last_load.json")
KEEP = 50


@dataclass(frozen=True)
class Outcome:
    """What one seed came to; broken: the promises that did not hold, with the last that struck before."""

    seed: int
    verdict: Verdict
    connectors: int
    struck: Counter[str]
    broken: list[str]


def outcome(seed: int, hours: float, faults: float) -> Outcome:
    """Run one seed."""
    scene = Scene(seed)
    verdict = scene.run(round(hours * 3600), faults)
    wrong = scene.broken()
    struck = Counter(line.split()[1] for line in scene.log)
    return Outcome(seed, verdict, len(scene.truth.boxes), struck, [*wrong, *scene.log[-4:]] if wrong else [])


@dataclass
class Tally:
    """What all seeds so far came to."""

    hours: float
    verdicts: list[Verdict] = field(default_factory=list)
    connectors: int = 0
    broken: dict[str, list[str]] = field(default_factory=dict)
    struck: Counter[str] = field(default_factory=Counter)

    def add(self, one: Outcome) -> None:
        """Join a seed."""
        self.verdicts.append(one.verdict)
        self.connectors += one.connectors
        self.struck.update(one.struck)
        if one.broken:
            self.broken[f"seed {one.seed}"] = one.broken

    def figures(self) -> dict[str, object]:
        """The record."""
        size = {
            "seeds": len(self.verdicts),
            "virtual_hours": round(len(self.verdicts) * self.hours, 2),
            "connector_hours": round(self.connectors * self.hours, 1),
            "violations": len(self.broken),
            "faults_struck": self.struck.total(),
        }
        return size | {"broken": self.broken} | _worst(self.verdicts) | {"faults": dict(sorted(self.struck.items()))}


def main(first: int, seeds: int, hours: float, faults: float) -> int:
    """Print each seed's verdict, keep the figures; return how many seeds broke a promise."""
    began, began_with = time.monotonic(), commit()
    tally = Tally(hours)
    one = partial(outcome, hours=hours, faults=faults)
    with ProcessPoolExecutor() as pool:
        for done, found in enumerate(pool.map(one, range(first, first + seeds)), start=1):
            tally.add(found)
            _tell(found.seed, found.verdict, found.broken)
            if done % KEEP == 0 or done == seeds:
                command = f"FIRST={first} SEEDS={done} HOURS={hours:g} FAULTS={faults:g} make load"
                took = {"commit": began_with, "took_s": round(time.monotonic() - began, 1)}
                keep(LAST, command, took | tally.figures())
    return len(tally.broken)


def _tell(seed: int, v: Verdict, wrong: list[str]) -> None:
    print(
        f"seed {seed}: theta {v.worst_theta:.3f} over {v.longest_over_s:.1f} calm {v.longest_calm_over_s:.1f} "
        f"raises {v.raises} trips {len(v.tripped)} bounds {len(v.broken_bounds)} low {len(v.low_u)}",
        *wrong,
        flush=True,
    )


def _worst(verdicts: list[Verdict]) -> dict[str, object]:
    """The worst of all seeds: what the fuses went through, and how often the controller dared to raise."""
    return {
        "trips": sum(len(v.tripped) for v in verdicts),
        "broken_bounds": sum(len(v.broken_bounds) for v in verdicts),
        "worst_theta": round(max(v.worst_theta for v in verdicts), 3),
        "trip_theta": round(TRIP_THETA, 4),
        "longest_over_s": round(max(v.longest_over_s for v in verdicts), 1),
        "longest_calm_over_s": round(max(v.longest_calm_over_s for v in verdicts), 1),
        "turns": sum(v.turns for v in verdicts),
        "raises": sum(v.raises for v in verdicts),
    }


if __name__ == "__main__":
    usual = {"FIRST": "1", "SEEDS": "20", "HOURS": "0.5", "FAULTS": "60"}
    asked = [float(os.environ.get(key, value)) for key, value in usual.items()]
    sys.exit(min(1, main(int(asked[0]), int(asked[1]), asked[2], asked[3])))

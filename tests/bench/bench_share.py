"""Goals 9 and 10: the whole allocation against HiGHS and acnportal on the same random scenes: time and quality.

Ours is step 7 as the turn runs it: booking, admission by class and waiting time, sharing, rounding to device steps.
acnportal has no admission (it raises ValueError where the floors do not fit), so it is given ours.
"""

from __future__ import annotations

import gc
import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import mean, median
from time import process_time

from siteward.control.allocate import allocate
from tests.arch.sources import ROOT
from tests.bench.rows import Row
from tests.fixtures.share_exact import admission, max_min
from tests.fixtures.share_scenes import ShareScene, ours, scene, used, work_of

TIME_MUST_MS = {10: 0.1, 100: 1.0, 1000: 8.0}
SCENES = {10: 40, 100: 12, 1000: 2}
TIMES = {10: 25, 100: 10, 1000: 20}
"""How often each scene is timed: its best time counts, for neighbours on a shared machine only ever add."""
PEER_SCENES = {10: 10, 100: 2}
"""acnportal takes seconds for 100 connectors and minutes for 1,000."""
FINEST_UP_TO = 10
PEER = ROOT / ".venv-bench" / "bin" / "python"
STEP_A = 0.1
EPS = 1e-6


@dataclass
class Quality:
    """What the scenes of one size came to."""

    furthest_steps: float = 0.0
    admitted: list[float] = field(default_factory=list)
    broken: int = 0
    below: int = 0
    lp_ms: list[float] = field(default_factory=list)
    milp_ms: list[float] = field(default_factory=list)


def judge(cases: Sequence[ShareScene]) -> Quality:
    """Compare our allocations with the exact ones."""
    found = Quality()
    for case in cases:
        amps = ours(case)
        taken = [i for i, value in enumerate(amps) if value > 0.0]
        found.broken += sum(a > room + EPS for a, room in zip(used(case, amps), case.room_a, strict=True))
        found.below += sum(0.0 < a < o.floor_a - EPS for a, o in zip(amps, case.tree.outlets, strict=True))
        begun = process_time()
        best = sum(w for w, yes in zip(case.weights, admission(case), strict=True) if yes)
        found.milp_ms.append((process_time() - begun) * 1000.0)
        found.admitted.append(sum(case.weights[i] for i in taken) / best if best else 1.0)
        begun = process_time()
        exact = max_min(case, taken)
        found.lp_ms.append((process_time() - begun) * 1000.0)
        apart = max((abs(amps[i] - exact[i]) for i in taken), default=0.0)
        found.furthest_steps = max(found.furthest_steps, apart / STEP_A)
    return found


def time_ours(cases: Sequence[ShareScene], times: int) -> float:
    """Median over the scenes of the ms that one whole step 7 takes, in any turn but the first after a start."""
    gc.collect()
    gc.freeze()
    best = []
    for case in cases:
        spent = []
        for _ in range(times):
            work = work_of(case)
            allocate(work)
            begun = process_time()
            allocate(work)
            spent.append((process_time() - begun) * 1000.0)
        best.append(min(spent))
    return median(best)


def never_raises(scenes: int) -> tuple[int, int]:
    """Allocations that raised, of how many, with room that is short, none, or less than none."""
    raised = 0
    for seed in range(scenes):
        case = scene(1 + seed % 40, seed)
        work = work_of(case, running=seed % 2 == 0)
        work.room_a = [room - seed % 7 * 5.0 for room in work.room_a]
        try:
            allocate(work)
        except (ArithmeticError, LookupError, TypeError, ValueError):
            raised += 1
    return raised, scenes


def ask_peer(cases: Sequence[ShareScene]) -> dict[str, list[dict[str, object]]]:
    """acnportal's answers for those that we admitted. Raises where its environment was not made."""
    if not PEER.exists():
        raise FileNotFoundError(f"{PEER}: `make bench` makes the environment of acnportal from config/locks/bench.txt")
    told = [_told(case) for case in cases]
    done = subprocess.run(
        [str(PEER), str(ROOT / "tests" / "bench" / "peer_acnportal.py")],
        input=json.dumps({"scenes": told, "finestUpTo": FINEST_UP_TO}),
        capture_output=True,
        text=True,
        check=True,
    )
    answer: dict[str, list[dict[str, object]]] = json.loads(done.stdout)
    return answer


def _told(case: ShareScene) -> dict[str, object]:
    taken = [i for i, amps in enumerate(ours(case)) if amps > 0.0]
    return {
        "room_a": case.room_a,
        "floor_a": [case.tree.outlets[i].floor_a for i in taken],
        "cap_a": [case.tree.outlets[i].cap_a for i in taken],
        "cells": [case.cells[i] for i in taken],
    }


def jain(amps: Sequence[float], weights: Sequence[float]) -> float:
    """Jain's index of current / weight: 1 = everybody has the same."""
    shares = [a / w for a, w in zip(amps, weights, strict=True)]
    return sum(shares) ** 2 / (len(shares) * sum(s * s for s in shares))


def measure() -> list[Row]:
    """Rows of goals 9 and 10."""
    rows = []
    for count, must in TIME_MUST_MS.items():
        cases = [scene(count, seed) for seed in range(SCENES[count])]
        spent = round(time_ours(cases, TIMES[count]), 3)
        found = judge(cases)
        lp, milp = round(median(found.lp_ms), 2), round(median(found.milp_ms), 2)
        rows.append(Row(9, f"whole allocation of {count}, HiGHS LPs", spent, must, "ms", "less", lp, "HiGHS max-min"))
        rows.append(
            Row(9, f"whole allocation of {count}, HiGHS MILP", spent, must, "ms", "less", milp, "HiGHS admission")
        )
        rows += _peers(count, spent, must)
        rows += _quality(count, found)
    raised, tried = never_raises(2000)
    rows.append(Row(10, f"allocations that raised, of {tried}", raised, 0, "", "less", None, "must"))
    return rows


def _quality(count: int, found: Quality) -> list[Row]:
    of = f"{count} connectors, {len(found.admitted)} scenes"
    apart, share = round(found.furthest_steps, 3), round(100.0 * mean(found.admitted), 2)
    worst = round(100.0 * min(found.admitted), 1)
    return [
        Row(10, f"furthest from LP max-min, {of}", apart, 1.001, "steps", "less", 0.0, "HiGHS"),
        Row(10, f"limits broken, {of}", found.broken, 0, "", "less", 0.0, "HiGHS"),
        Row(10, f"below minimum, {of}", found.below, 0, "", "less", 0.0, "HiGHS"),
        Row(10, f"admitted by weight (worst {worst:g}), {of}", share, 98.0, "%", "more", 100.0, "HiGHS MILP"),
    ]


def _peers(count: int, spent: float, must: float) -> list[Row]:
    """Time, power and fairness beside acnportal on those that we admitted."""
    cases = [scene(count, seed) for seed in range(PEER_SCENES.get(count, 0))]
    rows = []
    for name, answers in ask_peer(cases).items() if cases else ():
        if not answers:
            continue
        ms = round(median(float(str(answer["ms"])) for answer in answers), 2)
        rows.append(
            Row(9, f"whole allocation of {count}, acnportal", spent, must, "ms", "less", ms, f"acnportal {name}")
        )
        mine, theirs, fair, unfair = [], [], [], []
        for case, answer in zip(cases, answers, strict=True):
            amps = ours(case)
            taken = [i for i, value in enumerate(amps) if value > 0.0]
            phases = [case.tree.outlets[i].phases for i in taken]
            weights = [case.weights[i] for i in taken]
            given = [float(x) for x in answer["amps"]]  # type: ignore[attr-defined]
            mine.append(sum(amps[i] * n for i, n in zip(taken, phases, strict=True)))
            theirs.append(sum(a * n for a, n in zip(given, phases, strict=True)))
            fair.append(jain([amps[i] for i in taken], weights))
            unfair.append(jain(given, weights))
        # Fairness costs power: max-min may give less in all than who serves the first one first, but not much.
        rows.append(
            Row(
                10,
                f"phase-amperes of {count} beside {name}",
                round(mean(mine), 1),
                round(0.9 * mean(theirs), 1),
                "A",
                "more",
                round(mean(theirs), 1),
                f"acnportal {name}",
            )
        )
        rows.append(
            Row(
                10,
                f"Jain index by weight of {count} beside {name}",
                round(mean(fair), 3),
                round(mean(unfair), 3) - 0.005,
                "",
                "more",
                round(mean(unfair), 3),
                f"acnportal {name}",
            )
        )
    return rows

"""Seeded virtual hours with every fault of R18: `SEEDS=n HOURS=h FIRST=n python -m tests.campaigns.soak`."""

import os
import sys
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from siteward_drivers.sim.fuses import TRIP_THETA
from tests.campaigns.record import keep
from tests.campaigns.seed import Verdict, run_seed

LAST = Path(__file__).with_name("last_soak.json")
"""Figures of the last campaign, with its date, commit and command."""


def main(first: int, seeds: int, hours: float) -> int:
    """Run the seeds, print each verdict, keep the figures; return how many seeds broke a promise."""
    verdicts: list[Verdict] = []
    began = time.monotonic()
    for seed in range(first, first + seeds):
        verdict = run_seed(seed, hours)
        verdicts.append(verdict)
        print(
            f"[{len(verdicts)}/{seeds}] seed {seed} {verdict.site} {'frames' if verdict.frames else 'ports'} "
            f"{hours:g} h: theta {verdict.worst_theta:.3f} hot {verdict.worst_hot_theta:.3f} "
            f"over {verdict.longest_over_s:.1f} s "
            f"(calm {verdict.longest_calm_over_s:.1f}) raises {verdict.raises} "
            f"faults {sum(verdict.faults.values())} "
            f"kills {verdict.kills} stalls {verdict.stalls} {verdict.delivered_kwh} kWh: "
            f"{'BROKEN' if verdict.broken else 'held'}",
            *verdict.broken,
            sep="\n  ",
            flush=True,
        )
    bad = [v for v in verdicts if v.broken]
    total: Counter[str] = sum((Counter(v.faults) for v in verdicts), Counter())
    keep(
        LAST,
        f"FIRST={first} SEEDS={seeds} HOURS={hours:g} make soak",
        {
            "virtual_hours": round(sum(v.hours for v in verdicts), 2),
            "took_s": round(time.monotonic() - began, 1),
            "seeds": seeds,
            "broken": [asdict(v) for v in bad],
            "worst_theta": max(v.worst_theta for v in verdicts),
            "worst_hot_theta": max(v.worst_hot_theta for v in verdicts),
            "trip_theta": round(TRIP_THETA, 4),
            "longest_over_s": max(v.longest_over_s for v in verdicts),
            "longest_calm_over_s": round(max(v.longest_calm_over_s for v in verdicts), 2),
            "raises": sum(v.raises for v in verdicts),
            "kills": sum(v.kills for v in verdicts),
            "stalls": sum(v.stalls for v in verdicts),
            "delivered_kwh": round(sum(v.delivered_kwh for v in verdicts), 1),
            "faults": dict(sorted(total.items())),
        },
    )
    return len(bad)


if __name__ == "__main__":
    sys.exit(
        min(
            1,
            main(
                int(os.environ.get("FIRST", "1")),
                int(os.environ.get("SEEDS", "4")),
                float(os.environ.get("HOURS", "0.5")),
            ),
        )
    )

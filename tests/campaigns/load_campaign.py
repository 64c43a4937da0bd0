"""Run many seeded scenes of the load turn: `python -m tests.campaigns.load_campaign FIRST COUNT SECONDS FAULTS`."""

from __future__ import annotations

import sys

from tests.siteward.control.scenes import Scene


def main(first: int, count: int, seconds: int, faults: float) -> int:
    """Print each seed's verdict; return how many seeds broke a promise."""
    bad = 0
    for seed in range(first, first + count):
        scene = Scene(seed)
        v = scene.run(seconds, faults)
        wrong = scene.broken()
        bad += bool(wrong)
        print(
            f"seed {seed}: theta {v.worst_theta:.3f} over {v.longest_over_s:.1f} calm {v.longest_calm_over_s:.1f} "
            f"raises {v.raises} trips {len(v.tripped)} bounds {len(v.broken_bounds)} low {len(v.low_u)}",
            *((*wrong, *scene.log[-4:]) if wrong else ()),
            flush=True,
        )
    return bad


if __name__ == "__main__":
    sys.exit(min(1, main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))))

"""`make hil`: runs a whole station on a rig for some minutes and lets the rig's own truth judge it."""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.fixtures.demo import Demo

LONGEST_OVERLOAD_S = 10.0
"""Any fuse may carry more than its rating for as long as a car takes to react (G of turn.md)."""

_RECORD = Path(__file__).with_name("last_run.json")
_LOOK_S = 5.0


def main() -> int:
    """Run the rig; exit status 1 when the truth speaks against the station, 2 for an unknown rig."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rig", default="emulated", choices=["emulated"], help="emulated: the demo's simulated wires")
    parser.add_argument("--minutes", type=float, default=10.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hil-") as folder:
        demo = Demo(Path(folder))
        demo.start()
        try:
            truth = asyncio.run(_watch(demo, options.minutes * 60))
        finally:
            stopped_s = demo.stop()
    verdict = _verdict(truth, options.minutes, stopped_s)
    _RECORD.write_text(json.dumps(verdict, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(verdict, indent=1))
    return 0 if verdict["ok"] else 1


async def _watch(demo: Demo, seconds: float) -> dict[str, Any]:
    await demo.until(lambda view: view.health.turn > 0, 30, "core deciding")
    started = time.monotonic()
    truth = await demo.truth()
    while (gone := time.monotonic() - started) < seconds:
        await asyncio.sleep(min(_LOOK_S, seconds - gone))
        truth = await demo.truth()
        charging = sum(1 for c in truth["connectors"] if max(c["draw_a"]) > 0.5)
        print(
            f"\r{gone:5.0f} of {seconds:.0f} s  charging {charging:2}  worst theta {truth['worst_theta']:.3f}  "
            f"longest overload {truth['longest_over_s']:.1f} s  {truth['delivered_wh'] / 1000:.2f} kWh ",
            end="",
            file=sys.stderr,
            flush=True,
        )
    print(file=sys.stderr)
    return truth


def _verdict(truth: dict[str, Any], minutes: float, stopped_s: float) -> dict[str, Any]:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    ok = not truth["trips"] and truth["longest_over_s"] <= LONGEST_OVERLOAD_S and truth["delivered_wh"] > 0
    return {
        "ok": ok,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit,
        "rig": "emulated",
        "minutes": minutes,
        "trips": len(truth["trips"]),
        "worst_theta": round(truth["worst_theta"], 4),
        "longest_overload_s": round(truth["longest_over_s"], 2),
        "delivered_kwh": round(truth["delivered_wh"] / 1000, 3),
        "stays": len(truth["stays"]),
        "early_frames": sum(line["early"] for line in truth.get("lines", {}).values()),
        "stopped_in_s": round(stopped_s, 2),
    }


if __name__ == "__main__":
    sys.exit(main())

"""`make bench`: every bench in one run, each figure beside its must and its peer, printed and written as JSON."""

import argparse
import json
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.bench import (
    bench_core,
    bench_line,
    bench_months,
    bench_plan,
    bench_reaction,
    bench_share,
    bench_tcp,
    bench_turn,
    bench_wire,
)
from tests.bench.rows import Row

_BENCHES = (
    bench_wire,
    bench_plan,
    bench_line,
    bench_reaction,
    bench_tcp,
    bench_turn,
    bench_share,
    bench_months,
    bench_core,
)


def main() -> int:
    """Run all benches; exit status 1 when a must is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--only", default="", help="words in the names of benches, with commas; all of them otherwise")
    asked = parser.parse_args()
    target, words = asked.json, asked.only.split(",")
    rows: list[Row] = []
    for bench in (bench for bench in _BENCHES if any(word in bench.__name__ for word in words)):
        print(f"{bench.__name__.rsplit('.', 1)[-1]} ...", file=sys.stderr, flush=True)
        rows.extend(bench.measure())
    print(_table(rows))
    target.write_text(json.dumps(_record(rows), indent=1) + "\n")
    return 0 if all(row.ok for row in rows) else 1


def _record(rows: list[Row]) -> dict[str, object]:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit,
        "python": platform.python_version(),
        "rows": [row.as_json() for row in sorted(rows, key=lambda row: row.goal)],
    }


def _table(rows: list[Row]) -> str:
    lines = [f"{'goal':>4}  {'metric':<58} {'ours':>10} {'must':>12} {'peer':>10} {'peer/ours':>9}  peer"]
    for row in sorted(rows, key=lambda row: row.goal):
        sign = "<=" if row.better == "less" else ">="
        peer = "-" if row.peer is None else f"{row.peer:g}"
        ratio = "-" if row.peer is None or not row.ours else f"{row.peer / row.ours:.2f}"
        verdict = "" if row.ok else "  MISSED"
        lines.append(
            f"{row.goal:>4}  {row.metric:<58} {row.ours:>10g} {sign} {row.must:>9g} {peer:>10} {ratio:>9}  "
            f"{row.peer_name} ({row.unit}){verdict}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())

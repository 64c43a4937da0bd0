"""Fuzzed frames for every parser of the field level: `FRAMES=n SEED=s python -m tests.campaigns.fuzz`."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

from siteward.runtime.clock import SystemClock
from tests.campaigns import fuzz_frames, fuzz_streams
from tests.campaigns.fuzz_frames import Parser

LAST = Path(__file__).with_name("last_fuzz.json")
"""Figures of the last campaign, with its date, commit and command; kept while it runs, so that a stop loses little."""

PARSERS: dict[str, tuple[int, Parser]] = {
    "rtu replies": (28, fuzz_frames.rtu),
    "tcp replies": (20, fuzz_frames.tcp),
    "dlt645 answers": (20, fuzz_frames.dlt),
    "register values": (6, fuzz_frames.values),
    "overheard": (6, fuzz_frames.overheard),
    "scan": (7, fuzz_streams.scan),
    "share requests": (5, fuzz_streams.share),
    "recorder": (3, fuzz_streams.recorder),
    "whole lines": (5, fuzz_streams.line),
}
"""Each parser with its share of the frames in percent."""

CHUNK = 10_000
"""Frames of one seed: what crashed is found again with its chunk alone."""


class Crashed(Exception):
    """A parser let something out that it does not promise, or took for true what was not."""


def chunk(name: str, seed: int, number: int, frames: int = CHUNK) -> int:
    """Feed one chunk to a parser; how many frames it took for answers. Raises Crashed."""
    try:
        return PARSERS[name][1](Random(f"{seed} {name} {number}"), frames)
    except Exception as error:
        raise Crashed(f"{name}: seed {seed}, chunk {number} of {frames} frames: {error!r}") from error


def plan(frames: int, size: int = CHUNK) -> list[tuple[str, int, int]]:
    """Chunks (parser, number, frames) of a campaign, mixed so that each parser is as far as the others at any time."""
    chunks = []
    for name, (share, _) in PARSERS.items():
        wanted = frames * share // 100
        sizes = [size] * (wanted // size) + ([wanted % size] if wanted % size else [])
        chunks += [((number + 0.5) / len(sizes), name, number, length) for number, length in enumerate(sizes)]
    return [(name, number, length) for _, name, number, length in sorted(chunks)]


def _commit() -> str:
    asked = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return asked.stdout.strip() or "unknown"


def _keep(figures: dict[str, object]) -> None:
    LAST.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def main(frames: int, seed: int) -> int:
    """Run the campaign and keep its figures; 0 when nothing crashed."""
    began, commit = time.monotonic(), _commit()
    fed: Counter[str] = Counter()
    taken: Counter[str] = Counter()
    crashes: list[str] = []
    chunks = plan(frames)
    for index, (name, number, length) in enumerate(chunks, 1):
        try:
            taken[name] += chunk(name, seed, number, length)
        except Crashed as crash:
            crashes.append(str(crash))
            print(crash, flush=True)
        fed[name] += length
        if index % 20 and index < len(chunks):
            continue
        took = time.monotonic() - began
        total = sum(fed.values())
        print(f"{total:,} of {frames:,} frames in {took:.0f} s, {len(crashes)} crashes", flush=True)
        _keep(
            {
                "date": SystemClock().wall().isoformat(timespec="seconds"),
                "commit": commit,
                "command": f"FRAMES={frames} SEED={seed} make fuzz",
                "frames": total,
                "planned": frames,
                "took_s": round(took, 1),
                "crashes": crashes,
                "frames_by_parser": {key: fed[key] for key in PARSERS},
                "taken_by_parser": {key: taken[key] for key in PARSERS},
            }
        )
    return min(1, len(crashes))


if __name__ == "__main__":
    sys.exit(main(int(os.environ.get("FRAMES", "10000000")), int(os.environ.get("SEED", "1"))))

"""The same stays under the rules of others, in the environment of acnportal."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import asdict

from tests.arch.sources import ROOT
from tests.bench.bench_share import PEER
from tests.months.depot import FLOOR_A, MOST_A, VOLTS, Depot, Stay
from tests.months.figures import figures


def others(one: Depot, stays: Sequence[Stay], base: Sequence[float]) -> dict[str, dict[str, float]]:
    """Figures of each rule of `peer_months.py`. Raises FileNotFoundError where its environment was not made."""
    if not PEER.exists():
        raise FileNotFoundError(f"{PEER}: `make months` makes the environment of acnportal from config/locks/bench.txt")
    told = {
        "cells": one.cells,
        "rating_a": one.rating_a,
        "base_a": base,
        "volts": VOLTS,
        "most_a": MOST_A,
        "floor_a": FLOOR_A,
        "stays": [asdict(stay) for stay in stays],
    }
    done = subprocess.run(
        [str(PEER), str(ROOT / "tests" / "bench" / "peer_months.py")],
        input=json.dumps(told),
        capture_output=True,
        text=True,
        check=True,
    )
    found = {}
    for name, answer in json.loads(done.stdout).items():
        got = {int(number): wh for number, wh in answer["got_wh"].items()}
        found[name] = figures(stays, got, answer["broken"])
    return found

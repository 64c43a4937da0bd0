"""Goal 7: from the load above the fuse to the last of 16 reductions acknowledged, a core process beside a 1 s loop.

One line at 19200 baud, sixteen chargers and the limit meter on it, a real core process with its database on disk. The
load rises at instants that have nothing to do with the polls; both times are those of the simulated site, which plays
the wire in a process of its own. The bound is that of `reaction_site.Bound` for the frames that travel here.
"""

import asyncio
import json
import logging
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pymodbus.client import AsyncModbusSerialClient
from pymodbus.exceptions import ModbusException

from siteward.runtime.clock import SystemClock
from siteward.settings.load import load_site
from siteward.store.open import open_store
from tests.bench.bench_line import ROOT, undisturbed
from tests.bench.reaction_site import (
    BAUD,
    BOXES,
    FIRST_UNIT,
    LIMIT_REGISTER,
    RATING_A,
    SETTLED_S,
    START_A,
    Bound,
    open_sessions,
    quick_profiles,
    site_text,
)
from tests.bench.rows import Row, row

RISES = 12
OURS = {"rises": RISES, "first_s": 16.0, "gap_s": [3.6, 5.0]}
PEER = {"rises": RISES, "first_s": 6.0, "gap_s": [2.4, 3.4]}
MUST = 1.10
PEER_LOOP_S = 1.0
MARGIN_A = 18.0
DATABASE = Path("core") / "siteward.db"


@dataclass
class Played:
    """A simulated site's port and, after its end, what it saw."""

    path: str
    early: int = 0
    frames: int = 0
    rises: list[float] = field(default_factory=list)
    writes: list[tuple[int, int, float]] = field(default_factory=list)

    @property
    def took_ms(self) -> list[float]:
        """Per rise, the time to the acknowledgement of the last of the sixteen chargers' first reductions."""
        told = dict.fromkeys(range(FIRST_UNIT, FIRST_UNIT + BOXES), round(START_A * 10))
        took = []
        for began, end in zip(self.rises, [*self.rises[1:], float("inf")], strict=True):
            first: dict[int, float] = {}
            for unit, raw, at in self.writes:
                if began < at < end:
                    if raw < told[unit]:
                        first.setdefault(unit, at)
                    told[unit] = raw
            assert len(first) == BOXES, f"only {len(first)} of {BOXES} chargers were lowered after a rise"
            took.append((max(first.values()) - began) * 1000)
        return took


@contextmanager
def site_on_a_line(options: dict[str, Any]) -> Iterator[Played]:
    """The simulated site in a process of its own, until its last rise is over."""
    path = os.pathsep.join(str(ROOT / folder) for folder in ("edge", "drivers", "."))
    line = subprocess.Popen(
        [sys.executable, str(Path(__file__).parent / "paced_site.py"), json.dumps(options)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert line.stdin is not None
    assert line.stdout is not None
    played = Played(line.stdout.readline().decode().strip())
    try:
        yield played
        seen = json.loads(line.stdout.readline())
        played.early, played.frames = seen["early"], seen["frames"]
        played.rises, played.writes = seen["rises"], [tuple(write) for write in seen["writes"]]
    finally:
        line.stdin.close()
        line.wait(5)
        line.stdout.close()


def ours(options: dict[str, Any]) -> Played:
    """A core process that comes back to a site in which everybody charges; its line has the thread (decision 0028)."""
    with TemporaryDirectory() as name, undisturbed(), site_on_a_line(options) as played:
        folder = Path(name)
        profiles = quick_profiles(folder)
        config = folder / "site.toml"
        config.write_text(site_text(played.path), encoding="utf-8")
        asyncio.run(_sessions_on_disk(folder, load_site(config, profiles)))
        time.sleep(SETTLED_S)
        core = subprocess.Popen(
            [sys.executable, "-m", "siteward", "core", "--config", config, "--state", folder, "--run", folder],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(str(ROOT / n) for n in ("edge", "drivers", "cloud_sync"))},
        )
        try:
            time.sleep(options["first_s"] - SETTLED_S + options["rises"] * options["gap_s"][1])
            assert core.poll() is None, "core has ended"
        finally:
            core.terminate()
            core.wait(10)
    return played


async def _sessions_on_disk(folder: Path, site: Any) -> None:
    (folder / DATABASE.parent).mkdir()
    store = await open_store(folder / DATABASE, SystemClock())
    await store.commit(open_sessions(site))
    await store.close()


def peer(options: dict[str, Any]) -> Played:
    """The asynchronous client of pymodbus in a loop of a second: meter, chargers, then the writes there are."""

    logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)

    async def loop_of_a_second(path: str) -> None:
        client = AsyncModbusSerialClient(path, baudrate=BAUD, parity="N", stopbits=2)
        await client.connect()
        limit_a, cut_at = START_A, 0.0
        # The end of the line is the end of the run.
        with suppress(ModbusException):
            while True:
                due = time.perf_counter() + PEER_LOOP_S
                meter = await client.read_input_registers(6, count=6, device_id=1)
                amps = max(client.convert_from_registers(meter.registers, client.DATATYPE.FLOAT32))
                for unit in range(FIRST_UNIT, FIRST_UNIT + BOXES):
                    await client.read_input_registers(5, count=12, device_id=unit)
                # What it cut a second ago, the cars have not quite followed yet.
                if amps > RATING_A and due - cut_at > 1.5 * PEER_LOOP_S:
                    cut_at = due
                    limit_a -= (amps - RATING_A + MARGIN_A) / BOXES
                    for unit in range(FIRST_UNIT, FIRST_UNIT + BOXES):
                        await client.write_register(LIMIT_REGISTER, int(limit_a * 10), device_id=unit)
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
        client.close()
        await asyncio.sleep(0.1)

    with undisturbed(), site_on_a_line(options) as played:
        asyncio.run(loop_of_a_second(played.path))
    return played


def measure() -> list[Row]:
    """All rows. Takes about two minutes."""
    mine, other = ours(OURS), peer(PEER)
    took, theirs, worst_ms = mine.took_ms, other.took_ms, Bound().worst_s * 1000
    name = f"pymodbus, one loop a second, {100 * other.early / other.frames:.0f} % of its frames too early"
    what = f"over the limit to the last of {BOXES} reductions, {BAUD} baud"
    median, slowest = statistics.median, max
    return [
        row(7, f"{what}, median of {len(took)}", median(took), MUST * worst_ms, "ms", median(theirs), name),
        row(7, f"{what}, longest", slowest(took), MUST * worst_ms, "ms", slowest(theirs), name),
        row(7, "the longest of the worst wire bound", max(took) / worst_ms, MUST, "x", max(theirs) / worst_ms, name),
        row(7, f"frames before t3.5 of {mine.frames}", mine.early, 0, "frames", other.early, name),
    ]


if __name__ == "__main__":
    for found in measure():
        print(json.dumps(found.as_json()), flush=True)

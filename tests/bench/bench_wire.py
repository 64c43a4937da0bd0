"""Goals 1 and 2: how much of the wire is used, legally, and what a transaction costs the processor; beside peers."""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from itertools import cycle
from statistics import median
from typing import Any

from tests.bench.bench_line import Port, paced, undisturbed
from tests.bench.masters import UNITS, by_loop, by_thread, minimal, pymodbus_async, pymodbus_sync, tmodbus
from tests.bench.paced_slave import BITS, TURNAROUND_S, t35_s
from tests.bench.rows import Row, row
from tests.siteward_drivers.rig import value_of

USED = {9600: 97.0, 19200: 97.0, 38400: 95.0, 115200: 92.0}
"""Musts of goal 1, % of the legal limit, for the best of our links."""

CPU_MS = {10: 0.6, 60: 1.0}
"""Musts of goal 2, which ruling 6 asks of the thread."""

CPU_BAUD = 19200
FIFO = 8
ROUNDS = 5
"""Every master has a window in every round. Of the use of the wire the median counts; of the processor's time the
least: whatever else runs on this computer can only add to it, and its pace moves twofold from one second to the next.
"""

WINDOW_S = 0.6
WARM = 6

Master = Callable[[str, int], Any]


@dataclass(frozen=True)
class Drive:
    """What a master made of a line: % of the legal limit, CPU a transaction, frames before t3.5 of all frames."""

    used: float
    cpu_ms: float
    early: int
    frames: int


@dataclass(frozen=True)
class Take:
    """One kind of line: its pace, the length of each read, and how many bytes of an answer come together."""

    baud: int
    count: int
    piece: int = 1

    @property
    def limit_s(self) -> float:
        """The shortest legal transaction: request, silence, turnaround, answer, silence."""
        return (8 + 5 + 2 * self.count) * BITS / self.baud + 2 * t35_s(self.baud) + TURNAROUND_S


@dataclass
class Score:
    """Counts the transactions of one window of time."""

    done: int = 0
    took_s: float = 0.0
    cpu_ms: float = 0.0

    def units(self) -> Iterator[int]:
        """The unit to read next, until the time is over."""
        endless = cycle(UNITS)
        cpu, began = time.process_time(), time.perf_counter()
        while time.perf_counter() - began < WINDOW_S:
            yield next(endless)
            self.done += 1
        self.took_s = time.perf_counter() - began
        self.cpu_ms = (time.process_time() - cpu) * 1000 / self.done

    def drive(self, take: Take, port: Port) -> Drive:
        """The result, once the line has told its counts."""
        used = 100.0 * self.done * take.limit_s / self.took_s
        return Drive(used, self.cpu_ms, port.counts["early"], port.counts["frames"])


def drive_async(master: Master, take: Take) -> Drive:
    """Drive a line by an asynchronous master."""
    score = Score()

    async def main(path: str) -> None:
        async with master(path, take.baud) as read:
            for unit in range(1, WARM + 1):
                assert list(await read(unit, take.count)) == right(unit, take)
            for unit in score.units():
                assert len(await read(unit, take.count)) == take.count

    with paced(baud=take.baud, piece=take.piece) as port, undisturbed():
        asyncio.run(main(port.path))
    return score.drive(take, port)


def drive_blocking(master: Master, take: Take) -> Drive:
    """Drive a line by a blocking master."""
    score = Score()
    with paced(baud=take.baud, piece=take.piece) as port, undisturbed(), master(port.path, take.baud) as read:
        for unit in range(1, WARM + 1):
            assert list(read(unit, take.count)) == right(unit, take)
        for unit in score.units():
            assert len(read(unit, take.count)) == take.count
    return score.drive(take, port)


def right(unit: int, take: Take) -> list[int]:
    """What the slave truly holds."""
    return [value_of(unit, 3, address) for address in range(take.count)]


def rounds(take: Take, masters: Mapping[str, Callable[[Take], Drive]]) -> dict[str, Drive]:
    """Each master's result on such a line, one after the other in every round."""
    found: dict[str, list[Drive]] = {name: [] for name in masters}
    for _ in range(ROUNDS):
        for name, drive in masters.items():
            found[name].append(drive(take))
    return {name: _middle(drives) for name, drives in found.items()}


def _middle(drives: Sequence[Drive]) -> Drive:
    return Drive(
        median(drive.used for drive in drives),
        min(drive.cpu_ms for drive in drives),
        sum(drive.early for drive in drives),
        sum(drive.frames for drive in drives),
    )


OURS = "thread"
LOOP = "our default link"
MINIMAL = "minimalmodbus"
MASTERS: dict[str, Callable[[Take], Drive]] = {
    OURS: partial(drive_async, by_thread),
    LOOP: partial(drive_async, by_loop),
    MINIMAL: partial(drive_blocking, minimal),
    "pymodbus sync": partial(drive_blocking, pymodbus_sync),
    "pymodbus async": partial(drive_async, pymodbus_async),
} | ({"tmodbus": partial(drive_async, tmodbus)} if find_spec("tmodbus") else {})
"""Everybody who drives the line; tmodbus needs Python 3.12."""


def rows_of(take: Take, drives: Mapping[str, Drive]) -> Iterator[Row]:
    """Both goals on one kind of line."""
    mine = drives[OURS]
    others = {name: drive for name, drive in drives.items() if name != OURS}
    if take.count == 10:
        what = f"legal use of the wire at {take.baud} baud, 10 registers, thread"
        for name, drive in others.items():
            yield row(1, what, mine.used, USED[take.baud], "%", drive.used, _told(name, drive), "more")
    if take.baud == CPU_BAUD:
        what = f"CPU a transaction, {CPU_BAUD} baud, {take.count} registers, thread"
        for name, drive in others.items():
            yield row(2, what, mine.cpu_ms, CPU_MS[take.count], "ms", drive.cpu_ms, _told(name, drive))


def _told(name: str, drive: Drive) -> str:
    """A master's name, with the share of its frames that broke the silence."""
    if not drive.early:
        return name
    return f"{name}, {100 * drive.early / drive.frames:.0f} % of frames too early"


def measure() -> list[Row]:
    """All rows. Takes about three minutes."""
    logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)
    rows: list[Row] = []
    early = frames = 0
    for take in (*(Take(baud, 10) for baud in USED), Take(CPU_BAUD, 60)):
        drives = rounds(take, MASTERS)
        rows += rows_of(take, drives)
        early += drives[OURS].early + drives[LOOP].early
        frames += drives[OURS].frames + drives[LOOP].frames
    pieces = rounds(Take(CPU_BAUD, 10, FIFO), {name: MASTERS[name] for name in (OURS, MINIMAL)})
    mine, peer = pieces[OURS], pieces[MINIMAL]
    what = f"legal use of the wire at {CPU_BAUD} baud, bytes in eights, thread"
    rows.append(row(1, what, mine.used, USED[CPU_BAUD], "%", peer.used, MINIMAL, "more"))
    early, frames = early + mine.early, frames + mine.frames
    rows.append(row(1, f"frames before t3.5 of {frames}, both links, all speeds", early, 0, "frames"))
    return rows


if __name__ == "__main__":
    for found in measure():
        print(json.dumps(found.as_json()), flush=True)

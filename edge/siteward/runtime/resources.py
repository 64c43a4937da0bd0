"""What the controller's own machine has left: processor, memory and disk, as far as the system lets a service see."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from siteward.model.watch import Figure, Watched

Figures = Mapping[tuple[Watched, Figure], float | None]

_PROC = Path("/proc")


class Resources:
    """Measures on demand; the processor's figure is that of the time since the last demand.

    A hardened service sees neither /proc/stat nor /proc/meminfo: then its own share of one processor and of the memory
    stands in, which is what it could be blamed for.
    """

    def __init__(self, folder: Path, now: Callable[[], float], proc: Path = _PROC) -> None:
        self._folder = folder
        self._now = now
        self._proc = proc
        self._busy: tuple[float, float] | None = None

    def measure(self) -> Figures:
        """All figures in percent, None for what cannot be told. May wait for the disk: call it from a thread."""
        station = Watched.STATION
        return {
            (station, Figure.CPU_PERCENT): self._cpu(),
            (station, Figure.MEMORY_PERCENT): self._memory(),
            (station, Figure.DISK_PERCENT): self._disk(),
        }

    def _cpu(self) -> float | None:
        busy, whole = self._times()
        before, self._busy = self._busy, (busy, whole)
        if before is None or whole <= before[1]:
            return None
        return round(100.0 * (busy - before[0]) / (whole - before[1]), 1)

    def _times(self) -> tuple[float, float]:
        """Busy time and whole time so far, in one unit."""
        try:
            ticks = [int(word) for word in (self._proc / "stat").read_text("ascii").split("\n", 1)[0].split()[1:9]]
        except (OSError, ValueError):
            own = os.times()
            return own.user + own.system, self._now()
        return float(sum(ticks) - ticks[3] - ticks[4]), float(sum(ticks))

    def _memory(self) -> float | None:
        try:
            rows = (row.split() for row in (self._proc / "meminfo").read_text("ascii").splitlines())
            known = {row[0]: int(row[1]) for row in rows if len(row) > 1}
            return round(100.0 * (1.0 - known["MemAvailable:"] / known["MemTotal:"]), 1)
        except (OSError, ValueError, KeyError, ZeroDivisionError):
            return self._own_memory()

    def _own_memory(self) -> float | None:
        try:
            pages = int((self._proc / "self" / "statm").read_text("ascii").split()[1])
            return round(100.0 * pages / os.sysconf("SC_PHYS_PAGES"), 1)
        except (OSError, ValueError, IndexError, ZeroDivisionError):
            return None

    def _disk(self) -> float | None:
        try:
            disk = os.statvfs(self._folder)
        except OSError:
            return None
        return round(100.0 * (1.0 - disk.f_bavail / disk.f_blocks), 1) if disk.f_blocks else None

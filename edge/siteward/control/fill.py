"""Weighted max-min sharing by water-filling over precomputed paths: a heap of events, no iteration over amperes."""

from bisect import bisect_right
from collections.abc import Sequence
from heapq import heapify, heappop, heapreplace
from itertools import chain
from math import inf
from typing import NamedTuple

from siteward.control.tree import EPS, steps


class Share(NamedTuple):
    """One taker: never below low_a (already admitted), never above high_a, written in steps; cells it loads."""

    weight: float
    low_a: float
    high_a: float
    step_a: float
    cells: tuple[int, ...]


_WAITS, _RISES, _LEFT = 0, 1, 2
"""What a taker does: its floor is above the level still, it rises with the level, it has what it gets."""


def fill(shares: Sequence[Share], room: list[float]) -> tuple[list[float], list[int]]:
    """Give every taker its weighted max-min share in whole steps, and the cell that stopped it (-1: its own maximum).

    room is what each cell has left once every low_a is served; it is not changed.
    """
    growth, members = _asked(shares, len(room))
    loose = {c for c, more in enumerate(growth) if more <= 0.0 or more <= room[c] + EPS}
    basin = _Basin(shares, [_binding(s.cells, loose) for s in shares], members, room)
    basin.pour()
    return _round(shares, basin.cells, room, basin.given, basin.binder), basin.binder


def _asked(shares: Sequence[Share], count: int) -> tuple[list[float], list[list[int]]]:
    """How much each of so many cells would have to give if everybody had its maximum, and who loads it.

    A cell that could not fill up even then is loose: it never binds and needs no book-keeping.
    """
    growth = [0.0] * count
    members: list[list[int]] = [[] for _ in range(count)]
    for i, (_, low, high, _, cells) in enumerate(shares):
        more = high - low
        for c in cells:
            growth[c] += more
            members[c].append(i)
    return growth, members


def _binding(cells: tuple[int, ...], loose: set[int]) -> tuple[int, ...]:
    return cells if loose.isdisjoint(cells) else tuple([c for c in cells if c not in loose])


class _Basin:
    """Takers whose level (A / weight) rises together until their maximum or until one of their cells is full.

    Those who rise use weight[c] * level of free[c]: joining and leaving are one subtraction and one addition, and the
    level at which a cell is full is known at any time. An entry of the heap is a level with a cell that may be full
    there; one that came too early is put back.
    """

    def __init__(
        self, shares: Sequence[Share], cells: list[tuple[int, ...]], members: list[list[int]], room: list[float]
    ) -> None:
        self.cells = cells
        self.given, self.binder = [s.high_a for s in shares], [-1] * len(shares)
        self._shares, self._members = shares, members
        self._free, self._weight = list(room), [0.0] * len(room)
        self._state = [_WAITS] * len(shares)
        self._heap = [(inf, -1)]

    def pour(self) -> None:
        """Raise the level from event to event, until everybody that shares a cell has left."""
        state, free, weight, heap = self._state, self._free, self._weight, self._heap
        bottom = [s.low_a / s.weight for s in self._shares]
        top = [s.high_a / s.weight for s in self._shares]
        takers = [i for i, cells in enumerate(self.cells) if cells]
        joins, leaves = sorted(takers, key=bottom.__getitem__), sorted(takers, key=top.__getitem__)
        floors = [bottom[i] for i in joins]
        joined = left = 0
        while left < len(leaves):
            first = leaves[left]
            if state[first] == _LEFT:
                left += 1
                continue
            level, full = heap[0]
            if top[first] <= level:
                level, full = top[first], -1
            if joined < len(floors) and floors[joined] <= level + EPS:
                together = bisect_right(floors, floors[joined] + EPS, joined)
                self._join(joins[joined:together], floors[joined])
                joined = together
            elif full < 0:
                self._leave([first], level, full)
            else:
                due = free[full] / weight[full] if weight[full] > EPS else inf
                if due > level + EPS:
                    heapreplace(heap, (due, full))
                else:
                    heappop(heap)
                    self._leave(self._members[full], level, full)

    def _join(self, takers: list[int], level: float) -> None:
        """Let them in together, and tell the heap when their cells would be full."""
        free, weight, state = self._free, self._weight, self._state
        for i in takers:
            state[i] = _RISES
            part, low, _, _, _ = self._shares[i]
            for c in self.cells[i]:
                free[c] += low
                weight[c] += part
        touched = set(chain.from_iterable([self.cells[i] for i in takers]))
        self._heap += [(due if (due := free[c] / weight[c]) > level else level, c) for c in touched]
        heapify(self._heap)

    def _leave(self, takers: list[int], level: float, cell: int) -> None:
        """Take those out who rise still: at their own maximum, or at the level at which this cell is full."""
        free, weight, state = self._free, self._weight, self._state
        for i in takers:
            if state[i] != _RISES:
                continue
            state[i] = _LEFT
            part, low, amps, _, _ = self._shares[i]
            if cell >= 0:
                amps = part * level
                if amps < low:
                    amps = low
                self.given[i], self.binder[i] = amps, cell
            for c in self.cells[i]:
                free[c] -= amps
                weight[c] -= part


def _round(
    shares: Sequence[Share], mine: list[tuple[int, ...]], room: list[float], given: list[float], binder: list[int]
) -> list[float]:
    """Round down to the device's step, then hand whole left-over steps out to who lost most by rounding."""
    low: list[float] = []
    left = list(room)
    for (_, least, _, step, _), amps, cells in zip(shares, given, mine, strict=True):
        whole = steps(int(amps / step + EPS), step)
        if whole <= least:
            low.append(least)
            continue
        low.append(whole)
        more = whole - least
        for c in cells:
            left[c] -= more
    lost = [amps - least for amps, least in zip(low, given, strict=True)]
    for i in sorted([i for i, cell in enumerate(binder) if cell >= 0], key=lost.__getitem__):
        _, _, high, step, _ = shares[i]
        if low[i] + step > high + EPS:
            continue
        for c in mine[i]:
            if left[c] < step - EPS:
                break
        else:
            low[i] = round(low[i] + step, 3)
            for c in mine[i]:
                left[c] -= step
    return low

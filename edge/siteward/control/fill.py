"""Weighted max-min sharing by water-filling over precomputed paths: a heap of events, no iteration over amperes."""

from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from siteward.control.tree import EPS


class Share(NamedTuple):
    """One taker: never below low_a (already admitted), never above high_a, written in steps; cells it loads."""

    weight: float
    low_a: float
    high_a: float
    step_a: float
    cells: tuple[int, ...]


def fill(shares: Sequence[Share], room: list[float]) -> tuple[list[float], list[int]]:
    """Give every taker its weighted max-min share in whole steps, and the cell that stopped it (-1: its own maximum).

    room is what each cell has left once every low_a is served; it is not changed.
    """
    given = [s.high_a for s in shares]
    binder = [-1] * len(shares)
    loose = _loose_cells(shares, room)
    mine = [_binding(s.cells, loose) for s in shares]
    if any(mine):
        _pour(shares, mine, room, given, binder)
    return _round(shares, mine, room, given, binder), binder


def _loose_cells(shares: Sequence[Share], room: list[float]) -> set[int]:
    """Cells that could not fill up if everybody had its maximum; they never bind and need no book-keeping."""
    growth = [0.0] * len(room)
    for _, low, high, _, cells in shares:
        more = high - low
        for c in cells:
            growth[c] += more
    return {c for c, more in enumerate(growth) if more <= 0.0 or more <= room[c] + EPS}


def _binding(cells: tuple[int, ...], loose: set[int]) -> tuple[int, ...]:
    return cells if loose.isdisjoint(cells) else tuple([c for c in cells if c not in loose])


def _pour(
    shares: Sequence[Share], mine: list[tuple[int, ...]], room: list[float], given: list[float], binder: list[int]
) -> None:
    """Raise the level of all takers together; a taker leaves at its maximum or when one of its cells is full.

    Those who joined use weight[c] * level of free[c]: joining and leaving are one subtraction and one addition, and the
    level at which a cell is full is known at any time. An entry of the heap is a level with a cell that may be full
    there; one that came too early is put back.
    """
    free, weight = list(room), [0.0] * len(room)
    members = _members(mine, len(room))
    takers = [i for i, cells in enumerate(mine) if cells]
    joins = sorted([(shares[i].low_a / shares[i].weight, i) for i in takers])
    leaves = sorted([(shares[i].high_a / shares[i].weight, i) for i in takers])
    active = [False] * len(shares)
    heap: list[tuple[float, int]] = []
    joined = left = 0
    while left < len(leaves):
        level = min(leaves[left][0], heap[0][0]) if heap else leaves[left][0]
        if joined < len(joins) and joins[joined][0] <= level + EPS:
            joined = _join(shares, mine, joins, joined, heap, active, (free, weight))
            continue
        if leaves[left][0] <= level:
            which, gone = -1, [leaves[left][1]]
            left += 1
        else:
            which = heappop(heap)[1]
            if weight[which] <= EPS:
                continue
            due = free[which] / weight[which]
            if due > level + EPS:
                heappush(heap, (due, which))
                continue
            gone = members[which]
        for i in gone:
            if active[i]:
                active[i] = False
                part, low, _, _, _ = shares[i]
                if which >= 0:
                    given[i], binder[i] = max(low, part * level), which
                amps = given[i]
                for c in mine[i]:
                    free[c] -= amps
                    weight[c] -= part


def _members(mine: list[tuple[int, ...]], cells: int) -> list[list[int]]:
    """Who loads each cell."""
    members: list[list[int]] = [[] for _ in range(cells)]
    for i, own in enumerate(mine):
        for c in own:
            members[c].append(i)
    return members


def _join(
    shares: Sequence[Share],
    mine: list[tuple[int, ...]],
    joins: list[tuple[float, int]],
    at: int,
    heap: list[tuple[float, int]],
    active: list[bool],
    cells: tuple[list[float], list[float]],
) -> int:
    """Let all takers of the next level in together, and tell the heap when their cells would be full."""
    free, weight = cells
    level = joins[at][0]
    touched: set[int] = set()
    while at < len(joins) and joins[at][0] <= level + EPS:
        i = joins[at][1]
        at += 1
        part, low, _, _, _ = shares[i]
        active[i] = True
        for c in mine[i]:
            free[c] += low
            weight[c] += part
        touched.update(mine[i])
    heap.extend([(max(level, free[c] / weight[c]), c) for c in touched])
    heapify(heap)
    return at


def _round(
    shares: Sequence[Share], mine: list[tuple[int, ...]], room: list[float], given: list[float], binder: list[int]
) -> list[float]:
    """Round down to the device's step, then hand whole left-over steps out to who lost most by rounding."""
    low: list[float] = []
    left = list(room)
    for (_, least, _, step, _), amps, cells in zip(shares, given, mine, strict=True):
        whole = round(int(amps / step + EPS) * step, 3)
        if whole <= least:
            low.append(least)
            continue
        low.append(whole)
        for c in cells:
            left[c] -= whole - least
    order = sorted((low[i] - given[i], i) for i in range(len(shares)) if binder[i] >= 0)
    for _, i in order:
        step = shares[i].step_a
        if low[i] + step > shares[i].high_a + EPS or min([left[c] for c in mine[i]]) < step - EPS:
            continue
        low[i] = round(low[i] + step, 3)
        for c in mine[i]:
            left[c] -= step
    return low

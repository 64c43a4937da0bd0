"""Weighted max-min sharing by water-filling over precomputed paths: a heap of events, no iteration over amperes."""

from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from siteward.control.tree import EPS

LEAVE, FULL = 0, 1


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
    tight = _tight_cells(shares, room)
    given = [s.high_a for s in shares]
    binder = [-1] * len(shares)
    if not tight:
        return [_down(s, s.high_a) for s in shares], binder
    mine = [tuple(c for c in s.cells if c in tight) for s in shares]
    _pour(shares, mine, room, given, binder)
    return _round(shares, mine, room, given, binder), binder


def _tight_cells(shares: Sequence[Share], room: list[float]) -> set[int]:
    """Cells that could fill up at all; the others never bind and need no book-keeping."""
    growth: dict[int, float] = {}
    for s in shares:
        more = s.high_a - s.low_a
        if more > 0.0:
            for c in s.cells:
                growth[c] = growth.get(c, 0.0) + more
    return {c for c, more in growth.items() if more > room[c] + EPS}


def _pour(
    shares: Sequence[Share], mine: list[tuple[int, ...]], room: list[float], given: list[float], binder: list[int]
) -> None:
    """Raise the level of all takers together; a taker leaves at its maximum or when one of its cells is full."""
    members: dict[int, list[int]] = {}
    for i, cells in enumerate(mine):
        for c in cells:
            members.setdefault(c, []).append(i)
    left = {c: max(0.0, room[c]) for c in members}
    weight = dict.fromkeys(members, 0.0)
    since = dict.fromkeys(members, 0.0)
    joins = sorted((i for i in range(len(shares)) if mine[i]), key=lambda i: shares[i].low_a / shares[i].weight)
    heap: list[tuple[float, int, int]] = []
    active: set[int] = set()
    at = 0
    while at < len(joins) or heap:
        level = shares[joins[at]].low_a / shares[joins[at]].weight if at < len(joins) else float("inf")
        if heap and heap[0][0] < level - EPS:
            _event(heappop(heap), shares, mine, members, left, weight, since, heap, active, given, binder)
            continue
        touched: set[int] = set()
        while at < len(joins) and shares[joins[at]].low_a / shares[joins[at]].weight <= level + EPS:
            i = joins[at]
            at += 1
            active.add(i)
            heap.append((shares[i].high_a / shares[i].weight, LEAVE, i))
            for c in mine[i]:
                _settle(c, level, left, weight, since)
                weight[c] += shares[i].weight
                touched.add(c)
        heap.extend((level + left[c] / weight[c], FULL, c) for c in touched)
        heapify(heap)


def _settle(c: int, level: float, left: dict[int, float], weight: dict[int, float], since: dict[int, float]) -> None:
    left[c] -= weight[c] * (level - since[c])
    since[c] = level


def _event(
    event: tuple[float, int, int],
    shares: Sequence[Share],
    mine: list[tuple[int, ...]],
    members: dict[int, list[int]],
    left: dict[int, float],
    weight: dict[int, float],
    since: dict[int, float],
    heap: list[tuple[float, int, int]],
    active: set[int],
    given: list[float],
    binder: list[int],
) -> None:
    level, kind, which = event
    if kind == LEAVE:
        leaving = [which] if which in active else []
    else:
        if weight[which] <= EPS:
            return
        _settle(which, level, left, weight, since)
        if left[which] > EPS:
            heappush(heap, (level + left[which] / weight[which], FULL, which))
            return
        leaving = [i for i in members[which] if i in active]
    for i in leaving:
        active.discard(i)
        if kind == FULL:
            given[i] = max(shares[i].low_a, shares[i].weight * level)
            binder[i] = which
        for c in mine[i]:
            _settle(c, level, left, weight, since)
            weight[c] -= shares[i].weight


def _down(s: Share, amps: float) -> float:
    return max(s.low_a, round(int(amps / s.step_a + EPS) * s.step_a, 3))


def _round(
    shares: Sequence[Share], mine: list[tuple[int, ...]], room: list[float], given: list[float], binder: list[int]
) -> list[float]:
    """Round down to the device's step, then hand whole left-over steps out to who lost most by rounding."""
    low = [_down(s, given[i]) for i, s in enumerate(shares)]
    left = {c: room[c] for cells in mine for c in cells}
    for i, cells in enumerate(mine):
        for c in cells:
            left[c] -= low[i] - shares[i].low_a
    order = sorted((i for i in range(len(shares)) if binder[i] >= 0), key=lambda i: (low[i] - given[i], i))
    for i in order:
        step = shares[i].step_a
        if low[i] + step <= shares[i].high_a + EPS and all(left[c] >= step - EPS for c in mine[i]):
            low[i] = round(low[i] + step, 3)
            for c in mine[i]:
                left[c] -= step
    return low

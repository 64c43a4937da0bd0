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
    place = {c: k for k, c in enumerate(tight)}
    mine = [[place[c] for c in s.cells if c in place] for s in shares]
    _pour(shares, mine, [room[c] for c in tight], given, binder)
    low = _round(shares, mine, [room[c] for c in tight], given, binder)
    return low, [b if b < 0 else tight[b] for b in binder]


def _tight_cells(shares: Sequence[Share], room: list[float]) -> list[int]:
    """Cells that could fill up at all; the others never bind and need no book-keeping."""
    growth = [0.0] * len(room)
    for _, low, high, _, cells in shares:
        for c in cells:
            growth[c] += high - low
    return [c for c, more in enumerate(growth) if more > 0.0 and more > room[c] + EPS]


def _pour(
    shares: Sequence[Share], mine: list[list[int]], room: list[float], given: list[float], binder: list[int]
) -> None:
    """Raise the level of all takers together; a taker leaves at its maximum or when one of its cells is full.

    A cell's use at a level is held[c] + weight[c] * level: joining and leaving are one subtraction and one addition,
    and the level at which it is full is known at any time. An entry of the heap that came too early is put back.
    """
    members, held = _load(shares, mine, len(room))
    full = [a + b for a, b in zip(room, held, strict=True)]
    weight = [0.0] * len(room)
    joins = sorted((shares[i].low_a / shares[i].weight, i) for i in range(len(shares)) if mine[i])
    active = [False] * len(shares)
    heap: list[tuple[float, int, int]] = []
    at = 0
    while at < len(joins) or heap:
        if at < len(joins) and (not heap or joins[at][0] <= heap[0][0] + EPS):
            at = _join(shares, mine, joins, at, heap, active, (held, weight, full))
            continue
        level, kind, which = heappop(heap)
        if kind == FULL:
            if weight[which] <= EPS:
                continue
            due = (full[which] - held[which]) / weight[which]
            if due > level + EPS:
                heappush(heap, (due, FULL, which))
                continue
        for i in members[which] if kind == FULL else (which,):
            if active[i]:
                active[i] = False
                if kind == FULL:
                    given[i], binder[i] = max(shares[i].low_a, shares[i].weight * level), which
                _leave(mine[i], given[i], shares[i].weight, held, weight)


def _load(shares: Sequence[Share], mine: list[list[int]], cells: int) -> tuple[list[list[int]], list[float]]:
    """Who loads each cell, and with how much before anybody joined."""
    members: list[list[int]] = [[] for _ in range(cells)]
    held = [0.0] * cells
    for i, own in enumerate(mine):
        for c in own:
            members[c].append(i)
            held[c] += shares[i].low_a
    return members, held


def _leave(cells: list[int], given: float, share: float, held: list[float], weight: list[float]) -> None:
    for c in cells:
        held[c] += given
        weight[c] -= share


def _join(
    shares: Sequence[Share],
    mine: list[list[int]],
    joins: list[tuple[float, int]],
    at: int,
    heap: list[tuple[float, int, int]],
    active: list[bool],
    cells: tuple[list[float], list[float], list[float]],
) -> int:
    """Let all takers of the next level in together, and tell the heap when their cells would be full."""
    held, weight, full = cells
    level = joins[at][0]
    touched: set[int] = set()
    while at < len(joins) and joins[at][0] <= level + EPS:
        i = joins[at][1]
        at += 1
        share = shares[i]
        active[i] = True
        heap.append((share.high_a / share.weight, LEAVE, i))
        for c in mine[i]:
            held[c] -= share.low_a
            weight[c] += share.weight
        touched.update(mine[i])
    heap.extend((max(level, (full[c] - held[c]) / weight[c]), FULL, c) for c in sorted(touched))
    heapify(heap)
    return at


def _down(s: Share, amps: float) -> float:
    return max(s.low_a, round(int(amps / s.step_a + EPS) * s.step_a, 3))


def _round(
    shares: Sequence[Share], mine: list[list[int]], room: list[float], given: list[float], binder: list[int]
) -> list[float]:
    """Round down to the device's step, then hand whole left-over steps out to who lost most by rounding."""
    low = [_down(s, given[i]) for i, s in enumerate(shares)]
    left = list(room)
    for i, cells in enumerate(mine):
        more = low[i] - shares[i].low_a
        for c in cells:
            left[c] -= more
    order = sorted((low[i] - given[i], i) for i in range(len(shares)) if binder[i] >= 0)
    for _, i in order:
        step = shares[i].step_a
        if low[i] + step > shares[i].high_a + EPS or min(left[c] for c in mine[i]) < step - EPS:
            continue
        low[i] = round(low[i] + step, 3)
        for c in mine[i]:
            left[c] -= step
    return low

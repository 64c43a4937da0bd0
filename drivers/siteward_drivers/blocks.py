"""The read plan: which requests fetch a set of quantities, over documented registers only and within the limits."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from siteward.model.serial import SerialSettings
from siteward_drivers.profile import Profile
from siteward_drivers.profile_points import Point, Table
from siteward_drivers.profile_schema import Span
from siteward_drivers.quantities import Quantity
from siteward_drivers.tariff import overhead_registers

_BITS = 16
"""Bits that travel in the room of one register."""

_SAME = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """One read request: `count` registers (or bits) from `first`, and the points that lie in them.

    `more` are the registers that can be read along behind it, so that its answer has another length (fault 12).
    """

    table: Table
    first: int
    count: int
    points: Mapping[Quantity, Point]
    more: int = 0


def plan_blocks(
    points: Mapping[Quantity, Point], documented: Iterable[Span], max_registers: int, overhead: float
) -> tuple[Block, ...]:
    """The requests that fetch the points in the shortest time, by table and address; none crosses a hole.

    A request costs `overhead` registers besides its own, so that two ranges are joined wherever the documented
    registers between them are cheaper. ValueError for a point that cannot be read at all: longer than
    `max_registers`, write only, or not documented.
    """
    spans = list(documented)
    runs: list[tuple[Span, list[tuple[Quantity, Point]]]] = []
    for quantity, point in sorted(points.items(), key=lambda item: (item[1].table, item[1].address)):
        span = _span_of(point, spans)
        if span is None or not point.readable or point.width > max_registers:
            raise ValueError(f"{quantity} at {point.table} {point.address} cannot be read")
        if not runs or runs[-1][0] is not span:
            runs.append((span, []))
        runs[-1][1].append((quantity, point))
    return tuple(block for _, run in runs for block in _cheapest(run, max_registers, overhead))


def _cheapest(run: Sequence[tuple[Quantity, Point]], max_registers: int, overhead: float) -> Iterable[Block]:
    """Cut points of one span, which lie in order, where that costs least; of equals the first request is longest."""
    costs = [0.0] * (len(run) + 1)
    cuts = [0] * len(run)
    for start in reversed(range(len(run))):
        costs[start] = math.inf
        for end in range(start + 1, len(run) + 1):
            count = _count(run[start:end])
            if count > max_registers:
                break
            cost = overhead + (count / _BITS if run[start][1].is_bit else count) + costs[end]
            if cost <= costs[start] + _SAME:
                costs[start], cuts[start] = cost, end
    start = 0
    while start < len(run):
        part = run[start : cuts[start]]
        first = part[0][1]
        yield Block(first.table, first.address, _count(part), dict(part))
        start = cuts[start]


def _count(run: Sequence[tuple[Quantity, Point]]) -> int:
    return max(point.address + point.width for _, point in run) - run[0][1].address


def _span_of(point: Point, spans: Sequence[Span]) -> Span | None:
    for span in spans:
        inside = span.first <= point.address and point.address + point.width <= span.first + span.count
        if inside and span.table is point.table:
            return span
    return None


def poll_blocks(
    profile: Profile, quantities: Iterable[Quantity], channel: int, at: SerialSettings | None
) -> tuple[Block, ...]:
    """The read plan of a device for some quantities of a channel, at the speed of its wire (None: Modbus TCP)."""
    points = {quantity: profile.point(quantity, channel) for quantity in quantities}
    timing = profile.file.timing
    limit = timing.max_registers
    spans = profile.spans(channel)
    starts = {(point.table, point.address): point.width for point in _all_points(profile, channel)}
    planned = plan_blocks(points, spans, limit, overhead_registers(timing, at))
    return tuple(replace(block, more=_more(block, spans, limit, starts)) for block in planned)


def sentinel_blocks(profile: Profile, channel: int, at: SerialSettings | None) -> tuple[Block, ...]:
    """The read that closes every poll of a device whose answers all look alike, none for others (fault 12)."""
    wanted = profile.file.poll.sentinel
    return poll_blocks(profile, (wanted,), channel, at) if wanted is not None else ()


def _all_points(profile: Profile, channel: int) -> list[Point]:
    return [profile.point(quantity, channel) for quantity in profile.file.points]


def _more(block: Block, spans: Iterable[Span], limit: int, starts: Mapping[tuple[Table, int], int]) -> int:
    """How many registers more the block may fetch: a whole value where one is named behind it, else a pair or one."""
    if block.table in (Table.COIL, Table.DISCRETE):
        wanted: tuple[int, ...] = (8,)
    else:
        named = starts.get((block.table, block.first + block.count))
        wanted = (2, 1) if named is None else (named,)
    end = block.first + block.count
    room = max((s.first + s.count - end for s in spans if s.table is block.table and s.first <= block.first), default=0)
    return next((more for more in wanted if more <= room and block.count + more <= limit), 0)

"""The read plan: which requests fetch a set of quantities, over documented registers only and within the limits."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from siteward_drivers.profile import Profile
from siteward_drivers.profile_points import Point, Table
from siteward_drivers.profile_schema import Span, Transport
from siteward_drivers.quantities import Quantity

# Registers that cost less to read along than another transaction does (half the overhead of a transaction in
# characters): 10 at 9600 baud, 11 at 19200, 35 at 115200; on TCP a transaction always costs more.
_GAP_RTU = 10
_GAP_TCP = 125


@dataclass(frozen=True, slots=True)
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
    points: Mapping[Quantity, Point], documented: Iterable[Span], max_registers: int, max_gap: int
) -> tuple[Block, ...]:
    """Fewest requests for the points, by table and address; a request never crosses an undocumented register.

    Points are merged over at most `max_gap` registers that nobody asked for. ValueError for a point that cannot be
    read at all: longer than `max_registers`, write only, or not documented.
    """
    spans = list(documented)
    blocks: list[Block] = []
    open_span: Span | None = None
    for quantity, point in sorted(points.items(), key=lambda item: (item[1].table, item[1].address)):
        span = _span_of(point, spans)
        if span is None or not point.readable or point.width > max_registers:
            raise ValueError(f"{quantity} at {point.table} {point.address} cannot be read")
        last = blocks[-1] if blocks else None
        if last is not None and span is open_span and _joins(last, point, max_registers, max_gap):
            count = max(last.count, point.address + point.width - last.first)
            blocks[-1] = Block(last.table, last.first, count, {**last.points, quantity: point})
        else:
            blocks.append(Block(point.table, point.address, point.width, {quantity: point}))
        open_span = span
    return tuple(blocks)


def _span_of(point: Point, spans: Sequence[Span]) -> Span | None:
    for span in spans:
        inside = span.first <= point.address and point.address + point.width <= span.first + span.count
        if inside and span.table is point.table:
            return span
    return None


def _joins(block: Block, point: Point, max_registers: int, max_gap: int) -> bool:
    if block.table is not point.table:
        return False
    gap = point.address - (block.first + block.count)
    return gap <= max_gap and point.address + point.width - block.first <= max_registers


def poll_blocks(
    profile: Profile, quantities: Iterable[Quantity], channel: int, framing: Transport
) -> tuple[Block, ...]:
    """The read plan of a device for some quantities of a channel."""
    points = {quantity: profile.point(quantity, channel) for quantity in quantities}
    gap = _GAP_TCP if framing is Transport.TCP else _GAP_RTU
    limit = profile.file.timing.max_registers
    spans = profile.spans(channel)
    starts = {(point.table, point.address): point.width for point in _all_points(profile, channel)}
    return tuple(
        replace(block, more=_more(block, spans, limit, starts)) for block in plan_blocks(points, spans, limit, gap)
    )


def sentinel_blocks(profile: Profile, channel: int, framing: Transport) -> tuple[Block, ...]:
    """The read that closes every poll of a device whose answers all look alike, none for others (fault 12)."""
    wanted = profile.file.poll.sentinel
    return poll_blocks(profile, (wanted,), channel, framing) if wanted is not None else ()


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

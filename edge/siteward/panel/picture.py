"""The picture of a session: power against offer over time, with prices, pauses and gaps; geometry only, no words."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal

from siteward.client.curve_messages import CurveMessage, StretchMessage
from siteward.panel.prices import Band
from siteward.panel.scales import step_of, time_ticks

EDGE_S = 60
"""A session whose record begins so much later, or ends so much earlier, has a gap there."""

JOINED_S = 10
"""Stretches that are further apart are not joined by any line: between them is a gap (store.curves.GAP_S)."""

HEIGHT = 180
"""Of the plot, px; its width is that of the page, so everything across is in percent."""

_ACROSS, _UP = 10_000, 1_000
"""Units of the plot's own co-ordinates."""

_NARROW_PX, _WIDE_PX = 230, 900
"""Width of the plot on a phone of 360 px and on a small desk, for what is too long to be written."""

_MOST_LINES = 40
"""More price boundaries than that would hide the power; their bands still show them."""

_LEAST_W = 1_000.0

Height = Callable[[StretchMessage], int | None]
"""Which of its watts a line goes by."""


@dataclass(frozen=True, slots=True)
class Box:
    """A part of the time: x and width in percent, with what it is."""

    x: str
    width: str
    what: str


@dataclass(frozen=True, slots=True)
class PriceBox:
    """A time at one price; label is empty where not even a desk has room, roomy: only a desk has."""

    x: str
    width: str
    rank: int
    label: str
    roomy: bool


@dataclass(frozen=True, slots=True)
class Tick:
    """A label at a place: percent of the way across, or px from the top of the plot."""

    place: str
    text: str
    anchor: str = "middle"
    narrow: bool = True


@dataclass(frozen=True, slots=True)
class Price:
    """One price of the legend."""

    rank: int
    name: str
    per_kwh: str
    currency: str


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that the template draws; paths are in units of the plot, boxes and ticks in percent or px."""

    begin: datetime
    end: datetime
    area: str
    measured: str
    offered: str
    kilowatts: tuple[Tick, ...]
    amps: tuple[Tick, ...]
    times: tuple[Tick, ...]
    states: tuple[Box, ...]
    gaps: tuple[Box, ...]
    prices: tuple[PriceBox, ...]
    boundaries: tuple[tuple[str, bool], ...]
    price_list: tuple[Price, ...]
    low_w: int | None
    high_w: int | None
    low_limit_w: int
    high_limit_w: int

    @property
    def kinds(self) -> tuple[str, ...]:
        """States that occur, for the legend."""
        return tuple(dict.fromkeys(box.what for box in self.states))


def span(curve: CurveMessage, created: datetime, ended: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """From when to when the picture goes: all of the session, and all that was recorded of it."""
    first, last = _instant(curve.points[0].begin), _instant(max(p.end for p in curve.points))
    over = ended if ended is not None else now
    return min(first, created), max(last, over) if abs((over - last).total_seconds()) > EDGE_S else last


def picture(curve: CurveMessage, bands: Sequence[Band], begin: datetime, end: datetime, zone: tzinfo) -> Picture:
    """Draw what is kept of a session; the curve holds at least one point."""
    points = sorted(curve.points, key=lambda p: (p.begin, p.end))
    frame = _Frame(begin, end, _top(points))
    lows = [p.low_w for p in points if p.low_w is not None]
    highs = [p.high_w for p in points if p.high_w is not None]
    runs = list(_joined(points))
    return Picture(
        begin=begin,
        end=end,
        area="".join(frame.closed(run, lambda p: p.high_w, lambda _: 0) for run in _read(runs)),
        measured="".join(frame.closed(run, lambda p: p.high_w, lambda p: p.low_w) for run in _read(runs)),
        offered="".join(frame.line(run) for run in runs),
        kilowatts=frame.kilowatts(),
        amps=frame.amps(curve.w_per_a),
        times=tuple(_tick(frame.x(t.at), t.text, t.narrow) for t in time_ticks(begin, end, zone)),
        states=tuple(_states(frame, runs)),
        gaps=tuple(frame.box(a, b, "gap") for a, b in _gaps(curve, points, begin, end)),
        prices=tuple(_price_box(frame, band) for band in bands),
        boundaries=tuple((_percent(frame.x(b.begin)), b.sure) for b in bands[1:]) if len(bands) <= _MOST_LINES else (),
        price_list=_price_list(bands),
        low_w=min(lows, default=None),
        high_w=max(highs, default=None),
        low_limit_w=min(p.low_limit_w for p in points),
        high_limit_w=max(p.high_limit_w for p in points),
    )


class _Frame:
    """From instants and watts to places."""

    def __init__(self, begin: datetime, end: datetime, top_w: float) -> None:
        self._begin = begin.timestamp()
        self._seconds = max(1.0, end.timestamp() - self._begin)
        self._step_kw = step_of(top_w / 1000.0, 5)
        self._top_w = self._step_kw * 1000.0 * -(-top_w // (self._step_kw * 1000.0))

    def across(self, second: float) -> float:
        """Share of the way across at a unix second."""
        return min(1.0, max(0.0, (second - self._begin) / self._seconds))

    def x(self, at: datetime) -> float:
        """The same of an instant."""
        return self.across(at.timestamp())

    def box(self, begin: int, end: int, what: str) -> Box:
        """A part of the time, wide enough to be seen."""
        left = self.across(begin)
        width = max(0.004, self.across(end) - left)
        return Box(_percent(min(left, 1.0 - width)), _percent(width), what)

    def closed(self, run: Sequence[StretchMessage], upper: Height, lower: Height) -> str:
        """The outline of a run in steps: no line goes from one value to another but straight up or down."""
        edges = self._edges(run)
        there = [f"{x} {self._v(upper(one))}" for left, right, one in edges for x in (left, right)]
        back = [f"{x} {self._v(lower(one))}" for left, right, one in reversed(edges) for x in (right, left)]
        return f"M{'L'.join((*there, *back))}Z"

    def line(self, run: Sequence[StretchMessage]) -> str:
        """What was offered in a run, in steps; where it changed within a point, down to its lowest and back."""
        places = []
        for left, right, one in self._edges(run):
            high, low = self._v(one.high_limit_w), self._v(one.low_limit_w)
            places += [f"{left} {high}", f"{right} {high}"]
            places += [f"{right} {low}", f"{right} {high}"] if low != high else []
        return f"M{'L'.join(places)}"

    def _edges(self, run: Sequence[StretchMessage]) -> list[tuple[int, int, StretchMessage]]:
        """Left and right side of each point; without a hole between them a point reaches to the next."""
        lefts = [self._u(one.begin) for one in run]
        rights = [*lefts[1:], self._u(run[-1].end)]
        return list(zip(lefts, rights, run, strict=True))

    def kilowatts(self) -> tuple[Tick, ...]:
        """Ticks of the left axis."""
        count = round(self._top_w / 1000.0 / self._step_kw)
        return tuple(Tick(self._px(i * self._step_kw * 1000.0), f"{i * self._step_kw:g}") for i in range(count + 1))

    def amps(self, w_per_a: float | None) -> tuple[Tick, ...]:
        """Ticks of the right axis, where an offered ampere is a fixed number of watts."""
        if not w_per_a:
            return ()
        top_a = self._top_w / w_per_a
        step = step_of(top_a, 5)
        return tuple(Tick(self._px(i * step * w_per_a), f"{i * step:g}") for i in range(int(top_a / step) + 1))

    def _u(self, second: int) -> int:
        return round(self.across(second) * _ACROSS)

    def _v(self, watts: int | None) -> int:
        return round((1.0 - min(1.0, max(0.0, (watts or 0) / self._top_w))) * _UP)

    def _px(self, watts: float) -> str:
        return f"{(1.0 - watts / self._top_w) * HEIGHT:.1f}"


def _top(points: Sequence[StretchMessage]) -> float:
    return max(_LEAST_W, *(max(p.high_w or 0, p.high_limit_w) for p in points)) * 1.04


def _joined(points: Sequence[StretchMessage]) -> Iterator[list[StretchMessage]]:
    """Runs without a hole."""
    run: list[StretchMessage] = []
    for point in points:
        if run and point.begin - max(p.end for p in run[-3:]) > JOINED_S:
            yield run
            run = []
        run.append(point)
    yield run


def _read(runs: Sequence[Sequence[StretchMessage]]) -> Iterator[list[StretchMessage]]:
    """The parts of runs in which power was read."""
    for run in runs:
        part: list[StretchMessage] = []
        for point in run:
            if point.high_w is not None:
                part.append(point)
            elif part:
                yield part
                part = []
        if part:
            yield part


def _states(frame: _Frame, runs: Sequence[Sequence[StretchMessage]]) -> Iterator[Box]:
    for run in runs:
        begin, state = run[0].begin, run[0].state
        for point in run[1:]:
            if point.state != state:
                yield frame.box(begin, point.begin, state)
                begin, state = point.begin, point.state
        yield frame.box(begin, run[-1].end, state)


def _gaps(
    curve: CurveMessage, points: Sequence[StretchMessage], begin: datetime, end: datetime
) -> Iterator[tuple[int, int]]:
    first, last = points[0].begin, max(p.end for p in points)
    if first - begin.timestamp() > EDGE_S:
        yield int(begin.timestamp()), first
    for gap in curve.gaps:
        yield gap.begin, gap.end
    if end.timestamp() - last > EDGE_S:
        yield last, int(end.timestamp())


def _price_box(frame: _Frame, band: Band) -> PriceBox:
    left = frame.x(band.begin)
    width = frame.x(band.end) - left
    needed_px = 8 + sum(12 if ord(sign) > 0x2E7F else 7 for sign in band.name)
    fits, roomy = width * _NARROW_PX >= needed_px, width * _WIDE_PX >= needed_px
    return PriceBox(_percent(left), _percent(width), band.rank, band.name if roomy else "", not fits)


def _price_list(bands: Sequence[Band]) -> tuple[Price, ...]:
    found = {(b.per_kwh, b.name): Price(b.rank, b.name, _money(b.per_kwh), b.currency) for b in bands}
    return tuple(found[key] for key in sorted(found))


def _money(value: Decimal) -> str:
    return f"{value.quantize(Decimal('0.0001')).normalize():f}"


def _tick(place: float, text: str, narrow: bool) -> Tick:
    anchor = "start" if place < 0.06 else "end" if place > 0.94 else "middle"
    return Tick(_percent(place), text, anchor, narrow)


def _percent(share: float) -> str:
    return f"{share * 100:.2f}"


def _instant(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)

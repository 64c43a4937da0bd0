"""Cuts a session's energy at price boundaries, gaps and steps of the clock, by readings of its register (B24, B21)."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

from siteward.control.tariff import next_boundary, price_at
from siteward.model.bill import Cut, Segment
from siteward.model.tariff import Pin, Pricing, Tariff, TariffBook

NEAR_S = 2.0
"""A register read so close to a price boundary closes a segment; else a straight line between two reads does (B24)."""

CLOCK_STEP_S = 30.0
"""A step of the wall clock beyond which prices by its old time count no further (B21)."""

_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Moment:
    """One turn's view of time: boot-time s, UTC, whether that is trusted, and how far it stepped since the last."""

    at: float
    wall: datetime
    trusted: bool = True
    step_s: float = 0.0

    def wall_of(self, at: float) -> datetime:
        """UTC of a boot time, by the wall clock as it is now."""
        return self.wall - timedelta(seconds=self.at - at)


class Running(NamedTuple):
    """The running segment of an open session, and the reading that it goes up to.

    at and wh are boot time and counted register of the newest reading; boundary is where its price ends, None while
    that is not known or never; trusted: its price goes by the clock. tariff None: energy is kept without a price.
    """

    tariff: Tariff | None
    begin: datetime
    begin_wh: int
    period: str | None
    boundary: datetime | None
    trusted: bool
    at: float
    wh: int
    meter: str
    estimated_wh: int = 0


class Step(NamedTuple):
    """What a reading comes to: the running segment, and those that it closed."""

    running: Running
    closed: tuple[Segment, ...] = ()


class Pricer:
    """Prices segments of one site: its zone, what it says about versions, and the tariffs that are known."""

    def __init__(self, zone: tzinfo, pricing: Pricing, book: TariffBook) -> None:
        self._zone = zone
        self._pricing = pricing
        self.book = book

    def begin(self, tariff: Tariff | None, moment: Moment, at: float, wh: int, meter: str) -> Running:
        """The first segment of a session, from a reading at a boot time on."""
        begin = moment.wall_of(at)
        return self._next(Running(tariff, begin, wh, None, None, moment.trusted, at, wh, meter), begin, moment.trusted)

    def again(self, running: Running, wall: datetime) -> Running:
        """A version that was installed while it runs is one to change to, from its beginning on or from now (S-17)."""
        tariff = running.tariff
        if self._pricing.pin is Pin.START or tariff is None or not running.trusted:
            return running
        in_force = self.book.in_force(tariff.id, wall) or tariff
        change = wall if in_force.version > tariff.version else self.book.next_change(tariff.id, tariff.version, wall)
        known = [moment for moment in (running.boundary, change) if moment is not None]
        return running._replace(boundary=min(known, default=None))

    def clock(self, running: Running, moment: Moment) -> Step:
        """Close at the last reading when the clock stepped far or changed its worth; its energy stays where it was."""
        stepped = abs(moment.step_s) > CLOCK_STEP_S
        if not stepped and moment.trusted is running.trusted:
            return Step(running)
        begin = moment.wall_of(running.at)
        old = begin - timedelta(seconds=moment.step_s)
        closed = _closed(running, max(old, running.begin), running.wh, Cut.CLOCK, flagged=stepped)
        return Step(self._next(running, begin, moment.trusted), _some(closed))

    def read(self, running: Running, moment: Moment, at: float, wh: int, meter: str) -> Step:
        """Take in a register reading; every price boundary that it passes closes a segment."""
        new_wall = moment.wall_of(at)
        if running.boundary is None or new_wall < running.boundary:
            return Step(running._replace(at=at, wh=wh, meter=meter))
        line = _Line(moment.wall_of(running.at), running.wh, new_wall, wh)
        closed: list[Segment] = []
        before_wh, guessed = running.wh, False
        while running.boundary is not None and new_wall >= running.boundary:
            edge = running.boundary
            edge_wh, estimated = line.at(edge)
            if estimated or guessed:
                running = running._replace(estimated_wh=running.estimated_wh + edge_wh - before_wh)
            closed += _some(_closed(running, edge, edge_wh, Cut.PRICE))
            running = self._next(running._replace(wh=edge_wh), edge, moment.trusted)
            before_wh, guessed = edge_wh, estimated
        rest_wh = wh - before_wh if guessed else 0
        return Step(running._replace(at=at, wh=wh, meter=meter, estimated_wh=rest_wh), tuple(closed))

    def resume(
        self, open_segment: Segment, tariff: Tariff | None, moment: Moment, at: float, wh: int, meter: str
    ) -> Step:
        """Go on after an outage: what was measured ends where the row ends, the gap is a segment of its own (B23)."""
        seconds = max(0.0, (moment.wall_of(at) - open_segment.end).total_seconds())
        known = self._at_row(open_segment, tariff, at - seconds)
        first = _closed(known, open_segment.end, open_segment.end_wh, Cut.GAP)
        gap = self._next(known, moment.wall_of(at - seconds), moment.trusted)
        step = self.read(gap, moment, at, wh, meter)
        last = _closed(step.running, moment.wall_of(at), wh, Cut.GAP)
        running = self._next(step.running, moment.wall_of(at), moment.trusted)
        return Step(running, (*_some(first), *step.closed, *_some(last)))

    def _at_row(self, segment: Segment, tariff: Tariff | None, at: float) -> Running:
        found = self.book.find(segment.tariff, segment.version) or tariff
        return Running(
            found,
            segment.begin,
            segment.begin_wh,
            segment.period,
            None,
            not segment.flagged,
            at,
            segment.end_wh,
            segment.meter,
            segment.estimated_wh,
        )

    def swapped(self, running: Running, moment: Moment, at: float, meter: str) -> Step:
        """Another meter counts on from here: the segment ends with the last value of the old one (B22)."""
        closed = _closed(running, max(running.begin, moment.wall_of(running.at)), running.wh, Cut.METER)
        begin = moment.wall_of(at)
        return Step(self._next(running._replace(at=at, meter=meter), begin, moment.trusted), _some(closed))

    def _next(self, running: Running, begin: datetime, trusted: bool) -> Running:
        """A segment that begins at the reading in hand; without a trusted clock the lowest price counts, unbounded."""
        fresh = running._replace(begin=begin, begin_wh=running.wh, estimated_wh=0, trusted=trusted, boundary=None)
        tariff = fresh.tariff
        if tariff is None:
            return fresh._replace(period=None)
        if not trusted:
            return fresh._replace(period=tariff.lowest.id)
        if self._pricing.pin is Pin.BOUNDARY:
            tariff = self.book.in_force(tariff.id, begin) or tariff
        boundary = next_boundary(tariff, begin, self._zone)
        if self._pricing.pin is Pin.BOUNDARY:
            change = self.book.next_change(tariff.id, tariff.version, begin)
            boundary = min((moment for moment in (boundary, change) if moment is not None), default=None)
        return fresh._replace(tariff=tariff, period=price_at(tariff, begin, self._zone).id, boundary=boundary)


class _Line(NamedTuple):
    """The straight line between two readings."""

    begin: datetime
    begin_wh: int
    end: datetime
    end_wh: int

    def at(self, edge: datetime) -> tuple[int, bool]:
        """Register at an instant, and whether it is an estimate: no reading within NEAR_S of it.

        Where both are the same, nothing was there to be shared out.
        """
        before_s, after_s = (edge - self.begin).total_seconds(), (self.end - edge).total_seconds()
        if after_s <= NEAR_S and after_s <= before_s:
            return self.end_wh, False
        if before_s <= NEAR_S or self.begin_wh == self.end_wh:
            return self.begin_wh, False
        share, whole = (edge - self.begin) // _TICK, max(1, (self.end - self.begin) // _TICK)
        return self.begin_wh + (self.end_wh - self.begin_wh) * share // whole, True


def _closed(running: Running, end: datetime, end_wh: int, cut: Cut | None, flagged: bool = False) -> Segment:
    tariff = running.tariff
    return Segment(
        begin=running.begin,
        end=end,
        begin_wh=running.begin_wh,
        end_wh=end_wh,
        meter=running.meter,
        period=running.period,
        tariff=None if tariff is None else tariff.id,
        version=None if tariff is None else tariff.version,
        estimated_wh=running.estimated_wh,
        flagged=flagged or not running.trusted,
        ended=cut,
    )


def _some(segment: Segment) -> tuple[Segment, ...]:
    """A segment without energy says nothing."""
    return (segment,) if segment.energy_wh else ()


def so_far(running: Running, moment: Moment) -> Segment:
    """The running segment up to its newest reading."""
    return _closed(running, max(running.begin, moment.wall_of(running.at)), running.wh, None)


def ended(running: Running, moment: Moment) -> tuple[Segment, ...]:
    """The last segment of a session, closed at its newest reading."""
    end = max(running.begin, moment.wall_of(running.at))
    return _some(_closed(running, end, running.wh, Cut.END))

"""Which price held when during a session, for its picture: by its segments, and for the rest by its tariff."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from siteward.client.bills import Recomputed
from siteward.client.messages import SessionMessage
from siteward.control.tariff import next_boundary, price_at
from siteward.model.bill import Segment
from siteward.model.tariff import Price, Tariff

_MOST = 400
"""Bands of one session; one of a week under twelve prices a day has 84."""


@dataclass(frozen=True, slots=True)
class Band:
    """A time at one price; sure: the meter was read at its begin, not only estimated.

    per_kwh is energy and service together, rank its place among the prices of this session, 0 = cheapest, 3 = dearest.
    """

    begin: datetime
    end: datetime
    name: str
    per_kwh: Decimal
    currency: str
    rank: int = 0
    sure: bool = True


def bands(found: Recomputed, session: SessionMessage, begin: datetime, end: datetime) -> tuple[Band, ...]:
    """The prices from begin to end, in order; nothing where no tariff prices the session."""
    parts: list[Band] = []
    for band in (*_billed(found), *_ahead(found, session, begin, end)):
        cut = replace(band, begin=max(band.begin, begin), end=min(band.end, end))
        if cut.begin >= cut.end:
            continue
        last = parts[-1] if parts else None
        if last is not None and (last.name, last.per_kwh, last.end) == (cut.name, cut.per_kwh, cut.begin):
            parts[-1] = replace(last, end=cut.end)
        else:
            parts.append(cut)
    prices = sorted({band.per_kwh for band in parts})
    most = max(1, len(prices) - 1)
    return tuple(replace(band, rank=round(3 * prices.index(band.per_kwh) / most)) for band in parts)


def _billed(found: Recomputed) -> Iterator[Band]:
    """What was billed: a segment begins where the one before ended, whose estimate says how sure that was."""
    before: Segment | None = None
    for segment in found.segments:
        tariff = found.book.find(segment.tariff, segment.version)
        price = None if tariff is None else next((p for p in tariff.prices if p.id == segment.period), None)
        if tariff is not None and price is not None:
            sure = before is None or not before.estimated_wh
            yield _band(tariff, price, segment.begin, segment.end, sure)
        before = segment


def _ahead(found: Recomputed, session: SessionMessage, begin: datetime, end: datetime) -> Iterator[Band]:
    """What the tariff says of the time that no segment tells of yet."""
    tariff = found.book.find(session.tariff, session.tariff_version)
    if found.told is not None or tariff is None:
        return
    zone = ZoneInfo(tariff.timezone)
    at = found.segments[-1].end if found.segments else begin
    for _ in range(_MOST):
        if at >= end:
            return
        until = next_boundary(tariff, at, zone) or end
        yield _band(tariff, price_at(tariff, at, zone), at, until, True)
        at = until


def _band(tariff: Tariff, price: Price, begin: datetime, end: datetime, sure: bool) -> Band:
    return Band(begin, end, price.name, price.both, tariff.currency, sure=sure)

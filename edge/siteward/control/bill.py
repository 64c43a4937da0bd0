"""From segments and a tariff to a bill: exact in Decimal, each line rounded half-up, the total is their sum."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from siteward.model.bill import Bill, BillLine, LineKind, Segment
from siteward.model.tariff import Price, PriceStep, Tariff, TariffBook, money

_WH_PER_KWH_DIGITS = 3
_FIRST = PriceStep(0, Decimal(0), Decimal(0))


@dataclass(slots=True)
class _Share:
    """Energy at one price: of one version, one period and one step."""

    tariff: Tariff
    period: str
    step: PriceStep
    energy_wh: int = 0
    estimated_wh: int = 0
    flagged_wh: int = 0


def make_bill(pinned: Tariff, segments: Sequence[Segment], idle_s: int, book: TariffBook) -> Bill:
    """The bill of a session: pinned is the tariff of its start, idle_s how long its car only stood.

    A segment names the version that prices it; one whose version is in no book counts as unpriced.
    """
    shares, unpriced_wh = _shares(pinned, segments, book)
    energy_wh = sum(segment.energy_wh for segment in segments)
    lines: list[BillLine] = []
    for share in shares:
        lines += _lines(share)
    lines += _fees(pinned, energy_wh, idle_s)
    return Bill(
        pinned.id,
        pinned.version,
        pinned.currency,
        pinned.digits,
        tuple(lines),
        sum(line.amount for line in lines),
        energy_wh,
        unpriced_wh,
    )


def _shares(pinned: Tariff, segments: Iterable[Segment], book: TariffBook) -> tuple[list[_Share], int]:
    """Energy by version, period and step in the order of its first appearance, and what has no price."""
    shares: dict[tuple[int, str, int], _Share] = {}
    so_far_wh = unpriced_wh = 0
    for segment in segments:
        tariff = _version(pinned, segment, book)
        if tariff is None or segment.period is None:
            unpriced_wh += segment.energy_wh
        else:
            _share_out(shares, tariff, segment, so_far_wh)
        so_far_wh += segment.energy_wh
    return list(shares.values()), unpriced_wh


def _share_out(shares: dict[tuple[int, str, int], _Share], tariff: Tariff, segment: Segment, so_far_wh: int) -> None:
    estimated_wh = segment.estimated_wh
    for step, part_wh in _stepped(tariff, so_far_wh, segment.energy_wh):
        period = segment.period or ""
        share = shares.setdefault((tariff.version, period, step.from_wh), _Share(tariff, period, step))
        guessed_wh = min(part_wh, estimated_wh)
        estimated_wh -= guessed_wh
        share.energy_wh += part_wh
        share.estimated_wh += guessed_wh
        share.flagged_wh += part_wh if segment.flagged else 0


def _version(pinned: Tariff, segment: Segment, book: TariffBook) -> Tariff | None:
    if (segment.tariff, segment.version) == (pinned.id, pinned.version):
        return pinned
    return book.find(segment.tariff, segment.version)


def _stepped(tariff: Tariff, begin_wh: int, energy_wh: int) -> list[tuple[PriceStep, int]]:
    """How energy from `begin_wh` of the session on falls into the tariff's steps."""
    steps = (_FIRST, *tariff.steps)
    parts = []
    end_wh = begin_wh + energy_wh
    for index, step in enumerate(steps):
        until_wh = steps[index + 1].from_wh if index + 1 < len(steps) else end_wh
        part_wh = min(end_wh, until_wh) - max(begin_wh, step.from_wh)
        if part_wh > 0:
            parts.append((step, part_wh))
    return parts


def _lines(share: _Share) -> list[BillLine]:
    """The energy line, and the service line where there is a service price: two fields (ruling 14)."""
    tariff, step = share.tariff, share.step
    price = tariff.price(share.period)
    lines = [_line(share, price, LineKind.ENERGY, price.energy + step.energy)]
    if price.service or step.service:
        lines.append(_line(share, price, LineKind.SERVICE, price.service + step.service))
    return lines


def _line(share: _Share, price: Price, kind: LineKind, per_kwh: Decimal) -> BillLine:
    exact = (share.energy_wh * per_kwh).scaleb(-_WH_PER_KWH_DIGITS)
    return BillLine(
        kind=kind,
        exact=exact,
        amount=rounded(exact, share.tariff.digits),
        tariff=share.tariff.id,
        version=share.tariff.version,
        price=per_kwh,
        period=price.id,
        name=price.name,
        from_wh=share.step.from_wh,
        energy_wh=share.energy_wh,
        estimated_wh=share.estimated_wh,
        flagged_wh=share.flagged_wh,
    )


def _fees(pinned: Tariff, energy_wh: int, idle_s: int) -> list[BillLine]:
    """The flat fee of a session that got energy, and the full minutes for which its car only stood."""
    name = (pinned.id, pinned.version)
    found = []
    if pinned.flat_fee and energy_wh > 0:
        exact = Decimal(pinned.flat_fee).scaleb(-pinned.digits)
        found.append(BillLine(LineKind.FLAT, exact, pinned.flat_fee, *name, exact))
    minutes = idle_minutes(pinned, idle_s)
    if pinned.idle is not None and minutes:
        exact = minutes * pinned.idle.per_minute
        amount = rounded(exact, pinned.digits)
        found.append(BillLine(LineKind.IDLE, exact, amount, *name, pinned.idle.per_minute, minutes=minutes))
    return found


def idle_minutes(tariff: Tariff, idle_s: int) -> int:
    """Full minutes of standing that are billed: after the grace, and no more than the most."""
    if tariff.idle is None:
        return 0
    return max(0, min(idle_s - tariff.idle.grace_s, tariff.idle.most_s)) // 60


def rounded(exact: Decimal, digits: int) -> int:
    """Minor units of an amount, half of one rounded away from zero."""
    return int(exact.scaleb(digits).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def bill_data(bill: Bill) -> dict[str, object]:
    """A bill as session.finished carries it: JSON types, money in minor units, prices with four decimals."""
    return {
        "tariffId": bill.tariff,
        "tariffVersion": bill.version,
        "currency": bill.currency,
        "currencyDigits": bill.digits,
        "energyByPeriod": _by_period(bill),
        "lines": [line_data(line) for line in bill.lines],
        "total": bill.total,
        "unpriced_wh": bill.unpriced_wh,
    }


def _by_period(bill: Bill) -> list[dict[str, object]]:
    periods: dict[tuple[int, str], dict[str, int]] = {}
    for line in bill.lines:
        if line.kind is LineKind.ENERGY and line.period is not None:
            sums = periods.setdefault((line.version, line.period), {"energy_wh": 0, "estimated_wh": 0})
            sums["energy_wh"] += line.energy_wh
            sums["estimated_wh"] += line.estimated_wh
    return [{"period": period, "tariffVersion": version, **sums} for (version, period), sums in periods.items()]


def line_data(line: BillLine) -> dict[str, object]:
    """One line in JSON types; what says nothing is left out."""
    data: dict[str, object] = {
        "kind": line.kind.value,
        "tariffVersion": line.version,
        "price": money(line.price),
        "exact": f"{line.exact:f}",
        "amount": line.amount,
    }
    if line.period is not None:
        data |= {"period": line.period, "name": line.name, "energy_wh": line.energy_wh}
    optional: Mapping[str, int] = {
        "fromEnergy_wh": line.from_wh,
        "estimated_wh": line.estimated_wh,
        "flagged_wh": line.flagged_wh,
        "minutes": line.minutes,
    }
    return data | {key: value for key, value in optional.items() if value}


def segment_data(segment: Segment, number: int) -> dict[str, object]:
    """What session.segment says: number counts a session's segments from 1."""
    return {
        "number": number,
        "period": segment.period,
        "tariffId": segment.tariff,
        "tariffVersion": segment.version,
        "begin": segment.begin,
        "end": segment.end,
        "meter": segment.meter,
        "begin_register_wh": segment.begin_wh,
        "end_register_wh": segment.end_wh,
        "energy_wh": segment.energy_wh,
        "estimated_wh": segment.estimated_wh,
        "flagged": segment.flagged,
        "ended": None if segment.ended is None else segment.ended.value,
    }

"""Half-hour tables of Chinese practice (sharp, peak, flat, valley) as CSV, read into a tariff document."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, NamedTuple

from siteward.client.tariff_form import BadTariff
from siteward.control.tariff_data import WEEKDAYS, clock

HALF_HOURS = 48
_WORDS = {
    "sharp": ("尖", "尖峰", "尖时", "sharp"),
    "peak": ("峰", "高峰", "峰时", "peak"),
    "flat": ("平", "平段", "平时", "flat"),
    "valley": ("谷", "低谷", "谷时", "valley"),
    "deep": ("深谷", "深", "deep"),
}
_NAMES = {"sharp": "尖", "peak": "峰", "flat": "平", "valley": "谷", "deep": "深谷"}
_PERIODS = {word: name for name, words in _WORDS.items() for word in words}
_ALL, _WORK, _END = WEEKDAYS, WEEKDAYS[:5], WEEKDAYS[5:]
_DAYS = {
    **dict.fromkeys(("每天", "全年", "all", "every day"), _ALL),
    **dict.fromkeys(("工作日", "weekday", "weekdays"), _WORK),
    **dict.fromkeys(("周末", "weekend"), _END),
    **dict.fromkeys(("节假日", "holiday", "holidays"), ("holiday",)),
}
_MONTHS = re.compile(r"(\d{1,2})\s*(?:[-~至]\s*(\d{1,2}))?\s*月")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?:\s*[-~至]\s*(\d{1,2}):(\d{2}))?")
_LAST_DAY = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Head(NamedTuple):
    """What a table of prices does not say itself."""

    tariff_id: str
    version: int
    valid_from: str
    timezone: str
    currency: str = "CNY"


@dataclass(slots=True)
class _Table:
    """What was read so far: prices by period, plans by the words of their days, the hours written below each other."""

    prices: dict[str, tuple[str, str]] = field(default_factory=dict)
    plans: list[tuple[dict[str, Any], list[str]]] = field(default_factory=list)
    hours: dict[int, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def read_table(text: str, head: Head) -> dict[str, Any]:
    """The tariff document of a CSV table; siteward.client.tariff_form judges it further.

    Lines: a period with its energy price and service price per kWh; days with 48 periods beside each other; or 48
    lines of a time with its period. Raises BadTariff with a line for every cell that is wrong.
    """
    table = _Table()
    for number, row in enumerate(csv.reader(io.StringIO(text.removeprefix("\ufeff")), skipinitialspace=True), 1):
        cells = [cell.strip() for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells and not cells[0].startswith("#"):
            _line(table, number, cells)
    _below(table)
    _whole(table)
    if table.faults:
        raise BadTariff("\n".join(table.faults))
    used = {period for _, periods in table.plans for period in periods}
    return {
        "tariffId": head.tariff_id,
        "version": head.version,
        "validFrom": head.valid_from,
        "timezone": head.timezone,
        "currency": head.currency,
        "periods": [
            {"id": name, "name": _NAMES[name], "energyPrice": energy, "servicePrice": service}
            for name, (energy, service) in table.prices.items()
            if name in used
        ],
        "days": [{**days, "times": list(_stretches(periods))} for days, periods in table.plans],
    }


def _line(table: _Table, number: int, cells: Sequence[str]) -> None:
    first = cells[0].lower()
    if first in _PERIODS:
        _price(table, number, cells)
    elif found := _TIME.fullmatch(first):
        _hour(table, number, cells, found)
    elif (days := _days(first)) is not None:
        _row(table, number, cells, days)
    elif number > 1 or len(cells) == 1:
        # The first line may be a heading.
        table.faults.append(
            f"row {number}, column 1: {cells[0]!r} is no period (尖 峰 平 谷), no time (00:00) and no day "
            "(每天, 工作日, 周末, 节假日, 7-8月)"
        )


def _price(table: _Table, number: int, cells: Sequence[str]) -> None:
    name = _PERIODS[cells[0].lower()]
    if len(cells) not in (2, 3):
        table.faults.append(
            f"row {number}: a price line is period, energy price, service price; this has {len(cells)} cells"
        )
        return
    if name in table.prices:
        table.faults.append(f"row {number}, column 1: the price of {cells[0]} is given twice; keep one")
    for column, cell in enumerate(cells[1:], 2):
        if not re.fullmatch(r"\d{1,4}(\.\d{1,4})?", cell):
            table.faults.append(
                f"row {number}, column {column}: {cell!r} is no price; write it like 1.2345, four decimals at most"
            )
    table.prices[name] = (cells[1], cells[2] if len(cells) == 3 else "0")


def _days(text: str) -> dict[str, Any] | None:
    if text in _DAYS:
        return {"on": _DAYS[text]}
    if text in WEEKDAYS:
        return {"on": [text]}
    found = _MONTHS.fullmatch(text)
    if found is None:
        return None
    first, last = int(found[1]), int(found[2] or found[1])
    if not (1 <= first <= 12 and 1 <= last <= 12):
        return None
    return {"on": _ALL, "from": f"{first:02d}-01", "to": f"{last:02d}-{_LAST_DAY[last - 1]:02d}"}


def _row(table: _Table, number: int, cells: Sequence[str], days: dict[str, Any]) -> None:
    if len(cells) != HALF_HOURS + 1:
        table.faults.append(f"row {number}: has {len(cells) - 1} half hours; write all {HALF_HOURS} beside the days")
        return
    periods = [_period(table, number, 2 + index, cell, index) for index, cell in enumerate(cells[1:])]
    table.plans.append((days, periods))


def _hour(table: _Table, number: int, cells: Sequence[str], found: re.Match[str]) -> None:
    minute = int(found[1]) * 60 + int(found[2])
    index = minute // 30
    if minute % 30 or index >= HALF_HOURS or int(found[2]) > 59:
        table.faults.append(f"row {number}, column 1: {cells[0]!r} begins no half hour; write 00:00, 00:30 and so on")
    elif found[3] is not None and int(found[3]) * 60 + int(found[4]) != minute + 30:
        table.faults.append(f"row {number}, column 1: {cells[0]!r} is no half hour; it ends at {clock(minute + 30)}")
    elif index in table.hours:
        table.faults.append(f"row {number}, column 1: {clock(minute)} is given twice; keep one")
    elif len(cells) != 2:
        table.faults.append(f"row {number}: a half hour has one period beside it; this line has {len(cells) - 1}")
    else:
        table.hours[index] = _period(table, number, 2, cells[1], index)


def _period(table: _Table, number: int, column: int, cell: str, index: int) -> str:
    name = _PERIODS.get(cell.lower())
    if name is None:
        what = f"{cell!r} is no period" if cell else "is empty"
        table.faults.append(f"row {number}, column {column} ({clock(index * 30)}): {what}; write 尖, 峰, 平 or 谷")
        return ""
    return name


def _below(table: _Table) -> None:
    """48 lines of time and period make one plan for every day."""
    if not table.hours:
        return
    missing = [clock(index * 30) for index in range(HALF_HOURS) if index not in table.hours]
    if missing:
        table.faults.append(f"no period for {', '.join(missing[:6])}{' ...' if len(missing) > 6 else ''}; write all 48")
        return
    table.plans.append(({"on": _ALL}, [table.hours[index] for index in range(HALF_HOURS)]))


def _whole(table: _Table) -> None:
    if not table.plans and not table.faults:
        table.faults.append("no half hours; write a line of 48 periods beside 每天, or 48 lines of time and period")
    used = {period for _, periods in table.plans for period in periods if period}
    for name in sorted(used - set(table.prices)):
        table.faults.append(f"no price for {_NAMES[name]}; add a line such as {_NAMES[name]},1.2345,0.8000")


def _stretches(periods: Sequence[str]) -> Iterator[Mapping[str, str]]:
    """Half hours of one period in a row are one stretch."""
    for period, group in groupby(range(len(periods)), key=lambda index: periods[index]):
        indices = list(group)
        yield {"begin": clock(indices[0] * 30), "end": clock((indices[-1] + 1) * 30), "period": period}

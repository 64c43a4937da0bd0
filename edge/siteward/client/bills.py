"""A bill made again from the journal alone, and everything in it that does not fit (S-15, S-16)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from siteward.client.bill_messages import EvidenceMessage
from siteward.client.tariff_form import BadTariff, installed
from siteward.control.bill import bill_data, line_data, make_bill, segment_data
from siteward.control.tariff import price_at
from siteward.model.bill import Bill, Cut, Segment
from siteward.model.sentences import Sentence
from siteward.model.tariff import Tariff, TariffBook

_CLOCK_STEP = timedelta(seconds=30)
"""Clocks that were this far off are still believed for prices (B21)."""


@dataclass(frozen=True, slots=True)
class Recomputed:
    """A bill as the journal's segments and tariffs make it; bill None: no tariff prices the session.

    told is what session.finished said of money, None while the session is open; faults is everything that contradicts;
    names are those of the price periods by id, book holds the tariffs.
    """

    bill: Bill | None
    segments: tuple[Segment, ...]
    idle_s: int
    told: Mapping[str, Any] | None
    faults: tuple[Sentence, ...]
    names: Mapping[str, str] = field(default_factory=dict)
    book: TariffBook = field(default_factory=TariffBook)

    @property
    def holds(self) -> bool:
        """Whether the bill is that of session.finished, to the cent, and nothing contradicts it."""
        return not self.faults


def recompute(evidence: EvidenceMessage) -> Recomputed:
    """Make the bill of a session again."""
    created = _data(evidence.events, "session.created")
    told = _data(evidence.events, "session.finished")
    segments = tuple(_segment(one["data"]) for one in evidence.events if one["type"] == "session.segment")
    name = (told or created or {}).get("tariffId"), (told or created or {}).get("tariffVersion")
    book, faults = _book(evidence.tariffs)
    pinned = book.find(*name)
    idle_s = int((told or {}).get("idle_s", 0))
    if pinned is None:
        if name[0] is not None and not faults:
            faults = (_missing(f"{name[0]} {name[1]}"),)
        return Recomputed(None, segments, idle_s, told, faults, book=book)
    bill = make_bill(pinned, segments, idle_s, book)
    found = (*faults, *_chain(evidence.events, segments), *_periods(segments, book), *_against(bill, told))
    names = {price.id: price.name for tariff in book.versions.values() for price in tariff.prices}
    return Recomputed(bill, segments, idle_s, told, found, names, book)


def costs(evidence: EvidenceMessage, found: Recomputed) -> int | None:
    """What a session costs: by its bill, or as core reckons it while it is open, the running segment included."""
    if found.bill is None:
        return None
    running = evidence.session.total if found.told is None else None
    return found.bill.total if running is None else running


def _data(events: Sequence[Mapping[str, Any]], kind: str) -> Mapping[str, Any] | None:
    found = [event["data"] for event in events if event["type"] == kind]
    return found[-1] if found else None


def _book(documents: Sequence[Mapping[str, Any]]) -> tuple[TariffBook, tuple[Sentence, ...]]:
    book, faults = TariffBook(), []
    for document in documents:
        try:
            book = book.add(installed(document))
        except BadTariff as bad:
            faults.append(Sentence(f"A tariff cannot be read: {bad}.", f"计费方案无法读取：{bad}。"))
    return book, tuple(faults)


def _segment(data: Mapping[str, Any]) -> Segment:
    return Segment(
        begin=datetime.fromisoformat(data["begin"]),
        end=datetime.fromisoformat(data["end"]),
        begin_wh=data["begin_register_wh"],
        end_wh=data["end_register_wh"],
        meter=data["meter"],
        period=data["period"],
        tariff=data["tariffId"],
        version=data["tariffVersion"],
        estimated_wh=data["estimated_wh"],
        flagged=data["flagged"],
        ended=Cut(data["ended"]),
    )


def _chain(events: Sequence[Mapping[str, Any]], segments: Sequence[Segment]) -> Iterator[Sentence]:
    """Segments follow each other without a hole, and add up to the register difference."""
    numbers = [event["data"]["number"] for event in events if event["type"] == "session.segment"]
    if numbers != list(range(1, len(numbers) + 1)):
        yield Sentence(f"Segments are missing or doubled: {numbers}.", f"分段缺失或重复：{numbers}。")
    for one, other in pairwise(segments):
        if other.begin_wh != one.end_wh:
            yield Sentence(
                f"A segment begins at {other.begin_wh} Wh, the one before ended at {one.end_wh} Wh.",
                f"某分段起始读数 {other.begin_wh} Wh 与上一分段结束读数 {one.end_wh} Wh 不符。",
            )
    told = _data(events, "session.finished")
    if told is None:
        return
    total_wh = sum(segment.energy_wh for segment in segments)
    start, stop = told.get("start_register_wh"), told.get("stop_register_wh")
    by_register = 0 if start is None or stop is None else stop - start + told.get("rolled_wh", 0)
    if not total_wh == by_register == (told.get("energy_wh") or 0):
        yield Sentence(
            f"Segments hold {total_wh} Wh, the register went on by {by_register} Wh.",
            f"分段电量合计 {total_wh} Wh，电表读数差 {by_register} Wh。",
        )


def _periods(segments: Sequence[Segment], book: TariffBook) -> Iterator[Sentence]:
    """A segment stands in the period that its tariff has at its begin."""
    for segment in segments:
        tariff = book.find(segment.tariff, segment.version)
        if tariff is None:
            yield _missing(f"{segment.tariff} {segment.version}")
        elif segment.period not in _possible(segment, tariff):
            yield Sentence(
                f"A segment from {segment.begin:%Y-%m-%d %H:%M:%S}Z is priced as {segment.period}.",
                f"始于 {segment.begin:%Y-%m-%d %H:%M:%S}Z 的分段不应按 {segment.period} 计价。",
            )


def _possible(segment: Segment, tariff: Tariff) -> set[str]:
    if segment.flagged:
        return {price.id for price in tariff.prices}
    zone = ZoneInfo(tariff.timezone)
    return {price_at(tariff, segment.begin + off, zone).id for off in (-_CLOCK_STEP, timedelta(0), _CLOCK_STEP)}


def _against(bill: Bill, told: Mapping[str, Any] | None) -> Iterator[Sentence]:
    if told is None:
        return
    if [line_data(line) for line in bill.lines] != told.get("lines"):
        yield Sentence("The lines differ from those that were told.", "账单明细与已上报的不一致。")
    if (bill.total, bill.currency) != (told.get("total"), told.get("currency")):
        yield Sentence(
            f"The total is {bill.total}, told was {told.get('total')}.",
            f"合计应为 {bill.total}，已上报 {told.get('total')}。",
        )


def _missing(name: str) -> Sentence:
    return Sentence(f"Tariff {name} is not in the journal.", f"日志中没有计费方案 {name}。")


def recomputed_data(found: Recomputed) -> dict[str, object]:
    """A recomputed bill in JSON types: the bill, its segments, and what does not fit."""
    data: dict[str, object] = {} if found.bill is None else bill_data(found.bill)
    return {
        **data,
        "idle_s": found.idle_s,
        "segments": [
            {**segment_data(segment, number), "begin": segment.begin.isoformat(), "end": segment.end.isoformat()}
            for number, segment in enumerate(found.segments, 1)
        ],
        "faults": [{"en": fault.en, "zh": fault.zh} for fault in found.faults],
        "holds": found.holds,
    }

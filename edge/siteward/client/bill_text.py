"""A bill in words: each line and each segment explains itself, in English and in Chinese."""

from collections.abc import Mapping
from datetime import tzinfo
from decimal import Decimal

from siteward.model.bill import Bill, BillLine, Cut, LineKind, Segment
from siteward.model.currency import CURRENCIES
from siteward.model.sentences import Sentence
from siteward.model.tariff import money

_KINDS = {
    LineKind.ENERGY: Sentence("energy", "电费"),
    LineKind.SERVICE: Sentence("service", "服务费"),
    LineKind.FLAT: Sentence("session fee", "单次服务费"),
    LineKind.IDLE: Sentence("standing without charging", "占位费"),
}
CUTS = {
    Cut.PRICE: Sentence("price boundary", "电价时段切换"),
    Cut.CLOCK: Sentence("the clock was corrected", "时钟校正"),
    Cut.METER: Sentence("meter exchanged", "更换电表"),
    Cut.GAP: Sentence("controller away", "控制程序中断"),
    Cut.END: Sentence("end of charging", "充电结束"),
}
"""Why a segment ended."""

_UNPRICED = Sentence("no price", "无价格")


def amount(minor: int, digits: int, currency: str) -> str:
    """Money for people: 12.34 CNY."""
    return f"{Decimal(minor).scaleb(-digits):f} {currency}"


def fee(total: int | None, currency: str | None) -> str:
    """What a session costs so far, empty where no tariff prices it."""
    if total is None or currency is None:
        return ""
    return amount(total, CURRENCIES.get(currency, 2), currency)


def line_name(line: BillLine) -> Sentence:
    """What a line is for."""
    kind = _KINDS[line.kind]
    if line.period is None:
        return kind
    return Sentence(f"{line.name} {kind.en}", f"{line.name} {kind.zh}")


def line_why(line: BillLine, bill: Bill) -> Sentence:
    """How a line comes to its amount, and how sure its energy is."""
    exact = f"{line.exact.normalize():f}"
    if line.kind is LineKind.FLAT:
        return Sentence("once a session with energy", "每次充电一次")
    if line.kind is LineKind.IDLE:
        return Sentence(
            f"{line.minutes} full min after the grace x {money(line.price)} = {exact} {bill.currency}",
            f"免费时段后满 {line.minutes} 分钟 × {money(line.price)} = {exact} {bill.currency}",
        )
    kwh = f"{Decimal(line.energy_wh).scaleb(-3):f}"
    en = f"{kwh} kWh x {money(line.price)} = {exact} {bill.currency}"
    zh = f"{kwh} kWh × {money(line.price)} = {exact} {bill.currency}"
    if line.from_wh:
        en += f"; step from {Decimal(line.from_wh).scaleb(-3):f} kWh on"
        zh += f"；阶梯自 {Decimal(line.from_wh).scaleb(-3):f} kWh 起"
    if line.estimated_wh:
        en += f"; {line.estimated_wh} Wh of it estimated at a boundary"
        zh += f"；其中 {line.estimated_wh} Wh 为时段切换处估算"
    if line.flagged_wh:
        en += f"; {line.flagged_wh} Wh of it without a trusted clock"
        zh += f"；其中 {line.flagged_wh} Wh 时钟不可信"
    return Sentence(en, zh)


def segment_when(segment: Segment, zone: tzinfo) -> str:
    """Begin and end by the site's clock."""
    begin, end = segment.begin.astimezone(zone), segment.end.astimezone(zone)
    last = f"{end:%H:%M:%S}" if begin.date() == end.date() else f"{end:%Y-%m-%d %H:%M:%S}"
    return f"{begin:%Y-%m-%d %H:%M:%S} - {last}"


def segment_why(segment: Segment, names: Mapping[str, str]) -> Sentence:
    """Where its energy comes from, and why it ended; names are those of the price periods by id."""
    name = names.get(segment.period or "", segment.period or "")
    period = _UNPRICED if segment.period is None else Sentence(name, name)
    en = f"{period.en}: meter {segment.meter} from {segment.begin_wh} to {segment.end_wh} Wh"
    zh = f"{period.zh}：电表 {segment.meter} 读数 {segment.begin_wh} 至 {segment.end_wh} Wh"
    if segment.estimated_wh:
        en += f", {segment.estimated_wh} Wh on a line between two readings"
        zh += f"，其中 {segment.estimated_wh} Wh 按两次读数线性估算"
    else:
        en += ", read at both ends"
        zh += "，两端均为实读"
    if segment.flagged:
        en += ", clock not to be trusted"
        zh += "，时钟不可信"
    cut = None if segment.ended is None else CUTS[segment.ended]
    return Sentence(en, zh) if cut is None else Sentence(f"{en}; {cut.en}", f"{zh}；{cut.zh}")

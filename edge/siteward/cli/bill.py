"""`bill`: what a session costs, every line explained, and made again from the journal to see that it holds."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from siteward.cli.errors import CommandFailed
from siteward.cli.paint import Grid, Screen
from siteward.cli.shelf import Records
from siteward.client.bill_messages import EvidenceMessage
from siteward.client.bill_text import amount, line_name, line_why, segment_when, segment_why
from siteward.client.bills import Recomputed, costs, recompute, recomputed_data
from siteward.client.signed import signed_values
from siteward.client.tariff_form import installed
from siteward.model.bill import Bill
from siteward.model.sentences import Sentence

Say = Callable[[Sentence], str]


async def bill(records: Records, screen: Screen, session: str, again: bool, language: str) -> int:
    """Show a session's bill; `again` also says whether the journal alone makes the same one: status 1 when not.

    Raises CommandFailed for an unknown session.
    """
    evidence = await records.evidence(session)
    if evidence is None:
        raise CommandFailed(f"{session}: there is no such session", "`siteward sessions` lists them", "NO_SUCH_SESSION")
    found = recompute(evidence)
    status = 1 if again and not found.holds else 0
    if screen.as_json:
        row = evidence.session
        told: dict[str, object] = {
            "session": row.id,
            "state": row.state,
            "orderId": row.order,
            "costs": costs(evidence, found),
        }
        told |= recomputed_data(found)
        if signed_values(evidence.events):
            from siteward.cli.signed import data

            told |= data(evidence)
        screen.data(told)
        return status
    screen.show(_page(evidence, found, again, language))
    return status


def _page(evidence: EvidenceMessage, found: Recomputed, again: bool, language: str) -> list[str | Grid]:
    def say(sentence: Sentence) -> str:
        return sentence.zh if language == "zh" else sentence.en

    parts: list[str | Grid] = [f"{evidence.session.id}  {evidence.session.connector}  {evidence.session.state}"]
    if found.bill is None:
        parts.append(say(Sentence("No tariff prices this session.", "本次充电没有适用的计费方案。")))
    else:
        parts += _money(evidence, found, found.bill, say)
    if signed_values(evidence.events):
        from siteward.cli.signed import page

        parts += page(evidence, say)
    if again or found.faults:
        parts += [say(fault) for fault in found.faults] or [
            say(Sentence("The journal alone makes the same bill, to the cent.", "仅凭日志重算，账单分毫不差。"))
        ]
    return parts


def _money(evidence: EvidenceMessage, found: Recomputed, bill: Bill, say: Say) -> list[str | Grid]:
    zone = ZoneInfo(installed(evidence.tariffs[0]).timezone)
    money = (say(Sentence("for", "项目")), say(Sentence("amount", "金额")), say(Sentence("why", "依据")))
    rows = [
        (say(line_name(x)), amount(x.amount, bill.digits, bill.currency), say(line_why(x, bill))) for x in bill.lines
    ]
    total = say(Sentence("total", "合计"))
    if found.told is None:
        total = say(Sentence("so far, with the running segment", "目前合计（含进行中分段）"))
    cost = costs(evidence, found) or 0
    rows.append((total, amount(cost, bill.digits, bill.currency), f"{bill.tariff} v{bill.version}"))
    when = (say(Sentence("when", "时间")), "kWh", say(Sentence("from where", "来源")))
    parts = [
        (segment_when(s, zone), f"{s.energy_wh / 1000:.3f}", say(segment_why(s, found.names))) for s in found.segments
    ]
    grids: list[str | Grid] = [Grid("", money, rows, frozenset({money[1]}))]
    if parts:
        grids.append(Grid(say(Sentence("Segments", "分段")), when, parts, frozenset({"kWh"})))
    if bill.unpriced_wh:
        grids.append(say(Sentence(f"{bill.unpriced_wh} Wh have no price.", f"{bill.unpriced_wh} Wh 无价格。")))
    return grids

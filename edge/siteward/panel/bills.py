"""The session page with its bill: every line and every segment explains itself, as the journal makes them."""

from datetime import tzinfo

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from siteward.client.bill_messages import EvidenceMessage
from siteward.client.bill_text import amount, line_name, line_why, segment_when, segment_why
from siteward.client.bills import Recomputed, costs, recompute
from siteward.client.errors import ClientError
from siteward.model.bill import Bill
from siteward.model.ids import is_id
from siteward.panel.desk import Desk
from siteward.panel.power import Place, power
from siteward.panel.signatures import signatures
from siteward.panel.text import zone_of
from siteward.panel.view import session_open
from siteward.panel.words import say


class Bills:
    """Handler of the session page; every role may read it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def session(self, request: Request) -> Response:
        """GET /sessions/{id}: one session, what it costs and why."""
        # A page that looks again by itself is no sign of its reader.
        viewer = self._desk.who(request, touch=request.headers.get("hx-request") != "true")
        name = request.path_params["session"]
        if not is_id(name):
            raise HTTPException(404)
        try:
            evidence = await self._desk.core.evidence(name)
        except ClientError:
            return self._desk.page(request, viewer, "session", session_id=name, down=True, live_page="session")
        if evidence is None:
            raise HTTPException(404)
        language = self._desk.speak(request)
        found = recompute(evidence)
        zone = self._zone()
        place = Place(zone, str(zone), self._desk.clock.wall(), language)
        return self._desk.page(
            request,
            viewer,
            "session",
            session_id=name,
            down=False,
            live_page="session",
            s=evidence.session,
            open=session_open(evidence.session),
            lines=_lines(found.bill, language),
            total=_total(evidence, found),
            running=_running(evidence, found),
            bill=found.bill,
            segments=_segments(found, zone, language),
            power=await power(self._desk.core, evidence, found, place),
            zone=str(zone),
            faults=[say(fault, language) for fault in found.faults],
            signatures=signatures(evidence, language),
        )

    def _zone(self) -> tzinfo:
        live = self._desk.hub.frame.view
        return zone_of(None if live is None else live.timezone)


def _total(evidence: EvidenceMessage, found: Recomputed) -> str:
    bill, cost = found.bill, costs(evidence, found)
    return "" if bill is None or cost is None else amount(cost, bill.digits, bill.currency)


def _running(evidence: EvidenceMessage, found: Recomputed) -> str:
    """What the segment under way adds to the lines above; nothing once all are closed."""
    bill, cost = found.bill, costs(evidence, found)
    if bill is None or cost is None or cost == bill.total:
        return ""
    return amount(cost - bill.total, bill.digits, bill.currency)


def _lines(bill: Bill | None, language: str) -> list[tuple[str, str, str]]:
    """Each line's name, amount and reason."""
    if bill is None:
        return []
    return [
        (
            say(line_name(line), language),
            amount(line.amount, bill.digits, bill.currency),
            say(line_why(line, bill), language),
        )
        for line in bill.lines
    ]


def _segments(found: Recomputed, zone: tzinfo, language: str) -> list[tuple[str, int, str]]:
    """Each segment's time by the site's clock, energy in Wh, and where that comes from."""
    return [
        (segment_when(segment, zone), segment.energy_wh, say(segment_why(segment, found.names), language))
        for segment in found.segments
    ]

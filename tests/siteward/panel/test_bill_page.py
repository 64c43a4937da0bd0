"""S-16, S-42, contract section 5: the session page shows the bill with its lines, each explained, in both languages."""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal

from siteward.client.bill_messages import EvidenceMessage
from siteward.client.messages import AuthorisationMessage
from siteward.control.bill import bill_data, make_bill, segment_data
from siteward.control.tariff_data import tariff_data
from siteward.model.bill import Cut, Segment
from siteward.model.tariff import TariffBook
from siteward.store.canonical import plain
from tests.fixtures.depot import scene
from tests.fixtures.tariffs import depot, tariff
from tests.siteward.panel.conftest import Panel

BEGIN, MID, END = (datetime(2026, 7, 1, 2, minute, tzinfo=UTC) for minute in (30, 45, 59))


def evidence(name: str, total_off: int = 0) -> EvidenceMessage:
    """A finished session in two segments at the peak price."""
    price = tariff(depot(flatFee=100, idle={"pricePerMinute": "0.5", "grace_s": 60}))
    parts = [
        Segment(BEGIN, MID, 1000, 4000, "SN-7", "peak", "SZ-TOU", 1, 25, False, Cut.GAP),
        Segment(MID, END, 4000, 6500, "SN-7", "peak", "SZ-TOU", 1, 0, True, Cut.END),
    ]
    told = bill_data(make_bill(price, parts, 200, TariffBook()))
    told |= {"idle_s": 200, "energy_wh": 5500, "start_register_wh": 1000, "stop_register_wh": 6500, "rolled_wh": 0}
    told["total"] = int(str(told["total"])) + total_off
    events = [{"type": "session.segment", "data": plain(segment_data(p, n))} for n, p in enumerate(parts, 1)]
    events.append({"type": "session.finished", "data": plain(told)})
    row = next(c.session for c in scene(0).connectors if c.session is not None)
    row = row.model_copy(update={"id": name, "state": "FINISHED"})
    return EvidenceMessage(session=row, events=tuple(json.loads(json.dumps(events))), tariffs=(tariff_data(price),))


async def test_every_line_stands_with_its_reason(panel: Panel) -> None:
    """S-18: amount, energy, price, what was estimated and what had no trusted clock."""
    await panel.login()
    panel.core.bills["S1"] = evidence("S1")
    page = (await panel.client.get("/sessions/S1")).text
    for said in (
        "峰 energy",
        "6.05 CNY",
        "5.500 kWh x 1.1009 = 6.05495 CNY",
        "25 Wh of it estimated at a boundary",
        "2500 Wh of it without a trusted clock",
        "session fee",
        "2 full min after the grace x 0.5000 = 1 CNY",
        "11.35 CNY",
        "峰: meter SN-7 from 1000 to 4000 Wh, 25 Wh on a line between two readings; controller away",
        "The journal alone makes this bill again",
    ):
        assert said in page, said
    await panel.client.get("/language/zh")
    page = (await panel.client.get("/sessions/S1")).text
    for said in ("峰 电费", "占位费", "其中 25 Wh 为时段切换处估算", "合计", "时钟不可信", "SZ-TOU 第 1 版"):
        assert said in page, said


async def test_an_open_session_shows_what_core_reckons_it_costs_by_now(panel: Panel) -> None:
    """S-42: segments are told when they close; the running one costs, too."""
    await panel.login()
    whole = evidence("S1")
    row = whole.session.model_copy(update={"state": "CHARGING", "total": 1234, "currency": "CNY"})
    created = {"type": "session.created", "data": {"tariffId": "SZ-TOU", "tariffVersion": 1}}
    panel.core.bills["S1"] = whole.model_copy(update={"session": row, "events": (created, whole.events[0])})
    page = (await panel.client.get("/sessions/S1")).text
    assert "So far" in page
    assert "12.34 CNY" in page
    lines = [Decimal(x) for x in re.findall(r"<b>(-?[\d.]+) CNY</b>", page)]
    assert sum(lines[:-1]) == lines[-1] == Decimal("12.34"), "what stands above the total adds up to it"
    assert "running segment" in page
    assert "its bill still grows" in page
    assert "makes this bill again" not in page


async def test_the_page_says_by_whom_and_until_when(panel: Panel) -> None:
    """S-42, S-85: who started it, its end, and of a card only the last signs."""
    await panel.login()
    whole = evidence("S1")
    by = AuthorisationMessage(by="list", token="04A2B3C4")
    row = whole.session.model_copy(update={"source": "card", "ended_at": END, "authorised": by})
    panel.core.bills["S1"] = whole.model_copy(update={"session": row})
    page = (await panel.client.get("/sessions/S1")).text
    for said in ("Started by", "…B3C4", "<dt>Ended</dt>", "2026-07-01 02:59:00 UTC"):
        assert said in page, said
    assert "04A2B3C4" not in page
    assert "running segment" not in page


async def test_a_session_that_came_to_nothing_is_not_said_to_go_on(panel: Panel) -> None:
    """S-14: FAILED and CANCELLED have no session.finished; they are over all the same."""
    await panel.login()
    whole = evidence("S1")
    created = {"type": "session.created", "data": {"tariffId": "SZ-TOU", "tariffVersion": 1}}
    row = whole.session.model_copy(update={"state": "FAILED"})
    panel.core.bills["S1"] = whole.model_copy(update={"session": row, "events": (created,)})
    page = (await panel.client.get("/sessions/S1")).text
    assert "So far" not in page
    assert "still grows" not in page
    assert "every 30s" not in page


async def test_a_bill_that_does_not_hold_is_said(panel: Panel) -> None:
    """S-15."""
    await panel.login()
    panel.core.bills["S1"] = evidence("S1", total_off=1)
    page = (await panel.client.get("/sessions/S1")).text
    assert "The total is 1135, told was 1136." in page
    assert "makes this bill again" not in page


async def test_a_session_without_a_price_an_unknown_one_and_a_core_that_is_away(panel: Panel) -> None:
    await panel.login()
    whole = evidence("S1")
    panel.core.bills["S1"] = whole.model_copy(update={"events": (), "tariffs": ()})
    assert "No tariff prices this session." in (await panel.client.get("/sessions/S1")).text
    assert (await panel.client.get("/sessions/S2")).status_code == 404
    assert (await panel.client.get("/sessions/a%20b")).status_code == 404
    panel.core.down = True
    assert (await panel.client.get("/sessions/S1")).status_code == 200


async def test_the_page_needs_a_login(panel: Panel) -> None:
    """Fault 71."""
    assert (await panel.client.get("/sessions/S1")).status_code == 401


async def test_the_connector_leads_to_bill_and_picture_by_words(panel: Panel) -> None:
    """S-42: nobody guesses that a number of 26 signs is the way to a bill."""
    await panel.login()
    page = (await panel.client.get("/connectors/A01-1")).text
    row = next(c.session for c in scene(0).connectors if c.id == "A01-1")
    assert row is not None
    assert page.count(f'<a href="/sessions/{row.id}">Bill and power') == 2, "the running one, and in the list"

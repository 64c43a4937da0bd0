"""S-67, S-79: the report at the panel, its files, and differences handled by people with a role."""

from tests.fixtures.days import HandJournal
from tests.siteward.panel.conftest import Panel, token_in


def journal(panel: Panel) -> None:
    """A session of 2026-03-02 that nobody settled."""
    hand = HandJournal()
    hand.session("s1", "A01-1", 1.0, 2.0, order="o1")
    hand.quarter("grid", 1.0, 1000, 990, 1.0)
    panel.core.rows = hand.events


async def test_the_page_shows_the_day_and_what_to_handle(panel: Panel) -> None:
    """S-79: with the way to the days beside it; it reads no page of others."""
    journal(panel)
    await panel.login()
    page = (await panel.client.get("/report?day=2026-03-02")).text
    for said in ("10.000 kWh", "NOT_SETTLED.s1", 'href="/report?day=2026-03-01"', 'class="report-chart"', "Explained"):
        assert said in page, said
    empty = (await panel.client.get("/report?day=2026-02-02")).text
    assert "Nothing was recorded on this day." in empty, "that nothing differs says nothing then"
    assert "Orders, settlements and meters agree." not in empty
    assert (await panel.client.get("/report?day=nonsense")).status_code == 200


async def test_a_day_in_order_is_said_to_be(panel: Panel) -> None:
    """S-67, S-79."""
    hand = HandJournal()
    hand.tell("connector.status", 1.0, "A01-1", online=True)
    panel.core.rows = hand.events
    await panel.login()
    page = (await panel.client.get("/report?day=2026-03-02")).text
    assert "Orders, settlements and meters agree." in page
    assert "Nothing was recorded" not in page


async def test_no_way_leads_into_the_future(panel: Panel) -> None:
    """The report opens with yesterday, today is one press away, and behind today there is nothing."""
    await panel.login()
    first = (await panel.client.get("/report")).text
    assert "<h1>Report 2026-03-01</h1>" in first
    assert 'href="/report?day=2026-03-02">today' in first
    today = (await panel.client.get("/report?day=2026-03-02")).text
    assert 'href="/report?day=2026-03-03"' not in today
    assert ">today<" not in today


async def test_the_files_are_the_reports_own(panel: Panel) -> None:
    """S-67."""
    journal(panel)
    await panel.login()
    table = await panel.client.get("/report?day=2026-03-02&as=csv")
    assert table.headers["content-disposition"] == 'attachment; filename="SZ-0001-2026-03-02.csv"'
    assert "difference,NOT_SETTLED.s1," in table.text
    whole = await panel.client.get("/report?day=2026-03-02&as=html")
    assert whole.text.startswith("<!doctype html>")


async def test_a_technician_explains_a_difference(panel: Panel) -> None:
    """S-79, I16: the journal gets who, what and why."""
    journal(panel)
    await panel.login()
    token = token_in((await panel.client.get("/report?day=2026-03-02")).text)
    fields = {"csrf": token, "state": "explained", "note": " platform \n down ", "day": "2026-03-02"}
    answer = await panel.client.post("/differences/NOT_SETTLED.s1", data=fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/report?day=2026-03-02")
    kind, data, actor = panel.core.audits[-1]
    assert (kind, actor.user) == ("audit.difference", "tina")
    assert data == {"difference": "NOT_SETTLED.s1", "state": "explained", "note": "platform down"}
    wrong = await panel.client.post("/differences/NOT_SETTLED.s1", data={**fields, "state": "gone"})
    assert wrong.status_code == 403


async def test_a_viewer_may_not(panel: Panel) -> None:
    """Contract 5."""
    journal(panel)
    await panel.login("vera")
    page = (await panel.client.get("/report?day=2026-03-02")).text
    assert "Explained" not in page
    answer = await panel.press("/differences/NOT_SETTLED.s1", state="closed")
    assert answer.status_code == 403


async def test_without_core_the_page_says_so(panel: Panel) -> None:
    """flows.md: when a part is missing."""
    await panel.login()
    panel.core.down = True
    assert (await panel.client.get("/report")).status_code == 200

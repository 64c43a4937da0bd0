"""S-67: the report as a page that needs nothing else, and as a table, in both languages."""

import csv
import re
from dataclasses import replace
from io import StringIO

from siteward.model.events import EventType
from siteward.report.day import DayReport, day_report
from siteward.report.gather import gather, wish_of
from siteward.report.page import page, percent
from siteward.report.sheet import CONNECTORS, sheet
from siteward.report.words import WORDS
from tests.fixtures.days import DAY, MIDNIGHT, ZONE, HandJournal, wish


def a_day() -> DayReport:
    """A day with a bit of everything."""
    journal = HandJournal()
    journal.tell("connector.status", -1.0, "A1", online=True)
    journal.session("s1", "A1", 1.0, 2.0, order="<o1>")
    journal.tell(EventType.AUDIT_DIFFERENCE, 30.0, difference="NOT_SETTLED.s1", state="explained", note="=1+1")
    for quarter in range(8):
        journal.quarter("grid", quarter / 4, 1000 + quarter, 1000, quarter / 10)
    journal.quarter("grid", 2.0, 1000, 500, 50.0)
    return day_report(wish(), journal.events)


def test_the_page_is_whole_in_itself_and_escapes_everything() -> None:
    """Panel's rule: nothing from elsewhere; names of others are no markup."""
    text = page(a_day(), ZONE, "en")
    assert not re.search(r"(src|href)=|https?://|<script", text)
    assert "Test &lt;depot&gt;" in text
    assert "&lt;o1&gt;" in text
    assert "<o1>" not in text
    assert text.count("<rect ") == 18
    assert text.count('<circle class="drift"') == 1
    for said in (
        "NOT_SETTLED.s1",
        "FEEDER_DRIFT.grid",
        "[explained]",
        "87 quarters of an hour without a record",
        "worst drift 50 %",
    ):
        assert said in text, said


def test_the_page_speaks_chinese() -> None:
    """Contract 5."""
    text = page(a_day(), ZONE, "zh")
    for said in ("日报", "在线率", "异常中断率", "已说明", "87 个时段无记录"):
        assert said in text, said
    assert all(re.search(r"[\u4e00-\u9fff]", sentence.zh) for sentence in WORDS.values())


def test_hundred_percent_is_said_of_the_whole_only() -> None:
    """S-26: 99.99 is not 100."""
    assert percent(100.0, "en") == "100.0 %"
    assert percent(99.99, "en") == "99.9 %"
    assert percent(None, "en") == "not known"


def test_the_table_has_every_row_and_no_formula() -> None:
    """S-67: what is not known is empty."""
    rows = list(csv.reader(StringIO(sheet(a_day()))))
    assert rows[0][:3] == ["day", "T-1", "2026-03-02"]
    assert rows[1] == CONNECTORS.split(",")
    kinds = [row[0] for row in rows]
    assert (kinds.count("connector"), kinds.count("quarter"), kinds.count("difference")) == (3, 10, 3)
    handled = next(row for row in rows if row[1] == "NOT_SETTLED.s1")
    assert handled[3] == "explained"
    assert handled[-1] == "'=1+1"


class Pages:
    """A journal in pages, that counts how often it was asked."""

    def __init__(self, events: list[dict[str, object]]) -> None:
        self.rows = events
        self.asked = 0

    async def events(self, after: int, limit: int = 500, wait_s: float = 0) -> "Page":
        """As the local API does."""
        self.asked += 1
        return Page([row for row in self.rows if int(str(row["seq"])) > after][:limit], len(self.rows))


class Page:
    """One answer."""

    def __init__(self, events: list[dict[str, object]], last_seq: int) -> None:
        self.events, self.last_seq = events, last_seq


async def test_only_what_is_near_the_day_is_read() -> None:
    """S-67: a journal of months is not walked; what is past its retention is passed over."""
    journal = HandJournal()
    for hour in range(-1000, 0):
        journal.tell("connector.status", float(hour), "A1", online=True)
    for row in journal.events[:400]:
        seq = row["seq"]
        row.clear()
        row |= {"seq": seq, "type": "journal.stub", "reason": "retention", "hash": "x"}
    journal.session("s1", "A1", 1.0, 2.0)
    pages = Pages(journal.events)
    report = await gather(pages, wish())
    assert report.total("finished") == 1
    assert report.online_percent == 100.0
    assert pages.asked < 16


def test_what_to_report_follows_from_the_site() -> None:
    """S-30: the drift rule of the site judges; no day said is yesterday by its clock."""
    site = {
        "id": "T-1",
        "name": "Test",
        "timezone": "Asia/Shanghai",
        "connectors": [{"id": "A1"}],
        "feeders": [{"id": "grid", "meter": "m"}, {"id": "row", "meter": None}],
        "alarms": [{"what": "temperature_c", "above": 80.0}, {"what": "drift_percent", "above": 3.0, "least": 700.0}],
    }
    asked = wish_of(site, None, MIDNIGHT.replace(day=3))
    assert (asked.day, asked.feeders, asked.connectors) == (DAY.replace(day=3), ("grid",), ("A1",))
    assert (asked.drift_percent, asked.least_wh) == (3.0, 700.0)
    assert wish_of({**site, "alarms": []}, DAY, MIDNIGHT).drift_percent is None


def test_a_day_of_which_nothing_is_known_is_not_called_in_order() -> None:
    """S-67: no difference where nothing was recorded is no good news."""
    for language, said in (("en", "Nothing was recorded on this day."), ("zh", "当日没有任何记录。")):
        assert said in page(day_report(wish(), []), ZONE, language)
        assert said not in page(a_day(), ZONE, language)


def test_feeders_are_called_by_their_names_and_their_pictures_too() -> None:
    """Contract 5: people know the row, not its id; a picture has words for who cannot see it."""
    named = replace(a_day(), feeder_names={"grid": "Grid <1>"})
    text = page(named, ZONE, "en")
    assert "<h3>Grid &lt;1&gt; (grid)</h3>" in text
    assert 'role="img" aria-label="Grid &lt;1&gt;: Energy by quarters' in text

"""The report as CSV: one table of connectors, one of quarters, one of differences, told apart by their first column."""

import csv
from datetime import datetime
from io import StringIO

from siteward.report.day import DayReport
from siteward.report.differences import Difference
from siteward.report.words import figure

CONNECTORS = (
    "connector,id,known_s,online_s,occupied_s,charging_s,created,started,failed,cancelled,finished,abnormal,energy_wh"
)
QUARTERS = "quarter,feeder,begin,feeder_wh,sessions_wh,drift_percent"
DIFFERENCES = "difference,id,kind,state,at,subject,order,expected,found,unit,note"


_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def sheet(report: DayReport) -> str:
    """All rows; each table has its head. Times are UTC, money is in its currency; what is not known is empty, never 0.

    It begins with the mark of UTF-8, without which spreadsheets read Chinese in the code page of their computer.
    """
    out = StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    since = () if report.since is None else ("journal_begins", _at(report.since))
    window = (report.day.isoformat(), _at(report.begins_at), _at(report.ends_at))
    writer.writerow(("day", _text(report.site), *window, *since))
    writer.writerow(CONNECTORS.split(","))
    for day in report.connectors:
        figures = (getattr(day, name) for name in CONNECTORS.split(",")[2:])
        writer.writerow(("connector", _text(day.id), *(round(f, 1) if isinstance(f, float) else f for f in figures)))
    writer.writerow(QUARTERS.split(","))
    for quarter in report.quarters:
        values = (quarter.feeder_wh, quarter.sessions_wh, quarter.drift_percent)
        cells = ("" if v is None else v for v in values)
        writer.writerow(("quarter", _text(quarter.feeder), _at(quarter.begin), *cells))
    writer.writerow(DIFFERENCES.split(","))
    writer.writerows(_difference(row) for row in report.differences)
    return f"\ufeff{out.getvalue()}"


def _difference(row: Difference) -> tuple[str, ...]:
    both = ("" if v is None else figure(v, row.unit) for v in (row.expected, row.found))
    last = _text(row.notes[-1].note) if row.notes else ""
    what = (_text(row.id), row.kind.value, row.state.value, _at(row.at), _text(row.subject), _text(row.order))
    return ("difference", *what, *both, row.unit, last)


def _at(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _text(text: str) -> str:
    """What others wrote, as a spreadsheet may read it: what would be a formula is a text."""
    return f"'{text}" if text.startswith(_FORMULA) else text

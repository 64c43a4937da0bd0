"""The report as CSV: one table of connectors, one of quarters, one of differences, told apart by their first column."""

import csv
from datetime import datetime
from io import StringIO

from siteward.report.day import DayReport

CONNECTORS = (
    "connector,id,known_s,online_s,occupied_s,charging_s,created,started,failed,cancelled,finished,abnormal,energy_wh"
)
QUARTERS = "quarter,feeder,begin,feeder_wh,sessions_wh,drift_percent"
DIFFERENCES = "difference,id,kind,state,at,subject,order,expected,found,unit,note"


def sheet(report: DayReport) -> str:
    """All rows; each table has its head. Times are UTC; what is not known is empty, never 0."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(("day", report.site, report.day.isoformat(), _at(report.begins_at), _at(report.ends_at)))
    writer.writerow(CONNECTORS.split(","))
    for day in report.connectors:
        figures = (getattr(day, name) for name in CONNECTORS.split(",")[2:])
        writer.writerow(("connector", day.id, *(round(f, 1) if isinstance(f, float) else f for f in figures)))
    writer.writerow(QUARTERS.split(","))
    for quarter in report.quarters:
        values = (quarter.feeder_wh, quarter.sessions_wh, quarter.drift_percent)
        writer.writerow(("quarter", quarter.feeder, _at(quarter.begin), *("" if v is None else v for v in values)))
    writer.writerow(DIFFERENCES.split(","))
    for row in report.differences:
        both = tuple("" if v is None else f"{v:g}" for v in (row.expected, row.found))
        last = _plain(row.notes[-1].note) if row.notes else ""
        cells = (row.id, row.kind.value, row.state.value, _at(row.at), row.subject, row.order)
        writer.writerow(("difference", *cells, *both, row.unit, last))
    return out.getvalue()


def _at(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _plain(text: str) -> str:
    """A note as a spreadsheet may read it: what would be a formula is a text."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text

"""Is it right? The report of a day, and the list of differences to handle."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from siteward.cli.grammar import Json, app, argument, ask, option
from siteward.cli.paint import Screen
from siteward.cli.verbs.history import Language


class Handled(StrEnum):
    """What becomes of a difference."""

    OPEN = "open"
    EXPLAINED = "explained"
    CLOSED = "closed"


@app.command()
def report(
    day: Annotated[str | None, option("--day", help="The day by the site's clock, 2026-03-01; else yesterday.")] = None,
    html: Annotated[Path | None, option("--html", help="Write the report as a page here.")] = None,
    csv: Annotated[Path | None, option("--csv", help="Write the figures as a table here.")] = None,
    language: Annotated[Language, option("--lang", help="Language of the report.")] = Language.EN,
    json: Json = False,
) -> int:
    """Judge a day: rates, energy against meters, orders against settlements.

    The exit status is 1 while differences are open.

    Example: siteward report --day 2026-03-01 --html day.html --csv day.csv
    """
    from siteward.cli import report as reports

    chosen = None if day is None else reports.read_day(day)
    return ask(Screen(json), lambda core, screen: reports.report(core, screen, chosen, html, csv, language.value))


@app.command()
def difference(
    name: Annotated[str, argument(help="The difference as the report names it.")],
    state: Annotated[Handled, argument(help="What became of it.")],
    note: Annotated[str, option("--note", help="Why; for the record.")] = "",
    json: Json = False,
) -> int:
    """Write down what became of a difference.

    Example: siteward difference NOT_SETTLED.01J9 explained --note "platform was down, booked by hand"
    """
    from siteward.cli import report as reports

    return ask(Screen(json), lambda core, screen: reports.handle(core, screen, name, state.value, note))

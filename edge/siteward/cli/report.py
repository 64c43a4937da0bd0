"""`report` and `difference`: is it right? The day judged from the journal, and the list to handle by hand."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Protocol

from siteward.cli.alarms import person
from siteward.cli.errors import CommandFailed
from siteward.cli.paint import Grid, Part, Screen
from siteward.client.client import Client
from siteward.model.events import EventType
from siteward.report import days
from siteward.report.day import DayReport, Wish
from siteward.report.differences import KINDS, STATES
from siteward.report.gather import Journal, gather, wish_of
from siteward.report.page import figures_of, page, percent
from siteward.report.rates import share
from siteward.report.sheet import sheet
from siteward.report.words import say


class Source(Journal, Protocol):
    """Journal and site of a running station."""

    async def site(self) -> dict[str, Any]:
        """The validated site."""
        ...


def read_day(text: str) -> date:
    """A day as people write it. Raises CommandFailed."""
    try:
        return days.read_day(text)
    except ValueError as error:
        raise CommandFailed(f"{text} is no day", "write it as 2026-03-01", "BAD_PARAMS") from error


async def report(
    core: Client, screen: Screen, day: date | None, html: Path | None, table: Path | None, language: str
) -> int:
    """Print a day, and write it as HTML and CSV where asked; 1 while differences are open."""
    live = await core.live()
    wish = wish_of(await core.site(), day, live.at)
    done = await gather(core, wish)
    if html is not None:
        _write(html, page(done, wish.zone, language))
    if table is not None:
        _write(table, sheet(done))
    if screen.as_json:
        screen.data(_plain(done))
    else:
        screen.show([*_page(done, wish, language), *(f"{path} written" for path in (html, table) if path)])
    return 1 if any(row.state.value == "open" for row in done.differences) else 0


async def handle(core: Client, screen: Screen, name: str, state: str, note: str) -> int:
    """Write down what became of a difference; the journal keeps who and when."""
    data = {"difference": name, "state": state, "note": note}
    await core.audit(EventType.AUDIT_DIFFERENCE.value, data, person())
    screen.data(data) if screen.as_json else screen.show([f"{name}: {state}"])
    return 0


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise CommandFailed(f"{path} cannot be written: {error.strerror}", "check the folder and the rights") from error


def _page(done: DayReport, wish: Wish, language: str) -> list[Part]:
    begin, end = done.begins_at.astimezone(wish.zone), done.ends_at.astimezone(wish.zone)
    words = ("connector", "online", "created", "failed", "sessions", "abnormal", "charging")
    rows = [
        (
            day.id,
            percent(share(day.online_s, day.known_s), language),
            str(day.created),
            str(day.failed),
            str(day.finished),
            str(day.abnormal),
            percent(share(day.charging_s, done.length_s), language),
            f"{day.energy_wh / 1000:.3f}",
        )
        for day in done.connectors
    ]
    head = (*(say(word, language) for word in words), "kWh")
    return [
        f"{done.name} ({done.site})  {begin:%Y-%m-%d %H:%M} - {end:%Y-%m-%d %H:%M} {wish.zone}",
        *(f"{name}: {value}" for name, value in figures_of(done, language)),
        Grid("", head, rows, frozenset(head[1:])),
        *_differences(done, wish, language),
    ]


def _differences(done: DayReport, wish: Wish, language: str) -> list[Part]:
    rows: list[Part] = []
    for row in done.differences:
        sentence, state = KINDS[row.kind], STATES[row.state]
        zh = language == "zh"
        values = "" if row.found is None else f" ({row.expected if row.expected is not None else '?'} / {row.found:g})"
        rows.append(f"[{state.zh if zh else state.en}] {row.id} {row.at.astimezone(wish.zone):%m-%d %H:%M}{values}")
        rows.append(f"  {sentence.zh if zh else sentence.en}")
        rows += [f"  {n.by} {n.at.astimezone(wish.zone):%m-%d %H:%M}: {n.note}" for n in row.notes]
    return rows


def _plain(done: DayReport) -> dict[str, Any]:
    return {
        "site": done.site,
        "day": done.day.isoformat(),
        "begin": done.begins_at.astimezone(UTC).isoformat(),
        "end": done.ends_at.astimezone(UTC).isoformat(),
        "onlinePercent": done.online_percent,
        "startPercent": done.start_percent,
        "abnormalPercent": done.abnormal_percent,
        "usePercent": done.use_percent,
        "energy_wh": int(done.total("energy_wh")),
        "missingQuarters": dict(done.missing_quarters),
        "differences": [
            {"id": row.id, "kind": row.kind.value, "state": row.state.value, "at": _iso(row.at), "subject": row.subject}
            for row in done.differences
        ],
    }


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()

"""`replay`: another site file over the recorded day, and what would have been different."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from siteward.cli.errors import CommandFailed
from siteward.cli.paint import Screen, Step
from siteward.cli.replay_json import as_json
from siteward.cli.replay_page import page
from siteward.cli.wires import read_plant
from siteward.control.proof import prove
from siteward.control.record import Recorded
from siteward.model.site import Site
from siteward.replay.compare import Note, Replay, replay, tree_notes
from siteward.replay.curves import Curves
from siteward.replay.plot import draw, feeders_of
from siteward.settings.load import load_site
from siteward.store.trace_read import Past, open_past
from siteward_drivers.registry import load_profiles

_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a technician asked for; language is en or zh."""

    trace: Path
    config: Path | None = None
    site: Path | None = None
    profiles: Path | None = None
    begin: str | None = None
    end: str | None = None
    plot: Path | None = None
    export: Path | None = None
    language: str = "en"


def run_replay(screen: Screen, wish: Wish, here: Path) -> int:
    """Replay, or copy the trace away. Raises CommandFailed, ConfigError and StoreError for what does not fit."""
    with open_past(wish.trace) as past:
        if wish.export is not None:
            past.copy(wish.export)
            screen.note(f"{wish.export} holds the trace and its site file; replay it anywhere")
            return 0
        eras = past.sites()
        running = eras[-1][1] if eras and wish.site is None else _named(wish, here)
        changed = _load(wish.config, wish.profiles) if wish.config is not None else None
        zone = ZoneInfo(running.timezone)
        first, last = _range(past, wish, zone)
        curves = Curves(past.moment(first), past.moment(last))
        with screen.progress("replaying", last - first + 1) as step:
            rows = _rows(past, eras or ((past.first, running),), first, last, step)
            done = replay(rows, running, changed, curves)
    _note_trees(done, running, changed)
    if wish.plot is not None:
        feeders = feeders_of(running.feeders, changed.feeders if changed is not None else ())
        wish.plot.write_text(draw(curves, feeders, zone, wish.language), encoding="utf-8")
    if screen.as_json:
        screen.data(as_json(done, wish.language))
    else:
        screen.show(page(done, zone, wish.language))
        if wish.plot is not None:
            screen.note(f"plot: {wish.plot}")
    return 0


def _rows(
    past: Past, eras: tuple[tuple[int, Site], ...], first: int, last: int, step: Step
) -> Iterator[tuple[Recorded, Site]]:
    """Kept turns with the site that each was decided for; those before the first known site count as its."""
    at = 0
    for number, recorded in past.rows(first, last):
        while at + 1 < len(eras) and eras[at + 1][0] <= number:
            at += 1
        if number % 60 == 0:
            step(number - first, f"{recorded.snapshot.wall:%Y-%m-%d %H:%M} UTC")
        yield recorded, eras[at][1]


def _named(wish: Wish, here: Path) -> Site:
    site = read_plant(wish.site, wish.profiles, here).site
    if site is None:
        raise CommandFailed(
            "the trace does not say for which site it was written, and there is no site file here",
            "name the file that ran then with --site",
            "NO_SITE",
        )
    return site


def _load(file: Path, profiles: Path | None) -> Site:
    own = profiles or file.parent / "profiles"
    return load_site(file, load_profiles(own if own.is_dir() else None))


def _note_trees(done: Replay, running: Site, changed: Site | None) -> None:
    """Put what the trees do not share before what the trace does not tell."""
    notes = [note for note in tree_notes(running, changed or running) if note not in done.notes]
    if changed is not None:
        short = prove(changed)
        if short:
            worst = max(short, key=lambda s: s.missing_a)
            text = f"{worst.feeder} {worst.phase}: {worst.missing_a:g} A ({worst.proof})"
            notes.insert(0, (Note.UNPROVEN, text))
    done.notes[:0] = notes


def _range(past: Past, wish: Wish, zone: ZoneInfo) -> tuple[int, int]:
    newest = past.moment(past.last).astimezone(zone)
    begin = None if wish.begin is None else _moment(wish.begin, newest, zone)
    end = None if wish.end is None else _moment(wish.end, newest, zone)
    first = past.first if begin is None else past.find(begin)
    last = past.last if end is None else past.find(end + timedelta(microseconds=1)) - 1
    if first > last:
        oldest = past.moment(past.first).astimezone(zone)
        raise CommandFailed(
            "nothing was recorded in that time",
            f"the trace goes from {oldest:%Y-%m-%dT%H:%M:%S} to {newest:%Y-%m-%dT%H:%M:%S} ({zone.key})",
            "NO_RECORD",
        )
    return first, last


def _moment(text: str, newest: datetime, zone: ZoneInfo) -> datetime:
    """A time of day of the last 24 h of the trace, or a full time; without an offset it is the site's."""
    clock = _CLOCK.fullmatch(text)
    try:
        if clock is None:
            found = datetime.fromisoformat(text)
            return found.astimezone(UTC) if found.tzinfo is not None else found.replace(tzinfo=zone)
        hour, minute, second = (int(part or 0) for part in clock.groups())
        at = newest.replace(hour=hour, minute=minute, second=second, microsecond=0)
    except ValueError as error:
        raise CommandFailed(
            f"{text!r} is no time", "write 14:30, 14:30:15 or 2026-01-31T14:30:15", "BAD_TIME"
        ) from error
    return at if at <= newest else at - timedelta(days=1)

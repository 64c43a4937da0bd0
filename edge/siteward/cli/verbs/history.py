"""What was written down: sessions, events, whether the journal's chain holds, the trace played again."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from siteward.cli import records
from siteward.cli.grammar import Folders, Json, OwnProfiles, SiteFile, app, argument, ask, journal_app, option
from siteward.cli.paint import Screen
from siteward.cli.shelf import with_records


@app.command()
def sessions(
    limit: Annotated[int, option("--limit", min=1, max=500, help="How many.")] = 20,
    json: Json = False,
) -> int:
    """List the newest sessions.

    Example: siteward sessions --limit 5
    """
    return with_records(Folders.paths, Screen(json), lambda shelf, screen: records.sessions(shelf, screen, limit))


@app.command()
def events(
    after: Annotated[int | None, option("--after", min=0, help="Those after this sequence number.")] = None,
    limit: Annotated[int, option("--limit", min=1, max=500, help="How many.")] = 20,
    follow: Annotated[bool, option("--follow", help="Wait for more until Ctrl-C.")] = False,
    json: Json = False,
) -> int:
    """List journal events.

    Example: siteward events --follow
    """
    if follow:
        return ask(Screen(json), lambda core, screen: records.events(core, screen, after, limit, follow), follow)
    return with_records(
        Folders.paths, Screen(json), lambda shelf, screen: records.events(shelf, screen, after, limit, follow)
    )


@journal_app.command()
def verify(json: Json = False) -> int:
    """Recompute the hash of every event; 1 at the first one that does not hold.

    Example: siteward journal verify
    """
    return with_records(Folders.paths, Screen(json), records.verify)


class Language(StrEnum):
    """Of a report for people."""

    EN = "en"
    ZH = "zh"


@app.command(name="replay")
def replay_trace(
    trace: Annotated[Path | None, argument(help="A trace or a copy of one; else core's own.")] = None,
    config: Annotated[Path | None, option("--config", help="The site file to try; else only what ran.")] = None,
    begin: Annotated[str | None, option("--from", help="From here: 14:30 or 2026-01-31T14:30:15, site time.")] = None,
    end: Annotated[str | None, option("--to", help="To here, in the same form.")] = None,
    plot: Annotated[Path | None, option("--plot", help="Write load against rating as SVG here.")] = None,
    language: Annotated[Language, option("--lang", help="Language of the report.")] = Language.EN,
    export: Annotated[Path | None, option("--export", help="Only copy the trace to this file.")] = None,
    site: SiteFile = None,
    profiles: OwnProfiles = None,
    json: Json = False,
) -> int:
    """Try another site file on the recorded day: loads, currents, cuts, alarms and why; without one, explain the day.

    Example: siteward replay --config new.toml --from 17:00 --plot replay.svg
    """
    from siteward.cli import replay

    found = trace or Folders.paths.state / "core" / "trace.db"
    wish = replay.Wish(found, config, site, profiles, begin, end, plot, export, language.value)
    return replay.run_replay(Screen(json), wish, Path.cwd())

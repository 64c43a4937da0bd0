"""What was written down: sessions, events, and whether the journal's chain holds."""

from typing import Annotated

from siteward.cli import records
from siteward.cli.grammar import Folders, Json, app, ask, journal_app, option
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

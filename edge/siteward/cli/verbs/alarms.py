"""Alarms: what stands and what was, who handles it, and whether it reaches people."""

from typing import Annotated

from siteward.cli.grammar import Folders, Json, alarms_app, argument, ask, option
from siteward.cli.paint import Screen
from siteward.cli.shelf import with_records
from siteward.model.requests import CommandName

_Which = Annotated[
    str, argument(help="The alarm as the list names it: CODE.SUBJECT, or one of both if it is the only one.")
]
_Note = Annotated[str, option("--note", help="What you found and what you do; for the record.")]


@alarms_app.command(name="list")
def standing(
    past: Annotated[bool, option("--all", help="The record of alarms, ended ones too.")] = False,
    limit: Annotated[int, option("--limit", min=1, max=500, help="How many of the record.")] = 20,
    json: Json = False,
) -> int:
    """List what stands, or the record with --all.

    The exit status is 1 when an alarm of the highest class stands.

    Example: siteward alarms list --all
    """
    from siteward.cli import alarms

    if past:
        return with_records(Folders.paths, Screen(json), lambda shelf, screen: alarms.history(shelf, screen, limit))
    return ask(Screen(json), alarms.standing)


@alarms_app.command()
def ack(which: _Which, note: _Note = "", json: Json = False) -> int:
    """Take an alarm on, with a note.

    Example: siteward alarms ack LINE_LOST.rs485-1 --note "adapter unplugged, on my way"
    """
    from siteward.cli import alarms

    return ask(Screen(json), lambda core, screen: alarms.handle(core, screen, CommandName.ACK_ALARM, which, note))


@alarms_app.command()
def clear(which: _Which, note: _Note = "", json: Json = False) -> int:
    """End an alarm whose cause is gone, but which is latched or comes and goes.

    Example: siteward alarms clear TEMPERATURE_HIGH.A01-1 --note "fan cleaned"
    """
    from siteward.cli import alarms

    return ask(Screen(json), lambda core, screen: alarms.handle(core, screen, CommandName.CLEAR_ALARM, which, note))


@alarms_app.command(name="test")
def try_outputs(
    output: Annotated[str | None, option("--output", help="Only this output of site.toml.")] = None,
    json: Json = False,
) -> int:
    """Send a test through the outputs of alarms, and say what came of it.

    Example: siteward alarms test --output ops-mail
    """
    from siteward.cli import alarms

    return ask(Screen(json), lambda core, screen: alarms.try_outputs(core, screen, output))

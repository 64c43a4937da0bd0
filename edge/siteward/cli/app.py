"""The command `siteward`: all verbs together, and every failure said on the terminal."""

from collections.abc import Sequence

from siteward.cli.errors import CommandFailed
from siteward.cli.grammar import call
from siteward.cli.paint import Screen
from siteward.cli.verbs import alarms, entry, files, history, keys, money, reports, station, users, wires
from siteward.model.errors import ConfigError, SitewardError

VERBS = (alarms, entry, files, history, keys, money, reports, station, users, wires)
"""Importing a file of verbs adds them to the grammar."""


def run_cli(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit status: 0 good, 1 did not hold, 2 bad use."""
    as_json = "--json" in arguments
    if any(not _is_text(word) for word in arguments):
        Screen(as_json).trouble("a word of the command line is no UTF-8 text", "set the terminal to UTF-8", "BAD_USE")
        return 2
    try:
        return call(arguments)
    except CommandFailed as error:
        Screen(as_json).trouble(error.sentence, error.advice, error.code)
    except SitewardError as error:
        Screen(as_json).trouble(str(error), code="CONFIG" if isinstance(error, ConfigError) else "")
    return 1


def _is_text(word: str) -> bool:
    """Bytes that are no text come as halves of surrogate pairs, which neither JSON nor a terminal can carry."""
    return all(not "\ud800" <= sign <= "\udfff" for sign in word)

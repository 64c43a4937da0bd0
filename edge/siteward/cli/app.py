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
    try:
        return call(arguments)
    except CommandFailed as error:
        Screen(as_json).trouble(error.sentence, error.advice, error.code)
    except SitewardError as error:
        Screen(as_json).trouble(str(error), code="CONFIG" if isinstance(error, ConfigError) else "")
    return 1

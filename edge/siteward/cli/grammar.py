"""The grammar of the command line: the one file that knows typer; the verbs stand in `siteward.cli.verbs`."""

import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from siteward.cli.paint import Screen
from siteward.cli.paths import Paths, find_paths
from siteward.cli.talk import Verb, with_core
from siteward.model.sentences import Sentence

argument, option = typer.Argument, typer.Option
"""How a verb declares its arguments and options, so that typer stays in this file."""

app = typer.Typer(
    name="siteward",
    help="The controller of one EV charging site. Processes (--help of each): core, sync, panel, share, up, demo.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    result_callback=lambda status, **_: _end(status),
)
journal_app = typer.Typer(help="The journal: every fact, chained by hash.", no_args_is_help=True)
tariff_app = typer.Typer(help="What a kWh costs: tariffs with their versions.", no_args_is_help=True)
user_app = typer.Typer(help="Who may use the panel.", no_args_is_help=True)
auth_app = typer.Typer(help="Who may charge by card.", no_args_is_help=True)
app.add_typer(auth_app, name="auth")
app.add_typer(journal_app, name="journal")
app.add_typer(user_app, name="user")
app.add_typer(tariff_app, name="tariff")
alarms_app = typer.Typer(help="Alarms: what stands, what was, who handles it.", no_args_is_help=True)
app.add_typer(alarms_app, name="alarms")
keys_app = typer.Typer(help="Whose signed commands the station takes.", no_args_is_help=True)
app.add_typer(keys_app, name="keys")

Json = Annotated[bool, option("--json", help="Write JSON for programs.")]
RunFolder = Annotated[Path | None, option("--run", help="Folder of core's sockets (SITEWARD_RUN).")]
StateFolder = Annotated[Path | None, option("--state", help="Folder of the station's state (SITEWARD_STATE).")]
Wait = Annotated[float, option("--wait", min=0, max=600, help="Seconds to wait for the final answer.")]
SiteFile = Annotated[Path | None, option("--site", help="The site file; /etc/siteward/site.toml if there.")]
OwnProfiles = Annotated[Path | None, option("--profiles", help="Folder of own device profiles.")]
Yes = Annotated[bool, option("--yes", help="Say yes to every question: for scripts.")]


_NEGATIVE = re.compile(r"-\.?\d.*")


class Amounts(TyperCommand):
    """A verb with a number among its arguments: `-5` is that number, to be judged as one, and no unknown option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the words of the line; only one that is a negative number lets unknown options through."""
        ctx.ignore_unknown_options = any(_NEGATIVE.fullmatch(word) for word in args)
        return super().parse_args(ctx, args)


class Folders:
    """Folders given before the command, shared by all of them."""

    paths: Paths = find_paths(None, None, {}, Path())


def call(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit status; a CommandFailed or SitewardError goes through."""
    try:
        app(args=list(arguments), prog_name="siteward")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 1


def unfit(sentence: Sentence) -> typer.BadParameter:
    """What a reader of one word of the line raises about it: bad use, said in both languages."""
    return typer.BadParameter(f"{sentence.en}\n{sentence.zh}")


def ask(screen: Screen, verb: Verb, endless: bool = False) -> int:
    """Run a verb against core; `endless`: Ctrl-C is its good end."""
    try:
        return with_core(Folders.paths, screen, verb)
    except KeyboardInterrupt:
        if endless:
            return 0
        raise


def confirm(yes: bool) -> Callable[[str], bool]:
    """Ask a person yes or no; without a terminal only --yes is a yes."""

    def answer(question: str) -> bool:
        return yes or (sys.stdin.isatty() and typer.confirm(question, err=True))

    return answer


def _end(status: int) -> None:
    """Every command returns its exit status; here it becomes the process's."""
    raise typer.Exit(status)


@app.callback()
def _folders(run: RunFolder = None, state: StateFolder = None) -> None:
    Folders.paths = find_paths(run, state, os.environ, Path.cwd())

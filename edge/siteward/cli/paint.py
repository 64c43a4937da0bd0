"""The terminal: the one file that knows rich. Data is never taken for markup, nor for terminal control."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

_WIDE = 200
"""Columns where nobody looks at a terminal: ids must not be folded in a pipe."""


@dataclass(slots=True)
class Branch:
    """One line of a tree, with those below it."""

    text: str
    style: str = ""
    children: list["Branch"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: head and rows of plain texts; `right` names the columns of numbers."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: frozenset[str] = frozenset()


Part = Branch | Grid | str
"""What a page is made of."""


class Step(Protocol):
    """Moves a progress bar."""

    def __call__(self, done: int, text: str = "") -> None:
        """Say how much is done, and in words what goes on."""


class Screen:
    """Where a command speaks: people read tables on stdout, programs read JSON; trouble goes to stderr."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        width = None if sys.stdout.isatty() else _WIDE
        self._out = Console(file=sys.stdout, highlight=False, soft_wrap=False, width=width)
        self._err = Console(file=sys.stderr, highlight=False, soft_wrap=True)

    def data(self, value: object) -> None:
        """Write one JSON value on one line."""
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
        print(text, file=sys.stdout, flush=True)

    def show(self, parts: Sequence[Part]) -> None:
        """Write a page for people."""
        for part in parts:
            self._out.print(_render(part), soft_wrap=isinstance(part, str))

    def text(self, text: str) -> None:
        """Write a text for people or programs as it is."""
        sys.stdout.write(text)

    def note(self, text: str) -> None:
        """Say on stderr what a reader of the answer must know."""
        self._err.print(Text(plain(text)))

    def trouble(self, sentence: str, advice: str = "", code: str = "") -> None:
        """Say what did not hold and what to do next."""
        if self.as_json:
            self.data({"error": {"code": code, "message": sentence, "advice": advice}})
            return
        self._err.print(Text.assemble(("error: ", "bold red"), plain(sentence)))
        if advice:
            self._err.print(Text(f"  {plain(advice)}"))

    @contextmanager
    def pages(self) -> Iterator[Any]:
        """Give a function that replaces the page on a terminal; elsewhere pages follow each other."""
        if not self._out.is_terminal:
            yield self.show
            return
        with Live(console=self._out, screen=True, auto_refresh=False) as live:
            yield lambda parts: live.update(Group(*(_render(part) for part in parts)), refresh=True)

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """Show on stderr that something takes its time; nothing where nobody looks."""
        if self.as_json or not self._err.is_terminal:
            yield
            return
        with self._err.status(Text(plain(what))):
            yield

    @contextmanager
    def progress(self, what: str, total: int) -> Iterator[Step]:
        """Show a bar on stderr; nothing where nobody looks."""
        columns = (BarColumn(), TaskProgressColumn(), TextColumn("{task.description}", markup=False))
        hidden = self.as_json or not self._err.is_terminal
        with Progress(*columns, console=self._err, transient=True, disable=hidden) as bar:
            task = bar.add_task(what, total=max(total, 1))

            def step(done: int, text: str = "") -> None:
                bar.update(task, completed=done, description=plain(f"{what}: {text}" if text else what))

            yield step


def brief(value: object) -> str:
    """One value of a JSON document in a line for people."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def plain(text: str) -> str:
    """Text without anything that a terminal would obey."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)


def _render(part: Part) -> RenderableType:
    if isinstance(part, Branch):
        return _grow(Tree(_label(part)), part)
    if isinstance(part, Grid):
        table = Table(title=Text(plain(part.title)), title_justify="left", box=None, pad_edge=False)
        for column in part.columns:
            table.add_column(column, justify="right" if column in part.right else "left", overflow="fold")
        for row in part.rows:
            table.add_row(*(Text(plain(cell)) for cell in row))
        return table
    return Text(plain(part))


def _grow(tree: Tree, branch: Branch) -> Tree:
    for child in branch.children:
        _grow(tree.add(_label(child)), child)
    return tree


def _label(branch: Branch) -> Text:
    return Text(plain(branch.text), style=branch.style)

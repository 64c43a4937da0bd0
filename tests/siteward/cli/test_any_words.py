"""Whatever words and files a command line names: an exit status of 0, 1 or 2 and a sentence, never a traceback."""

import asyncio
import contextlib
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from siteward.cli.app import run_cli
from siteward.cli.errors import CommandFailed
from siteward.cli.grammar import app
from siteward.model.errors import ConfigError
from siteward_drivers.catalogue import load_profiles
from siteward_drivers.sim.scenario import load_scenario
from tests.fixtures.core import running_core

_ELSEWHERE = {"watch", "scan", "probe", "phasing", "frames", "doctor", "alarms test", "auth add", "auth import"}
"""Verbs that go on for long, that speak on wires, or whose fake core does less than the real one."""

_NOT_TRIED = ("--out", "--html", "--csv", "--export", "--plot", "--type")
"""Options that write files where they are told to, and the one that asks at the terminal."""

WORDS = (
    *("", "x", "A01-1", "0", "-1", "-0.5", "1e999", "nan", "inf", "9" * 20, "9" * 5000, "a\nb", "é" * 70, "x" * 300),
    *("0001-01-01", "9999-12-31", "2026-02-30", "24:00", "23:59", "LINE_LOST.rs485-1", "10", "Asia/Nowhere", "CNY"),
    *("/nonexistent/x", "/dev/null", "/tmp", "\udcff", "../..", "1_000", "٣", "en", "open", "*"),
)

FILES: dict[str, bytes] = {
    "field.csv": b'id,group\nAB,g\n"' + b"x" * 200_000,
    "columns.csv": b"id,id\n\0,\xff",
    "year.csv": b"id,valid_until\nAB,0001-01-01T00:00:00+14:00\n",
    "deep.json": b"[" * 50_000,
    "digits.json": b'{"tariff":' + b"9" * 5000 + b"}",
    "latin.json": b"\xff\xfe\0",
    "keys.json": b'{"keys":[{}]}',
    "digits.toml": b"schema = " + b"9" * 5000,
    "deep.toml": b"schema = " + b"[" * 3000 + b"]" * 3000,
    "empty": b"",
}


def _verbs(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every verb with its options and arguments."""
    for name, inner in command.commands.items():
        if hasattr(inner, "commands"):
            yield from _verbs(inner, (*words, name))
        elif " ".join((*words, name)) not in _ELSEWHERE:
            yield (*words, name), inner.params


VERBS = tuple(_verbs(typer.main.get_command(app)))
assert len(VERBS) > 30


@st.composite
def lines(draw: st.DrawFn) -> list[str]:
    """A verb with any words for its arguments and for some of its options; `@` stands for a folder of bad files."""
    verb, params = draw(st.sampled_from(VERBS))
    words = list(verb)
    for param in params:
        word = draw(st.sampled_from((*WORDS, *(f"@/{name}" for name in FILES))))
        if param.name == "wait":
            words += [param.opts[0], "0"]
        elif param.param_type_name == "argument":
            words.append(word)
        elif draw(st.integers(0, 3)) == 0 and param.opts[0] not in _NOT_TRIED:
            words += [param.opts[0]] if param.is_flag else [param.opts[0], word]
    return words


def say(words: list[str]) -> tuple[int, str]:
    """Exit status, and all that was said."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        return run_cli(words), out.getvalue()


@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")
@given(st.lists(lines(), min_size=12, max_size=20))
@settings(max_examples=3, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
def test_any_words_end_in_a_status_and_a_sentence(said: list[list[str]]) -> None:
    """S-99, contract section 3: 0 good, 1 did not hold, 2 bad use."""

    async def story(folder: Path) -> None:
        for name, data in FILES.items():
            (folder / name).write_bytes(data)
        async with running_core(folder / "run"):
            for words in said:
                line = [
                    "--run",
                    str(folder / "run"),
                    "--state",
                    str(folder),
                    *(w.replace("@", str(folder)) for w in words),
                ]
                status, text = await asyncio.to_thread(say, line)
                assert status in (0, 1, 2), words
                assert status == 0 or text.strip(), words
                assert "Traceback" not in text, words

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(story(Path(folder)))


@pytest.mark.parametrize(
    "words",
    [
        ["start", "A03-1", "--max-a", "nan"],
        ["start", "A03-1", "--departs", "23:59", "--wants-kwh", "inf"],
        ["start", "A03-1", "--departs", "23:59", "--wants-kwh", "nan"],
        ["start", "x" * 300],
        ["open", "\udcff"],
        ["reserve", "A03-1", "--minutes", "nan"],
        ["reserve", "A03-1", "--for", "\udcff"],
        ["user", "add", "no name"],
        ["keys", "undo", "--file", ""],
        ["replay", "x" * 300],
        ["report", "--day", "0001-01-01"],
        ["report", "--day", "9999-12-31"],
        ["tariff", "install", "@/deep.json"],
        ["auth", "import", "@/field.csv"],
    ],
    ids=lambda words: " ".join(words)[:40].encode("ascii", "replace").decode(),
)
async def test_words_that_ended_in_a_traceback_or_meant_no_bound(words: list[str], tmp_path: Path) -> None:
    """S-99: `--max-a nan` started a session without any bound."""
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    async with running_core(tmp_path / "run") as core:
        line = ["--run", str(tmp_path / "run"), *(word.replace("@", str(tmp_path)) for word in words)]
        status, text = await asyncio.to_thread(say, line)
        assert status in (1, 2)
        assert text.strip()
        assert not core.requests


@pytest.mark.parametrize("name", ["digits.toml", "deep.toml", "latin.json"])
def test_a_file_of_facts_that_cannot_be_read_is_named(name: str, tmp_path: Path) -> None:
    """Fault 66: own profiles, profiles of boards and scenarios; core reads the first two at its start."""
    for kind in ("meter", "relay"):
        path = tmp_path / kind / "own_one.toml"
        path.parent.mkdir()
        path.write_bytes(FILES[name])
        with pytest.raises(ConfigError, match=r"own_one\.toml"):
            load_profiles(tmp_path)
        path.unlink()
    scenario = tmp_path / "scenario.toml"
    scenario.write_bytes(FILES[name])
    with pytest.raises(ConfigError, match=r"scenario\.toml"):
        load_scenario(scenario)


def test_a_cell_without_its_end_is_told_with_its_line(tmp_path: Path) -> None:
    """S-99: one quotation mark too many in a list of cards."""
    from siteward.cli.cards import read_cards

    path = tmp_path / "cards.csv"
    path.write_bytes(FILES["field.csv"])
    with pytest.raises(CommandFailed, match=r"cards.csv:3: field larger"):
        read_cards(path)

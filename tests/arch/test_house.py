"""House rules that no linter knows: sizes, one sentence at the top, one importer a library, one owner of time."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.arch.sources import imports, name, package_files, suite_files, tree

MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 60
OURS = {"siteward", "siteward_drivers", "siteward_sync"}
SHARED = {"pydantic", "pydantic_core", "starlette", "uvicorn"}
"""Libraries that several files may import (ruling 22); pydantic_core is the other half of pydantic."""

OWNER = {
    "pymodbus": "drivers/siteward_drivers/modbus.py",
    "serial": "drivers/siteward_drivers/link_serial.py",
    "serial_asyncio": "drivers/siteward_drivers/link_serial.py",
    "serialx": "drivers/siteward_drivers/link_serialx.py",
    "gpiozero": "drivers/siteward_drivers/gpio_pi.py",
    "gpiod": "drivers/siteward_drivers/gpio_chip.py",
    "dlt698": "drivers/siteward_drivers/dlt698.py",
    "paho": "cloud_sync/siteward_sync/link.py",
    "aiosqlite": "edge/siteward/store/db.py",
    "transitions": "edge/siteward/control/connector.py",
    "fastapi": "edge/siteward/panel/app.py",
    "jinja2": "edge/siteward/panel/render.py",
    "argon2": "edge/siteward/panel/passwords.py",
    "httpx": "edge/siteward/client/client.py",
    "typer": "edge/siteward/cli/grammar.py",
    "rich": "edge/siteward/cli/paint.py",
    "cryptography": "edge/siteward/trust/crypto.py",
    "rfc8785": "edge/siteward/client/canonical.py",
}
"""The one file that may import each foreign library, so that its upgrade is an edit of one file."""

CLOCKS = {
    "edge/siteward/runtime/clock.py",  # the station's
    "cloud_sync/siteward_sync/receiver/clock.py",  # the platform's, which runs on another machine
}
ASKS = {f"{kind}.{call}" for kind in ("datetime", "datetime.datetime", "date") for call in ("now", "utcnow", "today")}
IMPURE = {"asyncio", "logging", "os", "pathlib", "socket", "sqlite3", "random"}
_RULE = re.compile(
    r"\b([SBRI]-?\d|[Ff]aults? \d|[Gg]oals? \d|[Rr]uling|[Cc]ontract|[Ll]aw|turn\.md|section \d)", re.ASCII
)


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a file."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", [*package_files(), *suite_files()], ids=name)
def test_a_file_can_be_read_in_one_go(path: Path) -> None:
    """At most 400 lines a file and 60 a function, so that a reviewer sees all of it."""
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= MOST_LINES, f"{name(path)} has {lines} lines; split it by what its parts know"
    for node in functions(path):
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        assert length <= MOST_LINES_OF_A_FUNCTION, f"{name(path)}:{node.lineno} {node.name} has {length} lines"


@pytest.mark.parametrize("path", [*package_files(), *suite_files()], ids=name)
def test_a_file_opens_with_one_sentence_about_its_job(path: Path) -> None:
    """The first line of the docstring is a whole sentence on one line."""
    text = ast.get_docstring(tree(path)) or ""
    first = text.split("\n", 1)[0]
    assert first, f"{name(path)} has no docstring"
    assert first[-1] in ".:!?", f"{name(path)}: {first!r} is no sentence"


def test_each_foreign_library_has_one_importer() -> None:
    """Ruling 22: and no library is imported that nobody owns."""
    found: dict[str, set[str]] = {}
    for path in package_files():
        for module in imports(path):
            root = module.partition(".")[0]
            if root not in OURS | SHARED | sys.stdlib_module_names:
                found.setdefault(root, set()).add(name(path))
    wrong = {library: sorted(files) for library, files in found.items() if files != {OWNER.get(library, "")}}
    assert not wrong, f"each foreign library has exactly one importer: {wrong}"


def test_only_the_clocks_ask_the_computer_for_the_time() -> None:
    """Law 9: neither `import time` nor datetime.now anywhere else."""
    others = [path for path in package_files() if name(path) not in CLOCKS]
    wrong = [f"{name(path)} imports time" for path in others if "time" in imports(path)]
    wrong += [
        f"{name(path)}:{node.lineno} asks {ast.unparse(node)}"
        for path in others
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ASKS
    ]
    assert not wrong, wrong


def test_the_pure_core_neither_awaits_nor_logs_nor_opens() -> None:
    """Law 2: model and control are plain functions over values; ports may be declared async, never awaited."""
    core = [path for path in package_files() if "/model/" in name(path) or "/control/" in name(path)]
    wrong = [f"{name(path)} imports {m}" for path in core for m in imports(path) if m.partition(".")[0] in IMPURE]
    wrong += [
        f"{name(path)}:{node.lineno} {ast.unparse(node)}"
        for path in core
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Await)
        or (isinstance(node, ast.Call) and ast.unparse(node.func) in ("open", "print", "input"))
    ]
    assert len(core) > 20
    assert not wrong, wrong


def test_the_suite_never_skips() -> None:
    """A test that may be left out proves nothing: no skip, no xfail, in no form."""
    marks = {"skip", "skipif", "xfail", "importorskip"}
    wrong = [
        f"{name(path)}:{node.lineno}"
        for path in suite_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr in marks and "pytest" in ast.unparse(node)
    ]
    assert not wrong, wrong


def test_every_test_file_names_the_rules_that_it_pins() -> None:
    """S, fault, rule, ruling, law, contract or goal: somewhere in the docstrings of the file."""
    wrong = []
    for path in suite_files():
        if not path.name.startswith("test_"):
            continue
        texts = [ast.get_docstring(tree(path)) or "", *(ast.get_docstring(node) or "" for node in functions(path))]
        if not any(_RULE.search(text) for text in texts):
            wrong.append(name(path))
    assert not wrong, f"say which rule each file pins: {wrong}"


def test_nothing_is_left_for_later_in_the_sources() -> None:
    """What is not built is absent and stands in the issues, not in comments."""
    words = re.compile(r"#.*\b(" + "TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
    wrong = [
        name(path) for path in [*package_files(), *suite_files()] if words.search(path.read_text(encoding="utf-8"))
    ]
    assert not wrong, wrong

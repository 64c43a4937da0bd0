"""Ruling 30: no code of refusal is dead, and each is named by a test that shows when somebody is told it."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from siteward.model.refusals import Refusal
from tests.arch.sources import name, package_files, suite_files, tree

CATALOGUE = "edge/siteward/model/refusals.py"
_WORD = re.compile(r"\b[A-Z][A-Z_]+\b")


def documentation(path: Path) -> set[int]:
    """The strings of a file that only describe."""
    found = (node.value for node in ast.walk(tree(path)) if isinstance(node, ast.Expr))
    return {id(value) for value in found if isinstance(value, ast.Constant)}


def told(path: Path) -> Iterator[str]:
    """Members that a file can tell somebody; the keys of a table tell nobody anything."""
    keys = {id(key) for node in ast.walk(tree(path)) if isinstance(node, ast.Dict) for key in node.keys}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "Refusal" and id(node) not in keys:
            yield node.attr


def named(path: Path) -> Iterator[str]:
    """Codes that the statements of a file name, in a text or as a member."""
    prose = documentation(path)
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "Refusal":
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield from _WORD.findall(node.value)


def missing(codes: Iterable[str]) -> list[str]:
    """Members of the catalogue that are not among these."""
    return sorted(set(Refusal.__members__) - set(codes))


def test_no_code_is_dead() -> None:
    """A code that nothing gives is a promise of a protection that is not there."""
    files = [path for path in package_files() if name(path) != CATALOGUE]
    assert missing(code for path in files for code in told(path)) == []


def test_each_code_is_named_by_a_test() -> None:
    """Files of tests alone count: neither what describes them nor their fixtures hold anybody to a code."""
    files = [path for path in suite_files() if path.name.startswith("test_") and "arch" not in path.parts]
    assert missing(code for path in files for code in named(path)) == []

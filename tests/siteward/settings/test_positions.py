"""The line of every key, over all forms of TOML that a technician may type (fault 66)."""

import tomllib
from typing import Any

import pytest

from siteward.settings.positions import Path, positions

TEXT = '''# first
a = 1
"b c" = """
two # no comment
lines \\""" still
"""
c.d.'e f' = 2   # dotted

list = [ # open
  1, 2,
  # between
  { x = 1, y = [3,
     4] },
]
[t]
when = 1979-05-27 07:32:00
raw = \'\'\'it''s\'\'\'
[[u]]
k = "#not"
[[u.v]]
n = 1
[[u.v]]
n = 2
[u.w]
deep = true
[[u]]
k = "\\\\"
'''


def paths(value: Any, at: Path = ()) -> list[Path]:
    """Every path of a parsed document."""
    inner: list[Path] = []
    if isinstance(value, dict):
        for key, child in value.items():
            inner += [(*at, key), *paths(child, (*at, key))]
    elif isinstance(value, list):
        for index, child in enumerate(value):
            inner += [(*at, index), *paths(child, (*at, index))]
    return inner


def test_every_value_of_a_document_has_a_line() -> None:
    """No path of the parsed document is missed, and none is invented."""
    assert set(positions(TEXT)) == set(paths(tomllib.loads(TEXT)))


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("a",), 2),
        (("b c",), 3),
        (("c", "d", "e f"), 7),
        (("list",), 9),
        (("list", 1), 10),
        (("list", 2, "y", 1), 13),
        (("t",), 15),
        (("t", "raw"), 17),
        (("u", 0, "v", 1, "n"), 23),
        (("u", 0, "w", "deep"), 25),
        (("u", 1), 26),
        (("u", 1, "k"), 27),
    ],
)
def test_lines_are_those_of_the_text(path: Path, line: int) -> None:
    """Strings over several lines, comments, inline tables and nested arrays of tables are counted."""
    assert positions(TEXT)[path] == line
    assert positions(TEXT.replace("\n", "\r\n"))[path] == line

"""Every requirement S-01..S-100 and every fault of the catalogue has an owner or a test that names it."""

from pathlib import Path
from typing import Any

import pytest

from tests.arch.sources import ROOT
from tests.arch.trace import FAULTS, OWNERS, REQUIREMENTS, cited, entries

REFRESH = "python -m tests.arch.trace --write"
ALL: list[tuple[str, dict[str, Any]]] = [*entries(REQUIREMENTS).items(), *entries(FAULTS).items()]


def test_every_requirement_is_there() -> None:
    """S-01 to S-100, no number missing or invented."""
    assert list(entries(REQUIREMENTS)) == [f"S-{n:02d}" for n in range(1, 101)]


def test_every_fault_is_there() -> None:
    """Faults 1 to 83 of the catalogue."""
    assert list(entries(FAULTS)) == [f"F-{n:02d}" for n in range(1, 84)]


@pytest.mark.parametrize(("number", "entry"), ALL, ids=[number for number, _ in ALL])
def test_it_has_an_owner_or_a_test_that_names_it(number: str, entry: dict[str, Any]) -> None:
    """S-100 and all others: a file that is named says the number, a test that is named exists; else an owner does."""
    assert set(entry) <= {"text", "document", "expected", "owner", "tests"}, number
    assert entry["text"]
    owner, tests = entry.get("owner"), entry.get("tests", [])
    assert owner or tests, f"{number} has neither owner nor test"
    assert owner in (None, *OWNERS), f"{number}: {owner!r} is no owner"
    for name in tests:
        file, _, function = name.partition("::")
        assert (ROOT / file).is_file(), f"{number} names {file}, which does not exist; {REFRESH}"
        text = (ROOT / file).read_text(encoding="utf-8")
        if function:
            assert f"def {function}(" in text, f"{number} names {function}, which {file} does not have"
        else:
            assert number in cited(text), f"{file} does not name {number}; {REFRESH}"


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("S-7 and S-100", {"S-07", "S-100"}),
        ("S-15..S-17", {"S-15", "S-16", "S-17"}),
        ("fault 5", {"F-05"}),
        ("Faults 28..30, 32 and 34", {"F-28", "F-29", "F-30", "F-32", "F-34"}),
        ("(faults 28 to 30)", {"F-28", "F-29", "F-30"}),
        ("MODBUS-7, default 5, faulty 3", set()),
    ],
)
def test_how_a_test_names_what_it_pins(text: str, ids: set[str]) -> None:
    """S-numbers and fault numbers in the words that the suite uses."""
    assert cited(text) == ids


def test_a_file_that_is_not_there_would_be_found(tmp_path: Path) -> None:
    """S-01: the check can fail."""
    with pytest.raises(AssertionError, match="does not exist"):
        test_it_has_an_owner_or_a_test_that_names_it("S-01", {"text": "x", "tests": ["tests/none.py"]})

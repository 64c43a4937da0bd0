"""B01 to B15: the golden scenarios together leave no behaviour out."""

import re
import tomllib
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "golden"
FILES = sorted(FOLDER.glob("*/*.toml"))
BEHAVIOURS = [f"B{number:02}" for number in (*range(1, 13), 15)]
"""B13 (imbalance) and B14 (one phase or three) belong to sites that have them."""


def rules() -> dict[str, set[str]]:
    """What each file pins."""
    return {
        f"{path.parent.name}/{path.stem}": set(re.findall(r"\bB\d\d\b", tomllib.loads(path.read_text("utf-8"))["rule"]))
        for path in FILES
    }


@pytest.mark.parametrize("behaviour", BEHAVIOURS)
def test_every_behaviour_has_a_scenario(behaviour: str) -> None:
    """B01 to B12 and B15, by the rule that a file names, not by its name."""
    assert [name for name, pinned in rules().items() if behaviour in pinned]


def test_there_are_sixty_scenarios_and_each_says_what_happens() -> None:
    """Goal of B01 to B15: at least 60 as data, each with a rule and one sentence for people."""
    assert len(FILES) >= 60
    for path in FILES:
        case = tomllib.loads(path.read_text("utf-8"))
        sentence = case.get("says", case["rule"].partition(": ")[2] or case["rule"])
        assert len(sentence.split()) >= 5, path
        assert case["expect"], path

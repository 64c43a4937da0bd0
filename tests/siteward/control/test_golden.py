"""I1, I2, I4, R1 to R17, faults 20..24 and 27 as golden scenarios of the fuses alone (tests/golden/load)."""

import tomllib
from pathlib import Path

import pytest

from tests.siteward.control.golden import act, build, hold, judge, told

FOLDER = Path(__file__).parents[2] / "golden" / "load"
CASES = sorted(FOLDER.glob("*.toml"))


@pytest.mark.parametrize("path", CASES, ids=lambda p: p.stem)
def test_golden(path: Path) -> None:
    """The rule named in the file holds, no fuse trips, U >= may."""
    case = tomllib.loads(path.read_text(encoding="utf-8"))
    t = build(case)
    seen: set[str] = set()
    last = max(e["t"] for e in case["expect"])
    for second in range(last + 1):
        for do in case.get("do", []):
            if do["t"] == second:
                act(t, do)
        t.second()
        if t.outcome is not None:
            seen |= {told(f) for f in t.outcome.facts}
        for expect in case["expect"]:
            if expect["t"] == second:
                judge(t, expect, seen)
    hold(t, case)


def test_there_are_golden_cases_for_the_rules() -> None:
    """The folder holds a case for each rule that it names."""
    rules = {tomllib.loads(p.read_text(encoding="utf-8"))["rule"].split()[0] for p in CASES}
    assert {"R1", "R2", "R3", "R5", "R6", "R7", "R8", "R9", "R10b", "R11", "R12", "R14", "R17", "R20", "B13"} <= rules

"""B01 to B15 and the rules of turn.md as golden scenarios of the whole decision (tests/golden/scenarios)."""

from pathlib import Path

import pytest

from tests.siteward.control.scenario import FOLDER, load, play

CASES = sorted(FOLDER.glob("*.toml"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_scenario(path: Path) -> None:
    """What the file says holds at each of its instants; no fuse trips, U >= what may flow."""
    case = load(path)
    ended = play(case)
    assert ended.verdict.turns > 0
    assert ended.verdict.tripped == [] or case.get("outside", False)


@pytest.mark.parametrize(
    "wrong",
    [
        {"limit": {"c00": [1, 2]}},
        {"load": {"grid": [60, 63]}},
        {"cause": {"c00": ["limit", "fair_share"]}},
        {"alarms": ["METER_LOST grid"]},
        {"state": {"c00": "available"}},
        {"told": ["limit.changed 'never'"]},
        {"not_told": ["session.charging c00"]},
        {"limits": ["week"]},
        {"quarter_wh": {"grid": [0, 1]}},
        {"wh_at_most": {"grid": 1}},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_wrong_expectation_fails(wrong: dict[str, object]) -> None:
    """A runner that accepts anything would prove no behaviour at all (B01 to B15)."""
    case = {"feeder": [{"name": "grid", "rating": 40}], "box": [{}], "expect": [{"t": 30, **wrong}]}
    with pytest.raises(AssertionError):
        play(case)


def test_every_scenario_names_its_rule() -> None:
    """B15 has one for each kind of limit; a scenario without a rule or an expectation proves nothing."""
    cases = [load(path) for path in CASES]
    assert all(case["rule"][0] in "BRSI" and case["says"] and case["expect"] for case in cases)
    kinds = {key for case in cases if "B15" in case["rule"] for limit in case.get("limit", []) for key in limit}
    assert {"schedule", "input", "curve", "demand_w"} <= kinds

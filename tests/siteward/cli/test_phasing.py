"""The judgement of a step test: faults 33 and 34; found or called noisy, and never a wrong verdict."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from siteward.cli.app import run_cli
from siteward.cli.paint import Screen
from siteward.cli.phasing import page, status
from siteward.cli.phasing_judge import Outcome, Own, Verdict, Wiring, judge_meter, own_by_meters, saw
from siteward.cli.phasing_measure import Step, measure
from siteward.cli.phasing_path import Heard, Place, Report, Row, Untested, judge_path
from siteward.cli.phasing_run import Plan
from siteward.cli.phasing_words import remark, sentence, site_line, why_untested
from siteward.model.units import PerPhase, Phase
from tests.fixtures.core import running_core

L1, L2, L3 = Phase
FILE: Wiring = (L1, L2, L3)
STILL = (0.1, 0.1, 0.1)
VOLTS = 230.0


def seen(*fall: float, doubt: float = 0.1) -> Step:
    """A meter whose currents fell so far."""
    return Step(fall, (doubt,) * len(fall))


def own(*fall: float) -> Own:
    """A charger whose currents fell so far."""
    return Own(fall, 0.1)


ONE, TWO, ALL = own(10.0, 0.0, 0.0), own(10.0, 10.0, 0.0), own(10.0, 10.0, 10.0)

CASES = [
    (ONE, FILE, (10.0, 0.0, 0.0), Verdict(Outcome.FITS, FILE, 1)),
    (TWO, FILE, (10.0, 10.0, 0.0), Verdict(Outcome.FITS, FILE, 0)),
    (ALL, FILE, (10.0, 10.0, 10.0), Verdict(Outcome.FITS, FILE, 0)),
    (own(10.0), (L2,), (0.0, 10.0, 0.0), Verdict(Outcome.FITS, (L2,), 1)),
    (own(10.0), (L2,), (0.0, 0.0, 10.0), Verdict(Outcome.OTHER_PHASE, (L3,), 1)),
    (ONE, FILE, (0.0, 10.0, 0.0), Verdict(Outcome.OTHER_PHASE, (L2, L3, L1), 1)),
    (ONE, (L2, L3, L1), (10.0, 0.0, 0.0), Verdict(Outcome.OTHER_PHASE, (L1, L2, L3), 1)),
    (own(13.0, 8.0, 0.0), FILE, (13.0, 0.0, 8.0), Verdict(Outcome.OTHER_PHASE, (L1, L3, L2), 3)),
    (ONE, FILE, (-10.0, 0.0, 0.0), Verdict(Outcome.REVERSED, FILE, 1, (L1,))),
    (ONE, FILE, (0.0, 0.0, -10.0), Verdict(Outcome.REVERSED, (L3, L1, L2), 1, (L3,))),
    (ALL, FILE, (10.0, -10.0, 10.0), Verdict(Outcome.REVERSED, FILE, 0, (L2,))),
    (ALL, FILE, (-10.0, -10.0, -10.0), Verdict(Outcome.REVERSED, FILE, 0, FILE)),
    (ALL, FILE, (10.0, 10.0, 0.0), Verdict(Outcome.PHASE_MISSING, FILE, 0, (L3,))),
    (ALL, FILE, (5.0, 5.0, 5.0), Verdict(Outcome.WRONG_SIZE, FILE, ratio=0.5)),
    (ONE, FILE, (40.0, 0.0, 0.0), Verdict(Outcome.WRONG_SIZE, FILE, ratio=4.0)),
    (ONE, FILE, (0.5, -0.5, 0.5), Verdict(Outcome.NOT_SEEN)),
    (ONE, FILE, (10.0, 6.0, -3.0), Verdict(Outcome.NOISY)),
]


@pytest.mark.parametrize(("charger", "wiring", "fall", "verdict"), CASES)
def test_each_way_of_being_wired_has_its_verdict(
    charger: Own, wiring: Wiring, fall: PerPhase, verdict: Verdict
) -> None:
    """Faults 33 and 34: right phase, right sign, right size, or which of them is not."""
    assert judge_meter(charger, wiring, seen(*fall), None, VOLTS) == verdict


def test_noise_is_said_before_anything_else() -> None:
    """Fault 33: what could carry a step from seen to not seen leaves no verdict."""
    assert judge_meter(ONE, FILE, seen(10.0, 0.0, 0.0, doubt=3.0), None, VOLTS) == Verdict(Outcome.NOISY)
    assert judge_meter(own(4.0, 0.0, 0.0), FILE, seen(4.0, 0.0, 0.0, doubt=0.4), None, VOLTS).outcome is Outcome.FITS
    assert judge_meter(own(4.0, 0.0, 0.0), FILE, seen(4.0, 0.0, 0.0, doubt=0.8), None, VOLTS).outcome is Outcome.NOISY


@pytest.mark.parametrize(
    ("fall", "watts", "verdict"),
    [
        ((10.0, 10.0, 10.0), 6900.0, Verdict(Outcome.FITS, FILE, 0)),
        ((10.0, 10.0, 10.0), 6200.0, Verdict(Outcome.FITS, FILE, 0)),
        ((10.0, 10.0, 10.0), 2300.0, Verdict(Outcome.REVERSED, FILE, 0)),
        ((10.0, 10.0, 10.0), -2300.0, Verdict(Outcome.REVERSED, FILE, 0)),
        ((10.0, 10.0, 10.0), -6900.0, Verdict(Outcome.REVERSED, FILE, 0, FILE)),
        ((10.0, 0.0, 0.0), -2300.0, Verdict(Outcome.REVERSED, FILE, 1, (L1,))),
    ],
)
def test_power_tells_of_a_transformer_where_currents_have_no_sign(
    fall: PerPhase, watts: float, verdict: Verdict
) -> None:
    """Fault 33: one of three turned round takes two thirds of the step's power away."""
    charger = own(*fall)
    assert judge_meter(charger, FILE, seen(*fall), Step((watts,), (50.0,)), VOLTS) == verdict
    # Power that moves by itself says nothing.
    assert judge_meter(charger, FILE, seen(*fall), Step((watts,), (2000.0,)), VOLTS).outcome is Outcome.FITS


def test_a_charger_that_does_not_measure_is_judged_by_the_meter_that_saw_most() -> None:
    """Fault 33: phase, sign and feeder are told; size is not, and nothing at all where no meter saw anything."""
    found = own_by_meters([seen(0.1, 0.0, 0.0), seen(0.0, 9.0, 0.1)], 3, 10.0)
    assert found == Own((9.0, 0.0, 0.0), 0.0, sized=False)
    assert judge_meter(found, FILE, seen(0.0, 9.0, 0.0), None, VOLTS).wiring == (L2, L3, L1)
    assert own_by_meters([seen(0.5, 0.0, 0.0)], 3, 10.0) is None
    assert own_by_meters([seen(30.0, 0.0, 0.0)], 3, 10.0) is None
    assert own_by_meters([seen(9.0, 0.0, 0.0, doubt=4.0)], 3, 10.0) is None
    assert own_by_meters([], 3, 10.0) is None


def test_a_meter_beside_the_path_is_only_asked_whether_it_saw_the_step() -> None:
    """Fault 33: a charger under another feeder."""
    assert saw(ONE, seen(0.0, -10.0, 0.0))
    assert not saw(ONE, seen(0.0, 3.0, 0.0))
    assert not saw(ONE, seen(0.0, 10.0, 0.0, doubt=3.0))


def test_a_step_is_held_against_the_plateaus_on_both_sides() -> None:
    """Fault 33: a creeping load takes itself out of the step and is left as doubt."""
    creeping = [[(20.0,), (20.0,)], [(11.0,), (11.0,)], [(22.0,), (22.0,)], [(13.0,), (13.0,)], [(24.0,), (24.0,)]]
    assert measure(creeping) == Step((10.0,), (1.0,))
    assert measure([[(20.0,)], [], [(20.0,)]]) is None
    assert measure([]) is None


PLACE = Place("A1", FILE, ("row", "grid"))


def heard(*fall: float) -> Heard:
    """A meter that stands still but for the step."""
    high, low = (30.0, 30.0, 30.0), tuple(30.0 - a for a in fall)
    return Heard([[high] * 3, [low] * 3, [high] * 3])


CHARGER = [[(16.0, 0.0, 0.0)] * 3, [(6.0, 0.0, 0.0)] * 3, [(16.0, 0.0, 0.0)] * 3]
SEEN, OTHER, NOTHING = heard(10.0, 0.0, 0.0), heard(0.0, 10.0, 0.0), heard(0.0, 0.0, 0.0)

PATHS = [
    ({"row": SEEN, "grid": SEEN, "side": NOTHING}, ["fits", "fits"], None),
    ({"row": OTHER, "grid": OTHER}, ["other_phase", "other_phase"], (L2, L3, L1)),
    ({"row": OTHER, "grid": SEEN}, ["ct_order", "fits"], None),
    ({"row": SEEN, "grid": OTHER}, ["fits", "ct_order"], None),
    ({"row": heard(0.0, 0.0, 10.0), "grid": OTHER}, ["ct_order", "ct_order"], None),
    ({"row": NOTHING, "grid": SEEN, "side": SEEN}, ["not_seen", "fits", "seen_elsewhere"], None),
    ({"row": NOTHING, "grid": OTHER}, ["not_seen", "other_phase"], (L2, L3, L1)),
    ({"row": Heard([[], [], []]), "grid": SEEN}, ["no_reading", "fits"], None),
    ({"row": heard(0.0, -10.0, 0.0), "grid": OTHER}, ["reversed_ct", "other_phase"], (L2, L3, L1)),
]


@pytest.mark.parametrize(("meters", "outcomes", "put"), PATHS)
def test_all_meters_together_tell_charger_meter_and_file_apart(
    meters: dict[str, Heard], outcomes: list[str], put: Wiring | None
) -> None:
    """Faults 33 and 34: a map goes into the file only where no meter on the path contradicts it."""
    report = judge_path(PLACE, CHARGER, meters, 10.0, VOLTS)
    assert [row.verdict.outcome.value for row in report.rows] == outcomes
    assert report.put == put


def test_a_car_that_does_not_follow_is_no_verdict() -> None:
    """Fault 33: nothing stepped, so nothing was tested."""
    lazy = [[(7.0, 0.0, 0.0)] * 3, [(6.0, 0.0, 0.0)] * 3, [(7.0, 0.0, 0.0)] * 3]
    assert judge_path(PLACE, lazy, {"row": NOTHING, "grid": NOTHING}, 10.0, VOLTS).untested is Untested.NOT_FOLLOWED
    assert judge_path(PLACE, [], {"row": NOTHING, "grid": NOTHING}, 10.0, VOLTS).untested is Untested.NOT_FOLLOWED


@pytest.mark.parametrize(
    ("reports", "expected"),
    [
        ([], 2),
        ([Report("A1", rows=(Row("row", Verdict(Outcome.FITS)),))], 0),
        ([Report("A1", rows=(Row("row", Verdict(Outcome.NOISY)),))], 2),
        ([Report("A1", Untested.NO_CAR), Report("A2", rows=(Row("row", Verdict(Outcome.REVERSED)),))], 1),
        ([Report("A1", Untested.NO_CAR), Report("A2", rows=(Row("row", Verdict(Outcome.FITS)),))], 2),
    ],
)
def test_the_exit_status_says_wrong_before_untested(reports: list[Report], expected: int) -> None:
    """Contract section 3: 0 all fits, 1 something is wrong, 2 not everything was told."""
    assert status(reports) == expected


def test_every_outcome_has_a_sentence_in_both_languages() -> None:
    """S-20: what is wrong and what to do, in English and Chinese."""
    for outcome in Outcome:
        text = sentence(Row("row", Verdict(outcome, FILE, 1, (L2,), 0.5)))
        assert "row L2" in text.en
        assert "row L2" in text.zh
    for untested in Untested:
        assert "A1" in why_untested(Report("A1"), untested).en
        assert "A1" in why_untested(Report("A1"), untested).zh
    assert site_line((L2, L3, L1)) == 'phases = ["L2", "L3", "L1"]'


def test_the_page_says_what_to_write_and_what_was_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """S-20: a person reads table, sentence in both languages, the line for the file, and the limit of the test."""
    plan = Plan((PLACE,), {"row": "m1", "grid": "m2"}, VOLTS)
    report = judge_path(PLACE, CHARGER, {"row": OTHER, "grid": OTHER}, 10.0, VOLTS)
    Screen(as_json=False).show(page(plan, [PLACE, PLACE], [report, Report("A2", Untested.NO_CAR)]))
    text = capsys.readouterr().out
    assert 'site.toml, charger of A1: phases = ["L2", "L3", "L1"]' in text
    assert "WRONG A1: row saw the step on other phases" in text
    assert "其他相" in text
    assert "proven for the phases that the car used" in text
    assert "NOT TESTED: A2" in text
    left = remark(PLACE, Report("A1", rows=(Row("row", Verdict(Outcome.FITS, FILE, 0)),)))
    assert left is not None
    assert "single-phase car" in left.en
    assert remark(PLACE, Report("A1", rows=(Row("row", Verdict(Outcome.FITS, FILE, 3)),))) is None
    assert page(plan, [], [])


def test_the_verb_needs_core_and_names_a_connector(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Contract section 3: bad use is 2, a missing core is 1 with what to do."""
    assert run_cli(["phasing"]) == 2
    assert run_cli(["--run", str(tmp_path), "--state", str(tmp_path), "phasing", "A1", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "CORE_DOWN"


async def test_the_verb_reads_the_site_through_the_local_api(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Contract section 3: through the real socket: a connector that does not exist, and one where nothing charges."""
    async with running_core(tmp_path) as core:

        async def shell(*words: str) -> tuple[int, Any]:
            status = await asyncio.to_thread(run_cli, ["--run", str(core.run_dir), "phasing", *words, "--json"])
            return status, json.loads(capsys.readouterr().out)

        status, told = await shell("A99-1")
        assert (status, told["error"]["code"]) == (1, "UNKNOWN_TARGET")
        status, told = await shell("A05-1")
        assert (status, told["connectors"][0]["untested"]["code"]) == (2, "no_car")
        assert told["connectors"][0]["wiring"] == ["L1", "L2", "L3"]
        assert core.requests == {}

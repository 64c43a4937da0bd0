"""`phasing`: steps the current of a connector down and back, and says whether every meter above it saw that."""

from collections.abc import Sequence
from itertools import count
from typing import Any

from siteward.cli.errors import CommandFailed
from siteward.cli.paint import Grid, Part, Screen, Step
from siteward.cli.phasing_path import Place, Report, Row, Untested
from siteward.cli.phasing_run import Core, Plan, StepTest, Tell, read_plan, why_not
from siteward.cli.phasing_words import remark, sentence, site_line, why_untested
from siteward.model.sentences import Sentence

EVERY = "all"
"""Instead of a connector: everybody who charges now, one after the other."""

USUAL_S = 150
"""Seconds that the test of a connector usually takes, for the bar."""

_COLUMNS = ("connector", "feeder", "meter", "saw", "L1 A", "L2 A", "L3 A")
_NUMBERS = frozenset(_COLUMNS[4:])


async def phasing(core: Core, screen: Screen, target: str) -> int:
    """Test a connector, or all that charge: 0 all fits, 1 something is wired or written wrongly, 2 not all was told."""
    plan = read_plan(await core.site())
    places = await _chosen(core, plan, target)
    reports: list[Report] = []
    with screen.progress("step test", USUAL_S * len(places)) as bar:
        for number, place in enumerate(places):
            reports.append(await StepTest(core, plan, place, _teller(bar, number, place)).run())
    if screen.as_json:
        screen.data({"connectors": [_document(plan, place, r) for place, r in zip(places, reports, strict=True)]})
    else:
        screen.show(page(plan, places, reports))
    return status(reports)


def status(reports: Sequence[Report]) -> int:
    """The exit status: a wrong wire is said before one that was not tested."""
    if any(report.wrong for report in reports):
        return 1
    return 0 if reports and all(report.told for report in reports) else 2


async def _chosen(core: Core, plan: Plan, target: str) -> tuple[Place, ...]:
    if target == EVERY:
        live = await core.live()
        return tuple(place for place in plan.places if why_not(place, live) is not Untested.NO_CAR)
    places = tuple(place for place in plan.places if place.connector == target)
    if not places:
        raise CommandFailed(f"there is no connector {target}", "`siteward status` lists them", "UNKNOWN_TARGET")
    return places


def _teller(bar: Step, number: int, place: Place) -> Tell:
    """Moves the bar each second, never past this connector's part."""
    seconds = count()

    def tell(said: str) -> None:
        bar(number * USUAL_S + min(next(seconds), USUAL_S), f"{place.connector}, {said}")

    return tell


def page(plan: Plan, places: Sequence[Place], reports: Sequence[Report]) -> list[Part]:
    """The result for people: what each meter saw, then what is wrong and what to write."""
    rows = [_line(plan, report, row) for report in reports for row in report.rows]
    parts: list[Part] = [Grid("", _COLUMNS, rows, _NUMBERS)] if rows else []
    for place, report in zip(places, reports, strict=True):
        parts += _said(place, report)
    if not reports:
        parts.append("nobody charges: plug in a car or a load box and start it / 当前无充电:请接入车辆或负载箱并启动")
    return parts


def _line(plan: Plan, report: Report, row: Row) -> tuple[str, ...]:
    amps = [f"{a:+.1f}" for a in row.fall_a] or ["", "", ""]
    return report.connector, row.feeder, plan.meters[row.feeder], row.verdict.outcome.value.replace("_", " "), *amps


def _said(place: Place, report: Report) -> list[Part]:
    if report.untested is not None:
        return _both("NOT TESTED", why_untested(report, report.untested))
    parts: list[Part] = []
    for row in report.rows:
        outcome = row.verdict.outcome
        word = "WRONG" if outcome.wrong else "fits" if outcome.told else "REPEAT"
        parts += _both(f"{word} {report.connector}", sentence(row))
    if report.put is not None:
        parts.append(f"      site.toml, charger of {report.connector}: {site_line(report.put)}")
    left = remark(place, report)
    return parts if left is None else [*parts, *_both("note", left)]


def _both(head: str, text: Sentence) -> list[Part]:
    return [f"{head}: {text.en}", f"      {text.zh}"]


def _document(plan: Plan, place: Place, report: Report) -> dict[str, Any]:
    left = remark(place, report)
    return {
        "connector": report.connector,
        "wiring": list(place.wiring),
        "untested": None
        if report.untested is None
        else _texts(report.untested.value, why_untested(report, report.untested)),
        "step_a": [round(a, 2) for a in report.step_a],
        "feeders": [
            {
                "feeder": row.feeder,
                "meter": plan.meters[row.feeder],
                "phases": list(row.verdict.phases),
                "phasesProven": row.verdict.shown,
                "fall_a": [round(a, 2) for a in row.fall_a],
                **_texts(row.verdict.outcome.value, sentence(row)),
            }
            for row in report.rows
        ],
        "siteToml": None if report.put is None else site_line(report.put),
        "note": None if left is None else {"text": left.en, "text_zh": left.zh},
    }


def _texts(code: str, text: Sentence) -> dict[str, str]:
    return {"code": code, "text": text.en, "text_zh": text.zh}

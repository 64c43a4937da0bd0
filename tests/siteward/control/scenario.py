"""Runs a golden scenario (tests/golden/scenarios): a site as data, what happens when, what must hold when.

A file has:

    rule, says              what it pins, and in words
    wall, clock, timezone   wall clock at t = 0 (UTC), its quality, the site's zone (default: Monday, ntp, UTC)
    [[feeder]] [[box]]      the site in the short form of `sites.py`; box has `count`, `car = {wants, phases, plugged}`
    [[limit]]               exactly as in site.toml, judged by the same tables
    meter_shows             "register" (default), "power", "current"; register_step_wh; closed = contacts closed at 0
    [[do]]                  t and `what`: an act of `golden.py` or of ACTS below
    [[expect]]              t and what must hold after that second

Cars are plugged in from the start unless they say otherwise, and start a session as soon as the station lets them.
Beside the keys of `golden.judge` an expectation knows: `state.c00` (state of the connector), `told` and `not_told`
(texts that a line of the journal so far contains, all words of one), `quarter_wh.grid = [low, high]` (true energy of
the running quarter of an hour), `wh_at_most.grid` (the same, for every quarter so far), `limits` and `no_limits` (ids
in force).
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from siteward.model.events import ClockQuality
from siteward.model.ids import ConnectorId, FeederId
from siteward.model.points import PointName
from siteward.settings.limit_build import rules, standing
from siteward.settings.limit_tables import LimitTable
from tests.siteward.control import golden
from tests.siteward.control.whole import QUARTER_S, Whole

FOLDER = Path(__file__).parents[2] / "golden" / "scenarios"


def load(path: Path) -> dict[str, Any]:
    """A scenario's data."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def build(case: dict[str, Any]) -> Whole:
    """The station of a case, nothing read yet."""
    site, cars = golden.site_of(case)
    tables = [LimitTable.model_validate(raw) for raw in case.get("limit", [])]
    zone = case.get("timezone", "UTC")
    site = replace(site, limits=standing(tables), rules=rules(tables, site.feeders), timezone=zone, zone=ZoneInfo(zone))
    return Whole(site, cars, case)


def _wall(t: Whole, do: dict[str, Any]) -> None:
    t.skew += timedelta(seconds=do["jump_s"])


def _clock(t: Whole, do: dict[str, Any]) -> None:
    t.clock = ClockQuality(do["quality"])


def _contact(t: Whole, do: dict[str, Any]) -> None:
    points = {PointName(point) for point in do["points"]}
    state = do["state"]
    t.lost = t.lost | points if state == "lost" else t.lost - points
    if state != "lost":
        t.closed = t.closed | points if state == "closed" else t.closed - points


def _heat(t: Whole, do: dict[str, Any]) -> None:
    for name in do["who"]:
        t.heat.pop(ConnectorId(name), None)
        if "celsius" in do:
            t.heat[ConnectorId(name)] = float(do["celsius"])


def _plug(t: Whole, do: dict[str, Any]) -> None:
    for name in do["who"]:
        t.plug(ConnectorId(name), float(do.get("wants", 32.0)))


def _unplug(t: Whole, do: dict[str, Any]) -> None:
    for name in do["who"]:
        t.unplug(ConnectorId(name))


def _send(t: Whole, do: dict[str, Any]) -> None:
    t.ask(do["request"])


def _wants(t: Whole, do: dict[str, Any]) -> None:
    for name in do["who"]:
        t.boxes[ConnectorId(name)].wants = float(do["amps"])


ACTS: dict[str, Callable[[Whole, dict[str, Any]], None]] = {
    "wall": _wall,
    "clock": _clock,
    "contact": _contact,
    "heat": _heat,
    "plug": _plug,
    "unplug": _unplug,
    "send": _send,
    "wants": _wants,
    "shows": lambda t, do: setattr(t, "shows", do["shows"]),
}
"""What can happen here beside the acts of `golden.py`; sessions are not made by hand, so neither are demands."""


def act(t: Whole, do: dict[str, Any]) -> None:
    """One thing happens."""
    if do["what"] in ACTS:
        ACTS[do["what"]](t, do)
    else:
        assert do["what"] not in ("limit", "unlimit", "stop"), "send a request, or describe the limit"
        golden.act(t, do)


def judge(t: Whole, expect: dict[str, Any]) -> None:
    """What must hold at this second."""
    where = f"t={expect['t']}"
    golden.judge(t, expect, {line.split()[1] for line in t.told})
    decision = t.decision
    for name, state in expect.get("state", {}).items():
        assert t.whole is not None
        post = t.whole.story.posts[ConnectorId(name)]
        assert post.state.value == state, f"{where} {name} is {post.state.value}"
    for text in expect.get("told", []):
        assert any(all(w in line for w in text.split()) for line in t.told), f"{where} {text!r}: {t.told[-12:]}"
    for text in expect.get("not_told", []):
        assert not any(all(w in line for w in text.split()) for line in t.told), f"{where} {text!r} was told"
    in_force = set() if decision is None else _limits(t)
    assert set(expect.get("limits", [])) <= in_force, f"{where}: {in_force}"
    assert not set(expect.get("no_limits", [])) & in_force, f"{where}: {in_force}"
    quarter = int((t.wall - t.skew).timestamp() // QUARTER_S)
    for name, (low, high) in expect.get("quarter_wh", {}).items():
        value = t.by_quarter.get((FeederId(name), quarter), 0.0)
        assert low <= value <= high, f"{where} quarter of {name}: {value:.0f} Wh"
    for name, most in expect.get("wh_at_most", {}).items():
        worst = max(wh for (feeder, _), wh in t.by_quarter.items() if feeder == name)
        assert worst <= most, f"{where} worst quarter of {name}: {worst:.0f} Wh"


def _limits(t: Whole) -> set[str]:
    assert t.whole is not None
    story = t.whole.story
    held = [*story.rules.values(), *story.demand.values()]
    return {limit.id for limit in (*story.limits, *(h.limit for h in held)) if limit is not None}


def play(case: dict[str, Any]) -> Whole:
    """Let a case happen and judge it; returns the station as it ended."""
    t = build(case)
    acts, expects = case.get("do", []), case["expect"]
    last = max(e["t"] for e in expects)
    assert all(do["t"] <= last for do in acts), "something happens after the last expectation"
    for second in range(last + 1):
        for do in acts:
            if do["t"] == second:
                act(t, do)
        t.second()
        for expect in expects:
            if expect["t"] == second:
                judge(t, expect)
    golden.hold(t, case)
    return t

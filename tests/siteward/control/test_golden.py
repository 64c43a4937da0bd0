"""I1, I2, I4, R1 to R17 as golden scenarios (tests/golden/load): a site, what happens when, what must hold when.

Times are seconds from the start of the controller. `do` acts on the truth model, `expect` judges after that second:
limit = last decided, conf = read back, reserved = U, target, load = what truly flows (worst phase), apart = highest
phase above lowest, each [low, high].
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from siteward.control.demand import Demand
from siteward.model.facts import Readback, ResetBy
from siteward.model.ids import ConnectorId, FeederId
from siteward.model.limits import Limit, LimitSource
from siteward.model.site import Priority
from tests.siteward.control.sites import Box, feeder, site
from tests.siteward.control.truth import Box as TrueBox
from tests.siteward.control.truth import Truth

FOLDER = Path(__file__).parents[2] / "golden" / "load"
CASES = sorted(FOLDER.glob("*.toml"))
ENUMS = {"reset_by": ResetBy, "readback": Readback, "priority": Priority}


def build(case: dict[str, Any]) -> Truth:
    """The truth of a case, every car wanting 32 A unless it says otherwise."""
    feeders = [feeder(**f) for f in case["feeder"]]
    boxes = []
    cars: list[dict[str, Any]] = []
    for raw in case["box"]:
        item = {k: ENUMS[k](v) if k in ENUMS else v for k, v in raw.items()}
        count, car = item.pop("count", 1), item.pop("car", {})
        if item.get("tw_s") == 0:
            item["tw_s"] = None
        if item.get("boot_a") == -1:
            item["boot_a"] = None
        boxes += [Box(**item)] * count
        cars += [car] * count
    truth = Truth(site(feeders, boxes), Random(1), case.get("set_point", 0.0))
    for c, car in zip(truth.site.connectors, cars, strict=True):
        box = truth.boxes[c.id]
        wants = car.get("wants", 32.0)
        phases = car.get("phases", "123")
        box.wants, box.react_s = wants, car.get("react_s", 2.0)
        box.phases = ("1" in phases, "2" in phases, "3" in phases)
        truth.demands[c.id] = wish(box, wants, truth.at)
    return truth


def wish(box: TrueBox, wants: float, at: float) -> Demand:
    """A session at that box, begun long enough at DC that a pause would end it (R20)."""
    power = box.connector.facts.power
    most = 32.0 if power is None else box.connector.cap_a
    runs_on = power is not None and power.pause_ends_session
    return Demand(wants > 0.0, most, box.connector.priority, at, must_run=runs_on)


def act(t: Truth, do: dict[str, Any]) -> None:
    """One thing happens."""
    what, who = do["what"], [ConnectorId(x) for x in do.get("who", [])]
    if what in SITE_ACTS:
        SITE_ACTS[what](t, do)
    for cid in who:
        act_on(t, cid, do)


def _meter(t: Truth, do: dict[str, Any]) -> None:
    meter = next(f.meter for f in t.site.feeders if f.id == do["feeder"])
    assert meter is not None
    t.meter_mode[meter] = do["mode"]


def _base(t: Truth, do: dict[str, Any]) -> None:
    amps = do["amps"]
    t.base[FeederId(do["feeder"])] = [float(x) for x in (amps if isinstance(amps, list) else [amps] * 3)]


def _limit(t: Truth, do: dict[str, Any]) -> None:
    t.limits = (Limit("l1", LimitSource.GRID, (float(do["amps"]),) * 3, feeder=FeederId(do["feeder"])),)


SITE_ACTS: dict[str, Callable[[Truth, dict[str, Any]], None]] = {
    "meter": _meter,
    "base": _base,
    "limit": _limit,
    "unlimit": lambda t, _: setattr(t, "limits", ()),
    "kill": lambda t, _: t.kill(),
    "start": lambda t, _: setattr(t, "alive", True),
    "gap": lambda t, do: setattr(t, "at", t.at + do["seconds"]),
}


def act_on(t: Truth, cid: ConnectorId, do: dict[str, Any]) -> None:
    """Something happens at one box."""
    box, what = t.boxes[cid], do["what"]
    if what in ("mute", "deaf", "cut", "heal"):
        box.hears, box.answers = what in ("mute", "heal"), what in ("deaf", "heal")
    elif what == "restart":
        box.restart(t.at, do["dark_s"])
        t.restarted[cid] = t.at
    elif what == "foreign":
        box.set_point = do["amps"]
    elif what == "draws":
        box.overdraw = do["times"]
    elif what == "disobeys":
        box.obeys = False
    elif what == "phases":
        box.phases = tuple(str(i) in do["phases"] for i in (1, 2, 3))  # type: ignore[assignment]
    elif what == "failsafe":
        box.fs = do["amps"]
    else:
        act_in_car(t, cid, do)


def act_in_car(t: Truth, cid: ConnectorId, do: dict[str, Any]) -> None:
    """Something happens in its car or its session: a new wish, another draw in the same session, a stop."""
    box, what = t.boxes[cid], do["what"]
    if what == "wants":
        box.wants = do["amps"]
        t.demands[cid] = wish(box, do["amps"], t.at)
    elif what == "needs":
        t.demands[cid] = replace(t.demands[cid], need_a=do["amps"])
    elif what == "takes":
        box.wants = do["amps"]
    elif what == "stop":
        t.demands[cid] = Demand(True, 32.0, box.connector.priority, t.at, stop=True)
    else:
        raise AssertionError(f"unknown act {what}")


def judge(t: Truth, expect: dict[str, Any], seen: set[str]) -> None:
    """What must hold at this second."""
    where = f"t={expect['t']}"
    for key in ("limit", "conf", "reserved", "target"):
        for name, (low, high) in expect.get(key, {}).items():
            assert t.outcome is not None
            g = t.outcome.grants[ConnectorId(name)]
            value = {"limit": g.limit_a, "conf": g.confirmed_a, "reserved": g.reserved_a, "target": g.target_a}[key]
            assert value is not None, f"{where} {key} {name} is unknown"
            assert low - 0.05 <= value <= high + 0.05, f"{where} {key} {name} = {value}, not in {low}..{high}"
    for name, (low, high) in expect.get("load", {}).items():
        value = max(t.load[FeederId(name)])
        assert low <= value <= high, f"{where} load {name} = {value}"
    for name, (low, high) in expect.get("apart", {}).items():
        value = max(t.load[FeederId(name)]) - min(t.load[FeederId(name)])
        assert low <= value <= high, f"{where} phases of {name} are {value} apart: {t.load[FeederId(name)]}"
    if "cause" in expect:
        assert t.outcome is not None
        for name, cause in expect["cause"].items():
            chain = [s.cause.value for s in t.outcome.grants[ConnectorId(name)].chain]
            assert cause in chain, f"{where} {name}: {chain}"
    standing = {f"{a.code.value} {a.subject}" for a in t.outcome.alarms} if t.outcome else set()
    for alarm in expect.get("alarms", []):
        assert alarm in standing, f"{where}: {standing}"
    for alarm in expect.get("no_alarms", []):
        assert not any(a.startswith(alarm) for a in standing), f"{where}: {standing}"
    for fact in expect.get("facts", []):
        assert fact in seen, f"{where}: {seen}"


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
            seen |= {f.type.value for f in t.outcome.facts}
        for expect in case["expect"]:
            if expect["t"] == second:
                judge(t, expect, seen)
    if not case.get("outside", False):
        assert not t.verdict.tripped, t.verdict.tripped[0]
    assert not t.verdict.broken_bounds
    if not case.get("foreign", False):
        assert not t.verdict.low_u, t.verdict.low_u[0]
    assert t.verdict.longest_over_s <= case.get("over_s", 10.0)
    assert t.verdict.longest_uneven_s <= case.get("uneven_s", 10.0)
    assert t.verdict.longest_neutral_s <= 10.0


def test_there_are_golden_cases_for_the_rules() -> None:
    """The folder holds a case for each rule that it names."""
    rules = {tomllib.loads(p.read_text(encoding="utf-8"))["rule"].split()[0] for p in CASES}
    assert {"R1", "R2", "R3", "R5", "R6", "R7", "R8", "R9", "R10b", "R11", "R12", "R14", "R17"} <= rules

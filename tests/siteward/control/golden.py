"""What golden scenarios have in common: the site of a case, what happens, and what must hold (tests/golden).

Times are seconds from the start of the controller. `do` acts on the truth model, `expect` judges after that second:
limit = last decided, conf = read back, reserved = U, target, load = what truly flows (worst phase), apart = highest
phase above lowest, each [low, high];
booked = sum U of a feeder on L1 to L3, each [low, high]; closed = phases truly fed;
facts = types of events so far, those of switched phases with connector and step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from siteward.control.demand import Demand
from siteward.model.events import EventType, Fact
from siteward.model.facts import Readback, ResetBy
from siteward.model.ids import ConnectorId, FeederId
from siteward.model.limits import Limit, LimitSource
from siteward.model.site import Priority, Site
from tests.siteward.control.sites import Box, feeder, site
from tests.siteward.control.true_box import Box as TrueBox
from tests.siteward.control.truth import Truth

ENUMS = {"reset_by": ResetBy, "readback": Readback, "priority": Priority}


def build(case: dict[str, Any]) -> Truth:
    """The truth of a case for the fuses alone."""
    built, cars = site_of(case)
    truth = Truth(built, Random(1), case.get("set_point", 0.0))
    seat(truth, cars)
    for box in truth.boxes.values():
        truth.demands[box.connector.id] = wish(box, box.wants, truth.at)
    return truth


def wish(box: TrueBox, wants: float, at: float) -> Demand:
    """A session at that box, begun long enough at DC that a pause would end it (R20)."""
    power = box.connector.facts.power
    most = 32.0 if power is None else box.connector.cap_a
    runs_on = power is not None and power.pause_ends_session
    return Demand(wants > 0.0, most, box.connector.priority, at, must_run=runs_on, may_switch=box.may_switch)


def site_of(case: dict[str, Any]) -> tuple[Site, list[dict[str, Any]]]:
    """The site of a case, and what it says of the car at each connector."""
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
    return site(feeders, boxes), cars


def seat(truth: Truth, cars: list[dict[str, Any]]) -> None:
    """Put the cars to their connectors, every one wanting 32 A unless it says otherwise."""
    for box, car in zip(truth.boxes.values(), cars, strict=True):
        phases = car.get("phases", "123")
        box.wants, box.react_s = car.get("wants", 32.0), car.get("react_s", 2.0)
        box.may_switch = car.get("switch", False)
        box.phases = ("1" in phases, "2" in phases, "3" in phases)


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


def _three(amps: float | list[float]) -> list[float]:
    """One number stands for three phases."""
    return [float(x) for x in amps] if isinstance(amps, list) else [float(amps)] * 3


def _limit(t: Truth, do: dict[str, Any]) -> None:
    t.limits = (Limit("l1", LimitSource.GRID, (float(do["amps"]),) * 3, feeder=FeederId(do["feeder"])),)


SITE_ACTS: dict[str, Callable[[Truth, dict[str, Any]], None]] = {
    "meter": _meter,
    "base": lambda t, do: t.base.update({FeederId(do["feeder"]): _three(do["amps"])}),
    "limit": _limit,
    "unlimit": lambda t, _: setattr(t, "limits", ()),
    "kill": lambda t, _: t.kill(),
    "start": lambda t, _: setattr(t, "alive", True),
    "gap": lambda t, do: setattr(t, "at", t.at + do["seconds"]),
}


HABITS = {
    "foreign": ("set_point", "amps"),
    "draws": ("overdraw", "times"),
    "rounds_up": ("rounds_up_a", "step_a"),
    "keeps": ("keeps_a", "amps"),
    "failsafe": ("fs", "amps"),
}
"""Acts that set one field of a box to one value."""


def act_on(t: Truth, cid: ConnectorId, do: dict[str, Any]) -> None:
    """Something happens at one box."""
    box, what = t.boxes[cid], do["what"]
    if what in ("mute", "deaf", "cut", "heal"):
        box.hears, box.answers = what in ("mute", "heal"), what in ("deaf", "heal")
    elif what == "restart":
        box.restart(t.at, do["dark_s"])
        t.restarted[cid] = t.at
    elif what in HABITS:
        name, key = HABITS[what]
        setattr(box, name, do[key])
    elif what == "disobeys":
        box.obeys = False
    elif what == "phases":
        box.phases = tuple(str(i) in do["phases"] for i in (1, 2, 3))  # type: ignore[assignment]
    elif what == "contactors":
        box.contactors.mode = do["mode"]
        if do["mode"] == "back":
            box.contactors.closed = 3
    else:
        act_in_car(t, cid, do)


def act_in_car(t: Truth, cid: ConnectorId, do: dict[str, Any]) -> None:
    """Something happens in its car or its session: a new wish, another draw in the same session, a stop."""
    box, what = t.boxes[cid], do["what"]
    if what == "wants":
        box.wants = do["amps"]
        box.away = do.get("leaves", False)
        t.demands[cid] = wish(box, do["amps"], t.at)
    elif what == "needs":
        t.demands[cid] = replace(t.demands[cid], need_a=do["amps"])
    elif what == "takes":
        box.wants = do["amps"]
    elif what == "stop":
        t.demands[cid] = Demand(True, 32.0, box.connector.priority, t.at, stop=True)
    else:
        raise AssertionError(f"unknown act {what}")


def told(fact: Fact) -> str:
    """An event as expectations name it."""
    if fact.type is not EventType.CONNECTOR_PHASES:
        return fact.type.value
    return f"{fact.type.value} {fact.connector} {fact.data['step']} {fact.data.get('reason', '')}".rstrip()


def judge_phases(t: Truth, expect: dict[str, Any], where: str) -> None:
    """What must hold phase by phase."""
    for name, phases in expect.get("booked", {}).items():
        assert t.outcome is not None
        reserved = t.outcome.feeders[FeederId(name)].reserved_a
        for amps, (low, high) in zip(reserved, phases, strict=True):
            assert low - 0.05 <= amps <= high + 0.05, f"{where} booked {name} = {reserved}"
    for name, closed in expect.get("closed", {}).items():
        assert t.boxes[ConnectorId(name)].contactors.closed == closed, f"{where} {name}"


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
    for name, causes in expect.get("cause", {}).items():
        assert t.outcome is not None
        chain = [s.cause.value for s in t.outcome.grants[ConnectorId(name)].chain]
        wanted = [causes] if isinstance(causes, str) else causes
        assert [c for c in chain if c in wanted] == wanted, f"{where} {name}: {chain}, not {wanted} in this order"
    judge_phases(t, expect, where)
    judge_told(t, expect, seen, where)


def judge_told(t: Truth, expect: dict[str, Any], seen: set[str], where: str) -> None:
    """Which alarms stand and what was told so far."""
    standing = {f"{a.code.value} {a.subject}" for a in t.outcome.alarms} if t.outcome else set()
    for alarm in expect.get("alarms", []):
        assert alarm in standing, f"{where}: {standing}"
    for alarm in expect.get("no_alarms", []):
        assert not any(a.startswith(alarm) for a in standing), f"{where}: {standing}"
    for fact in expect.get("facts", []):
        assert fact in seen, f"{where}: {seen}"
    for fact in expect.get("no_facts", []):
        assert not any(x.startswith(fact) for x in seen), f"{where}: {seen}"


def hold(t: Truth, case: dict[str, Any]) -> None:
    """What must hold over the whole case: no fuse trips, U >= may, no load above a rating for long."""
    if not case.get("outside", False):
        assert not t.verdict.tripped, t.verdict.tripped[0]
    assert not t.verdict.broken_bounds
    if not case.get("foreign", False):
        assert not t.verdict.low_u, t.verdict.low_u[0]
    broken = [text for box in t.boxes.values() for text in box.contactors.broken]
    assert not broken, broken[0]
    assert t.verdict.longest_over_s <= case.get("over_s", 10.0)
    assert t.verdict.longest_uneven_s <= case.get("uneven_s", 10.0)
    assert t.verdict.longest_neutral_s <= 10.0

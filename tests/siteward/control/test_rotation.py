"""B12, B08, S-20: where not all floors fit everybody has his turn, within an hour, and never in haste."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

import pytest

from siteward.control.demand import Demand
from siteward.model.ids import ConnectorId
from siteward.model.site import Priority
from tests.siteward.control.sites import Box, feeder, site
from tests.siteward.control.truth import Truth

HOURS = 2


def station(cars: int, rating_a: float) -> Truth:
    """Equal cars that want everything, below one fuse that is too small for all floors."""
    built = site([feeder("grid", rating_a)], [Box(boot_a=0.0, fs_a=0.0) for _ in range(cars)])
    truth = Truth(built, Random(5))
    for c in built.connectors:
        truth.boxes[c.id].wants = 32.0
        truth.demands[c.id] = Demand(True, 32.0, c.priority, truth.at)
    return truth


def waits(truth: Truth, seconds: int) -> Mapping[ConnectorId, list[tuple[str, int]]]:
    """Stretches of charging and waiting of each car, as the cars' own current tells."""
    found: dict[ConnectorId, list[tuple[str, int]]] = {cid: [] for cid in truth.boxes}
    for _ in range(seconds):
        truth.second()
        for cid, box in truth.boxes.items():
            now = "on" if box.current > 0.5 else "off"
            rows = found[cid]
            if rows and rows[-1][0] == now:
                rows[-1] = (now, rows[-1][1] + 1)
            else:
                rows.append((now, 1))
    return found


@pytest.mark.parametrize(("cars", "rating_a"), [(3, 16.0), (5, 16.0), (7, 23.0)])
def test_b12_nobody_waits_longer_than_an_hour(cars: int, rating_a: float) -> None:
    """A turn is never shorter than 5 min, a pause never shorter than 2; no fuse trips over it."""
    truth = station(cars, rating_a)
    found = waits(truth, HOURS * 3600)
    assert not truth.verdict.tripped
    for cid, rows in found.items():
        assert max(s for kind, s in rows if kind == "off") <= 3600 + 300, f"{cid}: {rows}"
        assert all(s >= 290 for kind, s in rows[1:-1] if kind == "on"), f"{cid}: {rows}"
        assert all(s >= 115 for kind, s in rows[1:-1] if kind == "off"), f"{cid}: {rows}"
        assert sum(s for kind, s in rows if kind == "on") > 0.6 * HOURS * 3600 * 6 * (rating_a // 7) / (6 * cars)


def test_b12_the_same_site_takes_the_same_turns_again() -> None:
    """Deterministic: a replay gives the same order."""
    first, again = waits(station(5, 16.0), 5400), waits(station(5, 16.0), 5400)
    assert first == again


def test_b12_turns_leave_the_class_order_alone() -> None:
    """A waiting guest does not end the turn of a fleet car before its hour."""
    classes = (Priority.FLEET, Priority.GUEST)
    built = site([feeder("grid", 10.0)], [Box(boot_a=0.0, fs_a=0.0, priority=p) for p in classes])
    truth = Truth(built, Random(5))
    for c in built.connectors:
        truth.boxes[c.id].wants = 32.0
        truth.demands[c.id] = Demand(True, 32.0, c.priority, truth.at)
    found = waits(truth, 3500)
    assert [kind for kind, _ in found[built.connectors[0].id]][-1] == "on"
    assert {kind for kind, _ in found[built.connectors[1].id]} == {"off"}


def test_b08_a_higher_class_waits_for_the_minimum_on_time_of_a_lower() -> None:
    """A car that got its floor keeps it for 300 s, whoever comes; then the class order holds."""
    classes = (Priority.GUEST, Priority.FLEET)
    built = site([feeder("grid", 10.0)], [Box(boot_a=0.0, fs_a=0.0, priority=p) for p in classes])
    guest, fleet = (c.id for c in built.connectors)
    truth = Truth(built, Random(5))
    truth.boxes[guest].wants = truth.boxes[fleet].wants = 32.0
    truth.demands[guest] = Demand(True, 32.0, Priority.GUEST, truth.at)
    waits(truth, 60)
    assert truth.boxes[guest].current > 5.0
    truth.demands[fleet] = Demand(True, 32.0, Priority.FLEET, truth.at)
    found = waits(truth, 400)
    assert found[guest][0][0] == "on"
    assert 230 <= found[guest][0][1] <= 270
    assert found[fleet][0][0] == "off"
    assert found[fleet][-1][0] == "on"

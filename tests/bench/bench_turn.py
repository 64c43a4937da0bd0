"""Goal 15: the time of a whole turn, beside one pass that computes a number each.

Processor time: it waits for nothing, and a shared machine must not count against it.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import median
from time import process_time

from siteward.control.decide import decide, restore
from siteward.model.events import ClockQuality
from siteward.model.ids import SessionId
from siteward.model.readings import ChargerReading, MeterReading, Pilot
from siteward.model.recovered import Recovered
from siteward.model.sessions import OrderState, SessionRecord
from siteward.model.site import Site
from siteward.model.snapshot import Snapshot
from siteward.model.wire import FrameKind, FrameStage, WireEvent
from tests.bench.rows import Row
from tests.siteward.control.sites import Box, feeder, site

TURN_MUST_MS = {12: 1.0, 100: 8.0, 500: 40.0}
FLOOR = "one pass that only computes a number per connector"


def bench_site(connectors: int) -> Site:
    """Three levels: grid, one panel per 25 connectors, one row per 5, all of them too small for everybody."""
    nodes = [feeder("grid", 12.0 * connectors, worst=20.0, metered=True)]
    boxes = []
    for i in range(connectors):
        panel, row = f"p{i // 25}", f"r{i // 5}"
        if i % 25 == 0:
            nodes.append(feeder(panel, 320.0, "grid", worst=10.0, metered=True))
        if i % 5 == 0:
            nodes.append(feeder(row, 80.0, panel))
        boxes.append(Box(row, wiring=("123", "231", "312", "1")[i % 4], line=f"b{i // 16}"))
    return site(nodes, boxes)


def _snapshot(built: Site, below: Counter[str], turn: int, rng: Random) -> Snapshot:
    at = 1000.0 + turn
    wire = []
    chargers = {}
    for c in built.connectors:
        amps = round(8.0 + rng.random(), 2)
        chargers[c.id] = ChargerReading(
            c.id, at - 0.4, Pilot.C, True, 9.0, 6.0, 15.0, True, None, (amps, amps, amps), restart_mark=1
        )
        wire.append(WireEvent(c.id, FrameKind.READ, FrameStage.SENT, at - 0.4, None, at - 0.4))
        wire.append(WireEvent(c.id, FrameKind.READ, FrameStage.ANSWERED, at - 0.3, None, at - 0.4))
    meters = {}
    for f in built.feeders:
        if f.meter is not None:
            load = 9.0 * below[f.id] + 3.0
            volts = (230.0 + rng.random(),) * 3
            meters[f.meter] = MeterReading(f.meter, at - 0.2, (load + rng.random(), load, load), volts, None, 50.0)
    wall = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=at)
    return Snapshot(at, wall, ClockQuality.NTP, turn, meters, chargers, wire=tuple(wire))


def _busy(built: Site) -> Recovered:
    """Everybody charges."""
    began = datetime(2026, 1, 1, tzinfo=UTC)
    return Recovered(
        sessions=tuple(
            SessionRecord(SessionId(f"S{i}"), c.id, OrderState.CHARGING, began, "local", started_at=began)
            for i, c in enumerate(built.connectors)
        )
    )


def _time_turns(built: Site, turns: int) -> float:
    """Median ms of one decision, sessions and fuses, on a site where everybody charges; snapshots are made before."""
    rng = Random(7)
    below = Counter(str(node.id) for c in built.connectors for node in built.path(c.feeder))
    snapshots = [_snapshot(built, below, i, rng) for i in range(turns)]
    memory = restore(built, _busy(built), 999.0, datetime(2026, 1, 1, tzinfo=UTC))
    # As core does after its imports (decision 0017): the collector has no business with what lasts.
    gc.collect()
    gc.freeze()
    spent, granted = [], 0
    for snapshot in snapshots:
        begun = process_time()
        decision = decide(built, snapshot, memory)
        spent.append((process_time() - begun) * 1000.0)
        memory = decision.memory
        granted = max(granted, sum(1 for grant in decision.grants.values() if grant.target_a >= 6.0))
    if granted < len(built.connectors) // 2:
        raise AssertionError(f"only {granted} connectors got current: the bench would time an idle site")
    return median(spent[len(spent) // 4 :])


def _best(work: Callable[[], object], times: int) -> float:
    spent = []
    for _ in range(times):
        begun = process_time()
        work()
        spent.append((process_time() - begun) * 1000.0)
    return median(spent)


def measure() -> list[Row]:
    """Rows of goal 15: ours in ms, the peer's floor in ms in the same run."""
    rows = []
    for count, must in TURN_MUST_MS.items():
        built = bench_site(count)
        connectors = built.connectors
        floor = _best(lambda c=connectors: [x.max_a * 0.5 + x.failsafe_a for x in c], 50)
        ours = _time_turns(built, max(24, 2400 // count))
        rows.append(_row(f"whole turn at {count} connectors", ours, floor, must))
    return rows


def _row(metric: str, ours: float, floor: float, must: float) -> Row:
    return Row(15, metric, round(ours, 3), must, "ms", "less", round(floor, 4), FLOOR)

"""Core's trace: one turn a second with what was asked, and the site that it was decided for (law 3, issue 4)."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

from siteward.app.trace import TraceWriter
from siteward.control.decide import decide, restore
from siteward.model.events import ClockQuality
from siteward.model.recovered import Recovered
from siteward.model.snapshot import Snapshot
from siteward.runtime.turn import TurnDone
from siteward.store.trace_read import open_past
from tests.fixtures.station import demo_site

BEGAN = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)


async def test_a_turn_a_second_is_kept_with_wishes_and_site(tmp_path: Path) -> None:
    """Turns in between are not; what the writer left can be replayed without any site file."""
    site = demo_site()
    writer = TraceWriter(site, hours=1)
    writer.start(tmp_path / "trace.db")
    for _ in range(200):
        if writer._opening is not None and writer._opening.done():
            break
        await asyncio.sleep(0.01)
    memory = restore(site, Recovered(), 999.0, BEGAN)
    for i in range(12):
        at = 1000.0 + i * 0.25
        snapshot = Snapshot(at, BEGAN + timedelta(seconds=i * 0.25), ClockQuality.NTP, i + 1)
        decision = decide(site, snapshot, memory)
        memory = decision.memory
        writer.put(TurnDone(snapshot, decision, 0.001))
    await writer.close()
    with open_past(tmp_path / "trace.db") as past:
        assert [recorded.snapshot.turn for _, recorded in past.rows(past.first, past.last)] == [1, 5, 9]
        told = [set(recorded.why) for _, recorded in past.rows(past.first, past.last)]
        assert told == [{c.id for c in site.connectors}, set(), set()], "a chain is kept when it changed"
        assert all(recorded.demands == {} for _, recorded in past.rows(past.first, past.last))
        assert [(number, era.hash) for number, era in past.sites()] == [(1, site.hash)]

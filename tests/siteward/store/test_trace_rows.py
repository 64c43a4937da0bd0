"""The trace keeps a turn so that it can be decided again: picture, wishes, limits and site (law 2)."""

import zlib
from datetime import UTC, datetime

import pytest

from siteward.control.demand import Demand
from siteward.control.record import Recorded
from siteward.model.errors import StoreError
from siteward.model.events import ClockQuality
from siteward.model.ids import CommandId, ConnectorId, FeederId, MeterId
from siteward.model.limits import Cause, CauseStep, Grant, Limit, LimitSource
from siteward.model.points import InputReading, PointName
from siteward.model.readings import ChargerReading, MeterReading, Pilot
from siteward.model.requests import CommandName, Request, Source
from siteward.model.site import Priority
from siteward.model.snapshot import Snapshot
from siteward.model.wire import FrameKind, FrameStage, WireEvent
from siteward.store.trace_rows import decode, decode_site, encode, encode_site
from tests.fixtures.station import demo_site

AT = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
SNAPSHOT = Snapshot(
    at=1000.25,
    wall=AT,
    clock=ClockQuality.RTC,
    turn=7,
    meters={MeterId("m"): MeterReading(MeterId("m"), 999.5, current_a=(1.5, 2.0, 0.0), rejected=("voltage_l1",))},
    chargers={ConnectorId("A1"): ChargerReading(ConnectorId("A1"), 999.0, pilot=Pilot.C, measured_a=(6.0, 0.0, 0.0))},
    misses={ConnectorId("A1"): 1},
    wire=(WireEvent(ConnectorId("A1"), FrameKind.LIMIT, FrameStage.ANSWERED, 999.9, 6.0, 999.8, 6),),
    requests=(Request(CommandId("c-1"), CommandName.STOP_CHARGE, Source.CLOUD, 999.9, AT, params={"orderId": "o"}),),
    commit_age_s=0.5,
    inputs={PointName("io.in_1"): InputReading(PointName("io.in_1"), True, 999.7, edges=2)},
    entropy=bytes(range(246, 256)),
)


WHY = (CauseStep(Cause.FAIR_SHARE, 8.0, FeederId("grid")), CauseStep(Cause.GRID, 20.0, FeederId("grid"), "dso"))
GRANT = Grant(ConnectorId("A1"), 8.0, 8.0, None, 32.0, True, False, WHY)
RECORDED = Recorded(
    SNAPSHOT,
    {ConnectorId("A1"): Demand(wants=True, max_a=16.0, priority=Priority.FLEET, waiting_since=990.5)},
    (Limit("l-1", LimitSource.CLOUD, (40.0, 40.0, 40.0), FeederId("grid"), ends_at=2000.0),),
    {GRANT.connector: GRANT},
)


def test_law_2_a_turn_comes_back_as_it_was():
    """With the cause chains of the grants that changed (B15)."""
    assert decode(encode(RECORDED)) == RECORDED


def test_a_row_of_an_older_program_says_nothing_of_wishes():
    """Not no wish: replay must know the difference (law 5)."""
    old = zlib.decompress(encode(Recorded(SNAPSHOT)))
    assert b"demands" not in old
    assert decode(zlib.compress(old)) == Recorded(SNAPSHOT, None, ())


def test_law_2_a_site_comes_back_with_all_that_a_turn_asks_of_it():
    site = demo_site()
    again = decode_site(encode_site(site))
    assert again.connectors == site.connectors
    assert (again.feeders, again.meters, again.limits, again.hash) == (
        site.feeders,
        site.meters,
        site.limits,
        site.hash,
    )


@pytest.mark.parametrize("blob", [b"", b"junk", zlib.compress(b"{}"), encode(RECORDED)[:-3]])
def test_damaged_bytes_are_refused(blob):
    with pytest.raises(StoreError, match="no snapshot"):
        decode(blob)
    with pytest.raises(StoreError, match="no site"):
        decode_site(blob)

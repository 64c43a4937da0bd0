"""The trace keeps a snapshot so that it can be decided again, entropy and undefined values included (law 2)."""

import zlib
from datetime import UTC, datetime

import pytest

from siteward.app.trace import decode, decode_why, encode
from siteward.model.errors import StoreError
from siteward.model.events import ClockQuality
from siteward.model.ids import CommandId, ConnectorId, FeederId, MeterId
from siteward.model.limits import Cause, CauseStep, Grant
from siteward.model.points import InputReading, PointName
from siteward.model.readings import ChargerReading, MeterReading, Pilot
from siteward.model.requests import CommandName, Request, Source
from siteward.model.snapshot import Snapshot
from siteward.model.wire import FrameKind, FrameStage, WireEvent

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


def test_law_2_a_snapshot_comes_back_as_it_was():
    assert decode(encode(SNAPSHOT)) == SNAPSHOT


def test_b15_the_cause_chain_stays_in_history():
    """Every grant that changed comes back with its whole chain; a row of an older version has none."""
    steps = (CauseStep(Cause.FAIR_SHARE, 8.0, FeederId("grid")), CauseStep(Cause.GRID, 20.0, FeederId("grid"), "dso"))
    grant = Grant(ConnectorId("A1"), 8.0, 8.0, None, 32.0, True, False, steps)
    blob = encode(SNAPSHOT, {grant.connector: grant})
    assert decode(blob) == SNAPSHOT
    assert decode_why(blob) == {grant.connector: grant}
    assert decode_why(encode(SNAPSHOT)) == {}


@pytest.mark.parametrize("blob", [b"", b"junk", zlib.compress(b"{}"), encode(SNAPSHOT)[:-3]])
def test_damaged_bytes_are_refused(blob):
    with pytest.raises(StoreError, match="no snapshot"):
        decode(blob)

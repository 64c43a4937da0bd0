"""The platform's SDK: what is new, what is double, what was tampered with, what is missing."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from siteward.client.canonical import FIRST_HASH, event_hash
from siteward_sync.chain import BrokenChain
from siteward_sync.codec import Opened, open_envelope, seal
from siteward_sync.errors import BadMessage
from siteward_sync.receiver import Position, Records, RecordsFailed, take_batch
from siteward_sync.receiver.intake import START, rest

WALL = datetime(2026, 5, 1, 8, tzinfo=UTC)


def chain(count: int) -> list[dict[str, Any]]:
    """A good journal."""
    events: list[dict[str, Any]] = []
    before = FIRST_HASH
    for seq in range(1, count + 1):
        event = {
            "seq": seq,
            "type": "connector.status",
            "occurredAt": "2026-05-01T08:00:00.000Z",
            "clock": "ntp",
            "connectorId": "A01-1",
            "data": {"status": "可用", "current_a": 16.0},
            "prevHash": before,
        }
        before = event["hash"] = event_hash(event, "J1")  # type: ignore[assignment]
        events.append(event)
    return events


def message(events: list[dict[str, Any]], acked: int = 0, station: str = "S-1") -> bytes:
    """A batch on the wire."""
    payload = json.dumps({"journalId": "J1", "ackedSeq": acked, "events": events}).encode()
    return seal(station, "m-1", WALL, payload)


def batch(events: list[dict[str, Any]], acked: int = 0) -> Opened:
    """A batch, opened."""
    return open_envelope(message(events, acked), limit=1 << 20)


def test_only_what_is_new_is_taken_and_only_without_a_hole_it_counts() -> None:
    """Duplicates are left out; a batch that is ahead moves nothing: the ack stays contiguous."""
    events = chain(9)
    first = take_batch(batch(events[:5]), START)
    assert [e["seq"] for e in first.new] == [1, 2, 3, 4, 5]
    again = take_batch(batch(events[2:7]), first.position)
    assert [e["seq"] for e in again.new] == [6, 7]
    ahead = take_batch(batch(events[8:]), again.position)
    assert (ahead.new, ahead.position.seq, ahead.gap) == ((), 7, None)


@pytest.mark.parametrize("change", ["data", "prevHash", "hash", "order"])
def test_tampering_is_evident(change: str) -> None:
    """A changed value, a forged link, a forged hash, a removed event: nothing of the batch is taken."""
    events = chain(6)
    if change == "data":
        events[3]["data"] = {"status": "Faulted"}
    elif change == "prevHash":
        events[3]["prevHash"] = "f" * 64
        events[3]["hash"] = event_hash(events[3], "J1")
    elif change == "hash":
        events[3]["hash"] = "f" * 64
    else:
        other = chain(7)[6] | {"seq": 4}
        events[3] = other | {"hash": event_hash(other, "J1")}
    with pytest.raises(BrokenChain, match="event 4"):
        take_batch(batch(events), START)


def test_a_stub_keeps_sequence_and_chain() -> None:
    """Parked or expired events leave seq and hash; the next event still has to follow it."""
    events = chain(4)
    events[1] = {"seq": 2, "type": "journal.stub", "reason": "retention", "hash": events[1]["hash"]}
    assert take_batch(batch(events), START).position == Position(4, events[3]["hash"])
    events[1]["hash"] = "e" * 64
    with pytest.raises(BrokenChain, match="event 3"):
        take_batch(batch(events), START)


def test_a_platform_that_lost_its_records_says_so_and_goes_on() -> None:
    """The station may no longer have what was acknowledged: the hole is kept on record, the flow goes on."""
    events = chain(9)
    taken = take_batch(batch(events[5:], acked=5), Position(2, events[1]["hash"]))
    assert taken.gap == (3, 5)
    assert [e["seq"] for e in taken.new] == [6, 7, 8, 9]


def test_a_batch_with_a_hole_inside_is_refused() -> None:
    """The contract promises contiguous seq."""
    events = chain(4)
    with pytest.raises(BadMessage, match="contiguous"):
        take_batch(batch([events[0], events[2]]), START)


@pytest.mark.parametrize(
    ("filled", "left"),
    [((), ((3, 9),)), ((3,), ((4, 9),)), ((9, 2, 10), ((3, 8),)), ((5, 6), ((3, 4), (7, 9))), (range(1, 20), ())],
)
def test_what_is_left_of_a_gap(filled: Sequence[int], left: tuple[tuple[int, int], ...]) -> None:
    """Contract section 4: what a platform has lost is on record to the last event."""
    assert rest((3, 9), filled) == left


def test_what_was_lost_comes_back_when_it_is_asked_for(tmp_path: Path) -> None:
    """Contract section 4, S-15: bills of before can be recomputed again; a forged event is no substitute."""
    events, topic = chain(9), "siteward/v1/S-1/up/events"
    records = Records(tmp_path / "p.db")
    records.store([(topic, message(events[:2])), (topic, message(events[6:], acked=6))])
    assert records.gaps("S-1") == [("J1", 3, 6)]
    records.store([(topic, message([events[2], events[3] | {"data": {}}], acked=9))])
    assert records.gaps("S-1") == [("J1", 3, 6)]
    records.store([(topic, message(events[3:5], acked=9))])
    assert records.gaps("S-1") == [("J1", 3, 3), ("J1", 6, 6)]
    stored = records.store([(topic, message(events, acked=9)), (topic, message(events, acked=9))])
    assert (records.gaps("S-1"), records.events("S-1"), stored.positions) == ([], events, {("S-1", "J1"): 9})
    assert records.journals("S-1") == ["J1"]
    assert records.events("S-1", after=7, journal="J1") == events[7:]
    assert records.events("S-1", journal="J2") == []
    records.close()


def test_records_take_the_good_and_keep_the_bad_apart(tmp_path: Path) -> None:
    """One bad message never stops the others of its transaction, and is never acknowledged."""
    records = Records(tmp_path / "p.db")
    events = chain(6)
    topic = "siteward/v1/S-1/up/events"
    forged = [*events[:3], events[3] | {"data": {}}]
    stored = records.store(
        [
            (topic, b"rubbish"),
            (topic, message(forged)),
            ("siteward/v1/S-2/up/events", message(events)),
            (topic, message(events[:2])),
            (topic, message(events)),
            ("siteward/v1/S-1/up/history", message(events)),
        ]
    )
    assert stored.positions == {("S-1", "J1"): 6}
    assert [code for _, code, _ in records.refused()] == ["MALFORMED", "BROKEN_CHAIN", "WRONG_STATION"]
    assert records.events("S-1") == events
    assert records.events("S-2") == []
    records.close()
    with pytest.raises(RecordsFailed):
        Records(tmp_path)

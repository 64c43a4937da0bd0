"""The event hash of contract section 4."""

import hashlib

import pytest

from siteward.client.canonical import FIRST_HASH, NotCanonical, canonical, event_hash

EVENT = {
    "type": "connector.status",
    "seq": 7,
    "occurredAt": "2026-05-01T08:00:00.000Z",
    "clock": "ntp",
    "connectorId": "A01-1",
    "data": {"status": "Charging", "current_a": 16.0, "name": "充"},
    "prevHash": FIRST_HASH,
}


def test_hash_is_sha256_over_sorted_json_with_the_journal_added() -> None:
    """Written out by hand: keys sorted, 16.0 as 16, UTF-8 as it is, journalId inside, hash outside."""
    text = (
        '{"clock":"ntp","connectorId":"A01-1","data":{"current_a":16,"name":"充","status":"Charging"},'
        '"journalId":"J1","occurredAt":"2026-05-01T08:00:00.000Z","prevHash":"' + FIRST_HASH + '",'
        '"seq":7,"type":"connector.status"}'
    )
    expected = hashlib.sha256(text.encode()).hexdigest()
    assert event_hash(EVENT, "J1") == expected
    assert event_hash({**EVENT, "hash": "whatever"}, "J1") == expected
    assert event_hash(EVENT, "J2") != expected


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 2**60])
def test_what_has_no_canonical_form_is_refused(bad: object) -> None:
    """NaN, infinity and integers that other readers would round never enter a hash."""
    with pytest.raises(NotCanonical):
        canonical({"value": bad})

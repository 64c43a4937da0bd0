"""A controller that dies again and again before it acts must let the chargers' watchdogs end (R2, R7, I4)."""

import os
from datetime import UTC, datetime

import pytest

from siteward.model.ids import ConnectorId
from siteward.model.recovered import LedgerEntry, Recovered
from siteward.model.wire import WriteKind
from siteward.runtime.starts import StartRecord, birth, first_words, last_alive, silence_s
from tests.fixtures.sites import two_connector_site

CONNECTORS = two_connector_site().connectors


def test_r7_two_starts_that_died_early_silence_the_third(tmp_path):
    path = tmp_path / "starts.json"
    silences = [silence_s(CONNECTORS, StartRecord(path).begin(now)) for now in (100.0, 101.0, 102.0, 130.0)]
    assert silences == [0.0, 0.0, 15.0 * 1.1 + 10.0, 15.0 * 1.1 + 10.0]


def test_a_steady_run_forgives_what_was_before(tmp_path):
    path = tmp_path / "starts.json"
    for now in (100.0, 101.0):
        record = StartRecord(path)
        record.begin(now)
    record.steady(9.9)
    assert StartRecord(path).begin(102.0) == 2
    record.steady(10.0)
    assert StartRecord(path).begin(103.0) == 0


def test_old_starts_and_those_of_another_boot_do_not_count(tmp_path):
    path = tmp_path / "starts.json"
    StartRecord(path).begin(5000.0)
    StartRecord(path).begin(5001.0)
    assert StartRecord(path).begin(20.0) == 0
    assert StartRecord(path).begin(621.0) == 0


@pytest.mark.parametrize("junk", [b"", b"{}", b"[1, ", b'["a", null]', bytes(range(256))])
def test_a_damaged_record_counts_as_none(tmp_path, junk):
    path = tmp_path / "starts.json"
    path.write_bytes(junk)
    assert StartRecord(path).begin(10.0) == 0
    assert StartRecord(path).begin(11.0) == 1


def test_a_disk_that_refuses_does_not_stop_the_start(tmp_path):
    assert StartRecord(tmp_path / "missing" / "starts.json").begin(1.0) == 0


def test_r7_a_loop_slowed_by_its_own_silences_stays_noticed(tmp_path):
    """The longest watchdog (65 s, half as long again): 110 s of silence and 9 s of life each."""
    path = tmp_path / "starts.json"
    before = [StartRecord(path).begin(100.0 + n * 120.0) for n in range(8)]
    assert min(before[2:]) >= 2


def test_r2_after_a_silence_the_first_words_are_the_last_limit_or_the_failsafe_and_never_more():
    rows = (LedgerEntry(ConnectorId("A1"), 6.0, 16.0),)
    words = {w.connector: w for w in first_words(CONNECTORS, Recovered(ledger=rows), 50.0)}
    assert {c: w.value_a for c, w in words.items()} == {"A1": 6.0, "A2": 0.0}, "an unknown last limit is a pause"
    assert {w.kind for w in words.values()} == {WriteKind.LIMIT}
    assert not any(w.raises for w in words.values())
    paused = (LedgerEntry(ConnectorId("A1"), 0.0, None),)
    assert first_words(CONNECTORS, Recovered(ledger=paused), 50.0)[0].value_a == 0.0


def test_the_last_record_of_the_life_before_says_until_when_it_lived(tmp_path):
    """S-26: the lock of this life and files of others say nothing."""
    assert last_alive(tmp_path / "none") is None
    for name, at in (("siteward.db", 100), ("siteward.db-wal", 220), ("trace.db", 190), ("siteward.db.lock", 900)):
        (tmp_path / name).write_text("x")
        os.utime(tmp_path / name, (at, at))
    assert last_alive(tmp_path) == datetime(1970, 1, 1, 0, 3, 40, tzinfo=UTC)


def test_the_first_word_of_a_life(tmp_path):
    """S-26: who begins here, and until when the last one is known to have lived."""
    site, now = two_connector_site(), datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert birth(site, "1.2", now, None).data == {"software": "1.2", "siteHash": site.hash}
    told = birth(site, "1.2", now, datetime(2026, 3, 1, 7, tzinfo=UTC))
    assert (told.occurred_at, told.data["aliveAt"]) == (now, "2026-03-01T07:00:00.000Z")

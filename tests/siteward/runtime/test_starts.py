"""A controller that dies again and again before it acts must let the chargers' watchdogs end (R2, R7, I4)."""

import pytest

from siteward.runtime.starts import StartRecord, silence_s
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
    assert StartRecord(path).begin(200.0) == 0


@pytest.mark.parametrize("junk", [b"", b"{}", b"[1, ", b'["a", null]', bytes(range(256))])
def test_a_damaged_record_counts_as_none(tmp_path, junk):
    path = tmp_path / "starts.json"
    path.write_bytes(junk)
    assert StartRecord(path).begin(10.0) == 0
    assert StartRecord(path).begin(11.0) == 1


def test_a_disk_that_refuses_does_not_stop_the_start(tmp_path):
    assert StartRecord(tmp_path / "missing" / "starts.json").begin(1.0) == 0

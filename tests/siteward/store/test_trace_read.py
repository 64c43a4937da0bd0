"""A trace is read beside core and as a copy, unchanged, and says for which site it was written (law 9, fault 55)."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from siteward.control.record import Recorded
from siteward.model.errors import StoreError
from siteward.model.events import ClockQuality
from siteward.model.snapshot import Snapshot
from siteward.store.trace import open_trace
from siteward.store.trace_read import open_past
from siteward.store.trace_rows import encode, encode_site
from tests.fixtures.recorded import write_trace
from tests.fixtures.station import demo_site

BEGAN = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)


def turns(count: int, begin: int = 0) -> list[Recorded]:
    """Turns a second apart."""
    return [
        Recorded(Snapshot(1000.0 + i, BEGAN + timedelta(seconds=i), ClockQuality.NTP, i + 1), {})
        for i in range(begin, begin + count)
    ]


def test_turns_are_found_by_their_time(tmp_path: Path) -> None:
    """Contract of --from and --to: the first turn at or after a time, behind the last where there is none."""
    path = write_trace(tmp_path / "t.db", [(demo_site(), turns(1200))])
    with open_past(path) as past:
        assert (past.first, past.last) == (1, 1200)
        assert past.find(BEGAN - timedelta(days=1)) == 1
        assert past.find(BEGAN + timedelta(seconds=99.5)) == 101
        assert past.find(BEGAN + timedelta(days=1)) == 1201
        assert [n for n, _ in past.rows(600, 1150)] == list(range(600, 1151))
        assert past.moment(101) == BEGAN + timedelta(seconds=100)


async def test_core_goes_on_writing_while_a_trace_is_read(tmp_path: Path) -> None:
    """Law 9: read-only beside core; each site of the trace stands with the first turn that was decided for it."""
    path = tmp_path / "trace.db"
    site = demo_site()
    trace = await open_trace(path)
    await trace.begin(site.hash, encode_site(site))
    for turn in turns(5):
        trace.append(turn.snapshot.turn, turn.snapshot.at, encode(turn))
    await trace.flush()
    with open_past(path) as past:
        trace.append(6, 1006.0, encode(turns(1, 5)[0]))
        await trace.flush()
        assert [recorded.snapshot.turn for _, recorded in past.rows(1, 99)] == [1, 2, 3, 4, 5, 6]
        assert [(number, era.hash) for number, era in past.sites()] == [(1, site.hash)]
    await trace.close()
    again = await open_trace(path)
    await again.begin(site.hash, encode_site(site))
    await again.begin("other", encode_site(site))
    await again.begin("other", encode_site(site))
    await again.close()
    before = path.read_bytes()
    with open_past(path) as past:
        assert [number for number, _ in past.sites()] == [1, 7]
        past.copy(tmp_path / "away.db")
        with pytest.raises(StoreError, match="already"):
            past.copy(tmp_path / "away.db")
    assert path.read_bytes() == before
    with open_past(tmp_path / "away.db") as past:
        assert past.last == 6
        assert len(past.sites()) == 2
    assert {p.name for p in tmp_path.iterdir()} == {"trace.db", "away.db"}


async def test_a_site_leaves_the_ring_with_its_last_turn(tmp_path: Path) -> None:
    """The trace does not grow by a site for each start: those that no kept turn needs are dropped (fault 55)."""
    trace = await open_trace(tmp_path / "trace.db", ring_s=100.0)
    for era in range(5):
        await trace.begin(f"hash-{era}", encode_site(demo_site()))
        for turn in turns(60, era * 60):
            trace.append(turn.snapshot.turn, turn.snapshot.at, encode(turn))
        await trace.flush()
    await trace.close()
    with open_past(tmp_path / "trace.db") as past:
        numbers = [number for number, _ in past.sites()]
        assert numbers == [181, 241]
        assert past.first > 181


def test_a_trace_of_an_older_program_has_no_site(tmp_path: Path) -> None:
    """Schema 1 had turns only; it is still read."""
    path = write_trace(tmp_path / "t.db", [(None, turns(3))])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE site")
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
    with open_past(path) as past:
        assert past.sites() == ()
        assert past.last == 3


@pytest.mark.parametrize("content", [None, b"", b"\xff" * 5000])
def test_what_is_no_trace_is_said_to_be_none(tmp_path: Path, content: bytes | None) -> None:
    """Contract section 3: missing, empty or damaged, one sentence that names the file."""
    path = tmp_path / "t.db"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StoreError, match=r"t\.db"), open_past(path):
        pass


def test_an_empty_trace_says_when_core_writes(tmp_path: Path) -> None:
    """Just started: the first half minute stands in memory."""
    path = write_trace(tmp_path / "t.db", [(demo_site(), [])])
    with pytest.raises(StoreError, match="every 30 s"), open_past(path):
        pass

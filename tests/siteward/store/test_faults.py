"""A disk that fails while the store runs: mapped errors, nothing half written, work goes on when the disk is back."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from siteward.model.errors import StoreError
from siteward.store import db as db_module
from siteward.store.open import open_store
from siteward.store.store import Store
from siteward.store.trace import open_trace
from tests.fixtures.clock import RealClock
from tests.fixtures.store import batch, request, session, status


def disk_error(code: int) -> sqlite3.OperationalError:
    """An error as sqlite3 raises it."""
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    error.sqlite_errorname = "SQLITE_TEST"
    return error


class Failing:
    """A connection whose COMMIT fails `times` times with a code, before or after SQLite did it."""

    def __init__(self, connection: sqlite3.Connection, fail: Callable[[], None]) -> None:
        self._connection = connection
        self._fail = fail

    def execute(self, sql: str, *values: Any) -> Any:
        if sql == "COMMIT":
            self._fail()
        return self._connection.execute(sql, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def fail_commits(monkeypatch: pytest.MonkeyPatch, code: int, times: int) -> list[int]:
    """Let the next commits fail; returns the list of those that did."""
    failed: list[int] = []
    group = db_module._group

    def fail() -> None:
        if len(failed) < times:
            failed.append(code)
            raise disk_error(code)

    monkeypatch.setattr(db_module, "_group", lambda connection, works: group(Failing(connection, fail), works))  # type: ignore[arg-type]
    return failed


async def test_io_error_is_mapped_and_the_connection_is_new_before_the_next_write(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault 54: reopen, verify, never retry blindly; the failed batch left nothing, its retry writes it once."""
    await store.commit(batch(status(1)))
    before = store._db._writer
    failed = fail_commits(monkeypatch, sqlite3.SQLITE_IOERR_FSYNC, 1)
    one = batch(status(2), sessions=(session(1),))
    with pytest.raises(StoreError, match="disk I/O error"):
        await store.commit(one)
    assert len(failed) == 1
    assert store.last_seq == 1
    assert await store.session(session(1).id) is None
    assert await store.commit(one) == 2
    assert store._db._writer is not before
    assert (await store.verify()).events == 2


async def test_all_callers_of_a_failed_commit_hear_of_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Group commit: no caller of a shared transaction is told that its rows are durable."""
    fail_commits(monkeypatch, sqlite3.SQLITE_READONLY, 1)
    results = await asyncio.gather(*(store.accept(request(f"c-{n}"), b"") for n in range(5)), return_exceptions=True)
    assert all(isinstance(result, StoreError) for result in results)
    assert await asyncio.gather(*(store.accept(request(f"c-{n}"), b"") for n in range(5))) == [None] * 5


async def test_full_disk_takes_the_ballast_and_the_commit_succeeds(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fault 52: the reserve is given back and the same transaction is tried once more; then it is a StoreError."""
    assert store.ballast_loaded
    fail_commits(monkeypatch, sqlite3.SQLITE_FULL, 2)
    with pytest.raises(StoreError):
        await store.commit(batch(status(1)))
    assert not store.ballast_loaded
    assert await store.commit(batch(status(1))) == 1
    await store.tidy()
    assert store.ballast_loaded
    fail_commits(monkeypatch, sqlite3.SQLITE_FULL, 1)
    assert await store.commit(batch(status(2))) == 2
    assert not store.ballast_loaded


async def test_no_folder_no_store(tmp_path: Path, clock: RealClock) -> None:
    """A disk that cannot be used is a StoreError, so that core starts in bare protection."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError):
        await open_store(tmp_path / "file" / "siteward.db", clock)
    (tmp_path / "siteward.db").mkdir()
    with pytest.raises(StoreError):
        await open_store(tmp_path / "siteward.db", clock)


async def test_a_slow_reader_never_delays_a_commit(store: Store) -> None:
    """I17: history is read on its own connection."""
    for number in range(50):
        await store.commit(batch(status(number)))
    slow = asyncio.create_task(
        store._db.read(
            lambda connection: connection.execute(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) SELECT max(i) FROM n"
            ).fetchone()
        )
    )
    await asyncio.sleep(0.02)
    await store.commit(batch(status(99)))
    assert not slow.done()
    assert await slow == (3_000_000,)


async def test_readers_cannot_write(store: Store) -> None:
    """Finding 10: exactly one writing connection."""
    with pytest.raises(StoreError, match="readonly"):
        await store._db.read(lambda connection: connection.execute("DELETE FROM journal"))


async def test_trace_is_a_ring_that_survives_restarts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trace keeps 24 h in its own file, in batches; a damaged one is thrown away."""
    path = tmp_path / "trace.db"
    trace = await open_trace(path)
    for turn in range(10):
        trace.append(turn, 1000.0 + turn, b"snapshot %d" % turn)
    rows = await trace.read(limit=3)
    assert [(row.turn, row.blob) for row in rows] == [(n, b"snapshot %d" % n) for n in (7, 8, 9)]
    trace.append(10, 1000.0 + 24 * 3600 + 5, b"a day later")
    assert [row.turn for row in await trace.read()] == [5, 6, 7, 8, 9, 10]
    await trace.close()
    again = await open_trace(path)
    assert len(await again.read()) == 6
    await again.close()
    path.write_bytes(b"\xff" * 5000)
    fresh = await open_trace(path)
    assert await fresh.read() == ()
    await fresh.close()


async def test_trace_never_stops_the_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that takes nothing costs old snapshots, never an exception in append."""
    trace = await open_trace(tmp_path / "trace.db")
    fail_commits(monkeypatch, sqlite3.SQLITE_FULL, 2)
    for turn in range(700):
        trace.append(turn, float(turn), b"x")
    assert trace.dropped == 100
    with pytest.raises(StoreError):
        await trace.flush()
    rows = await trace_after_failure(trace)
    assert rows == 600
    await trace.close()


async def trace_after_failure(trace: Any) -> int:
    """Number of snapshots once the disk is back."""
    with pytest.raises(StoreError):
        await trace.flush()
    return len(await trace.read())

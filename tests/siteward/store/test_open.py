"""Opening: one core only, schema steps, damage found, set aside and salvaged, never silent."""

import asyncio
import json
import os
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from siteward.model.alarms import STATION, Alarm, AlarmCode
from siteward.model.errors import ConfigError, StoreError
from siteward.model.requests import Role, Source, Stage
from siteward.model.sessions import OrderState
from siteward.model.users import User
from siteward.store import migrate as migrate_module
from siteward.store import open as open_module
from siteward.store.journal import verify
from siteward.store.lock import InstanceLock
from siteward.store.migrate import migrate
from siteward.store.offline import offline
from siteward.store.open import lock_path, open_store
from siteward.store.quarantine import note_path
from siteward.store.soundness import mark_path
from siteward.store.store import Store
from tests.fixtures.clock import RealClock
from tests.fixtures.store import batch, finish, request, session, status

PAGE = 4096


async def test_second_instance_is_refused_by_name(tmp_path: Path, clock: RealClock) -> None:
    """Fault 65: flock refuses, says who holds it; also to another process."""
    path = tmp_path / "siteward.db"
    store = await open_store(path, clock)
    with pytest.raises(ConfigError, match=r"another siteward core works here \(process \d+\)"):
        await open_store(path, clock)
    code = "import sys, pathlib\nfrom siteward.store.lock import InstanceLock\nInstanceLock(pathlib.Path(sys.argv[1]))"
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(lock_path(path)), stderr=asyncio.subprocess.PIPE,
        env={"PYTHONPATH": "edge"},
    )  # fmt: skip
    _, err = await other.communicate()
    assert other.returncode == 1
    assert b"another siteward core" in err
    await store.close()
    again = await open_store(path, clock)
    await again.close()


async def test_stale_lock_file_locks_nobody_out(tmp_path: Path, clock: RealClock) -> None:
    """Fault 65: the number of a dead process in the file means nothing."""
    path = lock_path(tmp_path / "siteward.db")
    path.write_text("1")
    store = await open_store(tmp_path / "siteward.db", clock)
    assert path.read_text() == str(os.getpid())
    await store.close()


async def test_lock_may_be_taken_before_the_wires_are_opened(tmp_path: Path, clock: RealClock) -> None:
    """The app locks first, opens buses, then the store; a failed opening leaves the lock with the app."""
    path = tmp_path / "siteward.db"
    with InstanceLock(lock_path(path)) as lock:
        store = await open_store(path, clock, lock)
        await store.close()
        with pytest.raises(ConfigError):
            InstanceLock(lock_path(path))


async def test_newer_database_is_refused_and_untouched(tmp_path: Path, clock: RealClock) -> None:
    """A program that was rolled back must not write into a schema that it does not know."""
    path = tmp_path / "siteward.db"
    store = await open_store(path, clock)
    await store.close()
    with closing(sqlite3.connect(path)) as connection:
        (own,) = connection.execute("PRAGMA user_version").fetchone()
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError, match="schema 99"):
        await open_store(path, clock)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {own:d}")
    store = await open_store(path, clock)
    await store.close()


def test_failed_schema_step_is_rolled_back_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step is one transaction with its own version."""
    good = "CREATE TABLE a (x INTEGER) STRICT;"
    bad = "CREATE TABLE b (x INTEGER) STRICT;\nCREATE TABLE a (y INTEGER) STRICT;"
    monkeypatch.setattr(migrate_module, "_steps", lambda _: [good, bad])
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection)
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        tables = connection.execute("SELECT name FROM sqlite_schema").fetchall()
        assert tables == [("a",)]


async def filled(path: Path, clock: RealClock, sessions: int = 400) -> Store:
    """A store with enough in it to have many pages: sessions 0..n-1 finished, the first half acknowledged."""
    store = await open_store(path, clock)
    for number in range(sessions):
        await store.commit(finish(number))
    await store.commit(batch(sessions=(session(9999),)))
    await store.put_user(User("ann", Role.INSTALLER, "hash"), None, Source.CLI)
    await store.accept(request("c-open"), b"raw")
    await store.ack(store.journal_id, sessions // 2)
    return store


def header(path: Path) -> None:
    """The file is no SQLite database any more."""
    with path.open("r+b") as file:
        file.write(b"\xff" * 100)


def cut_short(path: Path) -> None:
    """The last third is gone."""
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size * 2 // 3 // PAGE * PAGE)


def leaf(table: str) -> Callable[[Path], None]:
    """Damage that overwrites one leaf page of a table in the middle."""

    def damage(path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection:
            root = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()[0]
        raw = path.read_bytes()
        top = raw[(root - 1) * PAGE : root * PAGE]
        assert top[0] in (2, 5), "the table has interior pages"
        cells = int.from_bytes(top[3:5], "big")
        at = int.from_bytes(top[12 + cells : 14 + cells], "big") if cells % 2 == 0 else None
        at = at or int.from_bytes(top[12:14], "big")
        child = int.from_bytes(top[at : at + 4], "big")
        with path.open("r+b") as file:
            file.seek((child - 1) * PAGE)
            file.write(b"\x00" * PAGE)

    return damage


DAMAGE: dict[str, Callable[[Path], None]] = {
    "header": header,
    "cut short": cut_short,
    "journal leaf": leaf("journal"),
    "sessions leaf": leaf("sessions"),
}


async def started_until_salvaged(path: Path, clock: RealClock, epoch: str) -> tuple[Store, int]:
    """Start as often as it takes, each time until the whole file was read; the store, and the starts it took.

    What control needs is read at once; damage elsewhere is found beside it, told, and taken care of by the next start.
    """
    for starts in (1, 2):
        store = await open_store(path, clock)
        if store.journal_id != epoch:
            assert store.alarms == {Alarm(AlarmCode.STORE_SALVAGED, STATION)}
            return store, starts
        try:
            assert "quick_check" in await store.checked()
            assert store.alarms == {Alarm(AlarmCode.STORE_DAMAGED, STATION)}
        finally:
            await store.close()
        assert "quick_check" in mark_path(path).read_text()
    raise AssertionError("two starts, and the damaged file is still in use")


@pytest.mark.parametrize("what", DAMAGE)
async def test_damage_is_found_set_aside_and_never_silent(tmp_path: Path, clock: RealClock, what: str) -> None:
    """Fault 55: found at start, quarantine, salvage, new epoch; I5: unacknowledged sessions are not lost."""
    path = tmp_path / "siteward.db"
    first = await filled(path, clock)
    epoch = first.journal_id
    await first.close()
    DAMAGE[what](path)
    second, starts = await started_until_salvaged(path, clock, epoch)
    assert starts == 1 or what in ("journal leaf", "sessions leaf", "cut short")
    assert not mark_path(path).exists()
    assert await second.checked() == ""
    events = [json.loads(text) for text in (await second.events(0, 1000)).texts]
    assert events[0]["type"] == "audit.salvaged"
    report = events[0]["data"]
    aside = tmp_path / report["setAside"] / "siteward.db"
    assert aside.exists()
    assert (await second.verify()).ok
    if what != "header":
        finished = [e["sessionId"] for e in events if e["type"] == "session.finished"]
        expected = {session(n).id for n in range(200, 400)}
        assert len(finished) == len(set(finished))
        if what == "journal leaf":
            assert set(finished) == expected
            assert report["lostEvents"] > 0
        else:
            assert set(finished) <= expected
            assert report["events"] == len(events) - 1 - (len(finished) - report_finished(events))
        assert events[1]["data"]["salvagedFrom"]["journalId"] == epoch
    await second.commit(batch(status(1)))
    await second.close()
    third = await open_store(path, clock)
    assert third.journal_id == second.journal_id
    assert third.alarms == frozenset()
    await third.close()


def report_finished(events: list[dict[str, object]]) -> int:
    """Finished events that were read from the old journal, not refounded from a session's row."""
    return sum(
        event["type"] == "session.finished" and event["data"]["salvagedFrom"]["seq"] is not None  # type: ignore[index]
        for event in events
    )


async def test_salvage_takes_over_what_stands(tmp_path: Path, clock: RealClock) -> None:
    """Users, open sessions, the inbox and acknowledgements live on in the new epoch."""
    path = tmp_path / "siteward.db"
    first = await filled(path, clock)
    await first.close()
    leaf("journal")(path)
    second, _ = await started_until_salvaged(path, clock, first.journal_id)
    assert await second.users() == (User("ann", Role.INSTALLER, "hash"),)
    found = await second.recover()
    assert session(9999) in found.sessions
    assert [r.id for r in found.unfinished] == ["c-open"]
    known = await second.accept(request("c-open"), b"raw")
    assert known is not None
    assert known.stage is Stage.RECEIVED
    assert set(await second.settled()) == {session(n).id for n in range(200)}
    await second.ack(second.journal_id, second.last_seq)
    assert {s.id for s in (await second.recover()).sessions if s.state is OrderState.FINISHED} == set(
        await second.settled()
    )
    assert len(await second.settled()) == 400
    await second.close()


@pytest.mark.parametrize("gone", ["before the salvage", "in mid-move", "before the note went"])
async def test_a_power_cut_in_a_salvage_loses_and_doubles_nothing(
    tmp_path: Path, clock: RealClock, monkeypatch: pytest.MonkeyPatch, gone: str
) -> None:
    """Faults 51, 55: whatever instant of it the power takes, the next start finishes it, once."""
    path = tmp_path / "siteward.db"
    first = await filled(path, clock)
    await first.close()
    mark_path(path).write_text("quick_check: pages are lost")
    if gone == "before the note went":
        monkeypatch.setattr(open_module, "finished", lambda _: None)
        await (await open_store(path, clock)).close()
    else:
        monkeypatch.setattr(open_module, "salvage", _no_power)
        with pytest.raises(StoreError, match="no power"):
            await open_store(path, clock)
    if gone == "in mid-move":
        aside = next(tmp_path.glob("damaged-*"))
        for name in ("siteward.db", "siteward.db-wal", "siteward.db-shm"):
            (tmp_path / name).unlink(missing_ok=True)
        (aside / "siteward.damaged").rename(mark_path(path))
    assert note_path(path).exists()
    monkeypatch.undo()
    second = await open_store(path, clock)
    events = [json.loads(text) for text in (await second.events(0, 1000)).texts]
    assert [event["type"] for event in events].count("audit.salvaged") == 1
    finished = [event["sessionId"] for event in events if event["type"] == "session.finished"]
    assert sorted(finished) == sorted(session(n).id for n in range(200, 400))
    assert second.alarms == {Alarm(AlarmCode.STORE_SALVAGED, STATION)}
    await second.close()
    assert not note_path(path).exists()
    third = await open_store(path, clock)
    assert third.alarms == frozenset()
    assert third.journal_id == second.journal_id
    await third.close()


def _no_power(file: Path, reason: str) -> None:
    raise StoreError(f"no power for {file}: {reason}")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"folder": "damaged-x"}', '{"folder": "damaged-x", "reason": "r"}'])
async def test_a_note_that_led_to_nothing_is_taken_away(tmp_path: Path, clock: RealClock, text: str) -> None:
    """Fault 51: the power went before the damaged file was moved: it is still there, and as damaged as it was."""
    path = tmp_path / "siteward.db"
    note_path(path).write_text(text)
    store = await open_store(path, clock)
    assert store.alarms == frozenset()
    await store.close()
    assert not note_path(path).exists()


async def test_offline_reads_and_changes_nothing(tmp_path: Path, clock: RealClock) -> None:
    """flows.md: `journal verify` and its kin work without core, and never beside it."""
    path = tmp_path / "siteward.db"
    with pytest.raises(StoreError, match="no database"), offline(path):
        pass
    store = await filled(path, clock, 20)
    with pytest.raises(ConfigError), offline(path):
        pass
    await store.close()
    before = path.read_bytes()
    with offline(path) as connection:
        assert verify(connection).ok
        with pytest.raises(sqlite3.OperationalError):
            connection.execute("DELETE FROM journal")
    assert path.read_bytes() == before
    path.write_bytes(b"\xff" * 5000)
    with pytest.raises(StoreError), offline(path) as connection:
        verify(connection)

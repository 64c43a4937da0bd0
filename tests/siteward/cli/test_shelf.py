"""Flows, S-61: what was written down can be read without core, and reading changes nothing."""

import asyncio
import json
from pathlib import Path

import pytest

from siteward.cli.app import run_cli
from siteward.model.batch import Batch
from siteward.model.events import ClockQuality, EventType, Fact
from siteward.model.ids import ConnectorId, SessionId
from siteward.model.sessions import OrderState, SessionRecord
from siteward.store.open import open_store
from tests.fixtures.clock import RealClock

Output = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """State of a station that wrote twelve events and one session, and then ended in order."""
    asyncio.run(_write(tmp_path / "core" / "siteward.db"))
    return tmp_path


async def _write(path: Path) -> None:
    clock = RealClock()
    store = await open_store(path, clock)
    facts = tuple(Fact(EventType.CONNECTOR_STATUS, {"turn": n}, ConnectorId("A01-1")) for n in range(12))
    session = SessionRecord(SessionId("S1"), ConnectorId("A01-1"), OrderState.CHARGING, clock.wall(), "cli")
    await store.commit(Batch(ClockQuality.NTP, facts=facts, sessions=(session,)))
    await store.close()


def run(folder: Path, *words: str) -> int:
    """A command line at that station."""
    return run_cli(["--run", str(folder / "run"), "--state", str(folder), *words])


def test_sessions_and_events_are_read_and_marked_as_old(folder: Path, capsys: Output) -> None:
    """The reader is told of when the state is; JSON on stdout stays clean."""
    assert run(folder, "sessions", "--json") == 0
    out, err = capsys.readouterr()
    assert [row["id"] for row in json.loads(out)] == ["S1"]
    assert err.startswith("core is not running, state of 20")
    assert run(folder, "events", "--limit", "3", "--json") == 0
    assert [json.loads(line)["seq"] for line in capsys.readouterr().out.splitlines()] == [10, 11, 12]


def test_the_journal_is_verified_without_core(folder: Path, capsys: Output) -> None:
    """I16: the chain holds or not, whoever reads it; and the file stays as it is."""
    path = folder / "core" / "siteward.db"
    before = path.read_bytes()
    assert run(folder, "journal", "verify", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["holds"], found["events"]) == (True, 12)
    assert path.read_bytes() == before


def test_a_changed_row_is_found_without_core(folder: Path, capsys: Output) -> None:
    """I16: somebody edits the file itself."""
    import sqlite3

    with sqlite3.connect(folder / "core" / "siteward.db") as connection:
        connection.execute("UPDATE journal SET text = replace(text, '\"turn\":4', '\"turn\":5') WHERE seq = 5")
    connection.close()
    assert run(folder, "journal", "verify", "--json") == 1
    assert "event 5 does not hold" in json.loads(capsys.readouterr().out)["error"]["message"]


def test_a_core_that_holds_its_database_is_never_read_around(folder: Path, capsys: Output) -> None:
    """Fault 65: while a core owns the file, its API is the only way in."""
    from siteward.store.lock import InstanceLock
    from siteward.store.open import lock_path

    with InstanceLock(lock_path(folder / "core" / "siteward.db")):
        assert run(folder, "sessions") == 1
    assert "core is not there" in capsys.readouterr().err
